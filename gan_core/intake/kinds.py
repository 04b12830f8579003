"""Normal pictures and others, by the folders of their files: ``normal/``, ``test/<kind>/``, ``masks/<kind>/``.

MVTec AD (Bergmann et al. 2019) has ``train/good``, ``test/<kind>`` with ``test/good``, and ``ground_truth/<kind>``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gan_core.intake.layout import Level
from gan_core.intake.names import class_name, in_order, parts_of

KINDS = "kinds"
"""The key of the level that normal pictures and kinds of anomalies are."""
NORMAL, UNTOLD = "normal", "untold"
"""The class of normal pictures, and that of pictures to be asked about of which nobody says what they are."""

HELD_OUT = 0.2  # of the normal pictures
MASKED = 127  # what is lighter in a mask is damaged

_LEARNT, _ASKED, _MASKS = ("train", "normal"), ("test",), ("mask", "masks", "ground_truth", "groundtruth", "gt")
_NORMALS = ("normal", "good", "ok")
_OF_A_MASK = re.compile(r"[ _.-](mask|gt|label)$", re.IGNORECASE)


@dataclass(frozen=True)
class Kinds:
    """Places of files: ``learnt`` are normal pictures to learn from, ``asked`` those to be asked about. ``kind`` has the class
    of each of the latter, `NORMAL`, `UNTOLD` or its folder's name, ``masks`` the place of the mask of each that has one.
    """

    learnt: tuple[int, ...]
    asked: tuple[int, ...]
    kind: tuple[str, ...]
    masks: dict[int, int]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, the normal one first."""
        return (NORMAL, *in_order({kind for kind in self.kind if kind != NORMAL}))

    def divided(self, x: np.ndarray) -> tuple[list[int], np.ndarray, np.ndarray, np.ndarray | None, list[str]]:
        """Of pictures (N, C, H, W) the places of those that are no masks, their classes, which of them are held out, their
        masks (n, H, W) bool where there are any, and sentences about it.

        Held out is what is to be asked about, and a fifth of the normal pictures where none of these is to be.
        """
        asked = dict(zip(self.asked, self.kind, strict=True))
        apart = () if NORMAL in self.kind else self.learnt[: round(len(self.learnt) * HELD_OUT)]
        order = sorted([*self.learnt, *asked])
        y = np.array([self.names.index(asked.get(place, NORMAL)) for place in order])
        heldout = np.flatnonzero(np.isin(order, [*asked, *apart]))
        masks = np.zeros((len(order), *x.shape[2:]), bool) if self.masks else None
        if masks is not None:
            for row, place in enumerate(order):
                if place in self.masks:
                    masks[row] = x[self.masks[place]].max(axis=0) > MASKED
        return order, y, heldout, masks, self._told(x, len(apart))

    def _told(self, x: np.ndarray, apart: int) -> list[str]:
        told = [
            f"{len(self.learnt) - apart:,} normal pictures to learn from, {len(self.asked) + apart:,} to be asked about, "
            f"{len(self.masks):,} of these with a mask."
        ]
        if apart:
            told.append(f"No normal pictures stand in test: {apart:,} of the others are held out for it.")
        known = {x[place].tobytes() for place in self.learnt}
        again = sum(x[place].tobytes() in known for place in self.asked)
        if again:
            told.append(f"{again:,} of the pictures to be asked about are among those to learn from, pixel by pixel.")
        return told


def kinds_of(names: Sequence[str]) -> Kinds | None:
    """What the folders of files mean as normal pictures and others; None where they are not laid out so.

    There have to be normal pictures of one kind to learn from, and pictures that are asked about, some of them not normal.
    """
    learnt: dict[int, str] = {}
    asked: dict[int, tuple[str, str]] = {}
    masks: dict[tuple[str, str], int] = {}
    for place, name in enumerate(names):
        *folders, file = parts_of(name) or ("",)
        words = [folder.lower() for folder in folders]
        role = next((k for k, word in enumerate(words) if word in (*_LEARNT, *_ASKED, *_MASKS)), None)
        if role is None:
            continue
        below, stem = "/".join(folders[role + 1 :]), file.rpartition(".")[0] or file
        if words[role] in _LEARNT:
            learnt[place] = below.lower()
        elif words[role] in _ASKED:
            asked[place] = below, stem
        else:
            masks[below.lower(), _OF_A_MASK.sub("", stem).lower()] = place
    kinds = [_kind(below) for below, _ in asked.values()]
    if not learnt or not (set(learnt.values()) <= {"", *_NORMALS}) or not (set(kinds) - {NORMAL}):
        return None
    found = {
        place: masks[below.lower(), stem.lower()]
        for place, (below, stem) in asked.items()
        if (below.lower(), stem.lower()) in masks
    }
    return Kinds(tuple(learnt), tuple(asked), tuple(kinds), found)


def kinds_level(names: Sequence[str], least: int) -> tuple[Level, ...]:
    """The level of normal pictures and others, where the folders are laid out so and there are ``least`` of them."""
    found = kinds_of(names)
    if found is None or len(found.learnt) + len(found.asked) < least:
        return ()
    y = np.full(len(names), -1)
    y[list(found.learnt)] = 0
    y[list(found.asked)] = [found.names.index(kind) for kind in found.kind]
    return (Level(KINDS, found.names, y),)


def _kind(below: str) -> str:
    """The class of a picture in this folder below ``test``."""
    first = below.partition("/")[0]
    return NORMAL if first.lower() in _NORMALS else class_name(first) or UNTOLD
