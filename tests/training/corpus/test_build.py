from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from completion.errors import CaretError, UsageError
from tests.training.tiny import source
from training.corpus.build import build
from training.corpus.refine import refine
from training.corpus.settings import Settings
from training.corpus.shards import read_documents, read_manifest
from training.corpus.sources import read_sources

MakeWheel = Callable[..., None]


def quiet(*_: object) -> None:
    """Show no progress."""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def wheel(cache: Path) -> MakeWheel:
    def make(name: str, files: dict[str, str], licence: str = "MIT") -> None:
        with zipfile.ZipFile(cache / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
            metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
            metadata += f"License-Expression: {licence}\n"
            archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata)

    return make


def listing(path: Path, *names: str) -> Path:
    path.write_text("".join(f'[[package]]\nname = "{n}"\nversion = "1.0"\n\n' for n in names))
    return path


@pytest.fixture
def settings(tmp_path: Path, cache: Path, wheel: MakeWheel) -> Settings:
    held = source("kept", 20)
    wheel("heldpkg", {"heldpkg/kept.py": held, "heldpkg/more.py": source("more")})
    wheel(
        "good",
        {
            "good/one.py": source("one"),
            "good/copy.py": "# the same\n" + source("one"),
            "good/_vendor/two.py": source("two"),
            "good/broken.py": source("broken") + "def f(:\n",
            "good/_kept.py": held.replace("import os", "import os, re"),
            "good/setup.cfg": "not python",
        },
    )
    wheel("shut", {"shut/a.py": source("a")}, "GPL-3.0-only")
    wheel("last", {"last/x.py": source("x"), "last/one.py": source("one")})
    return Settings(
        out=tmp_path / "corpus",
        cache=cache,
        sources=listing(tmp_path / "sources.toml", "good", "shut", "last"),
        held_out=listing(tmp_path / "held.toml", "heldpkg"),
        processes=1,
    )


def paths(folder: Path, part: str = "train") -> set[str]:
    return {d.path for d in read_documents(folder, part)}


def test_corpus_has_what_passed_and_accounts_for_the_rest(settings: Settings) -> None:
    manifest = build(settings, quiet)
    assert len(paths(settings.out) & {"good/one.py", "good/copy.py"}) == 1
    assert paths(settings.out) - {"good/one.py", "good/copy.py"} == {"last/x.py"}
    assert manifest["packages"]["good"]["dropped"] == {
        "vendored": 1,
        "does not parse": 1,
        "seen": 1,
        "copy of a held-out file": 1,
    }
    assert manifest["packages"]["good"]["licence"] == "MIT"
    size = manifest["packages"]["good"]["bytes"] + manifest["packages"]["last"]["bytes"]
    assert manifest["totals"]["train"]["languages"] == {"python": size}
    assert manifest["packages"]["last"]["dropped"] == {"seen": 1}
    assert "GPL-3.0-only" in manifest["skipped"]["shut"]
    assert paths(settings.out, "held_out") == {"heldpkg/kept.py", "heldpkg/more.py"}
    assert not (settings.out / "unfinished").exists()


def test_same_sources_give_the_same_checksum(settings: Settings, tmp_path: Path) -> None:
    first = build(settings, quiet)
    again = build(replace(settings, out=tmp_path / "again"), quiet)
    assert again["checksum"] == first["checksum"]


def test_near_duplicate_is_dropped_and_counted(settings: Settings, wheel: MakeWheel) -> None:
    text = source("x", 20)
    wheel("last", {"last/x.py": text, "last/y.py": text.replace("limit 3", "no limit")})
    manifest = build(settings, quiet)
    assert manifest["packages"]["last"]["dropped"] == {"near duplicate": 1}
    assert len(paths(settings.out) & {"last/x.py", "last/y.py"}) == 1


