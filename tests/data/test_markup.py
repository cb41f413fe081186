"""Markup that was left in a text, beside signs that are meant."""

from __future__ import annotations

import pytest

from tunesmith.data.markup import entities_decoded, markup_at


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<p>Take one a day.</p>", "tag"),
        ("Take one a day.<br/>Then rest.", "tag"),
        ('See <a href="https://example.org/x">the page</a>.', "tag"),
        ("It is <b>important</b> to rest.", "tag"),
        ('<div class="answer">Yes.</div>', "tag"),
        ("Salt &amp; pepper", "entity"),
        ("Fish&nbsp;and chips &#8217;", "entity"),
        ("It is treated with [[aspirin|a drug]].", "wiki markup"),
        ("'''Asthma''' is a disease of the lungs.", "wiki markup"),
        ("== Treatment ==\nRest.", "wiki markup"),
        ("He died in 1901.{{citation needed|date=May 2020}} {{cite web|url=x}}", "wiki markup"),
        ("See [https://example.org/a the page of the museum].", "wiki markup"),
        ("This is [b]very[/b] [i]rare[/i].", "forum markup"),
        ("See [url=https://example.net/q?x=1]this page[/url] for more.", "forum markup"),
        ("Click here to read the whole article.", "page furniture"),
        ("This website uses cookies to improve your experience. It is rare.", "page furniture"),
        ("Skip to main content Asthma is a disease.", "page furniture"),
        ("It is a disease. © 2019 Health Ltd. All rights reserved.", "page furniture"),
        ("First line.\\nSecond line.", "escape"),
        ("First line\\n\\nSecond line", "escape"),
        ("caf\\u00e9 is open", "escape"),
    ],
)
def test_markup_that_was_left(text: str, kind: str) -> None:
    found = markup_at(text)
    assert found is not None
    assert found[2] == kind


@pytest.mark.parametrize(
    "text",
    [
        "If x < 5 and y > 3, then x<y holds.",
        "a<b and b>c, so i<n>m",
        "Dear <name>, your order <number> is on its way.",
        "<think>It rains.</think> Take an umbrella.",
        "Write `<br>` for a line break.",
        "```html\n<p>Hello</p>\n```",
        "In HTML, <p> opens a paragraph and &amp; is an ampersand.",
        'def main():\n    print("a\\nb")',
        "matrix = [[1, 2], [3, 4]]",
        "See [the page](https://example.org) and [1], [b] and [/path].",
        "The gradient \\nabla f and the number \\nu and \\neq",
        "Hello {{customer_name}}, your order {{Order Number}} is ready.",
        "AT&T; R&D; fish & chips",
        "He clicked the pen and read more than ten books about cookies.",
        "The file is in C:\\new\\table.",
        "I copyright nothing; rights are reserved for kings.",
    ],
)
def test_signs_that_are_meant(text: str) -> None:
    assert markup_at(text) is None


def test_a_question_about_markup_explains_its_answer() -> None:
    assert markup_at("<p>Hello</p>") is not None
    assert markup_at("<p>Hello</p>", about="Write a paragraph in HTML.") is None


def test_entities_become_characters() -> None:
    assert entities_decoded("x &lt; 5 &amp;amp; y&nbsp;&#62; 3 &hellip;") == "x < 5 & y\xa0> 3 …"
    assert entities_decoded("AT&T; &nosuch; &#0; &#xD800;") == "AT&T; &nosuch; &#0; &#xD800;"
    assert entities_decoded("In HTML write &lt;br&gt;") == "In HTML write &lt;br&gt;"
    assert entities_decoded("`&lt;` is less") == "`&lt;` is less"
