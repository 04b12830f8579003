"""Worker processes, each with one run or with several of a comparison: a crash takes only its own runs with it, and what
trains does not share an interpreter lock with the pages.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Literal

from gan_core.engine import programs
from gan_core.engine.messages import Command, Ended, Job, Message, Rows, State
from gan_core.engine.observers import GetClassifier
from gan_core.engine.running import wire
from gan_core.engine.running.executors import ABANDON_SECONDS, HowFar, Jobs
from gan_core.engine.running.lockstep import UNLIMITED
from gan_core.engine.running.mailbox import Outbox
from gan_core.engine.running.wire import WAITING
from gan_core.training import checkpoints, load_source, round_of
from gan_core.training.domains import judged_sources

log = logging.getLogger(__name__)

REAP_SECONDS = 2.0  # for a process that has said its last word to be gone
SAVE_SECONDS = 5.0  # for the others in a process in which one hangs
SPARE_SECONDS = 20.0  # after one was taken, until the next is made ready: the run that took it first gets both cores
CLASSIFIER_SECONDS = 1.0  # between two looks whether a frozen classifier is there
STACK_SECONDS = 1.0  # for a process to say where it stands
LAST_WORDS = 8_000  # characters of standard error that are kept of a process that died
TAKEN_ALONG = "Another run in its process hung and had to be ended with it; this one goes on from its last checkpoint."


class ProcessExecutor(Jobs["_Hosted"]):
    """Jobs in child processes, see ``worker``; the messages are those of a thread.

    A job alone has a process of its own. Those of a ``company`` are spread over at most ``most`` of them.
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
        company: Callable[[str], frozenset[str]] = lambda run_id: frozenset(),
        most: Callable[[], int] = lambda: 1,
    ) -> None:
        super().__init__()
        self._setup = wire.Setup(store, cache)
        self._classifier = classifier
        self._wake = wake
        self._how_far = how_far
        self._company, self._most = company, most
        self._spare = _Spare()

    def keep_spare(self) -> None:
        """From now on have a process wait for the next job, so that it begins at once."""
        self._spare.prepare()

    def submit(self, job: Job) -> None:
        hosts = {self._jobs[run].host for run in self._company(job.run_id) if run in self._jobs}
        taking = [host for host in hosts if host.takes]
        hosted = None
        if taking and len(taking) >= self._most():
            hosted = min(taking, key=lambda host: len(host.jobs)).take(job, self._wake)
        if hosted is None:
            host = _Host(self._setup, self._spare.take, self._classifier, self._how_far)
            hosted = host.begin(job, self._wake)
        self._jobs[job.run_id] = hosted

    def starting(self, run_id: str) -> bool:
        job = self._jobs.get(run_id)
        return job is not None and not job.host.ready

    def lane(self, run_id: str) -> object:
        job = self._jobs.get(run_id)
        return run_id if job is None else job.host

    def kill(self, run_id: str, message: str) -> bool:
        job = self._jobs.get(run_id)
        if job is not None:
            job.kill("stopped", message)
        return job is not None

    def close(self, timeout: float) -> list[str]:
        self._spare.close()
        hosts = {job.host for job in list(self._jobs.values())}
        late = self._interrupt(timeout)
        for job in late.values():
            job.kill("interrupted", "The run did not stop in time; it goes on from its last checkpoint.")
        for host in hosts:
            host.thread.join(ABANDON_SECONDS)
        return list(late)


class _Worker:
    """A process that takes jobs, see ``worker``. ``label`` is for who looks at a list of processes. Raises OSError.

    Not by ``multiprocessing``, which runs the main script again: here that would be a page.
    """

    def __init__(self, label: str) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self.process = programs.start("gan_core.engine.running.worker", label, errors=self.errors)
        except OSError:
            self.errors.close()
            raise

    def last_words(self) -> str:
        """What it wrote on standard error, but for faulthandler's last line, which names every library there is."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("Extension modules:"))[-LAST_WORDS:]

    def reap(self) -> None:
        """Wait for the end of one that has said its last word."""
        try:
            self.process.wait(REAP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Kill it if it lives, and let go of its pipes."""
        programs.let_go(self.process)
        self.errors.close()


