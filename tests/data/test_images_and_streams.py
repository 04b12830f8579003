"""Images: exact scaling, an honest split; streams: every image once an epoch, exact resume by position."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import load_digits

from gan_core.data import (
    DATASETS,
    ImageSource,
    StackedSource,
    image_source,
    labelled_source,
    open_stream,
    to_uint8,
    to_unit,
)
from gan_core.data.images import framed
from gan_core.data.stream import ImageStream, SampledStream
from gan_core.data.toy import ring
from gan_core.training import Streams

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def mnist() -> ImageSource:
    return DATASETS["mnist5k"].load()


# --- scaling ---


def test_pixels_go_to_minus_one_to_one_and_back_exactly() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    unit = to_unit(pixels)
    torch.testing.assert_close(unit, torch.tensor([p / 127.5 - 1 for p in range(256)]))
    assert unit.dtype == torch.float32
    assert unit[0] == -1
    assert unit[255] == 1
    assert torch.equal(to_uint8(unit), pixels)


def test_scaling_changes_neither_argument_and_clamps() -> None:
    pixels, unit = torch.tensor([0, 128], dtype=torch.uint8), torch.tensor([-1.5, 0.25, 1.5])
    to_unit(pixels), to_uint8(unit)
    assert pixels.tolist() == [0, 128]
    assert unit.tolist() == [-1.5, 0.25, 1.5]
    assert to_uint8(unit).tolist() == [0, round(1.25 * 127.5), 255]


# --- MNIST-5k ---


def test_mnist5k_is_what_its_card_says(mnist: ImageSource) -> None:
    assert mnist.x.shape == (5000, 1, 28, 28)
    assert mnist.x.dtype == torch.uint8
    assert mnist.shape == (1, 28, 28)
    assert mnist.num_classes == 10
    assert mnist.class_names == tuple("0123456789")
    assert torch.bincount(mnist.y).tolist() == [500] * 10
    assert mnist.x.min() == 0
    assert mnist.x.max() == 255


def test_mnist5k_split_is_disjoint_whole_and_stratified(mnist: ImageSource) -> None:
    train, heldout = set(mnist.train_index.tolist()), set(mnist.heldout_index.tolist())
    assert (len(train), len(heldout)) == (4000, 1000)
    assert not train & heldout
    assert train | heldout == set(range(5000))
    assert torch.bincount(mnist.y[mnist.train_index]).tolist() == [400] * 10
    assert torch.bincount(mnist.y[mnist.heldout_index]).tolist() == [100] * 10


def test_mnist5k_holds_digits(mnist: ImageSource) -> None:
    """Labels belong to their images: the nearest class mean of the training half names most held-out digits."""
    x = mnist.x.flatten(1).float()
    means = torch.stack([x[mnist.train_index][mnist.y[mnist.train_index] == label].mean(0) for label in range(10)])
    guess = torch.cdist(x[mnist.heldout_index], means).argmin(1)
    assert (guess == mnist.y[mnist.heldout_index]).float().mean() > 0.75


def small_source(n: int = 50, classes: int = 2, heldout_share: float = 0.2) -> ImageSource:
    """Image i is filled with the number i, its label is i mod classes."""
    x = np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 2), dtype=np.uint8)
    return labelled_source("small", x, np.arange(n) % classes, tuple(map(str, range(classes))), heldout_share)


def test_the_split_belongs_to_the_data_not_to_the_process() -> None:
    first = small_source()
    np.random.seed(1)  # noqa: NPY002 - to show that it does not matter
    second = small_source()
    assert torch.equal(first.heldout_index, second.heldout_index)
    assert torch.bincount(first.y[first.heldout_index]).tolist() == [5, 5]


def test_the_fingerprint_is_of_the_content() -> None:
    x, y = np.zeros((4, 1, 2, 2), dtype=np.uint8), np.array([0, 0, 1, 1])
    names = ("a", "b")
    first = labelled_source("one", x, y, names).fingerprint
    assert labelled_source("other name", x.copy(), y.copy(), names).fingerprint == first
    changed = x.copy()
    changed[3, 0, 1, 1] = 1
    assert labelled_source("one", changed, y, names).fingerprint != first
    assert labelled_source("one", x, np.array([0, 1, 0, 1]), names).fingerprint != first


# --- small digits and stacked digits ---


def test_small_digits_are_the_original_pixels_at_size_8() -> None:
    source = DATASETS["digits8"].load(size=8)
    original = load_digits()
    assert source.shape == (1, 8, 8)
    assert np.array_equal(np.rint(source.x[:, 0].numpy() * (16 / 255)), original.images)
    assert source.y.tolist() == original.target.tolist()
    larger = DATASETS["digits8"].load()
    assert larger.shape == (1, 16, 16)
    shrunk = torch.nn.functional.avg_pool2d(larger.x.float(), 2)
    assert np.corrcoef(shrunk.flatten(), source.x.float().flatten())[0, 1] > 0.95, "the same picture, larger"


def test_framed_digits_are_the_small_ones_enlarged_in_black_and_no_more() -> None:
    source, small = DATASETS["digits8_framed"].load(), DATASETS["digits8"].load(size=8)
    assert isinstance(source, ImageSource)
    assert isinstance(small, ImageSource)
    assert source.shape == (1, 28, 28)
    assert torch.equal(source.y, small.y)  # type: ignore[arg-type]
    inside = torch.zeros(28, 28, dtype=torch.bool)
    inside[4:24, 4:24] = True
    assert not source.x[:, 0, ~inside].any()
    basis = framed(torch.eye(64).reshape(64, 1, 8, 8) * 2 - 1).flatten(1).double() + 1
    exact = framed(to_unit(small.x)).flatten(1).double() + 1
    left = exact - exact @ torch.linalg.pinv(basis) @ basis
    assert left.abs().max() < 1e-5, "a linear image of 64 numbers"
    assert (to_unit(source.x).flatten(1) + 1 - exact).abs().max() <= 0.5 / 127.5 + 1e-6, "but for rounding to bytes"


def test_stacks_are_three_training_digits_and_their_label() -> None:
    source = DATASETS["stacked"].load()
    assert isinstance(source, StackedSource)
    assert source.shape == (3, 28, 28)
    assert source.num_classes == 1000
    assert source.class_names[123] == "123"
    x, y = source.sample(300, torch.Generator().manual_seed(0))
    known = {image.numpy().tobytes(): label.item() for image, label in zip(source.base.x, source.base.y, strict=True)}
    training = {source.base.x[i].numpy().tobytes() for i in source.base.train_index}
    for stack, label in zip(x, y, strict=True):
        channels = [channel.contiguous().numpy().tobytes() for channel in stack]
        assert all(channel in training for channel in channels)
        assert 100 * known[channels[0]] + 10 * known[channels[1]] + known[channels[2]] == label
    again, _ = source.sample(300, torch.Generator().manual_seed(0))
    assert torch.equal(x, again)
    heldout, _ = source.sample(50, torch.Generator().manual_seed(0), heldout=True)
    assert not {channel.contiguous().numpy().tobytes() for channel in heldout.flatten(0, 1)} & training


def test_all_thousand_modes_are_equally_likely() -> None:
    _, y = DATASETS["stacked"].load().sample(50_000, torch.Generator().manual_seed(3))
    assert stats.chisquare(torch.bincount(y, minlength=1000).numpy()).pvalue > 0.005


def test_the_stream_of_stacks_goes_on_exactly() -> None:
    def stream() -> SampledStream:
        return open_stream(DATASETS["stacked"].load(), 9, Streams(4).generator, CPU)

    first = stream()
    first.next()
    state = first.state()
    expected = first.next()
    assert expected.x.shape == (9, 3, 28, 28)
    assert expected.x.abs().max() <= 1
    resumed = stream()
    resumed.restore(state)
    batch = resumed.next()
    assert torch.equal(batch.x, expected.x)
    assert torch.equal(batch.y, expected.y)


@pytest.mark.parametrize("n", [2, 3, 30])
def test_images_without_labels_are_split_too(n: int) -> None:
    source = image_source("bare", np.zeros((n, 1, 8, 8), np.uint8), None)
    assert len(source.heldout_index) == max(1, round(n / 5))
    assert len(source.train_index) + len(source.heldout_index) == n
    assert source.num_classes == 0
    assert source.judged is None


# --- the stream of images ---


def image_stream(batch_size: int = 7, seed: int = 0) -> ImageStream:
    stream = open_stream(small_source(), batch_size, Streams(seed).generator, CPU)
    assert isinstance(stream, ImageStream)
    return stream


def numbers(stream: ImageStream, batches: int) -> list[int]:
    """Which images came, in order; checks each batch on the way."""
    seen: list[int] = []
    for _ in range(batches):
        batch = stream.next()
        pixels = to_uint8(batch.x)
        assert batch.x.dtype == torch.float32
        assert (pixels == pixels[:, :, :1, :1]).all()
        ids = pixels[:, 0, 0, 0].tolist()
        assert batch.y.tolist() == [number % 2 for number in ids]
        seen += ids
    return seen


@pytest.mark.parametrize("batch_size", [1, 7, 8, 40, 64, 100])
def test_every_epoch_visits_each_training_image_once_in_full_batches(batch_size: int) -> None:
    stream, source = image_stream(batch_size), small_source()
    training = sorted(source.train_index.tolist())
    batches = -(-200 // batch_size)
    seen = numbers(stream, batches)
    assert len(seen) == batches * batch_size
    for epoch in range(5):
        assert sorted(seen[40 * epoch : 40 * (epoch + 1)]) == training
    assert not set(seen) & set(source.heldout_index.tolist())


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    first, same, other = (
        numbers(image_stream(8), 15),
        numbers(image_stream(10), 12),
        numbers(image_stream(8, seed=1), 15),
    )
    assert first == same, "the batch size does not change the order"
    assert first != other
    epochs = [first[40 * e : 40 * (e + 1)] for e in range(3)]
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert all(epoch != sorted(epoch) for epoch in epochs)


@pytest.mark.parametrize("played", [0, 1, 5, 6, 17, 40])
def test_restore_goes_on_exactly(played: int) -> None:
    stream = image_stream()
    numbers(stream, played)
    state = stream.state()
    expected = numbers(stream, 20)
    fresh = image_stream()
    numbers(fresh, 3)  # it stood elsewhere before
    fresh.restore(state)
    assert numbers(fresh, 20) == expected


def test_streams_of_images_draw_nothing_from_the_global_stream() -> None:
    before = torch.get_rng_state()
    numbers(image_stream(), 20)
    assert torch.equal(torch.get_rng_state(), before)


def test_mnist_batches_are_training_images_with_their_labels(mnist: ImageSource) -> None:
    stream = open_stream(mnist, 64, Streams(5).generator, CPU)
    known = {mnist.x[i].numpy().tobytes(): int(mnist.y[i]) for i in mnist.train_index.tolist()}
    batch = stream.next()
    assert batch.x.shape == (64, 1, 28, 28)
    for x, y in zip(to_uint8(batch.x), batch.y.tolist(), strict=True):
        assert known[x.numpy().tobytes()] == y


# --- the stream of points ---


def test_points_are_fresh_every_batch_and_restore_goes_on_exactly() -> None:
    open_points = partial(open_stream, ring(), 16, device=CPU)
    stream = open_points(generator_for=Streams(0).generator)
    assert isinstance(stream, SampledStream)
    first = stream.next().x
    assert first.shape == (16, 2)
    state = {name: value.clone() for name, value in stream.state().items()}
    expected = [stream.next().x for _ in range(3)]
    assert not torch.equal(first, expected[0])
    assert not torch.equal(expected[0], expected[1])
    fresh = open_points(generator_for=Streams(99).generator)
    fresh.restore(state)
    assert all(torch.equal(fresh.next().x, x) for x in expected)
    again = open_points(generator_for=Streams(0).generator)
    assert torch.equal(again.next().x, first)
    assert stream.next().y is None
