"""Small tokenizers, trained here in milliseconds, in the folders that bases have."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SHARED = Path(__file__).parents[3] / "shared"

SENTENCES = (
    "I would like to reserve a table for two people at half past seven this evening.",
    "Which city are you in, and do you prefer a certain restaurant or kind of food?",
    "Your reservation has been made; the address is 377 Santana Row, number 1000.",
    "Thank you very much, that is all I need today. Have a nice day!",
    "The bus leaves at 6:45 am and the ticket costs $23.50, is that all right for you?",
    "Sorry, I couldn't find any flights to New York on the 8th of March; shall I look again?",
    "Play the song again, please, and show me the weather in San Jose for tomorrow.",
    "That is all.\n\n",
    'user\nassistant\nsystem\nmodel\n\n{"name": "lookup", "arguments": {}}',
)

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

FAMILY_TOKENS = {
    "llama3": ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
    "gemma": ("<bos>", "<end_of_turn>", "<start_of_turn>", "<eos>", "<pad>"),
    "chatml": ("<|endoftext|>", "<|im_end|>", "<|im_start|>"),
    "phi3": ("<s>", "<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"),
    "mistral": ("<s>", "</s>", "[INST]", "[/INST]"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is written beside tokenizer.json."""

    config: dict[str, object] = field(default_factory=dict)
    model: dict[str, object] = field(default_factory=dict)
    others: dict[str, object] = field(default_factory=dict)


def byte_level(
    tokens: tuple[str, ...] = (), *, split: str | None = LLAMA3_SPLIT, trim: bool = True
) -> Tokenizer:
    """Byte-level BPE; with `split` None the split of GPT-2; `trim` takes spaces off offsets."""
    tokenizer = Tokenizer(models.BPE())
    if split is None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(split), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in tokens],
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def metaspace(*, begin: bool = True, old: bool = False) -> Tokenizer:
    """SentencePiece-like BPE with byte fallback; `old` has Llama's `Prepend` normaliser."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if old:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*parts, decoders.Strip(content=" ", left=1)])
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = [sentence.replace("\n", " ") for sentence in SENTENCES]
    training = Tokenizer(models.BPE(unk_token="<unk>"))
    training.pre_tokenizer = pre_tokenizers.Metaspace("▁")
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=specials, show_progress=False)
    training.train_from_iterator(words, trainer)
    trained = json.loads(training.to_str())
    content = json.loads(tokenizer.to_str())
    content["model"] |= {key: trained["model"][key] for key in ("vocab", "merges")}
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
        )
    return tokenizer


def word_level() -> Tokenizer:
    """Whole words, split at spaces and punctuation."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        special_tokens=["[UNK]", "[PAD]", "[EOS]"], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def write(folder: Path, tokenizer: Tokenizer | None, files: Files = Files()) -> Path:
    """The folder of a base."""
    folder.mkdir(parents=True, exist_ok=True)
    if tokenizer is not None:
        tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(files.config))
    if files.model:
        (folder / "config.json").write_text(json.dumps(files.model))
    for name, content in files.others.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def chat_base(folder: Path, family: str, template: str | None = None) -> Path:
    """A byte-level base with the special tokens of a family of chat templates."""
    tokens = FAMILY_TOKENS[family]
    config: dict[str, object] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokens[1],
        **({} if family == "chatml" else {"bos_token": tokens[0]}),
    }
    if template is not None:
        config["chat_template"] = template
    # Transformers finds no token for a turn that begins with a space when offsets are trimmed,
    # and then marks nothing more; with whole offsets its marks can be compared with.
    return write(folder, byte_level(tokens, trim=False), Files(config=config))
