"""Every architecture × shape × normalisation × upsampling: shapes, range, gradients, batches of 1 and 7, round trip."""

from __future__ import annotations

import itertools
import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core.models import ARCHITECTURES, Dropout, Layers, initialize, use_dropout_stream
from gan_core.training import Streams

LATENT = 5
SHAPES = [(1, 28, 28), (3, 28, 28), (2,), (1,)]
WIDTHS = {"mlp": (12, 9), "dcgan": (6, 4)}
COMBINATIONS = [
    (name, shape, Layers(WIDTHS[name], normalization=normalization, upsampling=upsampling))
    for name, shape, normalization, upsampling in itertools.product(
        ARCHITECTURES, SHAPES, ("none", "batch", "layer", "instance"), ("transposed", "nearest", "bilinear")
    )
    if name != "mlp" or upsampling == "transposed"  # an MLP does not upsample
]


def label(case: tuple) -> str:
    name, shape, layers = case
    return f"{name}-{'x'.join(map(str, shape))}-{layers.normalization}-{layers.upsampling}"


FITTING = [case for case in COMBINATIONS if ARCHITECTURES[case[0]].fits(case[1], case[2]) is None]
MISFITS = [case for case in COMBINATIONS if ARCHITECTURES[case[0]].fits(case[1], case[2]) is not None]
EACH = pytest.mark.parametrize("case", FITTING, ids=label)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def built(case: tuple, scheme: str = "torch", seed: int = 3) -> tuple[nn.Module, nn.Module]:
    name, shape, layers = case
    architecture, streams = ARCHITECTURES[name], Streams(seed)
    networks = architecture.generator(LATENT, shape, layers), architecture.discriminator(shape, layers)
    for network, who in zip(networks, "GD", strict=True):
        initialize(network, scheme, partial(streams.generator, "init", who))
        use_dropout_stream(network, streams.generator("dropout", who))
    return networks


def test_what_fits_is_what_should() -> None:
    assert {(name, len(shape), layers.normalization) for name, shape, layers in MISFITS} == {
        ("mlp", 3, "instance"),
        ("mlp", 1, "instance"),
        *(("dcgan", 1, normalization) for normalization in ("none", "batch", "layer", "instance")),
    }


@pytest.mark.parametrize("case", MISFITS, ids=label)
def test_why_it_does_not_fit_is_a_sentence(case: tuple) -> None:
    reason = ARCHITECTURES[case[0]].fits(case[1], case[2])
    assert "choose" in reason
    assert len(reason.split()) > 5


@pytest.mark.parametrize(
    ("side", "stages", "fits"),
    [
        *((28, 1, True), (28, 2, True), (28, 3, False), (32, 4, True), (32, 5, False), (8, 2, True), (8, 3, False)),
        *((7, 1, False), (2, 1, False), (26, 1, True), (26, 2, False)),
    ],
)
def test_a_dcgan_fits_where_halving_comes_out_even(side: int, stages: int, fits: bool) -> None:
    layers = Layers((4,) * stages)
    reason = ARCHITECTURES["dcgan"].fits((1, side, side), layers)
    assert (reason is None) == fits
    if fits:
        generator, discriminator = built(("dcgan", (1, side, side), layers))
        assert discriminator(generator(noise(2, LATENT))).shape == (2,)
    else:
        assert ("MLP" in reason) == (side in (2, 7)), "only where no number of stages fits is another family the advice"


@EACH
@pytest.mark.parametrize("n", [1, 7])
def test_shapes_and_range(case: tuple, n: int) -> None:
    _, shape, _ = case
    generator, discriminator = built(case)
    if n == 1:
        generator.eval(), discriminator.eval()
    x_fake = generator(noise(n, LATENT) * 30)
    assert x_fake.shape == (n, *shape)
    assert x_fake.dtype == torch.float32
    assert x_fake.isfinite().all()
    if len(shape) == 3:
        assert x_fake.abs().max() <= 1
    logits = discriminator(x_fake)
    assert logits.shape == (n,)
    assert logits.isfinite().all()


@pytest.mark.parametrize("shape", [(2,), (1,)])
def test_points_are_not_bounded(shape: tuple[int, ...]) -> None:
    generator, _ = built(("mlp", shape, Layers((12, 9))))
    assert generator(noise(50, LATENT) * 100).abs().max() > 2


@EACH
def test_logits_are_raw(case: tuple) -> None:
    """No sigmoid at D's end: multiplying the last layer multiplies the logit."""
    _, discriminator = built(case)
    discriminator.eval()
    x = noise(5, *case[1])
    last = [module for module in discriminator.modules() if isinstance(module, nn.Linear)][-1]
    before = discriminator(x)
    with torch.no_grad():
        last.weight.mul_(1000)
        last.bias.mul_(1000)
    torch.testing.assert_close(discriminator(x), 1000 * before, rtol=1e-4, atol=1e-3)


def cancelled_biases(network: nn.Module) -> set[str]:
    """Biases of layers whose output goes straight into a normalisation per channel, which subtracts them again."""
    names, modules = zip(*[(n, m) for n, m in network.named_children() if type(m).__name__ != "Reshape"], strict=True)
    found = set()
    for (name, module), following in zip(zip(names, modules, strict=True), modules[1:], strict=False):
        if isinstance(following, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d) and not isinstance(
            module, nn.BatchNorm1d | nn.BatchNorm2d
        ):
            linear_before_maps = isinstance(module, nn.Linear) and not isinstance(following, nn.BatchNorm1d)
            if not linear_before_maps:
                found.add(f"{name}.bias")
    return found


