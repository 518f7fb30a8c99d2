"""a, b and c of :mod:`completion.workspace.fit`, by maximum likelihood of the mixed law.

Done once for a model, on text that it has not seen. Of every case are known λ, m, and what the model
and the workspace gave to the token that came; E is left out of both.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from completion.workspace.mix_rows import LEAST_DOUBT

_PULL = 1e-4
"""Weight of (a − 1)² + (b − 1)² + c² a case: decides only where the cases say nothing."""


class Trust(NamedTuple):
    """What goes into a ``Fit``."""

    a: float
    b: float
    c: float
    nats: float
    """Mean of −log of the mixed law, outside E."""


def fit_trust(rates: Tensor, certainties: Tensor, p: Tensor, q: Tensor) -> Trust:
    """Return what makes the tokens that came most probable; all arguments have shape (cases,).

    ``rates``: λ. ``certainties``: m. ``p`` and ``q``: of the token that came, each a law outside E.
    Cases in which neither has any probability count as the least that a float64 can tell.

    Raises:
        ValueError: there are none.
    """
    if not len(rates):
        raise ValueError("no cases to fit to")
    rates, certainties, p, q = (part.double() for part in (rates, certainties, p, q))
    odds = torch.logit(rates)
    doubt = -torch.logit(certainties.clamp(LEAST_DOUBT, 1.0 - LEAST_DOUBT))
    plain = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
    abc = plain.clone().requires_grad_()
    least = torch.finfo(torch.float64).tiny
    log_p, log_q = p.clamp_min(least).log(), q.clamp_min(least).log()

    def nats() -> Tensor:
        x = abc[0] * odds + abc[1] * doubt + abc[2]
        ours = torch.nn.functional.logsigmoid(x) + log_q
        return -torch.logaddexp(torch.nn.functional.logsigmoid(-x) + log_p, ours).mean()

    optimiser = torch.optim.LBFGS([abc], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = nats() + _PULL * (abc - plain).square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    a, b, c = abc.detach().tolist()
    return Trust(a, b, c, float(nats().detach()))
