"""A worker process: ``python -m gan_core.lifeline gan_core.engine.running.worker LABEL``, started by ``ProcessExecutor`` and
spoken to by pipes.

It trains the jobs that it is given, in threads as the lab would; its end is the lab's to choose. One that is called
``waiting`` has no run yet, and gets ready for any. When the lab's process dies, so does this one, at once: its runs may
already be going on elsewhere, and must not be saved here again.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

import torch

from gan_core.data import ImageSource, places
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.library.describe import warm_up
from gan_core.engine.messages import Ended, Job, Message, Sight
from gan_core.engine.running import wire
from gan_core.engine.running.executors import ThreadExecutor
from gan_core.engine.running.lockstep import TURN_SECONDS, UNLIMITED, WINDOW
from gan_core.engine.showing.making import made
from gan_core.priority import give_way
from gan_core.training import round_of
from gan_core.training.classifier import FrozenClassifier, cached_classifier

GPU_SHARE = "GANSCOPE_GPU_SHARE"
NICENESS = 10  # pages are made, and drawn by browsers, before rounds are played
TELL_SECONDS = 0.1  # between two looks at what the runs have to say, where nothing is urgent
ASK_SECONDS = 1.0  # until who waits asks once more: an answer, or a nudge, comes sooner


def main(label: str) -> None:
    faulthandler.enable()  # what a crash leaves behind is what the lab shows
    faulthandler.register(wire.SHOW_STACK)
    incoming, outgoing = _take_the_pipes()
    compute_on_one_thread()
    if label == wire.WAITING:
        warm_up()
    try:
        _, setup = wire.read(incoming)
    except EOFError:
        return  # the lab is gone, or has no run for this process
    places.use_store(setup.store)
    keep_to_its_share()
    give_way(NICENESS)  # only now: what is imported meanwhile is waited for
    _Host(setup.cache, outgoing).listen(incoming)


def keep_to_its_share() -> None:
    """Of a GPU that several share, take no more memory than ``GPU_SHARE`` says: who needs more fails alone."""
    share = float(os.environ.get(GPU_SHARE) or 1.0)
    if share < 1.0 and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(share)


def _take_the_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output, out of reach of whatever else reads or prints."""
    pipes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return pipes


class _Host:
    """The runs of this process, between their threads and the pipe."""

    def __init__(self, cache: Path, outgoing: IO[bytes]) -> None:
        self._outgoing = outgoing
        self._words: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        self._paces: dict[str, _Pace] = {}
        self._classifier = _Classifier(cache, self)
        self._threads = ThreadExecutor(self._classifier, lambda: self._words.put(None), self._how_far)

    def listen(self, incoming: IO[bytes]) -> None:
        """Do what is asked for, until the lab is gone, and the process with it."""
        # Ctrl-C in the lab's terminal is for the lab, which then says what to do.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._interrupt_all)
        threading.Thread(target=self._speak, name="speech", daemon=True).start()
        self.say(wire.PROCESS, wire.Ready())
        try:
            while True:
                self._heed(*wire.read(incoming))
        except (EOFError, OSError):
            pass
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(1)  # without waiting for what trains, or for torch to take itself apart

    def _interrupt_all(self, *_: object) -> None:
        for run_id in list(self._paces):
            self._threads.command(run_id, "interrupt")

    def say(self, run_id: str, word: Any) -> None:
        """Send a word now; training never waits for the pipe."""
        self._words.put((run_id, word))

    def _heed(self, run_id: str, word: Any) -> None:
        match word, self._paces.get(run_id):
            case Job() as job, _:
                self._begin(job)
            case wire.NoClassifier(name, why), _:
                self._classifier.failed[name] = why
            case _, None:
                pass  # it has just ended
            case wire.MayPlayTo(until), pace:
                if pace.hear(until):
                    self._threads.nudge(run_id)
            case wire.Abandon(), _:
                self._threads.abandon(run_id)
            case command, _:
                self._threads.command(run_id, command)

    def _begin(self, job: Job) -> None:
        self._paces[job.run_id] = _Pace()
        try:
            self._threads.submit(job)
        except RuntimeError as error:  # the system gives no more threads
            del self._paces[job.run_id]
            played = 0 if job.resume_from is None else round_of(job.resume_from)
            self.say(job.run_id, Ended("failed", played, f"The run could not be started: {error}."))

    def _how_far(self, run_id: str, played: int) -> int:
        pace = self._paces[run_id]
        if pace.should_ask(played):
            self.say(run_id, wire.Asks(played))
        return pace.until

    def _speak(self) -> None:
        try:
            told = time.monotonic()
            while True:
                try:
                    word = self._words.get(timeout=max(0.0, told + TELL_SECONDS - time.monotonic()))
                except Empty:
                    word = None
                if word is not None:
                    wire.write(self._outgoing, *word)
                if word is None or time.monotonic() > told + TELL_SECONDS:
                    self._tell()
                    told = time.monotonic()
                if self._words.empty():
                    self._outgoing.flush()
        except OSError:
            os._exit(1)  # the lab is gone
        except Exception:
            traceback.print_exc()
            os._exit(1)

    def _tell(self) -> None:
        """Send all that the runs have said."""
        for run_id in list(self._paces):
            for message in self._threads.poll(run_id):
                wire.write(self._outgoing, run_id, _ready(message))
                if isinstance(message, Ended):
                    self._threads.forget(run_id)
                    del self._paces[run_id]


def _ready(message: Message) -> Message:
    """The message, its files made: of many runs a server then has less to do for each. What fails here is told as it is."""
    if not isinstance(message, Sight):
        return message
    try:
        return made(message)
    except Exception:
        return message


class _Pace:
    """How far a run may play. It asks before it gets there, so that it seldom has to wait for the answer."""

    def __init__(self) -> None:
        self.until = 0
        self._asked, self._asked_at, self._open = 0, 0.0, False

    def should_ask(self, played: int) -> bool:
        """Whether it is time to ask, having played so many; then it has."""
        if self.until == UNLIMITED:
            return False
        now = time.monotonic()
        since = now - self._asked_at
        if played >= self.until:
            asks = not self._open or since >= ASK_SECONDS
        else:
            asks = played - self._asked >= WINDOW // 2 or since >= TURN_SECONDS / 2
        if asks:
            self._asked, self._asked_at, self._open = played, now, True
        return asks

    def hear(self, until: int) -> bool:
        """An answer, or a nudge; returns whether it may play on."""
        self.until = until
        goes_on = until > self._asked
        self._open = not goes_on and until != wire.ASK_ANEW  # one that waits is told as soon as it may
        return goes_on


class _Classifier:
    """The frozen classifier as soon as it is in the cache. The lab's process trains it, once for all runs."""

    def __init__(self, cache: Path, host: _Host) -> None:
        self._cache, self._host = cache, host
        self._wanted: set[str] = set()
        self.failed: dict[str, str] = {}  # why there will be none, by the name of the images

    def __call__(self, source: ImageSource) -> FrozenClassifier | None:
        try:
            classifier = cached_classifier(source, self._cache)
        except (OSError, MemoryError):
            return None  # it may be there; the next measurement looks again
        if classifier is None and source.name in self.failed:
            raise RuntimeError(self.failed[source.name])
        if classifier is None and source.name not in self._wanted:
            self._wanted.add(source.name)
            self._host.say(wire.PROCESS, wire.WantsClassifier(source.name))
        return classifier


if __name__ == "__main__":
    main(*sys.argv[1:])
