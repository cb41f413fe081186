"""The package works where torch and transformers are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tokenizer.bases import chat_base

SCRIPT = """
import sys
for name in ("torch", "transformers", "pandas", "datasets"):
    sys.modules[name] = None
from pathlib import Path
from tunesmith.contracts import Conversation, Message
from tunesmith.tokenizer.encode import encode_example
from tunesmith.tokenizer.load import load_tokenizer
from tunesmith.tokenizer.preview import segments
from tunesmith.tokenizer.proof import prove
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.tokenizer.template import load_template
tokenizer = load_tokenizer(Path(sys.argv[1]))
template = load_template(tokenizer, "chatml")
content = Conversation(
    messages=(Message(role="user", content="Hi"), Message(role="assistant", content="Hello"))
)
(row,) = encode_example(content, tokenizer, template, train_on="all")
prove(row, content, tokenizer, template)
print([text for text, trained in segments(row, tokenizer) if trained])
print(stop_tokens(tokenizer, template) == (tokenizer.eos_id,))
"""


def test_everything_runs_without_torch_and_transformers(tmp_path: Path) -> None:
    folder = chat_base(tmp_path, "chatml")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout == "['Hello<|im_end|>\\n']\nTrue\n"
