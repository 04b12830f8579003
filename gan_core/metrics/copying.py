"""Whether samples are copies of the training data: an exact permutation test, and the pairs that come closest.

If a generator does not know which real samples were its training set, the words "training" and "held out" could be dealt to
the real samples anew, whatever the generator is. So the test is exact: a collapsed generator, whose samples all have the same
few neighbours, widens the null instead of raising an alarm, as tests of independent samples do (Meehan et al. 2020).

The distance must not be fitted on the training set alone (a PCA or a whitening of it spreads it out, and makes new samples look
far from it); pixels are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

Verdict = Literal["copies", "no sign of copying", "cannot be told"]

DEALS = 2_000
ALARM, CALM = 3.5, 2.0
"""Standard deviations from which on it is copying, and below which there is no sign of it."""
SHARE = 0.1
"""Of the samples, what has to be copies for a verdict: by so much of its way from chance to 1 the share of neighbours is up."""
FEWEST_NEIGHBOURS, ENOUGH_NEIGHBOURS = 10, 20
"""Distinct neighbours: k of them cannot give a p below 2^−k."""
PAIRS = 12


@dataclass(frozen=True)
class Copying:
    """``near`` is the share of the ``samples`` whose nearest real sample is a training one; ``chance`` is its mean over all
    deals of the words, ``z`` how many standard deviations it lies above, and ``p`` the share of deals that read as much.

    ``training`` and ``held_out`` are how many real samples there are on each side, ``neighbours`` how many of them are the
    nearest of some sample, ``both`` how many held-out ones are training ones too. A share of copies below ``seen_from`` is
    missed more often than it is found; it is above 1 where nothing could be found.
    """

    samples: int
    training: int
    held_out: int
    near: float
    chance: float
    z: float
    p: float
    neighbours: int
    both: int
    seen_from: float

    @property
    def excess(self) -> float:
        """How far ``near`` is on its way from chance, 0, to every sample, 1: about the share of copies."""
        return (self.near - self.chance) / (1 - self.chance)

    @property
    def verdict(self) -> Verdict:
        if self.neighbours < FEWEST_NEIGHBOURS:
            return "cannot be told"
        if self.z > ALARM and self.excess > SHARE:
            return "copies"
        calm = abs(self.z) < CALM and self.neighbours >= ENOUGH_NEIGHBOURS and self.seen_from <= 1
        return "no sign of copying" if calm else "cannot be told"

    @property
    def sentence(self) -> str:
        """The verdict with what it rests on. A test without a finding is no guarantee, and does not say so."""
        seen = f"{self.near:.0%} of {self.samples:,} samples are nearest to a training picture"
        odds = f"{self.z:+.1f} standard deviations from the {self.chance:.0%} of chance"
        if self.verdict == "copies":
            said = f"Copies: {seen}, {odds} (p {_p(self.p)}). That is as if {self.excess:.0%} were copies."
        elif self.verdict == "no sign of copying":
            said = (
                f"No sign of copying: {seen}, {odds}. Copies among fewer than about {self.seen_from:.0%} of the samples would "
                "go unseen, and no finding is no guarantee."
            )
        else:
            said = f"Cannot be told: {self._why()}"
        held = "picture is" if self.both == 1 else "pictures are"
        return said if not self.both else f"{said} {self.both:,} held-out {held} in the training set too."

    def _why(self) -> str:
        if self.neighbours < FEWEST_NEIGHBOURS:
            few = "picture" if self.neighbours == 1 else "pictures"
            return (
                f"all {self.samples:,} samples are nearest to {self.neighbours} {few}; whether they are copies does not show "
                "in so few."
            )
        if self.seen_from > 1:
            return f"most samples are nearest to a few of the {self.neighbours} pictures; even copies alone would not show."
        return (
            f"{self.near:.0%} of {self.samples:,} samples are nearest to a training picture, and chance is {self.chance:.0%}: "
            f"{self.z:+.1f} standard deviations, among {self.neighbours} distinct pictures. That is neither a finding nor none."
        )


@dataclass(frozen=True)
class Pair:
    """A sample beside its nearest training and its nearest held-out picture, all by index; ``ratio`` is the distance to the
    first over that to the second: 0 for a copy, near 1 for a sample that knows neither."""

    sample: int
    training: int
    held_out: int
    ratio: float


def squared_distances(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Squared Euclidean distances (m, n) of samples (m, …) and (n, …); exact for integers, so that ties are ties."""
    left, right = (np.asarray(x).reshape(len(np.asarray(x)), -1) for x in (a, b))
    if not all(np.issubdtype(x.dtype, np.integer) for x in (left, right)):
        found: NDArray[np.float64] = cdist(left.astype(np.float64), right.astype(np.float64), "sqeuclidean")
        return found
    one, other = left.astype(np.float64), right.astype(np.float64)  # sums of products of bytes stay far below 2^53
    sizes = (one * one).sum(1)[:, None] + (other * other).sum(1)
    return sizes - 2 * (one @ other.T)


