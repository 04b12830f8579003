"""A curve that is bounded in memory and never loses a spike."""

from __future__ import annotations

import numpy as np
from tsdownsample import MinMaxLTTBDownsampler

CAPACITY = 16_384
SNAPSHOT_POINTS = 1_000
DELTA_POINTS = 40


class Series:
    """Points (round, value) of one column, finite values only, in round order.

    Beyond ``CAPACITY`` points the older half of the detail goes: points are kept in pairs of a bucket's least and
    greatest value, so that extremes stay exact however long the run.
    """

    def __init__(self) -> None:
        self._x = np.empty(CAPACITY, np.int64)
        self._y = np.empty(CAPACITY, np.float32)
        self._n = 0

    def extend(self, rounds: np.ndarray, values: np.ndarray) -> None:
        finite = np.isfinite(values)
        rounds, values = rounds[finite], values[finite]
        for start in range(0, len(rounds), CAPACITY // 4):
            x, y = rounds[start : start + CAPACITY // 4], values[start : start + CAPACITY // 4]
            if self._n + len(x) > CAPACITY:
                x_old, y_old = extremes(self._x[: self._n], self._y[: self._n], CAPACITY // 2)
                self._n = len(x_old)
                self._x[: self._n], self._y[: self._n] = x_old, y_old
            self._x[self._n : self._n + len(x)] = x
            self._y[self._n : self._n + len(x)] = y
            self._n += len(x)

    def points(self, most: int = SNAPSHOT_POINTS) -> tuple[np.ndarray, np.ndarray]:
        """At most ``most`` points that look like the whole curve (MinMaxLTTB)."""
        return thin(self._x[: self._n], self._y[: self._n], most)


def thin(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``most`` of the points, chosen to keep the shape."""
    if len(x) <= most:
        return x, y
    chosen = MinMaxLTTBDownsampler().downsample(x, np.ascontiguousarray(y), n_out=most)
    return x[chosen], y[chosen]


def extremes(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value of each of ``most`` / 2 equal buckets, in order of x; both ends are kept."""
    if len(x) <= most:
        return x.copy(), y.copy()
    edges = np.linspace(0, len(x), most // 2 + 1).astype(np.int64)
    chosen = {0, len(x) - 1}
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        chosen.add(low + int(y[low:high].argmin()))
        chosen.add(low + int(y[low:high].argmax()))
    index = np.array(sorted(chosen))
    return x[index], y[index]
