"""One process per run: a crash takes only its own run with it, and runs do not share an interpreter lock."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Literal

from gan_core.engine import wire
from gan_core.engine.executors import ABANDON_SECONDS, HowFar, Jobs
from gan_core.engine.lockstep import UNLIMITED
from gan_core.engine.mailbox import Outbox
from gan_core.engine.messages import Command, Ended, Job, Rows, State
from gan_core.engine.observer import GetClassifier
from gan_core.engine.wire import WAITING
from gan_core.training import checkpoints, load_source

log = logging.getLogger(__name__)

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
REAP_SECONDS = 2.0  # for a process that has said its last word to be gone
SPARE_SECONDS = 20.0  # after one was taken, until the next is made ready: the run that took it first gets both cores
STACK_SECONDS = 1.0  # for a process to say where it stands
LAST_WORDS = 8_000  # characters of standard error that are kept of a process that died


class ProcessExecutor(Jobs["_ProcessJob"]):
    """One child process per job, see ``worker``; the messages are those of a thread.

    ``store`` is the root of the store, ``cache`` where frozen classifiers are kept. ``classifier`` is asked, in this
    process, for one that is not there. ``wake`` and ``how_far`` are as for threads.
    """

    def __init__(
        self,
        store: Path,
        cache: Path,
        classifier: GetClassifier,
        wake: Callable[[], None] = lambda: None,
        how_far: HowFar = lambda run_id, played: UNLIMITED,
    ) -> None:
        super().__init__()
        self._folders = (store, cache)
        self._classifier = classifier
        self._wake = wake
        self._how_far = how_far
        self._spare = _Spare()

    def keep_spare(self) -> None:
        """From now on have a process wait for the next job, so that it begins at once."""
        self._spare.prepare()

    def submit(self, job: Job) -> None:
        setup = wire.Setup(job, *self._folders)
        self._jobs[job.run_id] = _ProcessJob(setup, self._spare.take, self._classifier, self._wake, self._how_far)

    def starting(self, run_id: str) -> bool:
        job = self._jobs.get(run_id)
        return job is not None and not job.ready

    def kill(self, run_id: str, message: str) -> bool:
        job = self._jobs.get(run_id)
        if job is not None:
            job.kill("stopped", message)
        return job is not None

    def close(self, timeout: float) -> list[str]:
        self._spare.close()
        late = self._interrupt(timeout)
        for job in late.values():
            job.kill("interrupted", "The run did not stop in time; it goes on from its last checkpoint.")
        for job in late.values():
            job.thread.join(ABANDON_SECONDS)
        return list(late)


class _Worker:
    """A process that takes one job, see ``worker``. ``label`` is for who looks at a list of processes. Raises OSError.

    Not by ``multiprocessing``, which runs the main script again: here that would be a page.
    """

    def __init__(self, label: str) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        path = os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "gan_core.engine.worker", label],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C in a terminal is for this process alone
            )
        except OSError:
            self.errors.close()
            raise

    def reap(self) -> None:
        """Wait for the end of one that has said its last word."""
        try:
            self.process.wait(REAP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Kill it if it lives, and let go of its pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stdin, self.errors):
            assert pipe is not None
            with suppress(OSError):  # what it did not hear is still in the pipe
                pipe.close()


class _Spare:
    """At most one process that waits for its job with all that jobs import."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._wanted, self._closed = False, False
        self._timer: threading.Timer | None = None

    def prepare(self) -> None:
        with self._lock:
            self._wanted = True
            if self._worker is None and not self._closed:
                try:
                    self._worker = _Worker(WAITING)
                except OSError:
                    log.exception("no process could be made ready; the next run tries again")

    def take(self, run_id: str) -> _Worker:
        """A process for a run: the one that waits, else a new one. Raises OSError."""
        with self._lock:
            worker, self._worker = self._worker, None
            if self._wanted and not self._closed and (self._timer is None or not self._timer.is_alive()):
                self._timer = threading.Timer(SPARE_SECONDS, self.prepare)
                self._timer.daemon = True
                self._timer.start()
        if worker is not None and worker.process.poll() is None:
            return worker
        if worker is not None:
            worker.close()
        return _Worker(run_id)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
            if self._timer is not None:
                self._timer.cancel()
        if worker is not None:
            worker.close()


