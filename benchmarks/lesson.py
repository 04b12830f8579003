"""The Collapse Lab as a teacher gives it, with the keyboard alone: how long until the page calls the collapse, and the cure.

    python benchmarks/lesson.py                                  # about fifteen minutes; writes docs/results/lesson.md
    python benchmarks/lesson.py --only ring-collapse --seeds 100 --out /tmp/tried.md

The real application in a browser of 1280 × 720. For each recipe: a digit predicts, C collapses, S puts the run on the stage,
where its collapse is called, and back; arrows go on to the cure, F forks, S shows both runs on the stage until the cure is
called, Space pauses, and C begins once more with the next seed, without a reload. A time is from a key until the verdict of
that run, seen on the stage, says so. What takes longer than its limit is written down as not seen.

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
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from benchmarks.serving import application, open_browser, signed
from gan_core.config import CURES, RECIPES, parse_seeds
from gan_core.metrics.states import ALARMS, STATES

LESSONS = [name for name, preset in RECIPES.items() if preset.kind == "collapse"]
AIM = 60.0  # seconds from C until the page shows a sign
LIMIT = 240.0  # seconds that a sign is waited for
VERDICT = """run => {
  const word = document.querySelector(`.gs-root[data-run="${run}"][data-on-stage] [data-testid="verdict-state"]`)
  return word?.checkVisibility() ? word.textContent : ''
}"""
STAGE = "stage-bar"
WELL = {STATES[state] for state in ("recovered", "healthy", "spread")}  # sharp samples may take longer than a lesson
SIGNS = {STATES[state] for state in ALARMS}


class Given(NamedTuple):
    """One lesson. ``sign`` and ``called`` are seconds from C, ``cured`` from F; None where it was not seen."""

    recipe: str
    seed: int
    sign: float | None
    called: float | None
    cure: str
    cured: float | None
    left: str
    after: str


def give(page: Any, url: str, recipe: str, seeds: list[int], limit: float, pictures: Path | None) -> list[Given]:
    """Lessons of one recipe in a row, each from the button that ends the one before."""
    page.goto(f"{url}/collapse?recipe={recipe}&seed={seeds[0]}")
    return [_lesson(page, recipe, seed, limit, pictures, last=seed == seeds[-1]) for seed in seeds]


def _lesson(page: Any, recipe: str, seed: int, limit: float, pictures: Path | None, *, last: bool) -> Given:
    page.get_by_role("button", name="Collapse [C]").wait_for()
    _press_until(page, "3", "guess=3")
    began = time.perf_counter()
    page.keyboard.press("c")
    page.wait_for_url(re.compile("step=watch.*run="))
    run = _in_address(page, "run")
    _stage(page, on=True)
    sign = _seen(page, run, SIGNS, began, limit)
    called = _seen(page, run, {STATES["collapsed"]}, began, limit)
    _keep(page, pictures, f"{recipe}-{seed}-collapse")
    _stage(page, on=False)
    _press_until(page, "ArrowRight", "step=diagnose")
    _press_until(page, "ArrowRight", "step=cure")
    asked = time.perf_counter()
    _press_until(page, "f", "fixed=")
    _stage(page, on=True)
    cured = _seen(page, _in_address(page, "fixed"), WELL, asked, limit)
    _keep(page, pictures, f"{recipe}-{seed}-cure")
    _stage(page, on=False)
    page.keyboard.press("Space")
    _until(lambda: "running" not in page.get_by_test_id("state").all_inner_texts(), 30)
    _press_until(page, "ArrowRight", "step=explain")
    values = page.get_by_test_id("stMetricValue")
    _until(lambda: values.count() >= 3, 30)
    numbers = values.all_inner_texts()
    cure = _in_address(page, "cure")
    given = Given(recipe, seed, sign, called, cure, cured, *numbers[1:3])
    print(given, file=sys.stderr)
    if not last:
        page.keyboard.press("c")  # once: there it would begin at once
        page.wait_for_url(re.compile("step=predict"))
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


def _press_until(page: Any, key: str, address: str) -> None:
    """Press a key until the address says that it was heard: keys are listened to once the page has settled."""

    def heard() -> bool:
        if re.search(address, page.url):
            return True
        page.keyboard.press(key)
        page.wait_for_timeout(500)
        return False

    _until(heard, 60)


def _seen(page: Any, run: str, words: Collection[str], since: float, limit: float) -> float | None:
    """Seconds until the verdict on a run is one of these words."""
    try:
        _until(lambda: page.evaluate(VERDICT, run) in words, limit)
    except TimeoutError:
        return None
    return time.perf_counter() - since


def _until(condition: Callable[[], bool], limit: float) -> None:
    deadline = time.perf_counter() + limit
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def _in_address(page: Any, name: str) -> str:
    found = re.search(rf"[?&]{name}=([^&]*)", page.url)
    return found[1] if found else ""


def report(given: list[Given], command: str, load: list[tuple[float, float, float]]) -> str:
    signs = [lesson.sign for lesson in given]
    late = sum(sign is None or sign > AIM for sign in signs)
    reached = "reached" if not late else f"missed {late} times"
    lines = [
        "# The lesson on collapse, with the keyboard alone",
        "",
        "The Collapse Lab in headless Chromium, 1280 × 720: a digit, C, S for the stage and back, arrows, F, S, Space, and C",
        f"for the next lesson. What is called is read off the stage. A first sign within {AIM:.0f} s of the key C: {reached}.",
        "",
        "| recipe | seed | first sign after C | called collapsed | modes left | cure | called well after F | modes then |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{one.recipe}` | {one.seed} | {_time(one.sign)} | {_time(one.called)} | {one.left} | {CURES[one.cure].title} | "
        f"{_time(one.cured)} | {one.after} |"
        for one in given
    ]
    lines += [
        "",
        "Seeds count from that of the recipe. Modes are those counted when both runs were paused.",
        *signed(command, load),
    ]
    return "\n".join(lines)


def _time(seconds: float | None) -> str:
    return "not seen" if seconds is None else f"{seconds:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=LESSONS, help="a recipe; may be given again")
    parser.add_argument("--seeds", type=parse_seeds, default=parse_seeds("100-101"), help="lessons in a row (100-101)")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that a verdict is waited for")
    parser.add_argument("--pictures", type=Path, help="a folder for what the stage showed")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "lesson.md")
    options = parser.parse_args()
    load = [os.getloadavg()]
    given: list[Given] = []
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, "-m", "gan_core", "prepare", "--store", f"{name}/runs"], cwd=ROOT, check=True)
        with application(Path(name)) as url, open_browser() as browser:
            for recipe in options.only or LESSONS:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.set_default_timeout(60_000)
                given += give(page, url, recipe, list(options.seeds), options.limit, options.pictures)
                page.close()
    load.append(os.getloadavg())
    text = report(given, command_line(), load)
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
