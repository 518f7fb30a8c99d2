"""A suite of the harness's own tests: eight hand-made items, one metric, optionally programs."""

from pathlib import Path

from completion.errors import UsageError
from eval.execution.program import Program
from eval.item import Ask, Item, Related, to_text
from eval.suites.base import CUT, Loaded, Suite

TEXTS = (
    "total = price * count", "return total", "name = name.strip()", "x", "", "größe = 3",
    "for row in rows:", "rows.append(row)",
)  # fmt: skip


def item(number, text, kind="", **fields):
    return Item(
        id=f"tiny/{number}",
        prefix=f"# {number}\nimport os\n\ndef f(price, count):\n    ".encode(),
        suffix=b"\n\nprint(1)\n",
        reference=text.encode(),
        path="tiny.py",
        kind=kind,
        **fields,
    )


ITEMS = tuple(item(n, text, "long" if len(text) > 12 else "short") for n, text in enumerate(TEXTS))
RELATED = (Related(path="lib.py", text=b"def g(): ...\n", kind="definition", relevance=0.75),)


class Tiny(Suite):
    """Exact match; nothing is run."""

    name = "tiny"
    version = "1"
    about = "hand-made lines; exact match"
    headline = ("exact", "exact_cut")
    baselines = ()
    items = ITEMS
    sha256 = "a" * 64
    max_tokens = 24

    def load(self, data: Path | None) -> Loaded:
        if data is not None:
            raise UsageError(f"--data {data}: the tiny suite has its own")
        return Loaded(items=list(self.items), data={"source": "tiny", "sha256": self.sha256})

    def ask(self, item):
        return Ask(max_tokens=self.max_tokens)

    def judge(self, item, answers, outcomes):
        answer = answers[0]
        length = float(len(item.reference))
        return {
            "exact": float(answer.raw == item.reference),
            "exact" + CUT: float(answer.cut == item.reference),
            "typed": (length if answer.cut == item.reference else 0.0, length),
        }


class Running(Tiny):
    """The same, by running the text as a program that has to print nothing else."""

    name = "tiny-running"
    headline = ("pass@1",)

    def programs(self, item, answers):
        texts = [
            text for answer in answers for text in (answer.raw, answer.cut) if text is not None
        ]
        return [self._program(item, text) for text in dict.fromkeys(texts)]

    def judge(self, item, answers, outcomes):
        scores = {}
        for name, text in (("pass@1", answers[0].raw), ("pass@1" + CUT, answers[0].cut)):
            passed = text is not None and outcomes[self._program(item, text)].passed
            scores[name] = float(passed)
        return scores

    def _program(self, item, text):
        same = f"assert {to_text(text)!r} == {to_text(item.reference)!r}\n"
        return Program(language="python", source=same)
