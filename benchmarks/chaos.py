"""Kills the server at random moments while runs train, damages files, fills the disk, storms the routes; counts what was lost.

    make chaos                          # 100 kills, about fifteen minutes; its section of docs/results/reliability.md
    GANSCOPE_EXECUTOR=process python benchmarks/chaos.py          # the same with runs in processes, which are killed alone too
    python benchmarks/chaos.py --kills 5 --out /tmp/quick.md

The server is a process of its own with the lab, the store and the live routes as `app.py` has them, without Streamlit's
pages. Meanwhile runs are saved, forked, packed, taken in and deleted for good (`chaos_acts.py`), and where they train in
processes, one of these is killed alone in every other life. A journal, kept here, holds every row that could be read from the
store, and when each round was seen on its way to a browser. After each kill the store is looked over by `fsck` and compared
with the journal; then all runs are resumed. A run that has ended is compared, by the hash of its whole state, with one that
nobody disturbed, and a new one begins.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.chaos_acts import ACTS, Meddler, act, kill_a_worker, put_aside
from benchmarks.sections import write_section
from benchmarks.serving import free_port, machine, parse_or_serve
from gan_core.config import RunConfig, preset_config
from gan_core.engine import Lab, open_lab, resume_interrupted
from gan_core.failpoints import VARIABLE
from gan_core.server.tickets import open_tickets
from gan_core.store import RunStore, fsck
from gan_core.training import checkpoints, resolve

AT_ONCE = 3
EXECUTOR = os.environ.get("GANSCOPE_EXECUTOR") or "thread"
TITLE = "Killed at random" if EXECUTOR == "thread" else "Killed at random, with runs in processes"
WORKER_SECONDS = 10.0  # for a run whose process was killed to be known as interrupted
LONGEST = 2.5  # seconds that a server trains before it is killed
EARLY = 0.15  # share of the lives that may end before the runs have begun
START_SECONDS = 120.0
LONG_LOST = 1.0  # seconds of curves, from which the report tells what was shown
HOSTILE = ("..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 10_000, "x%00y", "nowhere", "%F0%9F%92%A5", "recent%2f..")
RUN = {
    "model.generator.widths": [32, 32],
    "model.discriminator.widths": [32, 32],
    "data.batch_size": 32,
    "diagnostics.samples": 64,
    "diagnostics.every": 200,
    "schedule.checkpoint_seconds": 1,
    "device": "cpu",
}


@dataclass
class Tally:
    """What happened, and what must stay zero."""

    kills: int = 0
    damaged: int = 0
    full: int = 0
    ended: int = 0
    resumed: int = 0
    not_resumed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    rows_lost: int = 0
    different: int = 0
    lost_seconds: list[float] = field(default_factory=list)
    long_lost: list[str] = field(default_factory=list)
    requests: int = 0
    odd_answers: list[str] = field(default_factory=list)
    workers: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)

    @property
    def bad(self) -> bool:
        return bool(self.faults or self.rows_lost or self.different or self.not_resumed or self.odd_answers)


@dataclass
class Journal:
    """What was seen of one run: ``kept`` is the last round read from the store; ``shown`` are (time, state, round) on the
    way to a browser."""

    kept: int = 0
    shown: list[tuple[float, str, int]] = field(default_factory=list)

    def seconds_lost(self, recorded: int, now: float) -> float:
        """How long before ``now`` the first round was shown that is not recorded; 0 if all that was shown is.

        The round that a run goes on from, which is shown first, is that of a checkpoint, which may be ahead of its rows.
        """
        begun = self.shown[0][2] if self.shown else 0
        first = next((when for when, _, round in self.shown if round > max(recorded, begun)), None)
        return 0.0 if first is None else now - first

    def history(self, now: float) -> str:
        """What was shown, by state: how long before ``now`` it began, and its first and last round."""
        parts = []
        for state, seen in itertools.groupby(self.shown, key=lambda one: one[1]):
            (when, _, first), *rest = seen
            parts.append(f"{state} {when - now:+.2f} s: {first} to {rest[-1][2] if rest else first}")
        return ", ".join(parts)


# The server: the lab and the live routes, told what to do by two routes of its own.


def serve(root: Path, port: int) -> None:
    import uvicorn
    from anyio import to_thread
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    from gan_core.server import live
    from gan_core.server.lifespan import lifespan

    def opened() -> Lab:
        lab = open_lab(root)
        lab.capacity = AT_ONCE + 1  # and a fork
        return lab

    async def begin(request: Request) -> Response:
        return await to_thread.run_sync(go_on, await request.json())

    def go_on(mine: list[str]) -> Response:
        lab = open_lab(root)
        put_aside(lab, mine)
        resumed = resume_interrupted(lab)
        return JSONResponse({"gone_on": resumed.gone_on, "refused": resumed.refused})

    async def meddle(request: Request) -> Response:
        told = await request.json()
        await to_thread.run_sync(act, open_lab(root), told["do"], told["mine"])
        return JSONResponse({})

    async def submit(request: Request) -> Response:
        return JSONResponse(open_lab(root).submit(RunConfig.load(await request.json())))

    own = [Route(f"/chaos/{one.__name__}", one, methods=["POST"]) for one in (begin, submit)]
    own.append(Route("/chaos/act", meddle, methods=["POST"]))
    app = Starlette(routes=[*own, *live.routes()], lifespan=lifespan(opened, warm_up=lambda: None))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", ws="none")


class Server:
    """A server in a process of its own."""

    def __init__(self, root: Path, log: Path, failpoints: str = "") -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(Path(__file__).resolve()), "--serve", str(root), "--port", str(port)]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=errors,
                stderr=errors,
                env=os.environ | {"GANSCOPE_EXECUTOR": EXECUTOR, VARIABLE: failpoints},
            )
        deadline = time.monotonic() + START_SECONDS
        while self._answer("/live/recent") == 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)

    def ask(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def read(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            return json.load(answer)

    def storm(self, tally: Tally, over: threading.Event) -> None:
        """Ask for what is not there, until it is over; an answer that is no refusal is odd."""
        for path in itertools.cycle(f"/live/{name}/{what}" for name in HOSTILE for what in ("state", "artefact/x")):
            if over.is_set():
                return
            status = self._answer(path)
            tally.requests += 1
            if status not in (0, 400, 403, 404, 414, 431):
                tally.odd_answers.append(f"{status} for {path[:60]}")
            time.sleep(0.01)

    def _answer(self, path: str) -> int:
        """The status, 0 if nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


