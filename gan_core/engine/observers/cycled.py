"""Looking at a game between two kinds of data without pairs: what it makes of held-out samples of each, what comes back, and
which mode goes to which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.data import ImageSource, MixtureSource, Source, to_uint8
from gan_core.engine.messages import Sheet, Sight
from gan_core.engine.observers.base import (
    SAMPLES_AT_ONCE,
    FixedInputs,
    GetClassifier,
    Observer,
    rounded,
    shown_in_any_case,
)
from gan_core.engine.observers.held import HELD, samples_of
from gan_core.engine.observers.measuring import FEWEST_HELD_OUT, TOO_FEW, Numbers
from gan_core.engine.observers.points import POINTS_DRAWN
from gan_core.metrics.cycles import cycle_error, modes_right, share_right
from gan_core.metrics.histograms import label_accuracy
from gan_core.metrics.modes import nearest_mode
from gan_core.training import Game
from gan_core.training.abilities import TranslatesBack
from gan_core.training.classifier import FrozenClassifier
from gan_core.training.domains import domains, other_source, same_set

SHOWN = 6  # samples of each kind, a row for one of each
HEADS = ("a", "G(a)", "F(G(a))", "b", "F(b)", "G(F(b))")
NOTE = "Held out, and without pairs: a and b of a row have nothing to do with each other."
AS_IT_IS = "input as it is"
BESIDE_OF_SAMPLES = ("frechet_distance", "sliced_wasserstein")


class Unchanged:
    """The translator that does nothing: the baseline of every other."""

    def translate(self, x: Tensor) -> Tensor:
        return x


class CycledObserver:
    """What an observer of B sees of G(a), and besides it both ways and back, always of the same held-out samples."""

    def __init__(self, inner: Observer, config: CycleganConfig, source: Source, classifier: GetClassifier) -> None:
        self.inner = inner
        self._both = HeldBoth(config, source, classifier)
        self._modes = ModeMap(config, source) if _mapped(config, source) else None

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = self.inner.look(game, round)
        if not isinstance(game, TranslatesBack):
            return numbers, sight
        with shown_in_any_case(sight):
            ways = self._both.ways(game)
            sight = replace(sight, parts=sight.parts | self._both.rows(ways))
            if self._modes is not None:
                goes = self._modes.goes(game)
                sight = replace(sight, parts=sight.parts | {"points": sight.parts["points"] | self._modes.drawn(goes)})
        with shown_in_any_case(sight):
            if not numbers or not all(bool(way.isfinite().all()) for way in ways):
                return numbers, sight
            more = self._both.measure(ways) | ({} if self._modes is None else self._modes.measure(goes))
        return numbers | more, sight

    def reference(self) -> dict[str, Any] | None:
        reference = self.inner.reference()
        told = None if reference is None else self._both.reference()
        if reference is None or told is None:
            return None
        if self._modes is not None:
            told["beside"] |= self._modes.beside()
        if self._both.alike:
            read = self.inner.look(Unchanged(), 0)[0]  # type: ignore[arg-type]  # all that is asked of it
            told["beside"] |= {column: {AS_IT_IS: read[column]} for column in BESIDE_OF_SAMPLES if column in read}
        for name, more in told.items():
            reference[name] = {**reference.get(name, {}), **more}
        return reference

    def birthday(self, game: Game) -> dict[str, float]:
        return self.inner.birthday(game)


class HeldBoth:
    """Held-out samples of A and of B, the same for every run of both data sets."""

    def __init__(self, config: CycleganConfig, source: Source, classifier: GetClassifier) -> None:
        self._device, self._get_classifier = config.device, classifier
        self._sources = domains(config, source)
        # A classifier is of a whole set, of which a half may be trained on here.
        self._judged = (source, source if same_set(config) else other_source(config.domain_b))
        self.a, self.b = (samples_of(one, HELD, heldout=True) for one in self._sources)
        self.alike = self._sources[0].shape == self._sources[1].shape
        self._pictures = len(source.shape) == 3
        self._enough = min(len(self.a.x), len(self.b.x)) >= FEWEST_HELD_OUT

    def ways(self, game: TranslatesBack) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """G(a), F(G(a)), F(b) and G(F(b)), on the CPU."""
        there, back = game.translate, game.translate_back
        made_b, made_a = self._through(there, self.a.x), self._through(back, self.b.x)
        return made_b, self._through(back, made_b), made_a, self._through(there, made_a)

    def _through(self, translate: Any, x: Tensor) -> Tensor:
        return torch.cat([translate(some.to(self._device)).cpu() for some in x.split(SAMPLES_AT_ONCE)])

    def rows(self, ways: tuple[Tensor, ...]) -> dict[str, Sheet]:
        """The first samples of each and what becomes of them; nothing of points, which are seen as they are."""
        if not self._pictures:
            return {}
        made_b, again_a, made_a, again_b = ways
        kinds = (self.a.x, made_b, again_a, self.b.x, made_a, again_b)
        rows = min(SHOWN, *(len(kind) for kind in kinds))
        channels = max(kind.shape[1] for kind in kinds)
        columns = [kind[:rows].expand(-1, channels, -1, -1) for kind in kinds]
        return {"translated": Sheet(to_uint8(torch.stack(columns, dim=1)).numpy(), HEADS, NOTE)}

    def measure(self, ways: tuple[Tensor, ...]) -> Numbers:
        """Nothing of too few samples."""
        if not self._enough:
            return {}
        made_b, again_a, made_a, again_b = ways
        a, b = self._sources
        numbers = {
            "cycle_error": _distance(a, self.a.x, again_a),
            "cycle_error_back": _distance(b, self.b.x, again_b),
        }
        return numbers | self._classes(made_b, made_a)

    def _classes(self, of_b: Tensor, of_a: Tensor) -> Numbers:
        """How often what came to B, and to A, has its class there; nothing where the classes are not the same."""
        if not _same_classes(*self._sources):
            return {}
        numbers = {}
        asked = (("translated_class", of_b, self.a.y), ("translated_class_back", of_a, self.b.y))
        for (column, x, y), source in zip(asked, reversed(self._judged), strict=True):
            classifier = self._get_classifier(source.judged) if source.judged is not None else None
            if classifier is not None and y is not None:
                numbers[column] = label_accuracy(classifier.probabilities(x.contiguous()), y)
        return numbers

    def reference(self) -> dict[str, Any] | None:
        """Parts of a reference: ``sizes``, ``lacking``, and ``beside``, what needs no training; None too early."""
        lost = ("cycle_error", "cycle_error_back")
        if not self._enough:
            return {"lacking": dict.fromkeys(lost, TOO_FEW), "beside": {}}
        (a, b), held = self._sources, (self.a, self.b)
        beside: dict[str, dict[str, float]] = {column: {} for column in lost}
        for column, source, some in zip(lost, (a, b), held, strict=True):
            if self.alike:
                beside[column][AS_IT_IS] = 0.0
            mean = some.x.mean(0, keepdim=True).expand_as(some.x)
            beside[column]["mean of all"] = _distance(source, some.x, mean)
        if _same_classes(a, b):
            if self.alike:
                _put(beside, AS_IT_IS, self._classes(self.a.x, self.b.x))
            itself = self._itself()
            if len(itself) < 2:
                return None
            _put(beside, "real ones there", itself)
        sizes = {column: len(self.b.x if column.endswith("_back") else self.a.x) for column in beside}
        return {"beside": beside, "sizes": sizes}

    def _itself(self) -> Numbers:
        """How often each classifier is right of the data that samples come to."""
        read = {}
        there = (("translated_class", self._judged[1], self.b), ("translated_class_back", self._judged[0], self.a))
        for column, source, held in there:
            classifier = self._get_classifier(source.judged) if source.judged is not None else None
            if classifier is not None and held.y is not None:
                read[column] = label_accuracy(classifier.probabilities(held.x), held.y)
        return read


class ModeMap:
    """Which mode of A goes to which mode of B; both are the same mixture."""

    def __init__(self, config: CycleganConfig, source: Source) -> None:
        a, b = domains(config, source)
        assert isinstance(a, MixtureSource)
        assert isinstance(b, MixtureSource)
        self._a, self._b, self._shown = a, b, FixedInputs(config, a)
        self._from = nearest_mode(a.to_data(self._shown.inputs.cpu().numpy()), a.centers)[0]

    def goes(self, game: Game) -> np.ndarray:
        """Where the fixed points of A come to, (n, d), in data units."""
        return self._b.to_data(self._shown.samples(game).numpy())

    def drawn(self, points: np.ndarray) -> dict[str, Any]:
        """Parts of ``points``: the mode that each drawn point is from, and from where to where each mode goes, (x, y, x, y)."""
        ways, told = [], []
        for mode, center in enumerate(self._a.centers):
            mine = points[self._from == mode]
            if len(mine) and np.isfinite(mine).all():
                ways.append([*center, *mine.mean(0)])
                told.append(f"{mode + 1} → {self._most(mine) + 1}")
        return {
            "from": self._from[:POINTS_DRAWN].tolist(),
            "ways": rounded(np.array(ways).reshape(-1, 4)),
            "told": f"Modes of A go to modes of B: {', '.join(told)}.",
        }

    def measure(self, points: np.ndarray) -> Numbers:
        centers = self._b.centers
        return {
            "modes_right": modes_right(self._from, points, centers, self._b.std),
            "share_right": share_right(self._from, points, centers),
        }

    def beside(self) -> dict[str, dict[str, float]]:
        count = float(len(self._a.centers))
        return {
            "modes_right": {AS_IT_IS: count, "a bijection at random": 1.0},
            "share_right": {AS_IT_IS: 1.0, "a bijection at random": 1 / count},
        }

    def _most(self, points: np.ndarray) -> int:
        """The mode of B that most of these points are nearest to."""
        return int(np.bincount(nearest_mode(points, self._b.centers)[0]).argmax())


OfData = Callable[[RunConfig, Source, GetClassifier], Observer]


def cycled(config: CycleganConfig, source: Source, classifier: GetClassifier, of_data: OfData) -> Observer:
    """What ``of_data``, the observer of B, sees of G(a), and both ways; the classifier of half a set is that of all of it."""
    whole = source if same_set(config) else other_source(config.domain_b)

    def of_whole(_: ImageSource) -> FrozenClassifier | None:
        return classifier(whole.judged) if whole.judged is not None else None

    return CycledObserver(of_data(config, domains(config, source)[1], of_whole), config, source, classifier)


def _mapped(config: CycleganConfig, source: Source) -> bool:
    return isinstance(source, MixtureSource) and source.shape == (2,) and source.num_modes > 1 and same_set(config)


def _same_classes(a: Source, b: Source) -> bool:
    both = isinstance(a, ImageSource) and isinstance(b, ImageSource)
    return both and a.judged is not None and b.judged is not None and a.class_names == b.class_names


def _distance(source: Source, x: Tensor, again: Tensor) -> float:
    """`cycle_error`, of points in data units."""
    if isinstance(source, MixtureSource):
        return cycle_error(source.to_data(x.numpy()), source.to_data(again.numpy()))
    return cycle_error(*(((one + 1) / 2).clamp(0, 1).numpy() for one in (x, again)))


def _put(beside: dict[str, dict[str, float]], name: str, numbers: Numbers) -> None:
    for column, value in numbers.items():
        beside.setdefault(column, {})[name] = value
