"""Sizes and rates that belong together: the built-in presets, and presets of a search as JSON.

A preset file is what ``search.py`` writes as ``winner.json``::

    {"width": 384, "layers": 7, "heads": 6, "kv_heads": 2, "inner": 1024, "windows": 64,
     "length": 1024, "matrix_rate": 0.02, "other_rate": 0.002, "chat_share": 0.02,
     "last_chat_share": 0.2}

A model that ships has at most `LARGEST_PARAMETERS`, so that its folder, at two bytes a weight,
stays under 32 MB.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from network import Shape

from tokenizer import CONTEXT_LENGTH, VOCABULARY_SIZE

LARGEST_PARAMETERS = 15_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What a run is made of.

    Attributes:
        windows: Windows of a step.
        length: Tokens of a window.
        matrix_rate: Learning rate of the matrices inside the layers (Muon).
        other_rate: Learning rate of embeddings and norms (AdamW).
        chat_share: Share of windows that are conversations, before the last fifth.
        last_chat_share: The same in the last fifth.
    """

    width: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    windows: int
    length: int
    matrix_rate: float
    other_rate: float
    chat_share: float = 0.04
    last_chat_share: float = 0.35

    @property
    def shape(self) -> Shape:
        """The sizes of the network."""
        return Shape(
            width=self.width, layers=self.layers, heads=self.heads, kv_heads=self.kv_heads,
            inner=self.inner, vocabulary=VOCABULARY_SIZE, context=CONTEXT_LENGTH,
        )  # fmt: skip

    @property
    def parameters(self) -> int:
        """How many weights the network has; the head is the embedding."""
        kv_width = self.width // self.heads * self.kv_heads
        attention = 2 * self.width * self.width + 2 * self.width * kv_width
        layer = attention + 3 * self.width * self.inner + 2 * self.width
        return VOCABULARY_SIZE * self.width + self.layers * layer + self.width

    def flaw(self) -> str | None:
        """What is wrong with the numbers, in words."""
        numbers = {name: value for name, value in asdict(self).items() if "share" not in name}
        if min(numbers.values()) <= 0:
            return "sizes and rates must be above 0"
        if not 0 <= self.chat_share <= 1 or not 0 <= self.last_chat_share <= 1:
            return "shares lie between 0 and 1"
        if self.width % self.heads or self.width // self.heads % 2:
            return f"width {self.width} does not make {self.heads} heads of an even width"
        if self.heads % self.kv_heads:
            return f"{self.heads} heads cannot share {self.kv_heads} key/value heads"
        if self.length > CONTEXT_LENGTH:
            return f"windows of {self.length} tokens are longer than {CONTEXT_LENGTH}"
        if self.parameters > LARGEST_PARAMETERS:
            return f"{self.parameters:,} parameters are more than {LARGEST_PARAMETERS:,}"
        return None


PRESETS = {
    "tiny": Preset(
        width=32, layers=1, heads=2, kv_heads=1, inner=64,
        windows=2, length=64, matrix_rate=0.02, other_rate=3e-3,
    ),
    "cpu": Preset(
        width=256, layers=5, heads=4, kv_heads=2, inner=640,
        windows=8, length=512, matrix_rate=0.02, other_rate=3e-3,
    ),
    # A hundred times the tokens: a smaller share of conversations is as many of them.
    "gpu": Preset(
        width=384, layers=7, heads=6, kv_heads=2, inner=1024,
        windows=64, length=1024, matrix_rate=0.02, other_rate=2e-3,
        chat_share=0.02, last_chat_share=0.2,
    ),
}  # fmt: skip


def read_preset(path: Path) -> Preset:
    """Read a preset file.

    Raises:
        ValueError: the file cannot be read, a name is unknown or absent, a number is no number, or
            the numbers do not fit together.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: a preset is one JSON object")
    kinds = {field.name: int if field.type == "int" else float for field in fields(Preset)}
    for name, value in found.items():
        if name not in kinds:
            raise ValueError(f"{path}: {name!r} is not one of {', '.join(kinds)}")
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (kinds[name] is float and isinstance(value, float))):
            raise ValueError(f"{path}: {name} must be a number of kind {kinds[name].__name__}")
    try:
        preset = Preset(**found)
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    flaw = preset.flaw()
    if flaw is not None:
        raise ValueError(f"{path}: {flaw}")
    return preset