# One life of the server


def live_and_die(
    root: Path, journals: dict[str, Journal], tally: Tally, config: RunConfig, rng: random.Random, log: Path
) -> None:
    """Start a server, let it go on with everything, kill it at a random moment, look at what is left."""
    full = tally.kills % 7 == 6
    server = Server(root, log, "save.write=enospc@2x3" if full else "")
    tally.full += full
    over = threading.Event()
    storm = threading.Thread(target=server.storm, args=(tally, over))
    meddler: Meddler | None = None
    try:
        going = set(go_on(server, journals, tally))
        while len(going) < AT_ONCE:
            going.add(server.ask("/chaos/submit", config.replace({"seed": len(journals)}).to_dict()))
            journals.update({run: Journal() for run in going if run not in journals})
        storm.start()
        meddler = Meddler(server.ask, list(journals), random.Random(rng.random()))
        ticket = open_tickets(root).mint("*")
        early = rng.random() < EARLY
        with RunStore(root) as store:
            until = time.monotonic() + rng.uniform(0.05, LONGEST)
            alone = EXECUTOR == "process" and rng.random() < 0.5
            patience = time.monotonic() + START_SECONDS
            while time.monotonic() < until:
                states = set()
                for run in going:
                    status = server.read(f"/live/{run}/state?ticket={ticket}")["status"]
                    states.add(status["state"])
                    journals[run].shown.append((time.monotonic(), status["state"], status["round"]))
                    journals[run].kept = store.last_round(run, "turns") or 0
                if "queued" in states and not early and time.monotonic() < patience:
                    until = time.monotonic() + rng.uniform(0.05, LONGEST)  # they have not begun
                elif alone:
                    alone = False
                    lose_a_worker(server, store, {run: journals[run] for run in going}, tally, rng)
                    # Also of a run that went with that process and was not yet known as interrupted.
                    for run in go_on(server, journals, tally):
                        journals[run].shown.clear()
                    until = time.monotonic() + rng.uniform(0.05, LONGEST)
                time.sleep(0.02)
            killed = time.monotonic()
            server.kill()
    finally:
        server.kill()
        over.set()
        if storm.ident is not None:
            storm.join()
        if meddler is not None:
            meddler.end()
            tally.acts += meddler.done
            tally.within[meddler.within] += 1
            tally.faults += meddler.faults
    tally.kills += 1
    compare(root, {run: journals[run] for run in going}, killed, tally)


