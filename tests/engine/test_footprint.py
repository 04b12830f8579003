"""A run that would not fit is refused before it starts, at once, and without having taken what it would take."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_core.config import Comparison, ConfigError, RunConfig
from gan_core.engine.upkeep import footprint as module
from gan_core.engine.upkeep.footprint import at_most, footprint, free_memory, refuse_what_does_not_fit
from gan_core.training import build, capture, load_source, play, resolve
from gan_core.training.checkpoint import save_checkpoint
from gan_core.training.state import flatten

GB = 2**30


@pytest.fixture
def one_gb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: GB)


def settings_of(widths: list[int], batch: int, samples: int, **more: Any) -> RunConfig:
    changes = {f"model.{player}.widths": widths for player in ("generator", "discriminator")}
    changes |= {"data.batch_size": batch, "diagnostics.samples": samples, "data.name": "mnist5k", "device": "cpu"}
    return resolve(RunConfig().replace(changes | more))


@cache
def small_config() -> RunConfig:
    return settings_of([8], 2, 16)


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from([1, 8, 256, 8192]), min_size=1, max_size=32),
    st.sampled_from([2, 64, 4096]),
    st.sampled_from([16, 50_000]),
)
def test_extremes_are_answered_at_once_and_take_nothing(widths: list[int], batch: int, samples: int) -> None:
    config = settings_of(widths, batch, samples)
    process = psutil.Process()
    footprint(small_config())  # torch imports much for the first one
    before, started = process.memory_info().rss, time.thread_time()
    needed = footprint(config)
    assert time.thread_time() - started < 2
    assert process.memory_info().rss - before < 50 * 2**20
    squares = sum(a * b for a, b in pairwise(widths))
    assert needed.memory > 2 * squares * 4 * 4, "weights, gradients and moments of both networks at least"
    assert needed.disk > 2 * squares * 4 * 3 * 2
    bound = at_most(config)
    assert (bound.memory >= needed.memory, bound.disk >= needed.disk) == (True, True)


@pytest.mark.usefixtures("one_gb")
def test_a_run_that_does_not_fit_is_refused_with_both_numbers(
    open_lab: Callable, small: Callable, tmp_path: Path
) -> None:
    lab = open_lab()
    vast = {"model.generator.widths": [8192] * 4}
    with pytest.raises(
        ConfigError, match=r"about \d[\d,.]* GB of memory, and 1\.0 GB are free; choose a smaller batch"
    ):
        lab.submit(small(vast))
    comparison = Comparison.load(
        {
            "base": small().to_dict(),
            "variants": [{"name": "small", "changes": {}}, {"name": "vast", "changes": vast}],
            "seeds": [1],
        }
    )
    with pytest.raises(ConfigError, match="of memory"):
        lab.compare(comparison)
    assert lab.store.runs() == []
    run = lab.submit(small())
    lab.wait(run, 60)
    with pytest.raises(ConfigError, match="of memory"):
        lab.fork(run, vast)
    assert len(lab.store.runs()) == 1


def test_a_disk_without_room_is_refused(small: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda root: usage._replace(free=1000))
    with pytest.raises(ConfigError, match="of disk, and 1 kB are free; make room"):
        refuse_what_does_not_fit(small(), tmp_path)


@pytest.mark.parametrize("architecture", ["mlp", "dcgan", "resnet"])
def test_the_estimate_is_no_less_than_the_state_and_its_files(
    architecture: str, tiny: Callable, tmp_path: Path
) -> None:
    config = tiny(architecture, {"model.generator.widths": [64, 32], "model.discriminator.widths": [32, 64]})
    game = build(config, load_source(config))
    next(turn for turn in play(game) if turn.ends_round)
    state = capture(game, 1)
    held = sum(tensor.nbytes for tensor in flatten(state)[0].values())
    path = save_checkpoint(tmp_path, state)
    on_disk = sum(file.stat().st_size for file in path.parent.iterdir())
    needed = footprint(config)
    assert needed.memory - module.LOOKS > held
    assert at_most(config).memory >= needed.memory
    assert 0.5 * on_disk < needed.disk < 20 * on_disk


def test_a_container_bounds_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    machine = free_memory("cpu")
    assert machine > 0, "no container: what the machine has"
    for name, text in {
        "memory.max": "3000000",
        "memory.current": "2500000",
        "memory.stat": "inactive_file 400000\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert free_memory("cpu") == 900_000
    (tmp_path / "memory.max").write_text("max")
    assert free_memory("cpu") > 900_000
