from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.training.tiny import HELD, TRAIN
from training.corpus import mapped as format_of
from training.corpus.mapped import MappedDocuments, is_mapped, names
from training.corpus.mapping import ensure_mapped, totals_of
from training.corpus.shards import Document, ShardWriter, write_manifest
from training.objectives.parsed import COLUMNS, Found, Parsed

ODD = [
    Document("odd", "odd/empty.py", ""),
    Document("odd", "odd/f.go", "package f\n\n// Größe.\nfunc f(a int) int {\n\treturn g(a)\n}\n"),
    Document("odd", "odd/broken.py", "def f(:\n    x = call(1)\n"),
    Document("odd", "odd/notes.unknown", "f(x) and so on\n"),
    Document("odd", "odd/grüße.py", "x = 'ä€😀'\r\ny\u2028z\n"),
]


def quiet(share: float, text: str) -> None:
    assert 0 <= share <= 1
    assert text


def columns(parsed: Parsed) -> dict[str, list[list[int]]]:
    found = {name: parsed.column(name).tolist() for name in COLUMNS}
    return {**found, "types": [parsed.types().tolist()]}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of two training shards; the second package lies in both."""
    folder = tmp_path / "corpus"
    entries = []
    for documents in (TRAIN[:6], [*TRAIN[6:], *ODD]):
        with ShardWriter(folder, "train", entries=entries) as writer:
            for document in documents:
                writer.add(document)
            entries = writer.finish()
    with ShardWriter(folder, "held") as writer:
        for document in HELD:
            writer.add(document)
        held = writer.finish()
    write_manifest(folder, {"parts": {"train": entries, "held_out": held}})
    return folder


def test_mapped_documents_are_those_of_the_shards(corpus: Path, tmp_path: Path) -> None:
    mapped = tmp_path / "mapped"
    ensure_mapped(corpus, mapped, quiet, processes=1)
    train = MappedDocuments(mapped, "train")
    assert list(train) == [*TRAIN, *ODD]
    assert train[-1] == ODD[-1]
    assert train[2:4] == TRAIN[2:4]
    assert list(names(train)) == [(d.package, d.path) for d in [*TRAIN, *ODD]]
    assert list(MappedDocuments(mapped, "held_out")) == HELD
    with pytest.raises(IndexError):
        train[len(train)]


def test_an_interrupted_mapping_goes_on_to_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    ensure_mapped(corpus, whole, quiet, ordered=True, processes=1)

    def stop(share: float, text: str) -> None:
        if text == "1 of 3 shards":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_mapped(corpus, cut, stop, ordered=True, processes=1)
    assert not is_mapped(corpus, cut, ordered=False)
    (text,) = cut.glob("*.text")
    first = text.stat().st_mtime_ns
    ensure_mapped(corpus, cut, quiet, ordered=True, processes=1)
    assert contents(cut) == contents(whole)
    assert text.stat().st_mtime_ns == first


def test_a_damaged_or_old_map_is_made_again(corpus: Path, tmp_path: Path) -> None:
    mapped = tmp_path / "mapped"
    ensure_mapped(corpus, mapped, quiet, ordered=True, processes=1)
    good = contents(mapped)
    for name in ("train-001.text", "train-000.spans.npy", "held_out-000.types"):
        (mapped / name).unlink()  # not written over: what maps it would be torn
        (mapped / name).write_bytes(b"short")
        assert not is_mapped(corpus, mapped, ordered=True)
        ensure_mapped(corpus, mapped, quiet, ordered=True, processes=1)
        assert contents(mapped) == good

    shutil.rmtree(corpus)
    with ShardWriter(corpus, "train") as writer:
        writer.add(ODD[-1])
        entries = writer.finish()
    write_manifest(corpus, {"parts": {"train": entries, "held_out": []}})
    assert not is_mapped(corpus, mapped, ordered=False)
    ensure_mapped(corpus, mapped, quiet, ordered=True, processes=1)
    train = MappedDocuments(mapped, "train")
    assert list(train) == [ODD[-1]]
    assert train.stands() == [[0]]


def test_the_order_is_made_when_it_is_asked_for(corpus: Path, tmp_path: Path) -> None:
    mapped = tmp_path / "mapped"
    ensure_mapped(corpus, mapped, quiet, processes=1)
    assert not is_mapped(corpus, mapped, ordered=True)
    ensure_mapped(corpus, mapped, quiet, ordered=True, processes=1)
    stands = MappedDocuments(mapped, "train").stands()
    assert [sorted(stand) for stand in stands] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11, 12]]


def test_what_is_stored_of_a_document_is_what_its_text_tells(corpus: Path, tmp_path: Path) -> None:
    mapped = tmp_path / "mapped"
    ensure_mapped(corpus, mapped, quiet, processes=1)
    train = MappedDocuments(mapped, "train")
    for document in train:
        assert document.parsed is not None
        assert columns(document.parsed) == columns(Found(document.path, document.text))
    (function,) = train[-4].parsed.column("definition").tolist()  # type: ignore[union-attr]
    assert train[-4].text[slice(*function[3:5])] == "f"
    assert train[-4].text[slice(*function[5:7])] == "// Größe."
    assert totals_of(mapped)["documents"] == len(train) + len(HELD)


def test_several_processes_give_the_same_bytes_as_one(corpus: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    ensure_mapped(corpus, one, quiet, processes=1)
    ensure_mapped(corpus, two, quiet, processes=2)
    assert contents(one) == contents(two)


def test_other_grammars_make_it_again(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = tmp_path / "mapped"
    ensure_mapped(corpus, mapped, quiet, processes=1)
    assert is_mapped(corpus, mapped, ordered=False)
    monkeypatch.setattr(format_of, "tools", lambda: {"python": "3.99"})
    assert not is_mapped(corpus, mapped, ordered=False)
