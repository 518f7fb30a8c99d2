from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from tests.training.updates import LENGTH, MODEL, ROWS, batch, learner_of, loop_of
from training.distributed import Group
from training.learner import Learner, Losses, accumulate
from training.model import Decoder
from training.objectives import horizon, next_type
from training.optim import Optimizers, groups_of
from training.recipe import PLAIN, ObjectivesRecipe, OptimRecipe

CPU = torch.device("cpu")


def update(learner: Learner, *seeds: int) -> Losses:
    return accumulate(learner, learner.sums, [batch(s) for s in seeds], Group(), loop_of(), CPU)


def test_loss_is_the_weighted_sum_of_means_over_their_own_labels() -> None:
    """Spelled out over both batches at once, with autograd for the gradient."""
    learner = learner_of(ObjectivesRecipe(horizon=0.3, next_type=0.2))
    losses = update(learner, 0, 1)
    got = {n: p.grad for n, p in learner.named_parameters()}
    learner.zero_grad()

    ids, targets, share, types = (
        torch.cat([pick(batch(s)) for s in (0, 1)])
        for pick in (
            lambda b: b.ids, lambda b: b.targets, lambda b: b.labels["horizon"],
            lambda b: b.labels["next_type"],
        )
    )  # fmt: skip
    hidden = learner.decoder.model(ids)
    logits = learner.decoder.logits(hidden).flatten(0, 1)
    nats = F.cross_entropy(logits, targets.flatten(), ignore_index=-100, reduction="sum")
    said = learner.head("horizon")(hidden)  # pyright: ignore[reportCallIssue]
    error = F.l1_loss(said[share >= 0], share[share >= 0])
    scores = learner.head("next_type")(hidden).flatten(0, 1)  # pyright: ignore[reportCallIssue]
    wrong = F.cross_entropy(scores, types.flatten(), ignore_index=next_type.MASKED)
    (nats / (2 * ROWS * LENGTH) + 0.3 * error + 0.2 * wrong).backward()

    assert losses.nats == pytest.approx(nats.item(), rel=1e-5)
    assert losses.means == {
        "horizon": pytest.approx(error.item(), rel=1e-5),
        "next_type": pytest.approx(wrong.item(), rel=1e-5),
    }
    for name, parameter in learner.named_parameters():
        assert torch.allclose(got[name], parameter.grad, rtol=1e-4, atol=1e-6), name


def test_plain_learner_has_the_decoders_loss_and_gradient_to_the_bit() -> None:
    learner = learner_of(PLAIN)
    assert not list(learner.heads.parameters())
    losses = update(learner, 0, 1)
    assert losses.means == {}
    torch.manual_seed(5)
    decoder, nats = Decoder(MODEL), 0.0
    for seed in (0, 1):
        loss = decoder.loss(batch(seed).ids, batch(seed).targets)
        (loss / loop_of().batch_tokens).backward()
        nats += float(loss.detach())
    assert losses.nats == nats
    for (name, ours), (_, theirs) in zip(
        learner.decoder.named_parameters(), decoder.named_parameters(), strict=True
    ):
        assert torch.equal(ours.grad, theirs.grad), name


def test_heads_change_neither_the_decoders_start_nor_the_random_state() -> None:
    torch.manual_seed(9)
    plain, after = Learner(MODEL, PLAIN), torch.rand(3)
    torch.manual_seed(9)
    headed, then = Learner(MODEL, ObjectivesRecipe()), torch.rand(3)
    assert set(headed.heads) == {"horizon", "next_type"}
    assert torch.equal(after, then)
    for name, value in plain.decoder.state_dict().items():
        assert torch.equal(value, headed.decoder.state_dict()[name])


def test_batch_without_a_label_gives_a_head_no_gradient_and_no_nan() -> None:
    learner, empty = learner_of(), batch(0)
    empty.labels["horizon"].fill_(horizon.MASKED)
    empty.labels["next_type"].fill_(next_type.MASKED)
    losses = accumulate(learner, learner.sums, [empty], Group(), loop_of(), CPU)
    assert losses.means == {"horizon": 0.0, "next_type": 0.0}
    for name, parameter in learner.named_parameters():
        assert torch.isfinite(parameter.grad).all()
        if name.startswith("heads."):
            assert torch.all(parameter.grad == 0)


@pytest.mark.parametrize("objectives", [PLAIN, ObjectivesRecipe()])
def test_whole_loss_is_one_graph(objectives: ObjectivesRecipe) -> None:
    learner = learner_of(objectives)
    whole = torch.compile(learner.sums, dynamic=False, fullgraph=True, backend="eager")
    b = batch(0)
    inputs = (b.ids, b.targets, *(b.labels[n] for n in learner.weights))
    assert torch.equal(whole(*inputs), learner.sums(*inputs))


def test_bfloat16_is_near_float32() -> None:
    learner = learner_of()
    exact, rounded = update(learner, 0), learner_of()
    loop = replace(loop_of(), bfloat16=True)
    near = accumulate(rounded, rounded.sums, [batch(0)], Group(), loop, CPU)
    assert near.nats == pytest.approx(exact.nats, rel=0.02)
    assert near.means == pytest.approx(exact.means, rel=0.02)


def test_heads_are_trained_by_adamw_and_learn() -> None:
    learner = learner_of()
    names = {name for name, _ in groups_of(learner)["embedding"]}
    assert names >= {f"heads.{n}" for n, _ in learner.heads.named_parameters()}
    optimizers = Optimizers(learner, OptimRecipe(embedding_lr=0.02))
    first = update(learner, 1)
    for _ in range(30):
        optimizers.step(1.0)
        last = update(learner, 1)
    assert last.means["horizon"] < 0.7 * first.means["horizon"]
    assert last.means["next_type"] < 0.7 * first.means["next_type"]
