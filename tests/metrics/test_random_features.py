"""Features of a network that nobody trained, and the distance of two sets of pictures in them, on sets that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_core.data import mnist5k, to_unit
from gan_core.engine.observers.measuring import RandomComparison
from gan_core.metrics import METRICS
from gan_core.metrics import random_features as module
from gan_core.metrics.copying import copying, squared_distances
from gan_core.metrics.distances import frechet_distance, frechet_floor
from gan_core.metrics.random_cards import COVERAGE, EXTRACTOR, FRECHET, PRECISION, RECALL
from gan_core.metrics.random_features import AnotherExtractor, fingerprint, random_features


def test_the_extractor_is_the_one_that_the_names_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fingerprint() == EXTRACTOR
    assert all(name.endswith(EXTRACTOR) and name in METRICS for name in (FRECHET, PRECISION, RECALL, COVERAGE))
    assert all("FID" not in METRICS[name].about.title for name in (FRECHET,))
    kernels = module._weights()
    assert [tuple(kernel.shape) for kernel in kernels] == [(32, 3, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3)]
    assert [float(kernel.var()) * kernel[0].numel() for kernel in kernels[1:]] == pytest.approx([2, 2], rel=0.05)
    changed = (kernels[0] + 1e-6, *kernels[1:])
    monkeypatch.setattr(module, "_weights", lambda: changed)
    with pytest.raises(AnotherExtractor):
        random_features(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 4, 4), (3, 5, 9)])
def test_pictures_of_any_size_have_features(shape: tuple[int, ...]) -> None:
    x = torch.rand(7, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = random_features(x)
    assert found.shape == (7, 576)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(random_features(x[3:4])[0], found[3], rtol=1e-5, atol=1e-6)
    if shape[0] == 1:
        np.testing.assert_array_equal(random_features(x.expand(-1, 3, -1, -1)), found)


def test_the_floor_is_what_honest_sets_read() -> None:
    for d, n, m in ((16, 300, 300), (8, 60, 60), (16, 200, 400)):
        draw = np.random.default_rng(d)
        read = [frechet_distance(draw.standard_normal((n, d)), draw.standard_normal((m, d))) for _ in range(20)]
        assert np.mean(read) == pytest.approx(frechet_floor(d, n, m), rel=0.15)
    assert frechet_floor(32, 500, 500) == pytest.approx(2 * 32 / 500 + 32 * 33 / 1000)
    with pytest.raises(ValueError, match="two samples"):
        frechet_floor(4, 1, 9)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return random_features(
        to_unit(mnist5k().x[torch.randperm(5_000, generator=torch.Generator().manual_seed(0))[:1_200]])
    )


def test_an_honest_set_stands_at_the_floor_and_damage_above_it(features: np.ndarray) -> None:
    n = 200
    comparison = RandomComparison(features[:n], features[n : 2 * n])
    floor = comparison.floor[FRECHET]
    honest = [comparison.measure(features[(2 + k) * n : (3 + k) * n]) for k in range(4)]
    read = [numbers[FRECHET] for numbers in honest]
    assert 0.7 * floor < np.mean(read) < 1.6 * floor
    assert min(numbers[RECALL] for numbers in honest) > 0.8
    fewer = comparison.measure(np.repeat(features[400:410], 20, axis=0))
    assert fewer[FRECHET] > 2 * floor
    assert fewer[RECALL] < 0.2
    assert fewer[COVERAGE] < 0.5
    faint = random_features(to_unit(mnist5k().x[1_000::20]) * 0.8)
    assert comparison.measure(faint)[FRECHET] > 2 * floor
    assert comparison.measure(features[n : 2 * n])[FRECHET] == pytest.approx(0, abs=1e-6)


def test_an_honest_generator_is_no_copier_in_pixels() -> None:
    """What is fitted on the training pictures alone spreads these out, and new ones look far from them."""
    x = mnist5k().x.flatten(1).numpy().astype(np.float64)
    order, near, far = np.random.default_rng(0).permutation(5_000), [], []
    for trial in range(25):
        training, held_out, new = np.split(x[order[trial * 190 : (trial + 1) * 190]], [50, 100])
        near.append(copying(squared_distances(new, training), squared_distances(new, held_out)).z)
        mean, axes = training.mean(0), np.linalg.svd(training - training.mean(0), full_matrices=False)[2][:30]
        scale = ((training - mean) @ axes.T).std(0)
        fitted = [((part - mean) @ axes.T) / scale for part in (training, held_out, new)]
        far.append(copying(squared_distances(fitted[2], fitted[0]), squared_distances(fitted[2], fitted[1])).z)
    assert abs(np.mean(near)) < 3 / np.sqrt(25)
    assert np.mean(far) < -1