class _ProcessJob:
    """A process seen from here. Two threads: one starts it and hears what it says, the other speaks to it."""

    def __init__(
        self,
        setup: wire.Setup,
        hire: Callable[[str], _Worker],
        classifier: GetClassifier,
        wake: Callable[[], None],
        how_far: HowFar,
    ) -> None:
        self.outbox = Outbox(wake)
        self.ready = False
        self._job, self._setup = setup.job, setup
        self._hire = hire
        self._classifier, self._how_far = classifier, how_far
        self._words: SimpleQueue[Any] = SimpleQueue()
        self._round = 0
        self._asked, self._waits = 0, False
        self._worker: _Worker | None = None
        self._killed_for: Ended | None = None
        self._lock = threading.Lock()  # between the start of the process and its being killed
        self.thread = threading.Thread(target=self._live, name=f"run-{self._job.run_id}", daemon=True)
        self.thread.start()

    def command(self, command: Command) -> None:
        if not self.ready and (command == "stop" or command == "interrupt"):
            # It does not hear yet, and has nothing to save.
            self.kill("stopped" if command == "stop" else "interrupted")
        else:
            self.tell(command)

    def tell(self, word: Any) -> None:
        self._words.put(word)

    def nudge(self) -> None:
        """One that waits is told how far it may play by now, one that plays must ask again."""
        self.tell(_LOOK if self._waits else wire.MayPlayTo(0))

    def abandon(self) -> None:
        self.tell(wire.Abandon())

    def stack(self) -> str:
        """Asked of the process by a signal, which faulthandler answers even if Python hangs."""
        worker = self._worker
        if worker is None or not self.ready:
            return ""
        errors = worker.errors.fileno()
        before = os.fstat(errors).st_size
        worker.process.send_signal(wire.SHOW_STACK)
        deadline = time.monotonic() + STACK_SECONDS
        told = b""
        while time.monotonic() < deadline:
            time.sleep(0.02)
            now = os.pread(errors, LAST_WORDS, before)  # what the process writes stays where it is
            if told and now == told:
                break
            told = now
        return told.decode(errors="replace")

    def kill(self, state: Literal["stopped", "interrupted"], message: str = "") -> None:
        """End the process whatever it does, and say that the run has ended so."""
        with self._lock:
            self._killed_for = Ended(state, self._round, message)
            if self._worker is not None:
                self._worker.process.kill()

    def _live(self) -> None:
        try:
            end = self._start_and_hear()
        except OSError as error:
            end = Ended("failed", self._round, f"The run's process could not be started: {error}.")
        except Exception as error:
            message = f"What the run's process said could not be understood: {error}"
            end = Ended("failed", self._round, message, traceback.format_exc())
        if self._worker is not None:
            self._worker.close()
        self.outbox.put(end)

    def _start_and_hear(self) -> Ended:
        """From the start of the process to its end; returns its last word, or how it died without one."""
        with self._lock:
            if self._killed_for is not None:
                return self._killed_for
            worker = self._worker = self._hire(self._job.run_id)
        pipes = worker.process.stdin, worker.process.stdout
        assert pipes[0] is not None
        assert pipes[1] is not None
        speaker = threading.Thread(target=self._speak, args=pipes[:1], name=f"to-{self._job.run_id}", daemon=True)
        speaker.start()
        try:
            end = self._hear(pipes[1])
        finally:
            # Nobody may ask in its name how far it may play, once it is said to have ended: others would wait for it.
            self._words.put(None)
            worker.reap()
            speaker.join()
        return end or self._obituary(worker)

    def _hear(self, stream: IO[bytes]) -> Ended | None:
        while True:
            try:
                word = wire.read(stream)
            except (EOFError, OSError):
                return None
            match word:
                case wire.Ready():
                    self.ready = True
                case wire.Asks(played):
                    self._asked = played
                    self.tell(_LOOK)
                case wire.WantsClassifier():
                    threading.Thread(target=self._prepare_classifier, name="classifier-source", daemon=True).start()
                case Ended():
                    return word
                case _:
                    if isinstance(word, State):
                        self._round = word.round
                    elif isinstance(word, Rows) and word.track == "turns":
                        self._round = int(word.rounds[-1])
                    self.outbox.put(word)

    def _speak(self, stream: IO[bytes]) -> None:
        try:
            wire.write(stream, self._setup)
            while (word := self._words.get()) is not None:
                if word is _LOOK:
                    self._waits = True  # until it is known: a nudge that comes meanwhile is a reason to look again
                    until = self._how_far(self._job.run_id, self._asked)
                    self._waits = until <= self._asked
                    word = wire.MayPlayTo(until)
                wire.write(stream, word)
        except OSError:
            pass  # it has ended, which the other thread hears

    def _prepare_classifier(self) -> None:
        try:
            source = load_source(self._job.config)
            if source.judged is not None:
                self._classifier(source.judged)
        except Exception:  # the run goes on without
            log.exception("run %s: the frozen classifier could not be begun", self._job.run_id)

    def _obituary(self, worker: _Worker) -> Ended:
        """How a run ended whose process died without a word."""
        if self._killed_for is not None:
            return self._killed_for
        code = worker.process.returncode
        saved = bool(checkpoints(self._job.checkpoint_dir))
        then = "it can go on from its last checkpoint" if saved else "nothing was saved yet"
        worker.errors.seek(0)
        lines = worker.errors.read().decode(errors="replace").splitlines()
        # faulthandler's last line names every library there is.
        last_words = "\n".join(line for line in lines if not line.startswith("Extension modules:"))[-LAST_WORDS:]
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            why = "from outside or because memory ran out" if code == -signal.SIGKILL else "from outside"
            return Ended("interrupted", self._round, f"The run's process was ended {why}; {then}.", last_words)
        how = f"crashed ({_signal_name(-code)})" if code < 0 else f"ended by itself (exit status {code})"
        return Ended("failed", self._round, f"The run's process {how}; {then}.", last_words)


_LOOK = object()  # tell the process how far it may play


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
