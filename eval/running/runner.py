"""One run: a suite's items through an engine to a result, in phases that a journal remembers.

1. The items are read and some of them selected.
2. The engine answers, several items at a time.
3. Baselines answer the same items, then all programs are run in the sandbox.
4. Every item is judged as soon as it can be; figures, groups and warnings are made at the end.

Whatever ends it, the same run goes on behind the last answer that was in. How items, prompts and
figures are made is not known here.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from completion.errors import CaretError, UsageError
from completion.together import together
from eval.engines.base import Engine, Identity
from eval.errors import EngineGone
from eval.execution.program import Outcome, Program
from eval.item import Answer, Item
from eval.metrics.by_stop_reason import by_stop_reason
from eval.output import output_file
from eval.result import Result, read_result, write_result
from eval.running import codec, identity, judging
from eval.running.baselines import guess
from eval.running.facets import already_there, by_facet
from eval.running.fingerprint import WITH_MODEL, differences, fingerprint, fingerprint_of
from eval.running.journal import Journal, cached_path, open_journal
from eval.running.progress import RunProgress, duration
from eval.running.selection import select
from eval.suites.base import Draw, Loaded, Scores, Suite
from eval.workspace.others import OtherFiles

IN_FLIGHT = 1
"""Items in flight unless the command says otherwise: only so are greedy answers the same again.

With 8 on two CPU cores a run takes a third of the time, and 17 of 164 raw texts (7 cut ones) came
out otherwise: in bfloat16 the order of sums depends on what else is in the batch.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says of a run."""

    limit: int | None = None
    """``None``: the suite's own; 0: all items."""
    seed: int = 0
    workers: int | None = None
    """Items in flight; ``None``: :data:`IN_FLIGHT`."""
    draw: Draw = field(default_factory=Draw)
    baselines: bool = True
    data: Path | None = None
    output: Path | None = None
    """Where the result goes; ``None``: nowhere."""
    fresh: bool = False
    """Forget what an earlier run left there."""
    others: OtherFiles | None = None
    """What comes along of other files; ``None``: what the items bring."""
    flags: tuple[str, ...] = ()
    """The model's flags, as a server of its own is given them."""


