"""Measure a pre-trained model: bits per byte on held-out books, and how it ends its chats.

    python starter/evaluate.py src/tunesmith/bundled/starter ../shared/weights/stories260k

Bits per byte is the negative log2-likelihood of a text over its length in UTF-8 bytes, so
models with different tokenizers compare. Every model scores the same seeded windows of text;
a window longer than a model's context is read in overlapping pieces. Prints one JSON object
a model on stdout.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as functional
from chats import write_conversations
from corpus import HELD_OUT_BOOKS, OWN_CONVERSATIONS, OWN_SEED, read_books
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

WINDOW_CHARACTERS = 2000
PROMPT_SEED = 4711
BATCH = 20

# In words that the conversation maker does not use.
WRITTEN_PROMPTS = (
    "Could you describe your favourite season to me?",
    "I forgot my umbrella and got wet. Any advice?",
    "Translate 'good morning' into French.",
    "What should I cook tonight?",
    "My train is delayed. What can I do while I wait?",
    "Give me two reasons to learn the piano.",
    "Explain in simple words why the moon changes its shape.",
    "Who wrote Hamlet?",
    "Write one sentence about the sea.",
    "How far is it from here to the moon?",
    "My order has not arrived yet. Where is it?",
    "I would like to change my address, please.",
    "Is it safe to eat raw potatoes?",
    "Which is heavier, a feather or a stone?",
    "Continue this sentence: The door opened and",
    "Tell me something about bees.",
    "What rhymes with cat?",
    "Correct the spelling: I recieved a leter.",
    "Please help me write an apology.",
    "What is 12 times 12?",
    "Why is the ocean salty?",
    "Do you like music?",
    "How can I reset my password?",
    "What happened in the year 1066?",
    "Describe a castle.",
    "Recommend a book for a rainy day.",
    "What is the difference between a crow and a raven?",
    "When was the telephone invented?",
    "Say something kind.",
    "Is the shop open on Sunday?",
    "Give an example of a metaphor.",
    "How many continents are there?",
    "What is the meaning of life?",
    "Could you speak more slowly?",
    "I feel sad today.",
    "Write a haiku about autumn.",
    "What do I need for a picnic?",
    "Tell me a joke.",
    "Where can I find the nearest post office?",
    "Finish the list: spring, summer, autumn,",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured of one model."""

    model: str
    parameters: int
    bits_per_byte: float
    standard_error: float
    windows: int
    bytes: int
    stop_rate_greedy: float | None
    stop_rate_sampled: float | None
    chats: int
    samples: list[dict[str, str]]


def text_windows(path: Path, count: int) -> list[str]:
    """Cut `count` seeded windows of `WINDOW_CHARACTERS` from the books, each book alike."""
    books = [text for text in read_books(path) if len(text) > WINDOW_CHARACTERS]
    generator = random.Random(PROMPT_SEED)
    windows: list[str] = []
    for index in range(count):
        text = books[index % len(books)]
        start = generator.randrange(len(text) - WINDOW_CHARACTERS)
        windows.append(text[start : start + WINDOW_CHARACTERS])
    return windows


def opening(text: str) -> str:
    """The first 160 characters, up to the end of a word."""
    return text[:160].rsplit(maxsplit=1)[0]


