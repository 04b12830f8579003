"""The engine from Python: ``from gan_core import RunConfig, train``."""

from __future__ import annotations

from gan_core.api.asking import along, copying, disentangle, encode, hidden, interpolate, translate, traverse
from gan_core.api.comparing import ComparisonResult, compare, follow_comparison
from gan_core.api.runs import Result, follow, fork, read_result, resume, train
from gan_core.api.stores import delete, deleted, purge, restore_run
from gan_core.api.studies import read_study, resume_study, study
from gan_core.engine import prepare_classifier
from gan_core.engine.exchange.bringing import bring_pictures, bring_table
from gan_core.engine.studies.results import StudyResult

__all__ = [
    "ComparisonResult",
    "Result",
    "StudyResult",
    "along",
    "bring_pictures",
    "bring_table",
    "compare",
    "copying",
    "delete",
    "deleted",
    "disentangle",
    "encode",
    "follow",
    "follow_comparison",
    "fork",
    "hidden",
    "interpolate",
    "prepare_classifier",
    "purge",
    "read_result",
    "read_study",
    "restore_run",
    "resume",
    "resume_study",
    "study",
    "train",
    "translate",
    "traverse",
]