class Run:
    """One suite on one engine; :meth:`result` does it."""

    def __init__(
        self, suite: Suite, engine: Engine, options: Options, progress: RunProgress
    ) -> None:
        self.suite, self.engine, self.options, self.progress = suite, engine, options, progress
        self.was_there = False
        """Whether the result had been made before and was only read."""
        self._items: list[Item] = []
        self._answers: dict[str, list[Answer]] = {}
        self._outcomes: dict[Program, Outcome] = {}
        self._journal: Journal | None = None

    async def result(self) -> Result:
        """Return the result, and write it where the options say.

        Raises:
            UsageError: the data, the options or what lies at the output do not fit.
            EngineGone: the engine went away; the same run goes on when it is back.
            CaretError: the engine cannot be started, or refused an item.
        """
        suite, options = self.suite, self.options
        earlier = self._earlier()
        loaded = suite.load(options.data)
        limit = suite.default_limit if options.limit is None else options.limit
        self._items = _checked(suite, select(loaded.items, limit, options.seed))
        if options.others is not None:
            self._items = options.others.taken(self._items, options.data)
        async with self.engine as engine:
            who = await engine.start()
            settings = self._settings(limit, who)
            print_ = fingerprint(suite, loaded, self._items, settings, engine.name, who)
            if earlier is not None and self._is_same(earlier, print_):
                return earlier
            self._open(print_)
            try:
                await self._answer(settings["workers"])
            except EngineGone as error:
                raise EngineGone(f"{error.message}; {self.standing()}") from error
            except UsageError:
                if not self._there.answers:  # it could never have worked: nothing to go on with
                    self._there.remove()
                raise
            except CaretError as error:
                raise CaretError(
                    f"{error.message}; {self.standing()}", exit_code=error.exit_code
                ) from error
            finally:
                await suite.stop()
                if options.others is not None:
                    with contextlib.suppress(CaretError):  # of an engine that is gone, too
                        await options.others.close()
        guesses, unable = await self._guess()
        await self._run_programs(guesses)
        result = self._result(loaded, who, settings, guesses, unable)
        if options.output is not None:
            write_result(result, options.output)
        self._there.remove()
        return result

    def standing(self) -> str:
        """Return, in words, what an interrupted run has and how it goes on."""
        if self._journal is None or not self._items:
            return "nothing was answered yet"
        safe = len(self._answers)
        return f"{safe} of {len(self._items)} items are safe; the same command goes on there"

    def close(self) -> None:
        """Let the journal go; it stays where a run has not ended."""
        if self._journal is not None:
            self._journal.close()

    # Phases -----------------------------------------------------------------------------------

    async def _answer(self, workers: int) -> None:
        journal, suite = self._there, self.suite
        for item in self._items:
            if ("", item.id) in journal.answers:
                self._answers[item.id] = journal.answers["", item.id]
        mean = judging.RunningMean(suite.headline[0])
        for item in self._items:
            if item.id in self._answers:
                self._add(mean, item)
        left = [item for item in self._items if item.id not in self._answers]
        if (others := self.options.others) is not None:
            left.sort(key=others.turn)
        todo = iter(left)
        self.progress.phase("answers", len(self._items), len(self._answers))

        async def work() -> None:
            for item in todo:
                answers = await self._asked(item)
                journal.answered("", item.id, answers)
                self._answers[item.id] = answers
                self._add(mean, item)
                self.progress.step(len(self._answers), str(mean))

        await together(work() for _ in range(workers))

    async def _asked(self, item: Item) -> list[Answer]:
        """Return the engine's answers to an item, asked with what comes along of other files."""
        suite, draw, others = self.suite, self.options.draw, self.options.others
        if others is None:
            return await suite.answers(item, self.engine, draw)
        async with others.asked(item, self.engine) as asked:
            return asked.said(await suite.answers(asked.item, self.engine, draw))

    def _add(self, mean: judging.RunningMean, item: Item) -> None:
        """Show the item in the running figure, if it needs no program to be run for that."""
        answers = self._answers[item.id]
        if not self.suite.programs(item, answers):
            mean.add(self.suite.judge(item, answers, {}))

    async def _guess(self) -> tuple[dict[str, dict[str, list[Answer]]], list[str]]:
        """Return each baseline's answers by item, and why one has none."""
        names = (
            self.suite.baselines
            if self.options.baselines and self.engine.name in WITH_MODEL
            else ()
        )
        journal, found, unable = self._there, {}, []
        for name in names:
            mine = {item.id: journal.answers.get((name, item.id), []) for item in self._items}
            todo = [item for item in self._items if not mine[item.id]]
            self.progress.phase(f"baseline {name}", len(mine), len(mine) - len(todo))
            guessed = _Guessed(name, mine, len(todo), journal, self.progress)
            try:
                if todo:
                    await guess(self.suite, todo, name, guessed)
                found[name] = mine
            except ModuleNotFoundError as error:
                unable.append(f"baseline {name} was left out: it needs the package {error.name}")
        return found, unable

    async def _run_programs(self, guesses: dict[str, dict[str, list[Answer]]]) -> None:
        suite, journal = self.suite, self._there
        programs: dict[Program, str] = {}
        for answers in (self._answers, *guesses.values()):
            for item in self._items:
                for program in suite.programs(item, answers[item.id]):
                    programs.setdefault(program, codec.program_key(program))
        self._outcomes = {
            program: journal.outcomes[key]
            for program, key in programs.items()
            if key in journal.outcomes
        }
        todo = [program for program in programs if program not in self._outcomes]
        if not todo:
            return
        from eval.execution.pool import run_programs

        self.progress.phase("programs", len(programs), len(self._outcomes))

        def on_done(program: Program, outcome: Outcome) -> None:
            journal.ran(program, outcome)
            self._outcomes[program] = outcome
            passed = sum(one.passed for one in self._outcomes.values())
            share = f"{100 * passed / len(self._outcomes):.1f} % passed"
            self.progress.step(len(self._outcomes), share)

        self._outcomes.update(await run_programs(todo, on_done=on_done))

    def _result(
        self,
        loaded: Loaded,
        who: Identity,
        settings: dict[str, Any],
        guesses: dict[str, dict[str, list[Answer]]],
        unable: list[str],
    ) -> Result:
        suite, items, seed = self.suite, self._items, self.options.seed
        others = self.options.others
        facets = {
            item.id: {**already_there(item), **(others.facets(item) if others else {})}
            for item in items
        }
        scores = self._judge(self._answers)
        found = judging.metrics(scores, seed=seed)
        baselines = {
            name: judging.baseline(self._judge(answers), seed=seed)
            for name, answers in guesses.items()
        }
        records = [
            judging.record(
                suite,
                item,
                self._answers[item.id],
                scores[item.id],
                self._outcomes,
                facets[item.id],
            )
            for item in items
        ]
        return Result(
            suite=suite.name,
            suite_version=suite.version,
            data={**loaded.data, "items": len(loaded.items)},
            model=asdict(who),
            engine=self.engine.name,
            options=settings,
            caret=identity.caret(),
            machine=identity.machine(),
            started=self._there.started,
            seconds=round(self._there.seconds, 1),
            metrics=found,
            groups=judging.groups(items, scores, seed=seed),
            facets=by_facet(facets, scores, seed=seed),
            endings=by_stop_reason(records, seed=seed),
            latency=judging.latencies(self._answers),
            baselines=baselines,
            warnings=[
                *judging.beaten(suite.headline, found, baselines),
                *judging.few_items(len(items)),
                *loaded.warnings,
                *(others.warnings if others else []),
                *_not_published(suite, loaded),
                *judging.skipped(self._outcomes),
                *unable,
            ],
            items=records,
        )

    def _judge(self, answers: dict[str, list[Answer]]) -> dict[str, Scores]:
        return {
            item.id: self.suite.judge(item, answers[item.id], self._outcomes)
            for item in self._items
        }

    # What an earlier run left -----------------------------------------------------------------

    def _settings(self, limit: int, who: Identity) -> dict[str, Any]:
        draw = self.options.draw
        workers = self.options.workers or IN_FLIGHT
        if self.suite.one_at_a_time and workers > 1:
            self.progress.say(f"{self.suite.name} has one item in flight; --workers is left aside")
            workers = 1
        return {
            "limit": limit,
            "seed": self.options.seed,
            "samples": draw.samples,
            "temperature": draw.temperature,
            "top_p": draw.top_p,
            "healing": draw.healing,
            "baselines": self.options.baselines,
            "flags": list(self.options.flags),
            "workers": workers,
            **({"other_files": others.settings()} if (others := self.options.others) else {}),
        }

    def _earlier(self) -> Result | None:
        """Return the result that lies at the output already.

        Raises:
            UsageError: something else does, or it cannot be written there.
        """
        output = self.options.output
        if output is None:
            return None
        output_file("--json", output)
        if self.options.fresh or not output.exists():
            return None
        try:
            return read_result(output)
        except UsageError as error:
            raise UsageError(f"{error.message}; --fresh writes over it") from None

    def _is_same(self, earlier: Result, wanted: dict[str, Any]) -> bool:
        assert self.options.output is not None
        wrong = differences(fingerprint_of(earlier), wanted)
        if wrong:
            raise UsageError(
                f"{self.options.output} is the result of another run: {'; '.join(wrong)}; give "
                "another --json FILE, or --fresh to write over it"
            )
        self.was_there = True
        _partial(self.options.output).unlink(missing_ok=True)  # killed between result and journal
        return True

    def _open(self, wanted: dict[str, Any]) -> None:
        output = self.options.output
        path = _partial(output) if output is not None else cached_path(wanted)
        self._journal = open_journal(path, wanted, fresh=self.options.fresh)
        if self._journal.answers:
            spent = duration(self._journal.seconds)
            self.progress.say(f"going on with the run of {self._journal.started} ({spent} so far)")

    @property
    def _there(self) -> Journal:
        assert self._journal is not None
        return self._journal


@dataclass(slots=True)
class _Guessed:
    """Takes a baseline's answers in."""

    name: str
    answers: dict[str, list[Answer]]
    left: int
    journal: Journal
    progress: RunProgress

    def __call__(self, item: Item, answers: list[Answer]) -> None:
        """Keep the answers of one item."""
        self.journal.answered(self.name, item.id, answers)
        self.answers[item.id] = answers
        self.left -= 1
        self.progress.step(len(self.answers) - self.left)


def _checked(suite: Suite, items: list[Item]) -> list[Item]:
    if not items:
        raise UsageError(f"{suite.name}: the data has no items")
    if len({item.id for item in items}) < len(items):
        raise UsageError(f"{suite.name}: the data has an item twice, and answers are kept by id")
    return items


def _partial(output: Path) -> Path:
    return output.with_name(output.name + ".partial")


def _not_published(suite: Suite, loaded: Loaded) -> list[str]:
    if not suite.published or loaded.data.get("published", True):
        return []
    if any("published" in warning for warning in loaded.warnings):
        return []
    return ["the data is not the published set: published figures are of other items"]
