"""The mixed law against its definition, computed slowly, and where it has to leave a row alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from completion.workspace.mix import Mixed, Mixer
from completion.workspace.mix_batch import mix_batch
from completion.workspace.mix_rows import LEAST_DOUBT, Entry, mix_rows

SIZE = 12
PADDED = 14
KEPT = (0, 3)


@dataclass(frozen=True)
class Match:
    length: int
    ids: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def seen(self) -> float:
        return sum(self.weights)

    @property
    def share(self) -> float:
        return max(self.weights) / self.seen


@dataclass(frozen=True)
class Weights:
    """logit λ' = r + b logit(1 − m), whatever was found."""

    r: float
    b: float = 1.0

    def terms(self, length: int, share: float, seen: float) -> tuple[float, float]:
        return self.r, self.b


def by_definition(
    logits: list[float], match: Match | None, fit: Weights, kept: tuple[int, ...] = KEPT
) -> dict[int, float]:
    """Return p_mix as the law is written, in float64 and with dictionaries."""
    kept = (*kept, *range(SIZE, len(logits)))
    top = max(logits)
    raw = {t: math.exp(value - top) for t, value in enumerate(logits)}
    whole = sum(raw.values())
    p = {t: value / whole for t, value in raw.items()}
    q: dict[int, float] = {}
    if match is not None:
        for t, weight in zip(match.ids, match.weights, strict=True):
            if t not in kept and logits[t] > -math.inf:
                q[t] = weight
    if not q:
        return p
    q = {t: weight / sum(q.values()) for t, weight in q.items()}
    m = min(max(max(p.values()), LEAST_DOUBT), 1 - LEAST_DOUBT)
    x = fit.r + fit.b * math.log((1 - m) / m)
    weight = 1 / (1 + math.exp(-x))
    outside = sum(value for t, value in p.items() if t not in kept)
    mixed = dict(p)
    for t in p:
        if t not in kept:
            rest = (1 / (1 + math.exp(x))) * p[t] / outside if outside else 0.0
            mixed[t] = outside * (rest + weight * q.get(t, 0.0))
    return mixed


def law(row: Tensor) -> list[float]:
    return torch.softmax(row.double(), 0).tolist()


def mixed_row(logits: list[float], match: Match, fit: Weights) -> tuple[list[float], Mixed | None]:
    rows = torch.tensor([logits], dtype=torch.float64)
    (what,) = Mixer(KEPT, SIZE).mix(rows, [match], [fit])
    return law(rows[0]), what


matches = st.lists(st.integers(0, SIZE - 1), unique=True, min_size=1, max_size=6).flatmap(
    lambda ids: st.builds(
        Match,
        st.integers(1, 8),
        st.just(tuple(ids)),
        st.lists(st.integers(1, 50), min_size=len(ids), max_size=len(ids)).map(tuple),
    )
)
masked = st.one_of(st.floats(-30, 30), st.floats(-700, 700), st.just(-math.inf))
logits_rows = st.lists(masked, min_size=PADDED, max_size=PADDED).filter(
    lambda row: max(row) > -math.inf
)
fits = st.builds(Weights, st.floats(-30, 30), st.floats(0, 2))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(logits_rows, st.none() | matches, fits), min_size=1, max_size=5))
def test_rows_follow_the_law_as_it_is_defined(
    rows: list[tuple[list[float], Match | None, Weights]],
) -> None:
    logits = torch.tensor([row for row, _, _ in rows], dtype=torch.float64)
    before = logits.clone()
    found = Mixer(KEPT, SIZE).mix(logits, [match for _, match, _ in rows], [f for _, _, f in rows])
    for at, (row, match, fit) in enumerate(rows):
        expected = by_definition(row, match, fit)
        assert sum(expected.values()) == pytest.approx(1.0, abs=1e-9)
        assert law(logits[at]) == pytest.approx(list(expected.values()), rel=1e-8, abs=1e-12)
        if found[at] is None:
            assert torch.equal(logits[at], before[at])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(logits_rows, matches, fits), min_size=2, max_size=4), st.data())
