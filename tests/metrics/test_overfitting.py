"""A D that knows its pictures by heart, and traces of augmentation, on opinions and pictures that are known."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.metrics.overfitting import d_overfitting, leaked_share


def test_r_v_is_the_share_of_the_way_from_known_to_generated() -> None:
    assert d_overfitting([3, 5], [2.0], [-4.0]) == pytest.approx((4 - 2) / (4 + 4))
    assert d_overfitting([4.0], [4.0], [0.0]) == 0
    assert d_overfitting([4.0], [-1.0, 1.0], [0.0]) == 1
    assert np.isnan(d_overfitting([0.0], [1.0], [0.0]))
    with pytest.raises(ValueError, match="at least one"):
        d_overfitting([], [1.0], [0.0])


def test_borders_and_squares_of_middle_grey_are_found_and_nothing_else() -> None:
    plain = np.random.default_rng(0).uniform(-1, 1, (5, 3, 16, 16))
    assert leaked_share(plain) == 0
    border, square, small = plain.copy(), plain.copy(), plain.copy()
    border[0, :, -1] = 0
    border[1, :, :, 0] = 0.03
    square[3, :, 5:13, 2:10] = 0
    small[3, :, 5:11, 2:8] = 0
    assert (leaked_share(border), leaked_share(square), leaked_share(small)) == (0.4, 0.2, 0.0)
    assert leaked_share(np.full((2, 1, 8, 8), -1.0)) == 0
    with pytest.raises(ValueError, match="pictures"):
        leaked_share(plain[0])
