"""A collapse as a filmstrip, made by itself: the run while it was well, its first sign, each mode as it dies, and the cure.

Below the pictures each mode has a lane, as broad as its share of the samples over that of real data. What is drawn is what
was recorded: the histograms and pictures of a run, of a fork those of its parent too.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gan_core.config import ALL_CURES, BREAKS
from gan_core.engine.exchange.film import INK, MOST_FRAMES, PAPER, SECONDS, Reel, reels, still
from gan_core.engine.showing.pictures import GENERATED
from gan_core.metrics.histograms import covered
from gan_core.metrics.states import LOSSES
from gan_core.store import RunStore, StoreError

WIDTH, MARGIN, LABELS = 1800, 28, 84  # pixels: of the whole, around it, and for the names of the lanes
LANE, MOST_LANES = 29, 25
GAP = 16
LETTERS, SMALL = 27, 21
MOST_STILLS = 7
FADED, GRID, CHANGED = (110, 118, 128), (225, 229, 234), (204, 121, 167)
DARK, DARK_INK, DARK_GRID = (14, 17, 23), (235, 238, 242), (52, 58, 68)  # of the dark pages
SPELLED = str.maketrans({"λ": "lambda", "γ": "gamma", "β": "beta", "₁": "1", "₂": "2"})  # the font has no others
FALLEN = 0.75  # of the modes that were there: when fewer are left, a collapse was seen
MOST_OVER = 1.0  # a lane is full where a mode has the share of real data


@dataclass(frozen=True)
class Scene:
    """A round that tells something, and what, in two or three words and in a few more."""

    round: int
    title: str
    told: str = ""


@dataclass(frozen=True)
class Course:
    """What was counted: ``rounds`` (n,), ``shares`` (n, K) of all samples, ``there`` (n, K), the ``names`` of K modes and
    their ``real`` shares (K,)."""

    rounds: NDArray[np.int64]
    shares: NDArray[np.float64]
    there: NDArray[np.bool_]
    names: tuple[str, ...]
    real: NDArray[np.float64]

    @property
    def left(self) -> NDArray[np.int64]:
        """How many modes are there (n,)."""
        return np.asarray(self.there.sum(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Story:
    """The scenes of a collapse in order, and the round from which on each mode that died was not there."""

    scenes: tuple[Scene, ...]
    died: dict[str, int]
    span: tuple[int, int]
    changes: tuple[tuple[int, str], ...] = ()
    """At which rounds somebody changed the run, and what: forks and knobs."""


def story(course: Course, sign: int | None = None) -> Story | None:
    """Tell the collapse in what was counted; ``sign`` is the first sign that the verdict names.

    From the last measurement with most modes, over the deaths, to the one with fewest; then, where as many came back, to the
    first with as many again. None where at least three quarters of the modes stayed.
    """
    left = course.left
    if len(left) < 3:
        return None
    bottom, well = _deepest(left)
    if left[bottom] >= FALLEN * left[well]:
        return None
    died: dict[int, list[int]] = {}
    for mode in np.flatnonzero(course.there[well] & ~course.there[bottom]):
        last = well + int(np.flatnonzero(course.there[well:bottom, mode])[-1])
        died.setdefault(last + 1, []).append(int(mode))
    back = np.flatnonzero(left[bottom:] >= left[well])
    end = bottom + int(back[0]) if len(back) else len(left) - 1
    rounds, names = course.rounds, course.names
    scenes = [Scene(int(rounds[well]), "before", f"{left[well]} of {len(names)}")]
    if sign is not None and rounds[well] < sign < rounds[min(died)]:
        scenes.append(Scene(sign, "first sign"))
    for at in sorted(died):
        scenes.append(Scene(int(rounds[at]), _lost([names[mode] for mode in died[at]]), f"{left[at]} left"))
    scenes = _fewer(scenes, MOST_STILLS - 1)
    if rounds[bottom] > scenes[-1].round:
        scenes.append(Scene(int(rounds[bottom]), "the fewest", f"{left[bottom]} left"))
    if end > bottom:
        told = f"{left[end]} of {len(names)}"
        scenes.append(Scene(int(rounds[end]), "as many again" if len(back) else "at the end", told))
    before, after = int(rounds[well]), int(rounds[end])
    room = max(1, (after - before) // 6)
    gone = {names[mode]: int(rounds[at]) for at, modes in died.items() for mode in modes}
    return Story(tuple(scenes), gone, (max(0, before - room), min(int(rounds[-1]), after + room)))


def _deepest(left: NDArray[np.int64]) -> tuple[int, int]:
    """The measurement after the greatest fall from the most before it, and the last one with that most."""
    most = np.maximum.accumulate(left)
    bottom = int(np.argmax(most - left))
    well = int(np.flatnonzero(left[: bottom + 1] == most[bottom])[-1])
    return bottom, well


def _lost(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"mode {names[0]} dies"
    return f"modes {', '.join(names)} die" if len(names) < 5 else f"{len(names)} modes die"


def _fewer(scenes: list[Scene], most: int) -> list[Scene]:
    """At most so many scenes, the first and the last ones among them: those that follow closest give way."""
    scenes = list(scenes)
    while len(scenes) > most:
        gaps = [after.round - before.round for before, after in pairwise(scenes[1:])]
        del scenes[1 + int(np.argmin(gaps))]
    return scenes


# -- what was recorded --------------------------------------------------------------------------------------------


def course_of(reel: Reel) -> Course | None:
    """What was counted of a run. None where nothing was, or where its data have too many modes for lanes."""
    frames = [frame for frame in reel.frames if sum(frame.parts.get("histogram", {}).get("counts", ()))]
    if not frames:
        return None
    counts = np.array([frame.parts["histogram"]["counts"] for frame in frames], dtype=float)
    totals = [frame.parts["histogram"].get("n") or row.sum() for frame, row in zip(frames, counts, strict=True)]
    modes = counts.shape[1] - 1
    if not 1 < modes <= MOST_LANES:
        return None
    names = tuple(str(name) for name in reel.reference.get("class_names", range(1, modes + 1)))[:modes]
    real = np.array(reel.reference.get("real_share", [])[:modes] or [1 / modes] * modes, dtype=float)
    rounds = np.array([frame.round for frame in frames], dtype=np.int64)
    there = np.array([covered(row.astype(np.int64)) for row in counts], dtype=bool)
    return Course(rounds, counts[:, :modes] / np.array(totals, dtype=float)[:, None], there, names, real)


def read_collapse(store: RunStore, run_id: str) -> tuple[Reel, Course, Story]:
    """What is to be drawn. A loss has to have been called by the verdict: a count alone may waver.

    Raises RunNotFound, and StoreError where no collapse was seen.
    """
    (reel,) = reels(store, run_id)
    course = course_of(reel)
    if course is None:
        raise StoreError("No modes or classes were counted in this run, so no collapse can be shown.")
    events = store.events(run_id)
    losses = [event.data for event in events if event.kind == "verdict" and event.data.get("state") in LOSSES]
    told = story(course, losses[0].get("first_sign")) if losses else None
    if told is None:
        raise StoreError("No collapse was seen in this run.")
    changes = tuple((event.round, _changed(event.data)) for event in events if event.kind in ("forked", "knob"))
    return reel, course, replace(told, changes=tuple(one for one in changes if told.span[0] <= one[0] <= told.span[1]))


def _changed(data: Mapping[str, Any]) -> str:
    """What a fork or a knob changed, by the name of its change-set where it has one."""
    changes = data.get("changes", {})
    for change in (BREAKS | ALL_CURES).values():
        if change.changes.items() <= changes.items():
            return change.title
    return ", ".join(f"{field.rsplit('.', 1)[-1]} = {value}" for field, value in changes.items()) or "a fork"


def was_called(store: RunStore, run_id: str) -> bool:
    """Whether the verdict ever called a loss of modes."""
    return any(event.kind == "verdict" and event.data.get("state") in LOSSES for event in store.events(run_id))


def filmstrip(store: RunStore, run_id: str, *, dark: bool = False) -> bytes:
    """The filmstrip as a PNG, 1,800 pixels wide. Raises RunNotFound, and StoreError where no collapse was seen."""
    reel, course, told = read_collapse(store, run_id)
    drawn = Drawn(course, told, dark)
    pictures = [still(store, reel, reel.at(scene.round), drawn.side) for scene in told.scenes]
    buffer = io.BytesIO()
    drawn.whole(pictures).save(buffer, format="PNG")
    return buffer.getvalue()


def moving_filmstrip(store: RunStore, run_id: str) -> bytes:
    """The same as an animated GIF: the picture of each round of the story over lanes that grow. Raises as `filmstrip`."""
    reel, course, told = read_collapse(store, run_id)
    drawn = Drawn(
        course, told, dark=False, width=WIDTH // 2, labels=LABELS // 2, lane=LANE // 2, letters=LETTERS * 2 // 3
    )
    first, last = told.span
    rounds = [frame.round for frame in reel.frames if first <= frame.round <= last]
    rounds = [rounds[round(i)] for i in np.linspace(0, len(rounds) - 1, min(len(rounds), MOST_FRAMES))]
    moments = {scene.round for scene in told.scenes}
    frames = [drawn.moment(still(store, reel, reel.at(at), 448), at) for at in rounds]
    pause = int(min(400.0, max(60.0, 1000 * SECONDS / len(frames))))
    lasting = [900 if moments & set(range(before + 1, at + 1)) else pause for before, at in pairwise([-1, *rounds])]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, format="GIF", save_all=True, append_images=frames[1:], duration=lasting, loop=0, optimize=False
    )
    return buffer.getvalue()


# -- drawing ------------------------------------------------------------------------------------------------------


class Drawn:
    """Where things are on the picture of one story."""

    def __init__(
        self,
        course: Course,
        told: Story,
        dark: bool,
        *,
        width: int = WIDTH,
        labels: int = LABELS,
        lane: int = LANE,
        letters: int = LETTERS,
    ) -> None:
        self.course, self.told = course, told
        self.paper, self.ink, self.grid = (DARK, DARK_INK, DARK_GRID) if dark else (PAPER, INK, GRID)
        self.width, self.labels, self.lane, self.letters = width, labels, lane, letters
        self.font, self.small = (
            ImageFont.load_default(letters),
            ImageFont.load_default(max(15, SMALL * letters // LETTERS)),
        )

    @property
    def side(self) -> int:
        """Pixels of a still, all of them in one row."""
        shown = len(self.told.scenes)
        return min(340, (self.width - 2 * MARGIN - (shown - 1) * GAP) // shown)

    def across(self, round: float) -> float:
        """Pixels from the left at which a round stands."""
        first, last = self.told.span
        left, right = MARGIN + self.labels, self.width - MARGIN
        return left + (right - left) * (round - first) / max(1, last - first)

    def whole(self, pictures: Sequence[Image.Image]) -> Image.Image:
        """The stills with their words, and the lanes below."""
        side, heading = self.side, 2 * self.letters + 22
        stills = [picture.resize((side, side * picture.height // picture.width)) for picture in pictures]
        tallest, legs = max(one.height for one in stills), 2 * self.letters
        top = MARGIN + heading + tallest + legs
        image = Image.new("RGB", (self.width, top + self.height), self.paper)
        draw = ImageDraw.Draw(image)
        free = self.width - 2 * MARGIN - len(stills) * side
        gap = free // max(1, len(stills) - 1)
        for place, (scene, picture) in enumerate(zip(self.told.scenes, stills, strict=True)):
            left, at = MARGIN + place * (side + gap), self.across(scene.round)
            self._write(draw, (left, MARGIN), scene.title, self.font, self.ink, side)
            told = " · ".join(part for part in (f"round {scene.round:,}", scene.told) if part)
            self._write(draw, (left, MARGIN + self.letters + 6), told, self.small, FADED, side)
            image.paste(picture, (left, MARGIN + heading))
            foot = MARGIN + heading + picture.height
            draw.line((left + side // 2, foot + 2, at, top), fill=FADED, width=2)
            draw.line((at, top, at, top + self.lane * len(self.course.names)), fill=FADED, width=2)
        self.lanes(draw, top, self.told.span[1])
        return image

    def moment(self, picture: Image.Image, round: int) -> Image.Image:
        """One picture in the middle, and the lanes up to its round."""
        scene = [scene for scene in self.told.scenes if scene.round <= round][-1:]
        left = self.course.left[np.searchsorted(self.course.rounds, round, side="right") - 1]
        heading = self.letters + 16
        image = Image.new("RGB", (self.width, heading + picture.height + GAP + self.height), self.paper)
        draw = ImageDraw.Draw(image)
        words = f"round {round:,} · {left} of {len(self.course.names)}" + (f" · {scene[0].title}" if scene else "")
        draw.text((MARGIN, 8), words, fill=self.ink, font=self.font)
        image.paste(picture, ((self.width - picture.width) // 2, heading))
        self.lanes(draw, heading + picture.height + GAP, round)
        return image

    @property
    def height(self) -> int:
        """Pixels of the lanes with their axis."""
        return self.lane * len(self.course.names) + (3 if self.told.changes else 2) * self.letters + MARGIN // 2 + 8

    def lanes(self, draw: ImageDraw.ImageDraw, top: float, until: int) -> None:
        """A lane for each mode, up to a round."""
        course, (first, last) = self.course, self.told.span
        right = self.width - MARGIN
        shown = np.flatnonzero((course.rounds >= first) & (course.rounds <= min(last, until)))
        for mode, name in enumerate(course.names):
            middle = top + (mode + 0.5) * self.lane
            self._write(draw, (MARGIN, middle - 0.55 * self.letters), name, self.small, self.ink, self.labels - 8)
            draw.line((self.across(first), middle, right, middle), fill=self.grid, width=2)
            over = np.minimum(course.shares[:, mode] / max(0.005, float(course.real[mode])), MOST_OVER)
            half = 0.45 * self.lane * over[shown]
            along = [self.across(course.rounds[at]) for at in shown]
            if len(along) > 1:
                upper = [(x, middle - h) for x, h in zip(along, half, strict=True)]
                lower = [(x, middle + h) for x, h in zip(along, half, strict=True)]
                draw.polygon([*upper, *lower[::-1]], fill=GENERATED)
            died = self.told.died.get(name)
            if died is not None and died <= until:
                self._cross(draw, self.across(died), middle)
        self._axis(draw, top + self.lane * len(course.names) + 6)

    def _cross(self, draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        arm = self.lane / 4
        for side in (-1, 1):
            draw.line((x - arm, y - side * arm, x + arm, y + side * arm), fill=self.ink, width=max(2, self.lane // 9))

    def _axis(self, draw: ImageDraw.ImageDraw, top: float) -> None:
        first, last = self.told.span
        step = _step((last - first) / 6)
        for at in range(-(-first // step) * step, last + 1, step):
            words = f"round {at:,}" if at < first + step else f"{at:,}"
            draw.text((self.across(at), top), words, fill=FADED, font=self.small, anchor="ma")
        below = top + self.letters + 4
        for number, (at, words) in enumerate(self.told.changes):
            x, foot = self.across(at), top - 6
            draw.line((x, foot - self.lane * len(self.course.names), x, foot + 4), fill=CHANGED, width=4)
            after = [self.across(later) for later, _ in self.told.changes[number + 1 :]]
            room = min([*after, self.width - MARGIN]) - x - GAP
            self._write(draw, (x, below), words.translate(SPELLED), self.small, self.ink, room)
        key = "A lane is full where a mode has its real share; it is crossed out where the mode dies."
        draw.text((MARGIN, below + (self.letters if self.told.changes else 0)), key, fill=FADED, font=self.small)

    def _write(
        self,
        draw: ImageDraw.ImageDraw,
        place: tuple[float, float],
        text: str,
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
        fill: tuple[int, int, int],
        room: float,
    ) -> None:
        while text and draw.textlength(text, font) > room:
            text = text.removesuffix("…")[:-1].rstrip() + "…" if len(text) > 2 else ""
        draw.text(place, text, fill=fill, font=font)


def _step(least: float) -> int:
    """1, 2 or 5 times a power of ten, at least so much."""
    base = 10 ** int(np.floor(np.log10(max(1.0, least))))
    return int(next(base * factor for factor in (1, 2, 5, 10) if base * factor >= least))
