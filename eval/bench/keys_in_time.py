"""Real files typed at a fixed pace through `caret lsp`, with the keystroke path and without it.

Without means: nothing kept, recycled or asked for ahead, the model asked at each key (it is still
asked only where typing pauses, and still answers by the line). Both legs type the same functions in
the same run, file by file in turn, each before a language server of its own and one service.
"""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from completion.errors import CaretError
from completion.wire.own_server import OwnServer
from eval.bench.latency import Row
from eval.item import to_text
from eval.metrics.latency import percentile
from eval.replay.editor import Editor, Manner
from eval.replay.in_time import Pace, Typed, type_in_time
from eval.replay.typist import Typing
from eval.suites.replay import Replay

WITH_MODEL_P50, WITH_MODEL_P95, TYPED_THROUGH_P95 = 80.0, 200.0, 5.0
"""Bars, in milliseconds from the language server's reading a request to its answer."""
_METRIC = "caret_engine_tokens_total"


async def in_time(
    words: list[str],
    files: int,
    data: Path | None,
    say: Callable[[str], None],
    pace: Pace | None = None,
) -> list[Row]:
    """Return the rows of ``files`` files of the suite ``replay``; ``words`` are for the service.

    Raises:
        UsageError: there are no such files (and how to get them).
    """
    suite, legs = Replay(), {True: Typed(), False: Typed()}
    tokens = {True: 0.0, False: 0.0}
    items = suite.load(data).items[:files]
    port = _free_port()
    pace = pace or Pace()
    with tempfile.TemporaryDirectory(prefix="caret-bench-") as scratch:
        async with OwnServer(extra_args=[*words, "--metrics", f"127.0.0.1:{port}"]) as own:
            for number, item in enumerate(items):
                typing = Typing(
                    above=to_text(item.prefix),
                    region=to_text(item.reference),
                    below=to_text(item.suffix),
                )
                for on in (True, False) if number % 2 == 0 else (False, True):
                    say(f"typing {item.id}, the keystroke path {'on' if on else 'off'}")
                    editing = Editor(
                        str(own.address), item.path, item.language, typing, Path(scratch),
                        place=suite.place_of(item), manner=Manner(always_ask=not on),
                    )  # fmt: skip
                    async with editing as editor:
                        before = await asyncio.to_thread(engine_tokens, port)
                        legs[on].add(await type_in_time(typing, editor, pace))
                    after = await asyncio.to_thread(engine_tokens, port)
                    tokens[on] += after - before
    for on, typed in legs.items():
        figures = figures_of(typed, tokens[on])
        say(f"keystroke path {'on' if on else 'off'}: {json.dumps(figures)}")
    return rows_of(legs[True], legs[False], tokens[True], tokens[False])


def figures_of(typed: Typed, tokens: float) -> dict[str, float]:
    """Return what is said of one leg; what it has nothing of is left out.

    - ``model_*_ms``: request received to answered, of what was shown after the model was asked for
      it, or for an earlier text that what was typed agreed with;
    - ``typed_through_*_ms``: of what was shown from memory;
    - ``seen_*_ms``: both as the editor sees them, from its request to its having read the answer;
    - ``without_model``: share of keys (and completions taken) answered from memory;
    - ``superseded``: share that the next key came before;
    - ``characters_saved``: share of the characters that completions brought, each less the key that
      took it;
    - ``tokens_per_character``: computed by the engine, prompts and answers, those of cancelled
      requests included as far as they had begun to answer.
    """
    asked, shown = typed.asked, [one for one in typed.asked if one.edit is not None]
    asked_for = [one for one in shown if one.source in ("model", "recycled")]
    kept = [one for one in shown if one.source == "cache"]
    times = {
        "model": [one.served for one in asked_for],
        "typed_through": [one.served for one in kept],
        "seen_model": [one.milliseconds for one in asked_for],
        "seen_typed_through": [one.milliseconds for one in kept],
    }
    out: dict[str, float] = {"keys": typed.pressed, "requests": len(asked), "shown": len(shown)}
    for name, taken in times.items():
        out[f"{name}_n"] = len(taken)
        for percent in (50, 95) if taken else ():
            out[f"{name}_p{percent}_ms"] = round(percentile(taken, percent), 2)
    if asked:
        out["without_model"] = round(sum(one.source == "cache" for one in asked) / len(asked), 4)
        out["recycled"] = round(sum(one.source == "recycled" for one in asked) / len(asked), 4)
        out["superseded"] = round(sum(one.source == "none" for one in asked) / len(asked), 4)
    out["taken"] = typed.taken
    out["characters_saved"] = round((typed.brought - typed.taken) / typed.characters, 4)
    out["tokens_per_character"] = round(tokens / typed.characters, 2)
    return out


def rows_of(on: Typed, off: Typed, tokens_on: float, tokens_off: float) -> list[Row]:
    """Return what has a bar, and ratios of the two legs."""
    with_path, without = figures_of(on, tokens_on), figures_of(off, tokens_off)
    rows: list[Row] = []
    for name, what, bar in (
        ("model_p50_ms", "first line with the model while typing, p50, ms", WITH_MODEL_P50),
        ("model_p95_ms", "first line with the model while typing, p95, ms", WITH_MODEL_P95),
        ("typed_through_p95_ms", "typed through, p95, ms", TYPED_THROUGH_P95),
        (
            "seen_model_p95_ms",
            "first line with the model, as the editor sees it, p95, ms",
            WITH_MODEL_P95,
        ),
        (
            "seen_typed_through_p95_ms",
            "typed through, as the editor sees it, p95, ms",
            TYPED_THROUGH_P95,
        ),
    ):
        if name in with_path:
            number = int(with_path[name.partition("_p")[0].removesuffix("_") + "_n"])
            rows.append(Row(what, with_path[name], bar, number))
    ratios = [
        ("engine tokens per character typed", "tokens_per_character"),
        ("requests that were superseded", "superseded"),
    ]
    for what, name in ratios:
        if without.get(name):
            ratio = with_path[name] / without[name]
            rows.append(Row(f"{what}, keystroke path on over off", ratio, 1.0, on.pressed))
    if with_path["characters_saved"] > 0:
        ratio = without["characters_saved"] / with_path["characters_saved"]
        rows.append(Row("characters saved, keystroke path off over on", ratio, 1.0, on.pressed))
    return rows


def engine_tokens(port: int) -> float:
    """Return how many tokens the engine has computed since it started.

    Raises:
        CaretError: the service does not say.
    """
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    except OSError as error:
        raise CaretError(f"the service gives no metrics: {error}") from None
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(_METRIC) and 'kind="abandoned"' not in line
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
