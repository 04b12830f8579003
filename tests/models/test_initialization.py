"""Initial weights: the statistics of each scheme, a stream per parameter, nothing left out."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from gan_core.models import ARCHITECTURES, Layers, initialize, with_storage
from gan_core.training import Streams


def streams(seed: int = 0) -> partial:
    return partial(Streams(seed).generator, "init", "D")


LAYERS = {
    "linear": lambda: nn.Linear(120, 70),
    "convolution": lambda: nn.Conv2d(6, 40, kernel_size=4),
    "transposed convolution": lambda: nn.ConvTranspose2d(50, 12, kernel_size=4),
}
EACH_LAYER = pytest.mark.parametrize("kind", LAYERS)


def filled(kind: str, scheme: str, seed: int = 0) -> nn.Module:
    with torch.device("meta"):
        layer = LAYERS[kind]()
    with_storage(layer)
    for parameter in layer.parameters():
        parameter.data.fill_(math.nan)
    initialize(layer, scheme, streams(seed))
    return layer


@EACH_LAYER
def test_torch_is_the_default_of_torchs_own_layers(kind: str) -> None:
    """Uniform with the bound of torch's own layer, measured on one that torch itself initialised."""
    layer, reference = filled(kind, "torch"), LAYERS[kind]()
    for ours, theirs in zip(layer.parameters(), reference.parameters(), strict=True):
        bound = theirs.abs().max().item()
        if theirs.numel() > 1000:
            assert ours.abs().max().item() == pytest.approx(bound, rel=0.01)
            assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.05)
            sample = (ours.detach().flatten() / ours.detach().abs().max() + 1) / 2
            assert stats.kstest(sample.numpy(), "uniform").pvalue > 0.001
        assert not torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("kind", "fan_in"), [("linear", 120), ("convolution", 6 * 16), ("transposed convolution", 12 * 16)]
)
def test_the_bound_is_one_over_the_root_of_fan_in(kind: str, fan_in: int) -> None:
    layer = filled(kind, "torch")
    for parameter in layer.parameters():
        assert parameter.abs().max() <= 1 / math.sqrt(fan_in)
    assert layer.weight.abs().max() > 0.99 / math.sqrt(fan_in)
    assert layer.bias.abs().max() > 0.7 / math.sqrt(fan_in)


@EACH_LAYER
def test_dcgan_is_normal_with_standard_deviation_one_fiftieth(kind: str) -> None:
    layer = filled(kind, "dcgan")
    weight = layer.weight.detach().flatten().numpy()
    assert weight.std() == pytest.approx(0.02, rel=0.05)
    assert stats.kstest(weight / 0.02, "norm").pvalue > 0.001
    assert not layer.bias.any()


@EACH_LAYER
def test_orthogonal_has_orthonormal_rows_or_columns(kind: str) -> None:
    layer = filled(kind, "orthogonal")
    weight = layer.weight.detach().flatten(1)
    gram = weight @ weight.T if len(weight) <= weight.shape[1] else weight.T @ weight
    torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0)
    assert not layer.bias.any()


@pytest.mark.parametrize("scheme", ["torch", "dcgan", "orthogonal"])
def test_norms_begin_as_the_identity(scheme: str) -> None:
    norms = [nn.BatchNorm1d(4000), nn.BatchNorm2d(4000), nn.LayerNorm(4000), nn.GroupNorm(1, 4000)]
    for norm in [*norms, nn.InstanceNorm2d(4000, affine=True)]:
        for tensor in [*norm.parameters(), *norm.buffers()]:
            tensor.data.fill_(7)
        initialize(norm, scheme, streams())
        assert not norm.bias.any()
        if scheme == "dcgan" and isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            assert norm.weight.mean().item() == pytest.approx(1, abs=0.002)
            assert norm.weight.std().item() == pytest.approx(0.02, rel=0.05)
        else:
            assert torch.equal(norm.weight, torch.ones(4000))
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            assert torch.equal(norm.running_mean, torch.zeros(4000))
            assert torch.equal(norm.running_var, torch.ones(4000))
            assert norm.num_batches_tracked == 0


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("scheme", ["torch", "dcgan", "orthogonal"])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer", "instance"])
def test_nothing_stays_uninitialised(name: str, scheme: str, normalization: str) -> None:
    layers = Layers((6, 4), normalization=normalization, dropout=0.2, attention=name != "mlp")
    if ARCHITECTURES[name].fits((1, 28, 28), layers):
        with pytest.raises(ValueError, match="normalisation"):
            ARCHITECTURES[name].generator(3, (1, 28, 28), layers)
        return
    for network in (
        ARCHITECTURES[name].generator(3, (1, 28, 28), layers),
        ARCHITECTURES[name].discriminator((1, 28, 28), layers),
    ):
        for tensor in network.state_dict().values():
            tensor.fill_(-77)
        initialize(network, scheme, streams())
        for key, tensor in network.state_dict().items():
            assert not (tensor == -77).any(), key


def first_weight(widths: tuple[int, ...], seed: int) -> Tensor:
    network = ARCHITECTURES["mlp"].discriminator((2,), Layers(widths))
    initialize(network, "torch", streams(seed))
    return next(network.parameters()).detach()


def test_weights_depend_on_seed_name_and_shape_alone() -> None:
    """A layer of the same name and shape begins the same, whatever the rest of the network is."""
    assert torch.equal(first_weight((6, 4), 1), first_weight((6, 4), 1))
    assert torch.equal(first_weight((6, 4), 1), first_weight((6, 9, 9), 1))
    assert not torch.equal(first_weight((6, 4), 1), first_weight((6, 4), 2))


def test_parameters_do_not_share_a_stream() -> None:
    network = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5))
    initialize(network, "torch", streams())
    weights = [network[0].weight, network[1].weight]
    assert not torch.equal(*weights)
    for layer in network:
        assert not torch.equal(layer.weight.flatten()[:5], layer.bias)


def test_g_and_d_do_not_share_a_stream() -> None:
    weights = []
    for who in "GD":
        layer = nn.Linear(4, 4)
        initialize(layer, "torch", partial(Streams(0).generator, "init", who))
        weights.append(layer.weight)
    assert not torch.equal(*weights)


@pytest.mark.parametrize(
    "stranger", [nn.EmbeddingBag(3, 2), nn.PReLU(), nn.Bilinear(2, 2, 2)], ids=lambda m: type(m).__name__
)
def test_a_module_that_is_not_known_is_refused(stranger: nn.Module) -> None:
    with pytest.raises(TypeError, match=type(stranger).__name__):
        initialize(nn.Sequential(nn.Linear(2, 2), stranger), "torch", streams())


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="xavier"):
        initialize(nn.Linear(2, 2), "xavier", streams())


@pytest.mark.parametrize("scheme", ["torch", "dcgan", "orthogonal"])
def test_the_global_stream_is_not_touched(scheme: str) -> None:
    with torch.device("meta"):
        network = ARCHITECTURES["dcgan"].discriminator((1, 28, 28), Layers((4, 4), normalization="batch"))
    before = torch.get_rng_state()
    with_storage(network)
    initialize(network, scheme, streams())
    assert torch.equal(torch.get_rng_state(), before)
