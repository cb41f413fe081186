"""Sound text in many scripts, and text as it looks after it was read in the wrong encoding."""

from __future__ import annotations

from collections.abc import Callable

SOUND = (
    "don’t — café “quoted” naïve €5 5 °C ½ cup",
    "Škoda: žluťoučký kůň příliš úpěl ďábelské ódy",
    "Łódź, zażółć gęślą jaźń",
    "İstanbul’da güneşli bir gün, ağaç ve ışık",
    "Tiếng Việt rất đẹp, không phải nghệ thuật",
    "Füße, größer, MÜNCHEN, KÖLN, Straße",
    "Ça va ? À bientôt, Ô Été, cœur, Œdipe",
    "Привет, мир! Как дела",
    "Καλημέρα κόσμε, ή όχι",
    "你好，世界。今天天气很好",
    "こんにちは世界",
    "안녕하세요 세계",
    "مرحبا بالعالم",
    "שלום עולם",
    "नमस्ते दुनिया",
    "สวัสดีชาวโลก",
    "smile 😀 👨\u200d👩\u200d👧 ❤\ufe0f ok",
    "x ≤ 5 → y ∑ α, TNF-α and 3 μg",
    "ﬁnd the ligature • bullet ● end…",
    "șase țări în română",
    "azərbaycan dili",
)
"""Text whose misreadings can be told."""

EASILY_MISTAKEN = (
    "«\xa0été\xa0» et «\xa0à\xa0»",
    "le café\xa0», dit-il",
    "CAFÉ\xa0»",
    "„Fuß“ und „MENÜ“",
    "CAFÉ™ MENÜ®",
    "MAÇÃ” NÃO… MAÇÃ…",
    "está»… “está”",
    "Å\xa0bli eller Å…",
    "2×½ und 3×³",
    "voilà…”",
    "ROMÂ» Â…",
    "„Ü“ Ö–Ä—Ü É…",
    "25\xa0°C à\xa0»",
    "Ä, Ö, Ü – ä, ö, ü – ß",
)
"""Sound text that decodes in part as if it were misread."""


def as_windows(text: str) -> str:
    """UTF-8 read as Windows-1252, its five undefined bytes as Latin-1 has them."""
    return "".join(
        bytes([byte]).decode("cp1252", errors="replace").replace("\ufffd", chr(byte))
        for byte in text.encode()
    )


def as_latin(text: str) -> str:
    """UTF-8 read as Latin-1."""
    return text.encode().decode("latin-1")


WAYS: tuple[Callable[[str], str], ...] = (as_windows, as_latin)
