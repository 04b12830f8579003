"""What a process runs out of: file handles, threads, memory. A lack of them says nothing about what was looked for."""

from __future__ import annotations

import errno
import logging
import time
from collections import OrderedDict
from contextlib import suppress

MOST_HANDLES = 65_536  # more would only slow down who closes all of them
QUIET_SECONDS = 60.0
# Loggers of what is tried again and again: every half second, at every request, at every connection.
IN_LOOPS = (
    "asyncio",
    "gan_core.engine.running.processes",
    "gan_core.engine.running.recording",
    "gan_core.engine.running.scheduler",
    "gan_core.engine.showing.recorder",
    "gan_core.engine.showing.subscribers",
    "gan_core.server.lifespan",
    "gan_core.server.live",
    "streamlit.web.server.starlette.starlette_websocket",  # of what anybody sends, with a traceback each time
)
MOST_REMEMBERED = 200

_SAYS_NOTHING = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EAGAIN, errno.EINTR}
)


def cannot_tell(error: BaseException | None) -> bool:
    """Whether an error leaves open what is there: no handle, no memory or no permission to look.

    Unlike a file that is missing, or a disk that cannot give back what it holds.
    """
    if isinstance(error, OSError):
        return error.errno in _SAYS_NOTHING
    return isinstance(error, MemoryError)


def brace() -> None:
    """For who owns a process: take the handles that there are, and say the same trouble seldom."""
    raise_handle_limit()
    for name in IN_LOOPS:
        log = logging.getLogger(name)
        if not any(isinstance(one, Seldom) for one in log.filters):
            log.addFilter(Seldom())


def raise_handle_limit(most: int = MOST_HANDLES) -> int:
    """Let this process have as many file handles as the system grants it, up to ``most``; returns how many that is.

    The usual 1,024, or the 256 of some systems, are used up by a class: each browser takes some. 0 where nobody knows.
    """
    try:
        import resource
    except ImportError:  # a system without such limits
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    with suppress(OSError, ValueError):  # some systems grant less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Seldom(logging.Filter):
    """Lets the same trouble be logged once a minute, with how often it came meanwhile; other messages pass.

    The same is what has the same template and the same exception; of an OSError its number, since it may name any file.
    """

    def __init__(self, seconds: float = QUIET_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds
        self._seen: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        error = record.exc_info[1] if record.exc_info else None
        what = error.errno if isinstance(error, OSError) else str(error)[:80]
        key = (record.name, record.levelno, str(record.msg)[:200], type(error), what)
        said, withheld = self._seen.get(key, (float("-inf"), 0))
        now = time.monotonic()
        if now - said < self._seconds:
            self._seen[key] = (said, withheld + 1)
            return False
        self._seen[key] = (now, 0)
        self._seen.move_to_end(key)
        while len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        if withheld:
            record.msg, record.args = f"{record.getMessage()} (and {withheld:,} times more since it was last said)", ()
        return True
