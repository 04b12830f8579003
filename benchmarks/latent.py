"""What walking through a latent space costs: how long a slider waits for its picture, and what thirty of them take from a run.

    python benchmarks/latent.py                                   # about three minutes; writes docs/results/latent.md
    python benchmarks/latent.py --seconds 4 --cycles 1 --out /tmp/quick.md

A DCGAN trains in a process of its own, as in the server, while visitors move the slider of the Latent page: a new place every
100 ms, asked for as the page does, when the answer to the last one has come and 60 ms are over. They walk through another
run of the same size. Windows without visitors stand between those with them, and each is compared with its neighbours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gan_core.config import preset_config
from gan_core.engine import Lab, prepare_classifier
from gan_core.server.asking import asking_routes, close_guides
from gan_core.server.tickets import open_tickets

RESULTS = ROOT / "docs" / "results"
MOVE, PAUSE = 0.1, 0.06  # seconds
PORT = 8797


@dataclass(frozen=True)
class Trial:
    """What visitors ask: ``message(t, index)`` of visitor ``index`` at ``t`` from 0 to 1, of a run of ``preset`` with
    ``changes``. ``told`` is the beginning of the page that is written as ``name``, ``who`` the head of its first column.
    """

    name: str
    script: str
    preset: str
    changes: dict[str, Any]
    message: Callable[[float, int], dict[str, Any]]
    told: tuple[str, ...]
    who: str


def _at(t: float, index: int) -> dict[str, Any]:
    return {"do": "at", "points": ["0", "1"], "t": t, "seed": index}


LATENT = Trial(
    "latent",
    __file__,
    "digits-dcgan",
    {"schedule.rounds": 20},
    _at,
    (
        "# Walking through a latent space while a run trains",
        "",
        "`python benchmarks/latent.py` wrote this: a DCGAN of 28×28 digits trains in a process of its own while visitors",
        "of the Latent page move a slider without rest, a new place every 100 ms. *Waited* is from the move to the answer",
        "with its two pictures.",
    ),
    "visitors who move a slider",
)


# -- the visitors, in a process of their own -------------------------------------------------------------------------


async def visitor(trial: Trial, url: str, end: float, index: int, told: list[float]) -> None:
    """One who asks without rest; how long each question waited, in ms."""
    async with connect(url, max_size=None) as socket:
        await asyncio.sleep(index * 0.013 % MOVE)
        t = index * 0.03
        while time.monotonic() < end:
            t = (t + 0.02) % 1
            asked = time.monotonic()
            await socket.send(json.dumps({**trial.message(t, index), "n": 1}))
            answer = await socket.recv()
            assert '"sheet"' in str(answer), answer
            told.append(1000 * (time.monotonic() - asked))
            await asyncio.sleep(max(PAUSE, MOVE - (time.monotonic() - asked)))


async def visit(trial: Trial, url: str, count: int, seconds: float) -> list[float]:
    told: list[float] = []
    end = time.monotonic() + seconds
    await asyncio.gather(*(visitor(trial, url, end, index, told) for index in range(count)))
    return told


# -- the server and the run ------------------------------------------------------------------------------------------


@contextmanager
def served(lab: Lab) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=asking_routes(lambda: lab)), port=PORT, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
        close_guides()


def window(trial: Trial, lab: Lab, run: str, url: str, count: int, seconds: float) -> tuple[float, list[float]]:
    """Rounds a second of the run while so many ask, and what those waited."""
    played, began = lab.view(run).status["round"], time.monotonic()
    told: list[float] = []
    if count:
        asked = [sys.executable, trial.script, "--visit", url, "--viewers", str(count), "--seconds", str(seconds)]
        told = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    else:
        time.sleep(seconds)
    return (lab.view(run).status["round"] - played) / (time.monotonic() - began), told


def measure(trial: Trial, options: argparse.Namespace) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {count: {"kept": [], "waited": [], "speed": []} for count in options.counts}
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder) / "runs", executor="process") as lab:
        walked = lab.submit(preset_config(trial.preset, {**trial.changes, "device": "cpu"}))
        prepare_classifier(lab, preset_config("digits-dcgan"))
        lab.wait(walked)
        run = lab.submit(preset_config("digits-dcgan", {"schedule.rounds": 10**6, "device": "cpu"}))
        while lab.view(run).status["round"] < 20:
            time.sleep(0.1)
        url = f"ws://localhost:{PORT}/ask/{walked}?ticket={open_tickets(lab.store.root).mint(walked)}"
        with served(lab):
            window(trial, lab, run, url, 1, 2.0)  # the process has started, the space is open
            alone = window(trial, lab, run, url, 0, options.seconds)[0]
            for _ in range(options.cycles):
                for count in options.counts:
                    speed, waited = window(trial, lab, run, url, count, options.seconds)
                    after = window(trial, lab, run, url, 0, options.seconds)[0]
                    found[count]["speed"].append(speed)
                    found[count]["kept"].append(speed / statistics.mean((alone, after)))
                    found[count]["waited"] += waited
                    alone = after
        lab.command(run, "stop")
        lab.wait(run)
    return found


def written(
    trial: Trial, found: dict[int, dict[str, Any]], options: argparse.Namespace, load: tuple[float, float]
) -> str:
    lines = [
        *trial.told,
        "*Kept* is the run's rounds a second, divided by those of the windows without visitors just before and after; each",
        f"of {options.cycles} windows lasts {options.seconds:g} s.",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores; load average {load[0]:.1f} before and {load[1]:.1f} after, of which",
        "this benchmark is about two: with more than that, other work had a part of the machine.",
        "",
        f"| {trial.who} | pictures | waited p50 | p95 | p99 | kept of the run's speed, median | each window |",
        "|---|---|---|---|---|---|---|",
    ]
    for count, of in found.items():
        waited = sorted(of["waited"])
        at = [waited[min(len(waited) - 1, int(share * len(waited)))] for share in (0.5, 0.95, 0.99)]
        each = ", ".join(f"{kept:.2f}" for kept in of["kept"])
        times = " | ".join(f"{value:.0f} ms" for value in at)
        lines.append(f"| {count} | {len(waited):,} | {times} | {statistics.median(of['kept']):.2f} | {each} |")
    return "\n".join(lines) + "\n"


def main(trial: Trial = LATENT) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--counts", type=lambda text: [int(one) for one in text.split(",")], default=[1, 30])
    parser.add_argument("--out", type=Path, default=RESULTS / f"{trial.name}.md")
    parser.add_argument("--visit", help=argparse.SUPPRESS)
    parser.add_argument("--viewers", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.visit:
        print(json.dumps(asyncio.run(visit(trial, options.visit, options.viewers, options.seconds))))
        return
    before = os.getloadavg()[0]
    found = measure(trial, options)
    text = written(trial, found, options, (before, os.getloadavg()[0]))
    options.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
