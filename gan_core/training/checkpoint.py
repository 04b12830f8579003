"""A game's state as a checkpoint and back: tensors in safetensors, everything else in JSON. Never pickle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from gan_core.checkpoints import (
    CheckpointError,
    CheckpointUnreadable,
    Mark,
    checkpoints,
    kept_checkpoints,
    mark,
    marks,
    path_of,
    read,
    retain,
    round_of,
    unmark,
    write,
)
from gan_core.training.state import Tree, flatten, unflatten


def save_checkpoint(folder: Path, state: Tree, *, keep: int = 2) -> Path:
    """Write ``state`` under ``folder``, then drop later rounds and all but the ``keep`` newest checkpoints.

    Those that ``keep_checkpoint`` kept are not counted and stay. OSError if the disk does not take it: then nothing is
    dropped.
    """
    path = _write(folder, state)
    retain(folder, keep, state["round"])
    return path


def keep_checkpoint(
    folder: Path, state: Tree, reason: str, *, what: Mark = "kept", scores: Sequence[float] = (), most: int = 4
) -> Path:
    """Write ``state`` under ``folder`` as one that ``save_checkpoint`` leaves alone; ``reason`` says what for.

    Only the ``most`` newest with this mark are kept for good: older ones become checkpoints like the others.
    """
    path = path_of(folder, state["round"])
    if not path.is_file():
        path = _write(folder, state)
    mark(path, what, reason, scores)
    for round in sorted(marks(folder, what))[:-most]:
        unmark(path_of(folder, round), what)
    return path


def load_checkpoint(path: Path) -> Tree:
    """The state that ``save_checkpoint`` wrote. Raises CheckpointError for a missing, torn or altered file."""
    tensors, values = read(path)
    try:
        return unflatten(load(tensors), values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error


def _write(folder: Path, state: Tree) -> Path:
    tensors, values = flatten(state)
    return write(folder, state["round"], save({name: tensor.contiguous() for name, tensor in tensors.items()}), values)


__all__ = [
    "CheckpointError",
    "CheckpointUnreadable",
    "checkpoints",
    "keep_checkpoint",
    "kept_checkpoints",
    "load_checkpoint",
    "round_of",
    "save_checkpoint",
]