def test_float32_and_bfloat16_come_as_near_as_they_can(
    rows: list[tuple[list[float], Match, Weights]], data: st.DataObject
) -> None:
    dtype, near = data.draw(st.sampled_from([(torch.float32, 3e-4), (torch.bfloat16, 0.06)]))
    wide = torch.tensor([[max(v, -60.0) if v > -math.inf else v for v in r] for r, _, _ in rows])
    logits = wide.clamp(max=60).to(dtype)
    exact = logits.double().tolist()
    Mixer(KEPT, SIZE).mix(logits, [m for _, m, _ in rows], [f for _, _, f in rows])
    assert logits.dtype == dtype
    for at, (_, match, fit) in enumerate(rows):
        expected = list(by_definition(exact[at], match, fit).values())
        # An error of a logit, relative to its size, is an error of the probability by as much.
        scale = 1 + 60 + 30
        assert law(logits[at]) == pytest.approx(expected, rel=near * scale, abs=near)


def test_the_end_keeps_its_probability() -> None:
    row = [1.0, 2.0, 0.5, 1.5, *([0.0] * (PADDED - 4))]
    p = torch.softmax(torch.tensor(row, dtype=torch.float64), 0)
    mixed, _ = mixed_row(row, Match(3, (1, 2), (4, 1)), Weights(3.0))
    for t in (*KEPT, *range(SIZE, PADDED)):
        assert mixed[t] == pytest.approx(float(p[t]), rel=1e-12)
    assert mixed[1] > float(p[1])
    assert mixed[5] < float(p[5])


