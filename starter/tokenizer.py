"""The starter model's tokenizer: 8,192 byte-level BPE entries and a chat template.

Every byte has an entry of its own, so any text makes the round trip unchanged. The first ids
are special: ``<|pad|>`` 0, ``<|bos|>`` 1 (opens every text), ``<|im_end|>`` 2 (ends a turn and
every text: the stop token), ``<|im_start|>`` 3 (opens a turn), and four spare ones. A
conversation renders as::

    <|bos|><|im_start|>user
    Name a fruit.<|im_end|>
    <|im_start|>assistant
    A pear.<|im_end|>
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

VOCABULARY_SIZE = 8192
CONTEXT_LENGTH = 1024
PAD, BEGIN, STOP, TURN = "<|pad|>", "<|bos|>", "<|im_end|>", "<|im_start|>"
PAD_ID, BEGIN_ID, STOP_ID, TURN_ID = 0, 1, 2, 3
SPECIAL_TOKENS = (PAD, BEGIN, STOP, TURN, *(f"<|spare_{index}|>" for index in range(4)))

# Words with the space before them, single digits, runs of punctuation, runs of white space.
SPLIT_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = """\
{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}{{- message['content'] + '<|im_end|>' }}{%- endgeneration %}
        {{- '\\n' }}
    {%- elif message['role'] in ['system', 'user'] %}
        {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- raise_exception('roles are system, user and assistant, not ' + message['role']) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def train_tokenizer(texts: Iterator[str], vocabulary_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """Train the byte-level BPE on a sample of texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A $B",
        special_tokens=[(BEGIN, BEGIN_ID)],
    )
    return tokenizer


def render_chat(messages: list[dict[str, str]]) -> str:
    """Render a conversation as the chat template does, without the opening ``<|bos|>``."""
    return "".join(f"{TURN}{message['role']}\n{message['content']}{STOP}\n" for message in messages)


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": STOP,
        "pad_token": PAD,
        "model_max_length": CONTEXT_LENGTH,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "left",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
