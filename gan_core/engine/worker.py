"""The process of one run: ``python -m gan_core.engine.worker RUN``, started by ``ProcessExecutor`` and spoken to by pipes.

It trains the job that it is given, as a thread of the lab would, and ends with it. One that is called ``waiting`` has no
run yet, and gets ready for any. When the lab's process dies, so does this one, at once: the run may already be going on
elsewhere, and must not be saved here again.
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
from queue import SimpleQueue
from typing import IO, Any

from gan_core.data import ImageSource, places
from gan_core.engine import wire
from gan_core.engine.describe import warm_up
from gan_core.engine.executors import compute_on_one_thread
from gan_core.engine.lockstep import TURN_SECONDS, UNLIMITED, WINDOW
from gan_core.engine.mailbox import Inbox, Outbox
from gan_core.engine.messages import Message
from gan_core.engine.runner import PACE_SECONDS, run_job
from gan_core.training.classifier import FrozenClassifier, cached_classifier


def main() -> None:
    faulthandler.enable()  # what a crash leaves behind is what the lab shows
    faulthandler.register(wire.SHOW_STACK)
    incoming, outgoing = _take_the_pipes()
    compute_on_one_thread()
    if sys.argv[1:] == [wire.WAITING]:
        warm_up()
    try:
        setup: wire.Setup = wire.read(incoming)
    except EOFError:
        return  # the lab is gone, or has no run for this process
    places.use_store(setup.store)
    inbox, speech = Inbox(), _Speech(outgoing)
    pace = _Pace(inbox, speech)
    # Ctrl-C in the lab's terminal is for the lab, which then says what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: inbox.put("interrupt"))
    threading.Thread(target=_listen, args=(incoming, inbox, pace), name="listener", daemon=True).start()
    speech.say(wire.Ready())
    run_job(setup.job, inbox, speech, _Classifier(setup.cache, speech), pace.may_play)
    speech.finish()
    os._exit(0)  # without waiting for the listener, or for torch to take itself apart


def _take_the_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output, out of reach of whatever else reads or prints."""
    pipes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return pipes


def _listen(incoming: IO[bytes], inbox: Inbox, pace: _Pace) -> None:
    try:
        while True:
            match wire.read(incoming):
                case wire.MayPlayTo(until):
                    pace.hear(until)
                case wire.Abandon():
                    inbox.abandon()
                case command:
                    inbox.put(command)
    except (EOFError, OSError):
        pass  # the lab is gone
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1)


class _Speech(Outbox):
    """What the run tells, sent by a thread of its own: training never waits for the pipe."""

    def __init__(self, outgoing: IO[bytes]) -> None:
        super().__init__()
        self._outgoing = outgoing
        self._words: SimpleQueue[Any] = SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="speech", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        self.say(message)

    def say(self, word: Any) -> None:
        self._words.put(word)

    def finish(self) -> None:
        """Wait until everything is sent."""
        self._words.put(None)
        self._thread.join()

    def _send(self) -> None:
        try:
            while (word := self._words.get()) is not None:
                wire.write(self._outgoing, word)
        except OSError:
            os._exit(1)  # the lab is gone
        except Exception:
            traceback.print_exc()
            os._exit(1)


class _Pace:
    """How far the run may play. It asks before it gets there, so that it seldom has to wait for the answer."""

    def __init__(self, inbox: Inbox, speech: _Speech) -> None:
        self._inbox, self._speech = inbox, speech
        self._until = 0
        self._asked, self._asked_at, self._open = 0, 0.0, False

    def may_play(self, run_id: str, played: int) -> bool:
        until = self._until
        if until == UNLIMITED:
            return True
        now = time.monotonic()
        waits, since = played >= until, now - self._asked_at
        soon = played - self._asked >= WINDOW // 2 or since >= TURN_SECONDS / 2
        if (not self._open or since >= PACE_SECONDS) if waits else soon:
            self._ask(played, now)
        return not waits

    def hear(self, until: int) -> None:
        self._until, self._open = until, False
        if until > self._asked:
            self._inbox.nudge()

    def _ask(self, played: int, now: float) -> None:
        self._asked, self._asked_at, self._open = played, now, True
        self._speech.say(wire.Asks(played))


class _Classifier:
    """The frozen classifier as soon as it is in the cache. The lab's process trains it, once for all runs."""

    def __init__(self, cache: Path, speech: _Speech) -> None:
        self._cache, self._speech = cache, speech
        self._wanted = False

    def __call__(self, source: ImageSource) -> FrozenClassifier | None:
        classifier = cached_classifier(source, self._cache)
        if classifier is None and not self._wanted:
            self._wanted = True
            self._speech.say(wire.WantsClassifier())
        return classifier


if __name__ == "__main__":
    main()
