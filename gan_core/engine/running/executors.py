"""Where jobs run: what every executor answers, and threads. Worker processes are in ``processes``; the trainer knows
neither.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Generic, Literal, Protocol, TypeVar, get_args

import torch

from gan_core.config import ConfigError, Problem, nearest
from gan_core.engine.environment import INTRA_OP_THREADS, compute_on_one_thread
from gan_core.engine.messages import Command, Job, Message
from gan_core.engine.observers import GetClassifier
from gan_core.engine.running.lockstep import UNLIMITED
from gan_core.engine.running.mailbox import Inbox, Outbox
from gan_core.engine.running.runner import run_job

ABANDON_SECONDS = 0.5  # what a job gets to end its turn, once there is no time left for its round

HowFar = Callable[[str, int], int]  # Lockstep.how_far
Kind = Literal["thread", "process", "ray"]
Setting = Kind | Literal["auto"]
SETTINGS: tuple[Setting, ...] = (*get_args(Kind), "auto")


def setting_of(given: str | None, ray: str | None = None) -> Setting:
    """Where jobs shall run: what is given, else on the cluster ``ray`` or ``GANSCOPE_RAY``, else ``GANSCOPE_EXECUTOR``, else
    auto. Raises ConfigError for another word."""
    elsewhere = "ray" if ray or (not given and os.environ.get("GANSCOPE_RAY")) else None
    wanted = given or elsewhere or os.environ.get("GANSCOPE_EXECUTOR") or "auto"
    for setting in SETTINGS:
        if wanted == setting:
            return setting
    raise ConfigError([Problem("executor", f"unknown executor {wanted[:80]!r}{nearest(wanted[:80], SETTINGS)}")])


class Executor(Protocol):
    def submit(self, job: Job) -> None:
        """Begin a job. Never waits; raises RuntimeError where the system gives no more threads."""
        ...

    def poll(self, run_id: str) -> list[Message]:
        """The messages since the last poll; after ``Ended`` there are none."""
        ...

    def command(self, run_id: str, command: Command) -> None: ...
    def nudge(self, run_id: str) -> None:
        """Tell a job that the last answer of its lock-step is out of date, so that it asks again; unknown jobs are ignored."""
        ...

    def alive(self, run_id: str) -> bool: ...
    def starting(self, run_id: str) -> bool:
        """Whether the process or thread of a job is still being started."""
        ...

    def lane(self, run_id: str) -> object:
        """The name of the process or thread that a job computes in; the jobs of one lane compute one at a time."""
        ...

    def waits_for(self, run_id: str) -> str:
        """What a job that does not train yet, or not now, waits for on a cluster; "" where there is nothing to say."""
        ...

    def where(self, run_id: str) -> str:
        """The node on which a job trains, "" for this machine."""
        ...

    def comes_back(self, run_id: str) -> bool:
        """Whether a job has ended only because what it ran in was lost, and is to go on elsewhere."""
        ...

    def stack(self, run_id: str) -> str:
        """Stack traces of the job's threads (of its process, if it has one); "" without such a job."""
        ...

    def kill(self, run_id: str, message: str) -> bool:
        """End a job whatever it does, as ``stopped`` for this reason; False where that cannot be done.

        Others in its process have a moment to save, and are interrupted.
        """
        ...

    def forget(self, run_id: str) -> None:
        """Forget a job that has ended, or was never submitted."""
        ...

    def close(self, timeout: float) -> list[str]:
        """Interrupt every job and wait; returns the runs that did not end in time."""
        ...


class RunningJob(Protocol):
    """A job that runs, as its executor sees it."""

    outbox: Outbox

    @property
    def alive(self) -> bool: ...
    def join(self, timeout: float) -> None: ...
    def command(self, command: Command) -> None: ...
    def nudge(self) -> None: ...
    def abandon(self) -> None: ...
    def stack(self) -> str: ...


J = TypeVar("J", bound=RunningJob)


class Jobs(Generic[J]):
    """What an executor answers, whatever its jobs run in."""

    def __init__(self) -> None:
        self._jobs: dict[str, J] = {}

    def poll(self, run_id: str) -> list[Message]:
        job = self._jobs.get(run_id)
        return job.outbox.drain() if job is not None else []

    def command(self, run_id: str, command: Command) -> None:
        self._jobs[run_id].command(command)

    def nudge(self, run_id: str) -> None:
        if (job := self._jobs.get(run_id)) is not None:
            job.nudge()

    def alive(self, run_id: str) -> bool:
        job = self._jobs.get(run_id)
        return job is not None and job.alive

    def lane(self, run_id: str) -> object:
        return run_id

    def waits_for(self, run_id: str) -> str:
        return ""

    def where(self, run_id: str) -> str:
        return ""

    def comes_back(self, run_id: str) -> bool:
        return False

    def stack(self, run_id: str) -> str:
        job = self._jobs.get(run_id)
        return job.stack() if job is not None else ""

    def abandon(self, run_id: str) -> None:
        """Stop waiting for this job."""
        if (job := self._jobs.get(run_id)) is not None:
            job.abandon()

    def kill(self, run_id: str, message: str) -> bool:
        return False

    def forget(self, run_id: str) -> None:
        self._jobs.pop(run_id, None)

    def close(self, timeout: float) -> list[str]:
        return list(self._interrupt(timeout))

    def _interrupt(self, timeout: float) -> dict[str, J]:
        """Have all jobs save and end; returns those that did not in time, and were abandoned."""
        deadline = time.monotonic() + timeout
        jobs = dict(self._jobs)
        for job in jobs.values():
            job.command("interrupt")
        for job in jobs.values():
            job.join(max(0.0, deadline - time.monotonic()))
        # A round may take longer than there is time; a process that exits amid a turn is aborted by torch.
        late = {run_id: job for run_id, job in jobs.items() if job.alive}
        for job in late.values():
            job.abandon()
        for job in late.values():
            job.join(ABANDON_SECONDS)
        return late


