"""Where data comes from: each fact from the first document that has it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.data.shops import qa
from tunesmith.data.origin import Origin, hub_root, licence_beside, origin_of
from tunesmith.data.provenance import preparation_digest, stamp, stamped
from tunesmith.data.read import files_of
from tunesmith.errors import DataError
from tunesmith.recipe import Data, Source

CROISSANT = {
    "@context": {"@vocab": "https://schema.org/"},
    "@type": "sc:Dataset",
    "name": "Shops",
    "license": ["https://creativecommons.org/licenses/by-sa/4.0/"],
    "url": "https://example.org/shops",
    "version": "2.1.0",
    "datePublished": "2025-03-01",
    "creator": [{"@type": "Person", "name": "Ada"}, {"@type": "Person", "name": "Bo"}],
    "citeAs": "Ada and Bo, 2025",
}
CARD = "---\nlicense: mit\npretty_name: Shops of the hub\n---\n# Shops\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "shops"
    folder.mkdir()
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in qa(3)))
    return path


def beside(file: Path, name: str, body: Any) -> Path:
    path = file.parent / name
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return path


def origin(file: Path, **given: Any) -> Origin:
    source = Source(path=str(file), **given)
    return origin_of(source, files_of(source.path))


def test_nothing_is_known_of_a_plain_file(file: Path) -> None:
    found = origin(file)
    assert found.licence.text == ""
    assert found.facts == {}
    assert found == Origin()
    told = found.as_json()
    assert told["licence"] == ""
    assert told["consent"] == ""
    assert told["told_by"] == {}


def test_the_recipe_goes_before_the_side_file_and_that_before_the_rest(file: Path) -> None:
    beside(file, "README.md", CARD)
    assert origin(file).licence.expression == "MIT"
    beside(file, "croissant.json", CROISSANT)
    assert origin(file).licence.expression == "CC-BY-SA-4.0"
    beside(file, "provenance.json", {"license": "CC0", "author": "Cy", "consent": "asked"})
    assert origin(file).licence.expression == "CC0-1.0"
    beside(file, "rows.provenance.json", {"licence": "CC BY 4.0"})
    found = origin(file, origin="own words", consent="signed")
    assert found.licence.expression == "CC-BY-4.0"
    assert found.facts["author"] == "Cy"
    assert found.facts["name"] == "Shops"
    assert found.facts["consent"] == "signed"
    assert found.facts["origin"] == "own words"
    assert found.facts["date"] == "2025-03-01"
    assert found.told_by["licence"] == "rows.provenance.json"
    assert found.told_by["author"] == "provenance.json"
    assert found.told_by["name"] == "croissant.json"
    assert found.told_by["consent"] == "recipe"
    assert ("croissant.json", "CC-BY-SA-4.0") in found.contradicted
    assert origin(file, licence="Apache 2.0").licence.expression == "Apache-2.0"


def test_croissant_under_other_names_and_shapes(file: Path) -> None:
    beside(file, "metadata.json", {"rows": 3})
    assert origin(file).facts == {}
    full = {
        "@type": ["https://schema.org/Dataset"],
        "sc:name": {"@value": "Shops", "@language": "en"},
        "https://schema.org/license": {"@id": "https://spdx.org/licenses/MIT.html"},
        "schema:creator": {"name": ["?"], "url": "https://example.org"},
        "cr:citeAs": ["first", "second"],
    }
    beside(file, "metadata.json", full)
    found = origin(file)
    assert found.licence.expression == "MIT"
    assert found.facts["name"] == "Shops"
    assert found.facts["citation"] == "first"


def test_two_licences_of_a_description_both_hold(file: Path) -> None:
    beside(file, "croissant.json", {**CROISSANT, "license": ["MIT", "CC BY 4.0"]})
    assert origin(file).licence.expression == "MIT AND CC-BY-4.0"


@pytest.mark.parametrize(
    ("front", "expression"),
    [
        ("license: cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("license:\n- mit\n- apache-2.0", "MIT AND Apache-2.0"),
        ("license: other\nlicense_name: llama3.1", "LicenseRef-llama"),
        ("license: unknown\nlicense_link: https://opensource.org/licenses/MIT", "MIT"),
        ("license: other", ""),
        ("title: x", ""),
        ("- a list", ""),
    ],
)
def test_the_front_matter_of_a_card(file: Path, front: str, expression: str) -> None:
    beside(file, "README.md", f"---\n{front}\n---\ntext")
    assert origin(file).licence.expression == expression
    assert licence_beside(file.parent).expression == expression


@pytest.mark.parametrize("body", ["---\nlicense: [mit\n---\n", "---\n!!python/name:os 1\n---\n"])
def test_a_card_that_cannot_be_read_is_a_remark(file: Path, body: str) -> None:
    beside(file, "README.md", body)
    (remark,) = origin(file).remarks
    assert remark.startswith("README.md its front matter cannot be read")


def test_a_description_that_cannot_be_read_is_a_remark(file: Path) -> None:
    beside(file, "croissant.json", "{")
    (remark,) = origin(file).remarks
    assert remark.startswith("croissant.json cannot be read")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{", "cannot be read"),
        ([], "holds a list"),
        ({"licnse": "MIT"}, "no key licnse"),
        ({"licence": 4}, "licence is a number"),
    ],
)
def test_a_side_file_must_be_right(file: Path, body: Any, what: str) -> None:
    path = beside(file, "provenance.json", body)
    with pytest.raises(DataError, match=what) as caught:
        origin(file)
    assert caught.value.place is not None
    assert caught.value.place.file == path
    assert "licence" in caught.value.hint


def test_a_side_file_in_another_encoding_is_named(file: Path) -> None:
    file.with_name("provenance.json").write_bytes(b'{"author": "Zo\xeb"}')
    with pytest.raises(DataError, match="cannot be read"):
        origin(file)


def test_a_card_of_aliases_does_not_unfold(file: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    beside(file, "README.md", "\n".join(["---", *lines, "license: *a11", "---"]))
    assert origin(file).licence.text == ""


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ("https://example.org/a", {"url": "https://example.org/a"}),
        ("owner/name@v1.2", {"hub": "owner/name", "revision": "v1.2"}),
        ("https://huggingface.co/datasets/a/b/tree/main", {"hub": "a/b"}),
        ("bought from a broker", {}),
    ],
)
def test_an_origin_is_an_address_an_id_or_words(
    file: Path, given: str, facts: dict[str, str]
) -> None:
    found = origin(file, origin=given)
    assert found.facts["origin"] == given
    assert {key: found.facts.get(key) for key in facts} == facts
    assert len(found.facts) == 1 + len({**facts, **({"url": ""} if "//" in given else {})})


def test_a_folder_says_what_all_its_files_say(file: Path) -> None:
    other = file.with_name("more.jsonl")
    other.write_text(json.dumps(qa(1, start=9)[0]) + "\n")
    beside(file, "provenance.json", {"licence": "MIT", "author": "Cy"})
    assert origin(file.parent).licence.expression == "MIT"
    beside(file, "more.jsonl.provenance.json", {"licence": "CC-BY-4.0", "author": "Di"})
    found = origin(file.parent)
    assert found.licence.expression == "CC-BY-4.0 AND MIT"
    assert "author" not in found.facts
    beside(file, "more.jsonl.provenance.json", {"licence": "as we like it"})
    assert origin(file.parent).licence.expression == ""
    assert origin(file.parent).licence.terms is None


def test_what_was_made_of_other_files_is_kept(file: Path) -> None:
    digest = sha256(file.read_bytes()).hexdigest()
    made = {
        "by": "tunesmith clean",
        "file": "rows.jsonl",
        "sha256": digest,
        "from": [{"file": "raw.jsonl", "sha256": "5" * 64}],
    }
    beside(file, "rows.jsonl.provenance.json", {"licence": "MIT", "made": made})
    found = origin(file)
    assert found.made == made
    assert found.as_json()["made"] == made
    assert found.digests == {"rows.jsonl": digest}
    beside(file, "rows.jsonl.provenance.json", {"licence": "MIT", "made": "by hand"})
    with pytest.raises(DataError, match="no key made"):
        origin(file)


def test_descriptions_are_no_rows(file: Path) -> None:
    beside(file, "rows.jsonl.changes.jsonl", {"line": 1})
    for name in ("provenance.json", "rows.provenance.json"):
        beside(file, name, {"licence": "MIT"})
    for name in ("croissant.json", "rows.croissant.json", "metadata.json"):
        beside(file, name, CROISSANT)
    assert files_of(str(file.parent)) == (file,)
    beside(file, "metadata.json", qa(2))
    beside(file, "our_provenance.json", qa(2))
    assert [path.name for path in files_of(str(file.parent))] == [
        "metadata.json",
        "our_provenance.json",
        "rows.jsonl",
    ]


def test_the_hubs_cache_tells_id_and_revision(tmp_path: Path) -> None:
    commit = "a" * 40
    root = tmp_path / "datasets--owner--my-data" / "snapshots" / commit
    blob = tmp_path / "datasets--owner--my-data" / "blobs" / "1234"
    (root / "data").mkdir(parents=True)
    blob.parent.mkdir()
    blob.write_text(json.dumps(qa(1)[0]) + "\n")
    (root / "data" / "train.jsonl").symlink_to(blob)
    (root / "README.md").write_text(CARD)
    found = origin(root / "data" / "train.jsonl")
    assert (found.facts["hub"], found.facts["revision"]) == ("owner/my-data", commit)
    assert found.licence.expression == "MIT"
    assert found.told_by["hub"] == "the hub's cache"
    assert hub_root(tmp_path) is None


def test_a_download_from_the_hub_tells_its_revision(file: Path) -> None:
    notes = file.parent / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (notes / "rows.jsonl.metadata").write_text(f"{'b' * 40}\netag\n1700000000.0\n")
    assert origin(file).facts == {"revision": "b" * 40}


def test_none_of_it_decides_the_rows(file: Path) -> None:
    def digest(**given: Any) -> str:
        data = Data(sources=(Source(path=str(file), **given),))
        return preparation_digest(stamp(data), data, 0, {})

    before = digest()
    assert digest(licence="MIT", origin="a/b", consent="yes") == before
    beside(file, "provenance.json", {"licence": "MIT"})
    assert digest() == before
    assert stamped(Source(path=str(file))).origin.licence.expression == "MIT"
