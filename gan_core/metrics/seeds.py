"""What several seeds say: a mean and how sure it is, and whether two variants differ beyond chance.

Two runs with the same seed begin with the same weights and see the same data, so variants are compared seed by seed: the
spread between seeds, which is often larger than what is looked for, falls out of the difference.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import special

MOST_SEEDS = 50  # that are worth asking for
EXACT_UP_TO = 6  # seeds: 6⁶ = 46,656 samples with replacement can all be counted
RESAMPLES = 20_000


@dataclass(frozen=True)
class Interval:
    """A mean of ``n`` values, their standard deviation, and the interval that holds the true mean; NaN where unknown."""

    n: int
    mean: float
    std: float
    low: float
    high: float

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2

    @property
    def without_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Difference:
    """``a`` minus ``b``, seed by seed: Student's interval and the bootstrap's. They differ where both leave out zero."""

    student: Interval
    bootstrap: Interval

    @property
    def n(self) -> int:
        return self.student.n

    @property
    def distinguishable(self) -> bool:
        return self.student.without_zero and self.bootstrap.without_zero


def student_interval(values: np.ndarray, level: float = 0.95) -> Interval:
    """The mean of ``values`` (n,) with Student's interval: mean ± t s / √n.

    Right for a few seeds where the values are about normal. One value has no interval, and none has no mean.
    """
    values = _finite(values)
    mean, std, half = (float(column[0]) for column in student_columns(values[:, None], level))
    return Interval(len(values), mean, std, mean - half, mean + half)


def student_columns(rows: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation and half of Student's interval, each (n,), of the finite values in each column of (k, n).

    NaN where a column has none; of one value there is a mean alone.
    """
    rows = np.asarray(rows, np.float64)
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    one, two = np.where(count > 0, count, np.nan), np.where(count > 1, count, np.nan)
    mean = np.where(known, rows, 0.0).sum(axis=0) / one
    std = np.sqrt((np.where(known, rows - mean, 0.0) ** 2).sum(axis=0) / (two - 1))
    return mean, std, special.stdtrit(two - 1, (1 + level) / 2) * std / np.sqrt(two)


def seeds_for(std: float, half: float, level: float = 0.95) -> int | None:
    """The least number of seeds whose Student's interval is at most ``half`` wide on each side, at this spread of one seed.

    None where more than ``MOST_SEEDS`` would not do, or there is nothing to tell from.
    """
    if not (np.isfinite(std) and half > 0):
        return None
    n = np.arange(2, MOST_SEEDS + 1)
    enough = special.stdtrit(n - 1, (1 + level) / 2) * std / np.sqrt(n) <= half
    return int(n[enough.argmax()]) if enough.any() else None


def bootstrap_interval(values: np.ndarray, level: float = 0.95, seed: int = 0) -> Interval:
    """The mean of ``values`` (n,) with the percentile bootstrap's interval (Efron 1979).

    All nⁿ samples with replacement are counted where they are few, so that a few seeds give the same interval each time.
    With few values it is too narrow; where that matters, look at Student's beside it.
    """
    values = _finite(values)
    n = len(values)
    if n < 2:
        return Interval(n, float(values[0]) if n else np.nan, np.nan, np.nan, np.nan)
    if n <= EXACT_UP_TO:
        index = np.array(list(itertools.product(range(n), repeat=n)))
    else:
        index = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    means = values[index].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(n, float(values.mean()), float(values.std(ddof=1)), float(low), float(high))


def paired_difference(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> Difference:
    """How much larger ``a`` (n,) is than ``b`` (n,), where the entries of both at one place have the same seed.

    A pair with a value that is not finite is left out. ValueError where the lengths differ.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"pairs need two lists of one length, got {a.shape} and {b.shape}")
    difference = a - b
    return Difference(student_interval(difference, level), bootstrap_interval(difference, level))


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    return values[np.isfinite(values)]
