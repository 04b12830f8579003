"""A bridge for the bench of a crowd: beyond so many runs, a run is not trained but told, by an actor that stands for many.

    python -m benchmarks.ray_players ADDRESS NAMESPACE      # in place of gan_core.cluster.bridge; TRAINED says how many train

Such a run costs Ray, the bridge, the pipe, the server, the store and the pages what one that trains does: its actor is asked
and answers by the same calls, with what a run that trains here has said, at its pace, from round to round on. Its checkpoints
are not sent: what they seal would be another run's.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psutil

from gan_core.cluster import bridge
from gan_core.cluster.handshake import here
from gan_core.engine.messages import Rows, Sight
from gan_core.engine.running import wire

TRAINED = "GANSCOPE_BENCH_TRAINED"  # runs that really train
OF_ONE = 100  # runs that one actor tells
RECORDED = 40  # entries with rows, of the first run that trains, which are told again and again
Recording = list[tuple[float, dict[str, Any], bytes]]  # seconds since the one before, what the entry says, its frame


class Players:
    """An actor that tells runs: what was recorded, with later rounds each time."""

    def __init__(self, recording: Recording) -> None:
        with suppress(psutil.AccessDenied):  # Ray's actors are nicer; this one stands for the cores of many machines
            psutil.Process().nice(0)
        self._recording = recording
        self._told: dict[str, list[tuple[int, dict[str, Any], bytes]]] = {}
        self._changed = asyncio.Condition()
        self._telling: list[asyncio.Task[None]] = []

    async def greet(self, run: str, sets: list[str], files: list[dict[str, str]]) -> dict[str, Any]:
        self._told[run] = []
        self._telling.append(asyncio.create_task(self._tell_of(run)))
        return {"versions": here(), "node": "players", "lacking": [], "absent": [], "others": [], "taken": False}

    async def poll(self, run: str, lease: int, after: int, heard: int) -> dict[str, Any]:
        told = self._told[run]
        async with self._changed:
            with_something = self._changed.wait_for(lambda: bool(told) and told[-1][0] > after)
            with suppress(TimeoutError):
                await asyncio.wait_for(with_something, bridge.POLL_SECONDS)
            told[:] = [entry for entry in told if entry[0] > after]
            return {"entries": list(told), "number": sys.maxsize, "now": time.time()}

    async def tell(self, run: str, *words: Any) -> None:
        """Nothing that these runs are told changes them."""

    async def leave(self, run: str) -> None:
        self._told.pop(run, None)

    async def _tell_of(self, run: str) -> None:
        seq = shift = 0
        while run in self._told:
            last = 0
            for wait, data, frame in self._recording:
                await asyncio.sleep(wait)
                word = wire.read(io.BytesIO(frame))[1]
                ends, word = _later(word, shift)
                said_once = not isinstance(word, Rows | Sight) or ends == shift
                if shift and said_once:
                    continue
                last = max(last, ends)
                stream = io.BytesIO()
                wire.write(stream, run, word)
                seq += 1
                async with self._changed:
                    self._told.get(run, []).append((seq, {**data, "at": time.time()}, stream.getvalue()))
                    self._changed.notify_all()
            shift = last


def _later(word: Any, shift: int) -> tuple[int, Any]:
    """The last round that a message tells of, and the message, moved by so many rounds."""
    if isinstance(word, Rows):
        return int(word.rounds[-1]) + shift, replace(word, rounds=word.rounds + shift)
    if isinstance(word, Sight):
        return word.round + shift, replace(word, round=word.round + shift)
    return shift, word


class _Player:
    """One run of `Players`, in the guise of the handle of an actor of its own."""

    def __init__(self, host: Any, run: str) -> None:
        self._host, self._run = host, run

    def __getattr__(self, name: str) -> Any:
        return _Call(partial(getattr(self._host, name).remote, self._run))


@dataclass
class _Call:
    remote: Callable[..., Any]


class CrowdedBridge(bridge.Bridge):
    """The bridge, of which the first ``TRAINED`` runs train."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._left = int(os.environ[TRAINED])
        self._recording: Recording = []
        self._recorded = asyncio.Event()
        self._hosts: list[Any] = []
        self._told = 0
        self._first, self._said_at = "", 0.0

    async def _start(self, lane: bridge.Lane, word: dict[str, Any]) -> None:
        self._left -= 1
        if self._left >= 0:
            self._first = self._first or lane.run
            await super()._start(lane, word)
            return
        await self._recorded.wait()
        if self._told % OF_ONE == 0:
            made = self._ray.remote(max_concurrency=10 * OF_ONE)(Players)
            self._hosts.append(made.options(num_cpus=0).remote(self._recording))
        self._told += 1
        lane.actor = _Player(self._hosts[-1], lane.run)

    def say(self, word: str, blob: bytes = b"", **data: Any) -> None:
        super().say(word, blob, **data)
        if word == "entries" and data["run"] == self._first and not self._recorded.is_set():
            place = 0
            for entry in data["entries"]:
                self._record(entry, blob[place:][: entry["bytes"]])
                place += entry["bytes"]

    def _record(self, entry: dict[str, Any], blob: bytes) -> None:
        if entry.get("kind") not in ("Ready", "State", "Rows", "Sight"):
            return
        now = entry["at"]
        wait, self._said_at = (now - self._said_at if self._said_at else 0.0), now
        self._recording.append((min(wait, 2.0), {key: entry[key] for key in ("what", "kind")}, blob))
        if sum(told.get("kind") == "Rows" for _, told, _ in self._recording) >= RECORDED:
            self._recorded.set()


if __name__ == "__main__":
    bridge.Bridge = CrowdedBridge  # type: ignore[misc]
    bridge.main()
