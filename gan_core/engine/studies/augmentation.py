"""Augmentation: do samples of a GAN help a classifier that has few labelled samples, beside shifting and rotating them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from gan_core.about import About
from gan_core.config import ConfigError, RunConfig
from gan_core.config.gan.recipes import small_dcgan
from gan_core.config.studies import AugmentationSettings
from gan_core.data import to_uint8
from gan_core.engine.showing.pictures import png, tile
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
from gan_core.engine.studies.findings import (
    Board,
    Cell,
    Chart,
    Findings,
    Row,
    Scalar,
    Sentence,
    Table,
    Tone,
    Values,
)
from gan_core.intake.errors import DataError
from gan_core.metrics.paired import Effect, effect, say, signed, worth
from gan_core.metrics.seeds import Interval
from gan_core.training import GAMES, Samples, Streams, build, play, resolve
from gan_core.training.arms import ARMS, Pictures

ABOUT = About(
    title="Augmentation",
    paper="Ravuri & Vinyals, Classification Accuracy Score for Conditional Generative Models",
    year=2019,
    formula=r"\Delta = \mathrm{acc}(\text{real} + G) - \mathrm{acc}(\text{real})",
    idea="A conditional GAN is trained on n labelled samples of each class, and a classifier on these and on its samples. "
    "Beside it the same classifier sees the real samples alone, or shifted and rotated ones.",
    watch_for="G can only give again what the n samples hold. Shifting and rotating adds what we know: a rotated 3 is a 3.",
    url="https://arxiv.org/abs/1905.10887",
)
NOTES = (
    "Every arm has the same network, first weights, number of steps, real samples and distortions: a gain of an arm with a "
    "larger network, other noise or more steps would be a gain of these.",
    "The settings of this GAN were chosen by what its samples taught on held-out digits of seeds 0 and 1, which are among "
    "those counted: what its samples are worth is flattered a little by that.",
    "What one small GAN does here is no law: another data set, network or training may do otherwise.",
    "Samples of a GAN are no anonymous data: that a study found no copy is no guarantee of privacy.",
)
PAIRS = (
    ("distorted", "real", "Shifting and rotating"),
    ("gan", "real", "Adding samples of the GAN"),
    ("both", "distorted", "Adding samples of the GAN to shifted and rotated ones"),
)
"""The differences that are judged, each of an arm beside another."""
NEEDS_A_GAN = tuple(name for name, arm in ARMS.items() if arm.generated)
TONES: dict[str, Tone] = {"helps": "good", "hurts": "bad", "cannot be told": "unknown"}
SECONDS_A_ROUND = 0.014  # of the small DCGAN, 32 digits of 28×28 on an idle core


def cells(settings: AugmentationSettings) -> tuple[Cell, ...]:
    """Seed after seed, the sizes in order, all arms of each."""
    return tuple(
        Cell(f"{arm}-{size}-{seed}", arm, size, seed, f"{ARMS[arm].title}, {size} of each class")
        for seed in settings.seeds
        for size in sorted(settings.sizes)
        for arm in ARMS
    )


def work(settings: AugmentationSettings, cell: Cell) -> float:
    """The first arm that needs the GAN waits for it."""
    batches = SECONDS_A_STEP * settings.steps * settings.batch_size / 32
    gan = SECONDS_A_ROUND * settings.rounds * settings.gan_batch_size / 32
    return batches + (gan if cell.arm == NEEDS_A_GAN[0] else 0.0)


def compute(settings: AugmentationSettings, cell: Cell, bench: Bench) -> Values:
    """The accuracy of one classifier on all held-out samples; with the first seed also a picture of some that G made."""
    real = real_samples(bench, cell.size, cell.seed)
    generated = None
    if cell.arm in NEEDS_A_GAN:
        generated = bench.shared((cell.size, cell.seed), lambda: generated_samples(settings, bench, real, cell.seed))
    found = arm_values(settings, bench, cell.arm, cell.seed, real, generated)
    if cell.arm == "generated" and generated is not None and cell.seed == settings.seeds[0]:
        found["picture"] = bench.save("samples", "png", _picture(generated, bench.source.num_classes))
    return found


def gan_config(settings: AugmentationSettings, seed: int, changes: Mapping[str, Any] | None = None) -> RunConfig:
    """The GAN that is trained on the few samples, with ``changes`` to be tried. Raises ConfigError where it cannot be built for
    this data.
    """
    rate = {"lr": 2e-3}  # in 500 rounds: slower ones and a projection D gave samples worth less
    return resolve(
        RunConfig.load(
            {
                "data": {"name": settings.data, "options": settings.options, "batch_size": settings.gan_batch_size},
                "objective": {"name": "ns_gan"},
                "model": {**small_dcgan(normalization="batch"), "condition": "ac_gan"},
                "optimizers": {"generator": rate, "discriminator": rate},
                "schedule": {"rounds": settings.rounds},
                "seed": seed,
                "device": "cpu",
            }
        ).replace(changes or {})
    )


def generated_samples(
    settings: AugmentationSettings, bench: Bench, real: Pictures, seed: int, changes: Mapping[str, Any] | None = None
) -> Pictures:
    """Samples of a conditional GAN that saw ``real`` alone: as many of each class as asked for, drawn once."""
    try:
        config = gan_config(settings, seed, changes)
    except ConfigError as error:
        raise DataError(f"The GAN of this study cannot be built for this data: {error}") from error
    nothing = torch.empty(0, dtype=torch.int64)
    few = replace(bench.source, x=real.x, y=real.y, train_index=torch.arange(len(real)), heldout_index=nothing)
    game = build(config, few)
    for turn in play(game):
        if turn.ends_round:
            bench.check()
            bench.progress(turn.round / settings.rounds)
            if turn.round == settings.rounds:
                break
    latent = GAMES[config.game].latent(config)
    assert latent is not None
    assert isinstance(game, Samples)
    y = evenly(bench.source.num_classes, settings.samples)
    noise = latent(len(y), Streams(seed).generator("study", "samples"))
    return Pictures(to_uint8(game.sample(noise, y)), y)


def _picture(generated: Pictures, num_classes: int, each: int = 8) -> bytes:
    """A row of samples for each class."""
    rows = [generated.x[generated.y == label][:each] for label in range(min(num_classes, 10))]
    return png(tile(torch.cat(rows).numpy(), len(rows[0])))


def findings(settings: AugmentationSettings, rows: Sequence[Row]) -> Findings:
    """Accuracy by arm and size, the paired differences with Student's intervals, and what G's samples are worth."""
    sizes = sorted(settings.sizes)
    effects = {
        (arm, beside, size): effect(
            by_seed(rows, arm, size, settings.seeds), by_seed(rows, beside, size, settings.seeds)
        )
        for arm, beside, _ in PAIRS
        for size in sizes
    }
    judged = {key: found for key, found in effects.items() if found.interval.n > 1}
    sentences = [
        Sentence(f"With {size} of each class: {say(found, what)}", _tone(found))
        for arm, beside, what in PAIRS
        for size in sizes
        if (found := effects[arm, beside, size]).interval.n > 1
    ]
    if not judged and any(found.interval.n for found in effects.values()):
        sentences = [Sentence("One seed has no interval: what differs cannot be told from it.", "unknown")]
    curves = {arm: over_sizes(rows, arm, settings) for arm in ARMS}
    prices = [_price(size, sizes, curves) for size in sizes]
    return Findings(
        headline=_headline(effects, sizes),
        sentences=(*sentences, *(price for price in prices if price is not None)),
        charts=(_accuracies(sizes, curves, counted_on(rows)), _differences(sizes, effects)),
        tables=(_table(sizes, curves, effects),),
        boards=_boards(rows),
        comparisons=len(judged),
    )


def _tone(found: Effect) -> Tone:
    return TONES[found.call]


def _headline(effects: dict[tuple[str, str, int], Effect], sizes: Sequence[int]) -> Sentence | None:
    """What samples of the GAN did, at how many sizes."""
    calls = [effects["gan", "real", size] for size in sizes]
    measured = [(size, found) for size, found in zip(sizes, calls, strict=True) if found.interval.n > 1]
    if not measured:
        return None
    told = []
    for call in ("helps", "hurts", "cannot be told"):
        at = [str(size) for size, found in measured if found.call == call]
        if at:
            told.append(f"{call} at {' and '.join(filter(None, (', '.join(at[:-1]), at[-1])))}")
    tone: Tone = TONES[measured[0][1].call] if len(told) == 1 else "plain"
    return Sentence(f"Adding samples of the GAN, by the number of real samples of each class: {'; '.join(told)}.", tone)


def _price(size: int, sizes: Sequence[int], curves: dict[str, list[Interval]]) -> Sentence | None:
    """What samples of a G that was given ``size`` of each class are worth, read back on the curve of real ones."""
    reached = curves["generated"][sizes.index(size)]
    real = np.array([interval.mean for interval in curves["real"]])
    if not np.isfinite(reached.mean) or not np.isfinite(real).any():
        return None
    told = worth(np.array(sizes), real, reached.mean)
    return Sentence(
        f"G was given {size} of each class; its samples are worth {told}: a classifier that sees them alone tells "
        f"{reached.mean:.1%} right."
    )


def _accuracies(sizes: Sequence[int], curves: dict[str, list[Interval]], floor: str) -> Chart:
    return Chart(
        "Accuracy on held-out samples",
        "real samples of each class",
        "% right",
        tuple(curve(ARMS[arm].title, sizes, found, dashed=arm == "generated") for arm, found in curves.items()),
        log_x=True,
        note="Mean over the seeds with Student's interval, 95 %. It is wide where seeds draw easy and hard samples; the "
        f"differences beside it are of the same samples.{floor}",
    )


def _differences(sizes: Sequence[int], effects: dict[tuple[str, str, int], Effect]) -> Chart:
    curves = tuple(
        curve(
            f"{ARMS[arm].title} − {ARMS[beside].title}", sizes, [effects[arm, beside, size].interval for size in sizes]
        )
        for arm, beside, _ in PAIRS
    )
    return Chart(
        "What an arm changes, seed by seed",
        "real samples of each class",
        "points",
        curves,
        log_x=True,
        levels=(("no difference", 0.0),),
        note="Paired differences with Student's interval, 95 %: both arms have the same samples, weights and steps.",
    )


def _table(
    sizes: Sequence[int], curves: dict[str, list[Interval]], effects: dict[tuple[str, str, int], Effect]
) -> Table:
    columns = ["n of each class", "seeds", *(arm.title for arm in ARMS.values())]
    columns += [f"{ARMS[arm].title} − {ARMS[beside].title}" for arm, beside, _ in PAIRS]
    rows: list[tuple[Scalar, ...]] = []
    for place, size in enumerate(sizes):
        of_size = [curves[arm][place] for arm in ARMS]
        if not any(interval.n for interval in of_size):
            continue
        means = [100 * interval.mean if interval.n else None for interval in of_size]
        judged = [_said(effects[arm, beside, size].interval) for arm, beside, _ in PAIRS]
        rows.append((size, max(interval.n for interval in of_size), *means, *judged))
    return Table(
        "Accuracy in %, differences in points",
        tuple(columns),
        tuple(rows),
        forms={a.title: ".1f" for a in ARMS.values()},
    )


def _said(interval: Interval) -> str | None:
    if not interval.n:
        return None
    mean = signed(100 * interval.mean)
    return f"{mean} ± {100 * interval.half:.1f}" if interval.n > 1 else mean


def _boards(rows: Sequence[Row]) -> tuple[Board, ...]:
    files = tuple(
        (str(row.values["picture"]), f"given {row.cell.size} of each class") for row in rows if "picture" in row.values
    )
    return (Board("Samples of G, with the first seed", files, "A row for each class."),) if files else ()
