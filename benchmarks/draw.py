"""What drawing costs: how long a stroke waits for what G makes of it, and what thirty people who draw take from a run.

    python benchmarks/draw.py                                   # about three minutes; writes docs/results/draw.md
    python benchmarks/draw.py --seconds 4 --cycles 1 --out /tmp/quick.md

A DCGAN trains in a process of its own, as in the server, while visitors of the Draw page draw without rest for a translator
that has finished: every 100 ms the drawing has grown, and is sent as the page sends it. All else is as in
`benchmarks/latent.py`.
"""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

from latent import Trial, main
from PIL import Image, ImageDraw

SIDE, SENT, PEN = 280, 140, 15  # pixels, as on the page
EIGHT = [(175, 60), (110, 70), (100, 110), (180, 160), (185, 220), (120, 235), (95, 200), (175, 120), (180, 70)]


@cache
def drawing(share: int) -> str:
    """The first ``share`` of 50 parts of an eight, as the page sends it."""
    image, reach = Image.new("RGB", (SIDE, SIDE)), share / 50 * (len(EIGHT) - 1)
    whole = int(reach)
    points = [*EIGHT[: whole + 1]]
    if whole + 1 < len(EIGHT):
        (x, y), (u, v), part = EIGHT[whole], EIGHT[whole + 1], reach - whole
        points.append((round(x + part * (u - x)), round(y + part * (v - y))))
    ImageDraw.Draw(image).line(points, fill="white", width=PEN, joint="curve")
    file = io.BytesIO()
    image = image.resize((SENT, SENT)).convert("RGBA")
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def message(t: float, index: int) -> dict[str, Any]:
    return {"do": "drawing", "picture": drawing(1 + int(49 * t)), "drawn": True}


DRAW = Trial(
    "draw",
    __file__,
    "digits-sketch",
    {"schedule.rounds": 20},
    message,
    (
        "# Drawing while a run trains",
        "",
        "`python benchmarks/draw.py` wrote this: a DCGAN of 28×28 digits trains in a process of its own while visitors of the",
        "Draw page draw without rest for a run from picture to picture, and the drawing grows every 100 ms. *Waited* is from",
        "the stroke to the answer with what G makes of it, and what the frozen classifier reads there.",
    ),
    "visitors who draw",
)

if __name__ == "__main__":
    main(DRAW)
