"""The seven losses of Table 1 on the ring with five seeds, from one click: how long all runs take together, beside the same
runs one after another, and how soon the page answers meanwhile.

    python benchmarks/duel.py                       # five minutes on a quiet machine; writes docs/results/duel.md
    python benchmarks/duel.py --rounds 100 --seeds 0-1 --out /tmp/quick.md

The comparison is started in the real application in a browser, as a user does it: the Compare page, its template, Start.
While it trains, another axis and another measure are chosen, which the browser draws alone; an answer is there when the chart
is drawn with it. When all has ended, another seed is chosen too, for which the server draws the page anew and all columns
begin again: that would cost the machine that trains more than the training. The same configurations
then train one after another in a lab without a page. Both times are of the wall clock and include building, measuring and
recording. What takes longer than its limit ends the benchmark, with a sentence on what was waited for and how far it was.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import TimeoutError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from benchmarks.serving import application, open_browser, signed
from gan_core.config import TEMPLATES, Comparison, preset_config
from gan_core.engine import Lab
from gan_core.store import ACTIVE, RunStore

TEMPLATE = "table-1"
AXES = {"images": "images that D has seen", "rounds": "round"}
MEASURES = ("Modes", "High-quality samples")
CHART = "[data-testid=curves-over-seeds]"
COLUMN = ".gs-root[data-led]"
# Begins when the browser has the press or the choice, not when the test begins to look for it, and ends with the frame drawn.
CLOCK = """([kind, answered]) => {
  window.answered = null
  const holds = new Function(`return ${answered}`)
  window.addEventListener(kind, press => {
    const look = () => {
      if (holds()) window.answered = performance.now() - press.timeStamp
      else requestAnimationFrame(look)
    }
    look()
  }, { capture: true, once: true })
}"""
REST = 1.5  # seconds between an answer and the next action
IDLE, SETTLE = 8, 5.0  # times everything is done when all has ended, and seconds before that
LOST = 20.0  # seconds after which a press has been lost
AIM_ANSWER, AIM_RATIO = 0.3, 1.1


class Answers:
    """How long the page took to answer, in seconds, by what was done; and how often it never did."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {name: [] for name in ACTIONS | SLOW}
        self.lost = 0

    def add(self, page: Any, *, slow: bool) -> None:
        """Do each of them once, with a rest after it; the ``slow`` ones too or not."""
        for name, press in (ACTIONS | (SLOW if slow else {})).items():
            try:
                self.seconds[name].append(press(page))
            except TimeoutError as error:
                print(f"no answer: {error}".splitlines()[0], file=sys.stderr)
                self.lost += 1
            time.sleep(REST)

    @property
    def quick(self) -> list[float]:
        return [answer for name in ACTIONS for answer in self.seconds[name]]


def _another_axis(page: Any) -> float:
    shown = page.text_content(f"{CHART} .xtitle")
    chosen = next(name for name, title in AXES.items() if title != shown)
    button = page.get_by_role("radio", name=chosen, exact=True)
    return _timed(page, "pointerdown", _reads(f"{CHART} .xtitle", AXES[chosen]), button.click)


def _another_measure(page: Any) -> float:
    shown = page.text_content(f"{CHART} .ytitle")
    chosen = next(title for title in MEASURES if title != shown)
    choice = page.get_by_label("Measure", exact=True)
    return _timed(page, "change", _reads(f"{CHART} .ytitle", chosen), partial(choice.select_option, label=chosen))


def _another_seed(page: Any) -> float:
    column = page.locator(COLUMN).first
    before, choice = column.get_attribute("data-run"), page.get_by_role("combobox", name=re.compile("Seed in"))
    choice.hover()
    time.sleep(0.7)  # its list closes when the page scrolls
    shown = choice.input_value()
    choice.click()
    option = page.get_by_role("option", name=next(seed for seed in "01" if seed != shown), exact=True)
    other = f"(one => one && one.dataset.run !== {before!r})(document.querySelector({COLUMN!r}))"
    return _timed(page, "pointerdown", other, option.click)


def _reads(place: str, text: str) -> str:
    return f"document.querySelector({place!r})?.textContent === {text!r}"


def _timed(page: Any, kind: str, answered: str, act: Callable[..., Any]) -> float:
    """Seconds from the event of this kind that the act brings about until this holds on the page."""
    page.evaluate(CLOCK, [kind, answered])
    act(timeout=1000 * LOST)
    page.wait_for_function("() => window.answered !== null", timeout=1000 * LOST)
    return float(page.evaluate("window.answered")) / 1000


# What the browser answers alone is what the aim is for; for another seed all columns begin anew.
ACTIONS = {"another axis": _another_axis, "another measure": _another_measure}
SLOW = {"another seed in all columns": _another_seed}


class Duel(NamedTuple):
    """``seconds`` from the click to the last end; what the page answered meanwhile, and when nothing trained any more."""

    seconds: float
    watched: Answers
    ended: Answers
    configs: list[Any]
    statuses: list[str]


def duel(folder: Path, seeds: str, rounds: int, patience: float) -> Duel:
    with application(folder) as url, open_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        return _played(page, url, folder / "runs", seeds, rounds, patience)