def go_on(server: Server, journals: dict[str, Journal], tally: Tally) -> list[str]:
    """Let everything that was interrupted go on; returns what did."""
    answer = server.ask("/chaos/begin", list(journals))
    tally.resumed += len(answer["gone_on"])
    tally.not_resumed += answer["refused"].values()
    return [str(run) for run in answer["gone_on"]]


def lose_a_worker(
    server: Server, store: RunStore, journals: dict[str, Journal], tally: Tally, rng: random.Random
) -> None:
    """Kill one process that trains, alone; what it had said is on record once its run is known as interrupted."""
    killed = time.monotonic()
    if not kill_a_worker(server.process.pid, rng):
        return
    tally.workers += 1
    while time.monotonic() < killed + WORKER_SECONDS:
        lost = [run for run in journals if store.run(run).status == "interrupted"]
        if lost:
            against_the_store(store, {run: journals[run] for run in lost}, killed, tally)
            return
        time.sleep(0.02)


def compare(root: Path, journals: dict[str, Journal], killed: float, tally: Tally) -> None:
    """What is in the store against the journals."""
    with RunStore(root) as store:
        store.interrupt_orphans()
        store.sweep()
        tally.faults += [str(fault) for fault in fsck(root)]
        against_the_store(store, journals, killed, tally)


def against_the_store(store: RunStore, journals: dict[str, Journal], killed: float, tally: Tally) -> None:
    for run, journal in journals.items():
        recorded = store.last_round(run, "turns") or 0
        tally.rows_lost += max(0, journal.kept - recorded)
        seconds = journal.seconds_lost(recorded, killed)
        tally.lost_seconds.append(seconds)
        if seconds > LONG_LOST:
            tally.long_lost.append(f"{seconds:.2f} s, {recorded} recorded, shown {journal.history(killed)}")
        journal.shown.clear()
        journal.kept = 0  # what is resumed begins at a checkpoint, and is recorded again


def damage(root: Path, tally: Tally, rng: random.Random) -> None:
    """Flip a byte in the newest checkpoint of a run that has an older one: fsck must name it, and resume pass it over."""
    found = [paths for folder in root.glob("*/checkpoints") if len(paths := checkpoints(folder)) > 1]
    if not found:
        return
    path = rng.choice(found)[-1].with_suffix(".safetensors")
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    tally.damaged += 1
    named = [fault.sentence for fault in fsck(root) if path.stem in fault.path]
    if not named:
        tally.faults.append(f"fsck did not see the damage of {path.name}")
    # What follows shall find other faults only; the damaged one stays, as it would for a user, until it is passed over.
    path.with_suffix(".json").unlink()
    path.unlink()


def check_ended(
    root: Path, tally: Tally, config: RunConfig, whole: dict[int, str], mine: Collection[str], checked: set[str]
) -> None:
    """Every run of the bench that has finished must be the run that nobody disturbed."""
    with RunStore(root) as store:
        ended = [run for run in store.runs() if run.id in mine and getattr(run, "status", "") == "finished"]
    for run in ended:
        if run.id in checked:
            continue
        checked.add(run.id)
        seed = RunConfig.load(run.config).seed  # type: ignore[union-attr]
        if seed not in whole:
            with tempfile.TemporaryDirectory() as folder, Lab(folder) as lab:
                alone = lab.wait(lab.submit(config.replace({"seed": seed})))
                whole[seed] = alone.summary["state_hash"]
        tally.ended += 1
        tally.different += run.summary["state_hash"] != whole[seed]  # type: ignore[union-attr]


