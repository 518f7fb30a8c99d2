"""λ and λ': what a table says of a match, the file it comes from, and its constants found again."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from completion.errors import CaretError
from completion.workspace.fit import (
    BACKING,
    BUCKETS,
    FILE,
    MOST,
    PRIOR_CASES,
    Fit,
    Tally,
    bucket,
    load_fit,
)
from completion.workspace.trust import fit_trust

places = st.tuples(st.integers(1, 8), st.floats(0.01, 1.0), st.floats(1.0, 1e6))


def tally(*cases: tuple[tuple[int, float, float], int, int]) -> Tally:
    found = Tally()
    for place, hits, misses in cases:
        for hit in [True] * hits + [False] * misses:
            found.add(bucket(*place), hit)
    return found


@given(places)
def test_every_match_has_a_bucket(place: tuple[int, float, float]) -> None:
    assert 0 <= bucket(*place) < BUCKETS


def test_buckets_tell_lengths_shares_and_doublings_apart() -> None:
    kinds = [
        *((length, 0.5, 1.0) for length in range(1, 9)),
        *((1, share, 1.0) for share in (0.1, 0.2, 0.4, 0.7, 0.8, 0.95, 1.0)),
        *((1, 0.5, seen) for seen in (2.0, 4.0, 8.0, 16.0, 32.0)),
    ]
    assert len({bucket(*kind) for kind in kinds}) == len(kinds)
    assert bucket(1, 0.5, 4.0) == bucket(1, 0.55, 7.0)
    assert bucket(8, 1.0, 32.0) == bucket(11, 1.0, 1e9) == BUCKETS - 1


def test_the_plain_form_gives_a_half_where_nothing_is_known() -> None:
    assert Fit().weight(3, 0.5, 2.0, 0.5) == pytest.approx(0.5)
    assert Fit().rate(3, 0.5, 2.0) == pytest.approx(0.5)


def test_a_full_bucket_gives_its_own_rate_and_an_empty_one_that_of_its_share() -> None:
    fit = Fit().on(tally(((4, 1.0, 2.0), 9000, 1000), ((2, 0.5, 4.0), 1000, 9000)))
    assert fit.rate(4, 1.0, 2.0) == pytest.approx(0.9, abs=0.001)
    assert fit.rate(2, 0.5, 4.0) == pytest.approx(0.1, abs=0.001)
    assert fit.rate(8, 1.0, 32.0) == pytest.approx(0.9, abs=0.001), "same share, other length"
    assert fit.rate(8, 0.2, 32.0) == pytest.approx(0.5, abs=0.001), "all there is"


def test_few_cases_move_a_bucket_as_a_beta_prior_says() -> None:
    place = (4, 1.0, 2.0)
    fit = Fit().on(tally((place, 3, 0)))
    rate = (3 + 1) / (3 + 2)
    for _ in range(3):  # share, length and share, bucket
        rate = (3 + BACKING * rate) / (3 + BACKING)
    assert fit.rate(*place) == pytest.approx(rate)
    assert rate < 0.98


def test_a_workspace_outweighs_the_table_that_came_with_the_model() -> None:
    place = (4, 1.0, 2.0)
    model = Fit(a=1.2, b=0.7, c=-0.3).on(tally((place, 90_000, 10_000)))
    assert model.rate(*place) == pytest.approx(0.9, abs=0.001)
    few, many = model.on(tally((place, 0, 10))), model.on(tally((place, 0, 40_000)))
    assert few.rate(*place) == pytest.approx(0.9 * PRIOR_CASES / (PRIOR_CASES + 10), abs=0.005)
    assert many.rate(*place) < 0.2
    assert (many.a, many.b, many.c) == (1.2, 0.7, -0.3)
    assert model.rate(*place) == pytest.approx(0.9, abs=0.001), "untouched"


@given(places, st.floats(0.001, 0.999), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_the_weight_is_the_logistic_form(
    place: tuple[int, float, float], m: float, a: float, b: float, c: float
) -> None:
    fit = Fit(a=a, b=b, c=c).on(tally(((3, 0.5, 2.0), 5, 9)))
    rate = fit.rate(*place)
    x = a * math.log(rate / (1 - rate)) + b * math.log((1 - m) / m) + c
    assert fit.weight(*place, m) == pytest.approx(1 / (1 + math.exp(-x)))


def test_a_fit_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Fit().a = 2.0  # type: ignore[misc]


def test_versions_tell_fits_apart_and_equal_ones_agree() -> None:
    fit = Fit(a=1.1).on(tally(((3, 0.5, 2.0), 5, 9)))
    assert fit.version == Fit(a=1.1).on(tally(((3, 0.5, 2.0), 5, 9))).version
    others = [replace(fit, a=1.2), replace(fit, b=1.2), replace(fit, c=0.1)]
    others.append(fit.on(tally(((3, 0.5, 2.0), 1, 0))))
    assert len({fit.version, *(other.version for other in others)}) == 5


@given(st.lists(st.tuples(places, st.integers(0, 9), st.integers(0, 9)), max_size=4))
def test_json_brings_it_back(cases: list[tuple[tuple[int, float, float], int, int]]) -> None:
    fit = Fit(a=1.3, b=0.1, c=-2.5).on(tally(*cases)).on(tally(*cases))
    again = Fit.from_json(fit.to_json({"packages": ["x 1.0"]}))
    assert again == fit
    assert again.version == fit.version


def _broken(**changes: object) -> str:
    return json.dumps({**json.loads(Fit().to_json()), **changes})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "no JSON object"),
        (_broken(format=2), "format 2"),
        (_broken(a="1"), "a is no number"),
        (_broken(b=True), "b is no number"),
        (_broken(c=float("nan")), "c is nan"),
        (_broken(a=MOST * 2), "a is 40"),
        (_broken(hits=None), "hits is no list"),
        (_broken(hits=[0.0]), f"1 and {BUCKETS} of {BUCKETS}"),
        (_broken(cases=["x"] * BUCKETS), "cases is no number"),
        (_broken(hits=[2.0] * BUCKETS, cases=[1.0] * BUCKETS), "2.0 hits in 1.0 cases"),
        (_broken(hits=[-1.0] * BUCKETS), "-1.0 hits"),
        (_broken(cases=[math.inf] * BUCKETS), "inf cases"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CaretError) as caught:
        load_fit(tmp_path)
    message = caught.value.message
    assert says in message
    assert str(tmp_path / FILE) in message
    assert "\n" not in message


def test_a_model_without_a_file_takes_the_other_one_or_the_plain_form(tmp_path: Path) -> None:
    own, bundled = tmp_path / "own", tmp_path / "bundled"
    own.mkdir()
    bundled.mkdir()
    assert load_fit(own, otherwise=bundled) == Fit()
    (bundled / FILE).write_text(Fit(c=0.5).to_json())
    assert load_fit(own, otherwise=bundled) == Fit(c=0.5)
    (own / FILE).write_text(Fit(c=0.25).to_json())
    assert load_fit(own, otherwise=bundled) == Fit(c=0.25)


def test_maximum_likelihood_finds_the_constants_that_the_cases_were_drawn_with() -> None:
    g = torch.Generator().manual_seed(3)
    n = 60_000
    true = (1.4, 0.6, -0.5)
    rates = torch.rand(n, generator=g, dtype=torch.float64) * 0.96 + 0.02
    m = torch.rand(n, generator=g, dtype=torch.float64) * 0.96 + 0.02
    x = true[0] * torch.logit(rates) - true[1] * torch.logit(m) + true[2]
    # Two laws over ten tokens; the one that comes is drawn from their mixture.
    p = torch.softmax(torch.randn(n, 10, generator=g, dtype=torch.float64) * 3, 1)
    q = torch.softmax(torch.randn(n, 10, generator=g, dtype=torch.float64) * 3, 1)
    weight = torch.sigmoid(x)[:, None]
    came = torch.multinomial((1 - weight) * p + weight * q, 1, generator=g)
    found = fit_trust(rates, m, p.gather(1, came)[:, 0], q.gather(1, came)[:, 0])
    assert found[:3] == pytest.approx(true, abs=0.06)


def test_cases_that_neither_foresaw_do_no_harm() -> None:
    nothing = torch.zeros(50, dtype=torch.float64)
    half = torch.full((50,), 0.5, dtype=torch.float64)
    found = fit_trust(half, half, nothing, nothing)
    assert all(map(math.isfinite, found))
    with pytest.raises(ValueError, match="no cases"):
        fit_trust(*[torch.zeros(0)] * 4)


def test_the_running_form_is_the_fitted_one_with_ones_and_zero() -> None:
    fit = Fit().on(tally(((3, 0.5, 2.0), 500, 500), ((3, 1.0, 2.0), 900, 100)))
    for m in np.linspace(0.01, 0.99, 9).tolist():
        rate = fit.rate(3, 1.0, 2.0)
        form = rate * (1 - m) / (rate * (1 - m) + (1 - rate) * m)
        assert fit.weight(3, 1.0, 2.0, m) == pytest.approx(form)
