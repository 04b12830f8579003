"""Whether a round is faster where networks keep their numbers channels last; writes docs/results/memory_format.md.

    nice -n 19 python benchmarks/memory_format.py

The weights of every network are laid out so, and with them what comes out of each convolution. Turns of both layouts alternate,
on one torch thread, and processor time is counted, so that what else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.codes import machine
from gan_core.config import RunConfig, preset_config
from gan_core.data import ImageSource, image_source
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.library.suggesting import PRESET, suggested
from gan_core.training import build, play, resolve

RESULTS = ROOT / "docs" / "results" / "memory_format.md"
PICTURES = 200
CASES: dict[str, tuple[int, int, dict[str, Any]]] = {
    "28×28, grey, batch 64": (1, 28, {"data.batch_size": 64}),
    "32×32, colour, batch 32": (3, 32, {}),
    "32×32, colour, batch 32, augmented": (3, 32, {"tricks.augment": "translation+cutout"}),
    "64×64, colour, batch 32": (3, 64, {}),
}
"""Channels, pixels a side, and changes to the suggestion for 200 pictures."""
WARM_UP = 4  # rounds that are not counted


def noise(channels: int, side: int) -> ImageSource:
    """What pictures show does not change how long a round takes."""
    x = np.random.default_rng(0).integers(0, 256, (PICTURES, channels, side, side), np.uint8)
    return image_source("noise", x, None)


def config_of(source: ImageSource, changes: dict[str, Any]) -> RunConfig:
    told = {**suggested(source).changes, "tricks.augment": "off", **changes, "device": "cpu"}
    return preset_config(PRESET, told)


def seconds_a_round(config: RunConfig, source: ImageSource, rounds: int, layout: torch.memory_format) -> float:
    """Processor seconds of one round, the mean over ``rounds``."""
    game = build(config, source)
    for network in game.networks.values():
        network.to(memory_format=layout)
    began = 0.0
    for turn in play(game):
        if turn.ends_round and turn.round == WARM_UP:
            began = time.process_time()
        if turn.ends_round and turn.round == WARM_UP + rounds:
            break
    return (time.process_time() - began) / rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="in each turn")
    parser.add_argument("--turns", type=int, default=4, help="of each layout")
    options = parser.parse_args()
    compute_on_one_thread()
    lines = [
        "| networks and pictures | as they are, ms | channels last, ms | ratio, least to greatest |",
        "|---|---|---|---|",
    ]
    for name, (channels, side, changes) in CASES.items():
        source = noise(channels, side)
        config = resolve(config_of(source, changes)) if side == 28 else config_of(source, changes)
        found = np.array(
            [
                [
                    seconds_a_round(config, source, options.rounds, each)
                    for each in (torch.contiguous_format, torch.channels_last)
                ]
                for _ in range(options.turns)
            ]
        )
        ratio = found[:, 1] / found[:, 0]
        plain, last = 1000 * np.median(found, axis=0)
        lines.append(
            f"| {name} | {plain:.1f} | {last:.1f} | {np.median(ratio):.2f}, {ratio.min():.2f} to {ratio.max():.2f} |"
        )
        print(lines[-1], flush=True)
    RESULTS.write_text(
        "# Channels last\n\nMade by `python benchmarks/memory_format.py`: processor time of a round of the suggested DCGAN, "
        f"medians of {options.turns} turns of {options.rounds} rounds each; {machine()}, one thread.\n\n"
        + "\n".join(lines)
        + "\n"
    )


if __name__ == "__main__":
    main()
