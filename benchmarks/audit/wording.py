"""The same thing said otherwise: words exchanged, clauses moved, slips of the keyboard.

How strong a change is, is measured by what it leaves in common:

    shared = |A and B| / |A or B|    of the runs of three words of both texts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from benchmarks.audit.dice import LOWER, Dice

_SYNONYMS = """
ability capability|able capable|about concerning|accept agree_to|accident mishap|achieve reach
active busy|add include|additional extra|afraid scared|aid assist|allow permit|almost nearly
also too|although though|always constantly|amount quantity|angry furious|another a_further
answer reply|anxious worried|appear seem|area region|arrive get_here|ask inquire|assist help
attempt try|average mean|avoid evade|baby infant|bad poor|basic fundamental|beautiful lovely
because since|begin start|believe think|below under|beneficial helpful|big large|body frame
book reserve|brave bold|brief short|broken damaged|build construct|buy purchase|call phone
calm quiet|cancel call_off|car vehicle|careful cautious|carry bear|cause lead_to|causes leads_to
certain sure|change alter|changes alterations|characterized marked|cheap inexpensive|check verify
child kid|children kids|choose pick|city town|clean tidy|clear plain|close shut|collect gather
common frequent|commonly frequently|complete finish|condition state|confirm verify|contain hold
contains holds|continue go_on|correct right|cost price|create make|critical crucial
decide determine|decrease lower|decreased lowered|deep profound|delay postpone|describe depict
desire want|develop form|different distinct|difficult hard|discover find|disease illness
disorder ailment|display show|doctor physician|each every|early soon|easy simple|effect result
effects results|end finish|enjoy like|enough sufficient|ensure make_sure|entire whole
error mistake|evening night|examine inspect|example instance|expensive costly|explain clarify
famous well-known|fast quick|fat grease|favorite preferred|feel sense|few some|find locate
first initial|fix repair|food meals|form type|frequently often|friend pal|gather collect
get obtain|give provide|given provided|glad happy|goal aim|good fine|great excellent|group set
grow increase|happen occur|happens occurs|hard tough|healthcare medical_care|help assist
helpful useful|helps assists|high elevated|home house|huge enormous|idea notion|identify recognise
illness sickness|important significant|improve better|include comprise|includes comprises
including such_as|increase raise|increased raised|individuals people|information details
inherited passed_on|injury wound|inquire ask|instruct tell|intelligent clever
interesting intriguing|job work|journey trip|keep retain|kind sort|know understand|lack want
large big|later afterwards|learn find_out|leave depart|less fewer|level degree|like such_as
likely probable|limit restrict|little small|live reside|look gaze|lot great_deal|low reduced
main chief|mainly chiefly|make produce|makes produces|manage handle|many numerous|mild slight
mix blend|money cash|more further|most nearly_all|movie film|much a_great_deal|must has_to
named called|near close_to|need require|needs requires|never at_no_time|new fresh|nice pleasant
normal usual|now at_present|number figure|obtain get|occur happen|occurs happens|often frequently
old aged|only just|order sequence|part portion|parts portions|passed handed_down|pay spend
people persons|perhaps maybe|person individual|place spot|play perform|please kindly
possible feasible|prefer favour|prepare get_ready|present existing|prevent stop|price cost
problem difficulty|problems difficulties|produce make|purchase buy|quick rapid|quickly rapidly
quite rather|rare uncommon|reach arrive_at|ready prepared|reason cause|receive get
recommend suggest|reduce lessen|related linked|remain stay|remember recall|repair mend
reply respond|request ask_for|require need|research study|response reaction|restaurant eatery
result outcome|rich wealthy|risk danger|road street|sad unhappy|safe secure|same identical
say state|schedule arrange|search look|see notice|seem appear|select choose|sell trade
serious grave|several a_number_of|severe serious|shop store|show reveal|sick ill|signs indications
similar alike|simple plain|small little|smart bright|some certain|sometimes at_times|start begin
stop halt|story tale|strange odd|strong powerful|study examine|suggest propose|support back
sure certain|surgery an_operation|symptoms signs|take have|talk speak|teach instruct|tell inform
test examination|tests examinations|then after_that|therefore so|thing item|think believe
time occasion|tired weary|total overall|travel journey|treat care_for|treatment therapy
treatments therapies|true correct|try attempt|type kind|types kinds|understand grasp|unusual odd
use employ|used employed|useful handy|uses employs|usually generally|variety range|various diverse
very extremely|visit stop_by|want wish|watch view|way manner|weak feeble|whole entire
women females|work labour|worried concerned|write compose|wrong incorrect|young youthful
"""
_FILLERS = (
    "Please note that this may vary from case to case.",
    "It is worth keeping this in mind.",
    "As far as anybody can tell, this still holds today.",
    "Ask somebody who knows if anything is unclear.",
    "That said, there are exceptions to it.",
    "More can be found in the usual places.",
    "This is only a summary of a longer text.",
    "In other words, take your time.",
)
STRENGTHS: tuple[str, ...] = (
    "typos, one word in 50", "typos, one word in 12", "synonyms, one word in 12",
    "synonyms, one word in 5", "synonyms, wherever possible", "clauses moved",
    "a sentence inserted", "cut to four fifths", "cut to half", "synonyms, typos and a move",
)  # fmt: skip
_KEYS = {"a": "sq", "e": "wr", "i": "uo", "o": "ip", "t": "ry", "n": "bm", "s": "ad", "r": "et"}


@cache
def synonyms() -> Mapping[str, str]:
    """Each word and another one for it."""
    pairs = (pair.split() for line in _SYNONYMS.split("\n") for pair in line.split("|") if pair)
    return {word: other.replace("_", " ") for word, other in pairs}


def restate(text: str, strength: str, dice: Dice) -> str:
    """The text changed in one of STRENGTHS."""
    return _CHANGES[strength](text, dice)


def shared(one: str, other: str) -> float:
    """How much two texts have in common: Jaccard over runs of three words."""
    a, b = _runs(one), _runs(other)
    return len(a & b) / max(1, len(a | b))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))}


def exchange(text: str, share: float, dice: Dice) -> str:
    """Words of the table exchanged, until that share of all words is another."""
    words = text.split(" ")
    table = synonyms()
    known = [at for at, word in enumerate(words) if word.lower().strip(".,;:?!") in table]
    dice.random.shuffle(known)
    for at in known[: max(1, round(share * len(words)))]:
        bare = words[at].strip(".,;:?!")
        other = table[bare.lower()]
        other = other[0].upper() + other[1:] if bare[:1].isupper() else other
        words[at] = words[at].replace(bare, other)
    return " ".join(words)


def slip(text: str, share: float, dice: Dice) -> str:
    """Letters swapped, dropped, doubled or hit beside, in that share of the words."""
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    dice.random.shuffle(long)
    for at in long[: max(1, round(share * len(words)))]:
        words[at] = _slipped(words[at], dice)
    return " ".join(words)


def _slipped(word: str, dice: Dice) -> str:
    at = dice.number(1, len(word) - 2)
    kind = dice.number(0, 3)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    beside = dice.random.choice(_KEYS.get(word[at], LOWER))
    return word[:at] + beside + word[at + 1 :]


def _cut(text: str, share: float, _: Dice) -> str:
    words = text.split(" ")
    return " ".join(words[: max(4, round(share * len(words)))])


def _move(text: str, dice: Dice) -> str:
    """Sentences in another order, and of one sentence its two halves."""
    sentences = [one for one in re.split(r"(?<=[.?!])\s+", text) if one]
    if len(sentences) > 2:
        at = dice.number(0, len(sentences) - 2)
        sentences[at], sentences[at + 1] = sentences[at + 1], sentences[at]
    for at, sentence in enumerate(sentences):
        head, comma, tail = sentence.rstrip(".?!").partition(", ")
        if comma and len(tail.split()) > 3:
            sentences[at] = f"{tail[0].upper()}{tail[1:]}, {head[0].lower()}{head[1:]}."
            break
    return " ".join(sentences)


def _insert(text: str, dice: Dice) -> str:
    sentences = re.split(r"(?<=[.?!])\s+", text)
    sentences.insert(dice.number(0, len(sentences)), dice.of(_FILLERS))
    return " ".join(sentences)


def _all_of_it(text: str, dice: Dice) -> str:
    return slip(_move(exchange(text, 0.08, dice), dice), 0.02, dice)


_CHANGES: dict[str, Callable[[str, Dice], str]] = {
    "typos, one word in 50": lambda text, dice: slip(text, 0.02, dice),
    "typos, one word in 12": lambda text, dice: slip(text, 1 / 12, dice),
    "synonyms, one word in 12": lambda text, dice: exchange(text, 1 / 12, dice),
    "synonyms, one word in 5": lambda text, dice: exchange(text, 0.2, dice),
    "synonyms, wherever possible": lambda text, dice: exchange(text, 1.0, dice),
    "clauses moved": _move,
    "a sentence inserted": _insert,
    "cut to four fifths": lambda text, dice: _cut(text, 0.8, dice),
    "cut to half": lambda text, dice: _cut(text, 0.5, dice),
    "synonyms, typos and a move": _all_of_it,
}
