"""Stop tokens are found by trying the template."""

from __future__ import annotations

from pathlib import Path

import pytest
import trl

from tests.tokenizer.bases import Files, byte_level, chat_base, write
from tunesmith.errors import TemplateError
from tunesmith.tokenizer.load import load_tokenizer
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.tokenizer.template import load_template

TRL = Path(trl.__file__).parent / "chat_templates"


@pytest.mark.parametrize(
    ("family", "name", "ends"),
    [
        ("chatml", "qwen2_5", ["<|im_end|>"]),
        ("llama3", "llama3", ["<|eot_id|>"]),
        ("gemma", "gemma", ["<end_of_turn>"]),
        ("phi3", "phi3", ["<|end|>", "<|endoftext|>"]),
    ],
)
def test_the_templates_own_end_of_turn_comes_first(
    family: str, name: str, ends: list[str], tmp_path: Path
) -> None:
    tokenizer = load_tokenizer(chat_base(tmp_path, family, (TRL / f"{name}.jinja").read_text()))
    found = [
        tokenizer.token(index) for index in stop_tokens(tokenizer, load_template(tokenizer, None))
    ]
    assert found == ends


def test_calls_may_end_with_a_token_of_their_own(tmp_path: Path) -> None:
    source = (
        "{% for m in messages %}{{ m.role + ': ' }}"
        "{% if m.tool_calls %}{{ m.tool_calls[0].function.name + '[CALL]' }}"
        "{% else %}{{ m.content + '[END]' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    tokens = ("[END]", "[CALL]", "[EOS]")
    files = Files(config={"eos_token": "[EOS]", "chat_template": source})
    tokenizer = load_tokenizer(write(tmp_path, byte_level(tokens), files))
    found = stop_tokens(tokenizer, load_template(tokenizer, None))
    assert [tokenizer.token(index) for index in found] == ["[END]", "[CALL]", "[EOS]"]


def test_a_template_that_ends_with_words_is_refused(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(chat_base(tmp_path, "mistral"))
    with pytest.raises(TemplateError, match="not a token of this base") as caught:
        stop_tokens(tokenizer, load_template(tokenizer, "chatml"))
    assert "plain" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ raise_exception('no') }}", "cannot render a question"),
        ("{{ messages[0].content + eos_token }}", "leaves out|answer's place"),
    ],
)
def test_a_template_that_cannot_be_tried_is_refused(
    source: str, message: str, tmp_path: Path
) -> None:
    tokenizer = load_tokenizer(chat_base(tmp_path, "chatml", source))
    with pytest.raises(TemplateError, match=message):
        stop_tokens(tokenizer, load_template(tokenizer, None))
