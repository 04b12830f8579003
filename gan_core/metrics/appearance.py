"""What the samples of one measurement look like: how near they are to real data, and the word for the picture.

A picture has two sides. *Coverage* is how much of the data is reached; *quality* is how good the samples are, each
relative to what real samples read. Neither says anything without the other: noise reaches everything, and one good
picture is as sharp as any. ``Picture`` names what lies between; the words are those that a person would use who looks
at the points or the images and has not seen the numbers (docs/results/verdict.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Picture = Literal["unknown", "real", "varied", "spread", "part", "cloud", "noise", "one_point", "one_picture", "beside"]
"""``real`` is near real data on both sides; ``varied`` covers the data, and how good the samples are was not measured."""

# Of quality, for points and for images: from where samples are near real ones, and down to where they stay so; then from where
# the shape of the data can be seen, or a picture be recognised. Points all over a ring of wide modes read 0.4.
NEAR, STAYS_NEAR = (0.9, 0.8), (0.85, 0.72)
SHAPE, STAYS_SHAPE = (0.45, 0.35), (0.42, 0.3)
# Squared MMD over its floor, of points: below the one they have the shape of the data, however far off they lie; above the
# other they are not spread as real ones are, however near they lie.
LIKE, UNLIKE = 0.006, 0.04
# Of points with modes on a plane: from where, and down to where, they lie along the data between modes, given such an excess.
ALONG, STAYS_ALONG = (0.1, 0.016), (0.1, 0.035)
THIN, THIN_EXCESS = 1.45, 0.07  # the Vendi score of such points over that of real ones: below, they lie on a curve
STAYS_BETWEEN = 0.33  # of the quality of such points, whose shape was seen: it wavers while they settle on the modes
MOSTLY_ON, STAYS_ON = 0.7, 0.6  # quality from which samples lie on the data, of which a part is missing
COVERS, STAYS_COVERING = 0.75, 0.65  # breadth from which the data are covered
RECALLED = 0.5  # of the recall of real samples; points that are too sharp have less
POINT = 0.12  # of the real spread: a mode of a ring is 0.07
PICTURE = 0.25  # of the real spread, of images
ASIDE, ASIDE_WIDTHS = 1.8, 1.5  # of the middle from that of the data: real standard deviations, times the own spread
OFF = 0.1  # quality below which next to nothing lies on the data
MMD_HALF = 0.08  # squared MMD over its floor at which a density on a line counts as half right
FRECHET_HALF = 45.0  # times its floor

UNSURE, HIGH, FRECHET = "unsure_share", "high_quality_share", "frechet_distance"


@dataclass(frozen=True)
class Sides:
    """Both sides of one measurement, each over what real samples read.

    ``breadth`` is the least of the spread and the variety, ``missing`` whether a mode holds nothing, ``recall`` the share
    of the data that is reached, asked where there are no modes to count. ``quality`` has a share for each measure that
    there is, ``excess`` is the squared MMD of points over its floor, ``variety`` the Vendi score over that of real samples.
    """

    breadth: float
    missing: bool
    recall: float
    quality: Mapping[str, float]
    excess: float
    variety: float = float("nan")

    @property
    def good(self) -> float:
        """The least quality; NaN where none was measured, and then nothing is to be said of it."""
        return min(self.quality.values(), default=float("nan"))


def sides(numbers: Mapping[str, float], floors: Mapping[str, float], breadth: float, *, images: bool) -> Sides:
    """Of points with modes quality is the share near a mode; of other points on a plane precision and density; of points
    on a line squared MMD; of images the share that is surely of a class, precision, and the Fréchet distance."""

    def known(name: str) -> bool:
        return bool(np.isfinite(numbers.get(name, np.nan)) and floors.get(name, 0.0) > 0)

    def share(*names: str) -> dict[str, float]:
        return {name: min(1.0, numbers[name] / floors[name]) for name in names if known(name)}

    excess = numbers["mmd2"] - floors["mmd2"] if known("mmd2") else float("nan")
    if images:
        quality = share("precision")
        if np.isfinite(numbers.get(UNSURE, np.nan)) and floors.get(UNSURE, 1.0) < 1:
            quality[UNSURE] = min(1.0, (1 - numbers[UNSURE]) / (1 - floors[UNSURE]))
        if known(FRECHET):
            quality[FRECHET] = _fall(numbers[FRECHET] / floors[FRECHET] - 1, FRECHET_HALF)
    elif not (quality := share(HIGH) or share("precision", "density")) and known("mmd2"):
        quality = {"mmd2": _fall(excess, MMD_HALF)}
    missing = known("modes_covered") and round(numbers["modes_covered"]) < round(floors["modes_covered"])
    recall = 1.0 if known("modes_covered") or not known("recall") else numbers["recall"] / floors["recall"]
    variety = numbers["vendi_score"] / floors["vendi_score"] if known("vendi_score") else float("nan")
    return Sides(breadth, missing, recall, quality, float("nan") if images else excess, variety)


def _fall(excess: float, half: float) -> float:
    """From 1 where nothing exceeds the floor to a half at ``half``."""
    return float(1 / (1 + max(0.0, excess) / half))


def picture_of(numbers: Mapping[str, float], seen: Sides, before: Picture, *, images: bool) -> Picture:
    """The word for a measurement, given the one before it: at a border it takes more to leave a word than to keep it."""
    good, width = seen.good, numbers.get("std_ratio", np.nan)
    shapeless: Picture = "noise" if images else "cloud"
    if not images and good < OFF and _lies_aside(numbers, width):
        return "beside"
    if width < (PICTURE if images else POINT):
        return "one_picture" if images else "one_point"
    covers = (
        seen.breadth >= (STAYS_COVERING if before in ("real", "varied", "spread") else COVERS)
        and seen.recall >= RECALLED
    )
    if not np.isfinite(good):
        return "varied" if covers else "unknown"
    near = (STAYS_NEAR if before == "real" else NEAR)[images]
    if covers and not seen.missing and good >= near and not seen.excess > UNLIKE:
        return "real"
    whole = covers or "mmd2" in seen.quality  # a hump on a line has no parts that could be missing
    if whole and not (seen.missing and good >= near):
        plane = HIGH in seen.quality and bool(np.isfinite(numbers.get("center_2", np.nan)))
        shaped = before in ("spread", "real")
        has_shape = _has_shape(seen, shaped, images=images) or (plane and _lies_along(seen, shaped))
        return "spread" if has_shape else shapeless
    return "part" if good >= (STAYS_ON if before == "part" else MOSTLY_ON) else shapeless


def _has_shape(seen: Sides, shaped: bool, *, images: bool) -> bool:
    """Whether the shape of the data can be told from samples that cover it; ``shaped`` where it could be before."""
    least = (STAYS_SHAPE if shaped else SHAPE)[images]
    return seen.good >= least or seen.excess < LIKE


def _lies_along(seen: Sides, shaped: bool) -> bool:
    """The same where points lie between the modes of a plane, on a ring say, of which few are near a mode."""
    least, most = STAYS_ALONG if shaped else ALONG
    if seen.variety < THIN:
        most = THIN_EXCESS
    return (shaped and seen.good >= STAYS_BETWEEN) or (seen.good >= least and seen.excess < most)


def reading(name: str, quality: float, floors: Mapping[str, float]) -> tuple[float, bool]:
    """What a measure reads at a quality, and whether worse is more."""
    floor = floors[name]
    if name == UNSURE:
        return 1 - quality * (1 - floor), True
    if name == FRECHET:
        return floor * (1 + FRECHET_HALF * (1 / quality - 1)), True
    if name == "mmd2":
        return floor + MMD_HALF * (1 / quality - 1), True
    return quality * floor, False


def _lies_aside(numbers: Mapping[str, float], width: float) -> bool:
    along = [numbers.get(name, np.nan) for name in ("center_1", "center_2")]
    far = float(np.linalg.norm([value for value in along if np.isfinite(value)]))
    return far > ASIDE and far > ASIDE_WIDTHS * width
