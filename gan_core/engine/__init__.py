"""The engine: runs that belong to a process, recorded and watched, whatever started them."""

from __future__ import annotations

import threading
from pathlib import Path

from gan_core.data.places import use_store
from gan_core.data.shelf import Own
from gan_core.engine.exchange.brought import Seen
from gan_core.engine.exchange.chores import Chore, Chores, TableView
from gan_core.engine.exchange.film import film
from gan_core.engine.lab import Lab, Refused, prepare_classifier
from gan_core.engine.library.cards import Card, beginning_with, card, changes_for
from gan_core.engine.library.catalogue import Choice, Option, catalogue, data_choice
from gan_core.engine.library.datasets import DatasetFacts, dataset_facts
from gan_core.engine.library.describe import Forecast, Traits, advice, describe, forecast, traits, warm_up
from gan_core.engine.library.forecasts import Pace, expected, expected_of_all, in_words, learned, measured, training_now
from gan_core.engine.library.previews import preview
from gan_core.engine.messages import COMMANDS, CommandKind, StepOf
from gan_core.engine.remote.connection import Seen as ClusterSeen
from gan_core.engine.resuming import Resumed, interrupted, resume_interrupted
from gan_core.engine.running.executors import SETTINGS
from gan_core.engine.showing.live import LiveView
from gan_core.intake.decode import BACKGROUNDS, FITS, Fit
from gan_core.intake.errors import DataError
from gan_core.intake.kinds import KINDS
from gan_core.intake.layout import Level
from gan_core.intake.matching import PAIRS
from gan_core.intake.pictures import MIN_IMAGES
from gan_core.models import LayerRow
from gan_core.store import default_root

_current: Lab | None = None
_lock = threading.Lock()


def open_lab(root: Path | str | None = None) -> Lab:
    """The process's lab, opened on the first call. It lives on this module: pages and caches may come and go."""
    global _current
    with _lock:
        if _current is None:
            _current = Lab(default_root() if root is None else root, serving=True)
        return _current


def current_lab() -> Lab:
    """The lab that ``open_lab`` opened. Raises RuntimeError if none is open."""
    if _current is None:
        raise RuntimeError("no lab is open: start the application with `streamlit run app.py`")
    return _current


def close_lab(timeout: float = 9.0) -> None:
    """Close the process's lab, if one is open."""
    global _current
    with _lock:
        lab, _current = _current, None
    if lab is not None:
        lab.close(timeout)


__all__ = [
    "BACKGROUNDS",
    "COMMANDS",
    "FITS",
    "KINDS",
    "MIN_IMAGES",
    "PAIRS",
    "SETTINGS",
    "Card",
    "Choice",
    "Chore",
    "Chores",
    "ClusterSeen",
    "CommandKind",
    "DataError",
    "DatasetFacts",
    "Fit",
    "Forecast",
    "Lab",
    "LayerRow",
    "Level",
    "LiveView",
    "Option",
    "Own",
    "Pace",
    "Refused",
    "Resumed",
    "Seen",
    "StepOf",
    "TableView",
    "Traits",
    "advice",
    "beginning_with",
    "card",
    "catalogue",
    "changes_for",
    "close_lab",
    "current_lab",
    "data_choice",
    "dataset_facts",
    "default_root",
    "describe",
    "expected",
    "expected_of_all",
    "film",
    "forecast",
    "in_words",
    "interrupted",
    "learned",
    "measured",
    "open_lab",
    "prepare_classifier",
    "preview",
    "resume_interrupted",
    "training_now",
    "traits",
    "use_store",
    "warm_up",
]
