"""An autoencoder as D: its score is minus the error of its reconstruction, sample by sample."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from gan_core.models import ARCHITECTURES, Autoencoder, Layers, initialize
from gan_core.training import Streams

CASES = [
    ("mlp", (2,)),
    ("mlp", (1,)),
    ("mlp", (1, 8, 8)),
    ("mlp", (3, 8, 8)),
    ("dcgan", (1, 28, 28)),
    ("dcgan", (6, 8, 8)),
    ("resnet", (1, 28, 28)),
]
EACH = pytest.mark.parametrize(("name", "shape"), CASES)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def built(name: str, shape: tuple[int, ...], **settings: object) -> Autoencoder:
    network = ARCHITECTURES[name].discriminator(shape, Layers((6, 5), output="reconstruction", code_dim=3, **settings))
    initialize(network, "torch", partial(Streams(1).generator, "init", "D"))
    assert isinstance(network, Autoencoder)
    return network


@EACH
@pytest.mark.parametrize("n", [1, 7])
def test_the_score_is_minus_the_mean_absolute_error(name: str, shape: tuple[int, ...], n: int) -> None:
    network, x = built(name, shape), normal(n, *shape)
    scores, rebuilt = network(x), network.reconstruct(x)
    assert scores.shape == (n,)
    assert rebuilt.shape == x.shape
    expected = [-sum(abs(a - b) for a, b in zip(p, q, strict=True)) / len(p)
                for p, q in zip(x.flatten(1).tolist(), rebuilt.flatten(1).tolist(), strict=True)]  # fmt: skip
    assert scores.tolist() == pytest.approx(expected, rel=1e-5)
    assert network.features(x).shape == (n, 3)


@EACH
def test_every_parameter_gets_a_gradient(name: str, shape: tuple[int, ...]) -> None:
    network = built(name, shape)
    network(normal(17, *shape)).mean().backward()  # odd: the signs of an L1 error must not cancel
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().max() > 0, key


def test_the_reconstruction_is_not_bounded() -> None:
    """Black is −1: an output that only nears it could never be without error."""
    for name in ARCHITECTURES:
        network = built(name, (1, 8, 8))
        last = [m for m in network.decoder.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)][-1]
        with torch.no_grad():
            last.bias.fill_(5.0)
        assert network.reconstruct(normal(2, 1, 8, 8)).max() > 3


def test_it_learns_to_tell_what_it_has_seen() -> None:
    """Trained to rebuild points on a line, it scores the line above the plane around it."""
    network = ARCHITECTURES["mlp"].discriminator((2,), Layers((32,), output="reconstruction", code_dim=1))
    initialize(network, "torch", partial(Streams(1).generator, "init", "D"))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for step in range(300):
        t = normal(64, 1, seed=step)
        optimizer.zero_grad()
        (-network(torch.cat([t, t], dim=1))).mean().backward()
        optimizer.step()
    t = normal(200, 1, seed=999)
    assert network(torch.cat([t, t], 1)).mean() > network(torch.cat([t, -t], 1)).mean() + 0.3


def test_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="unconditional"):
        built("mlp", (2,))(normal(3, 2), torch.zeros(3, dtype=torch.int64))
