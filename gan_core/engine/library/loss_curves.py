"""What a loss asks of one sample, by the logit that D gives it: the value, and the gradient that the player feels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.func import grad_and_value, vmap

from gan_core.config import OBJECTIVES
from gan_core.losses import LOSSES, AdversarialLoss

Array = NDArray[np.float64]


def loss_named(name: str) -> tuple[str, AdversarialLoss]:
    """The loss of that name, or the one that the objective of that name plays with; KeyError for a name that is neither."""
    key = name if name in LOSSES else OBJECTIVES[name].settings["objective"]["loss"]
    return key, LOSSES[key]


def loss_curves(name: str, logits: ArrayLike, *, other_logit: float = 0.0) -> dict[str, Array]:
    """Loss and slope over ``logits`` (n,), for a loss or an objective by name; every array has shape (n,).

    ``G``, ``G_slope``: what G pays for a generated sample with this logit, and the derivative with respect to it.
    ``D_fake``, ``D_fake_slope``: what D pays for that sample. ``D_real``, ``D_real_slope``: what D pays for a real sample
    with this logit. ``logit`` is the input, ``probability`` its sigmoid.

    Where D labels each sample on its own these are its two terms. Otherwise they are the whole loss of a pair, and the
    other sample of the pair has ``other_logit``. A logit that is minus an error is never above 0: NaN there. Penalties
    are no part of it. Values and slopes come from the losses that training uses, by automatic differentiation.
    """
    _, loss = loss_named(name)
    t = torch.as_tensor(np.asarray(logits, dtype=np.float64))
    if t.dim() != 1:
        raise ValueError(f"logits must be a vector, got shape {tuple(t.shape)}")
    other = torch.tensor([other_logit], dtype=t.dtype)
    curves = {"logit": t.numpy().copy(), "probability": torch.sigmoid(t).numpy()}
    for curve, price in _prices(loss, other).items():
        slope, value = vmap(grad_and_value(price))(t)
        curves[curve], curves[f"{curve}_slope"] = value.numpy(), slope.numpy()
    if loss.output == "error":
        impossible = curves["logit"] > 0
        for curve, values in curves.items():
            if curve not in ("logit", "probability"):
                curves[curve] = np.where(impossible, np.nan, values)
    return curves


def _prices(loss: AdversarialLoss, other: Tensor) -> dict[str, Callable[[Tensor], Tensor]]:
    """What one sample costs each player, as functions of its logit, a tensor of no dimension."""
    as_real, as_fake = loss.labels or (lambda t: loss.d_loss(t[None], other), lambda t: loss.d_loss(other, t[None]))
    return {"G": lambda t: loss.g_loss(other, t[None]), "D_fake": as_fake, "D_real": as_real}
