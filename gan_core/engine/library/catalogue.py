"""Everything that can be chosen, as torch-free values for forms and cards."""

from __future__ import annotations

from dataclasses import dataclass, field

from gan_core.about import About
from gan_core.config import OBJECTIVES, SETTINGS, TRICKS
from gan_core.data import DATASETS, shelf
from gan_core.losses import LOSSES
from gan_core.metrics import METRICS
from gan_core.metrics.few_cards import FEW_METRICS
from gan_core.metrics.random_cards import RANDOM_METRICS
from gan_core.models import ARCHITECTURES
from gan_core.regularizers import PENALTIES, WEIGHT_CLIPPING

WITHOUT_LABELS = tuple(RANDOM_METRICS)
"""What compares pictures without classes with real ones."""
OF_FEW = tuple(FEW_METRICS)
"""What is watched besides where pictures are few."""


@dataclass(frozen=True)
class Option:
    """One number that a part lets be chosen."""

    name: str
    label: str
    default: int | float
    least: float
    most: float


@dataclass(frozen=True)
class Choice:
    """One entry of a registry.

    For data: ``kind`` is how samples are shown, ``counted`` whether they fall into classes or modes, ``withholds`` whether some
    of these are never shown in training, ``missing`` a sentence where the files are not on
    this machine, ``download_size`` what fetching them takes, in bytes (0: cannot be fetched).
    """

    name: str
    about: About
    options: tuple[Option, ...] = field(default=())
    kind: str = ""
    counted: bool = False
    withholds: bool = False
    missing: str | None = None
    download_size: int = 0


def catalogue() -> dict[str, dict[str, Choice]]:
    """The registries by kind, each in its own order."""
    penalties = {
        name: Choice(name, penalty.about, (Option("weight", penalty.symbol, penalty.default, 0.0, 1e6),))
        for name, penalty in PENALTIES.items()
    }
    losses = {
        name: Choice(
            name,
            loss.about,
            tuple(Option(key, o.symbol, o.default, o.least, o.most) for key, o in loss.options.items()),
        )
        for name, loss in LOSSES.items()
    }
    return {
        "objectives": {name: Choice(name, recipe.about) for name, recipe in OBJECTIVES.items()},
        "losses": losses,
        "regularizers": penalties | {"weight_clipping": Choice("weight_clipping", WEIGHT_CLIPPING)},
        "tricks": {name: Choice(name, trick.about) for name, trick in TRICKS.items()},
        "architectures": {name: Choice(name, architecture.about) for name, architecture in ARCHITECTURES.items()},
        "datasets": {name: data_choice(name) for name in data_names()},
        "metrics": {name: Choice(name, metric.about) for name, metric in METRICS.items()},
        "games": {name: Choice(name, settings.ABOUT) for name, settings in SETTINGS.items()},
    }


def data_names() -> list[str]:
    """All data sets: the registered ones in their order, then people's own, newest first."""
    return [*DATASETS, *(card.name for card in shelf.shelf())]


def data_choice(name: str) -> Choice:
    """One data set, also one of somebody's own that is not there any more. KeyError for a name that is neither."""
    dataset = DATASETS[name]
    options = tuple(Option(key, key, value, *dataset.bounds[key]) for key, value in dataset.options.items())
    kinds = dataset.kind, dataset.counted, dataset.withholds
    return Choice(name, dataset.about, options, *kinds, dataset.missing(), dataset.download_size)
