"""Golden files (`tests/golden/make.py`): what older code computed, recorded and said stays so.

Every processor adds in an order of its own, so numbers are held where three instruction sets agree on them, within 1e-4; on one
machine `benchmarks/same_bits.py` compares bits.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden import make as golden
from PIL import Image

from gan_core.config import OBJECTIVES, PRESETS, RunConfig, preset_config
from gan_core.config import flatten as flatten_settings
from gan_core.engine import Lab, describe
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.metrics import METRICS
from gan_core.store import RunStore, Whole
from gan_core.training import capture, load_checkpoint, resolve, restore, state_hash
from gan_core.training.state import flatten

CONFIGS, STATES, NUMBERS = (golden.read(name) for name in ("configs", "states", "numbers"))
WITHIN = 1e-4
PICTURE_WITHIN = 0.3  # mean difference of grey values, 0 to 255
COSTLY = {  # 50 rounds take 2 to 10 s, those of another preset 0.1 to 2 s
    "digits-dcgan",
    "digits-mlp",
    "gaussian-course",
    "digits-conditional",
    "digits-healthy",
    "digits-dcgan-collapse",
    "digits-break-and-cure",
    "digits-dcgan-healthy",
    "digits-dcgan-break-and-cure",
    "digits8-to-mnist",
}
ROUNDING = ("optimizers/G/state/1/", "optimizers/G/state/5/")  # of the checkpoint: biases before batch normalisation
QUICK_ROUNDS = 10  # of a costly preset
ALL_ROUNDS = [
    pytest.param(name, 50, marks=[pytest.mark.slow] if name in COSTLY else [], id=f"{name}-50") for name in PRESETS
]
FEW_ROUNDS = [pytest.param(name, QUICK_ROUNDS, id=f"{name}-{QUICK_ROUNDS}") for name in PRESETS if name in COSTLY]


def test_every_preset_has_its_golden_entries() -> None:
    assert list(PRESETS) == list(CONFIGS) == list(STATES) == list(NUMBERS)
    for name, numbers in NUMBERS.items():
        floats = [key for key, kind in STATES[name]["tensors"].items() if kind.startswith("float")]
        assert len(numbers) >= 0.45 * len(floats), f"{name}: most of its numbers are rounding"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_complete_config_that_it_was(name: str) -> None:
    """What a game has learnt to ask since is what it was without being asked: the older settings alone mean the same."""
    now = flatten_settings(preset_config(name).to_dict())
    assert {key: now[key] for key in flatten_settings(CONFIGS[name])} == flatten_settings(CONFIGS[name])
    assert RunConfig.load(CONFIGS[name]) == preset_config(name)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_alone_is_the_complete_config_that_it_was(name: str) -> None:
    older, now = flatten_settings(golden.read("objectives")[name]), RunConfig.load({"objective": name})
    assert {key: flatten_settings(now.to_dict())[key] for key in older} == older
    assert RunConfig.load(golden.read("objectives")[name]) == now


@pytest.mark.parametrize("name", PRESETS)
def test_a_state_has_the_names_and_shapes_that_it_had(name: str) -> None:
    assert golden.anatomy(name) == STATES[name]


@pytest.mark.parametrize(("name", "rounds"), [*ALL_ROUNDS, *FEW_ROUNDS])
def test_every_tensor_of_a_preset_is_what_it_was(name: str, rounds: int) -> None:
    looked_at = tuple(round for round in golden.ROUNDS if round <= rounds)
    found = golden.numbers_after(name, looked_at)
    held = {key: entry for key, entry in NUMBERS[name].items() if entry[0] <= rounds}
    assert held
    off = {key: golden.apart(found[round][key], numbers) for key, (round, *numbers) in held.items()}
    assert {key: share for key, share in off.items() if share > WITHIN} == {}


# --- a checkpoint ---


def test_a_golden_checkpoint_restores_and_plays_on(game_of: Callable, advance: Callable) -> None:
    known = golden.read("checkpoint")
    game = game_of(resolve(RunConfig.load(known["config"])))
    state = load_checkpoint(golden.HERE / "checkpoint" / "round-000000007.json")
    assert restore(game, state) == golden.PLAYED + 1
    assert state_hash(capture(game, golden.PLAYED + 1)) == known["hash"]
    assert game.knobs == golden.KNOB
    advance(game, golden.MORE, golden.PLAYED + 1)
    tensors = flatten(capture(game, 0))[0]
    held = {key: numbers for key, numbers in known["after"].items() if not key.startswith(ROUNDING)}
    off = {key: golden.apart(golden.numbers(tensors[key]), numbers) for key, numbers in held.items()}
    assert {key: share for key, share in off.items() if share > WITHIN} == {}


def test_the_options_of_an_optimizer_are_written_as_they_were(game_of: Callable) -> None:
    """By their text, which is hashed: 0 and 0.0 are one number and two states."""
    game = game_of(resolve(RunConfig.load(golden.read("checkpoint")["config"])))
    older = flatten(load_checkpoint(golden.HERE / "checkpoint" / "round-000000007.json"))[1]
    now = flatten(capture(game, 0))[1]
    groups = [key for key in older if key.endswith("param_groups")]
    assert groups

    def told(groups_of_an_optimizer: list[dict[str, Any]]) -> str:
        return json.dumps([{**group, "lr": "goes with the rounds"} for group in groups_of_an_optimizer])

    assert {key: told(now[key]) for key in groups} == {key: told(older[key]) for key in groups}


# --- runs ---


def opened(root: Path, name: str) -> tuple[RunStore, Whole]:
    store = RunStore(root)
    (run,) = read_pack(store, io.BytesIO((golden.HERE / f"{name}.zip").read_bytes())).runs
    return store, store.whole(run)


def references(whole: Whole) -> list[Any]:
    return [event.data for event in whole.events if event.kind == "reference"]


def close(old: Any, new: Any) -> bool:
    """Whether two JSON values are equal but for the last digits of their numbers; what is new in a group is no difference."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and close(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(close, old, new))
    return new == (pytest.approx(old, rel=1e-3, abs=1e-3) if isinstance(old, float) else old)


