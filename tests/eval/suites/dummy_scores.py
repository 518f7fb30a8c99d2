"""What the engines that know the answers score on a file: shared by the suites' tests."""

from __future__ import annotations

from pathlib import Path

from eval.engines.base import Engine
from eval.engines.dummies import Oracle, Silent
from eval.item import Answer
from eval.metrics.summary import summarise
from eval.suites import suite_named
from eval.suites.base import Draw, Scores, Suite

HAND_MADE = Path(__file__).parents[1] / "data"


async def figures(name: str, path: Path, engine: type[Engine]) -> dict[str, float]:
    """Return the figure of each metric."""
    return {key: found.value for key, found in summarise(await by_item(name, path, engine)).items()}


async def by_item(name: str, path: Path, engine: type[Engine]) -> dict[str, Scores]:
    """Return each item's scores."""
    suite = suite_named(name)
    found: dict[str, Scores] = {}
    async with engine() as answers:
        for item in suite.load(path).items:
            found[item.id] = suite.judge(item, await suite.answers(item, answers, Draw()), {})
    return found


async def holds_for_dummies(name: str, path: Path, metrics: tuple[str, ...]) -> None:
    """Assert that the oracle has 1 and silence 0 in ``metrics``, raw and cut."""
    right, none = await figures(name, path, Oracle), await figures(name, path, Silent)
    for metric in metrics:
        for end in ("", "_cut"):
            assert right[metric + end] == 1.0, metric + end
            assert none[metric + end] == 0.0, metric + end


def said(suite: Suite, path: Path, text: str, *, at: int = 0) -> Scores:
    """Return the scores of one text, raw and cut, for the item at ``at``."""
    item = suite.load(path).items[at]
    answer = Answer(raw=text.encode(), cut=text.encode(), raw_end="model")
    return suite.judge(item, [answer], {})
