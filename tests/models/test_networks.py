"""Every architecture × shape × normalisation × upsampling: shapes, range, gradients, batches of 1 and 7, round trip."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_core.models import ARCHITECTURES, Dropout, Layers, initialize, use_dropout_stream
from gan_core.models.attention import SelfAttention, attended
from gan_core.models.resnet import GlobalSum, Residual
from gan_core.training import Streams

LATENT = 5
SHAPES = [(1, 28, 28), (3, 28, 28), (2,), (1,)]
WIDTHS = {"mlp": (12, 9), "dcgan": (6, 4), "resnet": (6, 4), "convolutional": (6, 4)}
CONVOLUTIONAL = ("dcgan", "resnet", "convolutional")
COMBINATIONS = [
    (name, shape, Layers(WIDTHS[name], normalization=normalization, upsampling=upsampling))
    for name, shape, normalization, upsampling in itertools.product(
        ARCHITECTURES, SHAPES, ("none", "batch", "layer", "instance"), ("transposed", "nearest", "bilinear")
    )
    if name != "mlp" or upsampling == "transposed"  # an MLP does not upsample
    if name != "resnet" or shape[0] != 3 or upsampling == "nearest"
]
# Larger images, as deep as they allow: 32 is halved to 4, 64 to 4.
COMBINATIONS += [
    (name, (3, side, side), Layers((5,) * stages, normalization="batch", upsampling=upsampling, attention=attention))
    for name in CONVOLUTIONAL
    for side, stages in ((32, 3), (64, 4))
    for upsampling, attention in (("transposed", False), ("nearest", True))
]
COMBINATIONS += [(name, (1, 28, 28), Layers((6, 4), attention=True)) for name in CONVOLUTIONAL]


def label(case: tuple) -> str:
    name, shape, layers = case
    looks = "-attention" if layers.attention else ""
    return f"{name}-{'x'.join(map(str, shape))}-{layers.normalization}-{layers.upsampling}{looks}"


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
        *(
            (name, 1, normalization)
            for name in CONVOLUTIONAL
            for normalization in ("none", "batch", "layer", "instance")
        ),
    }
    assert "feature maps" in ARCHITECTURES["mlp"].fits((1, 28, 28), Layers((4,), attention=True))


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
@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_convolutions_fit_where_halving_comes_out_even(name: str, side: int, stages: int, fits: bool) -> None:
    layers = Layers((4,) * stages)
    reason = ARCHITECTURES[name].fits((1, side, side), layers)
    assert (reason is None) == fits
    if fits:
        generator, discriminator = built((name, (1, side, side), layers))
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


PER_CHANNEL = (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d)


def cancelled_biases(network: nn.Module) -> set[str]:
    """Biases of layers whose output goes straight into a normalisation per channel, which subtracts them again.

    What a residual block adds to the trunk is normalised before anyone looks at it, however many blocks later.
    """
    return _cancelled(network, "") | {
        f"{block}.{name}.bias"
        for block, residual in network.named_children()
        if isinstance(residual, Residual) and any(isinstance(module, PER_CHANNEL) for module in network.modules())
        for name, _ in (_last_weighted(residual.main, "main"), _last_weighted(residual.shortcut, "shortcut"))
    }


def _last_weighted(modules: nn.Sequential, name: str) -> tuple[str, nn.Module | None]:
    found = [(f"{name}.{key}", module) for key, module in modules.named_children() if hasattr(module, "weight")]
    return found[-1] if found else (name, None)


def _cancelled(network: nn.Module, prefix: str) -> set[str]:
    named = [(n, m) for n, m in network.named_children() if type(m).__name__ != "Reshape"]
    found = set()
    for (name, module), (_, following) in itertools.pairwise(named):
        if isinstance(following, PER_CHANNEL) and not isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            linear_before_maps = isinstance(module, nn.Linear) and not isinstance(following, nn.BatchNorm1d)
            if not linear_before_maps:
                found.add(f"{prefix}{name}.bias")
    for name, module in named:
        if isinstance(module, Residual):
            found |= _cancelled(module.main, f"{prefix}{name}.main.")
    return found


def open_attention(network: nn.Module) -> None:
    """γ = 1 in every attention layer: at its beginning, 0, nothing behind it has a gradient yet."""
    for module in network.modules():
        if isinstance(module, SelfAttention):
            assert module.gamma == 0
            nn.init.ones_(module.gamma)


@EACH
def test_every_parameter_that_should_gets_a_gradient(case: tuple) -> None:
    """Under a loss that is not invariant to a shift of the logits, which hides D's last bias."""
    generator, discriminator = built(case)
    open_attention(generator), open_attention(discriminator)
    logits = discriminator(generator(noise(16, LATENT)))
    F.softplus(-3 * logits).mean().backward()
    for network in (generator, discriminator):
        useless = cancelled_biases(network)
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            if name not in useless and not name.endswith("keys.bias"):  # softmax does not see what all keys share
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
def test_neither_the_input_of_d_nor_the_output_of_g_is_normalised(case: tuple) -> None:
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)
    generator, discriminator = built(case)
    for network, index in ((discriminator, 0), (generator, -1)):
        layers = list(unfolded(network))
        weighted = [m for m in layers if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        position = next(i for i, m in enumerate(layers) if m is weighted[index])
        assert not any(isinstance(m, norms) for m in layers[position + 1 : position + 2])
        if network is discriminator:
            assert not any(isinstance(m, norms) for m in layers[:position])
    expected = case[2].normalization != "none"
    assert any(isinstance(m, norms) for m in generator.modules()) == expected
    assert any(isinstance(m, norms) for m in discriminator.modules()) == expected


def unfolded(network: nn.Module) -> Iterator[nn.Module]:
    """The layers in order, those of a residual block along its main path."""
    for module in network:
        if isinstance(module, Residual):
            yield from module.main
        else:
            yield module


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
    assert len(variances) == sum(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in generator.modules()) >= 2
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


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "sigmoid"])
def test_activation_is_the_one_asked_for(activation: str) -> None:
    formula = {
        "relu": lambda t: max(t, 0.0),
        "leaky_relu": lambda t: t if t > 0 else 0.3 * t,
        "tanh": math.tanh,
        "sigmoid": lambda t: 1 / (1 + math.exp(-t)),
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
        blocks = 3 if name == "resnet" else 2
        assert sum(isinstance(module, Dropout) for module in discriminator.modules()) == blocks
        outputs.append(discriminator(noise(3, *shape)))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    # building with storage draws torch's own initial weights from the global stream, dropping units must not
    torch.set_rng_state(before)
    discriminator(noise(3, *shape))
    assert torch.equal(torch.get_rng_state(), before)


# --- residual networks ---


def test_a_residual_block_adds_to_its_shortcut() -> None:
    """With the last convolution of each block at zero, only the shortcuts are left, which are linear."""
    generator, _ = built(("resnet", (1, 28, 28), Layers((6, 4), upsampling="nearest")))
    blocks = [module for module in generator if isinstance(module, Residual)]
    assert [block.does for block in blocks] == ["twice the size"] * 2
    for block in blocks:
        for parameter in block.main[-1].parameters():
            nn.init.zeros_(parameter)
    h = noise(2, 6, 7, 7)
    ours = blocks[1](blocks[0](h))
    doubled = h.repeat_interleave(4, 2).repeat_interleave(4, 3)
    first, second = (block.shortcut[1] for block in blocks)
    weight = second.weight.flatten(1) @ first.weight.flatten(1)
    bias = second.weight.flatten(1) @ first.bias + second.bias
    expected = torch.einsum("oc,nchw->nohw", weight, doubled) + bias[:, None, None]
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_a_resnet_ends_in_the_sum_over_all_pixels() -> None:
    _, discriminator = built(("resnet", (1, 28, 28), Layers((6, 4))))
    x = noise(3, 1, 28, 28)
    (pool,) = (module for module in discriminator if isinstance(module, GlobalSum))
    seen = []
    pool.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    assert discriminator.features(x).shape == (3, 4)
    maps = seen[0]
    assert maps.shape == (3, 4, 7, 7)
    expected = [[sum(map(sum, channel)) for channel in sample] for sample in maps.tolist()]
    torch.testing.assert_close(discriminator.features(x), torch.tensor(expected), rtol=1e-4, atol=1e-4)


# --- self-attention ---


def test_attention_is_the_papers_formula() -> None:
    """Pixel by pixel: o_j = v(Σ_i softmax_i⟨f_i, g_j⟩ w_i), y = x + γ o."""
    attention = SelfAttention(16)
    initialize(attention, "orthogonal", partial(Streams(1).generator, "init", "D"))
    x = noise(2, 16, 3, 2)
    assert torch.equal(attention(x), x), "γ begins at 0"
    nn.init.constant_(attention.gamma, 0.7)
    with torch.no_grad():
        f, g, w = (layer(x).flatten(2) for layer in (attention.keys, attention.queries, attention.values))
        assert f.shape == g.shape == (2, 2, 6)
        for n in range(2):
            for j in range(6):
                scores = [math.exp(sum(f[n, c, i].item() * g[n, c, j].item() for c in range(2))) for i in range(6)]
                mixed = sum(score / sum(scores) * w[n, :, i] for i, score in enumerate(scores))
                out = attention.out.weight.flatten(1) @ mixed + attention.out.bias
                expected = x.flatten(2)[n, :, j] + 0.7 * out
                torch.testing.assert_close(attention(x).flatten(2)[n, :, j], expected, rtol=1e-4, atol=1e-5)


def test_gamma_learns_first() -> None:
    """At γ = 0 it alone has a gradient; after one step the others have too."""
    attention = SelfAttention(8)
    initialize(attention, "torch", partial(Streams(1).generator, "init", "D"))
    optimizer = torch.optim.SGD(attention.parameters(), lr=0.1)
    for expected in (False, True):
        optimizer.zero_grad()
        attention(noise(4, 8, 4, 4)).square().mean().backward()
        assert attention.gamma.grad != 0
        assert bool(attention.values.weight.grad.abs().max() > 0) == expected
        optimizer.step()


@pytest.mark.parametrize(
    ("sides", "index"),
    [((7, 14), 1), ((14, 7), 0), ((4, 8, 16), 2), ((4, 8, 16, 32), 2), ((32, 16, 8, 4), 1), ((32,), 0)],
)
def test_attention_looks_at_the_largest_maps_it_can_afford(sides: tuple[int, ...], index: int) -> None:
    assert attended(sides) == index


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize(("side", "stages", "expected"), [(28, 2, 14), (32, 3, 16), (64, 4, 16)])
def test_both_networks_attend_at_the_same_size(name: str, side: int, stages: int, expected: int) -> None:
    for network, x in zip(
        built((name, (1, side, side), Layers((4,) * stages, attention=True))),
        (noise(2, LATENT), noise(2, 1, side, side)),
        strict=True,
    ):
        (attention,) = (module for module in network if isinstance(module, SelfAttention))
        seen = []
        attention.register_forward_pre_hook(lambda module, inputs, seen=seen: seen.append(inputs[0].shape))
        network(x)
        assert seen[0][2:] == (expected, expected)


@pytest.mark.parametrize(
    ("normalization", "spatial"),
    [("batch", True), ("batch", False), ("layer", True), ("layer", False), ("instance", True)],
)
def test_what_is_normalised_has_variance_1(normalization: str, spatial: bool) -> None:
    """Also where the inputs vary little: ``BatchNorm2d(width, 0.8)`` sets eps, and leaves them as small as they are."""
    x = 3 + 0.5 * noise(64, 8, 8, 8) if spatial else 3 + 0.5 * noise(512, 8)
    norm = Layers((8,), normalization=normalization).after(8, spatial=spatial)[0].train()
    assert norm(x).var(unbiased=False).item() == pytest.approx(1, abs=1e-3)
