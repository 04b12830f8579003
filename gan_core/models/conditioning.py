"""How G and D are told the class y of a sample: labels beside the input, a projection, or a second head.

A layer that takes labels is called as ``layer(h, y)``; the others of a network never see them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

ConditionKind = Literal["none", "concatenation", "spelled", "embedding", "projection", "ac_gan"]


class Conditional(nn.Module):
    """A layer that is called with labels y (N,) int64 in 0 … num_classes − 1."""

    num_classes: int

    def required(self, y: Tensor | None) -> Tensor:
        """``y``; raises ValueError where there is none."""
        if y is None:
            raise ValueError("this network is conditional: call it with labels y")
        return y


class OneHot(Conditional):
    """(N, C, …) → (N, C + K, …): y as a one-hot vector, the same at every pixel (Mirza & Osindero 2014)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        # Compared rather than F.one_hot, which looks at the values and so waits for an accelerator.
        classes = torch.arange(self.num_classes, device=h.device)
        hot = (self.required(y)[:, None] == classes).to(h.dtype)
        pixels = h.shape[2:]
        return torch.cat([h, hot.reshape(*hot.shape, *(1 for _ in pixels)).expand(*hot.shape, *pixels)], dim=1)


class Spelled(Conditional):
    """(N, C, …) → (N, C + Σ parts, …): y written with the digits of its ``parts``, each a one-hot vector (`OneHot`).

    The last part turns fastest: with parts (10, 10) the label 37 is a 3 and a 7, and 36 shares half of what it is told.
    """

    def __init__(self, parts: tuple[int, ...]) -> None:
        super().__init__()
        self.num_classes, self.parts = math.prod(parts), parts
        self.digits = nn.ModuleList(OneHot(part) for part in parts)

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        left = self.num_classes
        for part, digit in zip(self.parts, self.digits, strict=True):
            left //= part
            h = digit(h, self.required(y) // left % part)
        return h


def table(rows: int, length: int) -> nn.Embedding:
    """A learned vector for each row, without values yet: where torch's constructor draws them, it imports the compiler on the
    device "meta", which takes a second."""
    return nn.Embedding.from_pretrained(torch.empty(rows, length), freeze=False)


class LabelEmbedding(Conditional):
    """(N, C, …) → (N, C + E, …): a learned vector, or picture, for each class; ``shape`` is (E, …)."""

    def __init__(self, num_classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.num_classes, self.shape = num_classes, shape
        self.table = table(num_classes, math.prod(shape))

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        return torch.cat([h, self.table(self.required(y)).reshape(len(h), *self.shape)], dim=1)


class ProjectionHead(Conditional):
    """h (N, F), y → logits ψ(h) + ⟨v_y, h⟩ (Miyato & Koyama 2018); ``marginal`` is ψ, (N, F) → (N,)."""

    def __init__(self, features: int, num_classes: int, marginal: nn.Module) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.marginal = marginal
        # All v as one linear layer: initialisation and spectral normalisation treat it as what it is, a read-out.
        self.classes = nn.Linear(features, num_classes, bias=False)

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        logits: Tensor = self.marginal(h)
        return logits + self.classes(h).gather(1, self.required(y)[:, None]).squeeze(1)


class ClassifierHead(Conditional):
    """h (N, F) → logits (N,), for any y: D judges without knowing the class, and ``classes(h)`` names it (Odena 2017)."""

    def __init__(self, features: int, num_classes: int, source: nn.Module) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.source = source
        self.classes = nn.Linear(features, num_classes)

    def forward(self, h: Tensor, y: Tensor | None = None) -> Tensor:
        logits: Tensor = self.source(h)
        return logits


@dataclass(frozen=True)
class Condition:
    """How the networks of a game are told y; the default tells them nothing.

    ``concatenation``: one-hot beside z and beside x. ``spelled``: a one-hot for each of the ``parts`` of a label, one of which
    tells nothing of the others. ``embedding``: a learned vector beside z and x, beside feature maps a
    learned picture. ``projection``: an embedding beside z, a projection in D. ``ac_gan``: one-hot beside z, D names the
    class itself.
    """

    kind: ConditionKind = "none"
    num_classes: int = 0
    embedding_dim: int = 16
    parts: tuple[int, ...] = ()

    @property
    def _parts(self) -> tuple[int, ...]:
        return self.parts or (self.num_classes,)

    def beside_z(self, latent_dim: int) -> tuple[list[nn.Module], int]:
        """The layers that join y to z, and how many numbers there are then."""
        match self.kind:
            case "none":
                return [], latent_dim
            case "concatenation" | "ac_gan":
                return [OneHot(self.num_classes)], latent_dim + self.num_classes
            case "spelled":
                return [Spelled(self._parts)], latent_dim + sum(self._parts)
            case "embedding" | "projection":
                return [LabelEmbedding(self.num_classes, (self.embedding_dim,))], latent_dim + self.embedding_dim

    def beside_x(self, shape: tuple[int, ...]) -> tuple[list[nn.Module], int]:
        """The layers that join y to what D sees, and how many features or channels there are then.

        ``shape`` is (F,) or (C, H, W).
        """
        match self.kind:
            case "concatenation":
                return [OneHot(self.num_classes)], shape[0] + self.num_classes
            case "spelled":
                return [Spelled(self._parts)], shape[0] + sum(self._parts)
            case "embedding":
                size = (self.embedding_dim,) if len(shape) == 1 else (1, *shape[1:])
                return [LabelEmbedding(self.num_classes, size)], shape[0] + size[0]
            case _:
                return [], shape[0]

    def head(self, features: int, modules: list[nn.Module]) -> list[nn.Module]:
        """``modules`` turn (N, features) into logits; the same, told about the class or asked for it."""
        match self.kind:
            case "projection":
                return [ProjectionHead(features, self.num_classes, nn.Sequential(*modules))]
            case "ac_gan":
                return [ClassifierHead(features, self.num_classes, nn.Sequential(*modules))]
            case _:
                return modules


UNCONDITIONAL = Condition()
