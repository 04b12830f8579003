"""The frozen classifier: what it learns, that it never moves, and that its cache can be trusted."""

import hashlib
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from gan_core.data.images import mnist5k, to_unit
from gan_core.models.classifier import Classifier
from gan_core.training import classifier as module
from gan_core.training.classifier import TrainingCancelled, classifier_for, reference_histogram


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def brief(monkeypatch):
    """A training of a few batches."""
    monkeypatch.setattr(module, "IMAGES_SEEN", 300)


def bars(shape=(1, 12, 12), n=120, seed=0):
    """Vertical, horizontal and no bar on noise: three classes that a few batches suffice to learn."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    x = torch.randint(0, 60, (n, *shape), generator=generator, dtype=torch.uint8)
    x[y == 0, :, :, shape[2] // 2] = 250
    x[y == 1, :, shape[1] // 2, :] = 250
    index = torch.randperm(n, generator=generator)
    return SimpleNamespace(
        name="bars",
        x=x,
        y=y,
        num_classes=3,
        class_names=("vertical", "horizontal", "none"),
        train_index=index[: n * 3 // 4].sort().values,
        heldout_index=index[n * 3 // 4 :].sort().values,
        fingerprint=hashlib.sha256(x.numpy().tobytes() + y.numpy().tobytes()).hexdigest(),
    )


def state_hash(network):
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def digits(digits_classifier):
    return classifier_for(mnist5k(), digits_classifier)


# What it learns


def test_digits_are_told_apart(digits):
    report = digits.report
    assert report.accuracy >= 0.97
    assert min(report.per_class_accuracy) >= 0.9
    assert report.unsure_share <= 0.03
    assert (report.n_train, report.n_heldout) == (4000, 1000)
    assert report.class_names == tuple("0123456789")


def test_the_report_is_about_the_held_out_digits(digits):
    source = mnist5k()
    predicted = digits.probabilities(source.x[source.heldout_index]).argmax(axis=1)
    true = source.y[source.heldout_index].numpy()
    expected = np.zeros((10, 10), dtype=int)
    np.add.at(expected, (true, predicted), 1)
    assert np.array(digits.report.confusion).tolist() == expected.tolist()
    assert digits.report.accuracy == pytest.approx((predicted == true).mean())
    assert digits.report.per_class_accuracy == pytest.approx(expected.diagonal() / expected.sum(axis=1))


def test_what_is_no_digit_is_unsure(digits):
    """Without outlier exposure every one of these is a digit with a probability above .6."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.rand(200, 1, 28, 28, generator=generator) * 2 - 1
    untrained_generator = (torch.randn(200, 1, 28, 28, generator=generator) * 0.2).tanh()
    flat = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    for images in (noise, untrained_generator, flat):
        assert reference_histogram(digits, images)[-1] >= 0.95


def test_slightly_blurred_and_noisy_digits_are_still_digits(digits):
    source = mnist5k()
    x, y = to_unit(source.x[source.heldout_index]), source.y[source.heldout_index].numpy()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)) * 0.2
    for images in (nn.functional.avg_pool2d(x, 3, 1, 1), (x + noise).clamp(-1, 1)):
        probabilities = digits.probabilities(images)
        assert (probabilities.argmax(axis=1) == y).mean() >= 0.94
        assert (probabilities.max(axis=1) >= 0.6).mean() >= 0.85


def test_reference_histogram_of_real_digits_is_nearly_their_mix(digits):
    source = mnist5k()
    share = reference_histogram(digits, source.x[source.heldout_index])
    assert share.shape == (11,)
    assert share.sum() == pytest.approx(1)
    np.testing.assert_allclose(share[:-1], 0.1, atol=0.015)
    assert share[-1] == pytest.approx(digits.report.unsure_share)


