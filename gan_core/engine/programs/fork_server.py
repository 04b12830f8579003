"""``python -m gan_core.lifeline gan_core.engine.programs.fork_server``: imports what programs of the engine import, and forks
one for each request that comes by the socket at its standard input.

It never trains: a process that has computed gradients, or asked for an accelerator, may not be forked. With a request come
the program's standard input, output and error, and a socket by which its process id and its exit status are told.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from setproctitle import setproctitle

from gan_core import failpoints, lifeline
from gan_core.data import mnist5k
from gan_core.engine.programs.forked import NUMBER, SIZE
from gan_core.loading import for_good

PROGRAMS = (
    "gan_core.engine.running.worker",
    "gan_core.engine.answering.process",
    "gan_core.engine.exchange.scorer",
    "gan_core.engine.studies.studier",
)


@dataclass
class _Child:
    pid: int
    handle: int
    news: socket.socket


def main() -> None:
    requests = socket.socket(fileno=os.dup(0))
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # lifeline holds no lock
    with for_good():  # a collection in a program would also copy the pages of everything imported
        for module in PROGRAMS:
            importlib.import_module(module)
        importlib.import_module("torch._dynamo")  # which optimizers import when the first one is made
        mnist5k()  # decoded once, for all
        gc.collect()
    _serve(requests)


def _serve(requests: socket.socket) -> None:
    children: dict[int, _Child] = {}  # by the handle of their process, and by the socket on which they are waited for
    events = select.poll()
    events.register(requests, select.POLLIN)
    while True:
        for ready, _ in events.poll():
            if ready == requests.fileno():
                head, handles, *_ = socket.recv_fds(requests, SIZE.size, 4)
                if len(head) < SIZE.size:
                    return
                text = _exactly(requests, *SIZE.unpack(head))
                begun = _fork(json.loads(text), handles, requests, children.values())
                if begun is not None:
                    children[begun.handle] = children[begun.news.fileno()] = begun
                    events.register(begun.handle, select.POLLIN)
                    events.register(begun.news, 0)  # nothing but that it is closed
            elif (child := children.pop(ready, None)) is not None:  # None: its end was heard of a moment ago
                events.unregister(ready)
                if ready == child.handle:
                    if children.pop(child.news.fileno(), None) is not None:
                        events.unregister(child.news)
                    _bury(child)
                else:  # given up, perhaps before whoever asked for it knew that it had begun
                    signal.pidfd_send_signal(child.handle, signal.SIGKILL)


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        came = stream.recv(size - len(data))
        if not came:
            os._exit(0)
        data += came
    return data


def _fork(
    request: dict[str, Any], handles: list[int], requests: socket.socket, others: Iterable[_Child]
) -> _Child | None:
    """A program; None where nobody waits for it any more, or the system gives no more processes."""
    *pipes, told = handles
    news = socket.socket(fileno=told)
    left = select.poll()
    left.register(news, 0)
    child = None
    if not left.poll(0):
        try:
            pid = os.fork()
            if pid == 0:
                for held in (requests, news, *(other.news for other in others)):
                    held.detach()
                _become(request, pipes)
            child = _Child(pid, os.pidfd_open(pid), news)
            socket.send_fds(news, [NUMBER.pack(pid)], [child.handle])
        except OSError:
            traceback.print_exc()
    for pipe in pipes:
        os.close(pipe)
    if child is None:
        news.close()
    return child


def _bury(child: _Child) -> None:
    _, status = os.waitpid(child.pid, 0)
    with suppress(OSError):  # nobody asks any more
        child.news.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))
    child.news.close()
    os.close(child.handle)


def _become(request: dict[str, Any], pipes: list[int]) -> NoReturn:
    """In the fork: be the program, as if an interpreter had been started for it."""
    status = 1
    try:
        os.setsid()
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
        os.closerange(len(pipes), os.sysconf("SC_OPEN_MAX"))  # the fork server's own, and those of other programs
        setproctitle(" ".join((request["module"], *request["arguments"])))  # it finds its place by the old environment
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        sys.argv[:] = [request["module"], *request["arguments"]]
        lifeline.hold(0)
        failpoints.arm_as_the_environment_says()
        importlib.import_module(request["module"]).main(*request["arguments"])
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
