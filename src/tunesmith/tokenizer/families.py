"""How Transformers 5 rebuilds the tokenizers of some families.

For most bases `tokenizer.json` is the whole truth. For the families below Transformers takes
only vocabulary and merges from it and builds the rest anew, so that the ids differ where
the file says otherwise (a Llama file with the old `Prepend` normaliser, for one). Equal ids
need the same rule. Source: `transformers/models/*/tokenization_*.py`, `AutoTokenizer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers

from tunesmith.contracts import JsonObject

_QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN35_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A tokenizer class that is rebuilt: its special tokens and the flags of its BPE model."""

    name: str
    defaults: dict[str, str] = field(default_factory=dict)
    """Special tokens that hold where tokenizer_config.json does not say."""
    fuse_unk: bool = False
    byte_fallback: bool = False
    unk_in_model: bool = False
    keeps_post_processor: bool = True
    adds_bos: bool = False
    """Whether a begin token is added where only vocabulary and merges exist."""


_END = "<|endoftext|>"
FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="LlamaTokenizer",
            defaults={"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"},
            fuse_unk=True,
            byte_fallback=True,
        ),
        Family(
            name="GemmaTokenizer",
            defaults={
                "unk_token": "<unk>",
                "bos_token": "<bos>",
                "eos_token": "<eos>",
                "pad_token": "<pad>",
                "mask_token": "<mask>",
            },
            fuse_unk=True,
            byte_fallback=True,
            unk_in_model=True,
        ),
        Family(
            name="Qwen2Tokenizer",
            defaults={"unk_token": _END, "eos_token": _END, "pad_token": _END},
        ),
        Family(
            name="Qwen3_5Tokenizer",
            defaults={"unk_token": _END, "eos_token": _END, "pad_token": _END},
        ),
        Family(
            name="GPT2Tokenizer",
            defaults={"unk_token": _END, "bos_token": _END, "eos_token": _END},
        ),
        Family(
            name="GPTNeoXTokenizer",
            defaults={
                "unk_token": _END,
                "bos_token": _END,
                "eos_token": _END,
                "pad_token": "<|padding|>",
            },
            keeps_post_processor=False,
        ),
    )
}

# Model types whose tokenizer class AutoTokenizer knows; "" stands for "tokenizer.json as it is".
MODEL_TYPES = {
    **dict.fromkeys(
        ("gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text", "recurrent_gemma"),
        "GemmaTokenizer",
    ),
    **dict.fromkeys(
        ("qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_moe", "qwen3_next"),
        "Qwen2Tokenizer",
    ),
    **dict.fromkeys(
        ("qwen3_5", "qwen3_5_moe", "qwen3_5_text", "qwen3_5_moe_text"), "Qwen3_5Tokenizer"
    ),
    **dict.fromkeys(
        ("gpt2", "gpt_neo", "gptj", "opt", "phi", "starcoder2", "codegen", "dbrx", "jais2"),
        "GPT2Tokenizer",
    ),
    **dict.fromkeys(
        ("gpt_neox", "falcon_mamba", "mamba", "mamba2", "mpt", "olmo", "olmoe", "rwkv", "xlstm"),
        "GPTNeoXTokenizer",
    ),
    **dict.fromkeys(
        (
            *("mistral", "mistral3", "ministral", "ministral3", "mixtral", "phi3", "phimoe"),
            *("granite", "granitemoe", "granitemoehybrid", "granitemoeshared", "stablelm"),
            *("glm", "glm4", "glm4_moe", "olmo2", "olmo3", "gpt_bigcode", "persimmon", "jamba"),
            *("nemotron", "internlm2", "internlm3", "minicpm3", "ernie4_5", "ernie4_5_moe"),
            *("minimax_m2", "hyperclovax", "kimi_linear", "flex_olmo", "arctic", "smolvlm"),
        ),
        "",
    ),
}
# Their files on the hub name the wrong class: AutoTokenizer trusts the model type instead.
_TRUST_MODEL_TYPE = frozenset(
    {"qwen2", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text"}
    | {name for name, family in MODEL_TYPES.items() if not family}
)


def family_of(tokenizer_class: str, model_type: str, *, byte_level: bool) -> Family | None:
    """The family whose rules apply, None where `tokenizer.json` is taken as it is.

    Args:
        tokenizer_class: of tokenizer_config.json or config.json, "" where unknown.
        model_type: of config.json, "" where unknown.
        byte_level: whether tokenizer.json has a ByteLevel part.
    """
    named = tokenizer_class.removesuffix("Fast")
    if named == "LlamaTokenizer" and byte_level and model_type not in _TRUST_MODEL_TYPE:
        return None
    registered = MODEL_TYPES.get(model_type)
    if named and registered is not None and registered != named:
        chosen = registered if not registered or model_type in _TRUST_MODEL_TYPE else named
    else:
        chosen = named or registered or ""
    return FAMILIES.get(chosen)


def rebuild_model(model: JsonObject, family: Family, unk_token: str | None) -> JsonObject:
    """The `model` part of tokenizer.json with the flags that the family fixes."""
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unk_token if family.unk_in_model else None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": family.fuse_unk,
        "byte_fallback": family.byte_fallback,
        "ignore_merges": False,
        "vocab": model.get("vocab", {}),
        "merges": model.get("merges", []),
    }


def rebuild_pipeline(tokenizer: Tokenizer, family: Family, config: JsonObject) -> None:
    """Put the family's normaliser, pre-tokenizer and decoder in place of the file's."""
    prefix = config.get("add_prefix_space")
    if family.name == "LlamaTokenizer":
        _llama(tokenizer, prefix=prefix is None or bool(prefix), legacy=bool(config.get("legacy")))
    elif family.name == "GemmaTokenizer":
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        )
    elif family.name in ("Qwen2Tokenizer", "Qwen3_5Tokenizer"):
        pattern = _QWEN2_SPLIT if family.name == "Qwen2Tokenizer" else _QWEN35_SPLIT
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=bool(prefix), use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer.normalizer = normalizers.NFC() if family.name == "GPTNeoXTokenizer" else None
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=bool(prefix))
        tokenizer.decoder = decoders.ByteLevel()


def _llama(tokenizer: Tokenizer, *, prefix: bool, legacy: bool) -> None:
    scheme = ("always" if legacy else "first") if prefix else "never"
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme=scheme, split=False)
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(
        [*parts, decoders.Strip(content=" ", left=1)] if prefix else parts
    )
