"""Whether the words on the page are what a person sees: verdicts beside labels that were given by eye, from pictures alone.

    nice -n 19 python benchmarks/verdict.py                    # train what is missing; writes docs/results/verdict.md
    nice -n 19 python benchmarks/verdict.py --part settled     # the runs on which rules may be settled
    python benchmarks/verdict.py --sheets /tmp/sheets          # pictures in random order, numbered, without a word
    python benchmarks/verdict.py --render                      # only the table, of what has been trained

One process and one thread. What was measured of a run is kept in ``build/verdict`` as it ends, so the command can be stopped
and goes on from there; what is said of it stands beside the table, in ``docs/results/verdict.jsonl``. The labels are in
``benchmarks/verdict_labels.jsonl``: the number of a picture on its sheet, what it is of, and what was seen.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.labelled import REPORTED, SETTLED, Kept, Run, runs, train, verdicts
from benchmarks.recipes import References
from benchmarks.sections import command_line
from gan_core.data import ImageSource, Source
from gan_core.engine.executors import compute_on_one_thread
from gan_core.metrics.verdict import STATES
from gan_core.training import load_source
from gan_core.training.classifier import FrozenClassifier, classifier_for

LABELS = ROOT / "benchmarks" / "verdict_labels.jsonl"
TILE, COLUMNS, ROWS, GAP = 190, 7, 5, 18
REAL, FAKE, INK, PAPER = (190, 200, 215), (214, 93, 14), (40, 40, 40), (255, 255, 255)


# Sheets: pictures and nothing else


def shuffled(part: str, digits: bool, folder: Path) -> list[tuple[Run, int]]:
    """The pictures of a part, points and digits apart, in an order that says nothing of what they are of."""
    found = [
        (run, round)
        for run in runs(part)
        if run.case.digits == digits and (folder / run.path).exists()
        for round in sorted(Kept.load(folder / run.path).pictures)
    ]
    order = np.random.default_rng(20).permutation(len(found))
    return [found[index] for index in order]


def draw_sheets(part: str, folder: Path, out: Path, references: References) -> None:
    """Numbered pictures without a word, and beside them the list of what each number is of, which is not to be read before."""
    out.mkdir(parents=True, exist_ok=True)
    for digits in (False, True):
        pictures, per_sheet = shuffled(part, digits, folder), COLUMNS * ROWS
        kind = "digits" if digits else "points"
        key = [{"key": run.key, "round": round} for run, round in pictures]
        (out / f"{part}-{kind}.json").write_text(json.dumps(key))
        for first in range(0, len(pictures), per_sheet):
            side = TILE + GAP
            sheet = Image.new("RGB", (COLUMNS * side, ROWS * side), PAPER)
            for place, (run, round) in enumerate(pictures[first : first + per_sheet]):
                at = (place % COLUMNS * side + GAP // 2, place // COLUMNS * side + GAP)
                sheet.paste(tile(run, Kept.load(folder / run.path).pictures[round], references), at)
                ImageDraw.Draw(sheet).text((at[0], at[1] - GAP + 3), str(first + place), fill=INK)
            sheet.save(out / f"{part}-{kind}-{first // per_sheet}.png")


def tile(run: Run, picture: np.ndarray, references: References) -> Image.Image:
    """One picture as a page would show it: points in the frame of the data, a density over the real one, or samples."""
    square = Image.new("RGB", (TILE, TILE), PAPER)
    draw = ImageDraw.Draw(square)
    if run.case.digits:
        n = int(np.ceil(np.sqrt(len(picture))))
        size = TILE // n
        for place, pixels in enumerate(picture):
            small = Image.fromarray(np.squeeze(pixels)).resize((size - 2, size - 2), Image.Resampling.NEAREST)
            square.paste(small, (place % n * size, place // n * size))
        return square
    reference = references.of(run.case.config(run.seed))
    if "real_density" in reference:
        xs, real = np.array(reference["xs"], float), np.array(reference["real_density"], float)
        top = 1.6 * real.max()
        across = (xs - xs[0]) / (xs[-1] - xs[0]) * (TILE - 1)
        for bars, colour in ((real, REAL), (picture[1], FAKE)):
            down = (TILE - 1) * (1 - np.clip(bars / top, 0, 1))
            draw.line(list(zip(across.tolist(), down.tolist(), strict=True)), fill=colour, width=3)
    else:
        low_x, high_x, low_y, high_y = reference["extent"]
        for points, colour in ((np.array(reference["points"], float), REAL), (picture, FAKE)):
            across = (points[:, 0] - low_x) / (high_x - low_x) * TILE
            down = (1 - (points[:, 1] - low_y) / (high_y - low_y)) * TILE
            for x, y in zip(across.tolist(), down.tolist(), strict=True):
                draw.ellipse((x - 1.2, y - 1.2, x + 1.2, y + 1.2), fill=colour)
    draw.rectangle((0, 0, TILE - 1, TILE - 1), outline=REAL)
    return square


if __name__ == "__main__":
    compute_on_one_thread()
    F = ROOT / "build" / "verdict"
    C = {}

    def judge_of(source):
        if not isinstance(source, ImageSource):
            return None
        if source.name not in C:
            C[source.name] = classifier_for(source, F)
        return C[source.name]

    draw_sheets(sys.argv[1], F, Path(sys.argv[2]), References(judge_of))
