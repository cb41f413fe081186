r"""Markup that was left in a text: HTML tags and entities, wiki markup, escapes, page furniture.

    "<p>Take it &amp; rest.</p>\\n[[Aspirin]] Click here to read more."

Code and formulas hold the same signs on purpose: what stands in a code block is not looked at,
and a text that is about markup or programming is left alone altogether.
"""

from __future__ import annotations

import re
from html.entities import html5

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`", re.DOTALL)
_TOPIC = re.compile(
    r"\b(?i:x?html5?|xml|css3?|xpath|jsx|tsx|svg|yaml|json|mathml|wikitext|markup|markdown"
    r"|javascript|typescript|php|perl|python|sql|regexp?|regular expressions?|matlab|golang"
    r"|programming|source code|code (?:snippet|block|sample|example)s?|(?:shell|bash) scripts?"
    r"|(?:web ?(?:page|site)s?) (?:design|develop\w*)|front-?end|hyperlinks?|stylesheets?"
    r"|(?:create|design|build|write|develop|code|make) (?:a|an|the|my|your)"
    r" (?:\w+ )?web ?(?:page|site)"
    r"|line breaks?|newlines?|backslash(?:es)?|escape (?:sequence|character|code)s?"
    r"|tags? (?:in|for|of) (?:a|the) (?:page|document))\b|\bLaTeX\b|\bC\+\+|\bC#|\bJava\b"
    r"|^[ \t]*(?:def \w+\(|class \w+[:({]|import \w+$|from \w[\w.]* import|#include\b|public \w+ "
    r"|(?:const|let|var) \w+ =|function \w*\(|#!/)"
    r"|\bprintf?\(|\bonclick=|\bconsole\.log|System\.out|\\begin\{|<!doctype|<!DOCTYPE|<\?(?:xml|php)",
    re.MULTILINE,
)
"""Texts about markup, programming and formulas; words that others use too are not among these."""

_LONG_TAGS = (
    "br|hr|div|span|table|tbody|thead|tr|td|th|ul|ol|li|h[1-6]|strong|em|img|font|center|iframe"
    "|blockquote|sup|sub|noscript|nobr|footer|nav|figure|figcaption|section|article|html|body|head"
)
_TAG = re.compile(
    rf"</?(?:{_LONG_TAGS})(?:\s+[a-z-]+\s*=\s*[^<>]{{0,300}}|\s*)/?>"
    r"|<(?:a|p|b|i|u|s|q|img|link|meta|script|style|input|form|button)\s+[a-z-]+\s*=[^<>]{1,300}>"
    r"|<(script|style|p|b|i|u|a|small|code|pre)>[^<>]{0,2000}</\1>"
    r"|</?p>|<!--.{0,2000}?-->|<!\[CDATA\[",
    re.IGNORECASE | re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_WIKI = re.compile(
    r"\[\[(?:[A-Za-z]+:)?[^\W\d][^\[\]{}\n\"'=]{0,80}(?:\|[^\[\]\n]{0,80})?\]\]"
    r"|\{\{\s*(?:cite|citation|infobox|main|see also|reflist|convert|lang|ipa|refn|sfn|efn|short"
    r" description|use \w+ dates|quote|flag|cn|fact|webarchive|birth date)\b[^{}]{0,400}\}\}"
    r"|'''[^'\n]{1,80}'''|^={2,5}[^=\n]{1,80}={2,5}[ \t]*$|^\{\|[ \t]*class|<ref(?:\s[^<>]*)?/?>"
    r"|\[(?:edit|citation needed)\]|\[https?://[^\s\]]+ [^\]\n]{1,80}\]",
    re.IGNORECASE | re.MULTILINE,
)
_FORUM = re.compile(
    r"\[(b|i|u|s|code|quote|spoiler|center|list)\][^\[\]]{1,2000}\[/\1\]"
    r"|\[(url|img|color|size|font|quote|email|youtube)(?:=[^\[\]\n]{1,200})?\][^\[\]]{0,2000}\[/\2\]",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"\bclick (?:here|the link (?:below|above)|below to)\b"
    r"|\bskip to (?:main )?(?:content|navigation)\b"
    r"|\b(?:this|our) (?:web)?site uses cookies|\bwe use cookies\b|\baccept (?:all )?cookies\b"
    r"|\bcookie (?:policy|settings|preferences|consent)\b|\benable javascript\b"
    r"|\ball rights reserved\b|©\s*(?:19|20)\d\d\b|\bcopyright\s+(?:©|\(c\))"
    r"|\b(?:sign up|subscribe) (?:for|to) our (?:free )?newsletter\b"
    r"|\bshare (?:this )?(?:on|via) (?:facebook|twitter|linkedin|whatsapp)\b|\btweet this\b"
    r"|\bread more\s*(?:»|>>|→|\.\.\.|…)|\b(?:back|return) to top\b|^\s*advertisement\s*$"
    r"|\bterms of (?:use|service) (?:and|\||&) privacy policy\b|\bprivacy policy \| terms\b",
    re.IGNORECASE | re.MULTILINE,
)
_ESCAPE = re.compile(
    r"(?<![\\\w:/\"'(\[.*+|^-])(?:\\r)?\\n(?![a-z({\[\"'\\*+?)|/])"
    r"|(?<=[\w.,;:!?)])(?:(?:\\r)?\\n){2,}|(?<=[.!?:;,)])\\n(?=[A-Z0-9•*\- ]|$)"
    r"|(?<=[.!?])\\t(?=[A-Z])|\\u(?:00[a-f][0-9a-f]|20[0-2][0-9a-f])(?![0-9a-f])"
)
_KINDS = (
    (_TAG, "tag", ("<",)),
    (_ENTITY, "entity", ("&",)),
    (
        _WIKI,
        "wiki markup",
        ("[[", "{{", "'''", "==", "{|", "<ref", "[edit]", "[citation", "[Citation", "[http"),
    ),
    (_FORUM, "forum markup", ("[/",)),
    (_ESCAPE, "escape", ("\\n", "\\r", "\\t", "\\u")),
)
"""What is looked for, its name, and what a text must hold for it."""
_PHRASES = (
    "click ",
    "cookie",
    "skip to ",
    "enable javascript",
    "rights reserved",
    "newsletter",
    "share ",
    "tweet this",
    "read more",
    "to top",
    "advertisement",
    "copyright",
    "privacy policy",
    "©",
)
"""Of each phrase of a page's furniture a part, in small letters."""


def markup_at(text: str, about: str = "") -> tuple[int, int, str] | None:
    """Where markup was left in a text: begin, end, and its kind in words.

    Args:
        text: what is looked at.
        about: the words around it (its question); where these or the text are about markup or
            programming, nothing is found.
    """
    kinds = [
        (pattern, kind) for pattern, kind, signs in _KINDS if any(sign in text for sign in signs)
    ]
    lowered = text.lower()
    if any(phrase in lowered for phrase in _PHRASES):
        kinds.append((_FURNITURE, "page furniture"))
    prose: str | None = None
    for pattern, kind in kinds:
        if not pattern.search(text):
            continue
        prose = _without_code(text) if prose is None else prose
        for found in pattern.finditer(prose):
            if pattern is _ENTITY and _character(found) == found.group():
                continue
            if _TOPIC.search(about) or _TOPIC.search(prose):
                return None
            return found.start(), found.end(), kind
    return None


def entities_decoded(text: str) -> str:
    """The text with its HTML entities as characters, but not in code or a text about it."""
    while "&" in text and _ENTITY.search(text):
        prose = _without_code(text)
        if prose != text or _TOPIC.search(prose):
            return text
        decoded = _ENTITY.sub(_character, text)
        if decoded == text:
            return text
        text = decoded
    return text


def _without_code(text: str) -> str:
    """Code overwritten by blanks, so that places stay."""
    if "`" not in text and "~~~" not in text:
        return text
    return _CODE.sub(lambda found: " " * len(found.group()), text)


def _character(found: re.Match[str]) -> str:
    """What an entity stands for; itself where it is none, or nothing that belongs in a text."""
    body = found.group()[1:-1]
    if body[0] != "#":
        return html5.get(body + ";", found.group())
    code = int(body[2:], 16) if body[1] in "xX" else int(body[1:])
    if code < 32 and code not in (9, 10, 13) or 127 <= code < 160 or 0xD800 <= code < 0xE000:
        return found.group()
    return chr(code) if code <= 0x10FFFF else found.group()
