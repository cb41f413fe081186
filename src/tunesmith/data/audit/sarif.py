"""An audit as SARIF 2.1.0, which code hosts and editors show beside the lines.

    {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "tunesmith", "rules": [...]}},
     "results": [{"ruleId": "email", "level": "warning", "locations": [...]}]}]}

The format is that of the OASIS standard "Static Analysis Results Interchange Format 2.1.0".
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tunesmith.contracts import Audit, Finding, Json, JsonObject, Severity
from tunesmith.runs.environment import installed_version

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: dict[Severity, str] = {"block": "error", "warn": "warning", "info": "note"}


def sarif_of(audit: Audit) -> JsonObject:
    """The findings of an audit as a SARIF log with one run."""
    rules: list[Json] = [
        {
            "id": name,
            "shortDescription": {"text": str(rule["why"])},
            "help": {"text": str(rule["fix"])},
        }
        for name, rule in audit.rules.items()
        if isinstance(rule, dict)
    ]
    tool: JsonObject = {
        "name": "tunesmith",
        "version": installed_version("tunesmith"),
        "rules": rules,
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": tool},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in audit.findings],
            }
        ],
    }


def _result(finding: Finding) -> JsonObject:
    result: JsonObject = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. Fix: {finding.fix}"},
    }
    if finding.file:
        result["locations"] = [_location(finding.file, finding.line, finding.excerpt)]
    if finding.other:
        file, _, line = finding.other.rpartition(":")
        numbered = line.isdecimal() and file
        place = (file, int(line)) if numbered else (finding.other, 0)
        result["relatedLocations"] = [_location(*place, "")]
    if finding.row_hash:
        result["partialFingerprints"] = {"rowHash/v1": finding.row_hash}
    return result


def _location(file: str, line: int, excerpt: str) -> JsonObject:
    path = Path(file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    physical: JsonObject = {"artifactLocation": {"uri": uri}}
    if line:
        region: JsonObject = {"startLine": line}
        if excerpt:
            region["snippet"] = {"text": excerpt}
        physical["region"] = region
    return {"physicalLocation": physical}
