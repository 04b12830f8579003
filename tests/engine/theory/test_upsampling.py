"""Checkerboards: counts by going through every pixel, and where theory says that none is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.engine.theory import KERNELS, checkerboard
from gan_core.engine.theory.algorithm import algorithm


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, 6])
def test_the_overlap_counts_the_inputs_that_reach_a_pixel(kernel_size: int, stride: int) -> None:
    reached = np.zeros(200)
    for i in range(50):
        for k in range(kernel_size):
            reached[stride * i + k] += 1
    row = reached[20 * stride : 22 * stride]
    result = checkerboard(kernel_size, stride)
    assert result.overlap == pytest.approx(np.outer(row, row))
    uneven = np.ptp(np.outer(row, row)) / np.outer(row, row).mean()
    assert result.unevenness[0] == pytest.approx(uneven)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("kernel_size", "stride"), [(2, 2), (3, 2), (4, 2), (5, 2), (3, 3), (5, 3), (3, 1)])
def test_even_exactly_where_the_stride_divides_the_kernel(kernel_size: int, stride: int, layers: int) -> None:
    """Odena et al. 2016."""
    transposed, upsampled = checkerboard(kernel_size, stride, layers=layers).unevenness
    assert (transposed < 1e-12) == (kernel_size % stride == 0)
    assert upsampled < 1e-12


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
def test_upsampling_first_is_even_for_every_kernel(kernel: str, kernel_size: int) -> None:
    result = checkerboard(kernel_size, 2, kernel, layers=2)
    assert result.unevenness[1] < 1e-12
    assert result.transposed.shape == result.upsampled.shape == (32, 32)
    assert result.transposed.mean() == pytest.approx(1)


def test_a_kernel_can_learn_to_be_even_but_is_not_born_so() -> None:
    """The weights that fall on one output pixel must add up to the same for all: a tent of the right width does."""
    assert checkerboard(3, 2, "bilinear").unevenness[0] < 1e-12
    assert checkerboard(4, 2, "bilinear").unevenness[0] < 1e-12
    assert checkerboard(4, 2, "untrained").unevenness[0] > 0.1


def test_two_layers_repeat_the_pattern_at_two_scales() -> None:
    one, two = (checkerboard(3, 2, layers=layers) for layers in (1, 2))
    assert two.unevenness[0] > one.unevenness[0]
    assert two.transposed[:28, :28] == pytest.approx(two.transposed[4:, 4:])  # period: the product of the strides
    assert two.transposed[:30, :30] != pytest.approx(two.transposed[2:, 2:])


def test_numbers_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        checkerboard(0, 2)
    with pytest.raises(KeyError):
        checkerboard(3, 2, "nothing")


def test_algorithm_shows_the_loop_that_runs() -> None:
    from gan_core.training import loop

    shown = algorithm(3, rounds=2)
    assert [player for _, player in shown.turns] == ["D", "D", "D", "G"] * 2
    assert [round_ for round_, _ in shown.turns] == [1] * 4 + [2] * 4
    with open(loop.__file__, encoding="utf-8") as file:
        source = file.read().splitlines()
    for text in (shown.play, shown.take_turn):
        assert set(text.splitlines()) <= set(source)
        assert '"""' not in text
        compile(text, "shown", "exec")
        assert "failpoint" not in text
    assert "take_turn(game, player)" in shown.play
    assert "loss.backward()" in shown.take_turn
