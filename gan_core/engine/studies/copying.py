"""The study of copies: the exact test on samples of a run, seed after seed, and on the same samples with copies among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from gan_core.about import About
from gan_core.config import RunConfig
from gan_core.config.studies import CopyingSettings
from gan_core.engine.exchange.copies import as_png, can_copy, compared
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Board, Cell, Findings, Row, Scalar, Sentence, Table, Tone, Values

ABOUT = About(
    title="Copies of training pictures",
    paper="Meehan, Chaudhuri & Dasgupta, A Non-Parametric Test to Detect Data-Copying in Generative Models",
    year=2020,
    formula=r"\mathrm{near} = \tfrac1m \textstyle\sum_{j \in T} c_j,\quad z = \frac{m\,\mathrm{near} - m n / (n + n')}"
    r"{\sqrt{n n' S^2 / (n + n')}}",
    idea="If G does not know which real pictures it was trained on, the words training and held out can be dealt to them anew. "
    "The test is exact, so a collapse raises no alarm, which it does in tests that take samples as independent.",
    watch_for="The controls: samples among which a known share are copies. What is not found there would not be found in G.",
    url="https://arxiv.org/abs/2004.05675",
)
NOTES = (
    "Distances are of pixels: a copy that is mirrored, or moved by more than a pixel or two, is not seen.",
    "A test without a finding is no guarantee of privacy.",
)
OF_G = "samples of G"
TONES: dict[str, Tone] = {"copies": "bad", "no sign of copying": "plain", "cannot be told": "unknown"}
NUMBERS = ("near", "chance", "z", "p", "neighbours")
SECONDS = 2.0
"""For a thousand samples beside some thousand small pictures."""


def refuses(config: RunConfig) -> str:
    """Why a run of these settings cannot be asked, "" where it can."""
    return "" if can_copy(config) else "Only runs that draw pictures from noise can copy some."


def cells(settings: CopyingSettings) -> tuple[Cell, ...]:
    """Seed after seed: samples of G, then the same with copies among them; the size is the share of copies in per mille."""
    return tuple(
        Cell(f"{size}-{seed}", "control" if size else OF_G, size, seed, f"{size / 1000:.0%} copies" if size else OF_G)
        for seed in settings.seeds
        for size in (0, *(round(1000 * share) for share in sorted(settings.copies)))
    )


def work(settings: CopyingSettings, cell: Cell) -> float:
    return SECONDS * settings.samples / 1000


def compute(settings: CopyingSettings, cell: Cell, bench: Bench) -> Values:
    """The verdict with its numbers, and the pairs that come closest as a picture."""

    def say(share: float, sentence: str) -> None:
        bench.progress(share)
        bench.check()

    found = compared(bench.generator, say, settings.samples, cell.seed, cell.size / 1000)
    told = {name: value for name, value in asdict(found.found).items() if name in (*NUMBERS, "seen_from")}
    picture = bench.save("pairs", "png", as_png(found)) if not cell.size else ""
    return {**told, "verdict": found.found.verdict, "sentence": found.found.sentence, "pairs": picture}


def findings(settings: CopyingSettings, rows: Sequence[Row]) -> Findings:
    """What most seeds say of G, a row for each test, and the closest pairs of each seed."""
    own = [row for row in rows if not row.cell.size]
    tested: tuple[tuple[Scalar, ...], ...] = tuple(
        (
            row.cell.title,
            row.cell.seed,
            str(row.values["verdict"]),
            *(_number(row, name) for name in NUMBERS),
        )
        for row in rows
    )
    table = Table(
        "Each test",
        ("samples", "seed", "verdict", "near", "chance", "z", "p", "distinct neighbours"),
        tested,
        note="near: the share of samples that are nearest to a training picture; z: standard deviations above chance.",
        forms={"near": ".3f", "chance": ".3f", "z": "+.1f", "p": ".2g", "distinct neighbours": ".0f"},
    )
    files = tuple((str(row.values["pairs"]), f"seed {row.cell.seed}") for row in own if row.values.get("pairs"))
    note = "Two columns of threes, the closest first: a sample, its nearest training, its nearest held-out picture."
    board = Board("The closest pairs", files, note)
    return Findings(
        headline=_headline(own),
        sentences=tuple(_control(settings, size, rows) for size in sorted({row.cell.size for row in rows} - {0})),
        tables=(table,) if tested else (),
        boards=(board,) if files else (),
        comparisons=len(own),
    )


def _headline(own: Sequence[Row]) -> Sentence | None:
    """The sentence of the seed in the middle, where all seeds agree; else that they do not."""
    if not own:
        return None
    verdicts = sorted({str(row.values["verdict"]) for row in own})
    if len(verdicts) > 1:
        counts = ", ".join(
            f"{sum(row.values['verdict'] == one for row in own)} of {len(own)} {one}" for one in verdicts
        )
        return Sentence(f"Cannot be told: seeds of noise disagree ({counts}).", "unknown")
    middle = sorted(own, key=lambda row: _number(row, "z"))[len(own) // 2]
    seeds = f"{len(own)} seeds of noise say the same" if len(own) > 1 else "one seed of noise"
    return Sentence(f"{middle.values['sentence']} ({seeds}.)", TONES[verdicts[0]])


def _control(settings: CopyingSettings, size: int, rows: Sequence[Row]) -> Sentence:
    some = [row for row in rows if row.cell.size == size]
    found = sum(row.values["verdict"] == "copies" for row in some)
    mean = float(np.mean([_number(row, "z") for row in some]))
    return Sentence(
        f"With {size / 1000:.0%} copies among them, {found} of {len(some)} tests find copies (z {mean:+.1f})."
    )


def _number(row: Row, name: str) -> float:
    value = row.values[name]
    assert isinstance(value, int | float)
    return float(value)
