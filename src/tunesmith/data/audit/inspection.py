"""Which rules are looked for, and with what limits: the recipe's `audit:` and the plugins.

audit: {severities: {email: block}, limits: {near_duplicate: 0.8}}
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from tunesmith import plugins
from tunesmith.data.audit.contracts import Check, Compared, Rule
from tunesmith.errors import RecipeError
from tunesmith.recipe import AuditRules

UNUSABLE = "unusable_row"
"""The rule that is looked for whatever is asked for: rows that are left out must be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is looked for, and what is handed in from outside."""

    rules: AuditRules = AuditRules()
    compared: tuple[Compared, ...] = ()
    """Texts that must not be trained on."""
    base_losses: Mapping[str, float] = field(default_factory=dict)
    """Bits per byte of trained text under the base, by row digest, where it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The checks that are made."""

    checks: dict[str, Check]
    rules: dict[str, Rule]
    """Of those checks, without what is off."""
    limits: dict[str, float]
    """Of the rules that have one: the recipe's, or their own."""


def choose(wanted: AuditRules) -> Chosen:
    """The checks and rules that a recipe asks for.

    Raises:
        RecipeError: a rule that does not exist, or a limit for one that has none.
    """
    known = all_rules()
    for key, names in (
        ("rules", wanted.rules or ()),
        ("severities", wanted.severities),
        ("limits", wanted.limits),
    ):
        for name in names:
            _require_known(key, name, known)
    for name in wanted.limits:
        if known[name].limit is None:
            having = ", ".join(sorted(rule for rule in known if known[rule].limit is not None))
            raise RecipeError(
                f"audit.limits: the rule {name} has no limit",
                hint=f"these have one: {having}",
            )
    rules = {
        name: rule
        for name, rule in known.items()
        if wanted.severities.get(name) != "off"
        and (wanted.rules is None or name in (*wanted.rules, UNUSABLE))
    }
    return Chosen(
        checks={
            name: check_called(name)
            for name in plugins.names("checks")
            if set(check_called(name).RULES) & set(rules)
        },
        rules=rules,
        limits={
            name: wanted.limits.get(name, rule.limit)
            for name, rule in known.items()
            if rule.limit is not None
        },
    )


@cache
def all_rules() -> dict[str, Rule]:
    """The rules of all checks, by name."""
    rules: dict[str, Rule] = {}
    for name in plugins.names("checks"):
        for rule, described in check_called(name).RULES.items():
            assert rule not in rules, f"two checks have a rule {rule}"
            rules[rule] = described
    return dict(sorted(rules.items()))


def check_called(name: str) -> Check:
    """The check of that name.

    Raises:
        RecipeError: there is none; the nearest is suggested.
    """
    return cast(Check, plugins.load("checks", name))


def _require_known(key: str, name: str, known: Mapping[str, Rule]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    suggestion = f"did you mean {near[0]}? " if near else ""
    raise RecipeError(
        f"audit.{key}: there is no rule called {name}",
        hint=f"{suggestion}there are: {', '.join(known)}",
    )
