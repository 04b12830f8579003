"""A run, or several at the same rounds, as a film: the stored frames, one after the other, as an animated GIF."""

from __future__ import annotations

import io
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gan_core.engine.comparing.variants import look_up
from gan_core.engine.showing.live import rounds_of
from gan_core.engine.showing.parts import STANDING, first_of, kept_as
from gan_core.engine.showing.pictures import GENERATED, REAL
from gan_core.store import Frame, RunRecord, RunStore, StoreError

SIDE, SIDE_OF_MANY = 448, 256  # pixels: a picture is about so wide, alone and beside others
IN_A_ROW, GUTTER, HEADING = 4, 8, 24
STRIP = 36  # so much below it is for words
MOST_FRAMES = 150
SECONDS = 15.0  # about what the whole run takes
CRITIC = (0, 114, 178)  # the colour of D on every page
INK, PAPER = (23, 32, 42), (255, 255, 255)


@dataclass(frozen=True)
class Reel:
    """What was seen of one run, and what it is drawn against; ``title`` stands above it."""

    title: str
    run: RunRecord
    frames: Sequence[Frame]
    reference: Mapping[str, Any]

    def at(self, round: int) -> Frame:
        """The newest frame of this round or before; the first one before that."""
        return self.frames[max(0, bisect_right([frame.round for frame in self.frames], round) - 1)]

    def heading(self, round: int) -> str:
        ended = not self.run.active and round > self.run.rounds
        return f"{self.title} (ended at {self.run.rounds:,})" if ended else self.title


def film(store: RunStore, wanted: str) -> bytes:
    """An animated GIF of the samples of a run, or of the variants of a comparison at the same rounds, with its first seed.

    At most 150 pictures, evenly chosen. Raises RunNotFound, and StoreError where nothing was seen.
    """
    shown = reels(store, wanted)
    rounds = sorted({frame.round for reel in shown for frame in reel.frames})
    chosen = [rounds[round(i)] for i in np.linspace(0, len(rounds) - 1, min(len(rounds), MOST_FRAMES))]
    last = max(rounds_of(reel.run) for reel in shown) or chosen[-1]
    side = SIDE if len(shown) == 1 else SIDE_OF_MANY
    stills: dict[tuple[str, int], Image.Image] = {}
    pictures = []
    for place in chosen:
        beside = []
        for reel in shown:
            frame = reel.at(place)
            key = (reel.run.id, frame.round)
            stills[key] = stills.get(key) or still(store, reel, frame, side)
            beside.append((reel.heading(place), stills[key]))
        pictures.append(_with_strip(beside[0][1] if len(beside) == 1 else _beside(beside), place, last))
    pause = int(min(500.0, max(60.0, 1000 * SECONDS / len(pictures))))
    buffer = io.BytesIO()
    durations = [pause] * (len(pictures) - 1) + [2000]  # the end stays a moment
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False
    )
    return buffer.getvalue()


def reels(store: RunStore, wanted: str) -> list[Reel]:
    """What was seen of a run, or of the first seed of each variant of a comparison. Raises as ``film``."""
    comparison, run_ids = look_up(store, wanted)
    if comparison is None:
        titles = {"": run_ids[0]}
    else:
        titles = {member.variant: member.run for member in reversed(comparison.members)}
        titles = {variant: titles[variant] for variant in dict.fromkeys(m.variant for m in comparison.members)}
    found = [reel for title, run_id in titles.items() if (reel := _reel(store, title, run_id)).frames]
    if not found:
        raise StoreError("Nothing of this was seen yet, so there is nothing to show.")
    return found


def _reel(store: RunStore, title: str, run_id: str) -> Reel:
    seen = [frame for frame in store.frames(run_id) if first_of(STANDING, frame.parts)]
    reference: dict[str, Any] = {}
    for event in store.events(run_id):
        if event.kind == "reference":
            reference |= event.data
    return Reel(title, store.run(run_id), seen, reference)


