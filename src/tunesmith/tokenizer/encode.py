r"""From an example to ids and weights: what the model reads, and which of it is trained.

    "…<|im_start|>assistant\nYes.<|im_end|>\n" -> ids [… 1 520 198 9891 13 2 198]
                                             weights [… 0   0   0    1  1 1   1]

Weight t is that of predicting token t; the first token is never predicted. The text of a
conversation is tokenised once; that the ids of each prompt are a prefix of the row's ids is
checked, so that training and inference see the same tokens.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tunesmith.contracts import Content, Conversation, Json, Preference, Segments, Text
from tunesmith.errors import DataError, InputError, ModelError, Place
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.mask import (
    JOINED_TOKENS,
    RenderedRow,
    TrainOn,
    Turn,
    render_rows,
    row_per_turn,
)
from tunesmith.tokenizer.template import Template

Offsets = list[tuple[int, int]]
_Single = Conversation | Segments | Text
"""What is encoded by itself: all contents but pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTurn:
    """A trained assistant turn: message `message` is the tokens from `start` to before `end`."""

    message: int
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A row in tokens. `weights[t]` is the weight of predicting token t; `weights[0]` is 0."""

    ids: list[int]
    weights: list[float]
    turns: tuple[TokenTurn, ...]
    """The trained turns of a conversation; none for plain text and segments."""
    prompt_length: int
    """Tokens before the first trained one."""
    notice: str = ""
    """A line for the user where the row is not simply the whole conversation."""


def encode_example(
    content: Content, tokenizer: Tokenizer, template: Template, *, train_on: TrainOn
) -> tuple[Encoded, ...]:
    """One row, or one a trained turn where the template does not allow all in one.

    A preference gives two, that of the chosen completion first.

    Raises:
        DataError: the row cannot be used: the template refuses it, it holds a special token.
        TemplateError: the template misbehaves.
        ModelError: the base lacks an end token that plain text needs.
    """
    (encoded,) = encode_examples([content], tokenizer, template, train_on=train_on)
    if isinstance(encoded, InputError):
        raise encoded
    return encoded


def encode_examples(
    contents: Sequence[Content], tokenizer: Tokenizer, template: Template, *, train_on: TrainOn
) -> list[tuple[Encoded, ...] | DataError]:
    """As `encode_example` for many at once, tokenised on all cores.

    A row that cannot be used gives its DataError in its place; other errors are raised.
    """
    single = [part for content in contents for part in _parts(content)]
    encoded = iter(_encode_each(single, tokenizer, template, train_on))
    results: list[tuple[Encoded, ...] | DataError] = []
    for content in contents:
        found = [next(encoded) for _ in _parts(content)]
        results.append(_as_pair(found) if isinstance(content, Preference) else found[0])
    return results


def _parts(content: Content) -> tuple[_Single, ...]:
    return content.sides() if isinstance(content, Preference) else (content,)


def _as_pair(sides: list[tuple[Encoded, ...] | DataError]) -> tuple[Encoded, ...] | DataError:
    """The row of the chosen completion and that of the rejected one, or what is wrong."""
    rows: list[Encoded] = []
    for name, side in zip(("chosen", "rejected"), sides, strict=True):
        if isinstance(side, DataError):
            return DataError(f"{name}: {side.what}", hint=side.hint, place=side.place)
        if len(side) != 1:
            return DataError(
                f"{name} holds {len(side)} answers, which the template does not write into one"
                " row as they stand at inference",
                hint="keep the last answer in chosen and rejected, and move the turns before it"
                " into the prompt; or choose another template with `data.template`",
            )
        rows += side
    return tuple(rows)


def _encode_each(
    contents: Sequence[_Single], tokenizer: Tokenizer, template: Template, train_on: TrainOn
) -> list[tuple[Encoded, ...] | DataError]:
    rendered: list[tuple[RenderedRow, ...] | DataError] = []
    texts: list[str] = []
    for content in contents:
        rows = _rendered(content, tokenizer, template, train_on)
        rendered.append(rows)
        if not isinstance(rows, DataError):
            texts.extend(_texts(content, rows))
    tokens = iter(tokenizer.encode_all(texts))
    results: list[tuple[Encoded, ...] | DataError] = []
    for content, rows in zip(contents, rendered, strict=True):
        if isinstance(rows, DataError):
            results.append(rows)
            continue
        tokenised = [next(tokens) for _ in _texts(content, rows)]
        whole = [item for item in tokenised if not isinstance(item, DataError)]
        if len(whole) < len(tokenised):
            results.append(next(item for item in tokenised if isinstance(item, DataError)))
        elif isinstance(content, Text):
            results.append((_plain_text(whole[0][0], tokenizer),))
        elif isinstance(content, Segments):
            results.append((_segments(content, [ids for ids, _ in whole]),))
        else:
            results.append(
                _encode_rows(rows, whole, tokenizer)
                or tuple(
                    _encode_alone(row, tokenizer)
                    for row in row_per_turn(content, template, train_on)
                )
            )
    return results


def refuse_special_tokens(conversation: Conversation, tokenizer: Tokenizer) -> None:
    """A special token written in a message would end or open a turn: refuse it.

    Raises:
        DataError: names the token and the message.
    """
    pattern = _special_pattern(tokenizer)
    if pattern is None:
        return
    for number, message in enumerate(conversation.messages, start=1):
        for text in (message.content, message.reasoning, message.name):
            found = pattern.search(text) if text else None
            if found is not None:
                raise _special_token_error(found.group(), f"message {number} ({message.role})")
        for call in message.tool_calls:
            _refuse_in(call, pattern, f"the tool calls of message {number}")
    for tool in conversation.tools:
        _refuse_in(tool, pattern, "the tools")


def prefix_length(
    tokenizer: Tokenizer, text: str, ids: list[int], offsets: Offsets, end: int
) -> int:
    """How many ids `text[:end]` has, where they are a prefix of `ids`; -1 where they are not.

    Ids before an added token do not depend on what follows it, so only the text from the last
    added token to `end` is tokenised again.
    """
    cut = bisect_left(offsets, end, key=lambda offset: offset[0]) - 1
    while cut >= 0 and not (ids[cut] in tokenizer.cut_ids and offsets[cut][1] <= end):
        cut -= 1
    start = offsets[cut][0] if cut >= 0 else 0
    tail = tokenizer.encode_piece(text[start:end])
    first = max(cut, 0)
    if cut >= 0 and tail[:1] != (ids[cut],):
        tail = tuple(tokenizer.encode(text[:end]))
        first = 0
    length = first + len(tail)
    return length if tuple(ids[first:length]) == tail else -1


def _rendered(
    content: _Single, tokenizer: Tokenizer, template: Template, train_on: TrainOn
) -> tuple[RenderedRow, ...] | DataError:
    if not isinstance(content, Conversation):
        return ()
    try:
        refuse_special_tokens(content, tokenizer)
        return render_rows(content, template, train_on)
    except DataError as error:
        return error


def _texts(content: _Single, rows: tuple[RenderedRow, ...]) -> list[str]:
    if isinstance(content, Text):
        return [content.text]
    if isinstance(content, Segments):
        return [part.text for part in content.parts]
    return [row.text for row in rows]


def _encode_rows(
    rows: tuple[RenderedRow, ...], tokenised: list[tuple[list[int], Offsets]], tokenizer: Tokenizer
) -> tuple[Encoded, ...]:
    """Empty where several turns share a row whose ids a prompt does not begin."""
    done: list[Encoded] = []
    for row, (ids, offsets) in zip(rows, tokenised, strict=True):
        encoded = _encode_row(row, tokenizer, ids, offsets)
        if encoded is None and len(row.turns) > 1:
            return ()
        done.append(encoded if encoded is not None else _encode_apart(row, tokenizer))
    return tuple(done)


def _encode_row(
    row: RenderedRow, tokenizer: Tokenizer, ids: list[int], offsets: Offsets
) -> Encoded | None:
    """None where the ids of a prompt are not a prefix of the row's."""
    turns: list[TokenTurn] = []
    for turn in row.turns:
        start = prefix_length(tokenizer, row.text, ids, offsets, turn.start)
        if start < 0:
            return None
        turns.append(
            TokenTurn(
                message=turn.message,
                start=start,
                end=_last_token(offsets, start, turn),
                weight=turn.weight,
            )
        )
    return _weigh(ids, turns, row.notice)


