"""Where a part of the catalogue is written: file, line and text, read from the code that runs."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

from gan_core.config import OBJECTIVES
from gan_core.losses import LOSSES
from gan_core.metrics import METRICS
from gan_core.metrics.random_cards import COVERAGE, FRECHET, PRECISION, RECALL
from gan_core.models import ARCHITECTURES, minibatch, normalize_spectrally, pack
from gan_core.models.autoencoder import Autoencoder
from gan_core.regularizers import PENALTIES, clip_weights
from gan_core.training import GAMES, take_turn
from gan_core.training.augmenting import augmented, next_share
from gan_core.training.averaging import follow
from gan_core.training.games import AdversarialGame
from gan_core.training.timetable import instance_noise, share_of_rate
from gan_core.training.unroll import look_ahead

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class SourceCode:
    """``name`` of the definition, ``path`` relative to the repository, its first ``line``, and its ``text``."""

    name: str
    path: str
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


# The entry of a trick or a metric is a card; this is what does it.
_TRICK_CODE: dict[str, tuple[Any, ...]] = {
    "spectral_norm": (normalize_spectrally,),
    "packing": (pack,),
    "minibatch_stddev": (minibatch.MinibatchStddev,),
    "minibatch_discrimination": (minibatch.MinibatchDiscrimination,),
    "autoencoder": (Autoencoder,),
    "label_smoothing": (AdversarialGame._d_adversarial,),
    "label_flipping": (AdversarialGame._d_adversarial,),
    "instance_noise": (instance_noise, AdversarialGame._seen),
    "feature_matching": (AdversarialGame._feature_distance,),
    "unrolled": (look_ahead,),
    "ema": (follow,),
    "diffaugment": (augmented, AdversarialGame._seen),
    "adaptive_augmentation": (next_share, AdversarialGame._adapt),
    "lazy_regularization": (AdversarialGame._penalty_factor,),
    "lr_schedule": (share_of_rate,),
    "gradient_clipping": (take_turn,),
}
_METRIC_CODE = {
    "precision": "precision_recall_density_coverage",
    "recall": "precision_recall_density_coverage",
    "density": "precision_recall_density_coverage",
    "coverage": "precision_recall_density_coverage",
    "wasserstein": "wasserstein_1d",
    "mean": "moments",
    "std": "moments",
    "skew": "moments",
    "kurtosis": "moments",
    "code_of_real": "code_agreement",
    "kmeans_of_real": "code_agreement",
    FRECHET: "frechet_distance",
    **dict.fromkeys((PRECISION, RECALL, COVERAGE), "precision_recall_density_coverage"),
    "sample_grey_share": "grey_share",
    "sample_laplacian_variance": "laplacian_variance",
    "rec_error": "reconstruction_error",
    "rec_gap": "reconstruction_error",
    "rec_ratio": "reconstruction_ratio",
    "code_variance_least": "variances",
    "code_variance_most": "variances",
    "active_dimensions": "gaussian_kl",
    "target_class": "label_accuracy",
    "never_shown_accuracy": "label_accuracy",
    "target_frechet": "frechet_distance",
    "consistency": "absolute_error",
    **dict.fromkeys(("from_half_frechet", "from_quarter_frechet"), "frechet_distance"),
    **dict.fromkeys(("from_half_class", "from_quarter_class"), "label_accuracy"),
    "translated_class": "label_accuracy",
    "translated_class_back": "label_accuracy",
    "cycle_error_back": "cycle_error",
}
_METRIC_MODULES = (
    *("histograms", "modes", "divergences", "distances", "moments", "neighbors", "diversity", "densities"),
    *("matching", "codes", "translation", "cycles", "overfitting"),
)


def source_code(kind: str, name: str) -> tuple[SourceCode, ...]:
    """The definitions behind one entry of the catalogue, its own entry first where that says something."""
    return _SOURCES[kind](name)


def definition(thing: Any) -> SourceCode:
    """Where a function or class is written. Raises OSError or TypeError for what is not written in Python."""
    while isinstance(thing, partial):
        thing = thing.func
    thing = inspect.unwrap(thing)
    lines, line = inspect.getsourcelines(thing)
    return SourceCode(
        thing.__qualname__, _relative(inspect.getsourcefile(thing)), line, dedent("".join(lines)).rstrip()
    )


def entry(module: str, registry: str, key: str) -> SourceCode | None:
    """Where the entry ``key`` of a registry, a dict literal, is written; None where it was added in another way."""
    path, text, tree = _parsed(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and _belongs_to(node, registry, tree):
            for at, value in zip(node.keys, node.values, strict=True):
                if isinstance(at, ast.Constant) and at.value == key:
                    lines = text.splitlines()[at.lineno - 1 : value.end_lineno]
                    return SourceCode(f"{registry}[{key!r}]", path, at.lineno, dedent("\n".join(lines)))
    return None


def _belongs_to(node: ast.Dict, registry: str, tree: ast.Module) -> bool:
    """Whether ``node`` is the dict literal of ``registry``, alone or as what a class of registries is made from."""
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign | ast.Assign):
            target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
            if isinstance(target, ast.Name) and target.id == registry:
                value = statement.value
                return any(node is part for part in (value.args if isinstance(value, ast.Call) else [value]))
    return False


@cache
def _parsed(module: str) -> tuple[str, str, ast.Module]:
    file = sys.modules[module].__file__ if module in sys.modules else import_module(module).__file__
    assert file is not None
    text = Path(file).read_text()
    return _relative(file), text, ast.parse(text)


def _relative(file: str | None) -> str:
    path = Path(file or "").resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def _entry_and(
    registries: Mapping[str, str], code: Callable[[str], tuple[Any, ...]]
) -> Callable[[str], tuple[SourceCode, ...]]:
    """The entry in one of the ``registries``, each by its module, and what ``code`` names."""

    def both(name: str) -> tuple[SourceCode, ...]:
        own = [found for module, registry in registries.items() if (found := entry(module, registry, name))]
        return (*own, *map(definition, code(name)))

    return both


def _code_of_loss(name: str) -> tuple[Any, ...]:
    loss = LOSSES[name]
    return (loss.d_loss, loss.g_loss, *([loss.remember] if loss.remember else []))


def _code_of_objective(name: str) -> tuple[Any, ...]:
    objective: Mapping[str, Any] = OBJECTIVES[name].settings["objective"]
    penalties = tuple(PENALTIES[penalty].measure for penalty in objective.get("penalties", {}))
    return (*_code_of_loss(objective["loss"]), *penalties, *([clip_weights] if objective.get("clip_value") else []))


def _code_of_regularizer(name: str) -> tuple[Any, ...]:
    return (clip_weights,) if name == "weight_clipping" else (PENALTIES[name].measure,)


def _code_of_metric(name: str) -> tuple[Any, ...]:
    function = _METRIC_CODE.get(name, name)
    modules = [import_module(f"gan_core.metrics.{module}") for module in _METRIC_MODULES]
    return tuple(getattr(module, function) for module in modules if hasattr(module, function))[:1]


_SOURCES: dict[str, Callable[[str], tuple[SourceCode, ...]]] = {
    "games": lambda name: (definition(GAMES[name].build),),
    "objectives": _entry_and({"gan_core.config.gan.objectives": "OBJECTIVES"}, _code_of_objective),
    "losses": lambda name: tuple(map(definition, _code_of_loss(name))),
    "regularizers": lambda name: tuple(map(definition, _code_of_regularizer(name))),
    "tricks": _entry_and({"gan_core.config.gan.tricks": "TRICKS"}, lambda name: _TRICK_CODE.get(name, ())),
    "architectures": lambda name: (
        definition(ARCHITECTURES[name].generator),
        definition(ARCHITECTURES[name].discriminator),
    ),
    "datasets": _entry_and({"gan_core.data": "DATASETS"}, lambda name: ()),
    "metrics": _entry_and(
        {
            "gan_core.metrics": "METRICS",
            "gan_core.metrics.code_cards": "CODE_METRICS",
            "gan_core.metrics.sharpness_cards": "SHARPNESS",
            "gan_core.metrics.translation_cards": "TRANSLATION_METRICS",
            "gan_core.metrics.pyramid_cards": "PYRAMID_METRICS",
            "gan_core.metrics.cycle_cards": "CYCLE_METRICS",
            "gan_core.metrics.random_cards": "RANDOM_METRICS",
            "gan_core.metrics.few_cards": "FEW_METRICS",
        },
        lambda name: _code_of_metric(name) if name in METRICS else (),
    ),
}
