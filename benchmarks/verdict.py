"""Whether the words on the page are what a person sees: verdicts beside labels that were given by eye, from pictures alone.

    nice -n 19 python benchmarks/verdict.py                    # train what is missing; writes docs/results/verdict.md
    nice -n 19 python benchmarks/verdict.py --part settled     # the runs on which rules may be settled
    python benchmarks/verdict.py --sheets /tmp/sheets          # what has no label yet, in random order, without a word
    python benchmarks/verdict.py --again                       # judge what is here by the rules as they are now
    python benchmarks/verdict.py --render                      # only the table, of what was said

One process and one thread. What was measured of a run is kept in ``build/verdict`` as it ends, so the command can be stopped
and goes on from there; what is said of it stands beside the table, in ``docs/results/verdict.jsonl``. The labels are in
``benchmarks/verdict_labels.jsonl``: what a picture is of, and what was seen.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
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
from gan_core.engine.environment import compute_on_one_thread
from gan_core.metrics.states import STATES
from gan_core.training.classifier import FrozenClassifier, classifier_for

LABELS = ROOT / "benchmarks" / "verdict_labels.jsonl"
WORDS = ("real", "spread", "part", "cloud", "noise", "one_point", "one_picture", "beside", "varied", "unknown")
TILE, COLUMNS, ROWS, GAP = 190, 7, 5, 18
REAL, FAKE, INK, PAPER = (190, 200, 215), (214, 93, 14), (40, 40, 40), (255, 255, 255)


# Sheets: pictures and nothing else


def labelled() -> list[dict[str, Any]]:
    """What was seen, of which picture."""
    return [json.loads(line) for line in LABELS.read_text().splitlines()]


def shuffled(part: str, digits: bool, folder: Path) -> list[tuple[Run, int]]:
    """The pictures of a part without a label, points and digits apart, in an order that says nothing of what they are of."""
    known = {(one["run"], one["round"]) for one in labelled()}
    found = [
        (run, round)
        for run in runs(part)
        if run.case.digits == digits and (folder / run.path).exists()
        for round in sorted(Kept.load(folder / run.path).pictures)
        if (run.key, round) not in known
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


# What is said of them, beside what was seen


class Judged(NamedTuple):
    """A labelled picture. ``labels`` are the words that were given, the better one first; ``said`` is the verdict's word."""

    run: str
    round: int
    labels: tuple[str, ...]
    said: str
    state: str

    @property
    def first(self) -> bool:
        return self.said == self.labels[0]

    @property
    def either(self) -> bool:
        return self.said in self.labels

    @property
    def falsely_well(self) -> bool:
        return self.state in ("healthy", "recovered") and "real" not in self.labels


def judge_all(part: str, folder: Path, references: References) -> list[dict[str, Any]]:
    """The verdict on every picture of the runs that were trained: its word and its state."""
    rows = []
    for run in runs(part):
        if (folder / run.path).exists():
            kept = Kept.load(folder / run.path)
            said = verdicts(run, kept, references.of(run.case.forked_config(run.seed)))
            rows += [
                {"run": run.key, "round": round, "said": said[round].picture, "state": said[round].state}
                for round in sorted(kept.pictures)
            ]
    return rows


def beside_labels(rows: Sequence[dict[str, Any]]) -> list[Judged]:
    """The verdicts on the pictures that were labelled."""
    known = {(row["run"], row["round"]): row for row in rows}
    found = [(one, known[key]) for one in labelled() if (key := (one["run"], one["round"])) in known]
    return [Judged(one["run"], one["round"], tuple(one["labels"]), row["said"], row["state"]) for one, row in found]


RULES = """
Every run was trained by the loop of the laboratory and measured every 25 rounds. Of three rounds of its budget (5 %, 30 %
and the last; of a fork that brings a cure, of what follows it) a picture was kept: 500 generated points over 500 real ones
in the frame that the page shows, a density over the real one, or 25 samples. The pictures of all runs were put on sheets in
random order, numbered, without a word, a curve or a number (`--sheets`), and each was labelled by looking at it, before the
verdict on it was read, by the eyes that settled the rules of the verdict. The labels are:

* **real**: every part of the data is reached, and hardly one in ten samples lies off it or between its parts; of images
  nearly all can be read, and they are of many classes; a density follows the real one throughout.
* **spread**: the shape of the data can be told from the samples, a ring from its points, a digit from its strokes, and
  many lie off it or between its parts.
* **part**: the samples lie on the data, and a part of it is left out.
* **cloud**: the shape of the data cannot be told from the samples, wherever they lie. **noise** is the same of images.
* **one point**: all samples lie at one place hardly larger than a mode. **one picture**: they are nearly alike, whatever
  they show.
* **beside**: next to none lies where the data is, or none can be seen at all.

Where a picture lies between two words both were written, the better one first.
"""


