"""What lets D see a batch, from the formulas: standard deviation, discrimination, packs."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from gan_core.models import ARCHITECTURES, SUMMARIES, Layers, initialize, pack, packed_shape
from gan_core.models.minibatch import MinibatchDiscrimination, MinibatchStddev
from gan_core.training import Streams


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stddev(group: int) -> MinibatchStddev:
    layer = MinibatchStddev(group)
    layer.start()
    return layer


# --- minibatch standard deviation ---


def test_stddev_by_hand() -> None:
    """Groups of two of four samples, members a half batch apart: (0, 2) and (1, 3)."""
    h = torch.tensor([[0.0, 0.0], [1.0, 5.0], [2.0, 4.0], [5.0, 5.0]])
    out = stddev(2)(h)
    assert torch.equal(out[:, :2], h)
    first, second = (1 + 2) / 2, (2 + 0) / 2  # standard deviations of 2 numbers: half their distance
    assert out[:, 2].tolist() == pytest.approx([first, second, first, second], abs=1e-3)


def test_equal_samples_have_none_and_keep_finite_gradients() -> None:
    h = torch.ones(8, 3, requires_grad=True)
    out = stddev(4)(h)
    assert out[:, 3].abs().max() < 1e-3
    out.sum().backward()
    assert h.grad.isfinite().all()


def test_a_batch_that_does_not_divide_is_one_group() -> None:
    h = normal(7, 3)
    assert stddev(4)(h)[:, 3].tolist() == pytest.approx([h.std(0, correction=0).mean().item()] * 7, rel=1e-4)


def test_the_gradient_of_one_sample_reaches_its_company() -> None:
    h = normal(4, 3).requires_grad_(True)
    stddev(4)(h)[0, 3].backward()
    assert (h.grad.abs().sum(1) > 0).all()


# --- minibatch discrimination ---


def test_discrimination_is_the_papers_sum() -> None:
    """o_b(x_i) = Σ_{j ≠ i} exp(−‖M_ib − M_jb‖₁), in plain arithmetic."""
    layer, h = MinibatchDiscrimination(3, kernels=2, dims=4), normal(5, 3)
    layer.start()
    with torch.no_grad():
        layer.projection.weight.copy_(normal(8, 3, seed=1))
    out = layer(h)
    m = (h @ layer.projection.weight.T).reshape(5, 2, 4).tolist()
    for i in range(5):
        for b in range(2):
            distances = [sum(abs(p - q) for p, q in zip(m[i][b], m[j][b], strict=True)) for j in range(5) if j != i]
            assert out[i, 3 + b].item() == pytest.approx(sum(math.exp(-d) for d in distances), rel=1e-4)
    assert torch.equal(out[:, :3], h)


def test_equal_samples_are_as_close_as_can_be() -> None:
    layer = MinibatchDiscrimination(3, kernels=2, dims=4)
    layer.start()
    assert layer(torch.ones(6, 3))[:, 3:].tolist() == [[5.0, 5.0]] * 6


# --- both ---

WITH_COMPANY = {"stddev": {"minibatch_stddev": 4}, "discrimination": {"minibatch_kernels": 3, "minibatch_dims": 2}}
WITH_COMPANY["both"] = WITH_COMPANY["stddev"] | WITH_COMPANY["discrimination"]
EACH = pytest.mark.parametrize("company", WITH_COMPANY)
ARCHITECTURE = pytest.mark.parametrize("name", ARCHITECTURES)


def discriminator(name: str, company: str) -> torch.nn.Module:
    network = ARCHITECTURES[name].discriminator((1, 8, 8), Layers((6, 4), **WITH_COMPANY[company]))
    initialize(network, "torch", partial(Streams(3).generator, "init", "D"))
    return network


@ARCHITECTURE
@EACH
@pytest.mark.parametrize("n", [1, 4, 7])
def test_logits_for_any_batch(name: str, company: str, n: int) -> None:
    network = discriminator(name, company)
    for mode in (True, False):
        logits = network.train(mode)(normal(n, 1, 8, 8))
        assert logits.shape == (n,)
        assert logits.isfinite().all()


@ARCHITECTURE
@EACH
def test_in_training_samples_see_each_other_and_in_evaluation_they_do_not(name: str, company: str) -> None:
    network, x = discriminator(name, company), normal(8, 1, 8, 8)
    for _ in range(30):
        network(x)
    other = torch.cat([x[:1], normal(7, 1, 8, 8, seed=5) * 3])
    assert (network(x)[0] - network(other)[0]).abs() > 1e-4
    network.eval()
    torch.testing.assert_close(network(x)[0], network(other)[0])
    torch.testing.assert_close(network(x), torch.cat([network(x[i : i + 1]) for i in range(8)]))


@EACH
def test_in_evaluation_d_is_shown_the_running_mean(company: str) -> None:
    network, x = discriminator("mlp", company), normal(8, 1, 8, 8)
    for _ in range(200):
        trained = network(x).mean()
    assert network.eval()(x).mean().item() == pytest.approx(trained.item(), abs=1e-4)


@EACH
def test_every_parameter_gets_a_gradient(company: str) -> None:
    network = discriminator("mlp", company)
    network(normal(8, 1, 8, 8)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.abs().max() > 0, name


@ARCHITECTURE
def test_features_are_what_the_head_sees(name: str) -> None:
    network, x = discriminator(name, "both"), normal(8, 1, 8, 8)
    h = network.features(x)
    assert h.shape == (8, {"mlp": 4, "dcgan": 4 * 2 * 2, "resnet": 4, "convolutional": 4 * 2 * 2}[name])
    torch.testing.assert_close(torch.nn.Sequential(*list(network)[-network.head :])(h), network(x))


# --- packs ---


@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)])
def test_packs_join_neighbours_along_features_or_channels(shape: tuple[int, ...]) -> None:
    x = normal(6, *shape)
    packed = pack(x, 3)
    assert packed.shape == (2, *packed_shape(shape, 3)) == (2, 3 * shape[0], *shape[1:])
    for i in range(2):
        assert torch.equal(packed[i], torch.cat([x[3 * i], x[3 * i + 1], x[3 * i + 2]], dim=0))
    assert pack(x, 1) is x


@pytest.mark.parametrize("shape", [(1,), (2,), (3, 4, 4)])
def test_a_pack_is_summed_up_per_feature(shape: tuple[int, ...]) -> None:
    """Against NumPy and SciPy, pack by pack, each feature or pixel by itself."""
    x = normal(12, *shape).double()
    packs = x.numpy().reshape(2, 6, *shape)
    mean, std = packs.mean(1), packs.std(1)
    moments = np.concatenate([mean, std, scipy.stats.skew(packs, axis=1), scipy.stats.kurtosis(packs, axis=1)], axis=1)
    np.testing.assert_allclose(pack(x, 6, "moments").numpy(), moments, rtol=1e-9)
    squares = (packs - mean[:, None]) ** 2
    both = pack(x, 6, "squared_differences")
    assert torch.equal(both[:, : 6 * shape[0]], pack(x, 6))
    np.testing.assert_allclose(both[:, 6 * shape[0] :].numpy(), squares.reshape(2, 6 * shape[0], *shape[1:]), rtol=1e-9)
    for summary in SUMMARIES:
        assert pack(x, 6, summary).shape == (2, *packed_shape(shape, 6, summary))


def test_moments_of_equal_samples_are_finite_with_their_gradient() -> None:
    x = torch.ones(8, 1, requires_grad=True)
    told = pack(x, 8, "moments")
    assert told[0].tolist() == pytest.approx([1, 0, 0, -3], abs=1e-5)
    told.sum().backward()
    assert x.grad.isfinite().all()
