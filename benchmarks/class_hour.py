"""A class as it is, for a lesson: thirty-five visitors who speak the protocol of the pages and press whatever they may.

    python benchmarks/class_hour.py                              # 45 minutes; its section of docs/results/reliability.md
    python benchmarks/class_hour.py --minutes 3 --out /tmp/quick.md

The server is `app.py` in a process of its own, a class's, in which each student may start one run. Students open pages, press
buttons, write notes, answer the poll that is asked each minute, reload, and lose the network for a while, which cuts their
sockets without a word. Two more behave badly: wrong keys, made-up names, floods, uploads, requests that are never finished,
buttons that they may not press. One run of the teacher trains from the beginning to the end.

Nobody may be let in where they may not, no page may show an error, and what the server holds must stay flat.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.class_people import Student, Told, Unruly
from benchmarks.crowd import Crowd
from benchmarks.sections import command_line, write_section
from benchmarks.serving import Dashboard, machine, parse_or_serve, serve
from benchmarks.soak import GROWTH, WARM_UP, WHAT, Meter, growth, quarters
from gan_core.config import preset_config
from gan_core.training import resolve

TITLE = "A class for a lesson"
STUDENTS, UNRULY = 35, 2
RUN = {
    "schedule.rounds": 100_000_000,
    "device": "cpu",
    "model.generator.widths": [64],
    "model.discriminator.widths": [64],
}
GROWS = {name: what for name, what in WHAT.items() if name != "sockets"}
"""Not the sockets: each that sends halves of requests holds thirty for a while, so that their median jumps from one quarter
to the next. What counts is how many are left when all have gone."""
LISTENS = 1  # socket of a server to which nobody is connected
LEAVING_SECONDS = 30.0
REFUSED = (
    "Error deserializing back message",
    "Error parsing message with type 'BackMsg'",
)  # told in the log, as it should


# -- in the server's process


def carry_out(do: str, **details: Any) -> dict[str, Any]:
    """What the bench asks of the server: the teacher's run and questions, and what became of them."""
    from gan_core.engine import open_lab
    from gan_core.server.class_mode import current_classroom
    from gan_core.server.roles import Visitor

    until = time.monotonic() + 60  # the port is there before the class is
    while (room := current_classroom()) is None:
        if time.monotonic() > until:
            raise TimeoutError("there is no class")
        time.sleep(0.1)
    lab, teacher = open_lab(), Visitor("teacher", "of the bench")
    if do == "start":
        return {"run": lab.submit(resolve(preset_config("ring-mlp", RUN)))}
    if do == "ask":
        room.ask(teacher, f"Question {details['number']}?", ["yes", "no", "perhaps"])
    if do == "reveal":
        room.reveal(teacher)
    status = lab.view(details["run"]).status
    return {
        "state": status["state"],
        "round": status["round"],
        "notes": len(room.notes),
        "answers": len(room.poll.answers) if room.poll else 0,
        "viewers": room.viewers,
        "runs": len(lab.store.runs()),
        "teachers": len(room.key._sessions),
    }


def play(dashboard: Dashboard, minutes: float, seed: int, told: Told, run: str) -> list[dict[str, Any]]:
    """The lesson; each minute a question, and what the server says of itself."""
    server = f"localhost:{dashboard.port}"
    people = [
        *(Student(server, number, seed, told) for number in range(STUDENTS)),
        *(Unruly(server, STUDENTS + number, seed, told) for number in range(UNRULY)),
    ]
    crowd = Crowd(people)
    said = []
    began = time.monotonic()
    for minute in range(max(1, round(minutes))):
        dashboard.ask("ask", number=minute, run=run)
        time.sleep(max(0.0, began + 60 * minute + 45 - time.monotonic()))
        said.append(dashboard.ask("reveal", run=run))
        print(f"minute {minute + 1}: {said[-1]}, faults {sum(told.faults.values())}", file=sys.stderr, flush=True)
        time.sleep(max(0.0, began + 60 * (minute + 1) - time.monotonic()))
    crowd.close()
    return said


