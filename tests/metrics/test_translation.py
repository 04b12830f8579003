"""Measures of outputs beside targets, against values that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gan_core.metrics.translation import (
    absolute_error,
    ink_brightness,
    ink_saturation,
    nearest,
    open_edges,
    pair_ratio,
    psnr,
    ssim,
)

RANDOM = np.random.default_rng(0).random((6, 1, 16, 16))


def test_psnr_of_a_constant_error_is_20_log_of_the_range_over_it() -> None:
    for epsilon in (0.01, 0.1):  # of a range of 2 these are .02 and .2: 40 and 20 dB
        wrong = RANDOM + epsilon * np.where(np.indices(RANDOM.shape).sum(0) % 2, 1, -1)
        assert psnr(RANDOM, wrong) == pytest.approx(-20 * math.log10(epsilon))
    assert psnr(RANDOM, RANDOM) == 100


def test_psnr_is_the_mean_of_those_of_the_pictures() -> None:
    wrong = RANDOM + np.array([0.01, 0.1] * 3)[:, None, None, None]
    assert psnr(RANDOM, wrong) == pytest.approx(30), "that of the mean error would be 22.97"


def test_ssim_of_equal_pictures_and_of_constants() -> None:
    assert ssim(RANDOM, RANDOM) == pytest.approx(1)
    dark, light = np.full((1, 1, 16, 16), 0.2), np.full((1, 1, 16, 16), 0.6)
    assert ssim(dark, light) == pytest.approx((2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4))
    assert ssim(RANDOM, 1 - RANDOM) < 0
    assert ssim(RANDOM[..., :3, :5], RANDOM[..., :3, :5]) == pytest.approx(1), "smaller than the window"


def test_ssim_by_its_definition_at_one_window() -> None:
    a, b = RANDOM[:1, :, :11, :11], RANDOM[1:2, :, :11, :11]
    axis = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    w = np.outer(axis, axis) / axis.sum() ** 2
    ma, mb = (w * a).sum(), (w * b).sum()
    va, vb, both = (w * (a - ma) ** 2).sum(), (w * (b - mb) ** 2).sum(), (w * (a - ma) * (b - mb)).sum()
    c1, c2 = 1e-4, 9e-4
    expected = (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    assert ssim(a, b) == pytest.approx(expected)


def test_the_nearest_and_the_error() -> None:
    asked = RANDOM[[4, 1]] + 0.01
    np.testing.assert_array_equal(nearest(RANDOM, asked), [4, 1])
    assert absolute_error(RANDOM[[4, 1]], asked) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="one shape"):
        absolute_error(RANDOM, RANDOM[:2])


def test_brightness_and_saturation_are_those_of_the_ink_of_the_target() -> None:
    target = np.zeros((2, 3, 4, 4))
    target[0, 0, 1], target[1, 2, 2] = 0.9, 0.8  # a red line and a blue one
    assert (ink_brightness(target, target), ink_saturation(target, target)) == (pytest.approx(0.85), 1)
    third = np.broadcast_to(target.max(1, keepdims=True) / 3, target.shape)
    assert (ink_brightness(target, third), ink_saturation(target, third)) == (pytest.approx(0.85 / 3), 0)
    assert (ink_brightness(target, 0 * target), ink_saturation(target, 0 * target)) == (0, 0)
    pale = np.where(target > 0, target, 0.3) + np.eye(4)[3]  # what is drawn beside the ink counts nothing
    assert ink_saturation(target, np.where(target.max(1, keepdims=True) > 0, pale, 1)) < 1
    assert ink_brightness(target, 1 - 0 * target) == 1
    assert math.isnan(ink_saturation(0 * target, target))


def test_outputs_that_ignore_inputs_read_one_and_targets_nothing() -> None:
    targets = np.random.default_rng(1).random((200, 1, 8, 8))
    given = targets.copy()
    given[..., 4:, :] = 0
    assert pair_ratio(given, targets, targets) == 0
    assert pair_ratio(given, targets, np.broadcast_to(targets.mean(0), targets.shape)) == pytest.approx(1)
    copied = given.copy()
    copied[..., 4:, :] = np.roll(targets, 7, axis=0)[..., 4:, :]
    assert pair_ratio(given, targets, copied) == pytest.approx(1, abs=0.03), "the half that was added is of another"
    small = given[..., ::2, ::2]
    assert pair_ratio(small, targets, copied) == pytest.approx(0.5, abs=0.02), "half of the whole is right"
    assert pair_ratio(small, targets, (targets + np.roll(targets, 1, axis=0)) / 2) == pytest.approx(1)
    assert math.isnan(pair_ratio(given * 0, targets * 0, targets * 0))


def test_edges_are_counted_where_the_input_is_silent() -> None:
    """The lower half of a chequered picture is not told: what is drawn above counts for nothing."""
    target = (np.indices((16, 16)).sum(0) % 2 * 1.0)[None, None].repeat(3, 0)
    given = target.copy()
    given[..., 8:, :] = 0
    pale = given.copy()
    pale[..., 8:, :] = 0.5 + 0.25 * (target[..., 8:, :] - 0.5)
    assert open_edges(given, target, target) == 1
    assert 1 / 16 < open_edges(given, target, pale) < 0.2, "and the border is told"
    flat = target.copy()
    flat[..., :6, :] = 0.5
    assert open_edges(given, target, flat) == 1
    assert math.isnan(open_edges(target, target, pale)), "all is told"
    assert math.isnan(open_edges(given[..., ::2, ::2], target, pale))
