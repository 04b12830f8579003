"""A board that is drawn on for one run: its game at kept rounds, its held-out pictures, and the classifier of its data."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.data import ImageSource, MixtureSource, Source, to_uint8
from gan_core.engine.exchange.generator import Opened, open_game
from gan_core.engine.exchange.translating import Translator, held_out_of, translator_of
from gan_core.engine.latent import recipes
from gan_core.engine.latent.pictures import BOX, picture_of
from gan_core.engine.latent.recipes import Recipe, Wrong
from gan_core.metrics.histograms import UNSURE_BELOW
from gan_core.store import RunStore
from gan_core.training.abilities import Judges, Translates
from gan_core.training.classifier import FrozenClassifier, cached_classifier
from gan_core.training.domains import domains, judged_sources

ROUNDS = 24
"""Games of one run that are held open at once: a slider over rounds comes back to each."""
EXAMPLES = 500
SEED = 1  # of the choice of examples
INK = 32  # a pixel of a bright picture on black that counts as drawn
AS_MNIST = 0.05
"""Shares of the side by which the size and the middle of data may differ, at the median, from what MNIST was put to."""

Opinion = tuple[int, float]
"""The most probable class, and its probability."""


class Board:
    """Opens what is asked for and keeps it; the newest round is looked for at each question."""

    def __init__(self, store: RunStore, run: str) -> None:
        self._store, self._run = store, run
        self._opened: OrderedDict[int, Opened] = OrderedDict()
        self._judges: dict[str, FrozenClassifier] = {}  # by the name of their data

    def kept(self) -> list[int]:
        return [saved.round for saved in self._store.checkpoints(self._run)]

    def opened(self, at: int | None = None) -> Opened:
        """The game at a kept round, None for the newest. Raises as `open_game`, and Wrong for a run of points."""
        if at is None:
            at = next(reversed(self.kept()), None)
        if at is None or at not in self._opened:
            found = open_game(self._store, self._run, at)
            if isinstance(found.source, MixtureSource):
                raise Wrong("This run's data are points; there is nothing to draw.")
            while len(self._opened) >= ROUNDS:
                self._opened.popitem(last=False)
            at = found.round
            self._opened[at] = found
        self._opened.move_to_end(at)
        return self._opened[at]

    def translator(self, at: int | None) -> Translator:
        """Raises NothingToPlay where the game does not translate."""
        return translator_of(self.opened(at))

    def forger(self, at: int | None) -> tuple[Opened, Judges]:
        """The game whose D is asked. Raises Wrong where there is none."""
        found = self.opened(at)
        if not isinstance(found.game, Judges):
            raise Wrong(f"A run of the game {found.config.game!r} has no discriminator of pictures.")
        return found, found.game

    @cached_property
    def source(self) -> Source:
        """The data, which are those of all rounds."""
        return self.opened().source

    @cached_property
    def outputs(self) -> Source:
        """The data that outputs are to be like and that a D judges: the other kind where there are two, else the same."""
        config = self.opened().config
        return domains(config, self.source)[1] if isinstance(config, CycleganConfig) else self.source

    @cached_property
    def real(self) -> np.ndarray:
        """Held-out pictures uint8 (n, C, H, W) of that data."""
        return self.held[0] if self.outputs is self.source else held_out_of(self.outputs, EXAMPLES, SEED)[0]

    @cached_property
    def held(self) -> tuple[np.ndarray, np.ndarray]:
        """Held-out pictures uint8 (n, C, H, W) of the data, targets where there are pairs, and their classes (n,)."""
        return held_out_of(self.source, EXAMPLES, SEED)

    @cached_property
    def examples(self) -> np.ndarray:
        """What a G is shown of those, or has of its own where inputs are not made of targets."""
        translator = self.translator(None)
        return self.held[0] if translator.degradation else translator.examples(EXAMPLES, SEED)

    @property
    def paired(self) -> bool:
        """Whether the data are pairs that were brought, inputs beside their targets."""
        return isinstance(self.source, ImageSource) and self.source.inputs is not None

    def judge(self, *, output: bool = False) -> FrozenClassifier | None:
        """The classifier of inputs or of outputs; looked for at each question until it is there: it may be in training."""
        judged = [self.source.judged] if not output else list(judged_sources(self.opened().config, self.source))
        source = judged[-1] if judged else None
        if source is None or not isinstance(self.source, ImageSource):
            return None
        if source.name not in self._judges:
            found = cached_classifier(source, self._store.root / "cache")
            if found is None:
                return None
            self._judges[source.name] = found
        return self._judges[source.name]

    def opinions(self, x: np.ndarray, *, output: bool = False) -> list[Opinion] | None:
        """What the classifier reads in pictures uint8 (n, C, H, W); None where there is none."""
        judge = self.judge(output=output)
        if judge is None:
            return None
        best, index = torch.as_tensor(judge.probabilities(torch.from_numpy(x))).max(1)
        return list(zip(index.tolist(), best.tolist(), strict=True))

    def told(self, x: np.ndarray, *, output: bool = False) -> list[dict[str, object]]:
        """The same as it travels; nothing where there is no classifier."""
        said, judge = self.opinions(x, output=output), self.judge(output=output)
        if said is None or judge is None:
            return [{} for _ in x]
        names = judge.report.class_names
        return [{"label": str(names[label]), "sure": round(sure, 3)} for label, sure in said]

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.source.class_names) if isinstance(self.source, ImageSource) else ()

    @cached_property
    def as_mnist(self) -> bool:
        """Whether held-out pictures lie as MNIST's do: bright on black, of that size, their mass in the middle."""
        x = self.held[0][:200].max(1)
        if np.median(x[:, 0]) > INK:
            return False
        side, sizes, offsets = min(x.shape[1:]), [], []
        for picture in x.astype(np.float64):
            rows, columns = np.nonzero(picture > INK)
            if not len(rows):
                continue
            sizes.append((1 + max(np.ptp(rows), np.ptp(columns))) / side)
            middle = [(picture.sum(1 - axis) * np.arange(picture.shape[axis])).sum() / picture.sum() for axis in (0, 1)]
            offsets.append(
                max(abs(at - (length - 1) / 2) for at, length in zip(middle, picture.shape, strict=True)) / side
            )
        return bool(sizes and abs(np.median(sizes) - BOX) < AS_MNIST and np.median(offsets) < AS_MNIST)


def picture(board: Board, recipe: Recipe, shape: tuple[int, ...], examples: np.ndarray) -> np.ndarray:
    """What a recipe brings, uint8 (C, H, W). Raises Wrong."""
    asked = recipes.text(recipe, "picture", recipes.MOST_PICTURE)
    if asked.startswith("h") and asked[1:].isascii() and asked[1:].isdigit():
        if int(asked[1:6]) >= len(examples):
            raise Wrong(f"There are {len(examples)} held-out pictures to choose from, counted from 0.")
        chosen: np.ndarray = examples[int(asked[1:6])]
        return chosen
    brought: Tensor = to_uint8(picture_of(asked, shape, drawn=bool(recipe.get("drawn"))))
    given: np.ndarray = brought[0].numpy()
    return given


def can(found: Opened) -> dict[str, bool]:
    """What a game can do here."""
    return {"translates": isinstance(found.game, Translates), "judges": isinstance(found.game, Judges)}


def surely(opinion: Opinion) -> bool:
    return opinion[1] >= UNSURE_BELOW
