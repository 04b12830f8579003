"""Looking at outputs beside their targets: fixed held-out rows of input, output, target and nearest training picture, and what
the outputs read beside what needs no training. A measurement of digits costs about 0.1 CPU seconds.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.config.games.pix2pix import Pix2pixConfig
from gan_core.data import DEGRADATIONS, ImageSource, Source, to_uint8
from gan_core.data.degradations import bicubic, coarser
from gan_core.engine.messages import Sheet, Sight
from gan_core.engine.observers.base import SAMPLES_AT_ONCE, GetClassifier, Observer, shown_in_any_case
from gan_core.engine.observers.held import HELD, samples_of
from gan_core.engine.observers.measuring import FEWEST_HELD_OUT, TOO_FEW, Numbers
from gan_core.metrics.distances import frechet_distance
from gan_core.metrics.histograms import label_accuracy
from gan_core.metrics.translation import (
    absolute_error,
    ink_brightness,
    ink_saturation,
    nearest,
    open_edges,
    pair_ratio,
    psnr,
    ssim,
)
from gan_core.training import Game
from gan_core.training.abilities import Translates
from gan_core.training.classifier import FrozenClassifier
from gan_core.training.games.pix2pix import degraded

SHOWN, ACROSS = 8, 2  # pairs, and how many of them stand in a row
HEADS = ("input", "output", "target", "nearest")
NOTE = "Nearest: the target of the training input that is most like this one; it needs no training."
KNOWN = 4_000_000  # numbers, at most, of the training pictures among which the nearest is looked for
COLUMNS = ("absolute_error", "pair_ratio", "open_edges", "psnr", "ssim")
OF_TARGETS = {"target_class", "ink_brightness", "ink_saturation"}
"""Measures that say something of a target itself."""


class TranslatedObserver:
    """What another observer sees, and besides it the outputs of a game that translates, always of the same held-out pairs."""

    def __init__(self, inner: Observer, config: Pix2pixConfig, source: Source, classifier: GetClassifier) -> None:
        self.inner = inner
        self._pairs = HeldPairs(config, source, classifier)

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = self.inner.look(game, round)
        if not isinstance(game, Translates):
            return numbers, sight
        with shown_in_any_case(sight):
            outputs = self._pairs.outputs(game)
            sight = replace(sight, parts=sight.parts | {"translated": self._pairs.rows(outputs)})
        with shown_in_any_case(sight):
            more = self._pairs.measure(outputs) if numbers else {}
        return numbers | more, sight

    def reference(self) -> dict[str, Any] | None:
        reference = self.inner.reference()
        if reference is None:
            return None
        for name, more in self._pairs.reference().items():
            reference[name] = {**reference.get(name, {}), **more}
        return reference

    def birthday(self, game: Game) -> dict[str, float]:
        return self.inner.birthday(game)


class HeldPairs:
    """``n`` held-out pairs at most, the same for every run of one data set and one degradation."""

    def __init__(self, config: Pix2pixConfig, source: Source, classifier: GetClassifier, n: int = HELD) -> None:
        self._device, self._source = config.device, source
        self._get_classifier = classifier
        self._degradation = config.translation.degradation
        pairs = source.of_inputs if isinstance(source, ImageSource) and source.inputs is not None else None
        self._of_inputs = pairs
        self._factor = DEGRADATIONS[self._degradation].factor if pairs is None else 1
        held = samples_of(source, n, heldout=True)
        if not len(held.x):
            held = samples_of(source, n, heldout=False)
        self.targets, self._labels = held.x, held.y
        self.inputs = self._given(held.x, heldout=bool(len(samples_of(source, 1, heldout=True).x)))
        self._known_features: np.ndarray | None = None
        self._enough = len(source.heldout_index) >= FEWEST_HELD_OUT if isinstance(source, ImageSource) else True

    @cached_property
    def _known(self) -> Tensor:
        """Training targets (n, *shape)."""
        return samples_of(self._source, max(1, KNOWN // math.prod(self._source.shape)), heldout=False).x

    @cached_property
    def _nearest(self) -> Tensor:
        """For each held-out pair the target of the training input that is most like its own."""
        inputs = self._given(self._known, heldout=False, seed=1)
        return self._known[torch.as_tensor(nearest(inputs, self.inputs))]

    def _given(self, targets: Tensor, *, heldout: bool, seed: int = 0) -> Tensor:
        """The inputs of held-out or of training targets: those of the data where it has pairs, or the targets degraded."""
        if self._of_inputs is None:
            return degraded(targets, self._degradation, seed=seed)
        return samples_of(self._of_inputs, len(targets), heldout=heldout).x

    def outputs(self, game: Translates, n: int | None = None) -> Tensor:
        """Of the first ``n`` inputs, or of all, (n, *shape), on the CPU."""
        parts = self.inputs[:n].to(self._device).split(SAMPLES_AT_ONCE)
        return torch.cat([game.translate(some).cpu() for some in parts])

    def rows(self, outputs: Tensor) -> Sheet:
        """The first pairs, two in a row."""
        kinds = self.inputs, outputs, self.targets, self._nearest
        shown = to_uint8(torch.stack([part[:SHOWN] for part in kinds], dim=1)).numpy()
        even = len(shown) // ACROSS * ACROSS or len(shown)  # of a set of a few pictures
        rows = shown[:even].reshape(max(1, even // ACROSS), -1, *shown.shape[2:])
        return Sheet(rows, HEADS * (rows.shape[1] // len(HEADS)), NOTE)

    def measure(self, outputs: Tensor) -> Numbers:
        """Nothing of too few pairs, or where an output is not finite."""
        return self._read(outputs) if self._enough and bool(outputs.isfinite().all()) else {}

    def reference(self) -> dict[str, Any]:
        """Parts of a reference: ``sizes``, ``lacking``, and ``beside``, what needs no training."""
        if not self._enough:
            return {"lacking": dict.fromkeys(COLUMNS, TOO_FEW)}
        rivals = {
            "input as it is": self.inputs,
            "mean target": self._known.mean(0, keepdim=True).expand_as(self.targets),
            "nearest training picture": self._nearest,
        }
        if self._factor > 1:
            rivals["bicubic"] = bicubic(self.inputs, self._factor)
        read = {rival: self._read(pictures) for rival, pictures in rivals.items()}
        columns = next(iter(read.values()))
        beside = {column: {rival: numbers[column] for rival, numbers in read.items()} for column in columns}
        itself = self._read(self.targets)
        for column in columns.keys() & OF_TARGETS:
            beside[column]["target itself"] = itself[column]
        floors = {"open_edges": 1.0} if "open_edges" in columns else {}
        return {"beside": beside, "floors": floors, "sizes": dict.fromkeys(columns, len(self.targets))}

    def _read(self, pictures: Tensor) -> Numbers:
        x, x_hat = _white(self.targets), _white(pictures)
        numbers = {"absolute_error": absolute_error(x, x_hat), "psnr": psnr(x, x_hat), "ssim": ssim(x, x_hat)}
        if self._factor > 1:
            shrunk = (_white(coarser(one, self._factor)) for one in (self.inputs, pictures))
            numbers["consistency"] = absolute_error(*shrunk)
        if x.shape[1] > 1:
            numbers |= {"ink_brightness": ink_brightness(x, x_hat), "ink_saturation": ink_saturation(x, x_hat)}
        a = _white(self.inputs)
        ratios = {"pair_ratio": pair_ratio(a, x, x_hat), "open_edges": open_edges(a, x, x_hat)}
        numbers |= {name: value for name, value in ratios.items() if math.isfinite(value)}
        classifier = self._classifier()
        if classifier is not None and self._labels is not None:
            seen, features = classifier.judge(pictures.contiguous())
            numbers["target_class"] = label_accuracy(seen, self._labels)
            numbers["target_frechet"] = frechet_distance(self._features(classifier), features)
        return numbers

    def _features(self, classifier: FrozenClassifier) -> np.ndarray:
        """Those of the targets (n, 64)."""
        if self._known_features is None:
            self._known_features = classifier.features(self.targets)
        return self._known_features

    def _classifier(self) -> FrozenClassifier | None:
        source = self._source
        return self._get_classifier(source) if isinstance(source, ImageSource) and source.judged is not None else None


def translated(observer: Observer, config: RunConfig, source: Source, classifier: GetClassifier) -> Observer:
    """The observer of a game's data, and of its outputs where it translates."""
    return TranslatedObserver(observer, config, source, classifier) if isinstance(config, Pix2pixConfig) else observer


def _white(x: Tensor) -> np.ndarray:
    """Pixels from 0 to 1."""
    white: np.ndarray = ((x + 1) / 2).clamp(0, 1).numpy()
    return white
