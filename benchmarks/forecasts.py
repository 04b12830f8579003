"""Whether a run takes as long as the Train page says before Start: every preset, forecast and trained on this machine.

    python benchmarks/forecasts.py --seconds 4      # about nine minutes on free cores; writes docs/results/forecasts.md
    python benchmarks/forecasts.py --only ring --seconds 2 --out /tmp/quick.md

A preset is trained twice, with rounds that should take a few seconds: once as the first of its kind, forecast from some
turns that are played; then with another seed, forecast from the first. What a run took is counted from its first round to
its end, measuring included, as a person waits for it; what loads before it is not in the forecast.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from benchmarks.serving import cpu_seconds, machine
from gan_core.config import PRESETS, RunConfig, preset_config
from gan_core.engine import Lab, Pace, expected, forecast, learned, measured
from gan_core.engine.library.forecasts import FEWEST_ROUNDS

RESULTS = ROOT / "docs" / "results" / "forecasts.md"
FACTOR = 1.5
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Found:
    """One run: what was said, on what basis, and what it took by the clock and of the processors, in seconds."""

    preset: str
    rounds: int
    said: float
    learnt: bool
    took: float
    processors: float

    @property
    def factor(self) -> float:
        """How many times longer than was said."""
        return self.took / self.said

    @property
    def kept(self) -> bool:
        return 1 / FACTOR <= self.factor <= FACTOR


def play(lab: Lab, preset: str, config: RunConfig, pace: Pace, *, learnt: bool) -> Found:
    """Train a run to its end. Raises RuntimeError where it does not end as it should."""
    said = expected(config, pace, training=0).seconds
    run_id = lab.submit(config)
    view = lab.view(run_id)
    began, before = None, 0.0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while view.status["state"] not in ("finished", "failed", "diverged", "stopped"):
        if began is None and view.status["round"] >= 1:
            began, before = time.perf_counter(), cpu_seconds()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{preset} has not ended within {PATIENCE_SECONDS:g} s")
        time.sleep(0.01)
    ended, after = time.perf_counter(), cpu_seconds()
    record = lab.wait(run_id, 60)
    if began is None or record.status not in ("finished", "diverged"):
        raise RuntimeError(f"{preset} {record.status}: {record.message}")
    share = config.schedule.rounds / record.rounds  # a run that diverged is not played to its end
    return Found(preset, config.schedule.rounds, said, learnt, share * (ended - began), share * (after - before))


def both(lab: Lab, preset: str, seconds: float) -> list[Found]:
    """The first run of a preset in this store, and the second."""
    config = preset_config(preset, {"device": "cpu"})
    pace = measured(forecast(config, budget_seconds=0.3))
    rounds = max(FEWEST_ROUNDS, round(seconds / pace.seconds_per_round))
    config = config.replace({"schedule.rounds": rounds, "schedule.seconds": None})
    known = learned(lab.store, config)  # an earlier preset may cost the same
    found = [play(lab, preset, config, known or pace, learnt=known is not None)]
    again = config.replace({"seed": config.seed + 1})
    known = learned(lab.store, again)
    if known is not None:
        found.append(play(lab, preset, again, known, learnt=True))
    return found


def document(found: list[Found], load: list[tuple[float, float, float]]) -> str:
    """All runs as a page of Markdown, what was promised first."""
    kinds = {"measured from some turns": False, "learnt from a run like it": True}
    lines = ["# Forecasts", "", f"Made by `{command_line()}`: {machine(load)}", ""]
    for words, learnt in kinds.items():
        runs = [one for one in found if one.learnt == learnt]
        kept = sum(one.kept for one in runs)
        spread = f" ({min(one.factor for one in runs):.2f} to {max(one.factor for one in runs):.2f})" if runs else ""
        lines.append(
            f"* {words}: **{kept} of {len(runs)}** took between 1/{FACTOR:g} and {FACTOR:g} times what was said{spread}"
        )
    lines += [
        "",
        "*Factor* is what the run took by the clock over what was said. Processor seconds are those of all of the process.",
        "What a run does a few times however long it is (its first looks, the states that are kept of a G from picture to",
        "picture) is in no forecast, and weighs more in runs of a few seconds, as these are, than in those a person starts.",
        "",
        "| preset | rounds | basis | said, s | took, s | factor | processor s | within |",
        "|---|---:|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| `{one.preset}` | {one.rounds:,} | {'a run like it' if one.learnt else 'some turns'} | {one.said:.1f} "
        f"| {one.took:.1f} | {one.factor:.2f} | {one.processors:.1f} | {'yes' if one.kept else '**no**'} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="presets whose name begins so")
    parser.add_argument("--seconds", type=float, default=6.0, help="that a run should take")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    load, found = [os.getloadavg()], list[Found]()
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab:
        for preset in PRESETS:
            if preset.startswith(options.only):
                found += both(lab, preset, options.seconds)
                print(
                    f"{preset}: {', '.join(f'{one.factor:.2f}' for one in found if one.preset == preset)}", flush=True
                )
    options.out.write_text(document(found, [*load, os.getloadavg()]))


if __name__ == "__main__":
    main()