def finish(root: Path, tally: Tally, mine: Collection[str]) -> None:
    """Let everything that is left go on to its end, undisturbed."""
    with Lab(root, capacity=AT_ONCE) as lab:
        put_aside(lab, mine)
        resumed = resume_interrupted(lab)
        tally.resumed += len(resumed.gone_on)
        tally.not_resumed += resumed.refused.values()
        for run in resumed.gone_on:
            ended = lab.wait(run)
            if ended.status != "finished":
                tally.not_resumed.append(f"A run is {ended.status}: {ended.message}")


def rampage(kills: int, rounds: int, seed: int, folder: Path) -> Tally:
    """So many lives of a server over one store under ``folder``, then the end of every run."""
    tally, journals, whole, checked = Tally(), {}, {}, set()  # type: ignore[var-annotated]
    rng = random.Random(seed)
    config = resolve(preset_config("ring-mlp", RUN | {"schedule.rounds": rounds}))
    root, log = folder / "runs", folder / "server.log"
    for kill in range(kills):
        live_and_die(root, journals, tally, config, rng, log)
        if kill % 5 == 4:
            damage(root, tally, rng)
        check_ended(root, tally, config, whole, journals, checked)
        print(f"\r{kill + 1} of {kills} kills, {tally.ended} runs ended", end="", file=sys.stderr, flush=True)
    finish(root, tally, journals)
    check_ended(root, tally, config, whole, journals, checked)
    tally.faults += [str(fault) for fault in fsck(root)]
    print(file=sys.stderr)
    return tally


def report(tally: Tally, seed: int, rounds: int, load: list[tuple[float, float, float]]) -> str:
    lost = sorted(tally.lost_seconds) or [0.0]
    rows = {
        "kills (`kill -9`), three runs training": tally.kills,
        "runs played to their end": tally.ended,
        "resumptions": tally.resumed,
        "checkpoints damaged on purpose (one bit), all named by fsck": tally.damaged,
        "lives with a disk that was full for a while": tally.full,
        **({"processes of runs killed alone (`kill -9`), the server going on": tally.workers} if tally.workers else {}),
        **{f"{name} (killed in the midst of it)": f"{tally.acts[name]} ({tally.within[name]})" for name in ACTS},
        "hostile requests": tally.requests,
        "**rows lost that had been read from the store**": tally.rows_lost,
        "**faults found in the store**": len(tally.faults),
        "**runs that could not be resumed**": len(tally.not_resumed),
        "**runs that ended with other bits than undisturbed**": tally.different,
        "**answers that were no refusal**": len(tally.odd_answers),
        "curves lost by a kill, seconds: median": f"{lost[len(lost) // 2]:.2f}",
        "curves lost by a kill, seconds: worst": f"{lost[-1]:.2f}",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    told = "\n".join(
        f"* {line}" for line in [*tally.faults, *tally.not_resumed, *tally.odd_answers, *tally.long_lost][:20]
    )
    how = "make chaos" if EXECUTOR == "thread" else f"GANSCOPE_EXECUTOR={EXECUTOR} make chaos"
    return f"""`{how}` (`python benchmarks/chaos.py --kills {tally.kills} --seed {seed} --rounds {rounds}`) starts the
server, trains three runs, each in a {EXECUTOR}, kills it at a random moment within {LONGEST:g} s, looks the store over,
resumes everything, and so on. Lines in bold must be 0.

| | |
|---|---:|
{table}

{told}

Measured on {machine(load)}
"""


@contextlib.contextmanager
def workplace(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the server at random moments and count what was lost.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=6000, help="of each run (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    parser.add_argument("--keep", type=Path, help="a folder for the store and the server's log, kept afterwards")
    options = parse_or_serve(parser, serve)
    load = [os.getloadavg()]
    with workplace(options.keep) as folder:
        tally = rampage(options.kills, options.rounds, options.seed, folder)
    load.append(os.getloadavg())
    text = report(tally, options.seed, options.rounds, load)
    write_section(options.out, TITLE, text)
    print(text)
    return int(tally.bad)


if __name__ == "__main__":
    sys.exit(main())
