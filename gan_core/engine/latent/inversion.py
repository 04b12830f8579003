"""The z of a picture that has none: found by descent on what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

RATE, PULL, SPREAD = 0.1, 0.0005, 0.5
"""Of Adam; the weight of ‖z‖², which keeps z where draws lie; the standard deviation of the first z."""


class Found(NamedTuple):
    """The best z (n, d) of each x so far, and the mean squared error (n,) of what is made of it, in the units of x."""

    step: int
    z: Tensor
    error: Tensor


def search(
    make: Callable[[Tensor], Tensor],
    x: Tensor,
    starts: Tensor,
    steps: int,
    *,
    rate: float = RATE,
    pull: float = PULL,
) -> Iterator[Found]:
    """Minimise mean (make(z) − x)² + ``pull`` ‖z‖² from every z of ``starts`` (s, n, d) with Adam; the best start wins.

    ``make`` is differentiable, (m, d) → (m, …); x is (n, …). One `Found` before the first step and one after each.
    """
    count, n, d = starts.shape
    z = starts.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=rate)
    best, least = starts[0].clone(), torch.full((n,), torch.inf)
    for step in range(steps + 1):
        with torch.enable_grad():
            made = make(z.reshape(count * n, d)).reshape(count, n, *x.shape[1:])
            error = (made - x).square().flatten(2).mean(2)
            loss = (error + pull * z.square().sum(2)).sum()
        now, who = error.detach().min(0)
        better = now < least
        best = torch.where(better[:, None], z.detach()[who, torch.arange(n)], best)
        least = torch.where(better, now, least)
        yield Found(step, best, least)
        if step < steps:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
