"""The Collapse Lab as a teacher gives it, with the keyboard alone: how long until the page calls the collapse, and the cure.

    python benchmarks/lesson.py                                  # about fifteen minutes; writes docs/results/lesson.md
    python benchmarks/lesson.py --only ring-collapse --seeds 100 --out /tmp/tried.md
    python benchmarks/lesson.py --clock cpu                      # beside other work on the machine

The real application in a browser of 1280 × 720. For each recipe: a digit predicts, C collapses, S puts the run on the stage,
where its collapse is called, and back; arrows go on to the cure, F forks, S shows both runs on the stage until the cure is
called, Space pauses, and C begins once more with the next seed, without a reload. A recipe that is broken and cured begins
with B, is broken by B once it has learnt, and cured by C. A time is from a key until the verdict of that run, seen on the
stage, says so. What takes longer than its limit is written down as not seen.

With ``--clock cpu`` a time is CPU seconds of the one process of the application that worked most, which is the one that trains:
what the wall shows where a core is free for it, while on a machine with other work the wall shows that work too.

With ``--pictures FOLDER`` the stage is kept as it looked when the collapse and the cure were called.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from benchmarks.serving import application, open_browser, signed
from gan_core.config import CURES, RECIPES, parse_seeds
from gan_core.metrics.states import ALARMS, STATES

LESSONS = [name for name, preset in RECIPES.items() if preset.kind == "collapse" or preset.acts]
AIM = 60.0  # seconds from C until the page shows a sign
LIMIT = 240.0  # seconds that a sign is waited for
VERDICT = """run => {
  const word = document.querySelector(`.gs-root[data-run="${run}"][data-on-stage] [data-testid="verdict-state"]`)
  return word?.checkVisibility() ? word.textContent : ''
}"""
ROUND = "run => window.__ganscope?.[run]?.view.store.status?.round ?? -1"
STAGE = "stage-bar"
BY_CPU = (
    "Seconds are CPU seconds of the process that trains, for other work shared the machine: the wall's on a free core."
)
WELL = {STATES[state] for state in ("recovered", "healthy", "spread")}  # sharp samples may take longer than a lesson
SIGNS = {STATES[state] for state in ALARMS}


class Given(NamedTuple):
    """One lesson. ``sign`` and ``called`` are seconds from the key that collapses, ``cured`` from the one that cures.

    None where a verdict was not seen. ``broken`` is the round of the fork that breaks what was well, if there is one.
    """

    recipe: str
    seed: int
    broken: int | None
    sign: float | None
    called: float | None
    cure: str
    cured: float | None
    left: str
    after: str


class Stopwatch:
    """Seconds since it was made: of the wall, or (``cpu``) of the process of the application that worked most since then."""

    def __init__(self, cpu: bool) -> None:
        self._cpu = cpu
        self._before = self._times()

    @property
    def seconds(self) -> float:
        return max(now - self._before.get(process, 0.0) for process, now in self._times().items())

    def _times(self) -> dict[int, float]:
        """What each process has used so far, by its id."""
        if not self._cpu:
            return {0: time.perf_counter()}
        times: dict[int, float] = {}
        for server in (child for child in psutil.Process().children() if "streamlit" in child.cmdline()):
            for process in (server, *server.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times[process.pid] = sum(process.cpu_times()[:2])
        return times


class How(NamedTuple):
    """How lessons are given: by which clock, how long a verdict is waited for, and where pictures are kept."""

    cpu: bool
    limit: float
    pictures: Path | None


def give(page: Any, url: str, recipe: str, seeds: list[int], how: How) -> list[Given]:
    """Lessons of one recipe in a row, each from the button that ends the one before."""
    page.goto(f"{url}/collapse?recipe={recipe}&seed={seeds[0]}")
    return [_lesson(page, recipe, seed, how, last=seed == seeds[-1]) for seed in seeds]


def _lesson(page: Any, recipe: str, seed: int, how: How, *, last: bool) -> Given:
    acts = RECIPES[recipe].acts
    begins, fixes = ("b", "c") if acts else ("c", "f")
    page.get_by_role("button", name="Start [B]" if acts else "Collapse [C]").wait_for()
    _press(page, "3", "3", "guess=3")
    if acts:
        _press(page, "b", "b", "step=watch.*healthy=")
        learns = _in_address(page, "healthy")
        _until(lambda: page.evaluate(ROUND, learns) >= acts[0].round, how.limit)
    broken = page.evaluate(ROUND, learns) if acts else None
    began = Stopwatch(how.cpu)
    _press(page, begins, begins, "step=watch.*[?&]run=")
    run = _in_address(page, "run")
    _stage(page, on=True)
    sign = _seen(page, run, SIGNS, began, how.limit)
    called = _seen(page, run, {STATES["collapsed"]}, began, how.limit)
    _keep(page, how.pictures, f"{recipe}-{seed}-collapse")
    _stage(page, on=False)
    _press(page, "ArrowRight", "next", "step=diagnose")
    _press(page, "ArrowRight", "next", "step=cure")
    asked = Stopwatch(how.cpu)
    _press(page, fixes, fixes, "fixed=")
    _stage(page, on=True)
    cured = _seen(page, _in_address(page, "fixed"), WELL, asked, how.limit)
    _keep(page, how.pictures, f"{recipe}-{seed}-cure")
    _stage(page, on=False)
    page.keyboard.press("Space")
    _until(lambda: "running" not in page.get_by_test_id("state").all_inner_texts(), 30)
    _press(page, "ArrowRight", "next", "step=explain")
    values = page.get_by_test_id("stMetricValue")
    _until(lambda: values.count() >= 3, 30)
    numbers = values.all_inner_texts()
    cure = _in_address(page, "cure")
    given = Given(recipe, seed, broken, sign, called, cure, cured, *numbers[1:3])
    print(given, file=sys.stderr)
    if not last:
        _press(page, begins, begins, "step=predict")
    return given


def _stage(page: Any, *, on: bool) -> None:
    """Go on the stage, or leave it: a key is heard once the run has panels."""
    bar = page.get_by_test_id(STAGE)

    def there() -> bool:
        if bar.is_visible() == on:
            return True
        page.keyboard.press("s")
        page.wait_for_timeout(500)
        return bool(bar.is_visible() == on)

    _until(there, 60)


def _keep(page: Any, folder: Path | None, name: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")


def _press(page: Any, key: str, heard_as: str, address: str) -> None:
    """Press a key once the page hears it, and wait for the address that comes of it."""
    page.locator(f'[data-hears~="{heard_as}"]').wait_for(state="attached")
    page.keyboard.press(key)
    page.wait_for_url(re.compile(address))


def _seen(page: Any, run: str, words: Collection[str], since: Stopwatch, limit: float) -> float | None:
    """Seconds of the stopwatch until the verdict on a run is one of these words."""
    try:
        _until(lambda: page.evaluate(VERDICT, run) in words, limit)
    except TimeoutError:
        return None
    return since.seconds


def _until(condition: Callable[[], bool], limit: float) -> None:
    deadline = time.perf_counter() + limit
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def _in_address(page: Any, name: str) -> str:
    found = re.search(rf"[?&]{name}=([^&]*)", page.url)
    return found[1] if found else ""


def report(given: list[Given], cpu: bool, command: str, load: list[tuple[float, float, float]]) -> str:
    signs = [lesson.sign for lesson in given]
    late = sum(sign is None or sign > AIM for sign in signs)
    reached = "reached" if not late else f"missed {late} times"
    lines = [
        "# The lesson on collapse, with the keyboard alone",
        "",
        "The Collapse Lab in headless Chromium, 1280 × 720: a digit, C, S for the stage and back, arrows, F, S, Space, and C",
        f"for the next lesson. What is called is read off the stage. A first sign within {AIM:.0f} s of the key C: {reached}.",
        *([BY_CPU] if cpu else []),
        "",
        "| recipe | seed | first sign after C | called collapsed | modes left | cure | called well after F | modes then |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [f"| `{one.recipe}` | {one.seed} | {_told(one)}" for one in given if one.broken is None]
    lines += [
        "",
        "Begun with B, broken with B at the round that is named, or soon after, and cured with C:",
        "",
        "| recipe | seed | broken at | first sign | called collapsed | modes left | cure | called well after C | modes then |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{one.recipe}` | {one.seed} | {one.broken:,} | {_told(one)}" for one in given if one.broken is not None
    ]
    lines += [
        "",
        "Seeds count from that of the recipe. Modes are those counted when both runs were paused.",
        *signed(command, load),
    ]
    return "\n".join(lines)


def _told(one: Given) -> str:
    sign, called, cured = map(_time, (one.sign, one.called, one.cured))
    return f"{sign} | {called} | {one.left} | {CURES[one.cure].title} | {cured} | {one.after} |"


def _time(seconds: float | None) -> str:
    return "not seen" if seconds is None else f"{seconds:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=LESSONS, help="a recipe; may be given again")
    parser.add_argument("--seeds", type=parse_seeds, default=parse_seeds("100-101"), help="lessons in a row (100-101)")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that a verdict is waited for")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="what a time is (wall)")
    parser.add_argument("--pictures", type=Path, help="a folder for what the stage showed")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "lesson.md")
    options = parser.parse_args()
    how = How(options.clock == "cpu", options.limit, options.pictures)
    load = [os.getloadavg()]
    given: list[Given] = []
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, "-m", "gan_core", "prepare", "--store", f"{name}/runs"], cwd=ROOT, check=True)
        with application(Path(name)) as url, open_browser() as browser:
            for recipe in options.only or LESSONS:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.set_default_timeout(60_000)
                given += give(page, url, recipe, list(options.seeds), how)
                page.close()
    load.append(os.getloadavg())
    text = report(given, how.cpu, command_line(), load)
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
