"""What every game is put together from, for any roles: networks with their first weights, random streams, data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Literal

import torch
from torch import nn

from gan_core.config import RunConfig
from gan_core.config.fields import Network
from gan_core.data import BatchStream, Source, open_stream
from gan_core.models import (
    UNCONDITIONAL,
    Condition,
    Layers,
    initialize,
    normalize_spectrally,
    use_dropout_stream,
    with_storage,
)
from gan_core.training.streams import Streams


@dataclass(frozen=True)
class Assembly:
    """``networks`` by role, on the device and with their first weights; ``streams`` by purpose; ``data`` in batches."""

    networks: Mapping[str, nn.Module]
    streams: dict[str, torch.Generator]
    data: BatchStream


def assemble(
    config: RunConfig,
    source: Source,
    networks: Mapping[str, nn.Module],
    purposes: Iterable[str],
    initialization: Literal["torch", "dcgan", "orthogonal"],
    *,
    channels_last: bool = False,
) -> Assembly:
    """Give ``networks`` without storage their weights, and open the streams and the data, as functions of the seed alone.

    ``purposes`` name the streams that the game draws from; each network has one for dropout besides, ``dropout.<role>``.
    ``channels_last`` is how the weights of convolutions, and with them what they compute, lie in memory.
    """
    device, seeds = torch.device(config.device), Streams(config.seed)
    named = (*purposes, *(f"dropout.{role}" for role in networks))
    streams = {purpose: seeds.generator(purpose, device=device) for purpose in named}
    for role, network in networks.items():
        with_storage(network)
        initialize(network, initialization, partial(seeds.generator, "init", role))
        network.to(device)
        if channels_last:
            network.to(memory_format=torch.channels_last)
        use_dropout_stream(network, streams[f"dropout.{role}"])
    return Assembly(networks, streams, open_stream(source, config.data.batch_size, seeds.generator, device))


def layers_of(network: Network, condition: Condition = UNCONDITIONAL) -> Layers:
    """How the layers of a configured network look."""
    wanted = {field.name for field in fields(Layers)} - {"condition"}
    return Layers(**network.model_dump(include=wanted), condition=condition)


def normalize(networks: Mapping[str, nn.Module], settings: Mapping[str, Network]) -> None:
    """Normalise spectrally those networks, by role, whose settings ask for it. To be called on the device ``meta``."""
    for role, network in networks.items():
        if settings[role].spectral_norm:
            normalize_spectrally(network, settings[role].spectral_gain)
