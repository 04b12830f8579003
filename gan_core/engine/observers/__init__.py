"""Looking at a game: what it makes of inputs that never change, and the measurements of that.

Never moves a weight and never draws from the run's own streams: looking at a run does not change it.
"""

from __future__ import annotations

from gan_core.config import RunConfig
from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.data import ImageSource, Source, StackedSource
from gan_core.engine.observers.base import Blind, GetClassifier, Observer, Unmeasured
from gan_core.engine.observers.categories import CategoryObserver, with_categories
from gan_core.engine.observers.cycled import CycledObserver, cycled
from gan_core.engine.observers.encoded import EncodedObserver
from gan_core.engine.observers.images import ImageObserver, StackedObserver, stack_modes
from gan_core.engine.observers.points import CloudObserver, CombObserver, LineObserver, PlaneObserver
from gan_core.engine.observers.stairs import StairsObserver, with_stairs
from gan_core.engine.observers.translated import TranslatedObserver, translated
from gan_core.training import GAMES

__all__ = [
    "Blind",
    "CategoryObserver",
    "CloudObserver",
    "CombObserver",
    "CycledObserver",
    "EncodedObserver",
    "GetClassifier",
    "ImageObserver",
    "LineObserver",
    "Observer",
    "PlaneObserver",
    "StackedObserver",
    "StairsObserver",
    "TranslatedObserver",
    "Unmeasured",
    "observer_for",
    "stack_modes",
]


def observer_for(config: RunConfig, source: Source, classifier: GetClassifier) -> Observer:
    """The observer of a resolved config's data, of its codes, of its outputs, of the categories of its prior, if it has any."""
    if isinstance(config, CycleganConfig):
        return cycled(config, source, classifier, _of_data)
    declared, observer = GAMES[config.game], _of_data(config, source, classifier)
    if "encode" in declared.abilities:
        observer = EncodedObserver(observer, config, source, classifier)
    observer = translated(observer, config, source, classifier)
    observer = with_stairs(observer, config, source, classifier)
    return with_categories(observer, config, declared.latent(config), source, classifier)


def _of_data(config: RunConfig, source: Source, classifier: GetClassifier) -> Observer:
    if isinstance(source, ImageSource):
        return ImageObserver(config, source, classifier)
    if isinstance(source, StackedSource):
        return StackedObserver(config, source, classifier)
    if source.shape == (1,):
        return CombObserver(config, source) if source.num_modes > 1 else LineObserver(config, source)
    return PlaneObserver(config, source) if source.has_modes else CloudObserver(config, source)
