"""Tickets: a page that may look at a run hands its component one; every live route asks for it.

A ticket is ``<expiry>.<signature>``, the signature an HMAC-SHA256 over scope and expiry. The scope is a run id, or ``*`` for
every run. The key lives in ``<root>/secret``, so that pages left open survive a restart of the server.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path

WINDOW = 12 * 3600
"""Seconds. A ticket lives between one and two windows, and is the same text for everyone who asks within one window:
the data of the live component stays constant between reruns. A page asks again four times in each, so that what it shows
never has an old one; ``GANSCOPE_TICKET_SECONDS`` sets another length."""
VARIABLE = "GANSCOPE_TICKET_SECONDS"
LOOKS = 4

KEY_BYTES = 32


class Tickets:
    """Signs and checks tickets with one key."""

    def __init__(self, key: bytes, window: int = WINDOW) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError("A ticket key needs at least 32 bytes.")
        self._key = key
        self.window = window

    @property
    def look_seconds(self) -> float:
        """How often a page that stays open asks for its tickets again."""
        return self.window / LOOKS

    def mint(self, scope: str = "*", *, now: float | None = None) -> str:
        """A ticket for one run, or with ``*`` for every run."""
        window = int(time.time() if now is None else now) // self.window
        expiry = (window + 2) * self.window
        return f"{expiry}.{self._sign(scope, expiry)}"

    def valid(self, ticket: str, run: str, *, now: float | None = None) -> bool:
        """Whether the ticket opens the run: signed for it or for every run, and not expired."""
        stamp, _, signature = ticket.partition(".")
        if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12:
            return False
        expiry = int(stamp)
        given = signature.encode("utf-8", "replace")
        # Both comparisons always run: the time taken tells nothing about which scope would have matched.
        for_run = hmac.compare_digest(given, self._sign(run, expiry).encode())
        for_all = hmac.compare_digest(given, self._sign("*", expiry).encode())
        return (for_run or for_all) and (time.time() if now is None else now) < expiry

    def derived(self, purpose: str) -> bytes:
        """A key for something else, which signs no ticket."""
        return hmac.new(self._key, f"key for {purpose}".encode(), hashlib.sha256).digest()

    def _sign(self, scope: str, expiry: int) -> str:
        message = f"{expiry}\n{scope}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@lru_cache(maxsize=8)
def open_tickets(root: str | Path) -> Tickets:
    """The tickets of the store at ``root``; makes its key on first use. ValueError where the length of a window is none."""
    text = os.environ.get(VARIABLE) or str(WINDOW)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= WINDOW):
        raise ValueError(f"{VARIABLE} is {text[:40]!r}; it has to be a whole number of seconds, at most {WINDOW}.")
    return Tickets(_read_or_create_key(Path(root) / "secret"), int(text))


def _read_or_create_key(path: Path) -> bytes:
    key = _read_key(path)
    if key is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(KEY_BYTES).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            # A link never replaces: of two processes that start together, both end up with the key of the first.
            os.link(draft, path)
        except FileExistsError:
            if _read_key(path) is None:  # a damaged key opens nothing any more, so nothing is lost with it
                os.replace(draft, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
        key = _read_key(path)
    if key is None:
        raise OSError(f"Could not create the ticket key {path}.")
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return key


def _read_key(path: Path) -> bytes | None:
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (FileNotFoundError, ValueError):
        return None
    return key if len(key) >= KEY_BYTES else None
