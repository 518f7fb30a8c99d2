"""Two processes take the same steps as one that sees both their gradients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from training.distributed import Group

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


def test_two_processes_see_the_same_sums() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = str(Path(__file__).parents[2])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for rank, worker in enumerate(workers):
        out, _ = worker.communicate()
        assert json.loads(out.splitlines()[-1]) == [
            rank, [[3.0, 3.0]], [1.0, 10.0], [{"rank": 0}, {"rank": 1}], rank == 0,
        ]  # fmt: skip


def test_group_of_one_needs_no_process_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = Group.from_environment()
    assert group.leads
    assert group.sums(1.5) == [1.5]
    assert group.gather("x") == ["x"]
    group.close()
