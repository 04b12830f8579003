"""Spectral normalisation against the singular values of a decomposition, and against torch's own."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from gan_core.models import ARCHITECTURES, Layers, initialize, normalize_spectrally, with_storage
from gan_core.models.spectral import raw_weight, spectral_norm_of
from gan_core.training import Streams

LAYERS = {
    "linear": lambda: nn.Linear(12, 7),
    "convolution": lambda: nn.Conv2d(3, 5, kernel_size=4),
    "transposed convolution": lambda: nn.ConvTranspose2d(5, 3, kernel_size=4),
}
EACH_LAYER = pytest.mark.parametrize("kind", LAYERS)


def normalised(kind: str, gain: float = 1.0, seed: int = 0) -> nn.Module:
    with torch.device("meta"):
        network = nn.Sequential(LAYERS[kind]())
        normalize_spectrally(network, gain)
    with_storage(network)
    initialize(network, "torch", partial(Streams(seed).generator, "init", "D"))
    return network[0]


def matrix(layer: nn.Module, weight: Tensor) -> Tensor:
    """(outputs, everything else), as the paper reshapes a kernel."""
    if isinstance(layer, nn.ConvTranspose2d):
        weight = weight.transpose(0, 1)
    return weight.detach().reshape(weight.shape[0], -1)


@EACH_LAYER
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_the_largest_singular_value_is_the_gain(kind: str, gain: float) -> None:
    layer = normalised(kind, gain)
    for _ in range(200):
        weight = layer.weight
    assert torch.linalg.matrix_norm(matrix(layer, weight), 2).item() == pytest.approx(gain, rel=1e-4)
    raw = matrix(layer, raw_weight(layer))
    sigma = torch.linalg.svdvals(raw)[0]
    torch.testing.assert_close(matrix(layer, weight), gain * raw / sigma, rtol=1e-3, atol=1e-5)


@EACH_LAYER
def test_one_pass_after_the_start_is_near_already(kind: str) -> None:
    layer = normalised(kind)
    assert torch.linalg.matrix_norm(matrix(layer, layer.weight), 2).item() == pytest.approx(1, rel=0.05)


@EACH_LAYER
def test_the_gradient_is_that_of_torchs_own(kind: str) -> None:
    """With equal u and v: the same weight, and the same gradient in the raw one, through σ as well."""
    ours, theirs = normalised(kind), nn.utils.parametrizations.spectral_norm(LAYERS[kind]())
    with torch.no_grad():
        theirs.parametrizations.weight.original.copy_(raw_weight(ours))
    ours.eval(), theirs.eval()
    own, other = spectral_norm_of(ours), theirs.parametrizations.weight[0]
    for _ in range(100):  # both to the singular vectors
        own._iterate(own._matrix(raw_weight(ours)))
        other._power_method(other._reshape_weight_to_matrix(raw_weight(ours)), 1)
    probe = torch.randn(ours.weight.shape, generator=torch.Generator().manual_seed(1))
    for layer in (ours, theirs):
        (layer.weight * probe).sum().backward()
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        raw_weight(ours).grad, theirs.parametrizations.weight.original.grad, rtol=1e-2, atol=1e-3
    )


def test_u_and_v_move_in_training_and_rest_in_evaluation() -> None:
    layer = normalised("linear")
    norm = spectral_norm_of(layer)
    before = norm.u.clone()
    layer(torch.ones(2, 12))
    moved = norm.u.clone()
    assert not torch.equal(before, moved)
    layer.eval()
    layer(torch.ones(2, 12))
    assert torch.equal(norm.u, moved)


def test_two_passes_before_one_backward_are_one_graph() -> None:
    """D sees real and generated data before it learns: the second pass must not spoil the graph of the first."""
    layer = normalised("linear")
    (layer(torch.ones(2, 12)).sum() + layer(torch.zeros(2, 12)).sum()).backward()
    assert raw_weight(layer).grad.isfinite().all()


def test_u_is_a_function_of_the_seed_and_weights_begin_as_without() -> None:
    first, again, other = (normalised("linear", seed=seed) for seed in (0, 0, 1))
    assert torch.equal(spectral_norm_of(first).u, spectral_norm_of(again).u)
    assert not torch.equal(spectral_norm_of(first).u, spectral_norm_of(other).u)
    plain = nn.Linear(12, 7)
    initialize(plain, "torch", partial(Streams(0).generator, "init", "D"))
    assert torch.equal(raw_weight(first), plain.weight)
    assert torch.equal(first.bias, plain.bias)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_weight_is_normalised_and_none_stays_uninitialised(name: str) -> None:
    layers = Layers((6, 4), minibatch_stddev=2, minibatch_kernels=3)
    architecture, before = ARCHITECTURES[name], torch.get_rng_state()
    for build in (
        lambda: architecture.generator(3, (1, 28, 28), layers),
        lambda: architecture.discriminator((1, 28, 28), layers),
        lambda: architecture.discriminator((1, 28, 28), Layers((6, 4), output="reconstruction", code_dim=3)),
    ):
        with torch.device("meta"):
            network = build()
            normalize_spectrally(network, 1.5)
        with_storage(network)
        for tensor in network.state_dict().values():
            tensor.fill_(-77)
        initialize(network, "dcgan", partial(Streams(0).generator, "init", "D"))
        for key, tensor in network.state_dict().items():
            assert not (tensor == -77).any(), key
        weighted = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        assert weighted
        assert all(spectral_norm_of(layer).gain == 1.5 for layer in weighted)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_normalised_relu_network_is_lipschitz() -> None:
    """No pair of points changes D's logit by more than the product of the gains times their distance."""
    network = ARCHITECTURES["mlp"].discriminator((5,), Layers((32, 32), activation="relu"))
    normalize_spectrally(network, 1.0)
    initialize(network, "torch", partial(Streams(2).generator, "init", "D"))
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for _ in range(100):
        logits = network(x)
    (gradient,) = torch.autograd.grad(logits.sum(), x)
    assert gradient.norm(dim=1).max() <= 1 + 1e-4