def _played(page: Any, url: str, root: Path, seeds: str, rounds: int, patience: float) -> Duel:
    page.goto(f"{url}/compare")
    page.get_by_role("combobox", name=re.compile("^Compare|Compare$")).first.click()
    page.get_by_role("option", name=TEMPLATES[TEMPLATE].title).click()
    _fill(page, "Seeds", seeds)
    _fill(page, "Rounds", str(rounds))
    page.get_by_role("button", name=re.compile(r"^(\S+ )?Start \d+ runs$")).click()
    started = time.perf_counter()
    page.wait_for_url(re.compile(r"[?&]comparison="), timeout=300_000)
    comparison = re.search(r"comparison=([a-z0-9-]+)", page.url)
    assert comparison is not None
    store = RunStore(root)
    watched, ended_page = Answers(), Answers()
    page.wait_for_selector(f"{CHART} .ytitle", timeout=300_000)
    while left := [record for record in _members(store, comparison[1]) if record.status in ACTIVE]:
        if time.perf_counter() - started > patience:
            told = ", ".join(f"{record.name} {record.status} at round {record.rounds}" for record in left[:5])
            raise RuntimeError(f"after {patience:.0f} s {len(left)} runs have not ended: {told}")
        watched.add(page, slow=False)
    ended = max(record.ended_at for record in _members(store, comparison[1]))
    seconds = time.perf_counter() - started - max(0.0, time.time() - ended)
    time.sleep(SETTLE)
    for _ in range(IDLE):
        ended_page.add(page, slow=True)
    records = _members(store, comparison[1])
    store.close()
    if not all(watched.seconds[name] for name in ACTIONS):
        raise RuntimeError("all runs had ended before the page answered once: --rounds or --seeds is too small")
    configs, statuses = [record.config for record in records], [record.status for record in records]
    return Duel(seconds, watched, ended_page, configs, statuses)


def _members(store: RunStore, comparison: str) -> list[Any]:
    return [store.run(member.run) for member in store.comparison(comparison).members]


def _fill(page: Any, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).fill(value)
    page.keyboard.press("Enter")
    time.sleep(1.0)


def one_after_another(folder: Path, comparison: Comparison, patience: float) -> float:
    """Seconds for the same runs, each alone."""
    with Lab(folder, capacity=1, executor="thread") as lab:
        started = time.perf_counter()
        for config in comparison.configs().values():
            ended = lab.wait(lab.submit(config), max(1.0, started + patience - time.perf_counter()))
            if ended.status in ACTIVE:
                raise RuntimeError(f"one after another, {ended.name} is at round {ended.rounds} after {patience:.0f} s")
        return time.perf_counter() - started


def report(
    found: Duel, alone: float, seeds: str, rounds: int, command: str, load: list[tuple[float, float, float]]
) -> str:
    p95 = _quantiles(found.watched.quick)[1]
    ratio = found.seconds / alone
    rows = [
        f"| {what}, {when}: p50 / p95 of {len(answers)} | {_told(answers)} ms |"
        for when, told in (("while they train", found.watched), ("when all has ended", found.ended))
        for what, answers in told.seconds.items()
        if answers
    ]
    ended = ", ".join(f"{found.statuses.count(status)} {status}" for status in dict.fromkeys(found.statuses))

    def aim(reached: bool) -> str:
        return "reached" if reached else "missed"

    return "\n".join(
        [
            "# A duel from one click",
            "",
            f"{TEMPLATES[TEMPLATE].title} on the ring, seeds {seeds}, {rounds:,} rounds each: {len(found.statuses)} runs",
            f"({ended}), started on the Compare page of the real application and watched by it in headless Chromium.",
            "",
            "| | |",
            "|---|---|",
            f"| all together, from the click to the last end | {found.seconds:.0f} s |",
            f"| the same runs one after another, no page | {alone:.0f} s |",
            f"| together ÷ one after another | **{ratio:.2f}** (aim ≤ {AIM_RATIO}: {aim(ratio <= AIM_RATIO)}) |",
            *rows,
            f"| axis and measure, while they train: p95 of {len(found.watched.quick)} | **{1000 * p95:.0f} ms** "
            f"(aim ≤ {1000 * AIM_ANSWER:.0f}: {aim(p95 <= AIM_ANSWER and not found.watched.lost)}) |",
            f"| presses without an answer in {LOST:.0f} s | {found.watched.lost + found.ended.lost} |",
            "",
            "An answer is the time from the press or the choice, as the browser stamps it, until the chart of all seeds is",
            "drawn with it: the browser's work alone. For another seed the server draws the page anew, and its columns show",
            "other runs.",
            *signed(command, load),
        ]
    )


def _told(answers: list[float]) -> str:
    return " / ".join(f"{1000 * value:.0f}" for value in _quantiles(answers))


def _quantiles(answers: list[float]) -> tuple[float, float]:
    ordered = sorted(answers)
    return statistics.median(ordered), ordered[max(0, round(0.95 * len(ordered)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--seeds", default="0-4")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "duel.md")
    parser.add_argument("--patience", type=float, default=900.0, help="seconds for each half (default: %(default)s)")
    options = parser.parse_args()
    load = [os.getloadavg()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = duel(folder, options.seeds, options.rounds, options.patience)
        template = TEMPLATES[TEMPLATE]
        seeds = tuple(sorted({config["seed"] for config in found.configs}))
        comparison = template.comparison(preset_config(template.preset), seeds)
        comparison = comparison.model_copy(update={"rounds": options.rounds})
        alone = one_after_another(folder / "alone", comparison, options.patience)
    load.append(os.getloadavg())
    command = command_line()
    text = report(found, alone, options.seeds, options.rounds, command, load)
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
