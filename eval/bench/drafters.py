"""Drafters side by side, offline: the tokens a step that each would bring on replayed typing.

The requests of some functions being typed are answered once, and each drafter is held against the same
answers (:mod:`eval.bench.drafted`): prompt lookup, the workspace's store, and Token Recycling. What that
promises is the time of the steps that would be left, at what a step of so many rows takes in the engine,
measured in the same run; a tree's rows are counted as a chain's. Finding the drafts is not in it, nor is the
cost of candidates. ``caret bench drafts`` measures the drafter that is served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from completion.config import Config
from completion.engine.checkpoint import Checkpoint, load_checkpoint
from completion.engine.environment import prepare
from completion.errors import CaretError
from completion.workspace.leave_one_out import LeaveOneOut
from completion.workspace.store import Store
from completion.workspace.workspaces import Seen
from eval.bench.drafted import MOST_DRAFTS, Drafter, Tally, simulate
from eval.bench.drafter_kinds import Either, NGrams, NoDrafts, Stored
from eval.bench.drafts import sources
from eval.bench.latency import Row
from eval.bench.picture import new_figure, save
from eval.bench.step_cost import between, costs
from eval.bench.token_recycling import CANDIDATES, FEW_LEVELS, LEVELS, Ranks, Recycling, chain, tree

WORTH = 1 / 1.3
"""The bar of the best: what a drafter has to promise to be built."""
_SHORT = 2
"""Tokens of a short chain: Token Recycling does not say how sure it is."""


async def rows(
    config: Config, workspace: Path | None, files: int, limit: int, rounds: int,
    plot: Path | None, say: Callable[[str], None],
) -> list[Row]:  # fmt: skip
    """Return what each drafter brings on ``files`` files of a folder or of an installed package.

    ``limit``: requests of each at most, 0: all of them; ``rounds``: of measuring what a step takes.

    Raises:
        UsageError: there is no such folder, no function in it, or this engine has no drafts.
    """
    from eval.bench.replayed import TOKENS, Reader, functions, one_thread, replay

    texts = sources(workspace)
    typed = functions(texts, files)
    prepare(config.model)
    checkpoint = load_checkpoint(config.model.path)
    reader = Reader(_model(checkpoint), CANDIDATES)
    with one_thread():
        requests = list(replay(checkpoint, reader, texts, typed, limit, say))
    del reader
    paths = [path for path, _, _ in typed]
    tallies: dict[str, Tally] = {}
    for name, drafter in drafters(checkpoint, _seen(checkpoint, texts, paths)).items():
        tallies[name] = simulate(requests, drafter, max_tokens=TOKENS)
        say(f"{name}: {_shown(tallies[name])}")
    if not tallies[NONE].steps:
        raise CaretError("every answer has one token; there is nothing to draft")
    wrong = checkpoint.vocabulary.special[checkpoint.template.sentinels[0]]
    prompt = list(requests[len(requests) // 2].prompt)[: checkpoint.context_tokens // 2]
    measured = await costs(checkpoint, config.model, prompt, wrong, rounds, say)
    if plot is not None:
        draw(tallies, plot, f"{checkpoint.name}: tokens a step on replayed typing")
    return table(tallies, between(measured), measured[-1])


NONE = "no drafts"


def drafters(checkpoint: Checkpoint, seen: Mapping[str, Seen]) -> dict[str, Drafter]:
    """Return those that are compared; ``seen``: the workspace without the document, by its path."""
    size, fit = len(checkpoint.vocabulary), checkpoint.workspace_fit
    kept = {*checkpoint.stop_ids, *checkpoint.vocabulary.special_ids}
    path, whole, few = chain(MOST_DRAFTS), tree(LEVELS), tree(FEW_LEVELS)
    found: dict[str, Drafter] = {
        NONE: NoDrafts(),
        "n-gram lookup": NGrams(kept),
        "store, document alone": Stored(size, kept, fit, None),
        "store, workspace": Stored(size, kept, fit, seen),
    }
    for what, shape in (
        (f"recycling, chain of {len(path)}", path),
        (f"recycling, tree of {len(whole)}", whole),
    ):
        for how, hot in (("cold", False), ("hot", True)):
            found[f"{what}, {how}"] = Recycling(shape, hot=hot, prompts=False)
            found[f"{what}, {how}, prompts"] = Recycling(shape, hot=hot, prompts=True)

    def warm(shape: Sequence[Ranks]) -> Recycling:
        return Recycling(shape, hot=True, prompts=True)

    found[f"recycling, chain of {_SHORT}, hot, prompts"] = warm(chain(_SHORT))
    found[f"recycling, tree of {len(few)}, hot, prompts"] = warm(few)
    grams = NGrams(kept, shortest=2)
    found["n-grams of 2 or 3, else recycling, chain"] = Either(grams, warm(path))
    grams = NGrams(kept, shortest=2)
    found[f"n-grams of 2 or 3, else recycling, tree of {len(few)}"] = Either(grams, warm(few))
    stored = Stored(size, kept, fit, seen)
    found[f"store, workspace, else recycling, chain of {_SHORT}"] = Either(
        stored, warm(chain(_SHORT))
    )
    return found


def table(tallies: Mapping[str, Tally], step: Callable[[int], float], alone: float) -> list[Row]:
    """Return three figures of each drafter, and the best promise beside its bar.

    ``step``: the time of one by its rows; ``alone``: of one in an engine without drafts.
    """
    found: list[Row] = []
    promised: dict[str, float] = {}
    for name, tally in tallies.items():
        if name == NONE:
            continue
        promised[name] = tally.took(step) / alone
        found.append(Row(f"tokens a step, {name}", tally.a_step, None, tally.steps))
        found.append(Row(f"share of drafts that is right, {name}", tally.right, None, tally.steps))
        found.append(
            Row(f"time a token promised, {name}, over none", promised[name], None, tally.steps)
        )
    best = min(promised, key=lambda name: promised[name])
    what = f"time a token promised, the best ({best}), over none"
    return [*found, Row(what, promised[best], WORTH, tallies[best].steps)]


def draw(tallies: Mapping[str, Tally], file: Path, title: str) -> None:
    """Draw tokens a step, and the rows that they take; the file's ending decides the format.

    Raises:
        CaretError: matplotlib is missing, or the file cannot be written.
    """
    names = list(tallies)
    figure = new_figure(title, figsize=(9, 0.32 * len(names) + 1.1))
    panels = (
        ("tokens a step", [tally.a_step for tally in tallies.values()]),
        ("rows a step", [tally.rows_a_step for tally in tallies.values()]),
    )
    for at, (what, values) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), at)
        axes.bar_label(axes.barh(names, values, color="#1f6feb"), fmt="%.2f", fontsize=7)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_title(what, fontsize=9)
        axes.tick_params(labelsize=8, labelleft=at == 1)
    save(figure, file)


def _shown(tally: Tally) -> str:
    return (
        f"{tally.a_step:.3f} tokens and {tally.rows_a_step:.2f} rows a step, "
        f"{tally.right:.3f} of the drafts right"
    )


def _model(checkpoint: Checkpoint):
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32).eval()


def _seen(
    checkpoint: Checkpoint, texts: Mapping[str, bytes], paths: Sequence[str]
) -> dict[str, Seen]:
    """Return what requests of each of ``paths`` see of the other files, fitted as the engine does it."""
    store = Store(len(checkpoint.vocabulary))
    for path, text in texts.items():
        store.put(path, checkpoint.encoder.encode(text))
    store.merge()
    work = LeaveOneOut(store, checkpoint.workspace_fit)
    while not work.step(1.0):
        pass
    return {path: Seen(store.view(without=path), work.fit) for path in paths}
