"""What a run is: a strict, frozen recipe, read from YAML and the command line.

base: starter
data: conversations.jsonl
adapter: {name: lora, rank: 16}
train: {epochs: 3}
"""

from __future__ import annotations

from tunesmith.recipe.read import read_recipe
from tunesmith.recipe.request import Request
from tunesmith.recipe.sections import (
    AuditRules,
    Base,
    Data,
    Evaluate,
    Gate,
    PluginChoice,
    Recipe,
    Source,
    Train,
)
from tunesmith.recipe.write import as_yaml

__all__ = [
    "AuditRules",
    "Base",
    "Data",
    "Evaluate",
    "Gate",
    "PluginChoice",
    "Recipe",
    "Request",
    "Source",
    "Train",
    "as_yaml",
    "read_recipe",
]
