"""The adapter by itself, in PEFT's format: small, and loaded on top of its base.

    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(BASE), FOLDER)

vLLM and others take the same folder beside the base.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.errors import RunError
from tunesmith.export.source import ADAPTER_FILES, copy_beside, read_tuned


def export(run: Path, folder: Path) -> None:
    """Copy the adapter with its tokenizer, template, stop tokens and card.

    Raises:
        RunError: every weight was trained, so there is no adapter.
    """
    tuned = read_tuned(run)
    if not tuned.is_adapter:
        raise RunError(
            f"{run} trained every weight: there is no adapter",
            hint="export the whole model: --to merged",
        )
    copy_beside(tuned, folder)
    for name in ADAPTER_FILES:
        shutil.copyfile(tuned.model / name, folder / name)