@pytest.mark.parametrize("name", golden.RUNS)
def test_a_golden_run_opens_and_its_reference_is_said_again(name: str, tmp_path: Path) -> None:
    store, whole = opened(tmp_path, name)
    with store:
        assert (whole.run.status, whole.run.rounds) == ("finished", golden.RUNS[name]["schedule.rounds"])
        told = references(whole)
        assert close(told[0], json.loads(json.dumps(describe(resolve(RunConfig.load(whole.run.config))))))
        labels = told[0]["labels"].keys()
        assert set(whole.tracks["turns"].columns) == {*labels, "seconds"}
        assert len(whole.frames) >= 3


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=np.float64)


@pytest.mark.parametrize("name", golden.RUNS)
def test_a_golden_run_played_anew_is_the_same_run(name: str, tmp_path: Path, prepared: Callable[[Path], Path]) -> None:
    prepared(tmp_path / "new")
    store, old = opened(tmp_path / "old", name)
    with store, Lab(tmp_path / "new", tick=0.05, executor="thread") as lab:
        run = lab.submit(golden.config_of(golden.RUNS[name]), name=old.run.name)
        assert lab.wait(run, 60).status == "finished"
        new = lab.store.whole(run)
        assert new.run.config == old.run.config
        for track, known in old.tracks.items():
            columns = new.tracks[track].columns  # of what is measured by now, more may be
            assert tuple(name for name in columns if name in known.columns) == known.columns
            assert set(columns) - set(known.columns) <= (set(METRICS) if track == "diagnostics" else set())
            assert new.tracks[track].rounds.tolist() == known.rounds.tolist()
        for column in (column for column in old.tracks["turns"].columns if column.endswith("loss")):
            numbers = [whole.tracks["turns"].column(column)[:10] for whole in (old, new)]
            np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-3, atol=1e-5)
        said, again = references(old), references(new)
        assert close(said[0], again[0])
        # What the frozen classifier says of real pictures depends on how it was trained, on this processor.
        assert [sorted(one) for one in said] == [sorted(one) for one in again]
        frames = {frame.round: frame.parts for frame in new.frames}
        assert [frame.round for frame in old.frames] == list(frames)
        for frame in old.frames:
            assert frame.parts.keys() == frames[frame.round].keys()
            for part, content in frame.parts.items():
                file = content.get("file", "")
                if file.endswith(".png"):
                    paths = (
                        store.artefact_path(old.run.id, file),
                        lab.store.artefact_path(run, frames[frame.round][part]["file"]),
                    )
                    one, two = (pixels(path.read_bytes()) for path in paths)
                    assert np.abs(one - two).mean() < PICTURE_WITHIN, f"{part} at round {frame.round}"


def test_the_golden_packs_hold_pictures() -> None:
    names = [name for run in golden.RUNS for name in zipfile.ZipFile(golden.HERE / f"{run}.zip").namelist()]
    for kind in ("grid-", "push-", "points-", "thumb-"):
        assert any(f"/files/{kind}" in name for name in names), kind
