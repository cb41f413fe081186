"""Characters that are lost: what could not be read or written was replaced by a stand-in.

    "I don\ufffdt know"      "I don?t know"      "na??ve"      "???????, ???!"

Which character it was cannot be told, so such a text is only reported.
"""

from __future__ import annotations

import re

_CERTAIN = re.compile(
    "\ufffd"
    r"|(?<![\w/.?=&])[A-Za-z]+n\?t\b(?!\?)"
    r"|(?<![\w/.?=&])(?:I|it|It|he|He|she|She|that|That|what|What|there|There|who|Who|let|Let"
    r"|we|We|you|You|they|They|here|Here|where|Where)\?(?:s|m|re|ve|ll|d)\b(?!\?)"
    r"|(?<![\w/.?=&])[^\W\d_]{2,}\?{2}[a-zß-ÿ]{1,}\b(?![?=&/])"
    r"|(?<!\S)\?{3,}[,.!;:]?(?:\s+\?{1,}[,.!;:]?){2,}"
)
_SUSPICIOUS = re.compile(
    r"(?<![\w/.?=&(\[])[A-Za-zß-ÿ]+\?[a-zß-ÿ]+(?![\w?=&/(])|(?:^|(?<=\s))\?[A-Za-zß-ÿ]{2,}"
    r"|\b\d+\?\d+\b|\b\d+\?[CF]\b",
    re.MULTILINE,
)
_NEAR = re.compile(r"\?[^\W_]|\?\?")
"""What every stand-in by question marks holds; few texts do."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\S*(?://|www\.|[=&(){}\\])\S*", re.DOTALL)
"""Code and addresses, where a question mark has another meaning."""
_SEVERAL = 3


def replaced_at(text: str) -> tuple[int, int] | None:
    """Where the first stand-in stands, begin and end; nothing in whole text.

    A single question mark within a word may be a typing error; three of them are none.
    """
    if "\ufffd" not in text and not _NEAR.search(text):
        return None
    found = _CERTAIN.search(text)
    if found is None and text.count("?") < _SEVERAL:
        return None
    prose = text
    if "`" in text or "/" in text or "=" in text or "(" in text or "www." in text:
        prose = _CODE.sub(lambda code: " " * len(code.group()), text)
        prose = prose if "\ufffd" not in text else text
    found = _CERTAIN.search(prose)
    if found is not None:
        return found.span()
    suspicious = list(_SUSPICIOUS.finditer(prose))
    return suspicious[0].span() if len(suspicious) >= _SEVERAL else None
