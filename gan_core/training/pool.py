"""A pool of earlier outputs, from which a discriminator is shown some again (Shrivastava et al. 2017).

The pool is a group of tensors of a game's memory, so checkpoints have it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def empty_pool(size: int, shape: tuple[int, ...], device: torch.device | str) -> dict[str, Tensor]:
    """Room for ``size`` outputs of ``shape``, none of them there yet."""
    return {
        "outputs": torch.zeros(size, *shape, device=device),
        "filled": torch.zeros((), dtype=torch.int64, device=device),
    }


def pooled(pool: dict[str, Tensor], made: Tensor, generator: torch.Generator) -> Tensor:
    """What a discriminator is shown in place of new outputs ``made`` (n, *shape), detached.

    While there is room each comes back as it is and is kept; afterwards each is, with ½, exchanged for one that was kept.
    """
    made = made.detach()
    outputs, size, filled = pool["outputs"], len(pool["outputs"]), int(pool["filled"])
    if not size:
        return made
    drawn = torch.rand(len(made), 2, generator=generator, device=made.device).tolist()
    shown = []
    for one, (coin, place) in zip(made, drawn, strict=True):
        if filled < size:
            outputs[filled] = one
            filled += 1
            shown.append(one)
        elif coin < 0.5:
            at = int(place * size)
            shown.append(outputs[at].clone())
            outputs[at] = one
        else:
            shown.append(one)
    pool["filled"].fill_(filled)
    return torch.stack(shown)
