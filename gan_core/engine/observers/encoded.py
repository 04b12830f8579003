"""Looking at codes: what a game keeps of held-out samples, what it makes of them again, and how its codes lie to the prior.

Each measure has beside it what makes it readable: real data, two draws of the prior, the mean, principal components of the
same code length, the raw numbers of x, the encoder before it was trained. A measurement of digits costs about 0.05 CPU seconds,
what stands beside it about 0.5 once; both count as measuring, of which `diagnostics.budget` bounds the share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, MixtureSource, Source
from gan_core.engine.messages import Sight
from gan_core.engine.observers.base import FLOOR_LOOKS, SAMPLES_AT_ONCE, GetClassifier, Observer, shown_in_any_case
from gan_core.engine.observers.code_pictures import CodePictures
from gan_core.engine.observers.held import HELD, samples_of
from gan_core.engine.observers.measuring import FEWEST_HELD_OUT, TOO_FEW, Numbers, floors, sharpness
from gan_core.metrics.codes import (
    ACTIVE,
    class_kept,
    code_correlation,
    code_mmd2,
    gaussian_kl,
    knn_accuracy,
    linear_accuracy,
    mean_error,
    principal_error,
    reconstruction_error,
    reconstruction_ratio,
    variances,
)
from gan_core.metrics.histograms import UNSURE_BELOW
from gan_core.metrics.modes import nearest_mode
from gan_core.training import GAMES, Encodes, Game, Reconstructs, Samples, build
from gan_core.training.abilities import EncodesToGaussians
from gan_core.training.classifier import FrozenClassifier
from gan_core.training.latent import Prior
from gan_core.training.streams import Streams

TRAINED = 600  # training samples that are encoded at every look, beside the held-out ones
LINEAR = 4_000  # samples for the principal components of what has few numbers
FEW_NUMBERS = 1_024
MOST_DIMENSIONS = 64  # of a code, whose KL has a column each
WITHIN = 3.0  # standard deviations of a mode


class EncodedObserver:
    """What another observer sees, and besides it the codes of a game that encodes."""

    def __init__(self, inner: Observer, config: RunConfig, source: Source, classifier: GetClassifier) -> None:
        self.inner = inner
        self._measures = CodeMeasures(config, source, classifier)
        self._pictures = CodePictures(config, source)

    def look(self, game: Game, round: int) -> tuple[Numbers, Sight]:
        numbers, sight = self.inner.look(game, round)
        with shown_in_any_case(sight):
            sight = replace(sight, parts=sight.parts | self._pictures.draw(game))
        with shown_in_any_case(sight):
            more = self._measures.measure(game) if numbers and isinstance(game, Encodes) else {}
        return numbers | more, sight

    def reference(self) -> dict[str, Any] | None:
        reference = self.inner.reference()
        if reference is None:
            return None
        for name, more in self._measures.reference().items():
            reference[name] = {**reference.get(name, {}), **more}
        return reference

    def birthday(self, game: Game) -> dict[str, float]:
        return self.inner.birthday(game)


class CodeMeasures:
    """The numbers of codes and reconstructions, always of the same held-out samples, for every run of one data set."""

    def __init__(self, config: RunConfig, source: Source, classifier: GetClassifier) -> None:
        self._config, self._source = config, source
        declaration = GAMES[config.game]
        self.prior = declaration.latent(config)
        self._asks_classes = declaration.conditional(config)
        self._get_classifier = classifier
        self.held = samples_of(source, HELD, heldout=True)
        self.trained = samples_of(source, TRAINED, heldout=False)
        self.enough = len(self.held.x) >= FEWEST_HELD_OUT
        self._numbers_of_x = self.counted(self.held.x)
        self._drawn = None if self.prior is None else self.prior(HELD, Streams(0).generator("codes", "prior"))
        # Of a number of the prior: the unit of the widths of the kernel.
        bounded = self._drawn is not None and self.prior is not None and self.prior.kind != "normal"
        self._unit = float(self._drawn.var(0).mean()) if bounded and self._drawn is not None else 1.0
        self._of_held: np.ndarray | None = None  # their classes, as soon as there is a classifier

    # --- a look ---

    def measure(self, game: Game) -> Numbers:
        """All that can be measured of a game that encodes; nothing where a code or a reconstruction is not finite."""
        if not (self.enough and isinstance(game, Encodes)):
            return {}
        codes = self.codes(game, self.held.x)
        numbers: Numbers = {}
        if isinstance(game, Reconstructs):
            again = self._again(game, self.held.x)
            if not bool(again.isfinite().all()):
                return {}
            numbers |= self._reconstructed(again)
            numbers["rec_gap"] = self._gap(game, numbers["rec_error"])
        if not np.isfinite(codes).all():
            return {}
        if self.held.y is not None:
            numbers |= self._probed(codes, self.codes(game, self.trained.x))
        drawn = self._drawn
        return numbers | ({} if drawn is None or drawn.shape[1] != codes.shape[1] else self._beside(drawn, game, codes))

    def _reconstructed(self, again: Tensor) -> Numbers:
        x, x_hat = self._numbers_of_x, self.counted(again)
        numbers = {"rec_error": reconstruction_error(x, x_hat), "rec_ratio": reconstruction_ratio(x, x_hat)}
        kept = self._class_kept(again)
        return numbers | ({} if kept is None else {"class_kept": kept}) | self._blur(again)

    def _gap(self, game: Reconstructs, held: float) -> float:
        some = self.trained.x[: len(self.held.x)]
        trained = reconstruction_error(self.counted(some), self.counted(self._again(game, some)))
        return held / trained if trained > 0 else 1.0

    def _blur(self, x: Tensor) -> Numbers:
        """Of images alone."""
        return {} if isinstance(self._source, MixtureSource) else sharpness(x.numpy())

    def _class_kept(self, again: Tensor) -> float | None:
        """The share of those x that are surely of a class; None where nothing tells classes."""
        if self._of_held is None:
            self._of_held = self._classes(self.held.x)
        of_x_hat = None if self._of_held is None else self._classes(again)
        return None if self._of_held is None or of_x_hat is None else class_kept(self._of_held, of_x_hat)

    def _classes(self, x: Tensor) -> np.ndarray | None:
        """The class or mode (n,) of each sample, -1 where it is surely of none."""
        source = self._source
        if isinstance(source, MixtureSource):
            if not source.num_modes:
                return None
            mode, distance = nearest_mode(self.counted(x), source.standardised(source.centers))
            return np.where(distance <= WITHIN * source.std[mode], mode, -1)
        classifier = self._classifier()
        if classifier is None:
            return None
        probabilities = classifier.probabilities(x)
        return np.where(probabilities.max(axis=1) >= UNSURE_BELOW, probabilities.argmax(axis=1), -1)

    def _classifier(self) -> FrozenClassifier | None:
        source = self._source
        return self._get_classifier(source) if isinstance(source, ImageSource) and source.judged is not None else None

    def _probed(self, codes: np.ndarray, trained: np.ndarray) -> Numbers:
        """How well the classes can be read from codes; nothing of samples without classes."""
        if self.held.y is None or self.trained.y is None:
            return {}
        both = trained, self.trained.y, codes, self.held.y
        return {"knn_accuracy": knn_accuracy(*both), "linear_accuracy": linear_accuracy(*both)}

    def _beside(self, drawn: Tensor, game: Encodes, codes: np.ndarray) -> Numbers:
        """Codes beside draws of the prior (n, code_dim)."""
        numbers: Numbers = {}
        if isinstance(game, EncodesToGaussians):
            codes, numbers = self._drawn_codes(game)
        spread = variances(codes)
        numbers |= {"code_variance_least": float(spread.min()), "code_variance_most": float(spread.max())}
        numbers["code_mmd2"] = code_mmd2(codes, drawn.numpy(), self._unit)
        if isinstance(game, Samples) and not self._asks_classes:
            z = drawn.to(self._config.device)
            back = torch.cat([game.encode(game.sample(some)) for some in z.split(SAMPLES_AT_ONCE)]).cpu().numpy()
            if np.isfinite(back).all():
                numbers["code_correlation"] = code_correlation(drawn.numpy(), back)
        return numbers

    def _drawn_codes(self, game: EncodesToGaussians) -> tuple[np.ndarray, Numbers]:
        """One draw of the code of each sample, always by the same noise; and the KL of each dimension."""
        mean, log_variance = (part.cpu() for part in game.posterior(self.held.x.to(self._config.device)))
        noise = torch.randn(mean.shape, generator=Streams(0).generator("codes", "posterior"))
        kl = gaussian_kl(mean.numpy(), log_variance.numpy())
        numbers = {"active_dimensions": float((kl > ACTIVE).sum())}
        if len(kl) <= MOST_DIMENSIONS:
            numbers |= {f"code_kl_{index}": float(value) for index, value in enumerate(kl, start=1)}
        return (mean + (log_variance / 2).exp() * noise).numpy(), numbers

    # --- what it is compared with ---

    def reference(self) -> dict[str, Any]:
        """Parts of a reference: ``floors``, ``sizes``, ``lacking``, and ``beside``, what else a column is read beside."""
        if not self.enough:
            return {"lacking": dict.fromkeys(("rec_error", "knn_accuracy", "code_mmd2"), TOO_FEW)}
        fresh = build(self._config, self._source)
        beside: dict[str, dict[str, float]] = {}
        known: Numbers = {}
        sizes: dict[str, int] = {}
        if isinstance(fresh, Encodes) and isinstance(fresh, Reconstructs):
            known |= {"class_kept": 1.0, "rec_gap": 1.0} | self._blur(self.held.x)
            beside |= {"rec_error": self._errors(fresh), "rec_ratio": {"independent of x": 1.0}}
            sizes |= dict.fromkeys((*known, *beside), len(self.held.x))
        if isinstance(fresh, Encodes) and self.held.y is not None:
            probes = self._probed(self.codes(fresh, self.held.x), self.codes(fresh, self.trained.x))
            raw = self._probed(self._numbers_of_x, self.counted(self.trained.x))
            what = "coordinates" if isinstance(self._source, MixtureSource) else "raw pixels"
            beside |= {name: {what: raw[name], "untrained encoder": probes[name]} for name in probes}
            sizes |= dict.fromkeys(probes, len(self.held.x))
        if self.prior is not None and self._drawn is not None:
            known |= self._of_prior(self.prior, self._drawn.numpy())
            sizes |= dict.fromkeys(("code_mmd2", "code_variance_least", "code_variance_most", "code_correlation"), HELD)
        if isinstance(fresh, EncodesToGaussians):
            beside["active_dimensions"] = {"dimensions of the code": float(self.codes(fresh, self.held.x[:2]).shape[1])}
        return {"floors": known, "beside": beside, "sizes": sizes}

    def _errors(self, game: Encodes) -> dict[str, float]:
        n = LINEAR if self._numbers_of_x.shape[1] <= FEW_NUMBERS else TRAINED
        train = self.counted(samples_of(self._source, n, heldout=False).x)
        length = self.codes(game, self.held.x[:2]).shape[1]
        said = f"{length} principal components" if length > 1 else "1 principal component"
        middle = "mean of the data" if isinstance(self._source, MixtureSource) else "mean image"
        return {
            middle: mean_error(train, self._numbers_of_x),
            said: principal_error(train, self._numbers_of_x, length),
        }

    def _of_prior(self, prior: Prior, own: np.ndarray) -> Numbers:
        """What as many draws of the prior read beside others; of the MMD, which may be below 0, the farthest from it."""
        draws = [prior(HELD, Streams(seed).generator("codes", "floor")).numpy() for seed in range(FLOOR_LOOKS)]
        spreads = [variances(draw) for draw in draws]
        least = floors({"code_variance_least": float(v.min()), "code_variance_most": float(v.max())} for v in spreads)
        return least | {"code_mmd2": max(abs(code_mmd2(draw, own, self._unit)) for draw in draws)}

    # --- units ---

    def counted(self, x: Tensor) -> np.ndarray:
        """Samples as their errors are counted (n, d): pixels from 0 to 1, points in data units."""
        if isinstance(self._source, MixtureSource):
            return self._source.standardised(self._source.to_data(x.cpu().numpy()))
        white: np.ndarray = ((x.cpu() + 1) / 2).flatten(1).numpy()
        return white

    def codes(self, game: Encodes, x: Tensor) -> np.ndarray:
        parts = [game.encode(some.to(self._config.device)).cpu() for some in x.split(SAMPLES_AT_ONCE)]
        codes: np.ndarray = torch.cat(parts).flatten(1).numpy()
        return codes

    def _again(self, game: Reconstructs, x: Tensor) -> Tensor:
        return torch.cat([game.reconstruct(some.to(self._config.device)).cpu() for some in x.split(SAMPLES_AT_ONCE)])
