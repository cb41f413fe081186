"""Licences as people write them, and what they ask."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.licence_names import NAMES
from tunesmith.data.licence_terms import Terms, conflict, references, terms_of
from tunesmith.data.licences import licence_of


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("MIT License", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("CC-BY-SA 4.0 International", "CC-BY-SA-4.0"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("Creative Commons Attribution-ShareAlike 3.0 Unported License", "CC-BY-SA-3.0"),
        ("Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)", "CC-BY-NC-4.0"),
        ("Creative Commons Attribution-NonCommercial-NoDerivatives 4.0", "CC-BY-NC-ND-4.0"),
        ("CC BY", "LicenseRef-CC-BY"),
        ("CC0", "CC0-1.0"),
        ("public domain", "LicenseRef-public-domain"),
        ("GPLv3", "GPL-3.0-only"),
        ("GNU General Public License v3.0", "GPL-3.0-only"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("odbl", "ODbL-1.0"),
        ("Open Database License (ODbL) 1.0", "ODbL-1.0"),
        ("ODC-BY", "ODC-By-1.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/licenses/by-nc/3.0/deed.de", "CC-BY-NC-3.0"),
        ("https://creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0"),
        ("creativecommons.org/licenses/by/3.0/us/", "CC-BY-3.0-US"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://spdx.org/licenses/CDLA-Permissive-2.0.html", "CDLA-Permissive-2.0"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("https://opensource.org/license/apache-2-0", None),
        ("https://choosealicense.com/licenses/bsd-3-clause/", "BSD-3-Clause"),
        ("https://choosealicense.com/licenses/odc-by/", "ODC-By-1.0"),
        ("https://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("https://www.gnu.org/licenses/gpl-3.0.html", "GPL-3.0-only"),
        ("https://opendatacommons.org/licenses/odbl/1-0/", "ODbL-1.0"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("MIT, CC BY 4.0", "MIT AND CC-BY-4.0"),
        ("CC BY-SA 4.0 (see README)", "CC-BY-SA-4.0"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("CC-BY-4.0 (research only)", "LicenseRef-research-only AND CC-BY-4.0"),
        ("Creative Commons Attribution (CC BY 4.0)", "CC-BY-4.0"),
        ("MIT (code), CC BY 4.0 (data)", "MIT AND CC-BY-4.0"),
        ("GNU AGPLv3", "AGPL-3.0-only"),
        ("llama3.1", "LicenseRef-llama"),
        ("bigscience-openrail-m", "LicenseRef-OpenRAIL"),
        ("for research purposes only", "LicenseRef-research-only"),
        ("own", "LicenseRef-own"),
        ("LicenseRef-acme-7", "LicenseRef-acme-7"),
    ],
)
def test_a_licence_is_read(text: str, expression: str | None) -> None:
    assert (licence_of(text).expression or None) == expression


@pytest.mark.parametrize(
    "text",
    [
        "see the readme",
        "Some rights may apply (ask us)",
        "MIT AND",
        "( ",
        "MIT, and what you find in the folder",
        "https://example.org/terms",
        "ours and (CC BY 4.0)",
        "code is MIT, data is CC BY-NC 4.0",
        "creative commons",
        "LicenseRef-acme AND foo",
        "MIT WITH MIT",
        "mitigated",
        "cc-by-4.0 " * 100,
        "Copyright 2020. " * 400,
    ],
)
def test_what_is_no_licence_is_kept_as_text(text: str) -> None:
    licence = licence_of(text)
    assert licence.expression == ""
    assert licence.terms is None
    assert licence.text
    assert len(licence.text) <= 300


@pytest.mark.parametrize("text", ["", "  ", "other", "unknown", "Unknown", "none", "cc"])
def test_words_that_say_nothing_are_no_licence(text: str) -> None:
    assert licence_of(text).text == ""
    assert licence_of(text).shown == "unknown"


def test_every_name_and_reference_has_terms() -> None:
    for name, identifier in NAMES.items():
        found = licence_of(name)
        assert found.terms is not None, (name, identifier)
        assert found.expression == identifier, name
    for reference in references():
        assert licence_of(reference).terms == terms_of(reference), reference


PIECES = st.sampled_from(
    ["MIT", "CC BY 4.0", "GPLv3", "and", "AND", "OR", "WITH", "(", ")", ",", "/", "LicenseRef-x"]
    + ["license", "public domain", "Classpath-exception-2.0", "\0", "é", "v2"]
)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(PIECES, max_size=12).map(" ".join))
def test_any_text_is_a_licence_or_is_kept(text: str) -> None:
    found = licence_of(text)
    if found.expression:
        again = licence_of(found.expression)
        assert (again.expression, again.terms) == (found.expression, found.terms)
    else:
        assert found.terms is None


@pytest.mark.parametrize("text", ["()", "0 AND(AND 0", "(MIT", "MIT)", "(" * 290, "MIT MIT"])
def test_brackets_in_disorder_are_no_expression(text: str) -> None:
    assert licence_of(text).expression == ""


def terms(text: str) -> Terms:
    found = licence_of(text).terms
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "commercial", "share_alike", "derivatives", "attribution"),
    [
        ("CC0-1.0", True, False, True, False),
        ("LicenseRef-own", True, False, True, False),
        ("MIT", True, False, True, True),
        ("CC-BY-3.0-IGO", True, False, True, True),
        ("CC-BY-SA-4.0", True, True, True, True),
        ("CC-BY-NC-4.0", False, False, True, True),
        ("CC-BY-NC-SA-3.0", False, True, True, True),
        ("CC-BY-ND-4.0", True, False, False, True),
        ("CC-BY-NC-ND-3.0-IGO", False, False, False, True),
        ("GFDL-1.3-or-later", True, True, True, True),
        ("MIT AND CC-BY-NC-4.0", False, False, True, True),
        ("MIT OR CC-BY-NC-4.0", True, False, True, True),
        ("LicenseRef-acme OR MIT", True, False, True, True),
    ],
)
def test_terms(
    text: str, commercial: bool, share_alike: bool, derivatives: bool, attribution: bool
) -> None:
    found = terms(text)
    assert (found.commercial, found.share_alike) == (commercial, share_alike)
    assert (found.derivatives, found.attribution) == (derivatives, attribution)


@pytest.mark.parametrize("text", ["LicenseRef-acme", "MIT AND LicenseRef-acme", "Sleepycat"])
def test_a_licence_that_is_not_in_the_table_has_no_terms(text: str) -> None:
    found = licence_of(text)
    assert found.expression == text
    assert found.terms is None


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("MIT", "CC-BY-NC-4.0", True),
        ("CC-BY-SA-4.0", "MIT", True),
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0", False),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", False),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", True),
        ("CC-BY-SA-4.0", "GPL-3.0-only", True),
        ("CC-BY-SA-4.0", "GPL-2.0-only", False),
        ("CC-BY-SA-4.0", "ODbL-1.0", False),
        ("GPL-2.0-only", "GPL-3.0-only", False),
        ("GPL-2.0-or-later", "GPL-3.0-only", True),
        ("GPL-3.0-or-later", "AGPL-3.0-only", True),
        ("MPL-2.0", "GPL-3.0-only", True),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", True),
        ("CC-BY-NC-SA-4.0", "LicenseRef-research-only", False),
        ("CC-BY-SA-4.0", "LicenseRef-model-output", False),
        ("CC-BY-NC-4.0", "LicenseRef-model-output", True),
    ],
)
def test_what_can_be_passed_on_together(one: str, other: str, agree: bool) -> None:
    assert (conflict(terms(one), terms(other)) == "") == agree
    assert (conflict(terms(other), terms(one)) == "") == agree
