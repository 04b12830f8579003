"""Networks that are looked at while they train."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluated(*networks: nn.Module) -> Iterator[None]:
    """The networks in evaluation mode, without gradients; as they were afterwards."""
    training = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for network, was in zip(networks, training, strict=True):
            network.train(was)
