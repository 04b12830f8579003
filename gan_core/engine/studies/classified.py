"""What the protocols share that train classifiers from few labelled samples: the samples, an arm, curves over n."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gan_core.config.studies.augmentation import AugmentationSettings, PriceSettings
from gan_core.data import ImageSource
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Curve, Row
from gan_core.intake.errors import DataError
from gan_core.metrics.paired import binomial_half
from gan_core.metrics.seeds import Interval, student_interval
from gan_core.training.arms import ARMS, Pictures, accuracy, batches, few_of_each, first_network, fit
from gan_core.training.streams import Streams

Settings = AugmentationSettings | PriceSettings
SECONDS_A_STEP = 0.005  # of a classifier, 32 digits of 28×28 on an idle core


def real_samples(bench: Bench, size: int, seed: int) -> Pictures:
    """The ``size`` labelled training samples of each class that a seed draws. Raises DataError where there are fewer."""
    source = bench.source
    if source.judged is None or source.y is None:
        raise DataError(f"This study needs labels of at least two classes; {bench.settings.data!r} has none.")
    try:
        chosen = few_of_each(source.y, source.train_index, size, source.num_classes, Streams(seed))
    except ValueError as error:
        raise DataError(f"{error}; choose smaller sizes.") from error
    return Pictures(source.x[chosen], source.y[chosen])


def held_out(source: ImageSource) -> Pictures:
    """What every arm is tested on, and nothing else ever sees."""
    assert source.y is not None
    return Pictures(source.x[source.heldout_index], source.y[source.heldout_index])


def arm_values(
    settings: Settings, bench: Bench, arm: str, seed: int, real: Pictures, generated: Pictures | None
) -> dict[str, float | str]:
    """The share of held-out samples that the classifier of an arm tells right, and how many there are."""
    told = arm_accuracy(settings, bench, arm, seed, real, generated)
    return {"accuracy": told, "held_out": float(len(bench.source.heldout_index))}


def counted_on(rows: Sequence[Row]) -> str:
    """How far an accuracy may be off by the held-out samples alone, as a sentence; "" where nobody counted them."""
    counts = [float(row.values["held_out"]) for row in rows if "held_out" in row.values]  # type: ignore[arg-type]
    if not counts:
        return ""
    n = int(max(counts))
    half = 100 * binomial_half(0.9, n)
    return f" By the {n:,} held-out samples alone one accuracy of 90 % may be off by ± {half:.1f} points."


def arm_accuracy(
    settings: Settings, bench: Bench, arm: str, seed: int, real: Pictures, generated: Pictures | None
) -> float:
    """The share of held-out samples that the classifier of an arm tells right."""
    source, streams = bench.source, Streams(seed)
    seen = batches(ARMS[arm], real, generated, settings.batch_size, settings.steps, streams)
    network = first_network(source.shape, source.num_classes, streams)
    return accuracy(fit(network, seen, settings.steps, bench.check), held_out(source))


def evenly(num_classes: int, each: int) -> torch.Tensor:
    """Classes (each · K,) in their order, as real samples lie."""
    return torch.arange(num_classes).repeat_interleave(each)


def by_seed(rows: Sequence[Row], arm: str, size: int, seeds: Sequence[int], name: str = "accuracy") -> np.ndarray:
    """A value of an arm at a size, (seeds,), NaN where it has not been computed."""
    found = {row.cell.seed: row.values[name] for row in rows if (row.cell.arm, row.cell.size) == (arm, size)}
    return np.array([float(found.get(seed, np.nan)) for seed in seeds])  # type: ignore[arg-type]


def over_sizes(rows: Sequence[Row], arm: str, settings: Settings) -> list[Interval]:
    """The mean of an arm with Student's interval, at each size in order."""
    return [student_interval(by_seed(rows, arm, size, settings.seeds)) for size in sorted(settings.sizes)]


def curve(name: str, sizes: Sequence[int], intervals: Sequence[Interval], *, dashed: bool = False) -> Curve:
    """In percent, or points."""
    shown = [(size, interval) for size, interval in zip(sizes, intervals, strict=True) if interval.n]
    mean, low, high = (
        tuple(100 * getattr(interval, part) for _, interval in shown) for part in ("mean", "low", "high")
    )
    return Curve(name, tuple(float(size) for size, _ in shown), mean, low, high, dashed)
