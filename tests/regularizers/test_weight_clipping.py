"""Clipping bounds every parameter and says no to a bound that is none."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gan_core.regularizers import clip_weights


def network() -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 1))
    with torch.no_grad():
        for index, parameter in enumerate(layers.parameters()):
            most = 0.03 * (index + 1)
            parameter.copy_(torch.linspace(-most, most, parameter.numel()).view_as(parameter))
    return layers


def test_every_parameter_is_clamped_and_nothing_else_changes() -> None:
    first, second = network(), network()
    originals = [p.detach().clone() for p in first.parameters()]
    clip_weights((first, second), 0.05)
    for module in (first, second):
        for parameter, original in zip(module.parameters(), originals, strict=True):
            expected = [min(max(value, -0.05), 0.05) for value in original.flatten().tolist()]
            assert parameter.flatten().tolist() == pytest.approx(expected, abs=1e-9)
            assert parameter.requires_grad
    assert any((original.abs() > 0.05).any() for original in originals)
    assert torch.equal(first[1].running_var, torch.ones(6))


@pytest.mark.parametrize("bound", [0, -0.01, math.nan])
def test_a_bound_that_is_none_is_refused(bound: float) -> None:
    module = network()
    before = [p.detach().clone() for p in module.parameters()]
    with pytest.raises(ValueError, match="must be positive"):
        clip_weights((module,), bound)
    assert all(torch.equal(p, q) for p, q in zip(module.parameters(), before, strict=True))
