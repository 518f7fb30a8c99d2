from __future__ import annotations

import json
import site
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from completion.syntax import languages
from completion.syntax.languages import LANGUAGES, Language
from completion.syntax.rules import PLAIN
from tests.training.corpus.test_command import call
from training.corpus import linking, shards
from training.corpus.link_files import Links, Piece, Shown
from training.corpus.linking import make_links
from training.corpus.links import identifiers, link_package
from training.corpus.shards import Document, write_manifest, write_shards

TOOLS = 'RÄNGE = 3\n\n\ndef clean(text):\n    """Cléan."""\n    return text\n'
USE = "# é\nfrom demo.tools import clean\n\nprint(clean(1), other)\n"


def documents(count: int = 5) -> list[Document]:
    """Packages of three documents each, the middle one of which nothing refers to."""
    out: list[Document] = []
    for n in range(count):
        name = f"p{n}"
        out.append(Document(name, "demo/tools.py", TOOLS))
        out.append(Document(name, "demo/alone.py", "x = 1\n" * 60))
        out.append(Document(name, "demo/use.py", USE))
    return out


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Several shards, whose borders lie inside of packages."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 900)
    folder = tmp_path / "corpus"
    entries = write_shards(documents(), folder, "train")
    assert len(entries) > 3
    total: dict[str, Any] = {"bytes": 1000}
    write_manifest(
        folder, {"parts": {"train": entries, "held_out": []}, "totals": {"train": total}}
    )
    return folder


def make(folder: Path) -> dict[str, int]:
    return make_links(folder, 2, lambda done, total: None)


def test_links_are_read_back_as_places_in_the_whole_corpus(corpus: Path) -> None:
    assert make(corpus) == {"documents": 15, "linked": 5, "uses": 10, "definitions": 5}
    links = Links(corpus)
    assert links.documents == 15
    for n in range(5):
        found = list(links.within(3 * n + 2, (0, len(USE))))
        assert [USE[slice(*span)] for span, _ in found] == ["clean", "clean"]
        start = TOOLS.index("def clean")
        line = TOOLS.index('    """')
        shown = Shown(
            3 * n,
            (start, len(TOOLS) - 1),
            (Piece(start, start + 16, ""), Piece(line, line + 16, "")),
        )
        assert [s for _, s in found] == [shown, shown]
        assert list(links.within(3 * n + 1, (0, 400))) == []


def test_a_span_has_the_names_that_it_touches(corpus: Path) -> None:
    make(corpus)
    links = Links(corpus)
    at = USE.rindex("clean")

    def count(a: int, b: int) -> int:
        return len(list(links.within(2, (a, b))))

    assert count(at - 3, at) == 0
    assert count(at - 3, at + 1) == count(at + 4, at + 9) == count(at + 2, at + 3) == 1
    assert count(at + 5, at + 9) == 0


def read(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.glob("links*"))}


def test_an_interrupted_run_goes_on_to_the_same_bytes(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(corpus)
    whole = read(corpus)
    for path in corpus.glob("links*"):
        path.unlink()
    write, done = linking._File.write, 0

    def stops(self: linking._File, path: Path) -> dict[str, Any]:
        nonlocal done
        done += 1
        if done == 3:
            raise KeyboardInterrupt
        return write(self, path)

    monkeypatch.setattr(linking._File, "write", stops)
    with pytest.raises(KeyboardInterrupt):
        make(corpus)
    with pytest.raises(UsageError, match="no links"):
        Links(corpus)
    monkeypatch.setattr(linking._File, "write", write)
    kept = corpus / "links-001.npy"
    before = kept.stat().st_mtime_ns
    make(corpus)
    assert read(corpus) == whole
    assert kept.stat().st_mtime_ns == before


def test_links_of_other_documents_are_refused_and_made_anew(corpus: Path) -> None:
    make(corpus)
    manifest = json.loads((corpus / "manifest.json").read_text())
    manifest["parts"]["train"] = write_shards(documents(4), corpus, "train")
    write_manifest(corpus, manifest)
    with pytest.raises(UsageError, match="other documents"):
        Links(corpus)
    make(corpus)
    assert Links(corpus).documents == 12


def test_command_links_a_corpus(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--links", corpus, "--processes", "1") == 0
    assert "5 of 15 files use what their package defines" in capsys.readouterr().out
    assert call("--links", corpus, "--json") == 0
    assert json.loads(capsys.readouterr().out)["uses"] == 10
    with pytest.raises(UsageError, match="--links CORPUS alone"):
        call("--links", corpus, "--out", corpus)
    with pytest.raises(UsageError, match="--out DIR"):
        call()


def test_every_link_of_real_packages_leads_to_its_name() -> None:
    root = Path(site.getsitepackages()[0])
    checked = 0
    for name in ("hypothesis", "pygls"):
        found = [
            Document(name, p.relative_to(root).as_posix(), p.read_text(encoding="utf-8"))
            for p in sorted((root / name).glob("*.py"))
        ]
        links = link_package(found)
        for number, uses in enumerate(links.uses):
            assert uses == sorted(uses)
            for start, end, which in uses:
                linked = links.definitions[which]
                there = found[linked.document].text
                a, b, _ = linked.pieces[-1]
                assert found[number].text[start:end].isidentifier()
                assert linked.whole[0] < linked.whole[1] <= len(there)
                assert a < b <= len(there)
                checked += 1
    assert checked > 500


def test_identifiers_are_those_of_code_alone() -> None:
    source = b"# word\nalpha.beta('gamma')  # delta\n"
    found = identifiers(LANGUAGES[0], source)
    assert [source[a:b] for a, b in found] == [b"alpha", b"beta"]


GO = Language(
    name="go", ids=("go",), extensions=(".go",), rules=PLAIN, grammar="tree_sitter_go"
)  # fmt: skip


def test_other_languages_are_linked_by_names_that_one_place_defines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(languages, "LANGUAGES", (*languages.LANGUAGES, GO))
    a = "package a\n// Adds.\nfunc Add(x int) int { return twice(x) }\nfunc twice(x int) int { return x }\n"
    b = 'package a\nfunc twice(y int) int { return y }\nvar z = Add(twice(1)) // Add\nvar s = "Add"\n'
    links = link_package([Document("a", "a.go", a), Document("a", "b.go", b)])
    assert (
        links.uses[0] == []
    )  # one of two that are called twice is meant, and its own name is none
    at = b.index("Add(")
    assert links.uses[1] == [(at, at + 3, 0)]
    (found,) = links.definitions
    assert found.document == 0
    assert [a[x:y] for x, y, _ in found.pieces] == ["// Adds.", "func Add(x int) int"]
