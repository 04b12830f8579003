"""What a run takes of memory and disk, estimated before it starts, against what is free."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from gan_core.config import ConfigError, Problem, RunConfig
from gan_core.training import GAMES, count_parameters, layer_tables, load_source

NUMBER = 4  # bytes of a float32
# Of each parameter: itself, its gradient, two moments of the optimiser, the moving average; and while a checkpoint is
# written, a copy of all but the gradient, and the bytes of the file.
TRAINED, SAVED = 5 + 4 + 4, 4
LOOKS = 64 * 2**20  # what a run remembers of its last looks
CHECKPOINTS = 3  # two that stay, and one that is being written
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Footprint:
    """Bytes, roughly: right within a factor of two or so, since what torch keeps between layers is its own affair."""

    memory: int
    disk: int


def footprint(config: RunConfig) -> Footprint:
    """Of a resolved config, without building anything."""
    tables = layer_tables(config)
    parameters = sum(row.parameters for rows in tables.values() for row in rows)
    values = {name: sum(math.prod(row.output) for row in rows) for name, rows in tables.items()}
    return _of(config, parameters, values)


def at_most(config: RunConfig) -> Footprint:
    """A bound that is far too large, and costs nothing: as if every layer had all pixels, and four parts.

    The exact figure needs what torch takes a second to import, and nearly every run fits by far.
    """
    pixels = math.prod(load_source(config).shape)
    latent = GAMES[config.game].latent(config)
    z = 0 if latent is None else latent.dim
    values = {role: 4 * pixels * (sum(network.widths) + z) for role, network in config.networks.items()}
    return _of(config, sum(count_parameters(config).values()), values)


def _of(config: RunConfig, parameters: int, values: Mapping[str, int]) -> Footprint:
    """From how many numbers are learned, and how many each network computes for one sample."""
    training = config.data.batch_size * GAMES[config.game].kept(config, values)
    looking = config.diagnostics.samples * sum(values.values())
    memory = NUMBER * (parameters * TRAINED + max(training, looking)) + LOOKS
    return Footprint(memory, CHECKPOINTS * NUMBER * parameters * SAVED)


def refuse_what_does_not_fit(config: RunConfig, root: Path) -> None:
    """Raise ConfigError where a resolved config would need more memory or disk than is free now."""
    needed = at_most(config)
    if needed.memory < free_memory(config.device) and needed.disk < shutil.disk_usage(root).free:
        return
    needed = footprint(config)
    memory, disk = free_memory(config.device), shutil.disk_usage(root).free
    if needed.memory > memory:
        told = f"it would take about {_size(needed.memory)} of memory, and {_size(memory)} are free"
        advice = "choose a smaller batch, narrower or fewer layers, or smaller images"
        raise ConfigError([Problem("model", f"{told}; {advice}")])
    if needed.disk > disk:
        told = f"its checkpoints would take about {_size(needed.disk)} of disk, and {_size(disk)} are free"
        raise ConfigError([Problem("model", f"{told}; make room, or choose narrower layers")])


def free_memory(device: str) -> int:
    """Bytes that a run on this device can have, of the machine, or of the container that this process is in."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    with suppress(FileNotFoundError, PermissionError, ValueError, KeyError):  # no container, or without a bound ("max")
        bound, used = (int((CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        parts = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        free = min(free, max(0, bound - used + int(parts["inactive_file"])))  # what is only read ahead can go
    return free


def _size(count: int) -> str:
    for unit, size in (("GB", 2**30), ("MB", 2**20)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 2**10:,.0f} kB"
