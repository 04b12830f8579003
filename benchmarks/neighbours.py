"""One run three times: alone, beside three others, and with ten viewers. Its whole state must end with the same hash.

    make neighbours                                          # a minute or two; its section of docs/results/reliability.md
    python benchmarks/neighbours.py --rounds 300 --out /tmp/quick.md

The server is `app.py` in a process of its own, a class's. Viewers hold the sockets of a Watch page and rerun its fragments;
as many as ``--pages`` of them are Chromium pages, which really draw. Each way is played in threads and in processes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.crowd import Crowd, Viewer
from benchmarks.sections import command_line, write_section
from benchmarks.serving import Dashboard, WatchPage, machine, open_browser, parse_or_serve, serve
from gan_core.config import preset_config
from gan_core.server.tickets import open_tickets
from gan_core.training import resolve

TITLE = "Neighbours and watchers"
# Dropout and batch statistics are what a shared stream of random numbers, or a look, would change first.
CHANGES = {"model.discriminator.dropout": 0.3, "model.generator.normalization": "batch", "device": "cpu"}
NEIGHBOURS = 3
VIEWERS = 10
EXECUTORS = ("thread", "process")


def carry_out(do: str, **details: Any) -> dict[str, Any]:
    """In the server's process: begin a run, end it, or wait for its end."""
    from gan_core.engine import open_lab

    lab = open_lab()
    if do == "room":
        lab.capacity = details["runs"]
    elif do == "start":
        rounds = {"schedule.rounds": details["rounds"], "seed": details["seed"]}
        return {"run": lab.submit(resolve(preset_config("ring-mlp", CHANGES | rounds)))}
    elif do == "stop":
        lab.command(details["run"], "stop")
    else:
        ended = lab.wait(details["run"], 600)
        return {"status": ended.status, "state_hash": ended.summary.get("state_hash", "")}
    return {}


def hashes(executor: str, rounds: int, pages: int, browser: Any) -> dict[str, str]:
    """The hash of the state at the end, each way."""
    os.environ |= {"GANSCOPE_EXECUTOR": executor, "GANSCOPE_CLASS": "1", "GANSCOPE_BROWSERS_PER_ADDRESS": "500"}
    with tempfile.TemporaryDirectory() as folder:
        dashboard = Dashboard(Path(folder), __file__)
        server = f"localhost:{dashboard.port}"

        def played(run: str) -> str:
            ended = dashboard.ask("wait", run=run)
            if ended["status"] != "finished":
                raise RuntimeError(f"the run ended as {ended['status']}")
            return str(ended["state_hash"])

        def begun(rounds: int, seed: int = 1) -> str:
            return str(dashboard.ask("start", rounds=rounds, seed=seed)["run"])

        try:
            dashboard.ask("room", runs=1 + NEIGHBOURS)
            found = {"alone": played(begun(rounds))}
            beside = [begun(10_000_000, seed) for seed in range(2, 2 + NEIGHBOURS)]
            found[f"beside {NEIGHBOURS} others"] = played(begun(rounds))
            for run in beside:
                dashboard.ask("stop", run=run)
                dashboard.ask("wait", run=run)
            run = begun(rounds)
            ticket = open_tickets(folder).mint(run)
            crowd = Crowd([Viewer(server, run, ticket) for _ in range(VIEWERS - pages)])
            shown = [WatchPage(browser, f"http://{server}/watch?run={run}") for _ in range(pages)]
            for page in shown:
                page.open()
            found[f"with {VIEWERS} viewers"] = played(run)
            if crowd.faults or min(viewer.last[0] for viewer in crowd.viewers) < 0:
                raise RuntimeError(f"not every viewer saw the run: {crowd.faults[:1]}")
            crowd.close()
            for page in shown:
                page.close()
            return found
        finally:
            dashboard.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6000, help="of the run (default: %(default)s)")
    parser.add_argument("--pages", type=int, default=1, help="of the viewers in Chromium (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    options = parse_or_serve(parser, partial(serve, carry_out=carry_out))
    load = [os.getloadavg()]
    with open_browser() as browser:
        found = {executor: hashes(executor, options.rounds, options.pages, browser) for executor in EXECUTORS}
    load.append(os.getloadavg())
    every = {value for ways in found.values() for value in ways.values()}
    rows = [
        f"| {executor} | {way} | `{value[:16]}…` |" for executor, ways in found.items() for way, value in ways.items()
    ]
    command = command_line()
    lines = [
        f"`{command}` plays one run of {options.rounds:,} rounds with dropout and batch statistics each way;",
        f"{options.pages} of the viewers are pages in Chromium. The SHA-256 is that of the whole state at the end: weights,",
        f"buffers, moments, averages, random streams. Different from the first: **{len(every) - 1}**.",
        "",
        "| in a | how | state |",
        "|---|---|---|",
        *rows,
        "",
        f"Measured on {machine(load)}",
    ]
    write_section(options.out, TITLE, "\n".join(lines))
    print("\n".join(lines))
    return len(every) - 1


if __name__ == "__main__":
    sys.exit(main())
