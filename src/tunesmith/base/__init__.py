"""A base model as files: found, checked and identified, before anything is loaded.

This loads neither torch nor transformers, so that `check` can ask a base for its tokenizer
and its context in a fraction of a second.
"""

from __future__ import annotations

from tunesmith.base.locate import BaseFolder, locate_base

__all__ = ["BaseFolder", "locate_base"]
