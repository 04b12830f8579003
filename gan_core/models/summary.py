"""What a network consists of, layer by layer, without running it: made for networks on torch's meta device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_core.models.attention import SelfAttention
from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Dropout, Network, Reshape
from gan_core.models.conditioning import ClassifierHead, Conditional, LabelEmbedding, OneHot, ProjectionHead, Spelled
from gan_core.models.minibatch import MinibatchDiscrimination, MinibatchStddev
from gan_core.models.pairs import CodeBeside
from gan_core.models.pyramid import Times
from gan_core.models.resnet import GlobalSum, Residual
from gan_core.models.spectral import spectral_norm_of
from gan_core.models.superresolution import OverBicubic
from gan_core.models.translation import InputBeside, ULevel


@dataclass(frozen=True)
class LayerRow:
    """One layer: what it does, the shape of what it gives for one sample (() is a number), how many numbers it learns."""

    name: str
    output: tuple[int, ...]
    parameters: int


@torch.no_grad()
def layer_rows(network: nn.Module, x: Tensor, y: Tensor | None = None) -> tuple[LayerRow, ...]:
    """The layers of ``network`` in order, for input ``x`` (N, …) and, where it is conditional, labels ``y`` (N,).

    The network is left in evaluation mode. A residual block, an attention layer and a head are one row each.
    """
    network.eval()
    if isinstance(network, Autoencoder):
        encoder, code = _rows(network.encoder, x, y)
        decoder, _ = _rows(network.decoder, code, y)
        return (*encoder, *decoder, LayerRow("Minus the mean absolute error", (), 0))
    assert isinstance(network, Network)
    return tuple(_rows(network, x, y)[0])


def _rows(network: nn.Sequential, h: Tensor, y: Tensor | None) -> tuple[list[LayerRow], Tensor]:
    rows: list[LayerRow] = []
    for layer in network:
        h = layer(h, y) if isinstance(layer, Conditional) else layer(h)
        parameters = sum(parameter.numel() for parameter in layer.parameters())
        if isinstance(layer, nn.Flatten) and layer.start_dim == 0:
            rows[-1] = LayerRow(rows[-1].name, (), rows[-1].parameters)  # (N, 1) to (N,) is nothing to tell
        else:
            rows.append(LayerRow(", ".join(_words(layer)), tuple(h.shape[1:]), parameters))
    return rows, h


def _words(layer: nn.Module) -> Iterator[str]:
    yield _name(layer)
    match layer:
        case nn.Linear():
            yield f"{layer.in_features:,} → {layer.out_features:,}"
        case nn.Conv2d() | nn.ConvTranspose2d():
            yield f"{layer.in_channels} → {layer.out_channels}"
            if layer.stride != (1, 1):
                yield f"stride {layer.stride[0]}"
        case Residual():
            yield layer.does
            if any(spectral_norm_of(part) is not None for part in layer.modules()):
                yield "spectral norm"
        case nn.LeakyReLU():
            yield f"slope {layer.negative_slope:g}"
        case Dropout():
            yield f"{layer.share:g}"
        case nn.Upsample():
            yield str(layer.mode)
    if spectral_norm_of(layer) is not None:
        yield "spectral norm"


def _name(layer: nn.Module) -> str:
    match layer:
        case nn.Linear():
            return "Linear"
        case nn.Conv2d():
            return f"Convolution {layer.kernel_size[0]}×{layer.kernel_size[1]}"
        case nn.ConvTranspose2d():
            return f"Transposed convolution {layer.kernel_size[0]}×{layer.kernel_size[1]}"
        case nn.LeakyReLU():
            return "Leaky ReLU"
        case nn.Upsample():
            return "Upsampling ×2"
    return _NAMES.get(type(layer), type(layer).__name__)


_NAMES: dict[type[nn.Module], str] = {
    nn.Embedding: "A code for each picture",
    nn.BatchNorm1d: "Batch normalisation",
    nn.BatchNorm2d: "Batch normalisation",
    nn.LayerNorm: "Layer normalisation",
    nn.GroupNorm: "Layer normalisation",
    nn.InstanceNorm2d: "Instance normalisation",
    nn.Tanh: "tanh",
    GlobalSum: "Sum over all pixels",
    SelfAttention: "Self-attention",
    Residual: "Residual block",
    Reshape: "Reshape",
    CodeBeside: "Code z beside it",
    InputBeside: "Input beside it",
    ULevel: "U-Net, down and up again",
    OverBicubic: "Residual blocks on the coarse picture, over its bicubic enlargement",
    Times: "Times a number",
    OneHot: "Class y beside it, one-hot",
    Spelled: "Each part of class y beside it, one-hot",
    LabelEmbedding: "Class y beside it, learned",
    ProjectionHead: "Logit, plus the projection on class y",
    ClassifierHead: "Logit, and the class by itself",
    MinibatchStddev: "Minibatch standard deviation",
    MinibatchDiscrimination: "Minibatch discrimination",
}
