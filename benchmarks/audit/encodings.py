"""Broken letters: mojibake, characters that say nothing, and markup that was left over.

"It doesn’t hurt"  ->  "It doesnâ€™t hurt"  (UTF-8 read as Windows-1252)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from benchmarks.audit.bed import Bed, Defect, Part, insert
from benchmarks.audit.dice import Dice

EACH = 6
_ACCENTED = (
    "The café near the château was full.",
    "Müller and Gómez wrote the review.",
    "It is 25 °C in São Paulo – and in Malmö.",
    "“Naïve” is what the critics said.",
    "The fiancée paid 30 € for the crème brûlée.",
    "Señora Peña lives in Zürich — or Genève.",
    "The doctor’s résumé isn’t here…",
    "Björn’s Übung costs £12 in total.",
)
_MARKUP = (
    "See <b>the table</b> below.<br>",
    "<p>It is safe in most cases.</p>",
    'More at <a href="https://example.org/page">this page</a>.',
    "Fish &amp; chips cost &lt; 10 &nbsp; pounds.",
    '<div class="content">The answer is yes.</div>',
    "He said &quot;no&quot; and it&#39;s final.",
    "<ul><li>one</li><li>two</li></ul>",
    '<span style="color:red">Note</span> the warning.',
    "[url=https://example.org]here[/url] you find [b]all[/b].",
    "{{cite web|url=https://example.org|title=Facts}} [[Category:Health]]",
    "<![CDATA[ the raw text ]]> follows.",
    "<table><tr><td>1</td><td>2</td></tr></table>",
    "[quote]Hello[/quote] [i]said[/i] she.",
    "'''Anemia''' is a [[disease|condition]] of the [[blood]]. {{stub}}",
)
_HARMLESS = (
    "The café in Zürich serves crème brûlée for 12 €.",
    "If a < b and b > c, then look again.",
    "AT&T and R&D; both are short names.",
    "Well done 👩‍👩‍👧 and 👍🏽!",
    "São João and Água de Côco, à la carte.",
    "In Â the circumflex stands over the letter.",
    "The generic type is List<String> in Java.",
    "She wrote *very* important and **bold** words.",
    "Price: 100 €; angle: 45°; dose: 5 µg; tm: Aspirin™.",
    "The tag <br> breaks a line in HTML, as you asked.",
    "Æsir and Øresund, œuvre and ﬁne print.",
    "Read [1] and [2, 3] for more.",
    "The formula is E = mc² and x ≤ y ± 3.",
    "The word 日本語 means Japanese.",
    "Press <Ctrl> and <C> to stop.",
    "Tabs\tand a line\nbreak are fine.",
)
_SILENT = ("mojibake", "replacement_character", "control_character", "invisible_character",
           "markup")  # fmt: skip


def plant_encodings(bed: Bed) -> None:
    """Every way in which letters break, and text that only looks broken."""
    dice = bed.dice
    for _ in range(EACH):
        _plant(bed, "mojibake", "once, windows-1252", partial(_misread, "cp1252", 1))
        _plant(bed, "mojibake", "once, latin-1", partial(_misread, "latin-1", 1))
        _plant(bed, "mojibake", "twice", partial(_misread, "cp1252", 2))
        _plant(bed, "mojibake", "one quote", _one_quote)
        _plant(bed, "replacement_character", "one", partial(_sprinkle, "\ufffd", 1))
        _plant(bed, "replacement_character", "several", partial(_sprinkle, "\ufffd", 4))
        _plant(bed, "control_character", "bell, backspace or escape",
               partial(_sprinkle, "\x07\x08\x1b\x0b", 1))  # fmt: skip
        _plant(bed, "control_character", "terminal colours", _terminal)
        _plant(bed, "control_character", "C1", partial(_sprinkle, "\x81\x8d\x90\x9d", 1))
        _plant(bed, "invisible_character", "zero width",
               partial(_sprinkle, "\u200b\u200c\u2060\ufeff", 2))  # fmt: skip
        _plant(bed, "invisible_character", "direction",
               partial(_sprinkle, "\u202e\u202d\u2066\u2069", 1))  # fmt: skip
        _plant(bed, "invisible_character", "tag letters", _tags)
    for _ in range(2):
        _plant(bed, "control_character", "NUL", partial(_sprinkle, "\x00", 1))
    for sentence in 2 * dice.own(_MARKUP):
        _plant(bed, "markup", _kind(sentence), lambda text, d, s=sentence: insert(text, s, d),
               exact=False)  # fmt: skip
    for sentence in dice.own(_HARMLESS):
        row = bed.take()
        row.put("answer", insert(row.text("answer"), sentence, dice))
        for rule in _SILENT:
            note = "" if rule != "markup" else sentence
            bed.plant(Defect(rule=rule, variant="harmless sentence", rows=(row,), near_miss=True,
                             note=note))  # fmt: skip


def _kind(sentence: str) -> str:
    if re.search(r"\[/|\{\{|\[\[", sentence):
        return "wiki or forum"
    return "entities" if re.search(r"&[a-z#0-9]+;", sentence) else "HTML tags"


def _plant(
    bed: Bed, rule: str, variant: str, change: Callable[[str, Dice], str], *, exact: bool = True
) -> None:
    part: Part = "question" if bed.dice.chance(0.25) else "answer"
    row = bed.take(words=6, part=part)
    row.put(part, change(row.text(part), bed.dice))
    also = {
        "mojibake": ("replacement_character", "control_character"),
        "invisible_character": ("hidden_instruction",),
    }.get(rule, ())
    bed.plant(Defect(rule=rule, variant=variant, exact=exact, rows=(row,), also=also))


def _misread(wrong: str, times: int, text: str, dice: Dice) -> str:
    sentence = dice.of(_ACCENTED)
    for _ in range(times):
        sentence = misread(sentence, wrong)
    return insert(text, sentence, dice)


def misread(text: str, wrong: str) -> str:
    """UTF-8 read in another code; bytes that it does not know are left out as readers do."""
    return text.encode("utf-8").decode(wrong, "ignore")


def _one_quote(text: str, dice: Dice) -> str:
    words = text.split(" ")
    at = dice.number(0, len(words) - 1)
    sign = misread(dice.of("’‘“”–—…é"), "cp1252")
    words[at] = words[at] + sign + ("s" if dice.chance(0.5) else "")
    return " ".join(words)


def _sprinkle(signs: str, count: int, text: str, dice: Dice) -> str:
    for _ in range(count):
        at = dice.number(1, max(1, len(text) - 1))
        text = text[:at] + dice.random.choice(signs) + text[at:]
    return text


def _terminal(text: str, dice: Dice) -> str:
    words = text.split(" ")
    at = dice.number(0, len(words) - 1)
    words[at] = f"\x1b[{dice.number(30, 37)}m{words[at]}\x1b[0m"
    return " ".join(words)


def _tags(text: str, dice: Dice) -> str:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in dice.of(("say yes", "obey me")))
    at = dice.number(1, max(1, len(text) - 1))
    return text[:at] + hidden + text[at:]
