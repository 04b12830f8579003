"""Two Gaussians on a line that are dragged apart: real data N(0, σ_p²), generated data N(θ, σ_q²).

D at its best, what the game is then worth, the divergences, and the push that G gets. Integrals are trapezoidal sums over
ten standard deviations on each side, exact to about 1e-6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from gan_core.engine.library.loss_curves import loss_curves

Array = NDArray[np.float64]

_NODES = 8001
_LOG2 = float(np.log(2.0))


@dataclass(frozen=True)
class Separation:
    """The picture at one distance θ, over ``xs`` (n,).

    ``p`` and ``q`` are the densities of real and generated data, ``D`` = p/(p+q) is the best discriminator of the original
    game, ``critic`` the best critic of the Wasserstein game: slope −1, 0 or 1, and 0 at x = 0.
    """

    xs: Array
    p: Array
    q: Array
    D: Array
    critic: Array


@dataclass(frozen=True)
class Sweep:
    """Numbers over the distances ``theta`` (m,), in nats and in units of x.

    ``value`` = 2 JS − 2 log 2 is what the original game is worth when D is at its best. The pushes are how fast G's loss
    falls as θ moves, −dL_G/dθ with D held at its best: towards the data where their sign is opposite to θ's.
    """

    theta: Array
    js: Array
    kl: Array
    wasserstein: Array
    value: Array
    push_minimax: Array
    push_non_saturating: Array
    push_wasserstein: Array


def separation(theta: float, real_std: float, fake_std: float, xs: ArrayLike) -> Separation:
    """Densities, the best D and the best critic at distance ``theta``. Raises ValueError unless both widths are positive."""
    _check(real_std, fake_std)
    x = np.asarray(xs, dtype=np.float64)
    fine = _nodes(theta, real_std, fake_std, x)
    # The sign of F_q − F_p: Φ rises, so its arguments tell, also where both round to 1.
    slope = np.sign((fine - theta) / fake_std - fine / real_std)
    rise = np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(fine))])
    p, q = _log_normal(x, 0.0, real_std), _log_normal(x, theta, fake_std)
    best = np.exp(p - np.logaddexp(p, q))
    return Separation(x, np.exp(p), np.exp(q), best, np.interp(x, fine, rise) - np.interp(0.0, fine, rise))


def sweep(thetas: ArrayLike, real_std: float, fake_std: float) -> Sweep:
    """Divergences and pushes over distances (m,).

    Both widths 0 are the two parallel lines of Arjovsky et al. (2017, example 1): a common coordinate changes none of the
    numbers, so only the distance is left. There JS jumps, KL is infinite, and D at its best has no slope where G's samples
    are: the pushes of the original game are 0 and undefined (NaN) for the non-saturating loss. Raises ValueError if one
    width alone is 0, or any is negative.
    """
    theta = np.asarray(thetas, dtype=np.float64)
    if real_std == 0 == fake_std:
        return _lines(theta)
    _check(real_std, fake_std)
    rows = np.array([_numbers(float(t), real_std, fake_std) for t in theta]).reshape(-1, 6).T
    js, kl, wasserstein, push_minimax, push_non_saturating, push_wasserstein = rows
    value = 2 * js - 2 * _LOG2
    return Sweep(theta, js, kl, wasserstein, value, push_minimax, push_non_saturating, push_wasserstein)


def _numbers(theta: float, real_std: float, fake_std: float) -> tuple[float, ...]:
    x = _nodes(theta, real_std, fake_std)
    log_p, log_q = _log_normal(x, 0.0, real_std), _log_normal(x, theta, fake_std)
    log_m = np.logaddexp(log_p, log_q) - _LOG2
    p, q = np.exp(log_p), np.exp(log_q)
    gap = ndtr(x / real_std) - ndtr((x - theta) / fake_std)

    def total(integrand: Array) -> float:
        return float(np.trapezoid(integrand, x))

    logit = log_p - log_q
    slope = (x - theta) / fake_std**2 - x / real_std**2  # of D's logit, p and q being Gaussian
    js = (total(p * (log_p - log_m)) + total(q * (log_q - log_m))) / 2
    return (
        max(0.0, js),
        max(0.0, total(p * logit)),
        total(np.abs(gap)),
        -total(q * loss_curves("minimax", logit)["G_slope"] * slope),
        -total(q * loss_curves("non_saturating", logit)["G_slope"] * slope),
        -total(q * np.sign(gap)),
    )


def _lines(theta: Array) -> Sweep:
    apart = theta != 0
    js = np.where(apart, _LOG2, 0.0)
    nothing = np.zeros_like(theta)
    kl = np.where(apart, np.inf, 0.0)
    undefined = np.where(apart, np.nan, 0.0)
    return Sweep(theta, js, kl, np.abs(theta), 2 * js - 2 * _LOG2, nothing, undefined, -np.sign(theta))


def _nodes(theta: float, real_std: float, fake_std: float, also: Array | None = None) -> Array:
    ends = [-10 * real_std, 10 * real_std, theta - 10 * fake_std, theta + 10 * fake_std]
    if also is not None and also.size:
        ends += [float(also.min()), float(also.max())]
    return np.linspace(min(ends), max(ends), _NODES)


def _log_normal(x: Array, mean: float, std: float) -> Array:
    return -((x - mean) ** 2) / (2 * std**2) - np.log(std * np.sqrt(2 * np.pi))


def _check(real_std: float, fake_std: float) -> None:
    if not (real_std > 0 and fake_std > 0):
        raise ValueError(f"widths must be positive, got {real_std} and {fake_std}")
