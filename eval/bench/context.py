"""What the context of other files costs: its gathering, its index, and a keystroke beside them.

1. A language server with context and one without type the same keys in turn, before a service
   without a model, while the first one's index is still being made: what is compared is a key.
2. The workspace is indexed, at the pace that users have, and names are looked up.
3. Cursors of real files are gathered for, each source within the time that it has.
"""

from __future__ import annotations

import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import completion
from completion.config import ContextConfig
from completion.errors import CaretError, UsageError
from completion.syntax.languages import language_for
from eval.bench.generated import write_workspace
from eval.bench.keys_beside import keys_beside
from eval.bench.latency import Row
from eval.metrics.latency import percentile
from lsp.context.collect import GRACE_MS, Gathered
from lsp.context.found import Spot
from lsp.context.gather import LEAST_REST_S, REST
from lsp.context.gather_now import lookup_of
from lsp.context.ignore import Rules
from lsp.context.index import Index, Stats
from lsp.context.index.walk import walk
from lsp.context.recent import Hunk
from lsp.context.texts import Kept, OpenText, Texts, one_line_end
from lsp.context.workspace import Seen, WorkspaceContext

OPEN = 8
"""Files that are open while is gathered; of each, two places were edited and two looked at."""
KEYS_A_ROUND = 10
CURSORS = 4
"""Of each file that is gathered for, one after the other: users stay in a file for a while."""
READ = 400
"""Files at most that cursors and names are drawn from."""
LOOKED_UP = 2000
FILES_A_S = 50.0
"""A bar: files a second that are indexed at the least, at half of a core: 100,000 in half an hour."""
FILE_CPU_MS = 20.0
"""A bar: CPU time of one file."""
FILE_BYTES = 8192
"""A bar: what the store keeps of one file; one with a hundred short functions takes so much."""
LOOK_UP_MS = 5.0
"""A bar: a gathering looks up two dozen names."""
_STILL_S = 120.0
"""So long an index may go without another file before it is taken to hang."""
_TOLD_S = 10.0
_WARM_S = 30.0
"""How long static analysis may take to begin: jedi loads what it keeps of the standard library."""
_NAME = re.compile(rb"[^\W\d]\w{2,}")


def own_tree() -> Path:
    """Return Caret's own source tree, or where it is installed its largest package."""
    package = Path(completion.__file__).parent
    return package.parent if (package.parent / "pyproject.toml").is_file() else package


async def rows(
    workspace: Path | None, generated: int, rounds: int, say: Callable[[str], None]
) -> list[Row]:
    """Return the figures of a workspace: ``workspace``, or so many ``generated`` files, or Caret's.

    Raises:
        UsageError: there is no such folder, or no source file in it that may be read.
        CaretError: the index failed.
    """
    with tempfile.TemporaryDirectory(prefix="caret-bench-") as name:
        scratch = Path(name)
        if generated:
            root = scratch / "workspace"
            root.mkdir()
            write_workspace(root, generated, say)
        else:
            root = (workspace or own_tree()).absolute()
            if not root.is_dir():
                raise UsageError(f"--workspace {workspace}: there is no such folder")
        config = ContextConfig()
        texts = _drawn(root, config)
        if not texts:
            raise UsageError(f"{root.name or root}: no source file in it that may be read")
        say(f"{root.name}: typing with context and without, in turn, while it is indexed")
        path, text = next(
            ((p, t) for p, t in texts.items() if p.endswith(".py")), next(iter(texts.items()))
        )
        found = await keys_beside(
            root, path, text.decode("utf-8", "replace"), KEYS_A_ROUND * rounds, scratch, say
        )
        index = Index(root, config, folder=scratch / "index")
        try:
            index.start()
            found += _indexed(index, say)
            found.append(_looked_up(index, texts))
            found += _gathered(root, index, config, texts, rounds, say)
        finally:
            index.close()
            shutil.rmtree(scratch / "index", ignore_errors=True)
    return found


def _drawn(root: Path, config: ContextConfig) -> dict[str, bytes]:
    """Return some of the workspace's files, by path, always the same ones."""
    rules = Rules.of(root, config)
    paths = sorted(seen.path for seen in walk(rules) if seen.path)
    drawn = random.Random(0).sample(paths, min(READ, len(paths)))
    texts: dict[str, bytes] = {}
    for path in drawn:
        try:
            text = one_line_end((root / path).read_bytes())
        except OSError:
            continue
        if text.count(b"\n") > 20 and b"\0" not in text:
            texts[path] = text
    return texts


def _indexed(index: Index, say: Callable[[str], None]) -> list[Row]:
    """Wait until the folder is indexed, saying how far it is; return what that took."""
    still, before = time.monotonic(), -1
    while not index.wait(_TOLD_S):
        stats = index.stats
        if stats.state in ("off", "failed"):
            raise CaretError(f"the index has failed: {stats.note or stats.state}")
        if stats.files != before:
            still, before = time.monotonic(), stats.files
        elif time.monotonic() - still > _STILL_S:
            raise CaretError(f"the index stands still at {stats.files:,} files")
        say(f"{stats.files:,} files indexed")
    return _of_index(index.stats)


