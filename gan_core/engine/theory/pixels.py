"""Why reconstructions blur: what one pixel costs under three errors, and what is cheapest for a set of pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from gan_core.data import mnist5k
from gan_core.training.games import coding

Array = NDArray[np.float64]


def _mse(p: Array, guess: Array) -> Array:
    return p * (1 - guess) ** 2 + (1 - p) * guess**2


def _bce(p: Array, guess: Array) -> Array:
    # xlogy: a pixel that never is white costs nothing where black is certain
    cost: Array = -xlogy(p, guess) - xlogy(1 - p, 1 - guess)
    return cost


def _l1(p: Array, guess: Array) -> Array:
    return p * (1 - guess) + (1 - p) * guess


_EXPECTED: dict[str, Callable[[Array, Array], Array]] = {"mse": _mse, "bce": _bce, "l1": _l1}


def expected_error(error: str, p: ArrayLike, guess: ArrayLike) -> Array:
    """What ``guess`` in [0, 1] costs on average for a pixel that is 1 with probability p and else 0.

    ``error`` is ``mse``, ``bce`` (nats) or ``l1``; p and ``guess`` are broadcast. Raises KeyError for another error.
    """
    return _EXPECTED[error](np.asarray(p, dtype=np.float64), np.asarray(guess, dtype=np.float64))


def best_guess(error: str, p: float) -> float:
    """The guess with the least expected error: p for ``mse`` and ``bce``, the median for ``l1``: NaN at p = ½, where every
    guess costs the same. Raises KeyError for another error."""
    if error in ("mse", "bce"):
        return p
    return {"l1": np.nan if p == 0.5 else float(p > 0.5)}[error]


@dataclass(frozen=True)
class DigitSet:
    """MNIST-5k in shares of white, 0 to 1: ``train`` (4000, 784), ``heldout`` (1000, 784), with their classes."""

    train: Array
    heldout: Array
    train_classes: NDArray[np.int64]
    heldout_classes: NDArray[np.int64]


@lru_cache(maxsize=1)
def digit_set() -> DigitSet:
    """The digits, read once."""
    source = mnist5k()
    assert source.y is not None
    x, y = source.x.flatten(1).double().div(255).numpy(), source.y.numpy()
    train, heldout = source.train_index.numpy(), source.heldout_index.numpy()
    return DigitSet(x[train], x[heldout], y[train], y[heldout])


@dataclass(frozen=True)
class Cheapest:
    """The pictures that cost a set (n, d) least: ``mean`` (d,) under MSE and BCE, ``median`` (d,) under L1."""

    mean: Array
    median: Array


def cheapest_pictures(images: Array) -> Cheapest:
    """One picture in place of all of ``images`` (n, d): that with the least total error."""
    return Cheapest(images.mean(0), np.median(images, axis=0))


def grey_share(images: Array) -> float:
    """The share of pixels that are neither black nor white, as the autoencoder's chart counts them."""
    return coding.grey_share(torch.from_numpy(images)).item()
