"""The best discriminator of pairs (x, z), as BiGAN and ALI have one, where x and z take K values each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PairGame:
    """``p_E`` and ``p_G`` (K, K): how likely a pair (x, z) is that E, or G, makes; a row per x.

    ``D`` (K, K) is the best discriminator, p_E / (p_E + p_G), NaN where no pair ever comes; ``value`` what the game is then
    worth: 2 JS(p_E, p_G) − log 4, and −log 4 only where both are the same (Donahue et al. 2017, theorem 1).
    """

    p_E: Array
    p_G: Array
    D: Array
    value: float


def pair_game(p_E: Array, p_G: Array) -> PairGame:
    """The best D of two joint distributions (K, K), each of which sums to 1."""
    both = p_E + p_G
    D = np.divide(p_E, both, out=np.full_like(both, np.nan), where=both > 0)
    seen = np.nan_to_num(D)
    value = xlogy(p_E, seen).sum() + xlogy(p_G, 1 - seen).sum()
    return PairGame(p_E, p_G, D, float(value))


def right_pairs(size: int, right: int) -> PairGame:
    """G gives the i-th x for the i-th of ``size`` z. E finds the z of the first ``right`` x, and takes the next one for the
    others. Raises ValueError unless 0 ≤ ``right`` ≤ ``size`` and ``size`` ≥ 2.
    """
    if size < 2 or not 0 <= right <= size:
        raise ValueError(f"of {size} pairs {right} cannot be right")
    x = np.arange(size)
    p_E, p_G = np.zeros((size, size)), np.eye(size) / size
    p_E[x, np.where(x < right, x, (x + 1) % size)] = 1 / size
    return pair_game(p_E, p_G)


def swapped_pairs(size: int) -> PairGame:
    """E is right for every x, but D sees x beside the code of another: the two are independent. Raises ValueError below 2."""
    if size < 2:
        raise ValueError(f"{size} values leave no other to swap with")
    return pair_game(np.full((size, size), size**-2.0), np.eye(size) / size)