class ThreadExecutor(Jobs["_ThreadJob"]):
    """One daemon thread per job, in this process. ``wake`` is called when a job has changed its state; ``how_far`` says to
    what round a job that has played so many may play.
    """

    def __init__(
        self,
        classifier: GetClassifier,
        wake: Callable[[], None] = lambda: None,
        how_far: HowFar = lambda run_id, played: UNLIMITED,
    ) -> None:
        super().__init__()
        self._classifier = classifier
        self._wake = wake
        self._how_far = how_far
        compute_on_one_thread()

    def submit(self, job: Job) -> None:
        self._jobs[job.run_id] = _ThreadJob(job, self._classifier, self._wake, self._how_far)

    def starting(self, run_id: str) -> bool:
        return False


class _ThreadJob:
    def __init__(self, job: Job, classifier: GetClassifier, wake: Callable[[], None], how_far: HowFar) -> None:
        self.inbox, self.outbox = Inbox(), Outbox(wake)
        self._thread = threading.Thread(
            target=self._run, args=(job, classifier, how_far), name=f"run-{job.run_id}", daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def command(self, command: Command) -> None:
        self.inbox.put(command)

    def nudge(self) -> None:
        self.inbox.nudge()

    def abandon(self) -> None:
        self.inbox.abandon()

    def stack(self) -> str:
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame is not None else ""

    def _run(self, job: Job, classifier: GetClassifier, how_far: HowFar) -> None:
        torch.set_num_threads(INTRA_OP_THREADS)

        def may_play(run_id: str, played: int) -> bool:
            return how_far(run_id, played) > played

        run_job(job, self.inbox, self.outbox, classifier, may_play)


class ChosenExecutor:
    """Several executors as one; ``choose`` says where a job runs."""

    def __init__(self, executors: Mapping[Kind, Executor], choose: Callable[[Job], Kind]) -> None:
        self._executors = executors
        self._choose = choose
        self._chosen: dict[str, Executor] = {}

    def submit(self, job: Job) -> None:
        chosen = self._executors[self._choose(job)]
        chosen.submit(job)
        self._chosen[job.run_id] = chosen

    def poll(self, run_id: str) -> list[Message]:
        chosen = self._chosen.get(run_id)
        return chosen.poll(run_id) if chosen is not None else []

    def command(self, run_id: str, command: Command) -> None:
        self._chosen[run_id].command(run_id, command)

    def nudge(self, run_id: str) -> None:
        chosen = self._chosen.get(run_id)
        if chosen is not None:
            chosen.nudge(run_id)

    def alive(self, run_id: str) -> bool:
        chosen = self._chosen.get(run_id)
        return chosen is not None and chosen.alive(run_id)

    def starting(self, run_id: str) -> bool:
        chosen = self._chosen.get(run_id)
        return chosen is not None and chosen.starting(run_id)

    def lane(self, run_id: str) -> object:
        chosen = self._chosen.get(run_id)
        return chosen.lane(run_id) if chosen is not None else run_id

    def waits_for(self, run_id: str) -> str:
        chosen = self._chosen.get(run_id)
        return chosen.waits_for(run_id) if chosen is not None else ""

    def where(self, run_id: str) -> str:
        chosen = self._chosen.get(run_id)
        return chosen.where(run_id) if chosen is not None else ""

    def comes_back(self, run_id: str) -> bool:
        chosen = self._chosen.get(run_id)
        return chosen is not None and chosen.comes_back(run_id)

    def stack(self, run_id: str) -> str:
        chosen = self._chosen.get(run_id)
        return chosen.stack(run_id) if chosen is not None else ""

    def kill(self, run_id: str, message: str) -> bool:
        chosen = self._chosen.get(run_id)
        return chosen is not None and chosen.kill(run_id, message)

    def forget(self, run_id: str) -> None:
        chosen = self._chosen.pop(run_id, None)
        if chosen is not None:
            chosen.forget(run_id)

    def close(self, timeout: float) -> list[str]:
        late: list[str] = []  # all of them have the same time
        closing = [
            threading.Thread(target=lambda one=one: late.extend(one.close(timeout))) for one in self._executors.values()
        ]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
        return late
