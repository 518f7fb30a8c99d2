from __future__ import annotations

import math

import pytest
import torch

from tests.training.objectives.pairs import IDS, SIZES, pairs, spelled
from training.objectives import fim
from training.objectives.horizon import FORMS, MASKED, HorizonHead, horizon_labels
from training.recipe import HORIZON_FORMS

X = MASKED


def labelled(
    order: str, prefix: str, middle: str, suffix: str, form: str = "linear"
) -> list[tuple[str, float]]:
    ids = getattr(fim, order)(prefix, middle, suffix, pairs, IDS)
    labels = horizon_labels(ids, len(middle.encode()), SIZES, FORMS[form].target)
    return list(zip(spelled(ids).split(" "), labels, strict=True))


def test_psm_counts_down_to_the_position_that_predicts_the_end() -> None:
    """A label stands at the token behind its position: ``aa`` itself is predicted from <M>."""
    assert labelled("psm", "pp", "aabbccdd", "ss") == [
        ("<P>", X), ("pp", X), ("<S>", X), ("ss", X), ("<M>", X),
        ("aa", X), ("bb", 0.75), ("cc", 0.5), ("dd", 0.25), ("<E>", 0.0),
    ]  # fmt: skip


def test_spm_starts_behind_the_last_token_of_the_prefix() -> None:
    assert labelled("spm", "pppp", "aabb", "ss") == [
        ("<P>", X), ("<S>", X), ("ss", X), ("<M>", X), ("pp", X), ("pp", X),
        ("aa", X), ("bb", 0.5), ("<E>", 0.0),
    ]  # fmt: skip


def test_token_that_straddles_the_cut_counts_to_the_middle() -> None:
    assert labelled("spm", "ppp", "abbcc", "ss") == [
        ("<P>", X), ("<S>", X), ("ss", X), ("<M>", X), ("pp", X),
        ("pa", X), ("bb", 2 / 3), ("cc", 1 / 3), ("<E>", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(("order", "before"), [("psm", "<M>"), ("spm", "pp")])
def test_empty_middle_labels_the_end_alone(order: str, before: str) -> None:
    found = labelled(order, "pp", "", "ss")
    assert found[-2:] == [(before, X), ("<E>", 0.0)]
    assert [label for _, label in found[:-1]] == [X] * (len(found) - 1)


def test_middle_that_lost_its_beginning_is_masked() -> None:
    whole = fim.spm("pp", "aabbcc", "", pairs, IDS)
    cut = [*whole[:3], *whole[5:]]
    assert spelled(cut) == "<P> <S> <M> bb cc <E>"
    assert horizon_labels(cut, len("aabbcc"), SIZES) == [X] * 6
    assert horizon_labels(whole[5:], len("aabbcc"), SIZES) == [X] * 3


def test_loss_is_the_absolute_error_of_what_is_labelled() -> None:
    head = HorizonHead(2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, -1.0]]))
        head.bias.fill_(0.25)
    hidden = torch.tensor([[[0.5, 0.0], [0.0, 0.5], [9.0, 0.0]]])
    assert head(hidden).tolist() == [[0.75, -0.25, 9.25]]
    labels = torch.tensor([[0.5, 0.0, MASKED]])
    assert head.loss(hidden, labels).item() == 0.25 + 0.25
    assert head.count(labels) == 2


def test_recipe_knows_the_forms() -> None:
    assert tuple(FORMS) == HORIZON_FORMS


def test_logarithm_of_what_remains_counts_doublings_in_eighths() -> None:
    """Of eight tokens seven are left behind the first: log2(1 + 7) = 3 of 8 doublings."""
    found = labelled("psm", "pp", "aabbccddeeffgghh", "ss", "log_remaining")
    said = dict(found)
    assert [said[t] for t in ("<P>", "pp", "<S>", "ss", "<M>", "aa")] == [X] * 6
    assert said["bb"] == pytest.approx(3 / 8)
    assert said["ff"] == pytest.approx(2 / 8)
    assert said["hh"] == pytest.approx(1 / 8)
    assert said["<E>"] == 0.0
    assert found[-4:-3] == [("ff", pytest.approx(2 / 8))]
    assert FORMS["log_remaining"].target(255, 300) == pytest.approx(1.0)
    assert labelled("spm", "pp", "", "ss", "log_remaining")[-1] == ("<E>", 0.0)


def test_sigmoid_keeps_the_answer_between_0_and_1() -> None:
    head = HorizonHead(1, FORMS["sigmoid"])
    assert head(torch.zeros(1, 1, 1)).item() == 0.5
    with torch.no_grad():
        head.weight.fill_(1.0)
    hidden = torch.tensor([[[math.log(3)], [-math.log(3)], [50.0]]])
    assert head(hidden).tolist() == [pytest.approx([0.75, 0.25, 1.0])]
    labels = torch.tensor([[0.5, 0.0, MASKED]])
    assert head.loss(hidden, labels).item() == pytest.approx(0.25 + 0.25)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_untrained_head_says_where_its_form_starts(form: str) -> None:
    said = HorizonHead(3, FORMS[form])(torch.randn(1, 2, 3))
    assert said.tolist() == [pytest.approx([FORMS[form].start] * 2)]


def test_bfloat16_hidden_states_are_compared_in_float32() -> None:
    head = HorizonHead(1)
    with torch.no_grad():
        head.weight.fill_(1.0)
        head.bias.fill_(0.001)
    said = head(torch.ones(1, 1, 1, dtype=torch.bfloat16))
    assert said.dtype == torch.float32
    assert said.item() == pytest.approx(1.001, abs=1e-6)
