"""The same bytes whatever the processes, wherever a build was killed, however full the disk."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from completion.errors import CaretError
from tests.training.tiny import source
from training.corpus import marks, shards
from training.corpus.build import build
from training.corpus.journal import Journal
from training.corpus.settings import Settings
from training.corpus.shards import read_documents

ROOT = Path(__file__).parents[3]
FILES = 60
SHARD = 40_000
CHILD = """
import sys
from pathlib import Path
from training.corpus import shards
from training.corpus.build import build
from training.corpus.settings import Settings
shards.SHARD_BYTES = int(sys.argv[1])
tree, out, held = map(Path, sys.argv[2:5])
settings = Settings(out=out, cache=out, sources=None, held_out=held, folders=(tree,), processes=2)
build(settings, lambda label, done, total: print(done, flush=True))
"""


def quiet(*_: object) -> None:
    """Show no progress."""


@pytest.fixture(autouse=True, scope="module")
def _small_shards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", SHARD)
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 60 files in three languages, with copies and near copies; about six shards."""
    folder = tmp_path_factory.mktemp("source") / "tree"
    folder.mkdir()
    (folder / "LICENSE").write_text("MIT")
    for i in range(FILES):
        text = source(f"name{i % 50}", 8 + i % 7)
        text = text.replace("limit 2", "no limit") if i >= 55 else text
        (folder / f"f{i}{('.py', '.js', '.go')[i % 3]}").write_text(text)
    return folder


def settings_for(tree: Path, scratch: Path) -> Settings:
    (scratch / "held.toml").write_text("")
    return Settings(
        out=scratch / "corpus",
        cache=scratch,
        sources=None,
        held_out=scratch / "held.toml",
        folders=(tree,),
        processes=1,
    )


@pytest.fixture
def settings(tree: Path, tmp_path: Path) -> Settings:
    return settings_for(tree, tmp_path)


@pytest.fixture(scope="module")
def whole(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of a build that nothing happened to."""
    settings = settings_for(tree, tmp_path_factory.mktemp("whole"))
    manifest = build(settings, quiet)
    assert manifest["totals"]["train"]["dropped"]["near duplicate"] > 0
    assert len(manifest["parts"]["train"]) > 4
    return hashes(settings.out)


def hashes(out: Path) -> dict[str, str]:
    """All of a finished corpus: every file that is in its folder."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_processes_do_not_change_a_byte(settings: Settings, whole: dict[str, str]) -> None:
    build(replace(settings, processes=2), quiet)
    assert hashes(settings.out) == whole


def test_build_killed_at_any_moment_goes_on_to_the_same_bytes(
    settings: Settings, whole: dict[str, str]
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    words = [SHARD, settings.folders[0], settings.out, settings.held_out]
    command = [sys.executable, "-c", CHILD, *map(str, words)]
    for _ in range(3):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(rng.randint(1, 25)):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        assert child.returncode in {-signal.SIGKILL, 0}
    if not (settings.out / "manifest.json").exists():
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert hashes(settings.out) == whole, f"seed {seed}"


class Interruption(Exception):
    """What the progress of an interrupted build raises."""


def interrupt(settings: Settings, documents: int) -> None:
    """Build until a number of documents were shown."""
    shown = 0

    def show(*_: object) -> None:
        nonlocal shown
        shown += 1
        if shown > documents:
            raise Interruption

    with pytest.raises(Interruption):
        build(settings, show)


def test_what_is_in_whole_shards_is_not_done_again(
    settings: Settings, whole: dict[str, str]
) -> None:
    interrupt(settings, FILES // 2)
    done = json.loads((settings.out / "unfinished" / "journal.json").read_text())
    assert done["documents"] > 10
    assert not list(settings.out.glob("*.part"))
    first: list[float] = []
    build(settings, lambda _, done, __: first.append(done))
    listed, at_once, *documents = first  # of finding the folder, of beginning it
    assert (listed, at_once) == (0, 0)
    assert documents[0] > done["tally"]["seen"] / FILES
    assert hashes(settings.out) == whole


def test_damaged_shard_or_lost_marks_start_the_build_again(
    settings: Settings, whole: dict[str, str]
) -> None:
    for name in ("train-000.jsonl.xz", "unfinished/marks.bin", "unfinished/journal.json"):
        interrupt(settings, FILES // 2)
        (settings.out / name).write_bytes(b"7")
    build(settings, quiet)
    assert hashes(settings.out) == whole


def test_source_that_changed_meanwhile_starts_the_build_again(
    settings: Settings, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(settings.folders[0], tree)
    settings = replace(settings, folders=(tree,))
    interrupt(settings, FILES // 2)
    (tree / "f0.py").write_text(source("changed"))
    build(settings, quiet)
    build(replace(settings, out=tmp_path / "fresh"), quiet)
    assert hashes(settings.out) == hashes(tmp_path / "fresh")
    assert any("changed" in document.text for document in read_documents(settings.out))


def _full(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("what", ["shard", "marks", "journal", "rename"])
def test_full_disk_is_one_line_and_the_build_goes_on_from_there(
    settings: Settings, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    calls = 0
    targets = {
        "shard": (shards._OpenShard, "add"),
        "marks": (marks.os, "pwrite"),
        "journal": (Journal, "save"),
        "rename": (shards._OpenShard, "close"),
    }
    owner, name = targets[what]
    real = getattr(owner, name)

    def fails_later(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        often = what in {"shard", "marks"}
        return _full() if calls > (30 if often else 2) else real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fails_later)
        with pytest.raises(CaretError, match="No space left on device; mend that and") as caught:
            build(settings, quiet)
    assert "\n" not in caught.value.message
    assert not (settings.out / "manifest.json").exists()
    assert not list(settings.out.glob("*.part"))
    assert json.loads((settings.out / "unfinished" / "journal.json").read_text())["documents"] > 0
    build(settings, quiet)
    assert hashes(settings.out) == whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 40 kB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", folder]
    try:
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("nothing can be mounted here")
    except FileNotFoundError:
        pytest.skip("no mount here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_disk_that_is_full_for_real_and_then_larger(
    settings: Settings, whole: dict[str, str], small_disk: Path
) -> None:
    settings = replace(settings, out=small_disk / "corpus")
    with pytest.raises(CaretError, match="No space left on device"):
        build(settings, quiet)
    assert (settings.out / "unfinished" / "journal.json").exists()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    build(settings, quiet)
    assert hashes(settings.out) == whole
