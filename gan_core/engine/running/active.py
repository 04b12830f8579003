"""A run that is queued or trains here: its job, what its viewers see, and who writes it down."""

from __future__ import annotations

from dataclasses import dataclass

from gan_core.engine.messages import Job
from gan_core.engine.showing.live import LiveView
from gan_core.engine.showing.recorder import Recorder


class Refused(RuntimeError):
    """What was asked for cannot be done with this run now; ``str()`` is one sentence."""


@dataclass
class ActiveRun:
    """``notice`` is what should be known of the run as long as it goes on."""

    job: Job
    view: LiveView
    recorder: Recorder
    notice: str = ""
    paused_for: str = ""  # why the lab itself paused it
    started: bool = False
    ended: bool = False

    @property
    def training(self) -> bool:
        return self.started and not self.ended

    @property
    def paused(self) -> bool:
        return self.view.state == "paused"

    @property
    def told(self) -> str:
        """What should be known of it as long as nothing is wrong with it."""
        return self.recorder.why or self.paused_for or self.notice
