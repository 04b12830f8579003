"""What the papers' benchmark counts, on points whose figures are known, and that it trains what the tables say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.papers import TABLES, floor, key_of, mean_and_error, measure, trial, wanted
from gan_core.config import RunConfig, diff
from gan_core.data import ring
from gan_core.training import resolve


def test_points_are_counted_as_the_papers_do() -> None:
    source = ring(std=0.1)
    near = source.centers[[0] * 30 + [1] * 30 + [2] * 20] + [0.0, 0.29]
    figures = measure(np.concatenate([near, source.centers[[3] * 20] + [0.0, 0.31]]), source)
    shares = np.array([30, 30, 20]) / 80
    assert figures["modes"] == 3
    assert figures["high_quality"] == pytest.approx(0.8)
    assert figures["reverse_kl"] == pytest.approx(math.log(8) + (shares * np.log(shares)).sum())


def test_real_points_read_as_real() -> None:
    figures = floor(ring(std=0.1))
    assert figures["modes"] == 8
    assert figures["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert 0 < figures["reverse_kl"] < 0.01


def test_methods_of_a_table_differ_in_the_method_alone() -> None:
    for name, allowed in {
        "ring": {"data.batch_size", "model.discriminator.packing"},
        "grid": {"data.batch_size", "model.discriminator.packing"},
        "unrolling": {"tricks.unrolled_steps", "schedule.rounds"},
    }.items():
        first, *others = TABLES[name]
        for other in others:
            assert set(diff(first.scaled, other.scaled)) <= allowed
            assert set(diff(first.full, other.full)) <= allowed - {"schedule.rounds"}


def test_every_trial_has_a_key_of_its_own_and_can_be_trained() -> None:
    for full in (False, True):
        configs = [config for _, _, config in wanted(list(TABLES), 2, full)]
        assert len({key_of(config) for config in configs}) == len(configs) == 20
        for config in configs:
            resolve(config)


def test_a_trial_says_how_the_fullest_mode_moved() -> None:
    settings = {
        "data": {"name": "ring", "batch_size": 8},
        "model": {"latent_dim": 3, "generator": {"widths": [8]}, "discriminator": {"widths": [8]}},
        "schedule": {"rounds": 80},
        "device": "cpu",
    }
    config = resolve(RunConfig.load(settings))
    row = trial(config)
    assert set(row) == {"modes", "high_quality", "reverse_kl", "held", "moves", "d_loss", "seconds"}
    assert 0 <= row["moves"] <= 1
    assert {**row, "seconds": 0} == {**trial(config), "seconds": 0}, "the same seed, the same figures"


def test_means_come_with_their_standard_error() -> None:
    assert mean_and_error([1.0, 2.0, 3.0], 2) == "2.00 ± 0.58"
    assert mean_and_error([0.5], 1, 100, " %") == "50.0 %"
