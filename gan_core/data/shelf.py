"""Data sets of one's own, kept decoded beside the runs, so that a run needs neither the upload nor the folder again.

A set is a folder named by the hash of its content, holding one safetensors file and one JSON card. Its name,
``own:cats-1f3a…``, carries the hash: other pictures under the same title are another set, and a run never trains on
something else by mistake. The mark before the hash says what is held out: ``-`` the same share of each class, ``_`` of a set
of small classes a share of the whole, ``--`` twenty pictures of few that have no classes. So a run keeps its split, also when
the set was deleted and brought again.
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
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from gan_core.data.images import HELD_OUT_SHARE, held_out_of_all, image_source
from gan_core.data.places import shelf_root
from gan_core.data.sources import ImageSource, MixtureSource
from gan_core.data.toy import Place, place_of, smoothed, smoothed_on_one_scale
from gan_core.exhaustion import cannot_tell
from gan_core.intake.errors import DataError, DataMissing
from gan_core.intake.pictures import Images, Problem, plain
from gan_core.intake.points import Points

PREFIX = "own:"
NAME = re.compile(r"own:[\w-]{0,40}?(--|[-_]?)([0-9a-f]{16})")
FEWEST_HELD_OUT = 20
"""Pictures without which a copy cannot be told from a good likeness, nor a D that knows its pictures by heart from another."""
PROBLEMS_KEPT = 1000
SPARE_BYTES = 200 * 10**6  # left on the disk for the runs

Kind = Literal["images", "points"]


@dataclass(frozen=True)
class Own:
    """The card of one's own data set. ``name`` is what a configuration calls it, ``count`` how many samples it has.

    ``place`` standardises points per axis; a card without one is from before there was one, and its points open as they
    did. ``columns`` are the names of the axes, ``notes`` and ``warnings`` what there was to say when it was read. Of a
    ``paired`` set each picture has an input.
    """

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
    place: Place | None = None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unplaced: str | None = None  # the fingerprint that these points had before places were kept
    paired: bool = False
    kept_in: str | None = None  # the folder, where the fingerprint does not name it

    @property
    def summary(self) -> str:
        return f"{self.count:,} of {self.found:,} usable"


def is_own(name: object) -> bool:
    """Whether a name could be that of someone's own data set; whether the set is there, ``find`` knows."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def keep(title: str, content: Images | Points, origin: str) -> Own:
    """Put a set on the shelf and return its card; the same content again replaces the card. ``origin``: zip, folder, …"""
    tensors = _tensors(content)
    points = content if isinstance(content, Points) else None
    place = place_of(points.points) if points else None
    fingerprint = _fingerprint(tensors, content.class_names if isinstance(content, Images) else (), place)
    title = plain(title) or "my data"
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower().encode("ascii", "ignore").decode()).strip("-")[:40].strip("-")
    n = len(tensors["x"])
    card = Own(
        name=f"{PREFIX}{slug}{_mark(tensors, slug)}{fingerprint[:16]}",
        title=title,
        kind="images" if isinstance(content, Images) else "points",
        fingerprint=fingerprint,
        count=n,
        found=n + len(content.problems),
        shape=tuple(tensors["x"].shape[1:]),
        class_names=content.class_names if isinstance(content, Images) else (),
        paired=isinstance(content, Images) and content.inputs is not None,
        origin=origin,
        created=time.time(),
        problems=content.problems[:PROBLEMS_KEPT],
        place=place,
        unplaced=_fingerprint(tensors, (), None) if points else None,
        columns=points.columns if points else (),
        notes=content.notes,
        warnings=points.warnings if points else (),
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
    """The cards of all sets that are there, newest first; one that is damaged or cannot be read is left out.

    Raises DataError where nobody can look into the shelf just now.
    """
    try:
        folders = list(shelf_root().iterdir()) if shelf_root().is_dir() else []
    except OSError as error:
        _only_if_it_is_known(error, "shelf")
        raise
    cards = []
    for folder in folders:
        with suppress(DataError):
            if (card := _card(folder)) is not None:
                cards.append(card)
    return sorted(cards, key=lambda card: (-card.created, card.name))


def find(name: str) -> Own:
    """The card of a set by its name. Raises DataMissing."""
    match = NAME.fullmatch(name)
    card = _card(shelf_root() / match[2]) if match else None
    if card is None and match:
        card = _before_places(name, match[2])
    if card is None:
        raise DataMissing(
            f"The data set {name[:80]} is not on this machine: it was deleted, or made elsewhere. Upload the same files "
            "again on the Data page, with the same size and colour, and it is back."
        )
    return card


def open_own(name: str) -> ImageSource | MixtureSource:
    """The data of a set by its name. Raises DataMissing, or DataError if what was kept is damaged."""
    card = find(name)
    return _open(str(_folder_of(card).resolve()), name, card)


def delete(name: str) -> None:
    """Remove a set and everything that was kept of it. Raises DataMissing."""
    card = find(name)
    folder = _folder_of(card)
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
    except (OSError, SafetensorError, ValueError) as error:
        _only_if_it_is_known(error, card.title)
        tensors = {}
    if not tensors or _fingerprint(tensors, card.class_names, card.place) != card.fingerprint:
        raise DataError(f"What is kept of the data set {card.title} is damaged; delete it and upload it again.")
    x, y = tensors["x"].numpy(), tensors["y"].numpy() if "y" in tensors else None
    if card.kind == "points":
        return smoothed(name, x, card.place, card.columns) if card.place else smoothed_on_one_scale(name, x)
    match = NAME.fullmatch(name)
    mark = "" if match is None else match[1]
    heldout = held_out_of_all(y) if mark == "_" and y is not None else None
    if "heldout" in tensors:
        heldout = tensors["heldout"].numpy()
    share = FEWEST_HELD_OUT / len(x) if mark == "--" else HELD_OUT_SHARE
    source = image_source(name, x, y, card.class_names, heldout_share=share, heldout=heldout)
    return replace(source, inputs=tensors.get("inputs"), masks=tensors.get("masks"))


def _mark(tensors: dict[str, torch.Tensor], slug: str) -> str:
    """What says in a name what is held out."""
    if "y" in tensors:
        return "_" if held_out_of_all(tensors["y"].numpy()) is not None else "-" if slug else ""
    n = len(tensors["x"])
    few = tensors["x"].ndim == 4 and "heldout" not in tensors and round(n * HELD_OUT_SHARE) < FEWEST_HELD_OUT <= n // 2
    return "--" if few else "-" if slug else ""


def _tensors(content: Images | Points) -> dict[str, torch.Tensor]:
    if isinstance(content, Points):
        return {"x": torch.from_numpy(np.ascontiguousarray(content.points, np.float64))}
    tensors = {"x": torch.from_numpy(np.ascontiguousarray(content.x))}
    if content.inputs is not None:
        tensors["inputs"] = torch.from_numpy(np.ascontiguousarray(content.inputs))
    for name, array in (("heldout", content.heldout), ("masks", content.masks)):
        if array is not None:
            tensors[name] = torch.from_numpy(np.ascontiguousarray(array))
    return tensors if content.y is None else {**tensors, "y": torch.from_numpy(content.y)}


def _fingerprint(tensors: dict[str, torch.Tensor], class_names: Sequence[str], place: Place | None) -> str:
    """Points that are standardised are other data to a network than the same points on one scale."""
    digest = hashlib.sha256(json.dumps(list(class_names)).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().data)
    if place is not None:
        digest.update(json.dumps(place).encode())
    return digest.hexdigest()


def _folder_of(card: Own) -> Path:
    return shelf_root() / (card.kept_in or card.fingerprint[:16])


def _before_places(name: str, asked: str) -> Own | None:
    """The card of points that were kept before places were, deleted, and brought again: as the name says, without one."""
    for card in shelf():
        if card.unplaced is not None and card.unplaced.startswith(asked):
            return replace(card, name=name, fingerprint=card.unplaced, place=None, kept_in=card.fingerprint[:16])
    return None


def _card(folder: Path) -> Own | None:
    if not re.fullmatch(r"[0-9a-f]{16}", folder.name):
        return None
    try:
        values = json.loads((folder / "card.json").read_bytes())
        values["problems"] = tuple(Problem(**problem) for problem in values["problems"])
        for name in ("shape", "class_names", "columns", "notes", "warnings"):
            values[name] = tuple(values.get(name, ()))
        if (place := values.get("place")) is not None:
            offset, units = place
            values["place"] = tuple(map(float, offset)), tuple(map(float, units))
        card = Own(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        _only_if_it_is_known(error, folder.name)
        return None
    return card if is_own(card.name) and card.fingerprint.startswith(folder.name) else None


def _only_if_it_is_known(error: Exception, what: str) -> None:
    """Raise DataError where a failure does not say that a set is missing or damaged: nobody shall delete a good one."""
    if cannot_tell(error):
        raise DataError(f"The data set {what} cannot be read just now: {error}.") from error


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