def test_folder_of_many_languages_is_taken_behind_the_packages(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "last"
    (folder / "sub").mkdir(parents=True)
    (folder / "LICENSE").write_text("MIT")
    script = source("script").replace("def ", "function ").encode()
    (folder / "a.js").write_bytes(b"\xef\xbb\xbf" + script)
    (folder / "sub" / "b.go").write_bytes(source("going").encode())
    (folder / "broken.py").write_text(source("broken") + "def f(:\n")
    (folder / "again.py").write_text(source("x"))
    (folder / "latin.c").write_bytes(source("latin").encode() + b"\xe9\n")
    (folder / "object.c").write_bytes(source("object").encode() + b"\0\n")
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.rs"))).write_text(source("coffee"))
    manifest = build(replace(settings, folders=(folder,)), quiet)
    assert manifest["packages"]["last-2"] == {
        "part": "train",
        "version": "",
        "licence": "MIT",
        "files_seen": 8,
        "files": 3,
        "bytes": len(script) + len(source("going")) + len(source("coffee")),
        "languages": {
            "go": len(source("going")),
            "javascript": len(script),
            "rust": len(source("coffee")),
        },
        "dropped": {
            "does not parse": 1, "seen": 1, "not utf-8": 1, "binary": 1, "no known language": 1,
        },
    }  # fmt: skip
    found = {d.path: d.text for d in read_documents(settings.out) if d.package == "last-2"}
    assert found.keys() == {"a.js", "sub/b.go", "caf\\xe9.rs"}
    assert found["a.js"].encode() == script


def test_folder_without_a_licence_is_refused_unless_one_is_given(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.rb").write_text(source("ruby"))
    manifest = build(replace(settings, folders=(folder,)), quiet)
    assert "--licence SPDX" in manifest["skipped"]["mine"]
    alone = replace(settings, folders=(folder,), sources=None, out=tmp_path / "alone")
    with pytest.raises(CaretError, match="nothing may be taken: mine: no licence"):
        build(alone, quiet)
    manifest = build(replace(alone, folder_licence="MIT"), quiet)
    assert manifest["totals"]["train"]["languages"] == {"ruby": len(source("ruby"))}


def test_folder_is_taken_whole_unless_it_is_capped(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(6):
        (folder / f"m{i}.rs").write_text(source(f"m{i}"))
    alone = replace(settings, folders=(folder,), sources=None, folder_licence="MIT")
    size = len(source("m0"))
    manifest = build(replace(alone, folder_bytes=3 * size, out=tmp_path / "part"), quiet)
    assert manifest["packages"]["mine"]["dropped"] == {"beyond the package's cap": 3}
    manifest = build(replace(alone, package_bytes=size), quiet)
    assert manifest["packages"]["mine"]["files"] == 6


def test_benchmark_item_keeps_its_file_out(settings: Settings, tmp_path: Path) -> None:
    benchmarks = tmp_path / "bench"
    benchmarks.mkdir()
    row = {"prompt": "\n".join(source("x").splitlines()[5:12])}
    (benchmarks / "b.jsonl").write_text(json.dumps(row) + "\n")
    build(replace(settings, decontaminate=benchmarks), quiet)
    assert "last/x.py" not in paths(settings.out)


def test_tests_take_only_their_share_and_packages_their_cap(
    settings: Settings, wheel: MakeWheel
) -> None:
    code = {f"big/m{i}.py": source(f"m{i}") for i in range(6)}
    tests = {f"big/tests/test_{i}.py": source(f"t{i}") for i in range(6)}
    wheel("big", {**code, **tests})
    listing(settings.sources, "big")
    size = len(source("m0"))
    manifest = build(replace(settings, package_bytes=5 * size, test_share=0.2), quiet)
    assert manifest["packages"]["big"]["bytes"] <= 5 * size
    assert not any("tests" in p for p in paths(settings.out))
    out = settings.out.parent / "whole"
    build(replace(settings, out=out, test_share=0.2), quiet)
    assert sum("tests" in p for p in paths(out)) == 1


def test_package_cannot_be_both_source_and_held_out(settings: Settings) -> None:
    listing(settings.sources, "good", "HeldPkg")
    with pytest.raises(UsageError, match="both a source and held out"):
        build(settings, quiet)


def test_build_gives_up_when_packages_cannot_be_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (settings.cache / "last-1.0-py3-none-any.whl").unlink()
    with pytest.raises(CaretError, match="1 of 3 packages are missing: package last==1"):
        build(settings, quiet)
    assert not (settings.out / "manifest.json").exists()


def test_refining_drops_dense_files_and_says_so(
    settings: Settings, tokenizer_folder: Path, tmp_path: Path, wheel: MakeWheel
) -> None:
    digits = "VALUES = [\n" + "    12345678, 87654321, 11223344,\n" * 40 + "]\n"
    wheel("last", {"last/x.py": source("apple"), "last/table.py": digits})
    build(settings, quiet)
    assert "last/table.py" in paths(settings.out)
    refined = tmp_path / "refined"
    manifest = refine(settings.out, tokenizer_folder, refined, quiet)
    assert "last/table.py" not in paths(refined)
    assert "last/x.py" in paths(refined)
    assert manifest["packages"]["last"]["dropped"]["dense"] == 1
    total = manifest["totals"]["train"]
    assert total["languages"] == {"python": total["bytes"]}
    assert manifest["totals"]["train"]["tokens"] > 0
    assert read_manifest(refined)["settings"]["density_filter"]


def test_damaged_shard_is_noticed(settings: Settings) -> None:
    build(settings, quiet)
    manifest = read_manifest(settings.out)
    manifest["parts"]["train"][0]["sha256"] = "0" * 64
    (settings.out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="damaged"):
        list(read_documents(settings.out))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[package]]\nname = "a"\n', "needs a version"),
        ('[[package]]\nname = "a"\norigin = "web"\n', "unknown origin"),
        ('[[package]]\nname = "a"\nstars = 3\n', "stars"),
    ],
)
def test_wrong_list_of_sources_is_a_message(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_sources(path)


def test_bundled_lists_are_disjoint_and_large_enough() -> None:
    from training.commands.corpus import HELD_OUT, SOURCES

    held, sources = read_sources(HELD_OUT), read_sources(SOURCES)
    assert len(held) >= 8
    assert len({s.kind for s in held}) >= 8
    assert not {s.name for s in held} & {s.name for s in sources}