def sockets_left(pid: int) -> int:
    """The open sockets of a server after everybody has gone."""
    server, until = psutil.Process(pid), time.monotonic() + LEAVING_SECONDS
    while (left := len(server.net_connections())) > LISTENS and time.monotonic() < until:
        time.sleep(0.5)
    return left


def report(
    said: list[dict[str, Any]],
    told: Told,
    meter: Meter,
    left: int,
    minutes: float,
    load: list[tuple[float, float, float]],
) -> tuple[str, bool]:
    """The section, and whether all held."""
    rows, flat = [], True
    for name, what in GROWS.items():
        first, last = growth(meter.seen, name, 60 * minutes)
        flat &= last / first - 1 <= GROWTH
        rows.append(f"| {what} | {first:.0f} | {last:.0f} | {last / first - 1:+.1%} |")
    early, late = quarters(told.seconds, 60 * minutes)
    rounds = np.diff([one["round"] for one in said])
    first, last = (float(np.median(part)) for part in np.array_split(rounds[len(rounds) // 4 :], 4)[::3])
    rows += [
        f"| seconds until a page is there, median | {median(early):.2f} | {median(late):.2f} | |",
        f"| seconds until a page is there, p95 | {np.quantile(early, 0.95):.2f} | {np.quantile(late, 0.95):.2f} | |",
        f"| rounds of the teacher's run a minute | {first:,.0f} | {last:,.0f} | {last / first - 1:+.1%} |",
    ]
    did = ", ".join(f"{count:,} {what}" for what, count in sorted(told.count.items()))
    kept = (
        f"The teacher's run is {said[-1]['state']} after {said[-1]['round']:,} rounds; students started "
        f"{said[-1]['runs'] - 1} runs. Most notes at once: {max(one['notes'] for one in said)}; most answers to a question: "
        f"{max(one['answers'] for one in said)}; sessions of a teacher that somebody got: {said[-1]['teachers']}."
    )
    sockets = [one.sockets for one in meter.seen if one.at >= WARM_UP * 60 * minutes]
    kept += (
        f" The server held {min(sockets)} to {max(sockets)} open sockets (each who sends halves of requests has thirty for a"
        f" while), and {left} when all had gone, of which {LISTENS} listens."
    )
    lines = [
        f"`{command_line()}`: {STUDENTS} students for {minutes:g} minutes, each with a session and a socket of the",
        f"class, and {UNRULY} who behave badly: {did}. {len(told.seconds):,} pages came. Medians of the first and the",
        f"last quarter after a warm-up of {WARM_UP:.0%}; a growth of at most {GROWTH:.0%} is flat. {kept}",
        "",
        "| | first quarter | last quarter | growth |",
        "|---|---:|---:|---:|",
        *rows,
        "",
        f"Faults that somebody met: **{sum(told.faults.values())}**.",
        *(f"* {count} × {what}" for what, count in told.faults.most_common(10)),
        "",
        machine(load),
    ]
    well = flat and left <= LISTENS and not told.faults and said[-1]["state"] == "running" and not said[-1]["teachers"]
    return "\n".join(lines), well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=45.0, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "reliability.md")
    options = parse_or_serve(parser, partial(serve, carry_out=carry_out))
    os.environ |= {"GANSCOPE_CLASS": "1", "GANSCOPE_STUDENT_RUNS": "1", "GANSCOPE_BROWSERS_PER_ADDRESS": "40"}
    os.environ.pop("GANSCOPE_EXECUTOR", None)  # as the server decides by itself
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder:
        dashboard = Dashboard(Path(folder), __file__)
        run = dashboard.ask("start", run="")["run"]
        told, meter = Told(), Meter(dashboard.pid, None)
        try:
            said = play(dashboard, options.minutes, options.seed, told, run)
            left = sockets_left(dashboard.pid)
        finally:
            meter.close()
            dashboard.close()
        log = (Path(folder) / "server.log").read_text(errors="replace")
        for line in log.splitlines():
            if ("Error" in line or "Exception" in line) and not any(word in line for word in REFUSED):
                told.fault(f"server: {line[:200]}")
    load.append(os.getloadavg())
    text, well = report(said, told, meter, left, options.minutes, load)
    write_section(options.out, TITLE, text)
    print(text)
    return int(not well)


if __name__ == "__main__":
    sys.exit(main())
