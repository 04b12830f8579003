"""A run as a film: its stored frames, one after the other, as an animated GIF."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gan_core.engine.live import rounds_of
from gan_core.engine.pictures import GENERATED
from gan_core.store import Frame, RunStore, StoreError

SIDE, STRIP = 448, 36  # pixels: the picture is about so wide, and so much below it is for words
MOST_FRAMES = 150
SECONDS = 15.0  # about what the whole run takes
REAL, CRITIC = (0, 158, 115), (0, 114, 178)  # the colours of real samples and of D on every page
INK, PAPER = (23, 32, 42), (255, 255, 255)


def film(store: RunStore, run_id: str) -> bytes:
    """An animated GIF of the run's samples, each with its round; at most 150 frames, evenly chosen.

    Raises RunNotFound, and StoreError for a run of which nothing was seen.
    """
    run = store.run(run_id)
    seen = [frame for frame in store.frames(run_id) if "grid" in frame.parts or "points" in frame.parts]
    if not seen:
        raise StoreError("Nothing of this run was seen yet, so there is nothing to show.")
    chosen = [seen[round(i)] for i in np.linspace(0, len(seen) - 1, min(len(seen), MOST_FRAMES))]
    reference: dict[str, Any] = {}
    for event in store.events(run_id):
        if event.kind == "reference":
            reference |= event.data
    rounds = rounds_of(run) or chosen[-1].round
    pictures = [_with_strip(_picture(store, run_id, f, reference), f.round, rounds) for f in chosen]
    pause = int(min(500.0, max(60.0, 1000 * SECONDS / len(pictures))))
    buffer = io.BytesIO()
    durations = [pause] * (len(pictures) - 1) + [2000]  # the end stays a moment
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False
    )
    return buffer.getvalue()


def _picture(store: RunStore, run_id: str, frame: Frame, reference: Mapping[str, Any]) -> Image.Image:
    if "grid" in frame.parts:
        with Image.open(store.artefact_path(run_id, frame.parts["grid"]["file"])) as grid:
            picture = grid.convert("RGB")
        scale = max(1, round(SIDE / picture.width))
        return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    content = _json(store, run_id, frame.parts["points"]["file"])
    fake = np.array(content["fake"], dtype=float)
    return _plane(content, fake, reference) if fake.ndim == 2 else _line(fake, reference)


def _plane(content: Mapping[str, Any], fake: np.ndarray, reference: Mapping[str, Any]) -> Image.Image:
    critic = np.nan_to_num(np.array(content["critic"], dtype=float))
    span = float(np.ptp(critic)) or 1.0
    weight = (0.03 + 0.57 * (critic - critic.min()) / span)[::-1, :, None]  # rows of a picture go down
    blend = (1 - weight) * np.array(PAPER) + weight * np.array(CRITIC)
    picture = Image.fromarray(blend.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    xs, ys = content["xs"], content["ys"]
    for points, colour, radius in ((reference.get("points", []), REAL, 3.5), (fake, GENERATED, 2.0)):
        table = np.array(points, dtype=float).reshape(-1, 2)
        places = (table - [xs[0], ys[0]]) / [xs[-1] - xs[0], ys[-1] - ys[0]] * SIDE
        for x, y in places[np.isfinite(places).all(1)].tolist():
            if -radius <= x <= SIDE + radius and -radius <= y <= SIDE + radius:
                draw.ellipse((x - radius, SIDE - y - radius, x + radius, SIDE - y + radius), fill=colour)
    return picture


def _line(fake: np.ndarray, reference: Mapping[str, Any]) -> Image.Image:
    picture = Image.new("RGB", (SIDE, SIDE // 2), PAPER)
    draw = ImageDraw.Draw(picture)
    real = np.array(reference.get("real_density", []), dtype=float)
    # The same scale for the whole film: that of the real density.
    top = 2 * float(np.nanmax(real)) if len(real) else 2 * float(np.nanmax(fake, initial=1e-12))
    for density, colour, filled in ((fake, GENERATED, True), (real, REAL, False)):
        if not len(density):
            continue
        heights = np.clip(np.nan_to_num(density) / top, 0, 1) * (picture.height - 8)
        across = np.linspace(0, SIDE - 1, len(density))
        curve = list(zip(across.tolist(), (picture.height - 2 - heights).tolist(), strict=True))
        if filled:
            draw.polygon([(0, picture.height), *curve, (SIDE - 1, picture.height)], fill=colour)
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


def _json(store: RunStore, run_id: str, name: Any) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(store.artefact_path(run_id, name).read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"The file {str(name)[:64]} cannot be read: {error}.") from error
    return content
