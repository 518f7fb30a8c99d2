"""The learner spread over processes: every one holds a slice of each parameter (FSDP2).

Lives here: the only code that knows of slices. ``fully_shard`` (Zhao et al., arXiv 2304.11277)
gathers a layer's weights when they are needed and hands each process its slice of the summed
gradient; optimisers and the average see slices. What leaves the process is whole: checkpoints and
weights are those of a replicated run, and either goes on from the other's.

Weights stay float32 and autocast does the rest, as in a replicated run, so that the curves agree.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from training.learner import Learner
from training.model import Decoder


def shard(learner: Learner, device: torch.device, processes: int, *, compiled: bool) -> None:
    """Spread ``learner`` in place: each layer, then the rest; compiled layer by layer.

    A whole graph would break at every gathering, so what lies between two is compiled alone.
    """
    mesh = init_device_mesh(device.type, (processes,))
    for layer in cast(Decoder, learner.decoder).model.layers:
        if compiled:
            layer.compile(dynamic=False)
        _sum(fully_shard(layer, mesh=mesh))
    if compiled:
        learner.sums_behind = torch.compile(learner.sums_behind, dynamic=False)
    _sum(fully_shard(learner, mesh=mesh))
    register_fsdp_forward_method(learner, "sums")


def _sum(module: Any) -> None:
    """Gradients are summed, as in a replicated run: the loss is divided before.

    FSDP averages unless told otherwise, and without the second call sums by an operation that
    gloo does not have.
    """
    module.set_gradient_divide_factor(1.0)
    module.set_force_sum_reduction_for_comms(True)


def whole(value: Tensor) -> Tensor:
    """Return the whole of a tensor; of a slice, by a call that every process must make."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def whole_state(value: Any) -> Any:
    """Return a state of nested dicts and lists with whole tensors in it, the slices' in host memory.

    Tensor by tensor, so that no more than one is ever whole on the device.
    """
    if isinstance(value, dict):
        table = cast("dict[Any, Any]", value)
        return {k: whole_state(v) for k, v in table.items()}
    if isinstance(value, list):
        return [whole_state(v) for v in cast("list[Any]", value)]
    return whole(value).cpu() if isinstance(value, DTensor) else value


def like(value: Tensor, parameter: Tensor) -> Tensor:
    """Return a whole ``value`` laid out as ``parameter`` is; nothing is sent."""
    if not isinstance(parameter, DTensor) or isinstance(value, DTensor):
        return value
    value = value.to(parameter.device)
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)


class ShardedMuon(torch.optim.Muon):
    """Muon on slices, with the steps of Muon on whole matrices.

    Momentum is element by element and stays in slices. Only its orthogonalisation needs the whole
    matrix: it is gathered, turned by ``torch.optim.Muon`` itself, and each process keeps its
    slice; one matrix at a time.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Perform a single optimisation step."""
        for group in self.param_groups:
            rate, momentum = float(group["lr"]), group["momentum"]
            for parameter in group["params"]:
                gradient, state = parameter.grad, self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(gradient)
                state["momentum_buffer"].lerp_(gradient, 1 - momentum)
                ahead = gradient.lerp(state["momentum_buffer"], momentum)
                turned = like(_turned(whole(ahead)), parameter)
                parameter.mul_(1 - rate * group["weight_decay"])
                parameter.add_(turned, alpha=rate)


def _turned(update: Tensor) -> Tensor:
    """Return Muon's step at rate 1 for ``update``: one step of it from zero, without memory."""
    step = torch.zeros_like(update, requires_grad=True)
    step.grad = update
    torch.optim.Muon([step], lr=1.0, momentum=0.0, nesterov=False, weight_decay=0.0).step()
    return step.detach()
