"""Classifiers that are compared differ in what they see alone, and nothing of the held-out half is ever seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gan_core.data import DATASETS, ImageSource
from gan_core.training import arms
from gan_core.training.arms import ARMS, Arm, Pictures, accuracy, batches, draws, few_of_each, first_network, fit
from gan_core.training.streams import Streams

STEPS, SIZE = 12, 16


@pytest.fixture(scope="module")
def source() -> ImageSource:
    loaded = DATASETS["digits8"].load()
    assert isinstance(loaded, ImageSource)
    return loaded


def few(source: ImageSource, n: int, seed: int = 0) -> Pictures:
    assert source.y is not None
    chosen = few_of_each(source.y, source.train_index, n, 10, Streams(seed))
    return Pictures(source.x[chosen], source.y[chosen])


def held_out(source: ImageSource) -> Pictures:
    assert source.y is not None
    return Pictures(source.x[source.heldout_index], source.y[source.heldout_index])


def trained(source: ImageSource, arm: str, real: Pictures, generated: Pictures | None, seed: int = 0) -> float:
    streams = Streams(seed)
    seen = batches(ARMS[arm], real, generated, SIZE, STEPS, streams)
    return accuracy(fit(first_network(source.shape, 10, streams), seen, STEPS), held_out(source))


def test_real_samples_as_generated_ones_give_the_accuracy_of_real_ones(source: ImageSource) -> None:
    real = few(source, 5)
    assert trained(source, "generated", real, real) == trained(source, "real", real, None)


def test_labels_that_were_shuffled_teach_nothing(source: ImageSource) -> None:
    real = few(source, 20)
    found = []
    for seed in range(6):
        order = torch.randperm(len(real), generator=Streams(seed).generator("shuffled"))
        found.append(trained(source, "generated", real, Pictures(real.x, real.y[order]), seed))
    assert abs(sum(found) / len(found) - 0.1) < 0.06  # 6 × 360 samples, of classifiers that learnt an order by heart
    assert trained(source, "real", real, None) > 0.5


def test_every_arm_has_the_same_first_weights_and_real_samples(source: ImageSource) -> None:
    weights = [first_network(source.shape, 10, Streams(3)).state_dict() for _ in ARMS]
    assert all(torch.equal(first, other) for first, other in zip(weights[0].values(), weights[1].values(), strict=True))
    assert not torch.equal(
        first_network(source.shape, 10, Streams(4)).output.weight,
        first_network(source.shape, 10, Streams(3)).output.weight,
    )
    real, generated = few(source, 5), few(source, 5, seed=9)
    seen = {name: list(batches(arm, real, generated, SIZE, STEPS, Streams(0))) for name, arm in ARMS.items()}
    assert {len(each) for each in seen.values()} == {STEPS}
    assert {len(y) for each in seen.values() for _, y in each} == {SIZE}
    half = SIZE // 2
    for plain, mixed, moved, both in zip(seen["real"], seen["gan"], seen["distorted"], seen["both"], strict=True):
        assert torch.equal(plain[0][:half], mixed[0][:half])  # the rest is generated
        assert torch.equal(moved[0][:half], both[0][:half])  # the same samples, distorted alike
        assert torch.equal(plain[1], moved[1])
        assert not torch.equal(plain[0], moved[0])
        assert torch.equal(mixed[1], both[1])


def test_fewer_samples_are_among_more_and_every_class_has_as_many(source: ImageSource) -> None:
    assert source.y is not None
    small, large = (few_of_each(source.y, source.train_index, n, 10, Streams(2)) for n in (3, 8))
    assert set(small.tolist()) < set(large.tolist())
    assert source.y[large].bincount().tolist() == [8] * 10
    assert set(large.tolist()) <= set(source.train_index.tolist())
    with pytest.raises(ValueError, match="not 100000"):
        few_of_each(source.y, source.train_index, 100_000, 10, Streams(2))


def test_nothing_of_the_held_out_half_is_seen(source: ImageSource) -> None:
    spoilt = source.x.clone()
    spoilt[source.heldout_index] = 255 - spoilt[source.heldout_index]
    other = replace(source, x=spoilt)
    real = few(other, 4)
    assert torch.equal(real.x, few(source, 4).x)
    networks = [
        fit(
            first_network(one.shape, 10, Streams(1)),
            batches(ARMS["real"], few(one, 4), None, SIZE, STEPS, Streams(1)),
            STEPS,
        )
        for one in (source, other)
    ]
    first, second = (network.state_dict().values() for network in networks)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert accuracy(networks[0], held_out(source)) != accuracy(networks[0], held_out(other))


def test_one_picture_of_each_class_is_enough_to_train_on(source: ImageSource) -> None:
    one = few(source, 1)
    repeated = Pictures(one.x.repeat_interleave(7, 0), one.y.repeat_interleave(7, 0))
    assert abs(trained(source, "generated", one, repeated) - trained(source, "real", one, None)) < 0.25


def test_samples_are_drawn_in_whole_passes() -> None:
    places = draws(10, 4, 5, torch.Generator().manual_seed(0))
    assert places.shape == (5, 4)
    assert sorted(places.flatten()[:10].tolist()) == sorted(places.flatten()[10:].tolist()) == list(range(10))


def test_an_arm_that_needs_generated_samples_says_so(source: ImageSource) -> None:
    with pytest.raises(ValueError, match="needs generated samples"):
        next(batches(Arm("mixed", generated=0.5), few(source, 1), None, SIZE, 1, Streams(0)))


def test_a_classifier_is_judged_as_it_is_used(source: ImageSource) -> None:
    """In training mode batch normalisation would learn from the held-out half, and an image's class depend on its batch."""
    streams, held = Streams(0), held_out(source)
    network = fit(
        first_network(source.shape, 10, streams),
        batches(ARMS["real"], few(source, 5), None, SIZE, STEPS, streams),
        STEPS,
    )
    assert not network.training
    whole = accuracy(network, held)
    arms_at_once, arms.AT_ONCE = arms.AT_ONCE, 1
    try:
        assert accuracy(network, Pictures(held.x[:60], held.y[:60])) == pytest.approx(
            float((network(held.x[:60] / 127.5 - 1).argmax(1) == held.y[:60]).float().mean()), abs=1e-6
        )
    finally:
        arms.AT_ONCE = arms_at_once
    order = torch.randperm(len(held), generator=torch.Generator().manual_seed(1))
    assert accuracy(network, Pictures(held.x[order], held.y[order])) == whole
