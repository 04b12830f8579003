"""What there is to know of a data set before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gan_core.config import ConfigError, Problem, nearest
from gan_core.data import DATASETS, ImageSource, MixtureSource
from gan_core.engine.classifiers import Classifiers
from gan_core.engine.pictures import png, tile
from gan_core.training.classifier import ClassifierReport
from gan_core.training.streams import Streams

SAMPLES_PER_CLASS = 12
POINTS = 2_000


@dataclass(frozen=True)
class DatasetFacts:
    """Counts, a picture of real samples, and for labelled images the frozen classifier's report or its progress.

    ``samples`` is a PNG with one row per class, or None for points; ``points`` (n, d) are real samples in data units.
    On a line, ``density`` is the real one at ``xs``.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    class_names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    n_train: int = 0
    n_heldout: int = 0
    pixel_mean: float = 0.0
    pixel_std: float = 0.0
    samples: bytes | None = None
    points: np.ndarray | None = None
    xs: np.ndarray | None = None
    density: np.ndarray | None = None
    classifier: ClassifierReport | None = None
    classifier_progress: tuple[float, str] | None = None


def dataset_facts(name: str, classifiers: Classifiers, **options: Any) -> DatasetFacts:
    """The facts of a registered data set; starts training its frozen classifier where there is none yet.

    Raises ConfigError for a name that is not registered.
    """
    if name not in DATASETS:
        raise ConfigError([Problem("data.name", f"unknown name {name[:80]!r}{nearest(name[:80], DATASETS)}")])
    source = DATASETS[name].load(**options)
    if isinstance(source, MixtureSource):
        return _mixture_facts(name, source)
    return _image_facts(name, source, classifiers)


def _mixture_facts(name: str, source: MixtureSource) -> DatasetFacts:
    points = source.sample(POINTS, Streams(0).generator("facts")).numpy() * source.scale
    xs = density = None
    if source.shape == (1,):
        xs = np.linspace(*source.extent()[0], 400)
        density = source.density(xs[:, None])
    kind = "line" if source.shape == (1,) else "plane"
    return DatasetFacts(name, kind, source.shape, points=points, xs=xs, density=density)


def _image_facts(name: str, source: ImageSource, classifiers: Classifiers) -> DatasetFacts:
    pixels = source.x.numpy()
    labels = source.y.numpy() if source.y is not None else np.zeros(len(pixels), np.int64)
    classes = range(max(1, source.num_classes))
    rows = np.zeros((len(classes), SAMPLES_PER_CLASS, *source.shape), np.uint8)
    for row, label in zip(rows, classes, strict=True):
        members = pixels[np.flatnonzero(labels == label)[:SAMPLES_PER_CLASS]]
        row[: len(members)] = members
    classifier = classifiers.get(source) if source.y is not None else None
    return DatasetFacts(
        name,
        "images",
        source.shape,
        source.class_names,
        tuple(int((labels == label).sum()) for label in classes),
        len(source.train_index),
        len(source.heldout_index),
        float(pixels.mean() / 127.5 - 1),
        float(pixels.std() / 127.5),
        samples=png(tile(rows.reshape(-1, *source.shape), columns=SAMPLES_PER_CLASS)),
        classifier=classifier.report if classifier else None,
        classifier_progress=None if classifier else classifiers.progress(source.name),
    )
