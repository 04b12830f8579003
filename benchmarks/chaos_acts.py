"""What is done to runs of a store while its server may be killed at any moment, each act asked for by the bench `chaos.py`."""

from __future__ import annotations

import io
import json
import random
import threading
import urllib.error
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from http.client import HTTPException
from typing import Any

import psutil

from gan_core.engine import Lab, Refused
from gan_core.engine.exchange.packs import write_pack
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.engine.resuming import interrupted
from gan_core.store import StoreError
from tests.workers import workers

ACTS = ("save", "fork", "pack and take in", "delete for good")
STOP_SECONDS = 5.0


# In the server


def act(lab: Lab, do: str, mine: Sequence[str]) -> None:
    """One of ``ACTS`` on one of these runs; what is deleted are the others: forks of them, and what was taken in."""
    run = random.choice([run for run in mine if lab.is_active(run)] or mine)
    try:
        match do:
            case "save":
                lab.command(run, "checkpoint")
            case "fork":
                lab.fork(run)
            case "pack and take in":
                file = io.BytesIO()
                write_pack(lab.store, run, file, with_checkpoints=True)
                file.seek(0)
                read_pack(lab.store, file, copies=True)
            case "delete for good":
                _delete(lab, mine)
    except (Refused, StoreError, OSError):
        pass  # the run has ended, has no checkpoint yet, or the disk is full, which a page says in a sentence


def _delete(lab: Lab, mine: Sequence[str]) -> None:
    others = [run.id for run in lab.store.runs() if run.id not in mine]
    for run in others:
        if lab.is_active(run):
            lab.command(run, "stop")
            lab.wait(run, STOP_SECONDS)
    lab.delete(*others)
    for entry in lab.store.bin.listed():
        lab.store.bin.purge(entry.id)


def put_aside(lab: Lab, mine: Collection[str]) -> None:
    """Nobody goes on with what was forked or taken in before the server was killed; it is deleted for good by an act."""
    lab.delete(*(run.id for run in interrupted(lab.store) if run.id not in mine))


# In the bench


class Meddler:
    """Asks a server for one act after the other, until it is killed. ``within`` are the acts that it was killed in."""

    def __init__(self, ask: Callable[..., Any], mine: Sequence[str], rng: random.Random) -> None:
        self.done, self.within = Counter[str](), ""
        self.faults: list[str] = []
        self._ask, self._mine, self._rng = ask, list(mine), rng
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._meddle, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _meddle(self) -> None:
        while not self._over.wait(self._rng.uniform(0.0, 0.2)):
            do = self._rng.choice(ACTS)
            try:
                self._ask("/chaos/act", {"do": do, "mine": self._mine})
                self.done[do] += 1
            except urllib.error.HTTPError as error:
                self.faults.append(f"{do} was answered with {error.code}")
            except (OSError, HTTPException, json.JSONDecodeError):  # while it was at work
                self.within = do
                return


def kill_a_worker(server: int, rng: random.Random) -> bool:
    """End one of the processes that train for a server; False if there is none."""
    found = sorted(workers(server), key=lambda process: process.pid)
    if not found:
        return False
    try:
        rng.choice(found).kill()
    except psutil.NoSuchProcess:
        return False
    return True