def test_what_is_kept_or_padding_or_no_token_is_never_said_by_the_workspace() -> None:
    row = [0.1 * t for t in range(PADDED)]
    without, _ = mixed_row(row, Match(2, (5,), (1,)), Weights(1.0))
    mixed, _ = mixed_row(row, Match(2, (5, 0, 13, 99, -1), (1, 7, 7, 7, 7)), Weights(1.0))
    assert mixed == without
    only = torch.tensor([row])
    assert Mixer(KEPT, SIZE).mix(only, [Match(2, (3, 12), (1, 1))], [Weights(1.0)]) == [None]
    assert torch.equal(only, torch.tensor([row]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_without_a_match_and_tokens_that_nothing_was_said_of_stay_bit_identical(
    dtype: torch.dtype,
) -> None:
    torch.manual_seed(5)
    logits = (torch.randn(4, PADDED) * 5).to(dtype)
    before = logits.clone()
    match = Match(4, (6, 9), (2, 1))
    found = Mixer(KEPT, SIZE).mix(logits, [None, match, None, match], [Weights(0.3)] * 4)
    assert [what is None for what in found] == [True, False, True, False]
    assert torch.equal(logits[[0, 2]], before[[0, 2]])
    others = [t for t in range(SIZE) if t not in (*KEPT, 6, 9)]
    assert torch.equal(logits[:, others], before[:, others])
    assert not torch.equal(logits[1], before[1])


def test_a_batch_says_what_its_rows_say_alone() -> None:
    torch.manual_seed(6)
    logits = torch.randn(3, PADDED)
    found = [Match(1, (4,), (2,)), Match(8, (5, 7, 1), (3, 1, 1)), Match(2, (7,), (1,))]
    given_ = [Weights(0.1), Weights(2.0, 0.5), Weights(-1.0)]
    alone = logits.clone()
    mixer = Mixer(KEPT, SIZE)
    mixer.mix(logits, found, given_)
    for at in range(3):
        mixer.mix(alone[at : at + 1], [found[at]], [given_[at]])
    assert torch.equal(logits, alone)


def test_a_masked_token_stays_forbidden_and_the_rest_of_q_takes_its_part() -> None:
    row = [0.0] * PADDED
    row[4] = -math.inf
    mixed, what = mixed_row(row, Match(2, (4, 5), (9, 1)), Weights(1.0))
    assert mixed[4] == 0.0
    assert what is not None
    assert what.workspace_prob(5) == pytest.approx(1.0)
    every = torch.tensor([row])
    every[0, 5] = -math.inf
    before = every.clone()
    Mixer(KEPT, SIZE).mix(every, [Match(2, (4, 5), (9, 1))], [Weights(1.0)])
    assert torch.equal(every, before), "all of q is forbidden: the model's law"


def test_a_token_the_model_rules_out_gets_the_weight_of_the_workspace() -> None:
    row = [0.0] * PADDED
    row[4] = -5000.0
    rows = torch.tensor([row])
    (what,) = Mixer(KEPT, SIZE).mix(rows, [Match(8, (4,), (3,))], [Weights(2.0, 0.0)])
    outside = (SIZE - len(KEPT) - 1) / (PADDED - 1)
    assert law(rows[0])[4] == pytest.approx(outside / (1 + math.exp(-2.0)), rel=1e-5)
    assert what is not None
    assert what.model_prob(4, 0.9) == 0.0


@pytest.mark.parametrize("sure", [60.0, 5000.0])
def test_a_model_that_is_certain_of_the_end_or_of_a_token_gives_finite_rows(sure: float) -> None:
    for t in (KEPT[0], 6):
        row = [0.0] * PADDED
        row[t] = sure
        rows = torch.tensor([row])
        Mixer(KEPT, SIZE).mix(rows, [Match(8, (4,), (3,))], [Weights(12.0)])
        assert torch.isfinite(rows).all()
        expected = by_definition(row, Match(8, (4,), (3,)), Weights(12.0))
        # With m at its limit, half a unit of float32 in m moves 1 − m by 3 %.
        assert law(rows[0]) == pytest.approx(list(expected.values()), rel=0.03, abs=1e-6)


@pytest.mark.parametrize("r", [-500.0, 500.0])
def test_a_weight_of_nearly_zero_or_one_gives_the_law_of_one_of_the_two(r: float) -> None:
    row = [0.3 * t for t in range(PADDED)]
    p = law(torch.tensor(row, dtype=torch.float64))
    mixed, _ = mixed_row(row, Match(8, (4, 7), (1, 3)), Weights(r))
    outside = sum(p[t] for t in range(SIZE) if t not in KEPT)
    if r < 0:
        assert mixed == pytest.approx(p)
    else:
        assert mixed[7] == pytest.approx(0.75 * outside)
        assert mixed[5] == pytest.approx(0.0)


@settings(max_examples=100, deadline=None)
@given(logits_rows.map(lambda row: [min(v, 40.0) for v in row]), matches, fits)
def test_what_was_mixed_can_be_read_back(row: list[float], match: Match, fit: Weights) -> None:
    mixed, what = mixed_row(row, match, fit)
    if what is None:
        return
    assert (what.length, what.share) == (match.length, match.share)
    p = law(torch.tensor(row, dtype=torch.float64))
    assert what.certainty == pytest.approx(max(p))
    outside = sum(p[t] for t in range(SIZE) if t not in KEPT)
    for t in range(PADDED):
        ends = t in KEPT or t >= SIZE
        got = what.model_prob(t, mixed[t], ends=ends)
        assert got == pytest.approx(p[t], rel=1e-4, abs=1e-9) or mixed[t] < 1e-300
        if not ends:
            again = (1 - what.weight) * p[t] + what.weight * outside * what.workspace_prob(t)
            assert mixed[t] == pytest.approx(again, rel=1e-6, abs=1e-9)


def test_an_id_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Mixer((3, -1), SIZE)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(logits_rows, matches, fits), min_size=1, max_size=4), st.booleans())
def test_a_batch_on_the_device_is_mixed_as_rows_on_the_host_are(
    rows: list[tuple[list[float], Match, Weights]], padded: bool
) -> None:
    kept = np.array(KEPT)
    entries: list[Entry] = []
    for at, (_, match, fit) in enumerate(rows):
        q = {t: w for t, w in zip(match.ids, match.weights, strict=True) if t not in KEPT}
        if q:
            weights = np.array(list(q.values()), np.float64)
            entries.append(Entry(at, np.array(list(q)), weights / weights.sum(), fit.r, fit.b))
    if not entries:
        return
    logits = torch.tensor([row for row, _, _ in rows] + [[0.0] * PADDED] * padded)
    logits = logits.double()
    other = logits.clone()
    host = mix_rows(logits, entries, kept)
    device = mix_batch(other, entries, kept).outcome
    assert torch.allclose(logits, other, rtol=1e-9, atol=1e-9)
    for mine, its in zip(host, device, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-6, atol=1e-6)
