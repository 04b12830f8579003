"""What there is to know of a data set before anything is trained on it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from gan_core.config import ConfigError, unknown_name
from gan_core.data import DATASETS, ImageSource, MixtureSource, Source, StackedSource
from gan_core.engine.observers.measuring import FEWEST_HELD_OUT, TOO_FEW
from gan_core.engine.showing.pictures import png, tile
from gan_core.engine.upkeep.classifiers import Classifiers
from gan_core.training.classifier import ClassifierReport
from gan_core.training.streams import Streams

SAMPLES_PER_CLASS = 12
CLASSES_SHOWN = 20
POINTS = 2_000
PLANE_CELLS = 90
_AT_ONCE = 2_000
_KEPT = 8


@dataclass(frozen=True)
class DatasetFacts:
    """Counts, a picture of real samples, and for labelled images the frozen classifier's report or its progress.

    ``samples`` is a PNG with one row per class (of the first classes, where there are many), or None for points;
    ``points`` (n, d) are real samples in data units. On a line ``density`` is the real one at ``xs``, on a plane at
    ``xs`` and ``ys``, a row per y; ``centers`` (K, d) are its modes, where they are counted; ``axes`` are names that
    came with the data. ``counts`` are per class, of
    all images and of the training half.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    class_names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    counts_train: tuple[int, ...] = ()
    n_train: int = 0
    n_heldout: int = 0
    pixel_mean: float = 0.0
    pixel_std: float = 0.0
    pixel_histogram: tuple[int, ...] = ()
    samples: bytes | None = None
    points: np.ndarray | None = None
    xs: np.ndarray | None = None
    ys: np.ndarray | None = None
    density: np.ndarray | None = None
    centers: np.ndarray | None = None
    axes: tuple[str, ...] = ()
    num_modes: int = 0
    judged: bool = False
    classifier: ClassifierReport | None = None
    classifier_progress: tuple[float, str] | None = None
    notes: tuple[str, ...] = field(default=())


_facts: OrderedDict[str, DatasetFacts] = OrderedDict()


def dataset_facts(name: str, classifiers: Classifiers, **options: Any) -> DatasetFacts:
    """The facts of a data set; starts training its frozen classifier where there is none yet.

    Raises ConfigError for a name that is not registered, DataMissing for one whose files are not on this machine.
    """
    if name not in DATASETS:
        raise ConfigError([unknown_name("data.name", name, DATASETS)])
    source = DATASETS[name].load(**options)
    key = f"{name} {source.fingerprint if isinstance(source, ImageSource) else sorted(options.items())}"
    facts = _facts.get(key)
    if facts is None:
        facts = _facts[key] = _facts_of(name, source)
        while len(_facts) > _KEPT:
            _facts.popitem(last=False)
    if source.judged is None:
        return facts
    classifier = classifiers.get(source.judged)
    return replace(
        facts,
        judged=True,
        classifier=classifier.report if classifier else None,
        classifier_progress=None if classifier else classifiers.progress(source.judged.name),
    )


def _facts_of(name: str, source: Source) -> DatasetFacts:
    match source:
        case MixtureSource():
            return _mixture_facts(name, source)
        case StackedSource():
            return _stacked_facts(name, source)
        case _:
            return _image_facts(name, source)


def _mixture_facts(name: str, source: MixtureSource) -> DatasetFacts:
    points = source.to_data(source.sample(POINTS, Streams(0).generator("facts")).numpy())
    extent = source.extent(margin=0.1)
    modes, centers = source.num_modes, source.centers if source.has_modes else None
    if source.shape == (1,):
        xs = np.linspace(*extent[0], 400)
        density = source.density(xs[:, None])
        return DatasetFacts(
            name, "line", source.shape, points=points, xs=xs, density=density, centers=centers, num_modes=modes
        )
    xs, ys = (np.linspace(*side, PLANE_CELLS) for side in extent)
    cells = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    density = source.density(cells).reshape(len(ys), len(xs))
    return DatasetFacts(
        name,
        "plane",
        source.shape,
        points=points,
        xs=xs,
        ys=ys,
        density=density,
        centers=centers,
        num_modes=modes,
        axes=source.axes,
    )


