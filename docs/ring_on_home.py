"""Records the run that moves on the home page: `python docs/ring_on_home.py`, about half a minute of one core."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gan_core.config import preset_config
from gan_core.engine.environment import compute_on_one_thread
from gan_core.metrics.histograms import modes_covered
from gan_core.metrics.modes import mode_counts
from gan_core.training import build, load_source, play, resolve
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams

PRESET, SEED = "ring-mlp", 0
KEPT = ROOT / "gan_core" / "ui" / "ring_on_home.json"
SHOWN, COUNTED = 160, 2_500  # samples: that are drawn, and by which modes are counted
ROUNDS = (*range(0, 100, 10), *range(100, 600, 25), *range(600, 3001, 100))
REACH = 2.6  # of the plane from its middle that a byte of 127 stands for


def coded(points: np.ndarray) -> str:
    """Points (n, 2) of the plane as one signed byte a coordinate."""
    bytes_ = np.clip(np.rint(points / REACH * 127), -127, 127).astype(np.int8)
    return b64encode(bytes_.tobytes()).decode()


def main() -> None:
    compute_on_one_thread()
    config = resolve(preset_config(PRESET, {"seed": SEED, "device": "cpu", "schedule.rounds": max(ROUNDS)}))
    source = load_source(config)
    game = build(config, source)
    z = Latent(config.model.latent_dim, config.model.latent)(COUNTED, Streams(SEED).generator("home"))
    frames = []

    def look(at: int) -> None:
        points = source.to_data(game.sample(z).numpy())
        counts = mode_counts(points, source.centers, source.std)
        frames.append({"round": at, "modes": modes_covered(counts), "points": coded(points[:SHOWN])})

    look(0)
    for turn in play(game):
        if turn.ends_round and turn.round in ROUNDS:
            look(turn.round)
        if turn.ends_round and turn.round == max(ROUNDS):
            break
    real = source.to_data(source.sample(SHOWN, Streams(SEED).generator("home")).numpy())
    told = {
        "preset": PRESET,
        "seed": SEED,
        "reach": REACH,
        "of": len(source.centers),
        "real": coded(real),
        "frames": frames,
    }
    KEPT.write_text(json.dumps(told, separators=(",", ":")) + "\n")
    print(f"{KEPT.relative_to(ROOT)}: {len(frames)} frames, modes {[frame['modes'] for frame in frames]}")


if __name__ == "__main__":
    main()
