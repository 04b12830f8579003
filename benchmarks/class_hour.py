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
import asyncio
import json
import os
import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.crowd import AS_A_BROWSER, name_from
from benchmarks.sections import command_line, write_section
from benchmarks.serving import Dashboard, machine, parse_or_serve, serve
from benchmarks.soak import GROWTH, WARM_UP, WHAT, Meter, growth
from gan_core.config import preset_config
from gan_core.training import resolve

TITLE = "A class for a lesson"
STUDENTS, UNRULY = 35, 2
PAGES = (
    "",
    "train",
    "watch",
    "compare",
    "runs",
    "data",
    "library",
    "collapse",
    "theory",
    "lessons",
    "classroom",
    "latent",
)
THINKS = (2.0, 12.0)  # seconds between two things that a student does
GONE = (5.0, 60.0)  # seconds without a network
PRESSES, WANDERS, WRITES, RELOADS, IS_CUT = (
    0.40,
    0.25,
    0.05,
    0.12,
    0.08,
)  # of what a student does; the rest is to look on
SLOW_SECONDS = 30.0  # after which a page is said not to have come
RUN = {
    "schedule.rounds": 100_000_000,
    "device": "cpu",
    "model.generator.widths": [64],
    "model.discriminator.widths": [64],
}
REFUSED = (
    "Error deserializing back message",
    "Error parsing message with type 'BackMsg'",
)  # told in the log, as it should
LEFT_ALONE = ("Leave the class", "End the class")  # what would end the lesson of whoever presses it


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


# -- who comes


class Cut(Exception):
    """The network of a student is gone."""


