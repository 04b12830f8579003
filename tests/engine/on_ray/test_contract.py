"""What every executor promises, asked of runs on a Ray cluster, and that all three kinds say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray_cluster import LocalCluster
from test_executors import (  # noqa: F401
    Bench,
    test_a_divergence_ends_it,
    test_a_job_is_played_to_its_end_bit_for_bit,
    test_an_exception_ends_it_with_its_traceback,
    test_closing_interrupts_saves_and_leaves_nothing_behind,
    test_it_goes_on_from_a_checkpoint_bit_for_bit,
    test_it_obeys,
    test_no_run_gets_a_window_ahead_and_a_paused_one_holds_up_the_other,
    test_runs_that_play_already_can_be_put_together,
    test_those_that_take_turns_all_get_on,
)

from gan_core.data import places, shelf
from gan_core.engine.messages import Sight
from gan_core.engine.remote.connection import Seen
from gan_core.engine.remote.executor import RayExecutor
from gan_core.engine.showing.making import made
from gan_core.intake.points import Points
from gan_core.training import build, capture, load_source, play, state_hash


class RayBench(Bench):
    """An executor of runs on the cluster."""

    def __init__(self, cluster: LocalCluster, folder: Path, told: Callable, until: Callable) -> None:
        super().__init__("thread", folder, told, until)
        self.kind = "ray"
        self.executor: Any = RayExecutor(folder, Seen(cluster.address), lambda source: None, self._wake, self._how_far)


@pytest.fixture
def bench(cluster: LocalCluster, tmp_path: Path, told: Callable, until: Callable) -> Iterator[RayBench]:
    opened = RayBench(cluster, tmp_path, told, until)
    yield opened
    opened.executor.close(5.0)
    assert opened.executor.connection.seen.bridge is None


def test_all_three_kinds_say_the_same(
    cluster: LocalCluster, tmp_path: Path, digits: Callable, told: Callable, until: Callable
) -> None:
    heard = {}
    for kind in ("thread", "process", "ray"):
        folder = tmp_path / kind
        bench = RayBench(cluster, folder, told, until) if kind == "ray" else Bench(kind, folder, told, until)
        bench.submit(digits())
        end = bench.end()
        assert end.state == "finished", end.message + end.traceback
        heard[kind] = bench.told()
        bench.executor.close(5.0)
    one = heard["thread"]
    assert len({told.end.summary["state_hash"] for told in heard.values()}) == 1
    for other in (heard["process"], heard["ray"]):
        mine, theirs = one.scalars(), other.scalars()
        assert list(mine) == list(theirs)
        assert all(mine[name].tobytes() == theirs[name].tobytes() for name in mine)
        assert one.notes("reference") == other.notes("reference")
        assert one.frames == other.frames
        for this, that in zip(one.of(Sight), other.of(Sight), strict=True):
            grid, made_there = made(this).parts["grid"], that.parts["grid"]
            assert (grid.said, grid.content.tobytes()) == (made_there.said, made_there.content.tobytes())


def test_data_of_ones_own_goes_to_the_node_by_its_hash(
    bench: RayBench, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_store", bench.folder)
    points = np.random.default_rng(0).normal(size=(400, 2))
    own = shelf.keep("mine", Points(points, ()), "table")
    for run in ("one", "other"):
        bench.submit(small({"data.name": own.name}), run)
        assert bench.end(run).state == "finished", bench.end(run).message
    game = build(small({"data.name": own.name}), load_source(small({"data.name": own.name})))
    for turn in play(game):
        if turn.ends_round and turn.round == 24:
            break
    assert bench.told("one").end.summary["state_hash"] == state_hash(capture(game, 24))


def test_published_data_that_the_node_lacks_is_sent(
    bench: RayBench, digits: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_store", bench.folder)
    raw = places.data_root() / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    for half in ("train", "test"):
        for kind, magic, data in (
            ("images-idx3", 2051, images),
            ("labels-idx1", 2049, np.arange(60, dtype=np.uint8) % 10),
        ):
            head = np.array([magic, *data.shape], ">i4").tobytes()
            (raw / f"emnist-digits-{half}-{kind}-ubyte").write_bytes(head + data.tobytes())
    bench.submit(digits({"data.name": "emnist_digits"}))
    end = bench.end()
    assert end.state == "finished", end.message + end.traceback