def copying(to_training: ArrayLike, to_held_out: ArrayLike, both: int = 0, seed: int = 0) -> Copying:
    """The exact test, from the distances of m samples to the training (m, n) and to the held-out pictures (m, n').

    ``near`` = Σ_{j∈T} c_j / m, where c_j counts the samples whose nearest real sample is j, a tie dealt evenly. Drawing n of
    n + n' without replacement gives its mean m n / (n + n') and its variance n n' / (n + n') S², with S² the variance of the
    counts; p is from `DEALS` shuffles of the words. Floor: ``near`` = n / (n + n') for an honest generator, collapsed or not;
    1 for a copy machine. Raises ValueError without samples on each side, and for distances that are not finite.
    """
    training, held_out = np.asarray(to_training, np.float64), np.asarray(to_held_out, np.float64)
    if (
        training.ndim != 2
        or held_out.ndim != 2
        or len(training) != len(held_out)
        or not training.size
        or not held_out.size
    ):
        raise ValueError(f"distances (m, n) and (m, n') are needed, got {training.shape} and {held_out.shape}")
    distance = np.concatenate([training, held_out], axis=1)
    if not np.isfinite(distance).all():
        raise ValueError("distances hold values that are not finite")
    m, n, real = len(distance), training.shape[1], distance.shape[1]
    nearest = distance == distance.min(axis=1, keepdims=True)
    counts = (nearest / nearest.sum(axis=1, keepdims=True)).sum(axis=0)
    hits, chance = float(counts[:n].sum()), n / real
    spread = sqrt(n * (real - n) / real * counts.var(ddof=1))
    return Copying(
        samples=m,
        training=n,
        held_out=real - n,
        near=hits / m,
        chance=chance,
        z=(hits - m * chance) / spread if spread else 0.0,
        p=_dealt(counts, n, hits, seed),
        neighbours=int(np.count_nonzero(counts)),
        both=both,
        seen_from=max(SHARE, ALARM * spread / (m * (1 - chance))),
    )


def closest_pairs(to_training: ArrayLike, to_held_out: ArrayLike, most: int = PAIRS) -> list[Pair]:
    """The samples that are nearest to the training pictures, measured by their distance to the held-out ones.

    From squared distances (m, n) and (m, n'), the smallest ratio first; of samples that are the same only one.
    """
    squared = [np.asarray(x, np.float64) for x in (to_training, to_held_out)]
    at = [x.argmin(axis=1) for x in squared]
    training, held_out = (np.sqrt(x.min(axis=1)) for x in squared)
    ratio = np.divide(training, held_out, out=np.where(training > 0, np.inf, 1.0), where=held_out > 0)
    pairs: list[Pair] = []
    known: set[tuple[int, float]] = set()
    for sample in np.argsort(ratio, kind="stable").tolist():
        alike = (int(at[0][sample]), float(training[sample]))
        if alike not in known:
            known.add(alike)
            pairs.append(Pair(sample, alike[0], int(at[1][sample]), float(ratio[sample])))
        if len(pairs) == most:
            break
    return pairs


def in_both(training: ArrayLike, held_out: ArrayLike) -> int:
    """How many held-out pictures are training pictures too, byte for byte."""
    known = {row.tobytes() for row in np.ascontiguousarray(training)}
    return sum(row.tobytes() in known for row in np.ascontiguousarray(held_out))


def _dealt(counts: NDArray[np.float64], n: int, hits: float, seed: int) -> float:
    """The share of deals of n words "training" that read as many hits or more; the one at hand is among them."""
    draw = np.random.default_rng(seed)
    at_once = max(1, isqrt(4_000_000) * 1_000 // len(counts))
    reached, left = 0, DEALS
    while left:
        some = min(left, at_once)
        order = draw.random((some, len(counts))).argpartition(n - 1, axis=1)[:, :n]
        reached += int((counts[order].sum(axis=1) >= hits - 1e-9).sum())
        left -= some
    return (1 + reached) / (1 + DEALS)


def _p(p: float) -> str:
    return f"< {2 / DEALS:g}" if p < 2 / DEALS else f"{p:.2g}"
