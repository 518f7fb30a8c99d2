"""What a workspace brings, measured: on text that repeats and text that does not, and fitted."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from completion.cli import main
from completion.engine.checkpoint import load_checkpoint
from completion.workspace.fit import FILE, Fit, load_fit
from eval import held_out
from eval.workspace_law import Package, cases, fitted, measure, teacher_forced

CHECKPOINT = load_checkpoint("bundled")
KEPT = sorted({*CHECKPOINT.stop_ids, *CHECKPOINT.vocabulary.special_ids})
SIZE = len(CHECKPOINT.vocabulary)
WORDS = [text.decode() for text in CHECKPOINT.vocabulary.token_bytes if text.isalpha()]


def uniform(ids: np.ndarray) -> torch.Tensor:
    """A model that knows nothing, but gives text a chance."""
    rows = torch.zeros(len(ids), SIZE)
    rows[:, KEPT] = -5.0
    return rows


def package(name: str, *, repeats: bool, most: int = 2) -> Package:
    drawn = random.Random(name)
    lines = [f"    def {drawn.choice(WORDS)}(self): {drawn.choice(WORDS)}\n" for _ in range(40)]
    common = "".join(lines)
    files = {}
    for at in range(4):
        own = " ".join(drawn.choice(WORDS) for _ in range(300))
        files[f"{at}.py"] = (common if repeats else own).encode()
    files["table.py"] = b"1 2 3 4 5 6 7 8 9\n" * 100
    files["short.py"] = b"pass\n"
    return Package(name, files, CHECKPOINT.encoder, most)


def test_tables_and_short_files_belong_to_the_workspace_and_are_not_read() -> None:
    read = package("a", repeats=True, most=9)
    assert sorted(read.read) == ["0.py", "1.py", "2.py", "3.py"]
    assert "table.py" in read.store(without_read=True).paths
    assert "0.py" not in read.store(without_read=True).paths


def test_text_that_repeats_is_foreseen_by_its_workspace_and_other_text_loses_little() -> None:
    found = {}
    for repeats in (True, False):
        whole = package("b", repeats=repeats)
        found[repeats] = measure(whole, uniform, KEPT, Fit(b=0.0).on(whole.tally())).table()
    same, other = found[True], found[False]
    assert same["top1_mixed"] > 0.9
    assert same["bits_per_byte_mixed"] < 0.1 * same["bits_per_byte_model"]
    assert other["top1_mixed"] < 0.3
    assert other["bits_per_byte_mixed"] < 1.1 * other["bits_per_byte_model"]
    ids = sum(len(package("b", repeats=True).ids[path]) - 1 for path in ("0.py", "1.py"))
    assert same["tokens"] == ids


def test_the_models_own_figure_is_that_of_its_law() -> None:
    whole = package("c", repeats=True, most=1)
    figures = measure(whole, uniform, KEPT, Fit()).table()
    (path,) = whole.read
    ids = whole.ids[path][1:]
    size = len(CHECKPOINT.vocabulary.bytes_of(ids.tolist()))
    a_token = math.log2(SIZE - len(KEPT) + len(KEPT) * math.exp(-5.0))
    assert figures["bits_per_byte_model"] == pytest.approx(a_token * len(ids) / size, rel=1e-4)


def test_the_fit_trusts_the_workspace_where_it_was_right_and_the_model_was_not() -> None:
    read = [package(name, repeats=True) for name in ("d", "e")]
    fit, trust = fitted([(one.tally(), cases(one, uniform, KEPT)) for one in read])
    assert all(map(math.isfinite, trust))
    assert fit.weight(8, 1.0, 4.0, 1 / SIZE) > 0.9
    total = sum(sum(one.tally().cases) for one in read)
    assert sum(fit.cases) == total


@pytest.mark.parametrize("size", [1, 5, 9, 10, 23, 64])
def test_every_row_is_read_behind_the_token_before_it_with_half_a_window_in_sight(
    size: int,
) -> None:
    seen: list[int] = []

    def forward(ids: torch.Tensor) -> torch.Tensor:
        seen.append(ids.shape[1])
        places = torch.arange(ids.shape[1])
        return torch.stack([ids[0], places], 1)[None].float()

    rows = teacher_forced(forward, 999, 10)(np.arange(100, 100 + size))
    assert rows.shape == (size, 2)
    assert rows[:, 0].tolist() == [999, *range(100, 99 + size)]
    assert max(seen) <= 10
    assert all(place >= min(at, 4) for at, place in enumerate(rows[:, 1].tolist()))


def test_the_command_measures_a_folder_of_packages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for at in range(3):
            text = f"class Reader{at}:\n" + "    def read(self, path):\n        return path\n" * 20
            (tmp_path / name / f"{at}.py").write_text(text)
    assert main(["eval", "workspace", "--data", str(tmp_path), "--files", "1", "--json", "-"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert set(table["packages"]) == {"one", "two"}
    row = table["packages"]["one"]
    assert row["bits_per_byte_mixed"] < row["bits_per_byte_model"]
    assert table["checksum"] == CHECKPOINT.checksum


def test_what_is_held_out_is_never_fitted_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "workspace", "--fit"]) == 2
    assert "--data" in capsys.readouterr().err


def test_the_bundled_fit_is_of_its_weights_and_of_packages_that_nothing_else_uses() -> None:
    kept = json.loads((CHECKPOINT.path / FILE).read_text())
    assert kept["made_from"]["checksum"] == CHECKPOINT.checksum, f"{FILE} is of other weights"
    fit = load_fit(CHECKPOINT.path)
    assert fit.a > 0
    assert 0 < fit.b < 1, "less trust where the model is certain, but not as much less as it is"
    assert sum(fit.cases) > 100_000
    names = {name.rsplit("-", 1)[0].replace("_", "-") for name in kept["made_from"]["packages"]}
    assert not names & {package.name for package in held_out.packages()}
    card = (CHECKPOINT.path / "MODEL_CARD.md").read_text()
    trained = card[card.index("\nTrained on: ") : card.index("\nHeld out: ")]
    assert not [name for name in names if f" {name} " in trained]
