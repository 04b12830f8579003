"""What a running job tells the lab, and what the lab may ask of it. Plain values only: they may cross a process border."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from gan_core.config import RunConfig


@dataclass(frozen=True)
class Turned:
    """Knobs stand at these values from the round after ``round`` on; ``told`` if that is on record already."""

    round: int
    values: dict[str, float]
    told: bool = False


@dataclass(frozen=True)
class Job:
    """A run to be trained; ``config`` is resolved, ``resume_from`` a checkpoint's file or None for the beginning.

    ``measured_at`` is the round of the last measurement that is on record: it is not recorded twice. ``knobs`` will be
    turned at their rounds, in order. ``until`` is a round at which it stops, whatever its clock says.
    """

    run_id: str
    config: RunConfig
    checkpoint_dir: Path
    resume_from: Path | None = None
    measured_at: int | None = None
    knobs: tuple[Turned, ...] = ()
    until: int | None = None


@dataclass(frozen=True)
class Rows:
    """Rows of a track: ``rounds`` (n,) int64, ``values`` (n, c) float32."""

    track: str
    columns: tuple[str, ...]
    rounds: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class ClassGrid:
    """Samples by class, or by a category of z: ``images`` uint8 (classes, columns, C, H, W), the noise of a column the same
    in every row. ``rows`` says of which the indices ``classes`` are."""

    images: np.ndarray
    classes: tuple[int, ...]
    rows: Literal["class", "code"] = "class"


@dataclass(frozen=True)
class Push:
    """Where G's loss pushes each pixel of the first samples: ``images`` uint8 (n, 1, H, W); 128 is no push, 255 is ``largest``
    towards lighter, 1 the same towards darker."""

    images: np.ndarray
    largest: float


@dataclass(frozen=True)
class Sheet:
    """Pictures in rows and columns: ``images`` uint8 (rows, columns, C, H, W), what heads each column, and a note."""

    images: np.ndarray
    heads: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Made:
    """A part that is ready to be kept: the bytes of its file, uint8 (n,), and what is said of it besides the file's name."""

    ending: Literal["png", "json"]
    content: np.ndarray
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """What was seen at one round: parts by name, JSON-able except samples (an array, a ClassGrid or a Sheet) and a Push, which
    become artefacts, as what is Made does.

    ``measuring`` is what measuring has taken so far, as a share of training.
    """

    round: int
    parts: dict[str, Any]
    measuring: float = 0.0


@dataclass(frozen=True)
class Note:
    """Something that happened at a round, such as a checkpoint."""

    round: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """The job is now ``running`` or ``paused``; ``why`` is a sentence where nobody asked for it."""

    state: Literal["running", "paused"]
    round: int
    why: str = ""


@dataclass(frozen=True)
class Moment:
    """What just happened in a run that is played turn by turn; it is shown, not kept."""

    text: str


@dataclass(frozen=True)
class Beat:
    """The job goes on, and has nothing else to say."""


EndState = Literal["finished", "stopped", "failed", "diverged", "interrupted"]


@dataclass(frozen=True)
class Ended:
    """The last message of a job. ``summary`` holds its ``seconds``, ``metrics`` and ``state_hash`` where it has them."""

    state: EndState
    round: int
    message: str = ""
    traceback: str = ""
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Keep:
    """Ask a job to keep what it was at its last look before round ``before``, and to say what for."""

    before: int
    reason: str


Message = Rows | Sight | Note | State | Moment | Beat | Ended


@dataclass(frozen=True)
class Knobs:
    """A command: go on with these dotted settings at these values."""

    values: dict[str, float]


@dataclass(frozen=True)
class StepOf:
    """A command: play to the end of this player's next turn."""

    player: str


CommandKind = Literal["pause", "resume", "stop", "interrupt", "sample", "checkpoint", "birthday", "step_round"]
Step = Literal["step_round"] | StepOf
Command = CommandKind | StepOf | Knobs | Keep
COMMANDS: tuple[CommandKind, ...] = get_args(CommandKind)