def _of_index(stats: Stats) -> list[Row]:
    files = max(stats.files, 1)
    limit = ContextConfig().index_memory_mb
    return [
        Row("index, ms a file", 1000 * stats.pass_seconds / files, 1000 / FILES_A_S, files),
        Row("index, CPU ms a file", 1000 * stats.cpu_seconds / files, FILE_CPU_MS, files),
        Row("index, all files, s", stats.pass_seconds, files / FILES_A_S, files),
        Row("index, memory at its peak, MiB", stats.peak_bytes / (1 << 20), limit, files),
        Row("index, bytes kept a file", stats.store_bytes / files, FILE_BYTES, files),
    ]


def _looked_up(index: Index, texts: dict[str, bytes]) -> Row:
    """Return how long one name takes: names that stand in the files, defined there or not."""
    rng = random.Random(1)
    names = [(word, path) for path, text in texts.items() for word in _NAME.findall(text)]
    if not names:
        raise UsageError("the workspace's files hold no names to look up")
    taken: list[float] = []
    for word, path in rng.choices(names, k=LOOKED_UP):
        begun = time.perf_counter()
        index.definitions(word, 12, path)
        taken.append((time.perf_counter() - begun) * 1000)
    return Row("look-up of a name, p95, ms", percentile(taken, 95), LOOK_UP_MS, len(taken))


def _gathered(
    root: Path,
    index: Index,
    config: ContextConfig,
    texts: dict[str, bytes],
    rounds: int,
    say: Callable[[str], None],
) -> list[Row]:
    """Gather at ``rounds`` cursors, a few of each file, resting between as the language server does."""
    context = WorkspaceContext(root, Rules.of(root, config), lookup_of(index))
    rng = random.Random(2)
    opened = {path: _open(path, text) for path, text in list(texts.items())[:OPEN]}
    lines = {path: text.count(b"\n") for path, text in texts.items()}
    seen = Seen(
        opened=tuple(opened),
        hunks=tuple(Hunk(path, at, at + 3) for path in opened for at in (5, lines[path] // 2)),
        views=tuple((path, chunk) for path in opened for chunk in (0, lines[path] // 128)),
    )
    times: dict[str, list[float]] = {}
    failed: dict[str, int] = {}
    sent = 0

    def gather(number: int) -> tuple[Gathered, float]:
        path = list(texts)[number // CURSORS % len(texts)]
        spot = _spot(path, texts[path], rng)
        begun = time.perf_counter()
        found = context.collector.collect(
            spot,
            context.sources(config, seen),
            Texts(context.disk, {**opened, path: _open(path, texts[path])}),
            max_bytes=config.max_bytes,
        )
        took = time.perf_counter() - begun
        time.sleep(max(LEAST_REST_S, REST * took))
        return found, took * 1000

    try:
        until = time.monotonic() + _WARM_S
        while gather(0)[0].failed and time.monotonic() < until:
            pass
        for number in range(1, rounds + 1):
            found, milliseconds = gather(number)
            _note(found, times, failed)
            times.setdefault("all", []).append(milliseconds)
            sent += len(found.snippets)
            if number % 20 == 0:
                say(f"gathered at {number} of {rounds} cursors")
    finally:
        context.close()
    lacking = ", ".join(f"{name} {count}" for name, count in sorted(failed.items())) or "none"
    say(
        f"{sent / max(rounds, 1):.1f} files a cursor are sent; late or lacking something: {lacking}"
    )
    return _of_gathering(times, config)


def _note(found: Gathered, times: dict[str, list[float]], failed: dict[str, int]) -> None:
    for source, milliseconds in found.milliseconds.items():
        times.setdefault(source, []).append(milliseconds)
    for source, why in found.failed.items():
        name = f"{source} ({why})"
        failed[name] = failed.get(name, 0) + 1


def _of_gathering(times: dict[str, list[float]], config: ContextConfig) -> list[Row]:
    """Return rows by source; the bar of each is the time that it has, and for the worst the grace."""
    own = {"definitions": config.definitions_ms, "imports": config.imports_ms}
    longest = max(config.definitions_ms, config.imports_ms, config.windows_ms)
    found: list[Row] = []
    for source, taken in sorted(times.items(), key=lambda one: one[0] == "all"):
        bar = longest if source == "all" else own.get(source, config.windows_ms)
        name = f"gathering, {source.replace('_', ' ')}"
        found += [
            Row(f"{name}, p50, ms", statistics.median(taken), bar, len(taken)),
            Row(f"{name}, p95, ms", percentile(taken, 95), bar, len(taken)),
            Row(f"{name}, worst, ms", max(taken), bar + GRACE_MS, len(taken)),
        ]
    return found


def _open(path: str, text: bytes) -> OpenText:
    lines = tuple(text.decode("utf-8", "replace").splitlines(keepends=True))
    return OpenText(language=language_for("", path), lines=lines, epoch=0, kept=Kept())


def _spot(path: str, text: bytes, rng: random.Random) -> Spot:
    """Return a cursor inside of some line of the file."""
    places = [
        at for at in range(1, len(text)) if text[at - 1 : at].isalnum() or text[at - 1] == 0x2E
    ]
    return Spot(
        path=path, language=language_for("", path), text=text, offset=rng.choice(places or [0])
    )