class Student:
    """One browser: its session, its socket of the class, and what it does."""

    def __init__(self, server: str, number: int, seed: int, told: Told) -> None:
        self.server = server
        self.told = told
        self.rng = random.Random(1000 * seed + number)
        self.page = self.rng.choice(PAGES)
        self.cookie = ""
        self.buttons: dict[str, tuple[str, str, bool]] = {}
        """By id: kind, label, whether it may be pressed."""
        self.poll = 0
        self.asked_at = 0.0
        self.stream: Any = None
        self.bell: Any = None

    async def live(self) -> None:
        """From one loss of the network to the next, until the lesson is over."""
        await asyncio.sleep(self.rng.uniform(0, 20))
        while True:
            try:
                self.cookie = self.cookie or await asyncio.to_thread(name_from, self.server)
                async with asyncio.TaskGroup() as tasks:
                    for part in (self._session(), self._class(), self._does()):
                        tasks.create_task(part)
            except ExceptionGroup as group:
                if not any(isinstance(error, Cut) for error in group.exceptions):
                    self.told.fault(f"{type(group.exceptions[0]).__name__}: {group.exceptions[0]}")
            self.stream = self.bell = None
            self.asked_at = 0.0
            await asyncio.sleep(self.rng.uniform(*GONE))

    async def _session(self) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
        from websockets.asyncio.client import connect

        address, cookie = f"ws://{self.server}/_stcore/stream", {"Cookie": self.cookie}
        async with connect(address, subprotocols=["streamlit"], additional_headers=cookie, **AS_A_BROWSER) as socket:  # type: ignore[list-item]
            self.stream = socket
            await self.rerun()
            async for data in socket:
                message = ForwardMsg.FromString(data)  # type: ignore[arg-type]
                kind = message.WhichOneof("type")
                if kind == "delta":
                    self._met(message.delta.new_element)
                elif kind == "script_finished":
                    self.told.drawn(self, message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR)

    def _met(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind in ("button", "checkbox"):
            widget = getattr(element, kind)
            self.buttons[widget.id] = (kind, widget.label, not widget.disabled)
        elif kind == "exception":
            self.told.fault(f"the page {self.page!r} shows {element.exception.message[:200]}")

    async def rerun(self, widget: str = "", kind: str = "") -> None:
        """Ask for the page, as it is after something was pressed."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        asked = BackMsg()
        asked.rerun_script.page_name = self.page
        if widget:
            state = asked.rerun_script.widget_states.widgets.add(id=widget)
            if kind == "button":
                state.trigger_value = True
            else:
                state.bool_value = self.rng.random() < 0.5
        else:
            self.buttons.clear()
        self.asked_at = time.monotonic()
        await self.stream.send(asked.SerializeToString())

    async def _class(self) -> None:
        from websockets.asyncio.client import connect

        async with connect(
            f"ws://{self.server}/class/live", additional_headers={"Cookie": self.cookie}, **AS_A_BROWSER
        ) as socket:
            self.bell = socket
            async for data in socket:
                poll = json.loads(data).get("poll")
                if poll and poll["number"] != self.poll and poll["counts"] is None:
                    self.poll = poll["number"]
                    await asyncio.sleep(self.rng.uniform(0, 8))
                    await self.say(do="answer", poll=self.poll, option=self.rng.randrange(3))

    async def say(self, **asked: Any) -> None:
        if self.bell is not None:
            await self.bell.send(json.dumps(asked))

    async def _does(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(*THINKS))
            if self.stream is None:
                continue
            chance = self.rng.random()
            for share, act in (
                (PRESSES, self._press),
                (WANDERS, self._wander),
                (WRITES, self._write),
                (RELOADS, self._reload),
                (IS_CUT, self._lose_the_network),
            ):
                if chance < share:
                    await act()
                    break
                chance -= share

    async def _press(self) -> None:
        free = [(one, kind) for one, (kind, label, may) in self.buttons.items() if may and label not in LEFT_ALONE]
        if free:
            self.told.count["buttons pressed"] += 1
            await self.rerun(*self.rng.choice(free))

    async def _wander(self) -> None:
        self.page = self.rng.choice(PAGES)
        self.told.count["pages opened"] += 1
        await self.rerun()

    async def _write(self) -> None:
        self.told.count["notes sent"] += 1
        await self.say(do="note", text=f"What is {self.rng.randrange(1000)}?")

    async def _reload(self) -> None:
        self.told.count["reloads"] += 1
        await self.stream.close()
        raise Cut

    async def _lose_the_network(self) -> None:
        self.told.count["networks lost"] += 1
        for socket in filter(None, (self.stream, self.bell)):
            socket.transport.abort()
        raise Cut


class Unruly(Student):
    """One who does what nobody may, as quickly as the server lets it."""

    async def live(self) -> None:
        ways: tuple[Callable[[], Awaitable[None]], ...] = (
            *(self._guess_keys, self._upload, self._flood, self._make_names_up, self._send_halves, self._send_much),
            *(self._come_from_elsewhere, self._press_what_is_disabled),
        )
        while True:
            self.cookie = self.cookie or await asyncio.to_thread(name_from, self.server)
            way = self.rng.choice(ways)
            self.told.count["attacks"] += 1
            try:
                async with asyncio.timeout(60):
                    await way()
            except Exception as error:  # refused, cut off, or told to wait
                self.told.refusals[type(error).__name__] += 1
            await asyncio.sleep(self.rng.uniform(0, 3))

    async def _asks(self, method: str, path: str, body: bytes, **headers: str) -> int:
        request = urllib.request.Request(
            f"http://{self.server}{path}", data=body, method=method, headers={"Cookie": self.cookie, **headers}
        )

        def ask() -> int:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)

        try:
            return await asyncio.to_thread(ask)
        except urllib.error.HTTPError as error:
            return error.code

    async def _guess_keys(self) -> None:
        for number in range(20):
            if await self._asks("POST", "/class/teacher/enter", b"guess %d" % number, **{"X-GANscope": "1"}) < 400:
                self.told.let_in("with a wrong key")

    async def _upload(self) -> None:
        for method, path in (("PUT", "/_stcore/upload_file/s/f"), ("DELETE", "/_stcore/upload_file/s/f")):
            if await self._asks(method, path, b"x" * 1000) < 400:
                self.told.let_in(f"to {method} a file")

    async def _flood(self) -> None:
        from websockets.asyncio.client import connect

        cookie = {"Cookie": self.cookie}
        async with connect(f"ws://{self.server}/class/live", additional_headers=cookie, **AS_A_BROWSER) as socket:
            for number in range(300):
                await socket.send(json.dumps({"do": "note", "text": f"me {number}"}))
                await socket.send(json.dumps({"do": "answer", "poll": self.poll, "option": number % 3}))
                await socket.send(json.dumps({"do": "end"}))
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    async for data in socket:
                        self.poll = ((json.loads(data).get("poll") or {}).get("number")) or self.poll

    async def _make_names_up(self) -> None:
        from websockets.asyncio.client import connect

        for number in range(50):
            cookie = {"Cookie": f"ganscope_viewer=made-up-{number}.{'A' * 43}"}
            with suppress(Exception):
                async with connect(f"ws://{self.server}/class/live", additional_headers=cookie, **AS_A_BROWSER):
                    self.told.let_in("with a made-up name")

    async def _send_halves(self) -> None:
        host, _, port = self.server.partition(":")
        halves = [await asyncio.open_connection(host, int(port)) for _ in range(30)]
        for _, writer in halves:
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        await asyncio.sleep(self.rng.uniform(5, 25))
        for _, writer in halves:
            writer.close()

    async def _send_much(self) -> None:
        from websockets.asyncio.client import connect

        for path, protocols in (("/class/live", None), ("/_stcore/stream", ["streamlit"])):
            cookie = {"Cookie": self.cookie}
            with suppress(Exception):
                async with connect(
                    f"ws://{self.server}{path}",
                    subprotocols=protocols,  # type: ignore[arg-type]
                    additional_headers=cookie,
                    **AS_A_BROWSER,
                ) as socket:
                    await socket.send(b"\xff" * 2_000_000)
                    await socket.recv()

    async def _come_from_elsewhere(self) -> None:
        from websockets.asyncio.client import connect

        for origin in ("http://evil.example", "http://localhost:1"):
            with suppress(Exception):
                async with connect(
                    f"ws://{self.server}/_stcore/stream",
                    subprotocols=["streamlit"],  # type: ignore[list-item]
                    additional_headers={"Cookie": self.cookie, "Origin": origin},
                    **AS_A_BROWSER,
                ):
                    self.told.let_in(f"from {origin}")

    async def _press_what_is_disabled(self) -> None:
        """Every button of a page, whether or not it may be pressed; the server asks for the right where something is done."""
        self.page = self.rng.choice(PAGES)
        session = asyncio.create_task(self._session())
        try:
            await asyncio.sleep(3)
            for widget, (kind, label, _) in list(self.buttons.items()):
                if label not in LEFT_ALONE:
                    await self.rerun(widget, kind)
                    await asyncio.sleep(0.3)
        finally:
            session.cancel()
            self.asked_at = 0.0


class Told:
    """What all of them met."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.seconds: list[tuple[float, float]] = []
        """When a page came, and after how many seconds."""
        self.began = time.monotonic()

    def drawn(self, student: Student, broken: bool) -> None:
        if student.asked_at:
            self.seconds.append((time.monotonic() - self.began, time.monotonic() - student.asked_at))
            if self.seconds[-1][1] > SLOW_SECONDS:
                self.fault(f"the page {student.page!r} took more than {SLOW_SECONDS:.0f} s")
        student.asked_at = 0.0
        if broken:
            self.fault(f"the page {student.page!r} does not compile")

    def fault(self, what: str) -> None:
        self.faults[what[:300]] += 1

    def let_in(self, how: str) -> None:
        self.fault(f"somebody was let in {how}")


def play(dashboard: Dashboard, minutes: float, seed: int, told: Told, run: str) -> list[dict[str, Any]]:
    """The lesson; each minute a question, and what the server says of itself."""
    server = f"localhost:{dashboard.port}"
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    people = [
        *(Student(server, number, seed, told) for number in range(STUDENTS)),
        *(Unruly(server, STUDENTS + number, seed, told) for number in range(UNRULY)),
    ]
    coming = [asyncio.run_coroutine_threadsafe(one.live(), loop) for one in people]
    said = []
    began = time.monotonic()
    for minute in range(max(1, round(minutes))):
        dashboard.ask("ask", number=minute, run=run)
        time.sleep(max(0.0, began + 60 * minute + 45 - time.monotonic()))
        said.append(dashboard.ask("reveal", run=run))
        print(f"minute {minute + 1}: {said[-1]}, faults {sum(told.faults.values())}", file=sys.stderr, flush=True)
        time.sleep(max(0.0, began + 60 * (minute + 1) - time.monotonic()))
    for one in coming:
        one.cancel()
    time.sleep(2)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    return said


def report(
    said: list[dict[str, Any]], told: Told, meter: Meter, minutes: float, load: list[tuple[float, float, float]]
) -> tuple[str, bool]:
    """The section, and whether all held."""
    rows, flat = [], True
    for name, what in WHAT.items():
        first, last = growth(meter.seen, name, 60 * minutes)
        flat &= last / first - 1 <= GROWTH
        rows.append(f"| {what} | {first:.0f} | {last:.0f} | {last / first - 1:+.1%} |")
    warm = 60 * minutes * WARM_UP
    quarter = (60 * minutes - warm) / 4
    early = [took for at, took in told.seconds if warm <= at < warm + quarter]
    late = [took for at, took in told.seconds if at >= 60 * minutes - quarter]
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
    well = flat and not told.faults and said[-1]["state"] == "running" and not said[-1]["teachers"]
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
        finally:
            meter.close()
            dashboard.close()
        log = (Path(folder) / "server.log").read_text(errors="replace")
        for line in log.splitlines():
            if ("Error" in line or "Exception" in line) and not any(word in line for word in REFUSED):
                told.fault(f"server: {line[:200]}")
    load.append(os.getloadavg())
    text, well = report(said, told, meter, options.minutes, load)
    write_section(options.out, TITLE, text)
    print(text)
    return int(not well)


if __name__ == "__main__":
    sys.exit(main())
