"""Layer tables: the networks that courses print, layer by layer, and totals that agree with the networks themselves."""

from __future__ import annotations

import itertools

import pytest
import torch

from gan_core.config import RunConfig
from gan_core.models import ARCHITECTURES, Condition, LayerRow, Layers, layer_rows, normalize_spectrally
from gan_core.training import build, count_parameters, load_source, play, resolve
from gan_core.training.build import layer_tables


def rows_of(name: str, who: str, shape: tuple[int, ...], layers: Layers, gain: float | None = None) -> tuple:
    with torch.device("meta"):
        architecture = ARCHITECTURES[name]
        network = architecture.generator(5, shape, layers) if who == "G" else architecture.discriminator(shape, layers)
        if gain is not None:
            normalize_spectrally(network, gain)
        y = torch.zeros(2, dtype=torch.int64) if layers.condition.num_classes else None
        return network, layer_rows(network, torch.empty(2, *((5,) if who == "G" else shape)), y)


def test_an_mlp_by_hand() -> None:
    _, rows = rows_of("mlp", "D", (1, 28, 28), Layers((128,), dropout=0.3))
    assert rows == (
        LayerRow("Flatten", (784,), 0),
        LayerRow("Linear, 784 → 128", (128,), 784 * 128 + 128),
        LayerRow("Leaky ReLU, slope 0.2", (128,), 0),
        LayerRow("Dropout, 0.3", (128,), 0),
        LayerRow("Linear, 128 → 1", (), 129),
    )


def test_a_dcgan_by_hand() -> None:
    layers = Layers((32, 16), normalization="batch", activation="relu", upsampling="nearest")
    _, rows = rows_of("dcgan", "G", (1, 28, 28), layers)
    assert [(row.name, row.output, row.parameters) for row in rows] == [
        ("Linear, 5 → 1,568", (1568,), 5 * 1568 + 1568),
        ("Reshape", (32, 7, 7), 0),
        ("Batch normalisation", (32, 7, 7), 64),
        ("ReLU", (32, 7, 7), 0),
        ("Upsampling ×2, nearest", (32, 14, 14), 0),
        ("Convolution 3×3, 32 → 16", (16, 14, 14), 32 * 16 * 9 + 16),
        ("Batch normalisation", (16, 14, 14), 32),
        ("ReLU", (16, 14, 14), 0),
        ("Upsampling ×2, nearest", (16, 28, 28), 0),
        ("Convolution 3×3, 16 → 1", (1, 28, 28), 16 * 9 + 1),
        ("tanh", (1, 28, 28), 0),
    ]


def test_a_conditional_resnet_in_words() -> None:
    layers = Layers((6, 4), attention=True, minibatch_stddev=2, condition=Condition("projection", 10))
    _, rows = rows_of("resnet", "D", (3, 32, 32), layers, gain=1.0)
    assert [(row.name, row.output) for row in rows] == [
        ("Residual block, half the size, spectral norm", (6, 16, 16)),
        ("Self-attention", (6, 16, 16)),
        ("Residual block, half the size, spectral norm", (4, 8, 8)),
        ("Residual block, the same size, spectral norm", (4, 8, 8)),
        ("Leaky ReLU, slope 0.2", (4, 8, 8)),
        ("Sum over all pixels", (4,)),
        ("Logit, plus the projection on class y", ()),
    ]
    assert rows[-1].parameters == (4 + 1) + 1 + 10 * 4


KINDS = ("none", "concatenation", "embedding", "projection", "ac_gan")


@pytest.mark.parametrize(
    ("name", "kind", "output"),
    [
        *itertools.product(ARCHITECTURES, KINDS, ["logit"]),
        *((name, "none", "reconstruction") for name in ARCHITECTURES),
    ],
)
def test_the_table_is_the_network(name: str, kind: str, output: str) -> None:
    condition = Condition(kind, 0 if kind == "none" else 7)
    layers = Layers((6, 4), normalization="batch", dropout=0.1, output=output, minibatch_kernels=3, condition=condition)
    for who, end in (("G", (1, 28, 28)), ("D", ())):
        network, rows = rows_of(name, who, (1, 28, 28), layers)
        assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in network.parameters())
        assert rows[-1].output == end
        assert all(parameter.is_meta for parameter in network.parameters()), "nothing was allocated"
        assert all(row.name.strip() for row in rows)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model.discriminator.packing": 4},
        {"model.discriminator.packing": 4, "model.discriminator.summary": "moments"},
        {"objective": "hinge"},
        {"objective": "began"},
        {"data.name": "digits8", "model.condition": "ac_gan"},
    ],
    ids=str,
)
def test_the_table_of_a_configuration(changes: dict) -> None:
    config = resolve(RunConfig().replace({"data.name": "ring", "device": "cpu", **changes}))
    tables = layer_tables(config)
    assert {name: sum(row.parameters for row in rows) for name, rows in tables.items()} == count_parameters(config)
    source = load_source(config)
    assert tables["G"][-1].output == source.shape
    next(play(build(config, source)))  # which is what it describes
