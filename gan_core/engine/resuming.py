"""Going on with every run that a crash or a shutdown interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field

from gan_core.config import ConfigError
from gan_core.engine.lab import Lab, Refused
from gan_core.intake.errors import DataError
from gan_core.store import RunRecord, RunStore, StoreError


@dataclass(frozen=True)
class Resumed:
    """The runs that go on, oldest first, and those that do not, each with the reason in a sentence."""

    gone_on: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def interrupted(store: RunStore) -> list[RunRecord]:
    """The runs that were interrupted, oldest first."""
    found = [run for run in store.runs() if isinstance(run, RunRecord) and run.status == "interrupted"]
    return found[::-1]


def resume_interrupted(lab: Lab) -> Resumed:
    """Go on with all of them, those of a comparison together. One that cannot go on holds up no other."""
    resumed = Resumed()
    waiting = [run.id for run in interrupted(lab.store)]
    for comparison in lab.store.comparisons():
        members = [member.run for member in comparison.members if member.run in waiting]
        if len(members) > 1:
            lab.keep_pace(comparison.id)
    for run_id in waiting:
        try:
            lab.resume(run_id)
            resumed.gone_on.append(run_id)
        except (Refused, StoreError, ConfigError, DataError) as error:
            resumed.refused[run_id] = str(error)
    return resumed
