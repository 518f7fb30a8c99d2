"""Two processes take the same steps as one that sees both their gradients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.updates import batch, learner_of, loop_of
from training.distributed import Group
from training.learner import accumulate

WORKER = """
import json, sys
import torch
from training.distributed import Group
group = Group.from_environment()
layer = torch.nn.Linear(2, 1, bias=False)
torch.nn.init.ones_(layer.weight)
layer(torch.full((1, 2), float(group.rank + 1))).sum().backward()
group.sum_gradients(layer.parameters())
print(json.dumps([group.rank, layer.weight.grad.tolist(), group.sums(group.rank, 5.0),
                  group.gather({"rank": group.rank}), group.leads]))
group.close()
"""


GRADIENTS = """
import json, torch
from training.distributed import Group
from training.learner import accumulate
from tests.training.updates import batch, learner_of, loop_of
group = Group.from_environment()
learner = learner_of()
losses = accumulate(learner, learner.sums, [batch(group.rank)], group, loop_of(), torch.device("cpu"))
gradients = {n: p.grad.flatten().tolist() for n, p in learner.named_parameters()}
print(json.dumps([losses.nats, losses.means, gradients]))
group.close()
"""


def by_two_processes(code: str) -> list[Any]:
    """What each of two processes prints last, as JSON."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = str(Path(__file__).parents[2])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    return [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]


def test_two_processes_see_the_same_sums() -> None:
    for rank, said in enumerate(by_two_processes(WORKER)):
        assert said == [rank, [[3.0, 3.0]], [1.0, 10.0], [{"rank": 0}, {"rank": 1}], rank == 0]


def test_gradient_with_heads_is_that_of_one_process_with_both_batches() -> None:
    """The batches have different numbers of labels, so a mean in each process would differ."""
    learner = learner_of()
    both = [batch(0), batch(1)]
    counts = [learner.head("horizon").count(b.labels["horizon"]) for b in both]
    assert counts[0] > 2 * counts[1] > 0
    alone = accumulate(learner, learner.sums, both, Group(), loop_of(), torch.device("cpu"))
    for nats, means, gradients in by_two_processes(GRADIENTS):
        assert nats == pytest.approx(alone.nats, rel=1e-5)
        assert means == pytest.approx(alone.means, rel=1e-5)
        assert set(gradients) == {n for n, _ in learner.named_parameters()}
        for name, parameter in learner.named_parameters():
            assert parameter.grad is not None
            assert parameter.grad.abs().max() > 0
            assert gradients[name] == pytest.approx(
                parameter.grad.flatten().tolist(), rel=1e-3, abs=1e-6
            )


def test_group_of_one_needs_no_process_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = Group.from_environment()
    assert group.leads
    assert group.sums(1.5) == [1.5]
    assert group.gather("x") == ["x"]
    group.close()


LEADS = """
import json
from completion.errors import CaretError
from training.distributed import Group
group = Group.from_environment()
def fails():
    raise CaretError("no room", exit_code=1)
said = [group.lead(lambda: group.rank + 7)]
try:
    group.lead(fails)
except CaretError as error:
    said += [error.message, error.exit_code]
print(json.dumps(said))
group.close()
"""


def test_what_the_first_process_cannot_do_fails_every_one() -> None:
    assert by_two_processes(LEADS) == [[7, "no room", 1]] * 2
