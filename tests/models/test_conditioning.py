"""Labels in networks: each way of telling y against its formula, and every architecture under every condition."""

from __future__ import annotations

import itertools
from functools import partial
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from gan_core.models import ARCHITECTURES, Condition, Layers, initialize, normalize_spectrally
from gan_core.models.conditioning import ConditionKind, LabelEmbedding, OneHot, Spelled
from gan_core.models.spectral import spectral_norm_of
from gan_core.training import Streams

LATENT, K = 5, 3
KINDS = [kind for kind in get_args(ConditionKind) if kind != "none"]
CASES = [
    (name, shape, kind)
    for name, shape, kind in itertools.product(ARCHITECTURES, [(2,), (1, 28, 28), (3, 32, 32)], KINDS)
    if ARCHITECTURES[name].fits(shape, Layers((6, 4))) is None
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'x'.join(map(str, case[1]))}-{case[2]}")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def labels(n: int) -> Tensor:
    return torch.arange(n) % K


def built(case: tuple, seed: int = 3, **settings: object) -> tuple[nn.Module, nn.Module]:
    name, shape, kind = case
    layers = Layers((6, 4), condition=Condition(kind, K, 4), **settings)
    networks = ARCHITECTURES[name].generator(LATENT, shape, layers), ARCHITECTURES[name].discriminator(shape, layers)
    for network, who in zip(networks, "GD", strict=True):
        initialize(network, "torch", partial(Streams(seed).generator, "init", who))
    return networks


# --- formulas ---


def test_one_hot_stands_beside_a_vector_and_at_every_pixel() -> None:
    y = torch.tensor([2, 0])
    assert OneHot(3)(torch.tensor([[5.0], [6.0]]), y).tolist() == [[5, 0, 0, 1], [6, 1, 0, 0]]
    maps = OneHot(3)(torch.full((2, 1, 2, 2), 5.0), y)
    assert maps.shape == (2, 4, 2, 2)
    for pixel in maps.flatten(2).unbind(2):
        assert pixel.tolist() == [[5, 0, 0, 1], [5, 1, 0, 0]]


def test_labels_that_share_a_digit_share_what_is_told_of_them() -> None:
    told = Spelled((2, 3))(torch.full((3, 1), 5.0), torch.tensor([4, 3, 1]))  # 11, 10 and 01
    assert told.tolist() == [[5, 0, 1, 0, 1, 0], [5, 0, 1, 1, 0, 0], [5, 1, 0, 0, 1, 0]]
    condition = Condition("spelled", 100, parts=(10, 10))
    assert condition.beside_z(7)[1] == 27, "two digits of ten, not a hundred names"
    assert condition.beside_x((1, 8, 16))[1] == 21
    with pytest.raises(ValueError, match="conditional"):
        Spelled((2, 3))(torch.zeros(1, 1), None)


@pytest.mark.parametrize("shape", [(4,), (1, 2, 2)])
def test_an_embedding_is_a_row_of_its_table(shape: tuple[int, ...]) -> None:
    layer = LabelEmbedding(3, shape)
    with torch.no_grad():
        layer.table.weight.copy_(torch.arange(12.0).reshape(3, 4))
    h = torch.zeros(2, 1, *shape[1:])
    joined = layer(h, torch.tensor([2, 0]))
    assert joined.shape == (2, 1 + shape[0], *shape[1:])
    assert joined[:, 1:].flatten().tolist() == [8, 9, 10, 11, 0, 1, 2, 3]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_projection_adds_the_inner_product_with_the_vector_of_the_class(name: str) -> None:
    """D(x, y) = wᵀφ(x) + b + Σ_k v_{y,k} φ_k(x), number by number."""
    _, discriminator = built((name, (1, 28, 28), "projection"))
    x, y = noise(6, 1, 28, 28), labels(6)
    phi = discriminator.features(x, y)
    head = discriminator[-1]
    (linear,) = (module for module in head.marginal if isinstance(module, nn.Linear))
    for n, logit in enumerate(discriminator(x, y)):
        h, v = phi[n].tolist(), head.classes.weight[y[n]].tolist()
        expected = linear.bias.item() + sum(
            (w + u) * f for w, u, f in zip(linear.weight[0].tolist(), v, h, strict=True)
        )
        assert logit.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_ac_gans_d_judges_without_y_and_names_it_from_the_same_features(name: str) -> None:
    _, discriminator = built((name, (1, 28, 28), "ac_gan"))
    x = noise(6, 1, 28, 28)
    logits, classes = discriminator(x, labels(6), classes=True)
    assert torch.equal(logits, discriminator(x))
    assert torch.equal(logits, discriminator(x, labels(6)))
    head = discriminator[-1].classes
    torch.testing.assert_close(classes, discriminator.features(x) @ head.weight.T + head.bias)
    assert classes.shape == (6, K)


