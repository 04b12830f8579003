"""The price of a run's samples: how many real ones of each class a classifier would need to learn as much (TSTR)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gan_core.about import About
from gan_core.config import RunConfig
from gan_core.config.studies import PriceSettings
from gan_core.data import DATASETS, ImageSource
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.classified import (
    SECONDS_A_STEP,
    arm_values,
    by_seed,
    counted_on,
    curve,
    evenly,
    over_sizes,
    real_samples,
)
from gan_core.engine.studies.findings import Cell, Chart, Findings, Row, Scalar, Sentence, Table, Values
from gan_core.intake.errors import DataError
from gan_core.metrics.paired import worth
from gan_core.metrics.seeds import Interval, student_interval
from gan_core.training import GAMES
from gan_core.training.arms import Pictures

ABOUT = About(
    title="Train on synthetic, test on real",
    paper="Esteban, Hyland & Rätsch, Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs",
    year=2017,
    formula=r"n^* : \mathrm{acc}(n^*\ \text{real}) = \mathrm{acc}(G)",
    idea="A classifier that has seen only samples of G is tested on real held-out ones. The number of real samples with "
    "which it would do as well is the price of these samples.",
    watch_for="How few real samples are enough. G has seen all training samples of its run.",
    url="https://arxiv.org/abs/1706.02633",
)
NOTES = (
    "The classifiers have the same network, first weights and number of steps, whatever they see.",
    "It tells how much of the classes the samples hold, not how they look: blurred samples may be worth more than sharp ones.",
)
OF_THE_RUN = "generated"


def refuses(config: RunConfig) -> str:
    """Why the samples of a run of these settings have no price; "" where they have."""
    if "sample" not in GAMES[config.game].abilities or not GAMES[config.game].conditional(config):
        return "Only the samples of a run that is told the class have a price: set model.condition."
    if config.data.name not in DATASETS or DATASETS[config.data.name].kind != "images":
        return "Only pictures with classes have a price."
    return ""


def cells(settings: PriceSettings) -> tuple[Cell, ...]:
    """Seed after seed: the samples of G, then the curve of real ones."""
    return tuple(
        Cell(f"{arm}-{size}-{seed}", arm, size, seed, f"{arm}, {size} of each class" if size else arm)
        for seed in settings.seeds
        for arm, size in ((OF_THE_RUN, 0), *(("real", size) for size in sorted(settings.sizes)))
    )


def work(settings: PriceSettings, cell: Cell) -> float:
    """Each cell is one classifier."""
    return SECONDS_A_STEP * settings.steps * settings.batch_size / 32


def compute(settings: PriceSettings, cell: Cell, bench: Bench) -> Values:
    """The accuracy of one classifier on all held-out samples."""
    if cell.arm == "real":
        real = real_samples(bench, cell.size, cell.seed)
        return arm_values(settings, bench, "real", cell.seed, real, None)
    generated = samples_of(settings, bench, cell.seed)
    return arm_values(settings, bench, "generated", cell.seed, generated, generated)


def samples_of(settings: PriceSettings, bench: Bench, seed: int) -> Pictures:
    """So many samples of each class of the run that is asked. Raises DataError where it is of other data."""
    generator, source = bench.generator, bench.source
    drawn = generator.source
    if not isinstance(drawn, ImageSource) or drawn.fingerprint != source.fingerprint:
        raise DataError(f"The run is not of the data {settings.data!r}.")
    y = evenly(source.num_classes, settings.samples)
    return Pictures(torch.from_numpy(generator(generator.noise(len(y), seed), y.tolist())), y)


def findings(settings: PriceSettings, rows: Sequence[Row]) -> Findings:
    """The price with what the interval of the accuracy makes of it, and the curve on which it is read."""
    sizes = sorted(settings.sizes)
    real = over_sizes(rows, "real", settings)
    reached = student_interval(by_seed(rows, OF_THE_RUN, 0, settings.seeds))
    means = np.array([interval.mean for interval in real])
    read = [worth(np.array(sizes), means, value) for value in (reached.mean, reached.low, reached.high)]
    headline = None
    if reached.n and np.isfinite(means).any():
        bounds = (
            f" (from {read[1]} to {read[2]} at 95 %, {reached.n} seeds)"
            if reached.n > 1
            else " (one seed, no interval)"
        )
        headline = Sentence(
            f"Samples of this G alone teach a classifier as much as {read[0]} real samples of each class{bounds}: "
            f"{reached.mean:.1%} of the held-out ones are told right."
        )
    levels = (("samples of this G alone", 100 * reached.mean),) if reached.n else ()
    chart = Chart(
        "Accuracy on held-out samples",
        "real samples of each class",
        "% right",
        (curve("real", sizes, real),),
        log_x=True,
        levels=levels,
        note=f"Mean over the seeds with Student's interval, 95 %.{counted_on(rows)}",
    )
    named: list[tuple[Scalar, Interval]] = [*zip(sizes, real, strict=True), ("samples of G alone", reached)]
    table = Table(
        "Accuracy in %",
        ("real samples of each class", "seeds", "mean", "low", "high"),
        tuple((name, interval.n, *_percents(interval)) for name, interval in named if interval.n),
        forms=dict.fromkeys(("mean", "low", "high"), ".1f"),
    )
    return Findings(headline=headline, charts=(chart,), tables=(table,))


def _percents(interval: Interval) -> tuple[float | None, ...]:
    values = (interval.mean, interval.low, interval.high)
    return tuple(100 * value if np.isfinite(value) else None for value in values)
