"""Which tokens are special, as Transformers works it out from up to four files.

`tokenizer_config.json` names them; where it lists no `added_tokens_decoder`, the older
`special_tokens_map.json` and `added_tokens.json` and the list in `tokenizer.json` count.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import AddedToken

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import ModelError
from tunesmith.tokenizer.families import Family

NAMED = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialTokens:
    """What the configuration files say."""

    named: dict[str, str]
    """`bos_token` and so on, and names of the model's own: what templates may use."""
    additions: tuple[AddedToken, ...]
    """Tokens to add to the tokenizer, in this order."""


def special_tokens(
    config: JsonObject,
    token_map: JsonObject,
    added: JsonObject,
    listed: list[JsonObject],
    family: Family | None,
) -> SpecialTokens:
    """Work out the special tokens.

    Args:
        config: tokenizer_config.json.
        token_map: special_tokens_map.json.
        added: added_tokens.json, token to id.
        listed: `added_tokens` of tokenizer.json.
        family: whose defaults hold where `config` is silent.

    Raises:
        ModelError: a token is neither a string nor a token's description.
    """
    values: JsonObject = {**config}
    if family is not None:
        values = {**family.defaults, **values}
    decoder = config.get("added_tokens_decoder")
    tokens: dict[int, AddedToken] = {}
    if isinstance(decoder, dict):
        for index, description in decoder.items():
            tokens[_index(index)] = _token(description, special=False)
    else:
        values |= token_map
        extra = _extra(values)
        specials = {_content(values[key]) for key in NAMED if values.get(key)} | set(extra)
        for content, number in added.items():
            is_special = content in specials
            tokens[_index(number)] = AddedToken(
                content, normalized=not is_special, special=is_special
            )
        for description in listed:
            tokens[_index(description.get("id"))] = _token(description, special=False)
    named = {
        key: _content(value)
        for key, value in values.items()
        if key.endswith("_token")
        and ((key in NAMED and value is not None) or isinstance(value, str) or _is_token(value))
    }
    extra_map = values.get("extra_special_tokens")
    if isinstance(extra_map, dict):
        named |= {key: _content(value) for key, value in extra_map.items()}
    additions = [tokens[index] for index in sorted(tokens)]
    known = {token.content for token in additions} | {str(row.get("content")) for row in listed}
    for content in (*named.values(), *_extra(values)):
        if content not in known:
            known.add(content)
            additions.append(AddedToken(content, special=True, normalized=False))
    for token in additions:
        token.special = token.special or token.content in named.values()
    return SpecialTokens(named=named, additions=tuple(additions))


def _extra(values: JsonObject) -> tuple[str, ...]:
    listed = values.get("extra_special_tokens") or values.get("additional_special_tokens")
    return tuple(_content(item) for item in listed) if isinstance(listed, list) else ()


def _is_token(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str)


def _content(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        content = value.get("content")
        if isinstance(content, str):
            return content
    raise ModelError(
        f"a special token must be a string or have `content`, but one is {str(value)[:80]!r}",
        hint="repair tokenizer_config.json or special_tokens_map.json, or download them again",
    )


def _token(description: Json, *, special: bool) -> AddedToken:
    content = _content(description)
    assert isinstance(description, dict), "_content refuses all but a description"
    flags = {name: bool(description[name]) for name in _FLAGS if name in description}
    return AddedToken(content, **{"special": special, **flags})


def _index(value: Json) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ModelError(
            f"the id of an added token must be a whole number, but one is {str(value)[:80]!r}",
            hint="repair tokenizer_config.json or tokenizer.json, or download them again",
        )
    return value
