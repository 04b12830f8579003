"""Checkpoints on disk: tensors in safetensors, everything else in one JSON that carries their SHA-256. Never pickle."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from gan_core.training.state import Tree, flatten, unflatten

FORMAT = 1
_KEPT = ".kept"
_NAME = re.compile(r"round-(\d{9})\.json")


class CheckpointError(ValueError):
    """A checkpoint that cannot be read; says which file and why."""


def save_checkpoint(folder: Path, state: Tree, *, keep: int = 2) -> Path:
    """Write ``state`` under ``folder``, then drop later rounds and all but the ``keep`` newest checkpoints.

    Those that ``keep_checkpoint`` kept are not counted and stay. The JSON is renamed into place last, after everything is
    on the disk: a checkpoint that has its name is whole.
    """
    path = _put(folder, state)
    kept = kept_checkpoints(folder)
    # What lies above this round is the future of a continuation that was abandoned for this one.
    ahead = [other for other in checkpoints(folder) if round_of(other) > state["round"]]
    others = [other for other in checkpoints(folder) if other not in ahead and round_of(other) not in kept]
    for other in (*ahead, *others[:-keep]):
        for suffix in (".json", ".safetensors", _KEPT):
            other.with_suffix(suffix).unlink(missing_ok=True)
    return path


def keep_checkpoint(folder: Path, state: Tree, reason: str, *, most: int = 4) -> Path:
    """Write ``state`` under ``folder`` as one that ``save_checkpoint`` leaves alone; ``reason`` says what for.

    Only the ``most`` newest are kept for good: older ones become checkpoints like the others.
    """
    path = folder / f"{_stem(state['round'])}.json"
    if not path.is_file():
        path = _put(folder, state)
    _write(path.with_suffix(_KEPT), json.dumps({"reason": reason}).encode())
    for round in sorted(kept_checkpoints(folder))[:-most]:
        (folder / f"{_stem(round)}{_KEPT}").unlink(missing_ok=True)
    return path


def kept_checkpoints(folder: Path) -> dict[int, str]:
    """The rounds of the checkpoints that are kept, each with the reason."""
    kept = {}
    for path in checkpoints(folder):
        try:
            kept[round_of(path)] = str(json.loads(path.with_suffix(_KEPT).read_bytes())["reason"])
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            kept[round_of(path)] = ""
    return kept


def _stem(round: int) -> str:
    return f"round-{round:09d}"


def _put(folder: Path, state: Tree) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tensors, values = flatten(state)
    blob = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    stem = _stem(state["round"])
    path = folder / f"{stem}.json"
    manifest = {"format": FORMAT, "tensors": f"{stem}.safetensors", "sha256": hashlib.sha256(blob).hexdigest()}
    _write(folder / f"{stem}.safetensors", blob)
    _write(path, sealed(manifest | {"values": values}))
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The named checkpoints under ``folder``, oldest first."""
    return sorted(path for path in folder.glob("round-*.json") if _NAME.fullmatch(path.name))


def round_of(path: Path) -> int:
    """How many rounds had been played when the checkpoint ``path`` was taken."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise CheckpointError(f"{path.name} is not the name of a checkpoint")
    return int(match[1])


def load_checkpoint(path: Path) -> Tree:
    """The state that ``save_checkpoint`` wrote. Raises CheckpointError for a missing, torn or altered file."""
    try:
        manifest = _unsealed(path)
        blob = (path.parent / Path(manifest["tensors"]).name).read_bytes()
        if hashlib.sha256(blob).hexdigest() != manifest["sha256"]:
            raise CheckpointError(f"{manifest['tensors']} was altered after it was saved (its SHA-256 differs)")
        return unflatten(load(blob), manifest["values"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error


def sealed(manifest: dict[str, Any]) -> bytes:
    """``manifest`` as JSON with the SHA-256 of everything else in it."""
    return json.dumps({**manifest, "seal": _seal(manifest)}).encode()


def _unsealed(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    if manifest["seal"] != _seal(manifest):
        raise CheckpointError(f"{path.name} was altered after it was saved (its SHA-256 differs)")
    if manifest["format"] != FORMAT:
        raise CheckpointError(f"{path.name} has format {manifest['format']}, this version reads format {FORMAT}")
    return manifest


def _seal(manifest: dict[str, Any]) -> str:
    rest = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write, flush to the disk, rename, flush the folder: after this the name holds all of ``data``."""
    temporary = path.with_suffix(path.suffix + ".tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