def test_held_out_labels_and_images_have_no_influence(tmp_path, brief):
    source, other = bars(), bars()
    other.x[other.heldout_index] = 0
    other.y[other.heldout_index] = 0
    assert state_hash(module.train(source)) == state_hash(module.train(other))
    other.x[other.train_index[0]] = 0
    assert state_hash(module.train(source)) != state_hash(module.train(other))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 9, 40), (1, 64, 64)])
def test_any_shape_of_image(tmp_path, brief, shape):
    source = bars(shape)
    classifier = classifier_for(source, tmp_path)
    assert classifier.probabilities(source.x[:7]).shape == (7, 3)
    assert classifier.features(source.x[:1]).shape == (1, 64)


# It never moves


def test_uint8_and_floats_are_judged_alike(digits):
    x = mnist5k().x[::50]
    np.testing.assert_array_equal(digits.probabilities(x), digits.probabilities(to_unit(x)))
    probabilities = digits.probabilities(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (digits.features(x) >= 0).all()
    assert digits.features(x).shape == (100, 64)


def test_weights_never_change(digits):
    before = state_hash(digits.network)
    images = torch.rand(20, 1, 28, 28, requires_grad=True)
    digits.probabilities(images)
    digits.features(images)
    assert state_hash(digits.network) == before
    assert not digits.network.training


def test_a_generator_cannot_move_it(digits):
    before = state_hash(digits.network)
    generator = nn.Linear(4, 784)
    x_fake = generator(torch.ones(8, 4)).view(8, 1, 28, 28).tanh()
    digits.network(x_fake).sum().backward()
    assert all(parameter.grad is None for parameter in digits.network.parameters())
    assert generator.weight.grad is not None
    with pytest.raises(RuntimeError, match="grad"):
        digits.network(x_fake.detach()).sum().backward()
    assert state_hash(digits.network) == before


# Determinism


def test_same_data_same_weights_whatever_the_global_generator(brief):
    torch.manual_seed(1)
    first = state_hash(module.train(bars()))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert state_hash(module.train(bars())) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_training_inside_no_grad_and_in_threads_is_the_same(brief):
    expected = state_hash(module.train(bars()))
    with torch.no_grad():
        assert state_hash(module.train(bars())) == expected
    results = []

    def work():
        torch.set_num_threads(1)
        results.append(state_hash(module.train(bars())))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected, expected]


# The cache


def cache_files(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def trainings(monkeypatch):
    """A list that grows by one at each training."""
    calls = []
    train = module.train

    def counted(*args, **kwargs):
        calls.append(threading.get_ident())
        return train(*args, **kwargs)

    monkeypatch.setattr(module, "train", counted)
    return calls


def test_a_cache_hit_is_identical_and_fast(tmp_path, brief, trainings):
    source = bars()
    trained = classifier_for(source, tmp_path)
    start = time.process_time()
    cached = classifier_for(source, tmp_path)
    assert time.process_time() - start < 0.5
    assert len(trainings) == 1
    assert cached.report == trained.report
    assert state_hash(cached.network) == state_hash(trained.network)
    np.testing.assert_array_equal(cached.probabilities(source.x), trained.probabilities(source.x))
    stem = f"classifier-{source.fingerprint[:16]}-v1"
    assert cache_files(tmp_path) == [f"{stem}.json", f"{stem}.safetensors"]


def test_force_trains_again(tmp_path, brief, trainings):
    classifier_for(bars(), tmp_path)
    classifier_for(bars(), tmp_path, force=True)
    assert len(trainings) == 2


def flip_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def not_an_object(path):
    path.write_text("[]")


def without_report(path):
    card = json.loads(path.read_text())
    del card["report"]["accuracy"]
    path.write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        ("safetensors", flip_byte),
        ("safetensors", truncate),
        ("safetensors", lambda path: path.unlink()),
        ("json", truncate),
        ("json", not_an_object),
        ("json", without_report),
        ("json", lambda path: path.unlink()),
    ],
)
def test_a_damaged_cache_is_trained_again(tmp_path, brief, trainings, suffix, damage):
    first = classifier_for(bars(), tmp_path)
    damage(next(tmp_path.glob(f"*.{suffix}")))
    second = classifier_for(bars(), tmp_path)
    assert len(trainings) == 2
    assert state_hash(second.network) == state_hash(first.network)
    classifier_for(bars(), tmp_path)
    assert len(trainings) == 2  # and the cache is whole again