def still(store: RunStore, reel: Reel, frame: Frame, side: int = SIDE) -> Image.Image:
    """What was seen at one round, about ``side`` pixels wide. StoreError if its file is gone or damaged."""
    try:
        part = first_of(STANDING, frame.parts) or ""
        path = store.artefact_path(reel.run.id, frame.parts[part]["file"])
        if kept_as(part) == "png":
            with Image.open(path) as grid:
                picture = grid.convert("RGB")
            scale = max(1, round(side / picture.width))
            return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
        content = json.loads(path.read_bytes())
        fake = np.array(content["fake"], dtype=float)
        return _plane(content, fake, reel.reference, side) if fake.ndim == 2 else _line(fake, reel.reference, side)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StoreError(f"What was seen at round {frame.round:,} cannot be read: {error}.") from error


def _beside(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures with their headings, at most four in a row."""
    across = min(len(pictures), IN_A_ROW)
    width, height = (max(sizes) for sizes in zip(*(picture.size for _, picture in pictures), strict=True))
    cell = (width + GUTTER, height + HEADING)
    whole = Image.new("RGB", (across * cell[0] - GUTTER, -(-len(pictures) // across) * cell[1]), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(15)
    for index, (heading, picture) in enumerate(pictures):
        left, top = (index % across) * cell[0], (index // across) * cell[1]
        while heading and draw.textlength(heading, font) > width:
            heading = heading.removesuffix("…")[:-1].rstrip() + "…" if len(heading) > 2 else ""
        draw.text((left + 4, top + 4), heading, fill=INK, font=font)
        whole.paste(picture, (left, top + HEADING))
    return whole


def _plane(content: Mapping[str, Any], fake: np.ndarray, reference: Mapping[str, Any], side: int) -> Image.Image:
    critic = np.nan_to_num(np.array(content.get("critic") or [[0.0]], dtype=float))  # white without a judge
    span = float(np.ptp(critic)) or 1.0
    weight = (0.03 + 0.57 * (critic - critic.min()) / span)[::-1, :, None]  # rows of a picture go down
    blend = (1 - weight) * np.array(PAPER) + weight * np.array(CRITIC)
    picture = Image.fromarray(blend.astype(np.uint8)).resize((side, side), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    xs, ys = content["xs"], content["ys"]
    for points, colour, radius in ((reference.get("points", []), REAL, 3.5), (fake, GENERATED, 2.0)):
        table = np.array(points, dtype=float).reshape(-1, 2)
        places = (table - [xs[0], ys[0]]) / [xs[-1] - xs[0], ys[-1] - ys[0]] * side
        for x, y in places[np.isfinite(places).all(1)].tolist():
            if -radius <= x <= side + radius and -radius <= y <= side + radius:
                draw.ellipse((x - radius, side - y - radius, x + radius, side - y + radius), fill=colour)
    return picture


def _line(fake: np.ndarray, reference: Mapping[str, Any], side: int) -> Image.Image:
    picture = Image.new("RGB", (side, side // 2), PAPER)
    draw = ImageDraw.Draw(picture)
    real = np.array(reference.get("real_density", []), dtype=float)
    # The same scale for the whole film: that of the real density.
    top = 2 * float(np.nanmax(real)) if len(real) else 2 * float(np.nanmax(fake, initial=1e-12))
    for density, colour, filled in ((fake, GENERATED, True), (real, REAL, False)):
        if not len(density):
            continue
        heights = np.clip(np.nan_to_num(density) / top, 0, 1) * (picture.height - 8)
        across = np.linspace(0, side - 1, len(density))
        curve = list(zip(across.tolist(), (picture.height - 2 - heights).tolist(), strict=True))
        if filled:
            draw.polygon([(0, picture.height), *curve, (side - 1, picture.height)], fill=colour)
        else:
            draw.line(curve, fill=colour, width=3)
    return picture


def _with_strip(picture: Image.Image, round: int, rounds: int) -> Image.Image:
    """The picture with its round and how far the run was below it."""
    whole = Image.new("RGB", (picture.width, picture.height + STRIP), PAPER)
    whole.paste(picture)
    draw = ImageDraw.Draw(whole)
    share = min(1.0, round / max(1, rounds))
    if done := int(share * picture.width):
        draw.rectangle((0, picture.height, done - 1, picture.height + 4), fill=CRITIC)
    draw.text((8, picture.height + 10), f"round {round:,} of {rounds:,}", fill=INK, font=ImageFont.load_default(18))
    return whole