def report(judged: Sequence[Judged], command: str) -> str:
    """The page: rules, agreement, confusion, and what was called well and was not."""
    n, runs_seen = len(judged), {one.run for one in judged}
    kinds = Counter("images" if "digits" in one.run else "a line" if "line," in one.run else "points" for one in judged)
    first, either = sum(one.first for one in judged), sum(one.either for one in judged)
    alone = [one for one in judged if len(one.labels) == 1]
    wrong = [one for one in judged if one.falsely_well]
    said = Counter((one.labels[0], one.said) for one in judged)
    words = [word for word in WORDS if any(word in pair for pair in said)]
    lines = [
        "# Verdicts, beside what a person sees",
        "",
        f"Made by `{command}`. {n} pictures of {len(runs_seen)} runs, "
        + ", ".join(f"{count} of {kind}" for kind, count in kinds.most_common())
        + ". Rules were settled on seeds below 10; these are seeds 301 and 302.",
        RULES,
        "## Agreement",
        "",
        "| | pictures | share |",
        "|---|---|---|",
        f"| the word is the label, or one of two where the picture lies between them | {either} of {n} | {either / n:.1%} |",
        f"| the word is the first label | {first} of {n} | {first / n:.1%} |",
        f"| the same, of pictures with one label alone | {sum(one.first for one in alone)} of {len(alone)} "
        f"| {sum(one.first for one in alone) / max(1, len(alone)):.1%} |",
        f"| called *Healthy* or *Recovered*, and not labelled real | {len(wrong)} of {n} | {len(wrong) / n:.1%} |",
        "",
        f"{sum('real' in one.labels for one in judged)} of these pictures are labelled real, most of the runs being short: the "
        "counts say how seldom a run is called healthy that is not, and next to nothing of how often a good one is.",
        "",
        "Rows are first labels, columns what the verdict said.",
        "",
        "| label | " + " | ".join(words) + " |",
        "|---|" + "---|" * len(words),
        *(
            f"| {label} | " + " | ".join(str(said[label, word] or "") for word in words) + " |"
            for label in words
            if any(said[label, word] for word in words)
        ),
        "",
        "## Where they differ",
        "",
        "| run / seed | round | label | said |",
        "|---|---|---|---|",
        *(
            f"| {one.run} | {one.round:,} | {' or '.join(one.labels)} | {one.said} |"
            for one in judged
            if not one.either
        ),
        "",
        "## States",
        "",
        "The state that the page showed at these rounds; an alarm has a word for the picture too.",
        "",
        "| state | pictures | of these labelled |",
        "|---|---|---|",
        *(
            f"| {STATES[state]} | {count} | "
            + ", ".join(
                f"{label} {times}"
                for label, times in Counter(one.labels[0] for one in judged if one.state == state).most_common()
            )
            + " |"
            for state, count in Counter(one.state for one in judged).most_common()
        ),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=(SETTLED, REPORTED), default=REPORTED, help="%(default)s")
    parser.add_argument(
        "--sheets",
        type=Path,
        help="draw the pictures without a label of what has been trained into this folder, and end",
    )
    parser.add_argument(
        "--again", action="store_true", help="train nothing, judge what is here by the rules as they are now"
    )
    parser.add_argument(
        "--render", action="store_true", help="train and judge nothing, write the table of what was said"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "verdict")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "verdict.md")
    options = parser.parse_args()
    compute_on_one_thread()
    known: dict[str, FrozenClassifier] = {}

    def judge_of(source: Source) -> FrozenClassifier | None:
        if not isinstance(source, ImageSource):
            return None
        if source.name not in known:
            known[source.name] = classifier_for(source, options.folder)
        return known[source.name]

    references, beside = References(judge_of), options.out.with_suffix(".jsonl")
    if options.sheets:
        draw_sheets(options.part, options.folder, options.sheets, references)
        return
    if not (options.render or options.again):
        for run in runs(options.part):
            if not (options.folder / run.path).exists():
                train(run, options.folder / run.path, judge_of)
                print(run.key, flush=True)
    if not options.render:
        rows = judge_all(options.part, options.folder, references)
        beside.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    rows = [json.loads(line) for line in beside.read_text().splitlines()]
    options.out.write_text(report(beside_labels(rows), command_line("--render", "--again")))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