def _last_token(offsets: Offsets, start: int, turn: Turn) -> int:
    """The index after the last token that lies within the turn: one that reaches beyond is out."""
    end = bisect_left(offsets, turn.end, lo=start, key=lambda offset: offset[0])
    while end > start and offsets[end - 1][1] > turn.end:
        end -= 1
    return end


def _encode_alone(row: RenderedRow, tokenizer: Tokenizer) -> Encoded:
    ids, offsets = tokenizer.encode_with_offsets(row.text)
    return _encode_row(row, tokenizer, ids, offsets) or _encode_apart(row, tokenizer)


def _encode_apart(row: RenderedRow, tokenizer: Tokenizer) -> Encoded:
    """The prompt's ids as at inference, then those of the answer, and nothing after it."""
    (turn,) = row.turns
    prompt = tokenizer.encode(row.text[: turn.start])
    answer = tokenizer.encode_continuation(row.text[turn.start : turn.end])
    ids = prompt + answer
    token_turn = TokenTurn(
        message=turn.message, start=len(prompt), end=len(ids), weight=turn.weight
    )
    return _weigh(ids, [token_turn], JOINED_TOKENS)


def _weigh(ids: list[int], turns: list[TokenTurn], notice: str) -> Encoded:
    weights = [0.0] * len(ids)
    for turn in turns:
        weights[turn.start : turn.end] = [turn.weight] * (turn.end - turn.start)
    return _finished(ids, weights, tuple(turns), notice)


