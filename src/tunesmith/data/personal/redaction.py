"""Rows without what is personal or secret: typed placeholders, the same value the same number.

    "jane@mail.org wrote to Jane@Mail.org"  ->  "[EMAIL_1] wrote to [EMAIL_1]"

A redactor serves a whole data set: it remembers a digest of 16 bytes for every value, never the
value, so that what it keeps gives nothing away and stays small.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable

from tunesmith.data.personal.find import find_personal
from tunesmith.data.personal.phones import normalised_phone
from tunesmith.data.personal.secrets import find_secrets
from tunesmith.data.personal.spans import PERSONAL, SECRETS, Span, settled

_EXACT = frozenset(SECRETS)
_COMPACT = frozenset({"card", "iban", "national_id", "medical_record", "birth_date"})
_NOT_SIGNS = re.compile(r"[\W_]+")
_DIGEST_BYTES = 16
_MOST_ROUNDS = 32
_PLACEHOLDER = re.compile(
    rf"\[(?:{'|'.join(kind.upper() for kind in (*SECRETS, *PERSONAL))})_[0-9]+\]"
)


class Redactor:
    """Replaces finds by placeholders that agree over all the texts it is given.

    Args:
        kinds: Rules to replace; all of `PERSONAL` and `SECRETS` unless given.
    """

    def __init__(self, kinds: Collection[str] = (*SECRETS, *PERSONAL)) -> None:
        self._kinds = frozenset(kinds)
        self._numbers: dict[bytes, int] = {}
        self._distinct: Counter[str] = Counter()
        self._replaced: Counter[str] = Counter()

    @property
    def replaced(self) -> dict[str, int]:
        """Finds replaced so far, by rule."""
        return dict(sorted(self._replaced.items()))

    @property
    def distinct(self) -> dict[str, int]:
        """Different values replaced so far, by rule: the highest number of a placeholder."""
        return dict(sorted(self._distinct.items()))

    def redact(self, text: str) -> str:
        """The text with a placeholder for every find; a text without finds as it is.

        A number that stood beside a value may be found only when that value is gone, so the text
        is read again until nothing is found: to redact it once more changes nothing.
        """
        for _ in range(_MOST_ROUNDS):
            shown = _PLACEHOLDER.sub(_blank, text) if "_" in text else text
            spans = settled((*find_secrets(shown), *find_personal(shown)))
            wanted = [span for span in spans if span.kind in self._kinds]
            if not wanted:
                break
            text = self._replace(text, wanted)
        return text

    def _replace(self, text: str, spans: Iterable[Span]) -> str:
        pieces = []
        reached = 0
        for span in spans:
            pieces += [text[reached : span.start], self._placeholder(text, span)]
            reached = span.end
        return "".join([*pieces, text[reached:]])

    def _placeholder(self, text: str, span: Span) -> str:
        value = normalised(span.kind, text[span.start : span.end])
        named = f"{span.kind}\n{value}".encode(errors="surrogatepass")
        digest = hashlib.sha256(named).digest()[:_DIGEST_BYTES]
        number = self._numbers.get(digest)
        if number is None:
            self._distinct[span.kind] += 1
            number = self._numbers[digest] = self._distinct[span.kind]
        self._replaced[span.kind] += 1
        return f"[{span.kind.upper()}_{number}]"


def _blank(placeholder: re.Match[str]) -> str:
    """As long as the placeholder, without its word: `[PHONE_1]` must not announce a telephone."""
    return f"[{'_' * (len(placeholder.group()) - 2)}]"


def normalised(kind: str, value: str) -> str:
    """What two ways of writing the same value share: case, spaces, separators, a phone's zero."""
    if kind in _EXACT:
        return value
    if kind == "phone":
        return normalised_phone(value)
    folded = unicodedata.normalize("NFKC", value).casefold()
    if kind in _COMPACT:
        return _NOT_SIGNS.sub("", folded)
    if kind in {"person_name", "street_address"}:
        return _NOT_SIGNS.sub(" ", folded).strip()
    return folded