class _Spare:
    """At most one process that waits for its job with all that jobs import; none where programs are forked at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._wanted, self._closed = False, False
        self._timer: threading.Timer | None = None

    def prepare(self) -> None:
        with self._lock:
            self._wanted = True
            try:
                if programs.forks():
                    programs.prepare()
                elif self._worker is None and not self._closed:
                    self._worker = _Worker(WAITING)
            except OSError:
                log.exception("no process could be made ready; the next run tries again")

    def take(self, label: str) -> _Worker:
        """A process for jobs: the one that waits, else a new one. Raises OSError."""
        if programs.forks():
            return _Worker(label)
        with self._lock:
            worker, self._worker = self._worker, None
            if self._wanted and not self._closed and (self._timer is None or not self._timer.is_alive()):
                timer = threading.Timer(SPARE_SECONDS, self.prepare)
                timer.daemon = True
                try:
                    timer.start()
                    self._timer = timer
                except RuntimeError as error:  # the run at hand needs no spare
                    log.warning("no process will be made ready: %s", error)
        if worker is not None and worker.process.poll() is None:
            return worker
        if worker is not None:
            worker.close()
        return _Worker(label)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
            if self._timer is not None:
                self._timer.cancel()
        if worker is not None:
            worker.close()


class _Hosted:
    """A job in a process, seen from here. ``last`` is how it ends, once that is known."""

    def __init__(self, job: Job, host: _Host, wake: Callable[[], None]) -> None:
        self.job, self.host = job, host
        self.outbox = Outbox(wake)
        self.round = 0 if job.resume_from is None else round_of(job.resume_from)
        self.asked, self.waits = 0, False
        self.last: Ended | None = None
        self._over = threading.Event()

    @property
    def alive(self) -> bool:
        return not self._over.is_set()

    def join(self, timeout: float) -> None:
        self._over.wait(timeout)

    def tell(self, word: Any) -> None:
        self.host.tell(self.job.run_id, word)

    def command(self, command: Command) -> None:
        if not self.host.ready and (command == "stop" or command == "interrupt"):
            # It does not hear yet, and has nothing to save.
            self.host.let_go(self, Ended("stopped" if command == "stop" else "interrupted", self.round))
        self.tell(command)

    def nudge(self) -> None:
        """One that waits is told how far it may play by now, one that plays must ask again."""
        self.tell(_LOOK if self.waits else wire.MayPlayTo(wire.ASK_ANEW))

    def abandon(self) -> None:
        self.tell(wire.Abandon())

    def stack(self) -> str:
        return self.host.stack()

    def kill(self, state: Literal["stopped", "interrupted"], message: str) -> None:
        """End it whatever it does, and say that it has ended so."""
        self.host.kill(self, Ended(state, self.round, message))

    def hear(self, message: Message) -> None:
        if isinstance(message, State):
            self.round = message.round
        elif isinstance(message, Rows) and message.track == "turns":
            self.round = int(message.rounds[-1])
        self.outbox.put(message)

    def end(self, end: Ended) -> None:
        self.outbox.put(end)
        self._over.set()


class _Host:
    """A process seen from here, with the jobs in it; it goes with the last of them.

    Two threads: one starts it and hears what it says, the other speaks to it.
    """

    def __init__(
        self, setup: wire.Setup, hire: Callable[[str], _Worker], classifier: GetClassifier, how_far: HowFar
    ) -> None:
        self.jobs: dict[str, _Hosted] = {}  # whose end is not reported yet
        self.takes = True  # one more job
        self._because = ""  # what is to be said of those that end with another
        self.ready = False
        self._setup, self._hire = setup, hire
        self._classifier, self._how_far = classifier, how_far
        self._words: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        self._worker: _Worker | None = None
        # A run that was reported as ended must not ask `how_far` again, or others would wait for it.
        self._lock = threading.Lock()

    def begin(self, job: Job, wake: Callable[[], None]) -> _Hosted:
        """Start the process with its first job. Raises RuntimeError where the system gives no more threads."""
        hosted = self.take(job, wake)
        assert hosted is not None
        self.thread = threading.Thread(target=self._live, args=(job.run_id,), name=f"run-{job.run_id}", daemon=True)
        self.thread.start()
        return hosted

    def take(self, job: Job, wake: Callable[[], None]) -> _Hosted | None:
        """Begin one more job; None where it is too late for that."""
        with self._lock:
            if not self.takes:
                return None
            hosted = self.jobs[job.run_id] = _Hosted(job, self, wake)
        self.tell(job.run_id, job)
        return hosted

    def tell(self, run_id: str, word: Any) -> None:
        self._words.put((run_id, word))

    def let_go(self, hosted: _Hosted, end: Ended) -> None:
        """Report the end of a job. That of the last job is reported once the process has exited."""
        with self._lock:
            if hosted.job.run_id not in self.jobs:
                return
            hosted.last = end
            others = len(self.jobs) > 1
            if others:
                del self.jobs[hosted.job.run_id]
            if all(job.last is not None for job in self.jobs.values()):
                self._kill()
        if others:
            hosted.end(end)

    def kill(self, hosted: _Hosted, end: Ended) -> None:
        """End the process, as this end of this job; the others in it have a moment to save."""
        with self._lock:
            if hosted.job.run_id not in self.jobs:
                return
            hosted.last = end
            others = [job for job in self.jobs.values() if job.last is None]
            if not others:
                self._kill()
            elif self.takes:
                self.takes, self._because = False, TAKEN_ALONG
                timer = threading.Timer(SAVE_SECONDS, self._kill)
                timer.daemon = True
                try:
                    timer.start()
                except RuntimeError:  # nobody is there to wait: it is ended at once
                    self._kill()
        for job in others:
            job.tell("interrupt")

    def _kill(self) -> None:
        self.takes = False
        if self._worker is not None:
            self._worker.process.kill()

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

    def _live(self, label: str) -> None:
        said = trace = ""
        try:
            self._start_and_hear(label)
        except (OSError, MemoryError, RuntimeError) as error:  # no handle, no memory, no thread
            said = f"The run's process could not be started: {error or 'no memory is left'}."
        except Exception as error:
            said, trace = f"What the run's process said could not be understood: {error}", traceback.format_exc()
        worker = self._worker
        last_words = ""
        if worker is not None:
            try:
                last_words = worker.last_words()
            except (OSError, MemoryError):  # the end of its runs must be said, whatever else cannot be
                log.exception("what the process of a run said at its end is lost")
            worker.close()
        with self._lock:
            self.takes = False
            left, self.jobs = self.jobs, {}
        for job in left.values():
            if job.last is not None:
                job.end(job.last)
            elif self._because:
                job.end(Ended("interrupted", job.round, self._because))
            elif said or worker is None:
                job.end(Ended("failed", job.round, said, trace))
            else:
                job.end(_obituary(job, worker.process.wait(), last_words))

    def _start_and_hear(self, label: str) -> None:
        """From the start of the process to its end."""
        if not self.takes:
            return
        worker = self._hire(label)
        with self._lock:
            self._worker = worker
            if not self.takes:
                self._kill()
        assert worker.process.stdin is not None
        assert worker.process.stdout is not None
        speaker = threading.Thread(target=self._speak, args=(worker.process.stdin,), name=f"to-{label}", daemon=True)
        speaker.start()
        try:
            self._hear(worker.process.stdout)
        finally:
            self._words.put(None)
            worker.reap()
            speaker.join()

    def _hear(self, stream: IO[bytes]) -> None:
        while True:
            try:
                run_id, word = wire.read(stream)
            except (EOFError, OSError):
                return
            match word, self.jobs.get(run_id):
                case wire.Ready(), _:
                    self.ready = True
                case wire.WantsClassifier(name), _:
                    asking = threading.Thread(
                        target=self._prepare_classifier, args=(name,), name="classifier-source", daemon=True
                    )
                    try:
                        asking.start()
                    except RuntimeError as error:  # the runs go on without, and ask again when they go on later
                        log.warning("the frozen classifier of %s waits: %s", name, error)
                case _, None:
                    pass  # it was let go before it began
                case wire.Asks(played), job:
                    job.asked = played
                    job.tell(_LOOK)
                case Ended("interrupted", message=""), job:
                    self.let_go(job, replace(word, message=self._because))
                case Ended(), job:
                    self.let_go(job, word)
                case _, job:
                    job.hear(word)

    def _speak(self, stream: IO[bytes]) -> None:
        try:
            wire.write(stream, wire.PROCESS, self._setup)
            while (item := self._words.get()) is not None:
                run_id, word = item
                if word is _LOOK:
                    word = self._look(run_id)
                if word is not None and (run_id in self.jobs or not isinstance(word, Job)):
                    wire.write(stream, run_id, word)
                if self._words.empty():
                    stream.flush()
        except OSError:
            pass  # it has ended, which the other thread hears

    def _look(self, run_id: str) -> wire.MayPlayTo | None:
        with self._lock:
            job = self.jobs.get(run_id)
            if job is None or job.last is not None:
                return None
            job.waits = True  # until it is known: a nudge that comes meanwhile is a reason to look again
            until = self._how_far(run_id, job.asked)
            job.waits = until <= job.asked
            return wire.MayPlayTo(until)

    def _prepare_classifier(self, name: str) -> None:
        """Let the classifier be trained; where that fails the runs go on without, and are told."""
        try:
            for job in list(self.jobs.values()):
                config = job.job.config
                judged = next((one for one in judged_sources(config, load_source(config)) if one.name == name), None)
                if judged is not None:
                    while self.jobs and self._classifier(judged) is None:
                        time.sleep(CLASSIFIER_SECONDS)
                    return
        except Exception as error:
            log.warning("the runs on %s go on without a frozen classifier: %s", name, error)
            self._words.put((wire.PROCESS, wire.NoClassifier(name, str(error))))


def _obituary(job: _Hosted, code: int, last_words: str) -> Ended:
    """How a run ended whose process died without a word about it."""
    try:
        saved = bool(checkpoints(job.job.checkpoint_dir))
        then = "it can go on from its last checkpoint" if saved else "nothing was saved yet"
    except OSError as error:
        then = f"whether something was saved cannot be told ({error.strerror})"
    if code in (-signal.SIGKILL, -signal.SIGTERM):
        why = "from outside or because memory ran out" if code == -signal.SIGKILL else "from outside"
        return Ended("interrupted", job.round, f"The run's process was ended {why}; {then}.", last_words)
    how = f"crashed ({_signal_name(-code)})" if code < 0 else f"ended by itself (exit status {code})"
    return Ended("failed", job.round, f"The run's process {how}; {then}.", last_words)


_LOOK = object()  # tell the process how far it may play


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