def _finished(
    ids: list[int], weights: list[float], turns: tuple[TokenTurn, ...], notice: str
) -> Encoded:
    if weights:
        weights[0] = 0.0
    trained = (index for index, weight in enumerate(weights) if weight)
    return Encoded(
        ids=ids,
        weights=weights,
        turns=turns,
        prompt_length=next(trained, len(ids)),
        notice=notice,
    )


def _plain_text(ids: list[int], tokenizer: Tokenizer) -> Encoded:
    if not tokenizer.stop_ids:
        raise ModelError(
            "the base has no end token, so a model tuned on plain text would never stop",
            hint='name one of its tokens as "eos_token" in tokenizer_config.json',
            place=Place(file=tokenizer.folder),
        )
    begin = tokenizer.begin_ids
    begins = tuple(ids[: len(begin)]) == begin
    ids = ids if begins else [*begin, *ids]
    if not ids or ids[-1] not in tokenizer.stop_ids:
        ids = [*ids, tokenizer.stop_ids[0]]
    return _finished(ids, [1.0] * len(ids), (), "")


def _segments(content: Segments, parts: list[list[int]]) -> Encoded:
    ids: list[int] = []
    weights: list[float] = []
    for segment, piece in zip(content.parts, parts, strict=True):
        ids += piece
        weights += [1.0 if segment.trained else 0.0] * len(piece)
    return _finished(ids, weights, (), "")


@lru_cache(maxsize=16)
def _special_pattern(tokenizer: Tokenizer) -> re.Pattern[str] | None:
    # A base may call an ordinary word or sign special, as padding say: that is no marker.
    tokens = [
        token
        for token in map(tokenizer.token, tokenizer.special_ids)
        if len(token) > 2 and not token.isalnum()
    ]
    if not tokens:
        return None
    longest_first = sorted(tokens, key=lambda token: (-len(token), token))
    return re.compile("|".join(map(re.escape, longest_first)))


def _refuse_in(value: Json, pattern: re.Pattern[str], where: str) -> None:
    found = pattern.search(json.dumps(value, ensure_ascii=False))
    if found is None:
        return
    for text in _strings(value):
        exact = pattern.search(text)
        if exact is not None:
            raise _special_token_error(exact.group(), where)


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _special_token_error(token: str, where: str) -> DataError:
    return DataError(
        f"{where} holds the special token {token!r} as text: it would become the token itself"
        " and could end or open a turn",
        hint=f"remove {token!r} from the row, or write it in another way",
    )
