"""From the figures of all runs to what an ablation says: intervals, and a word on each objective.

Lives here: reading a study's folder, and the verdicts. An objective is judged by what its absence
does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from training.ablate.figures import FIGURES, Figure
from training.ablate.rows import ALL_ON, OBJECTIVES, WITHOUT
from training.ablate.statistics import Compared, compare
from training.ablate.study import FIGURES as RUN_FIGURES
from training.ablate.study import STUDY


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One ablation."""

    study: dict[str, Any]
    runs: list[dict[str, Any]]
    """Of each run everything but its scores, all_on first."""
    seeds: list[int]
    """Those that every row has; the others are not in the figures."""
    rows: dict[str, dict[str, Compared]]
    """By row and figure."""
    figures: tuple[Figure, ...]
    """Those of :data:`FIGURES` that have items: middles may be longer than the rows trained on."""

    def effect(self, row: str, figure: Figure) -> int:
        """Return 1 where ``row`` is surely better than all_on, -1 where worse, else 0."""
        return self.rows[row][figure.name].difference.sign * figure.better

    def verdicts(self) -> dict[str, str]:
        """Return ``helps``, ``hurts``, ``both`` or ``cannot be told`` by objective or all_off."""
        found: dict[str, str] = {}
        for row in self.rows:
            if row == ALL_ON:
                continue
            effects = {self.effect(row, figure) for figure in self.figures}
            worse, better = -1 in effects, 1 in effects
            word = "both" if worse and better else "helps" if worse else "hurts"
            found[row.removeprefix(WITHOUT)] = word if worse or better else "cannot be told"
        return found

    def table(self) -> dict[str, Any]:
        """Return all of it for a JSON file."""
        return {
            "study": self.study,
            "objectives": {
                name: OBJECTIVES[name] for run in self.runs for name in run["off"]
            },
            "seeds": self.seeds,
            "runs": self.runs,
            "rows": {
                row: {name: asdict(found) for name, found in figures.items()}
                for row, figures in self.rows.items()
            },
            "verdicts": self.verdicts(),
        }  # fmt: skip


def summarise(folder: Path) -> Summary:
    """Read a study's folder.

    Raises:
        UsageError: it is none, or no seed is done in all its rows yet.
    """
    try:
        study = json.loads((folder / STUDY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"{folder}: holds no ablation; caret ablate --out makes one") from None
    runs = [json.loads(p.read_text("utf-8")) for p in folder.glob(f"runs/*/{RUN_FIGURES}")]
    order = {
        ALL_ON: 0,
        "all_off": 1,
        **{WITHOUT + name: 2 + i for i, name in enumerate(OBJECTIVES)},
    }
    runs.sort(key=lambda run: (order[run["row"]], run["seed"]))
    seeds_of: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        seeds_of[run["row"]].add(run["seed"])
    seeds = sorted(set[int].intersection(*seeds_of.values())) if ALL_ON in seeds_of else []
    if len(seeds_of) < 2 or not seeds:
        raise UsageError(f"{folder}: no seed is done in two rows yet; let caret ablate go on")
    rows: dict[str, dict[str, Compared]] = {row: {} for row in seeds_of}
    whole = _of(runs, ALL_ON, seeds[0])["scores"]
    figures = tuple(figure for figure in FIGURES if whole.get(figure.name))
    for figure in figures:
        scores = {
            row: [_of(runs, row, seed)["scores"][figure.name] for seed in seeds] for row in rows
        }
        for row, compared in compare(scores, ALL_ON).items():
            rows[row][figure.name] = compared
    plain = [{k: v for k, v in run.items() if k != "scores"} for run in runs]
    return Summary(study=study, runs=plain, seeds=seeds, rows=rows, figures=figures)


def _of(runs: list[dict[str, Any]], row: str, seed: int) -> Mapping[str, Any]:
    return next(run for run in runs if (run["row"], run["seed"]) == (row, seed))
