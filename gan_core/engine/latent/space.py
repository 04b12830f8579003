"""The latent space of a stored run: what its z are, what is made of them, and what its own data are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from gan_core.data import ImageSource, MixtureSource, SideBySideSource, Source, StackedSource, to_unit
from gan_core.engine.exchange.generator import NothingToPlay, open_game
from gan_core.engine.latent.vectors import Directions, across_classes, class_means, ganspace, sefa, towards_classes
from gan_core.metrics.histograms import UNSURE_BELOW
from gan_core.store import RunStore
from gan_core.training import GAMES, Encodes, Samples
from gan_core.training.abilities import Decodes
from gan_core.training.classifier import FrozenClassifier, cached_classifier
from gan_core.training.game import Game
from gan_core.training.latent import Prior
from gan_core.training.streams import Streams

DRAWS = 2000
"""Samples from which means of classes are taken."""
OF_A_LAYER = 600
"""Samples whose activations have principal components; more would move these little and cost with the square."""
GRID = 64
HELDOUT, TRAINING = 500, 4000
"""How many held-out samples are on the map, and at most how many training samples are looked through for neighbours."""
OF_CLASSES = ("class", "logistic")
"""Directions towards a class: of the difference of its mean, and of what tells it from the others."""
COMPONENTS = 12
CHUNK = 250
LAYERS = 4  # of those behind the first, as many have components


@dataclass(frozen=True)
class Fitted:
    """A Gaussian fitted to codes, for a game that has no prior: z = ``mean`` + ``factor`` ε."""

    mean: Tensor
    factor: Tensor
    kind: str = "fitted"

    @property
    def dim(self) -> int:
        return len(self.mean)

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        return self.mean + torch.randn(n, self.dim, generator=generator) @ self.factor.T

    @classmethod
    def to(cls, codes: Tensor) -> Fitted:
        """By mean and covariance of codes (n, d)."""
        centred = codes - codes.mean(0)
        covariance = centred.T.double() @ centred.double() / max(1, len(codes) - 1)
        values, vectors = torch.linalg.eigh(covariance)
        return cls(codes.mean(0), (vectors * values.clamp_min(0).sqrt()).float())


@dataclass
class Space:
    """z, (n, dim), of a run at ``round``; ``prior`` draws them. ``make(z, y)`` gives x (n, *shape) in network units."""

    source: Source
    round: int
    game: Game
    prior: Prior
    conditional: bool
    judge: FrozenClassifier | None = None
    _found: dict[str, Directions] = field(default_factory=dict)
    _cloud: tuple[Tensor, Tensor] | None = None

    @property
    def dim(self) -> int:
        return self.prior.dim

    @cached_property
    def encodes(self) -> bool:
        """Whether the code of x is a z; of an InfoGAN it is a part of one."""
        return isinstance(self.game, Encodes) and self.encode(self.heldout[0][:1]).shape[1] == self.dim

    @property
    def class_names(self) -> tuple[str, ...]:
        return () if isinstance(self.source, MixtureSource) else tuple(self.source.class_names)

    @property
    def judged_names(self) -> tuple[str, ...]:
        """The classes that the frozen classifier tells apart; none where there is no such classifier."""
        if isinstance(self.source, SideBySideSource) and self.judge is not None:
            return self.class_names
        return tuple(self.judge.report.class_names) if self.judge is not None else ()

    @cached_property
    def radius(self) -> float:
        """The root mean square norm of draws: √d of a normal prior."""
        if self.prior.kind == "normal":
            return float(self.dim**0.5)
        return float(self.draw(DRAWS).square().sum(1).mean().sqrt())

    def draw(self, n: int, seed: int = 0) -> Tensor:
        """(n, dim), a function of n and the seed."""
        return self.prior(n, Streams(seed).generator("previews"))

    def make(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if isinstance(self.game, Samples):
            return self.game.sample(z, y)
        assert isinstance(self.game, Decodes)
        return self.game.decode(z)

    def make_many(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The same in chunks of bounded memory."""
        labels = [None] * len(z) if y is None else list(y.split(CHUNK))
        return torch.cat([self.make(part, some) for part, some in zip(z.split(CHUNK), labels, strict=False)])

    def made_differentiably(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """What ``make`` gives, with a graph back to z."""

        # The game looks at its networks without gradients; they are switched on where z enters.
        def switch_on(*_: object) -> None:
            torch.set_grad_enabled(True)

        hook = self.decoder.register_forward_pre_hook(switch_on)
        try:
            return self.make(z, y)
        finally:
            hook.remove()

    def encode(self, x: Tensor) -> Tensor:
        assert isinstance(self.game, Encodes)
        return torch.cat([self.game.encode(part) for part in x.split(CHUNK)])

    def labels_for(self, index: Tensor) -> Tensor | None:
        """The classes of a conditional game for the samples of a grid: they take turns."""
        return index % len(self.class_names) if self.conditional else None

    def look_for_judge(self, cache: Path) -> None:
        """Take the frozen classifier if it is there by now: it may have been in training when the space was opened."""
        judged = self.source.judged
        if self.judge is None and judged is not None:
            self.judge = cached_classifier(judged, cache)
            if self.judge is not None:
                self._cloud = None
                for kind in OF_CLASSES:
                    self._found.pop(kind, None)
                self.__dict__.pop("means", None)

    # -- what the classifier says -------------------------------------------------------------------------------

    def judged(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """The most probable class (n,) and its probability (n,) of pictures; None without a classifier. Of pictures made of
        others the class is that of all together, and the probability the smallest.
        """
        if self.judge is None:
            return None
        if isinstance(self.source, StackedSource):
            parts = self.source.apart(x)
            p = torch.as_tensor(self.judge.probabilities(parts.flatten(0, 1))).reshape(*parts.shape[:2], -1)
            best, index = p.max(2)
            return self.source.label_of(index), best.min(1).values
        best, index = torch.as_tensor(self.judge.probabilities(x)).max(1)
        return index, best

    def sure_labels(self, x: Tensor) -> Tensor:
        """The class (n,), −1 where the classifier is unsure or there is none."""
        told = self.judged(x)
        if told is None:
            return torch.full((len(x),), -1)
        return torch.where(told[1] >= UNSURE_BELOW, told[0], torch.full_like(told[0], -1))

    # -- the data ------------------------------------------------------------------------------------------------

    @cached_property
    def heldout(self) -> tuple[Tensor, Tensor]:
        """Held-out samples (n, *shape) in network units and their classes (n,), −1 without; drawn at random, since held-out
        pictures may lie in the order of their classes."""
        return self._real(HELDOUT, heldout=True)

    @cached_property
    def training(self) -> tuple[Tensor, Tensor]:
        return self._real(TRAINING, heldout=False)

    @cached_property
    def codes(self) -> Tensor:
        """Where the map has its points: the codes (n, dim) of ``heldout``, or draws of the prior where there is no encoder."""
        return self.encode(self.heldout[0]) if self.encodes else self.draw(HELDOUT, seed=3)

    def _real(self, n: int, *, heldout: bool) -> tuple[Tensor, Tensor]:
        stream = Streams(1 if heldout else 2).generator("previews")
        match self.source:
            case ImageSource() as source:
                index = source.heldout_index if heldout else source.train_index
                chosen = index[torch.randperm(len(index), generator=stream)[:n]]
                y = source.y[chosen] if source.y is not None else torch.full((len(chosen),), -1)
                return to_unit(source.x[chosen]), y
            case StackedSource() as source:
                x, y = source.sample(n, stream, heldout=heldout)
                return to_unit(x), y
            case MixtureSource() as source:
                return source.sample(n, stream), torch.full((n,), -1)

    # -- what takes a while, once --------------------------------------------------------------------------------

    def preparing(self, what: str) -> Iterator[None]:
        """Does, in slices, what ``cloud`` or the directions of this name need, so that others can be answered between."""
        if what in OF_CLASSES and self._cloud is None:
            z = self.draw(DRAWS, seed=1)
            labels = []
            for part, index in zip(z.split(CHUNK), torch.arange(DRAWS).split(CHUNK), strict=True):
                given = self.labels_for(index)
                labels.append(self.sure_labels(self.make(part)) if given is None else given)
                yield
            self._cloud = z, torch.cat(labels)
        if what.startswith(("pca:", "logistic")) and what not in self._found:
            yield
            self.directions(what)

    @property
    def cloud(self) -> tuple[Tensor, Tensor]:
        """``DRAWS`` z (n, dim) and the class (n,) of what is made of each, −1 for none."""
        for _ in self.preparing("class"):
            pass
        assert self._cloud is not None
        return self._cloud

    @cached_property
    def means(self) -> Tensor:
        """The mean z (K, dim) of each class, by the classes of ``judged_names``."""
        z, y = self.cloud
        classes = len(self.judged_names) or len(self.class_names)
        return class_means(z, torch.where(y < 0, classes, y), classes)

    @cached_property
    def decoder(self) -> nn.Module:
        """The network that z enters."""
        entered: list[nn.Module] = []
        z = self.draw(2)

        def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            if given and given[0].shape == z.shape:
                entered.append(module)

        hooks = [network.register_forward_pre_hook(note) for network in self.game.networks.values()]
        try:
            self.make(z, self.labels_for(torch.arange(2)))
        finally:
            for hook in hooks:
                hook.remove()
        if not entered:
            raise NothingToPlay("This game's samples come of no network that takes z.")
        return entered[0]

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers of the decoder with weights that have components of their own: those behind the first."""
        weighty = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
        found = [name for name, module in self.decoder.named_modules() if isinstance(module, weighty)]
        return tuple(found[1:-1][:LAYERS])

    @cached_property
    def first_weight(self) -> Tensor | None:
        """The weight (out, dim) by which z enters, None where its first layer is not linear."""
        for module in self.decoder.modules():
            if isinstance(module, nn.Linear):
                weight = module.weight.detach()
                return weight[:, : self.dim] if weight.shape[1] >= self.dim else None
            if isinstance(module, nn.ConvTranspose2d):
                return module.weight.detach().flatten(1).T if module.weight.shape[0] == self.dim else None
        return None

    def directions(self, kind: str) -> Directions:
        """By name: ``sefa``, ``dim``, ``class``, ``logistic``, or ``pca:LAYER``. Raises KeyError for another."""
        if kind not in self._found:
            self._found[kind] = self._directions(kind)
        return self._found[kind]

    def _directions(self, kind: str) -> Directions:
        if kind == "dim":
            return Directions(torch.eye(self.dim), self.draw(DRAWS).std(0))
        if kind == "sefa" and self.first_weight is not None:
            return sefa(self.first_weight)
        if kind == "logistic" and (self.judged_names or self.conditional):
            return across_classes(*self.cloud, len(self.means))
        if kind == "class" and (self.judged_names or self.conditional):
            away = towards_classes(self.means)
            return Directions(away, (self.means - self.means.nanmean(0)).norm(dim=1).nan_to_num())
        name, _, layer = kind.partition(":")
        if name == "pca" and layer in self.layers:
            z = self.draw(OF_A_LAYER, seed=2)
            return ganspace(z, self._activations(layer, z), COMPONENTS)
        raise KeyError(kind)

    def _activations(self, layer: str, z: Tensor) -> Tensor:
        """What a layer gives, (n, m), pooled so that no more than a few thousand numbers are kept of each sample."""
        kept: list[Tensor] = []

        def keep(module: nn.Module, given: object, output: Tensor) -> None:
            pooled = (
                nn.functional.adaptive_avg_pool2d(output, 4) if output.ndim == 4 and output.shape[-1] > 4 else output
            )
            kept.append(pooled.flatten(1))

        hook = self.decoder.get_submodule(layer).register_forward_hook(keep)
        try:
            for part, index in zip(z.split(CHUNK), torch.arange(len(z)).split(CHUNK), strict=True):
                self.make(part, self.labels_for(index))
        finally:
            hook.remove()
        return torch.cat(kept)


def open_space(store: RunStore, run_id: str, at: int | None = None) -> Space:
    """The latent space of a run at a kept round, None for the newest; judged by the frozen classifier of the store.

    Raises NothingToPlay where the game makes no samples of a code, else as `open_game`.
    """
    opened = open_game(store, run_id, at)
    declared = GAMES[opened.config.game]
    prior: Prior | None = declared.latent(opened.config)
    game = opened.game
    if not isinstance(game, Samples) or prior is None:
        if not (isinstance(game, Decodes) and isinstance(game, Encodes)):
            raise NothingToPlay(f"A run of the game {opened.config.game!r} makes no samples of a code.")
        bare = Space(opened.source, opened.round, game, Fitted(torch.zeros(1), torch.eye(1)), False)
        prior = Fitted.to(bare.encode(bare.heldout[0]))
    space = Space(opened.source, opened.round, game, prior, declared.conditional(opened.config))
    space.look_for_judge(store.root / "cache")
    return space
