"""Data sets of one's own, kept decoded beside the runs, so that a run needs neither the upload nor the folder again.

A set is a folder named by the hash of its content, holding one safetensors file and one JSON card. Its name,
``own:cats-1f3a…``, carries the hash: other pictures under the same title are another set, and a run never trains on
something else by mistake.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from gan_core.data.images import image_source
from gan_core.data.places import shelf_root
from gan_core.data.sources import ImageSource, MixtureSource
from gan_core.data.toy import smoothed
from gan_core.intake.errors import DataError, DataMissing
from gan_core.intake.pictures import Images, Problem, plain
from gan_core.intake.points import Points

PREFIX = "own:"
NAME = re.compile(r"own:[\w-]{0,40}?-?([0-9a-f]{16})")
PROBLEMS_KEPT = 1000
SPARE_BYTES = 200 * 10**6  # left on the disk for the runs

Kind = Literal["images", "points"]


@dataclass(frozen=True)
class Own:
    """The card of one's own data set. ``name`` is what a configuration calls it, ``count`` how many samples it has."""

    name: str
    title: str
    kind: Kind
    fingerprint: str
    count: int
    found: int
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    origin: str
    created: float
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        return f"{self.count:,} of {self.found:,} usable"


def is_own(name: object) -> bool:
    """Whether a name could be that of someone's own data set; whether the set is there, ``find`` knows."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def keep(title: str, content: Images | Points, origin: str) -> Own:
    """Put a set on the shelf and return its card; the same content again replaces the card. ``origin``: zip, folder, …"""
    tensors = _tensors(content)
    fingerprint = _fingerprint(tensors, content.class_names if isinstance(content, Images) else ())
    title = plain(title) or "my data"
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower().encode("ascii", "ignore").decode()).strip("-")[:40].strip("-")
    n = len(tensors["x"])
    card = Own(
        name=f"{PREFIX}{slug + '-' if slug else ''}{fingerprint[:16]}",
        title=title,
        kind="images" if isinstance(content, Images) else "points",
        fingerprint=fingerprint,
        count=n,
        found=n + len(content.problems),
        shape=tuple(tensors["x"].shape[1:]),
        class_names=content.class_names if isinstance(content, Images) else (),
        origin=origin,
        created=time.time(),
        problems=content.problems[:PROBLEMS_KEPT],
        notes=content.notes if isinstance(content, Images) else (),
    )
    folder, packed = shelf_root() / fingerprint[:16], save(tensors)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < len(packed) + SPARE_BYTES:
            raise DataError(f"The data set takes {len(packed) / 10**6:,.0f} MB, for which the disk has no room.")
        _replace(folder / "data.safetensors", packed)
        _replace(folder / "card.json", json.dumps(asdict(card), indent=1).encode())
    except OSError as error:
        raise DataError(f"The data set cannot be saved: {error.strerror or error}.") from error
    _open.cache_clear()
    return card


def shelf() -> list[Own]:
    """The cards of all sets that are there, newest first; a damaged one is left out."""
    folders = shelf_root().iterdir() if shelf_root().is_dir() else ()
    cards = [card for folder in folders if (card := _card(folder)) is not None]
    return sorted(cards, key=lambda card: (-card.created, card.name))


def find(name: str) -> Own:
    """The card of a set by its name. Raises DataMissing."""
    match = NAME.fullmatch(name)
    card = _card(shelf_root() / match[1]) if match else None
    if card is None:
        raise DataMissing(
            f"The data set {name[:80]} is not on this machine: it was deleted, or made elsewhere. Upload the same files "
            "again on the Data page, with the same size and colour, and it is back."
        )
    return card


def open_own(name: str) -> ImageSource | MixtureSource:
    """The data of a set by its name. Raises DataMissing, or DataError if what was kept is damaged."""
    card = find(name)
    return _open(str(shelf_root().resolve() / card.fingerprint[:16]), name, card)


def delete(name: str) -> None:
    """Remove a set and everything that was kept of it. Raises DataMissing."""
    card = find(name)
    folder = shelf_root() / card.fingerprint[:16]
    gone = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        os.replace(folder, gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise DataError(f"The data set cannot be deleted: {error.strerror or error}.") from error
    finally:
        _open.cache_clear()


@lru_cache(maxsize=2)
def _open(folder: str, name: str, card: Own) -> ImageSource | MixtureSource:
    try:
        tensors = load((Path(folder) / "data.safetensors").read_bytes())
    except (OSError, SafetensorError, ValueError):
        tensors = {}
    if not tensors or _fingerprint(tensors, card.class_names) != card.fingerprint:
        raise DataError(f"What is kept of the data set {card.title} is damaged; delete it and upload it again.")
    x, y = tensors["x"].numpy(), tensors["y"].numpy() if "y" in tensors else None
    if card.kind == "points":
        return smoothed(name, x)
    return image_source(name, x, y, card.class_names)


def _tensors(content: Images | Points) -> dict[str, torch.Tensor]:
    if isinstance(content, Points):
        return {"x": torch.from_numpy(np.ascontiguousarray(content.points, np.float64))}
    tensors = {"x": torch.from_numpy(np.ascontiguousarray(content.x))}
    return tensors if content.y is None else {**tensors, "y": torch.from_numpy(content.y)}


def _fingerprint(tensors: dict[str, torch.Tensor], class_names: Sequence[str]) -> str:
    digest = hashlib.sha256(json.dumps(list(class_names)).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def _card(folder: Path) -> Own | None:
    if not re.fullmatch(r"[0-9a-f]{16}", folder.name):
        return None
    try:
        values = json.loads((folder / "card.json").read_bytes())
        values["problems"] = tuple(Problem(**problem) for problem in values["problems"])
        lists = {name: tuple(values.get(name, ())) for name in ("shape", "class_names", "notes")}
        card = Own(**{**values, **lists})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return card if is_own(card.name) and card.fingerprint.startswith(folder.name) else None


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
