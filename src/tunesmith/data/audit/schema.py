"""The JSON Schema of audit.json.

{"rows": 3, "verdict": "warnings", "counts": {...}, "findings": [...], "rules": {...}, ...}
"""

from __future__ import annotations

from tunesmith.contracts import Json, JsonObject

_SEVERITY: list[Json] = ["block", "warn", "info"]
_VERDICT: list[Json] = ["ready", "warnings", "blocked"]
_COUNT: JsonObject = {"type": "integer", "minimum": 0}
_TEXT: JsonObject = {"type": "string"}
_AUDIT: dict[str, tuple[JsonObject, str]] = {
    "rows": (_COUNT, "Rows that were read, those that cannot be used included."),
    "verdict": (
        {"type": "string", "enum": _VERDICT},
        "blocked: training is refused; warnings: something is to be looked at.",
    ),
    "counts": (
        {"type": "object", "additionalProperties": _COUNT},
        "Rows that each rule found, also where the list of findings is cut short.",
    ),
    "findings": (
        {"type": "array", "items": {"$ref": "#/$defs/Finding"}},
        "The gravest first, then by rule, file and line; at most audit.listed a rule.",
    ),
    "statistics": (
        {"type": "object"},
        "Rows, lengths and tokens of each file, and under `checks` what each check counted.",
    ),
    "rules": (
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/Rule"}},
        "The rules that found something, by name.",
    ),
}
_FINDING: dict[str, tuple[JsonObject, str]] = {
    "rule": (_TEXT, "Name of the rule; `tunesmith check --list-rules` lists all."),
    "severity": (
        {"type": "string", "enum": _SEVERITY},
        "block refuses to train, warn and info only tell.",
    ),
    "message": (_TEXT, "What is wrong."),
    "fix": (_TEXT, "What to do about it."),
    "file": (_TEXT, "Path of the file; empty for a remark about the whole set."),
    "line": (_COUNT, "Line of the row, from 1; its number in a table; 0 where it is not known."),
    "row_hash": (_TEXT, "sha256 of what the row says, in any format; empty without a row."),
    "excerpt": (_TEXT, "A piece of the data that shows it, personal data masked."),
    "other": (_TEXT, "Of a pair: file and line of the other row, with a colon between."),
}
_RULE: dict[str, tuple[JsonObject, str]] = {
    "severity": ({"type": "string", "enum": _SEVERITY}, "The recipe's, or the rule's own."),
    "why": (_TEXT, "Why it matters."),
    "fix": (_TEXT, "What to do about it."),
}


def audit_schema() -> JsonObject:
    """JSON Schema (draft 2020-12) of `Audit.as_json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "audit.json of Tunesmith",
        "$defs": {"Finding": _object(_FINDING), "Rule": _object(_RULE)},
        **_object(_AUDIT),
    }


def _object(fields: dict[str, tuple[JsonObject, str]]) -> JsonObject:
    return {
        "type": "object",
        "properties": {
            name: {**kind, "description": what} for name, (kind, what) in fields.items()
        },
        "required": list(fields),
        "additionalProperties": False,
    }
