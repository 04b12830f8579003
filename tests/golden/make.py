"""Writes the golden files: what the code of the day computed, recorded and said, for `tests/test_golden_runs.py` to hold.

``python tests/golden/make.py`` writes what is not there; a file that is there is history and is never written again. A preset
that is new gets its entries, those of the others stay as they are.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))
import torch
from torch import Tensor

from gan_core.config import OBJECTIVES, PRESETS, RunConfig, preset_config
from gan_core.engine import Lab, prepare_classifier
from gan_core.engine.exchange.packs import write_pack
from gan_core.training import build, capture, load_source, play, resolve, save_checkpoint, state_hash
from gan_core.training.state import flatten

ROUNDS = (1, 2, 10, 50)
INSTRUCTION_SETS = {
    "default": {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "own": {},
}
AGREE = 1e-5  # a tenth of what the tests allow
SMALL = {"model.latent_dim": 3, "device": "cpu", "seed": 5, "diagnostics.budget": 1.0}
RING = {
    "data.name": "ring",
    "data.batch_size": 8,
    "model.generator.widths": [6, 5],
    "model.discriminator.widths": [7, 4],
    "diagnostics.samples": 64,
}
RUNS: dict[str, dict[str, Any]] = {
    "points": {
        **SMALL,
        "objective": "began",
        **RING,
        "diagnostics.every": 8,
        "schedule.rounds": 24,
    },
    "pictures": {
        **SMALL,
        "objective": "r1_gan",
        "data.name": "mnist5k",
        "data.batch_size": 8,
        "model.generator.widths": [8],
        "model.discriminator.widths": [8],
        "diagnostics.samples": 64,
        "diagnostics.grid": 9,
        "diagnostics.every": 8,
        "schedule.rounds": 16,
    },
}
CHECKPOINT: dict[str, Any] = {
    **SMALL,
    "objective": "wgan_gp",
    **RING,
    "objective.penalties": {"gradient_penalty": 10.0, "lecam": 0.1},
    "model.generator.normalization": "batch",
    "model.generator.dropout": 0.2,
    "model.discriminator.spectral_norm": True,
    "optimizers.generator.lr_schedule": "linear",
    "tricks.ema_decay": 0.9,
    "tricks.instance_noise": 0.3,
}
PLAYED, KNOB, MORE = 6, {"schedule.n_critic": 2, "objective.penalties.lecam": 0.75}, 3


def config_of(changes: dict[str, Any]) -> RunConfig:
    return resolve(RunConfig().replace(changes))


def numbers(tensor: Tensor) -> tuple[float, float, float]:
    """The sum, the norm, and the sum of the sizes."""
    values = tensor.double()
    return float(values.sum()), float(values.norm()), float(values.abs().sum())


def numbers_after(name: str, rounds: tuple[int, ...]) -> dict[int, dict[str, tuple[float, float, float]]]:
    """Those of every tensor of floats in the state of a preset, after so many rounds."""
    config = resolve(preset_config(name, {"device": "cpu"}))
    game = build(config, load_source(config))
    found: dict[int, dict[str, tuple[float, float, float]]] = {}
    for turn in play(game):
        if turn.ends_round and turn.round in rounds:
            tensors = flatten(capture(game, turn.round))[0]
            found[turn.round] = {key: numbers(value) for key, value in tensors.items() if value.is_floating_point()}
            if turn.round == max(rounds):
                break
    return found


def anatomy(name: str) -> dict[str, Any]:
    """Type and shape of every tensor, and every plain value, in the state of a preset after a round."""
    config = resolve(preset_config(name, {"device": "cpu"}))
    game = build(config, load_source(config))
    next(turn for turn in play(game) if turn.ends_round)
    tensors, values = flatten(capture(game, 1))
    shapes = {key: f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}" for key, value in tensors.items()}
    return {"tensors": shapes, "values": json.loads(json.dumps(values))}


def apart(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """How far two tensors' numbers are apart, as shares of their norm and of the sum of their sizes."""
    size, norm = max(one[2], two[2]), max(one[1], two[1])
    return max(abs(one[0] - two[0]) / size, abs(one[1] - two[1]) / norm) if size else 0.0


def agreed(names: list[str]) -> dict[str, dict[str, list[float]]]:
    """The last of ``ROUNDS`` at which three instruction sets agree on a tensor's numbers, and these.

    What stands after it is amplified rounding: where a gradient is 0 (a bias before a normalisation), Adam divides noise by
    its own size.
    """
    found = []
    for variables in INSTRUCTION_SETS.values():
        command = [sys.executable, __file__, "--numbers", *names]
        told = subprocess.run(command, env=os.environ | variables, check=True, capture_output=True, text=True)
        found.append(json.loads(told.stdout))
    golden: dict[str, dict[str, list[float]]] = {}
    for name in names:
        golden[name] = {}
        for round in ROUNDS:
            for key, own in found[-1][name][str(round)].items():
                if all(apart(other[name][str(round)][key], own) < AGREE for other in found):
                    golden[name][key] = [round, *own]
    return golden


def read(name: str) -> dict[str, Any]:
    return json.loads(gzip.decompress((HERE / f"{name}.json.gz").read_bytes()))


def _write(name: str, value: Any) -> None:
    (HERE / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(value).encode(), mtime=0))


def _complete(name: str, make: Any, entries: Iterable[str] = PRESETS) -> None:
    """The entries that are not there yet, each at its place."""
    known = read(name) if (HERE / f"{name}.json.gz").exists() else {}
    missing = [entry for entry in entries if entry not in known]
    if missing:
        all_of_them = known | make(missing)
        _write(name, {entry: all_of_them[entry] for entry in dict.fromkeys([*entries, *known])})


def _record(name: str) -> None:
    target = HERE / f"{name}.zip"
    if target.exists():
        return
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder), executor="thread") as lab:
        config = config_of(RUNS[name])
        prepare_classifier(lab, config)
        run = lab.submit(config, name=f"Golden {name}")
        lab.wait(run, 60)
        with target.open("wb") as file:
            write_pack(lab.store, run, file)


def _save_checkpoint() -> None:
    folder = HERE / "checkpoint"
    if folder.exists():
        return
    config = config_of(CHECKPOINT)
    game = build(config, load_source(config))
    _advance(game, 0, PLAYED)
    for knob, value in KNOB.items():
        game.set_knob(knob, value)
    _advance(game, PLAYED, 1)
    state = capture(game, PLAYED + 1)
    save_checkpoint(folder, state)
    _advance(game, PLAYED + 1, MORE)
    after = {key: numbers(value) for key, value in flatten(capture(game, 0))[0].items() if value.is_floating_point()}
    _write("checkpoint", {"config": config.to_dict(), "hash": state_hash(state), "after": after})


def _advance(game: Any, played: int, rounds: int) -> None:
    next(turn for turn in play(game, played) if turn.ends_round and turn.round == played + rounds)


def main() -> None:
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--numbers"]:
        json.dump({name: numbers_after(name, ROUNDS) for name in sys.argv[2:]}, sys.stdout)
        return
    _complete("configs", lambda names: {name: preset_config(name).to_dict() for name in names})
    _complete(
        "objectives", lambda names: {name: RunConfig.load({"objective": name}).to_dict() for name in names}, OBJECTIVES
    )
    _complete("states", lambda names: {name: anatomy(name) for name in names})
    _complete("numbers", agreed)
    for name in RUNS:
        _record(name)
    _save_checkpoint()


if __name__ == "__main__":
    main()
