"""Arms of a study, seed by seed: whether one helps, and what generated samples are worth in real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from gan_core.metrics.seeds import Interval, student_interval

Call = Literal["helps", "hurts", "cannot be told"]


@dataclass(frozen=True)
class Effect:
    """What an arm changes, in the unit of its measure: Student's interval of the differences, and the call that they carry."""

    interval: Interval
    call: Call


def effect(arm: np.ndarray, beside: np.ndarray, level: float = 0.95) -> Effect:
    """How much larger ``arm`` (n,) is than ``beside`` (n,), where the entries at one place have the same seed.

    *helps* where Student's interval lies above 0, *hurts* where it lies below. One pair has no interval, so that it *cannot
    be told*. A pair with a value that is not finite is left out. ValueError where the lengths differ.
    """
    arm, beside = np.asarray(arm, np.float64), np.asarray(beside, np.float64)
    if arm.shape != beside.shape or arm.ndim != 1:
        raise ValueError(f"pairs need two lists of one length, got {arm.shape} and {beside.shape}")
    interval = student_interval(arm - beside, level)
    call: Call = "helps" if interval.low > 0 else "hurts" if interval.high < 0 else "cannot be told"
    return Effect(interval, call)


def say(found: Effect, what: str, scale: float = 100.0, unit: str = "points") -> str:
    """The sentence of an effect: ``what`` helps by, hurts by, or cannot be told, with the interval in ``scale`` × unit."""
    mean, half, n = scale * found.interval.mean, scale * found.interval.half, found.interval.n
    if found.call != "cannot be told":
        return f"{what} {found.call} by {abs(mean):.1f} ± {half:.1f} {unit}."
    if n == 0:
        return f"{what}: nothing has been measured yet."
    told = f"{signed(mean)} ± {half:.1f} {unit}" if n > 1 else f"{signed(mean)} {unit}, and one seed has no interval"
    return f"{what}: cannot be told from {'this one seed' if n == 1 else f'these {n} seeds'} ({told})."


def signed(value: float, digits: int = 1) -> str:
    """A difference with so many digits after the point, its sign always."""
    return f"{value:+.{digits}f}".replace("-", "−")


@dataclass(frozen=True)
class Worth:
    """``n`` real samples of each class; ``beyond`` is "less" or "more" where the curve ends before and ``n`` is its end."""

    n: float
    beyond: Literal["", "less", "more"] = ""

    def __str__(self) -> str:
        bound = {"": "", "less": "fewer than ", "more": "more than "}[self.beyond]
        return f"{bound}{self.n:.0f}" if self.n >= 9.5 else f"{bound}{round(self.n, 1):g}"


def worth(sizes: np.ndarray, accuracies: np.ndarray, reached: float) -> Worth:
    """With how many real samples of each class a classifier reaches an accuracy: read back on the curve ``accuracies`` (m,)
    over ``sizes`` (m,), which grow, straight in log n between its points and never read beyond its ends.

    A curve that falls somewhere is held at what it had reached. NaN where there is no curve, or nothing was reached.
    """
    known = np.isfinite(accuracies)
    sizes, curve = np.asarray(sizes, np.float64)[known], np.maximum.accumulate(np.asarray(accuracies)[known])
    if not len(sizes) or not np.isfinite(reached):
        return Worth(np.nan)
    if reached < curve[0]:
        return Worth(float(sizes[0]), "less")
    if reached > curve[-1]:
        return Worth(float(sizes[-1]), "more")
    at = int(np.searchsorted(curve, reached))  # the first size that reaches it
    if curve[at] == reached:
        return Worth(float(sizes[at]))
    share = (reached - curve[at - 1]) / (curve[at] - curve[at - 1])
    return Worth(float(np.exp(np.log(sizes[at - 1]) + share * np.log(sizes[at] / sizes[at - 1]))))


def binomial_half(share: float, n: int, level: float = 0.95) -> float:
    """How far a share that was counted on ``n`` samples may be off by these samples alone (normal approximation)."""
    return float(special.ndtri((1 + level) / 2) * np.sqrt(share * (1 - share) / n))
