"""Where jobs run. The trainer knows none of this; a second executor answers the same questions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import torch
from threadpoolctl import threadpool_limits

from gan_core.engine.mailbox import Inbox, Outbox
from gan_core.engine.messages import Command, Job, Message
from gan_core.engine.observer import GetClassifier
from gan_core.engine.runner import MayPlay, run_job

INTRA_OP_THREADS = 1
ABANDON_SECONDS = 0.5  # what a job gets to end its turn, once there is no time left for its round


class Executor(Protocol):
    def submit(self, job: Job) -> None: ...
    def poll(self, run_id: str) -> list[Message]:
        """The messages since the last poll; after ``Ended`` there are none."""
        ...

    def command(self, run_id: str, command: Command) -> None: ...
    def nudge(self, run_id: str) -> None:
        """Let a job that waits for others look again; nothing if there is no such job."""
        ...

    def alive(self, run_id: str) -> bool: ...
    def forget(self, run_id: str) -> None:
        """Let go of a job that has ended, or was never submitted."""
        ...

    def close(self, timeout: float) -> list[str]:
        """Interrupt every job and wait; returns the runs that did not end in time."""
        ...


class ThreadExecutor:
    """One daemon thread per job, in this process. ``wake`` is called when a job has changed its state;
    ``may_play`` is asked by each job before its rounds.

    Each computes on one intra-op thread: torch's pool, shared with other busy threads, falls to a tenth of its speed,
    and the number of threads is part of what makes two runs equal bit for bit.
    """

    def __init__(
        self,
        classifier: GetClassifier,
        wake: Callable[[], None] = lambda: None,
        may_play: MayPlay = lambda run_id, played: True,
    ) -> None:
        self._classifier = classifier
        self._wake = wake
        self._may_play = may_play
        self._jobs: dict[str, _ThreadJob] = {}
        torch.set_num_threads(INTRA_OP_THREADS)
        # NumPy's own pool as well: measuring would wait for it, on cores that other runs train on.
        threadpool_limits(INTRA_OP_THREADS, user_api="blas")

    def submit(self, job: Job) -> None:
        self._jobs[job.run_id] = _ThreadJob(job, self._classifier, self._wake, self._may_play)

    def poll(self, run_id: str) -> list[Message]:
        job = self._jobs.get(run_id)
        return job.outbox.drain() if job is not None else []

    def command(self, run_id: str, command: Command) -> None:
        self._jobs[run_id].inbox.put(command)

    def nudge(self, run_id: str) -> None:
        job = self._jobs.get(run_id)
        if job is not None:
            job.inbox.nudge()

    def alive(self, run_id: str) -> bool:
        job = self._jobs.get(run_id)
        return job is not None and job.thread.is_alive()

    def forget(self, run_id: str) -> None:
        self._jobs.pop(run_id, None)

    def close(self, timeout: float) -> list[str]:
        deadline = time.monotonic() + timeout
        jobs = dict(self._jobs)
        for job in jobs.values():
            job.inbox.put("interrupt")
        for job in jobs.values():
            job.thread.join(max(0.0, deadline - time.monotonic()))
        # A round may take longer than there is time; a process that exits amid a turn is aborted by torch.
        late = {run_id: job for run_id, job in jobs.items() if job.thread.is_alive()}
        for job in late.values():
            job.inbox.abandon()
        for job in late.values():
            job.thread.join(ABANDON_SECONDS)
        return list(late)


class _ThreadJob:
    def __init__(self, job: Job, classifier: GetClassifier, wake: Callable[[], None], may_play: MayPlay) -> None:
        self.inbox, self.outbox = Inbox(), Outbox(wake)
        self.thread = threading.Thread(
            target=self._run, args=(job, classifier, may_play), name=f"run-{job.run_id}", daemon=True
        )
        self.thread.start()

    def _run(self, job: Job, classifier: GetClassifier, may_play: MayPlay) -> None:
        torch.set_num_threads(INTRA_OP_THREADS)
        run_job(job, self.inbox, self.outbox, classifier, may_play)
