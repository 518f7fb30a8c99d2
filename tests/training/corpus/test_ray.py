"""The same corpus by Ray Data on two workers, byte for byte, a killed build among it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from completion.errors import CaretError, UsageError
from tests.training.tiny import source
from training.corpus import shards
from training.corpus.build import build
from training.corpus.linking import make_links
from training.corpus.mapping import ensure_mapped
from training.corpus.on_ray import RayData, ray_workers
from training.corpus.scale import Workers
from training.corpus.settings import Settings

pytest.importorskip("ray.data", reason="needs the extra scale: pip install 'ray[data]'")
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # a cluster starts in 5 s, or a minute

ROOT = Path(__file__).parents[3]
SHARD = 40_000
CHILD = """
import sys
from pathlib import Path
from tests.training.corpus.test_ray import SHARD, settings_for
from training.corpus import shards
from training.corpus.build import build
from training.corpus.on_ray import ray_workers
shards.SHARD_BYTES = SHARD
with ray_workers("", 2) as workers:
    settings = settings_for(Path(sys.argv[1]), Path(sys.argv[2]))
    build(settings, lambda label, done, total: print(done, flush=True), workers)
"""


def quiet(*_: object) -> None:
    """Show no progress."""


def settings_for(tree: Path, scratch: Path) -> Settings:
    scratch.mkdir(exist_ok=True)
    (scratch / "held.toml").write_text("")
    return Settings(
        out=scratch / "corpus",
        cache=scratch,
        sources=None,
        held_out=scratch / "held.toml",
        folders=(tree / "one", tree / "two"),
        processes=1,
    )


@pytest.fixture(scope="module", autouse=True)
def _small_shards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", SHARD)
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of some languages with copies, near copies and imports; several shards."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "LICENSE").write_text("MIT")
        for i in range(50):
            text = source(f"name{i % 44}", 8 + i % 7)
            text = text.replace("limit 2", "no limit") if i >= 45 else text
            text = f"from f{i + 3} import name{i + 3}\n{text}" if i % 3 == 0 and i < 45 else text
            text = text.replace("name", f"{name}_") if i % 2 else text
            (folder / name / f"f{i}{('.py', '.js', '.go')[i % 3]}").write_text(text)
    return folder


@pytest.fixture(scope="module")
def workers() -> Iterator[RayData]:
    with ray_workers("", 2) as connected:
        yield connected


def make(settings: Settings, workers: Workers | None) -> None:
    """All stages."""
    build(settings, quiet, workers)
    make_links(settings.out, 1, quiet, workers)
    ensure_mapped(
        settings.out, settings.out / "mapped", quiet, ordered=True, processes=1, workers=workers
    )


def hashes(out: Path) -> dict[str, str]:
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.fixture(scope="module")
def whole(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one process makes."""
    settings = settings_for(tree, tmp_path_factory.mktemp("plain"))
    make(settings, None)
    found = hashes(settings.out)
    assert {"train-003.jsonl.xz", "links-003.npy", "mapped/order.npy"} <= found.keys()
    return found


def test_ray_makes_the_same_folder(
    tree: Path, tmp_path: Path, workers: RayData, whole: dict[str, str]
) -> None:
    settings = settings_for(tree, tmp_path)
    make(settings, workers)
    assert hashes(settings.out) == whole


def test_a_build_by_ray_that_was_killed_goes_on_to_the_same_folder(
    tree: Path, tmp_path: Path, workers: RayData, whole: dict[str, str]
) -> None:
    command = [sys.executable, "-c", CHILD, str(tree), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if float(line) > 1:  # in the second folder
                break
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    settings = settings_for(tree, tmp_path)
    assert (settings.out / "unfinished" / "journal.json").is_file()
    first = (settings.out / "train-000.jsonl.xz").stat().st_mtime_ns
    make(settings, workers)
    assert hashes(settings.out) == whole
    assert (settings.out / "train-000.jsonl.xz").stat().st_mtime_ns == first


def refuse(item: int) -> int:
    if item == 3:
        raise UsageError("no three")
    return item


def die(item: int) -> int:
    os._exit(item)


def test_an_error_of_the_function_is_raised_as_it_is(workers: RayData) -> None:
    results = workers.map(refuse, range(5))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UsageError, match="no three"):
        next(results)


def test_a_lost_worker_is_one_line_that_says_how_to_go_on(workers: RayData) -> None:
    with pytest.raises(CaretError, match="same command again") as raised:
        list(workers.map(die, range(1)))
    assert "\n" not in raised.value.message