def test_another_split_is_trained_again(tmp_path, brief, trainings):
    source = bars()
    classifier_for(source, tmp_path)
    source.train_index, source.heldout_index = source.heldout_index, source.train_index
    assert classifier_for(source, tmp_path).report.n_heldout == 90
    assert len(trainings) == 2


def test_two_threads_train_once(tmp_path, brief, trainings):
    results = []

    def ask():
        results.append(state_hash(classifier_for(bars(), tmp_path).network))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(trainings) == 1
    assert len(results) == 4
    assert len(set(results)) == 1


# Progress, cancelling, bad input


def test_progress_rises_to_one(tmp_path, brief):
    heard = []
    classifier_for(bars(), tmp_path, progress=lambda fraction, message: heard.append((fraction, message)))
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert all(message for _, message in heard)


def test_cancel_stops_and_leaves_nothing(tmp_path, brief):
    answers = iter([False, False, True])
    with pytest.raises(TrainingCancelled):
        classifier_for(bars(), tmp_path, cancel=lambda: next(answers))
    assert cache_files(tmp_path) == []
    assert classifier_for(bars(), tmp_path).report.n_train == 90  # the lock was released


def test_cancel_while_another_thread_trains(tmp_path, brief, monkeypatch):
    started, release = threading.Event(), threading.Event()

    def slow_train(source, **_):
        started.set()
        assert release.wait(60)
        raise TrainingCancelled

    monkeypatch.setattr(module, "train", slow_train)

    def ask():
        with pytest.raises(TrainingCancelled):
            classifier_for(bars(), tmp_path)

    thread = threading.Thread(target=ask)
    thread.start()
    assert started.wait(60)
    with pytest.raises(TrainingCancelled):
        classifier_for(bars(), tmp_path, cancel=lambda: True)
    release.set()
    thread.join()


def test_a_source_that_cannot_be_learnt_is_refused(tmp_path):
    for attribute, value, message in [
        ("y", None, "labels"),
        ("num_classes", 1, "two classes"),
        ("heldout_index", torch.tensor([], dtype=torch.int64), "held-out"),
        ("train_index", torch.tensor([], dtype=torch.int64), "train on"),
        ("x", torch.zeros(120, 1, 5, 5, dtype=torch.uint8), "8×8"),
    ]:
        source = bars()
        setattr(source, attribute, value)
        with pytest.raises(ValueError, match=message):
            classifier_for(source, tmp_path)
    assert cache_files(tmp_path) == []


def test_a_class_without_held_out_images_has_no_accuracy(tmp_path, brief):
    source = bars()
    source.heldout_index = source.heldout_index[source.y[source.heldout_index] != 2]
    report = classifier_for(source, tmp_path).report
    assert report.per_class_accuracy[2] is None
    assert classifier_for(source, tmp_path).report == report


# The network


@pytest.mark.parametrize("n", [1, 7])
def test_every_parameter_gets_a_gradient(n):
    network = Classifier((3, 16, 20), 4)
    x = torch.rand(n, 3, 16, 20) * 2 - 1
    assert network(x).shape == (n, 4)
    assert network.features(x).shape == (n, 64)
    network(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(("shape", "num_classes"), [((1, 7, 28), 10), ((0, 28, 28), 10), ((1, 28, 28), 1)])
def test_the_network_refuses_what_it_cannot_read(shape, num_classes):
    with pytest.raises(ValueError, match="classifier needs"):
        Classifier(shape, num_classes)