@EACH
def test_every_parameter_that_should_gets_a_gradient(case: tuple) -> None:
    """Under a loss that is not invariant to a shift of the logits, which hides D's last bias."""
    generator, discriminator = built(case)
    logits = discriminator(generator(noise(16, LATENT)))
    F.softplus(-3 * logits).mean().backward()
    for network in (generator, discriminator):
        useless = cancelled_biases(network)
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            if name not in useless:
                assert parameter.grad.abs().max() > 0, name


@EACH
def test_state_round_trip(case: tuple) -> None:
    originals, copies = built(case, seed=3), built(case, seed=4)
    for original, copy, x in zip(originals, copies, [noise(7, LATENT), noise(7, *case[1])], strict=True):
        original(x)  # moves running statistics
        copy.load_state_dict(original.state_dict(), strict=True)
        original.eval(), copy.eval()
        assert torch.equal(original(x), copy(x))


@EACH
def test_in_evaluation_samples_do_not_see_each_other(case: tuple) -> None:
    generator, discriminator = built(case)
    generator.eval(), discriminator.eval()
    z = noise(7, LATENT)
    together = discriminator(generator(z))
    alone = torch.cat([discriminator(generator(z[i : i + 1])) for i in range(7)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@EACH
def test_d_does_not_normalise_its_input_layer_and_g_does_not_normalise_its_output(case: tuple) -> None:
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)
    generator, discriminator = built(case)
    for network, index in ((discriminator, 0), (generator, -1)):
        weighted = [m for m in network if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        layers = list(network)
        position = next(i for i, m in enumerate(layers) if m is weighted[index])
        assert not any(isinstance(m, norms) for m in layers[position + 1 : position + 2])
    expected = case[2].normalization != "none"
    assert any(isinstance(m, norms) for m in generator) == expected
    assert any(isinstance(m, norms) for m in discriminator) == expected


@pytest.mark.parametrize("case", [c for c in FITTING if c[2].normalization == "batch"], ids=label)
def test_batch_norm_makes_unit_variance(case: tuple) -> None:
    """`BatchNorm(n, 0.8)` in known code makes 0.8 the eps, not the momentum; the variance then falls short of 1."""
    generator, _ = built(case)
    variances = []
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.register_forward_hook(
                lambda module, inputs, out: variances.append(
                    ((out - module.bias.view(1, -1, *[1] * (out.dim() - 2))).transpose(0, 1).flatten(1))
                    .var(1, correction=0)
                    .div(module.weight.square())
                )
            )
    generator(noise(64, LATENT))
    assert len(variances) == 2
    for variance in variances:
        assert variance.min() > 0.95
        assert variance.max() < 1.001


@EACH
def test_labels_are_refused_by_an_unconditional_network(case: tuple) -> None:
    generator, discriminator = built(case)
    y = torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match="unconditional"):
        generator(noise(3, LATENT), y)
    with pytest.raises(ValueError, match="unconditional"):
        discriminator(noise(3, *case[1]), y=y)
    assert torch.equal(discriminator.eval()(noise(3, *case[1]), y=None), discriminator(noise(3, *case[1])))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_activation_is_the_one_asked_for(activation: str) -> None:
    formula = {
        "relu": lambda t: max(t, 0.0),
        "leaky_relu": lambda t: t if t > 0 else 0.3 * t,
        "tanh": math.tanh,
    }[activation]
    _, discriminator = built(("mlp", (1,), Layers((1,), activation=activation, leaky_slope=0.3)))
    first, last = (module for module in discriminator if isinstance(module, nn.Linear))
    for x in (-2.0, 0.5, 3.0):
        hidden = formula(first.weight.item() * x + first.bias.item())
        expected = last.weight.item() * hidden + last.bias.item()
        assert discriminator(torch.tensor([[x]])).item() == pytest.approx(expected, abs=1e-6)


# --- dropout ---


def test_dropout_drops_its_share_and_scales_the_rest() -> None:
    dropout = Dropout(0.3)
    use_dropout_stream(dropout, torch.Generator().manual_seed(0))
    y = dropout(torch.full((400, 500), 2.0))
    kept = y != 0
    assert sorted(y.unique().tolist()) == pytest.approx([0.0, 2 / 0.7])
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.005)  # 4.9 standard deviations
    assert y.mean().item() == pytest.approx(2.0, abs=0.015)
    assert kept[:, 0].float().mean() < 1, "units are dropped sample by sample"


def test_dropout_is_the_identity_in_evaluation_and_draws_nothing() -> None:
    dropout, generator = Dropout(0.5).eval(), torch.Generator().manual_seed(0)
    use_dropout_stream(dropout, generator)
    before, x = generator.get_state(), noise(4, 4)
    assert torch.equal(dropout(x), x)
    assert torch.equal(generator.get_state(), before)


def test_dropout_without_a_stream_says_so() -> None:
    with pytest.raises(RuntimeError, match="use_dropout_stream"):
        Dropout(0.5)(noise(2, 2))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_of_a_network_is_a_function_of_its_stream(name: str) -> None:
    shape = (1, 28, 28)
    layers = Layers(WIDTHS[name], dropout=0.4)
    before = torch.get_rng_state()
    outputs = []
    for seed in (1, 1, 2):
        _, discriminator = built((name, shape, layers), seed=9)
        use_dropout_stream(discriminator, torch.Generator().manual_seed(seed))
        assert sum(isinstance(module, Dropout) for module in discriminator.modules()) == 2
        outputs.append(discriminator(noise(3, *shape)))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    # building with storage draws torch's own initial weights from the global stream, dropping units must not
    torch.set_rng_state(before)
    discriminator(noise(3, *shape))
    assert torch.equal(torch.get_rng_state(), before)
