"""LeCam against its formula: each kind is pulled to the anchor of the other, the anchors follow the logits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_core.regularizers import PENALTIES

LECAM = PENALTIES["lecam"]


def identity(x: Tensor) -> Tensor:
    return x.flatten()


def measure(x: list[float], x_fake: list[float], **anchors: float) -> float:
    known = {name: torch.tensor(value) for name, value in anchors.items()}
    return LECAM.measure(identity, torch.tensor(x), torch.tensor(x_fake), torch.Generator(), **known).item()


def test_golden_value() -> None:
    """E (D(x) − α_F)² + E (D(x̂) − α_R)² with α_R = 0.75, α_F = −0.25, written out."""
    expected = ((2 + 0.25) ** 2 + (-1 + 0.25) ** 2) / 2 + ((0.5 - 0.75) ** 2 + (-3 - 0.75) ** 2 + (1 - 0.75) ** 2) / 3
    assert measure([2.0, -1.0], [0.5, -3.0, 1.0], real=0.75, fake=-0.25) == pytest.approx(expected, rel=1e-6)


def test_anchors_exchanged_change_the_value() -> None:
    assert measure([2.0], [-1.0], real=1.0, fake=-1.0) != measure([2.0], [-1.0], real=-1.0, fake=1.0)


def test_before_the_first_turn_the_anchors_are_zero() -> None:
    assert dict(LECAM.memory) == {"real": 0.0, "fake": 0.0}
    assert measure([3.0], [1.0, 2.0]) == pytest.approx(9 + 2.5)


def test_the_anchors_are_moving_averages_of_the_mean_logits() -> None:
    anchors = {"real": torch.tensor(1.0), "fake": torch.tensor(-2.0)}
    following = LECAM.remember(torch.tensor([2.0, 4.0]), torch.tensor([0.0, 0.0, 3.0]), **anchors)
    assert following["real"].item() == pytest.approx(0.99 * 1 + 0.01 * 3, rel=1e-6)
    assert following["fake"].item() == pytest.approx(0.99 * -2 + 0.01 * 1, rel=1e-6)


def test_the_gradient_reaches_d_and_not_g() -> None:
    generator, critic = nn.Linear(3, 2), nn.Linear(2, 1)
    x_fake = generator(torch.ones(4, 3))
    LECAM.measure(critic, torch.zeros(4, 2) + 1, x_fake, torch.Generator()).backward()
    assert all(p.grad is None for p in generator.parameters())
    assert critic.weight.grad.abs().sum() > 0
