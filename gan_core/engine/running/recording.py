"""The recorder thread: moves what runs say into the store and to their viewers, and keeps house beside."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from gan_core.engine.messages import Ended, Keep, State
from gan_core.engine.running.active import ActiveRun
from gan_core.engine.running.scheduler import Scheduler
from gan_core.store import RunStore

log = logging.getLogger(__name__)

BREATH_SECONDS = 0.05  # between two rounds of the recorder, however much there is to do


class RecorderThread:
    """One thread for all runs of a lab, every ``tick`` seconds or as often as it can, and whenever ``wake`` is set; ends once
    the scheduler closes.

    ``preparing(data)`` is how far the classifier of a data set is, and in words; ``tend`` is what is due beside the runs.
    """

    def __init__(
        self,
        store: RunStore,
        scheduler: Scheduler,
        preparing: Callable[[str], tuple[float, str] | None],
        tend: Callable[[], None],
        wake: threading.Event,
        tick: float,
    ) -> None:
        self._store, self._scheduler = store, scheduler
        self._preparing, self._tend = preparing, tend
        self._wake, self._tick = wake, tick
        self._thread = threading.Thread(target=self._record_for_ever, name="recorder", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _record_for_ever(self) -> None:
        while True:
            began = time.monotonic()
            closing = self._scheduler.closing.is_set()
            self._wake.clear()
            every = list(self._scheduler.active.values())
            playing = {active.job.run_id for active in every if active.training and not active.paused}
            for active in every:
                self._guarded(self._record, active, playing)
            self._guarded(self._tend)
            if closing and not any(active.training for active in list(self._scheduler.active.values())):
                return
            time.sleep(min(BREATH_SECONDS, self._tick))
            self._wake.wait(max(0.0, began + self._tick - time.monotonic()))

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        # One run's trouble must not silence the others.
        try:
            work(*arguments)
        except Exception:
            log.exception("the recorder had trouble")

    def _record(self, active: ActiveRun, playing: set[str]) -> None:
        run_id = active.job.run_id
        if active.training:
            alive = self._scheduler.executor.alive(run_id)
            messages = self._scheduler.executor.poll(run_id)
            active.recorder.record(message for message in messages if not isinstance(message, Ended))
            states = [message.state for message in messages if isinstance(message, State)]
            if states:
                self._scheduler.lockstep.pause(run_id) if states[-1] == "paused" else self._scheduler.lockstep.go_on(
                    run_id
                )
                self._scheduler.start_waiting()
            end = next((message for message in messages if isinstance(message, Ended)), None)
            if end is None and not alive:
                end = Ended("failed", active.view.status["round"], "The run died without a word.")
            if end is not None:
                self._scheduler.end(active, end)
                return
            if messages:
                self._scheduler.watchdog.heard(run_id)
            resting = active.paused or self._scheduler.executor.starting(run_id)
            if (hang := self._scheduler.watchdog.look(run_id, resting=resting)) is not None:
                active.recorder.event(
                    active.view.status["round"], "stuck", {"message": hang.message, "stack": hang.stack}
                )
            active.recorder.progress()
            self._heed(active)
            preparing = self._preparing(active.job.config.data.name)
            steps = [f"{preparing[1]} ({preparing[0]:.0%})"] if preparing else []
            waits_for = self._scheduler.executor.waits_for(run_id)
            if waits_for:
                steps.insert(0, waits_for)
            elif active.view.status["state"] == "queued":
                steps.insert(
                    0, "starting a process for this run" if self._scheduler.executor.starting(run_id) else "starting"
                )
            hangs = self._scheduler.watchdog.message(run_id)
            active.view.set_status(
                beside=len(playing - {run_id}),
                stuck=bool(hangs),
                message=self._store.problem or hangs or active.recorder.why or active.paused_for or active.notice,
                preparing=", ".join(steps),
                node=self._scheduler.executor.where(run_id),
            )
        active.view.tick()

    def _heed(self, active: ActiveRun) -> None:
        """What a change of the verdict asks for: the state before it is kept, and the run pauses if that was wished for."""
        run_id = active.job.run_id
        while active.recorder.verdicts:
            verdict = active.recorder.verdicts.popleft()
            lost = verdict.state in ("narrowing", "collapsed")
            began = verdict.first_sign if lost else verdict.onset_round  # what was never there cannot be kept
            if verdict.alarming and began:
                self._scheduler.executor.command(run_id, Keep(began, f"before {verdict.title}, round {began:,}"))
            if verdict.state in active.job.config.diagnostics.pause_on:
                active.paused_for = (
                    f"Paused by itself: {verdict.title.lower()} since round {verdict.onset_round or 0:,}."
                )
                self._scheduler.executor.command(run_id, "pause")