def _image_facts(name: str, source: ImageSource) -> DatasetFacts:
    pixels = source.x.numpy()
    labels = source.y.numpy() if source.y is not None else np.zeros(len(pixels), np.int64)
    n_classes = max(1, source.num_classes)
    shown = min(n_classes, CLASSES_SHOWN)
    seen = pixels if source.inputs is None else np.concatenate([source.inputs.numpy(), pixels], axis=3)
    across = SAMPLES_PER_CLASS if source.inputs is None else SAMPLES_PER_CLASS // 2
    if source.y is None:
        rows = seen[:: max(1, len(seen) // (6 * across))][: 6 * across]
    else:
        rows = np.zeros((shown, across, *seen.shape[1:]), np.uint8)
        for row, label in zip(rows, range(shown), strict=True):
            members = seen[np.flatnonzero(labels == label)[:across]]
            row[: len(members)] = members
    histogram = _pixel_histogram(pixels)
    mean, std = _moments(histogram)
    train = labels[source.train_index.numpy()]
    notes = [] if source.inputs is None else ["Each picture is a pair, the input to the left of its target."]
    if source.y is not None and source.judged is None:
        notes.append("Images of less than 8 pixels a side are too small for the classifier.")
    if source.judged is not None and len(source.heldout_index) < FEWEST_HELD_OUT:
        notes.append(
            f"{TOO_FEW.capitalize()} ({len(source.heldout_index)}) for what real pictures read; it trains all the same."
        )
    if source.y is not None and (unseen := n_classes - len(np.unique(train))):
        notes.append(f"{unseen} of {n_classes} classes have no picture to train on: theirs is held out.")
    if shown < n_classes:
        notes.append(f"The picture shows the first {shown} of {n_classes} classes.")
    return DatasetFacts(
        name,
        "images",
        source.shape,
        source.class_names,
        tuple(np.bincount(labels, minlength=n_classes).tolist()),
        tuple(np.bincount(train, minlength=n_classes).tolist()),
        len(source.train_index),
        len(source.heldout_index),
        mean,
        std,
        tuple(histogram.tolist()),
        samples=png(tile(rows.reshape(-1, *seen.shape[1:]), columns=across)),
        notes=tuple(notes),
    )


def _stacked_facts(name: str, source: StackedSource) -> DatasetFacts:
    base = _image_facts(name, source.base)
    x, _ = source.sample(6 * SAMPLES_PER_CLASS, Streams(0).generator("facts"))
    never = source.never_shown
    return replace(
        base,
        shape=source.shape,
        samples=png(tile(x.numpy(), columns=SAMPLES_PER_CLASS)),
        num_modes=source.num_classes,
        notes=(
            f"Put together from {base.n_train:,} training images as they are drawn: {base.n_train:,}"
            f"{'⁰¹²³'[source.COUNT]} different samples. The counts, pixels and the classifier are those of the single digits.",
            *((f"Never shown in training: {', '.join(source.class_names[y] for y in never)}.",) if never else ()),
        ),
    )


def _pixel_histogram(pixels: np.ndarray) -> np.ndarray:
    """How often each of the 256 values occurs; in parts, because counting takes eight bytes for each byte."""
    counts = torch.zeros(256, dtype=torch.int64)
    for part in torch.from_numpy(pixels).flatten(1).split(_AT_ONCE):
        counts += torch.bincount(part.flatten(), minlength=256)
    return counts.numpy()


def _moments(histogram: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation in [−1, 1]."""
    values, total = np.arange(256) / 127.5 - 1, histogram.sum()
    mean = float((histogram * values).sum() / total)
    return mean, float(np.sqrt((histogram * (values - mean) ** 2).sum() / total))
