"""Copying, on machines of which it is known whether they copy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from gan_core.metrics import copying as module
from gan_core.metrics.copying import ALARM, Copying, closest_pairs, copying, in_both, squared_distances

N, M, DIMS = 60, 300, 8


def sets(seed: int, n: int = N, held: int = N) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training, held-out and new samples of the same law."""
    draw = np.random.default_rng(seed)
    x = draw.standard_normal((n + held + M, DIMS))
    return x[:n], x[n : n + held], x[n + held :]


def judged(q: np.ndarray, training: np.ndarray, held_out: np.ndarray) -> Copying:
    return copying(squared_distances(q, training), squared_distances(q, held_out))


def test_the_moments_are_those_of_all_deals() -> None:
    """Counts (2, 1 | 1, 0) of four samples: near 3/4, and over all six deals of two words mean 2 and variance 2/3."""
    to_training = np.array([[0.0, 9], [0, 9], [9, 0], [9, 9]])
    to_held_out = np.array([[9.0, 9], [9, 9], [9, 9], [0, 9]])
    found = copying(to_training, to_held_out)
    counts = np.array([2, 1, 1, 0])
    deals = [counts[i] + counts[j] for i in range(4) for j in range(i)]
    assert found.near == 0.75
    assert found.z == pytest.approx((3 - np.mean(deals)) / np.std(deals))
    assert found.p == pytest.approx(np.mean(np.array(deals) >= 3), abs=0.04)
    assert found.neighbours == 3
    assert found.chance == 0.5


def test_a_copy_machine_copies_and_swapping_the_sets_turns_it_round() -> None:
    training, held_out, _ = sets(0)
    q = training[np.arange(M) % N]
    found, swapped = judged(q, training, held_out), judged(q, held_out, training)
    assert (found.near, found.verdict) == (1.0, "copies")
    assert found.excess == 1
    assert found.z > 2 * ALARM
    assert found.p < 0.001
    assert swapped.near == 1 - found.near
    assert swapped.z == pytest.approx(-found.z)
    assert swapped.verdict == "cannot be told"
    assert "Copies: 100% of 300 samples" in found.sentence


def test_the_same_set_on_both_sides_reads_exactly_one_half() -> None:
    training, _, q = sets(1)
    found = judged(q, training, training.copy())
    assert (found.near, found.z) == (0.5, 0.0)


def test_distances_of_bytes_are_exact_so_that_ties_are() -> None:
    draw = np.random.default_rng(0)
    real = draw.integers(0, 256, (40, 1, 5, 5), np.uint8)
    exact = (real[:, None].astype(int) - real.astype(int)) ** 2
    np.testing.assert_array_equal(squared_distances(real, real), exact.reshape(40, 40, -1).sum(-1))
    assert copying(squared_distances(real, real), squared_distances(real, real[::-1])).near == 0.5


def test_an_honest_generator_gives_p_that_is_uniform() -> None:
    found = [judged(q, training, held_out) for training, held_out, q in map(sets, range(120))]
    assert kstest([one.p for one in found], "uniform").pvalue > 0.01
    assert np.mean([one.z for one in found]) == pytest.approx(0, abs=0.3)
    assert np.std([one.z for one in found]) == pytest.approx(1, abs=0.2)
    assert "copies" not in {one.verdict for one in found}
    assert np.mean([one.verdict == "no sign of copying" for one in found]) > 0.85


def test_more_training_pictures_than_held_out_ones_shift_what_chance_is() -> None:
    """80 and 20: an honest generator reads .8, and a copy machine is found all the same."""
    found = [judged(q, training, held_out) for training, held_out, q in (sets(seed, 80, 20) for seed in range(60))]
    assert {one.chance for one in found} == {0.8}
    assert np.mean([one.near for one in found]) == pytest.approx(0.8, abs=0.03)
    assert np.std([one.z for one in found]) == pytest.approx(1, abs=0.25)
    training, held_out, _ = sets(0, 80, 20)
    assert judged(training[np.arange(M) % 80], training, held_out).verdict == "copies"


@pytest.mark.parametrize("pictures", [1, 5])
def test_a_collapse_is_no_copying(pictures: int) -> None:
    """The neighbours of a few pictures say nothing, whichever side they are on; a test of coins calls half of these copies."""
    for seed in range(40):
        training, held_out, new = sets(seed)
        found = judged(new[np.arange(M) % pictures], training, held_out)
        assert found.verdict == "cannot be told"
        assert found.z <= np.sqrt(found.neighbours) + 0.1
    one = judged(training[np.arange(M) % pictures], training, held_out)
    assert (one.near, one.verdict) == (1.0, "cannot be told")
    assert "nearest to" in one.sentence


def test_a_quarter_of_copies_is_found_and_the_share_is_told() -> None:
    shares = []
    for seed in range(30):
        training, held_out, new = sets(seed, 100, 100)
        found = judged(np.concatenate([training[:75], new[75:]]), training, held_out)
        shares.append(found.excess)
    assert np.mean(shares) == pytest.approx(0.25, abs=0.05)


def test_what_no_test_could_see_is_not_called_no_sign() -> None:
    """Thirty neighbours, but nearly all samples at one of them."""
    to_training, to_held_out = np.ones((1_000, 15)), np.ones((1_000, 15))
    distance = np.concatenate([to_training, to_held_out], axis=1)
    distance[np.arange(1_000), np.where(np.arange(1_000) < 30, np.arange(1_000) % 30, 20)] = 0
    found = copying(distance[:, :15], distance[:, 15:])
    assert found.neighbours == 30
    assert found.seen_from > 1
    assert found.verdict == "cannot be told"


def test_the_closest_pairs_are_the_copies_each_once() -> None:
    training, held_out, new = sets(3)
    q = np.concatenate([new[:20], training[[7, 7, 4]]])
    to_training, to_held_out = squared_distances(q, training), squared_distances(q, held_out)
    first, second, third, *_ = closest_pairs(to_training, to_held_out)
    assert {(first.sample, first.training), (second.sample, second.training)} == {(20, 7), (22, 4)}
    assert first.ratio == second.ratio == 0 < third.ratio
    nearest = int(to_held_out[22].argmin())
    assert nearest in (first.held_out, second.held_out)
    assert third.ratio == pytest.approx(np.sqrt(to_training[third.sample].min() / to_held_out[third.sample].min()))
    assert len(closest_pairs(to_training, to_held_out)) == module.PAIRS


def test_pictures_on_both_sides_are_counted_and_told() -> None:
    training, held_out, q = sets(4)
    held_out[:3] = training[5:8]
    assert in_both(training, held_out) == 3
    found = copying(squared_distances(q, training), squared_distances(q, held_out), in_both(training, held_out))
    assert found.sentence.endswith("3 held-out pictures are in the training set too.")


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="distances"):
        copying(np.ones((3, 0)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="not finite"):
        copying(np.array([[np.nan]]), np.ones((1, 1)))