@torch.no_grad()
def text_bits(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> float:
    """Negative log2-likelihood of a text, every token of it after the begin token."""
    ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    begin = tokenizer.bos_token_id
    context = int(model.config.max_position_embeddings)
    total = 0.0
    scored = 0
    while scored < len(ids):
        # Half of the context is what came before, unless this is the start.
        first = max(0, scored - context // 2)
        piece = ids[first : first + context - 1]
        tokens = torch.tensor([[begin, *piece]])
        log_probabilities = functional.log_softmax(model(input_ids=tokens).logits[0, :-1], -1)
        picked = log_probabilities.gather(1, tokens[0, 1:, None])[:, 0]
        total -= float(picked[scored - first :].sum())
        scored = first + len(piece)
    return total / math.log(2)


def bits_per_byte(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, windows: list[str]
) -> tuple[float, float]:
    """Bits per byte over all windows, and its standard error over windows."""
    bits = [text_bits(model, tokenizer, text) for text in windows]
    sizes = [len(text.encode()) for text in windows]
    mean = sum(bits) / sum(sizes)
    deviations = [(value - mean * size) ** 2 for value, size in zip(bits, sizes, strict=True)]
    return mean, math.sqrt(sum(deviations)) / sum(sizes)


@cache
def chat_prompts(count: int) -> list[str]:
    """Prompts: the written ones, then new ones of the conversation maker that training lacks."""
    training = {repr(chat) for chat in write_conversations(count=OWN_CONVERSATIONS, seed=OWN_SEED)}
    prompts = list(WRITTEN_PROMPTS)
    for chat in write_conversations(count=10 * count, seed=PROMPT_SEED):
        if chat[0]["role"] == "user" and repr(chat) not in training:
            prompts.append(chat[0]["content"])
    chosen = prompts[:count]
    random.Random(PROMPT_SEED).shuffle(chosen)
    return chosen


@torch.no_grad()
def continue_texts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    sampled: bool,
    new_tokens: int,
) -> list[tuple[str, bool]]:
    """Continue each text; say for each whether it ended at the stop token."""
    torch.manual_seed(PROMPT_SEED)
    results: list[tuple[str, bool]] = []
    for first in range(0, len(texts), BATCH):
        batch = tokenizer(
            texts[first : first + BATCH],
            return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False,
        )  # fmt: skip
        settings = {"temperature": 0.7, "top_p": 0.95, "top_k": 0} if sampled else {}
        output = model.generate(  # type: ignore[operator]
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
            do_sample=sampled, max_new_tokens=new_tokens, pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id, **settings,
        )  # fmt: skip
        for row in output[:, batch["input_ids"].shape[1] :].tolist():
            ended = tokenizer.eos_token_id in row
            results.append((str(tokenizer.decode(row, skip_special_tokens=True)), ended))
    return results


def measure(folder: Path, windows: list[str], chats: int, samples: int) -> Result:
    """Load a model folder and measure it."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.eval()  # type: ignore[no-untyped-call]
    mean, error = bits_per_byte(model, tokenizer, windows)
    greedy: list[tuple[str, bool]] = []
    sampled: list[tuple[str, bool]] = []
    shown: list[dict[str, str]] = []
    if tokenizer.chat_template and chats:
        prompts = chat_prompts(chats)
        rendered = [
            str(
                tokenizer.apply_chat_template(
                    [{"role": "user", "content": prompt}],
                    tokenize=False,
                    add_generation_prompt=True,
                )
            )
            for prompt in prompts
        ]
        greedy = continue_texts(model, tokenizer, rendered, sampled=False, new_tokens=128)
        sampled = continue_texts(model, tokenizer, rendered, sampled=True, new_tokens=128)
        shown = [
            {"prompt": prompt, "answer": answer}
            for prompt, (answer, _) in list(zip(prompts, greedy, strict=True))[: samples // 2]
        ]
    beginnings = [opening(text) for text in windows[: samples - len(shown)]]
    if beginnings:
        texts = [tokenizer.bos_token + text for text in beginnings]
        ends = continue_texts(model, tokenizer, texts, sampled=True, new_tokens=60)
        for text, (continued, _) in zip(beginnings, ends, strict=True):
            shown.append({"prompt": text, "continuation": continued})
    return Result(
        model=folder.resolve().name,
        parameters=sum(weight.numel() for weight in model.parameters()),
        bits_per_byte=round(mean, 4),
        standard_error=round(error, 4),
        windows=len(windows),
        bytes=sum(len(text.encode()) for text in windows),
        stop_rate_greedy=sum(ended for _, ended in greedy) / len(greedy) if greedy else None,
        stop_rate_sampled=sum(ended for _, ended in sampled) / len(sampled) if sampled else None,
        chats=len(greedy),
        samples=shown,
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure pre-trained models.")
    parser.add_argument("models", nargs="+", type=Path, help="model folders")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="holds pretrain/")
    parser.add_argument("--windows", type=int, default=160, help="windows of held-out text")
    parser.add_argument("--chats", type=int, default=100, help="chat prompts, 0 for none")
    parser.add_argument("--samples", type=int, default=10, help="samples to show")
    arguments = parser.parse_args()
    windows = text_windows(arguments.shared / "pretrain" / HELD_OUT_BOOKS, arguments.windows)
    for folder in arguments.models:
        result = measure(folder, windows, arguments.chats, arguments.samples)
        print(json.dumps(asdict(result), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
