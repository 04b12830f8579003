"""Who may do what. On one's own machine everybody is the teacher; in a class, who holds the teacher's key, and nobody else.

The key is made anew at each start and lives in memory alone. It is exchanged for a session, a second secret that only the
cookie of one browser knows; the server keeps the hash of it.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gan_core.engine import Refused

log = logging.getLogger(__name__)

Role = Literal["teacher", "watcher"]
Action = Literal["start", "steer", "edit", "bring", "teach"]

DOES: Mapping[Action, str] = {
    "start": "start runs",
    "steer": "steer this run",
    "edit": "change what is kept",
    "bring": "bring or delete data",
    "teach": "lead the class",
}
"""An action in words: "Only the teacher may …"."""

TRIES, TRIES_IN_ALL, TRY_SECONDS = 10, 60, 60.0
"""Wrong keys from one address, and from all, that get an answer of their own, and for how long they are remembered."""
MOST_KEYS = 4096
"""Addresses or viewers that a limit remembers; the longest unseen is forgotten."""


@dataclass(frozen=True)
class Visitor:
    """Who asks: the role, and in a class the browser's name (``""`` where nobody else can be)."""

    role: Role
    id: str = ""


OWNER = Visitor("teacher")
"""Whoever opens a server that answers on its own machine only."""


class NotAllowed(Refused):
    """The visitor has no right to this action; the text is the one sentence to show."""


class RateLimit:
    """At most ``most`` events per ``seconds`` and key."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.seconds, self._clock = most, seconds, clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Count one event; False, and nothing counted, if there have been too many."""
        with self._lock:
            times = self._recent(key)
            if len(times) >= self.most:
                return False
            times.append(self._clock())
            return True

    def _recent(self, key: str) -> deque[float]:
        times = self._times.setdefault(key, deque(maxlen=self.most))
        self._times.move_to_end(key)
        if len(self._times) > MOST_KEYS:
            self._times.popitem(last=False)
        while times and times[0] <= self._clock() - self.seconds:
            times.popleft()
        return times


class TeacherKey:
    """The teacher's secret of this start, and the sessions it was exchanged for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.secret = secrets.token_urlsafe(24)
        self._wrong = RateLimit(TRIES, TRY_SECONDS, clock)
        self._wrong_in_all = RateLimit(TRIES_IN_ALL, TRY_SECONDS, clock)
        self._alarm = RateLimit(1, TRY_SECONDS, clock)
        self._sessions: set[str] = set()
        self._vouchers: dict[str, str] = {}

    def exchange(self, given: str, address: str) -> str:
        """A new session for the right secret. Raises NotAllowed for a wrong one.

        The right one always opens: what keeps others out are its 192 random bits, not the count of wrong ones, and whoever
        sits behind the teacher's address shall not lock the teacher out.
        """
        if not secrets.compare_digest(given.encode("utf-8", "replace"), self.secret.encode()):
            if not (self._wrong.take(address) and self._wrong_in_all.take("")):
                if self._alarm.take(""):
                    log.warning("Somebody tries one wrong teacher's link after the other, the last from %s.", address)
                raise NotAllowed("Too many wrong links; wait a minute.")
            raise NotAllowed("This is not the teacher's link of this start of the server.")
        session = secrets.token_urlsafe(32)
        self._sessions.add(_hash(session))
        return session

    def opens(self, session: str) -> bool:
        """Whether a cookie holds a session of this start."""
        return bool(session) and _hash(session) in self._sessions

    def end(self, session: str) -> None:
        """Forget a session: its browser is a watcher from now on."""
        self._sessions.discard(_hash(session))

    def vouch(self, viewer: str) -> str:
        """The voucher of a teacher whom the identity provider knows: a secret, for the page's scripts, that opens the class's
        socket together with this browser's cookie, which scripts cannot read. "" without a browser."""
        return self._vouchers.setdefault(viewer, secrets.token_urlsafe(32)) if viewer else ""

    def vouched(self, viewer: str, voucher: str) -> bool:
        """Whether this is the voucher of that browser."""
        known = self._vouchers.get(viewer, "")
        return bool(known) and secrets.compare_digest(voucher.encode("utf-8", "replace"), known.encode())

    def vouches_for(self, viewer: str) -> bool:
        """Whether a browser has been given a voucher."""
        return viewer in self._vouchers

    def withdraw(self, viewer: str) -> None:
        """Withdraw the voucher of a browser: its user is no longer a teacher."""
        self._vouchers.pop(viewer, None)


def teaches(user: Mapping[str, Any], teachers: Iterable[str]) -> bool:
    """Whether somebody whom the identity provider knows is on the list: logged in, and the e-mail verified by it."""
    mail = user.get("email")
    verified = user.get("is_logged_in") is True and user.get("email_verified") is True
    return (
        verified and isinstance(mail, str) and mail.strip().casefold() in {one.strip().casefold() for one in teachers}
    )


def refusal(action: Action) -> str:
    """What a watcher is told."""
    return f"Only the teacher may {DOES[action]} here."


def _hash(session: str) -> str:
    # A set is looked up by the hash of the text, so the time that it takes tells nothing about the session itself.
    return hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()
