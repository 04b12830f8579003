"""A curve that is bounded in memory and never loses a spike."""

from __future__ import annotations

import numpy as np
from tsdownsample import MinMaxDownsampler, MinMaxLTTBDownsampler

CAPACITY = 16_384
SNAPSHOT_POINTS = 1_000
DELTA_POINTS = 40


class Series:
    """Points (round, value) of one column, finite values only, in round order.

    Beyond ``CAPACITY`` points, the whole curve is reduced to the least and the greatest value of each of
    ``CAPACITY`` / 4 equal spans of rounds: extremes stay exact and the resolution even, however long the run.
    """

    def __init__(self) -> None:
        self._x = np.empty(0, np.int64)
        self._y = np.empty(0, np.float32)
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def extend(self, rounds: np.ndarray, values: np.ndarray) -> None:
        finite = np.isfinite(values)
        x, y = rounds[finite], values[finite]
        if self._n + len(x) > CAPACITY:  # however many came at once, one look at all
            x, y = np.concatenate([self._x[: self._n], x]), np.concatenate([self._y[: self._n], y])
            kept = _extremes(x, y, CAPACITY // 2)
            x, y, self._n = x[kept], y[kept], 0
        self._append(x, y)

    def points(self, most: int = SNAPSHOT_POINTS) -> tuple[np.ndarray, np.ndarray]:
        """At most ``most`` points that look like the whole curve, its extremes and its ends among them."""
        return thin(self._x[: self._n], self._y[: self._n], most)

    def _append(self, x: np.ndarray, y: np.ndarray) -> None:
        if self._n + len(x) > len(self._x):
            # Most runs are short: room grows with the curve.
            room = min(CAPACITY, max(256, 2 * (self._n + len(x))))
            self._x, self._y = np.resize(self._x, room), np.resize(self._y, room)
        self._x[self._n : self._n + len(x)] = x
        self._y[self._n : self._n + len(x)] = y
        self._n += len(x)


def thin(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``most`` > 4 of the points, chosen to keep the shape (MinMaxLTTB), both extremes and both ends."""
    if len(x) <= most:
        return x, y
    y = np.ascontiguousarray(y)
    chosen = np.zeros(len(x), bool)  # np.union1d would be ten times slower
    chosen[MinMaxLTTBDownsampler().downsample(x, y, n_out=most - 2)] = True
    chosen[[y.argmin(), y.argmax()]] = True
    return x[chosen], y[chosen]


def _extremes(x: np.ndarray, y: np.ndarray, most: int) -> np.ndarray:
    """Whether a point is the least or the greatest of one of ``most`` / 2 equal spans of x, or one of both ends."""
    chosen = np.zeros(len(x), bool)
    chosen[MinMaxDownsampler().downsample(x, np.ascontiguousarray(y), n_out=most - 2)] = True
    chosen[[0, -1]] = True
    return chosen
