"""How long a start card takes until its digits can be recognised, in seconds of one core.

    python benchmarks/first_look.py     # about two minutes on a free core; writes docs/results/first-look.json and .md

The loop of the laboratory, looked at every 100 rounds off its clock. *Strokes*: the frozen classifier is sure of half of the
samples. *Recognisable*: of four in five. *All ten*: that, and no digit has less than a third of its share. A time is the
CPU time that training took until then, so a machine that does something else meanwhile changes it little; measuring and
drawing, 4 % of it in the application, are not in it. The cards say these numbers, and a test holds them to the file.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.recipes import Look
from benchmarks.sections import command_line
from gan_core.config import PRESETS, preset_config
from gan_core.engine.environment import compute_on_one_thread
from gan_core.training import build, load_source, play, resolve
from gan_core.training.classifier import classifier_for

CARDS = ("digits-dcgan", "digits-mlp")
SEEDS = (100,)
LOOK_EVERY, MOST_SECONDS = 100, 100.0
SAID = ("strokes", "recognisable", "all ten")
TARGET = ROOT / "docs" / "results" / "first-look.json"
Times = dict[str, float | None]


def first_times(card: str, seed: int) -> Times:
    """Seconds of training until each of ``SAID`` is so for the first time; None where it is not yet."""
    config = resolve(preset_config(card, {"seed": seed, "device": "cpu"}))
    source = load_source(config)
    game = build(config, source)
    look = Look(config, source, classifier_for(source.judged, ROOT / "runs" / "cache"))
    times: Times = dict.fromkeys(SAID)
    seconds, started = 0.0, time.process_time()
    for turn in play(game):
        if not turn.ends_round or turn.round % LOOK_EVERY:
            continue
        seconds += time.process_time() - started
        numbers = look(game, turn.round).numbers
        sure = 1 - numbers["unsure_share"]
        met = (sure >= 0.5, sure >= 0.8, sure >= 0.8 and numbers["modes_covered"] >= 10)
        times |= {what: round(seconds, 1) for what, now in zip(SAID, met, strict=True) if now and times[what] is None}
        if None not in times.values() or seconds > MOST_SECONDS or turn.round >= config.schedule.rounds:
            break
        started = time.process_time()
    return times


def main() -> None:
    compute_on_one_thread()
    told: dict[str, dict[str, list[float | None]]] = {}
    for card in CARDS:
        for seed in SEEDS:
            times = first_times(card, seed)
            print(card, seed, times, file=sys.stderr, flush=True)
            for what in SAID:
                told.setdefault(card, {}).setdefault(what, []).append(times[what])
    TARGET.write_text(json.dumps({"seeds": SEEDS, "seconds": told}, indent=1) + "\n")
    TARGET.with_suffix(".md").write_text(page(told))


def page(told: dict[str, dict[str, list[float | None]]]) -> str:
    said = (__doc__ or "").split("\n\n")[2].strip().replace("\n", " ")
    rows = [
        [f"{PRESETS[card].title} (`{card}`)", *(_cell(times[what]) for what in SAID)] for card, times in told.items()
    ]
    lines = [" | ".join(row) for row in (["card", *SAID], ["---"] * (1 + len(SAID)), *rows)]
    table = "\n".join(f"| {line} |" for line in lines)
    seeds = f"Seed {SEEDS[0]}" if len(SEEDS) == 1 else f"Means of the seeds {' and '.join(map(str, SEEDS))}"
    return f"# The first look at digits\n\n{said}\n\n{seeds}.\n\n{table}\n\n`{command_line()}`\n"


def _cell(seconds: list[float | None]) -> str:
    known = [value for value in seconds if value is not None]
    return f"{statistics.mean(known):.0f} s" if len(known) == len(seconds) else f"not within {MOST_SECONDS:.0f} s"


if __name__ == "__main__":
    main()
