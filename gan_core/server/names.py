"""Names of browsers, by which they count as one. The server makes and signs them; nobody can make one up or have many.

Who sits behind an address cannot be told apart for certain, so few browsers of one address have names of their own. Those
that come after them share one: they see everything, and count as one in polls, notes, viewers and runs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

PER_ADDRESS, IN_ALL = 4, 500
"""Browsers that count for themselves: a laptop, a telephone and two private windows; and a lecture hall."""
FORGET_SECONDS = 3600.0
"""A browser that has not been seen for so long leaves its place to others, and takes one again when it comes back."""
TOLD_ADDRESSES = 20
SHARED = "~"


class Names:
    """The names that a class has given away, in memory that is bounded by `IN_ALL`."""

    def __init__(
        self, key: bytes, *, per_address: int = PER_ADDRESS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_address = per_address
        self._key = key
        self._clock = clock
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()  # the longest unseen first
        self._crowded: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def give(self, address: str, cookie: str = "") -> str:
        """The cookie of a browser at an address that showed this one: the same, or a new one."""
        if self.meet(address, cookie):
            return cookie
        new = secrets.token_urlsafe(12)
        with self._lock:
            if not self._admit(new, address):
                self._crowded[address] = None
                self._crowded.move_to_end(address)
                if len(self._crowded) > TOLD_ADDRESSES:
                    self._crowded.popitem(last=False)
                new = SHARED + hashlib.sha256(address.encode()).hexdigest()[:12]
        return f"{new}.{self._signature(new)}"

    def meet(self, address: str, cookie: str) -> bool:
        """Whether a cookie holds a name of its own; one of an earlier start of the server takes a place, if there is one."""
        name = self._signed(cookie)
        with self._lock:
            return name in self._known or self._admit(name, address)

    def read(self, cookie: str) -> str:
        """The name that a cookie holds; "" for one that was not given, or whose place others have taken."""
        name = self._signed(cookie)
        with self._lock:
            if name in self._known:
                self._known[name] = self._known[name][0], self._clock()
                self._known.move_to_end(name)
                return name
        return name if name.startswith(SHARED) else ""

    def crowded(self) -> list[str]:
        """Addresses that more browsers came from than count for themselves, the last first."""
        with self._lock:
            return list(reversed(self._crowded))

    def let_count(self, per_address: int) -> None:
        """From now on so many browsers of one address count for themselves: of a class that is behind one address, all."""
        with self._lock:
            self.per_address = max(1, min(IN_ALL, per_address))
            self._crowded.clear()

    def _admit(self, name: str, address: str) -> bool:
        if not name or name.startswith(SHARED):
            return False
        old = self._clock() - FORGET_SECONDS
        while self._known and next(iter(self._known.values()))[1] <= old:
            self._known.popitem(last=False)
        beside = sum(where == address for where, _ in self._known.values())
        if beside >= self.per_address or len(self._known) >= IN_ALL:
            return False
        self._known[name] = address, self._clock()
        return True

    def _signed(self, cookie: str) -> str:
        name, _, signature = cookie[:200].partition(".")
        given = signature.encode("utf-8", "replace")
        return name if name and hmac.compare_digest(given, self._signature(name).encode()) else ""

    def _signature(self, name: str) -> str:
        digest = hmac.new(self._key, name.encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