def test_only_an_ac_gans_d_names_classes() -> None:
    _, discriminator = built(("mlp", (2,), "projection"))
    with pytest.raises(TypeError, match="does not name classes"):
        discriminator(noise(3, 2), labels(3), classes=True)


# --- every architecture ---


@EACH
@pytest.mark.parametrize("n", [1, 7])
def test_shapes(case: tuple, n: int) -> None:
    generator, discriminator = built(case)
    x_fake = generator(noise(n, LATENT), labels(n))
    assert x_fake.shape == (n, *case[1])
    assert discriminator(x_fake, labels(n)).shape == (n,)
    assert discriminator.features(x_fake, labels(n)).shape[0] == n


@EACH
def test_labels_matter(case: tuple) -> None:
    generator, discriminator = (network.eval() for network in built(case))
    z, y = noise(4, LATENT), labels(4)
    assert not torch.allclose(generator(z, y), generator(z, (y + 1) % K))
    x = noise(4, *case[1])
    same = torch.equal(discriminator(x, y), discriminator(x, (y + 1) % K))
    assert same == (case[2] == "ac_gan"), "which judges without knowing the class"


@EACH
def test_labels_are_asked_for(case: tuple) -> None:
    generator, discriminator = built(case)
    with pytest.raises(ValueError, match="conditional"):
        generator(noise(3, LATENT))
    if case[2] != "ac_gan":
        with pytest.raises(ValueError, match="conditional"):
            discriminator(noise(3, *case[1]))


@EACH
def test_a_gradient_reaches_all_parameters_and_vectors_of_classes(case: tuple) -> None:
    generator, discriminator = built(case)
    y = torch.tensor([0, 2] * 8)
    x_fake = generator(noise(16, LATENT), y)
    logits = discriminator(x_fake, y)
    loss = (logits**2).mean() + logits.mean()
    if case[2] == "ac_gan":
        loss = loss + nn.functional.cross_entropy(discriminator(x_fake, y, classes=True)[1], y)
    loss.backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
            if "table" in name or (name.endswith("classes.weight") and case[2] == "projection"):
                assert (parameter.grad.abs().sum(1) > 0).tolist() == [True, False, True], name


@EACH
def test_state_round_trip(case: tuple) -> None:
    for original, copy, x in zip(built(case, 3), built(case, 4), (noise(7, LATENT), noise(7, *case[1])), strict=True):
        copy.load_state_dict(original.state_dict(), strict=True)
        assert torch.equal(original.eval()(x, labels(7)), copy.eval()(x, labels(7)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_embedding_begins_as_loud_as_the_noise(name: str) -> None:
    layers = Layers((6, 4), condition=Condition("embedding", 200, 30))
    generator = ARCHITECTURES[name].generator(LATENT, (1, 28, 28), layers)
    initialize(generator, "dcgan", partial(Streams(0).generator, "init", "G"))
    table = generator[0].table.weight
    assert table.shape == (200, 30)
    assert table.std().item() == pytest.approx(1, abs=0.05)


def test_spectral_norm_reaches_the_heads() -> None:
    for kind in ("projection", "ac_gan"):
        layers = Layers((6, 4), condition=Condition(kind, K))
        with torch.device("meta"):
            network = ARCHITECTURES["resnet"].discriminator((1, 28, 28), layers)
            normalize_spectrally(network, 1.0)
        assert spectral_norm_of(network[-1].classes) is not None


def test_minibatch_statistics_go_to_the_marginal_part_of_a_projection() -> None:
    _, discriminator = built(("mlp", (2,), "projection"), minibatch_stddev=2, minibatch_kernels=3)
    x, y = noise(8, 2), labels(8)
    h = discriminator.features(x, y)
    expected = discriminator[-1].marginal(h) + (discriminator[-1].classes.weight[y] * h).sum(1)
    torch.testing.assert_close(discriminator(x, y), expected)
