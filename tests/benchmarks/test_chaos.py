"""What chaos counts, and that a few kills lose nothing."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from benchmarks.chaos import Journal, Tally, compare, damage, rampage, report
from gan_core import checkpoints
from gan_core.store import RunStore


def test_pictures_shown_but_not_recorded_are_lost_since_first_shown() -> None:
    shown = [(100.0, "queued", 5), (101.0, "running", 10), (101.5, "running", 12), (102.0, "paused", 15)]
    journal = Journal(kept=10, shown=shown)
    assert journal.seconds_lost(15, 102.1) == 0
    assert journal.seconds_lost(12, 102.1) == pytest.approx(0.1)
    assert journal.seconds_lost(10, 102.1) == pytest.approx(0.6)


def test_the_checkpoint_that_a_run_goes_on_from_is_not_lost_though_ahead_of_its_rows() -> None:
    shown = [(90.0, "queued", 14), (99.0, "running", 14)]
    assert Journal(shown=shown).seconds_lost(12, 102.0) == 0
    assert Journal(shown=[*shown, (101.5, "running", 15)]).seconds_lost(12, 102.0) == pytest.approx(0.5)


def test_a_long_loss_is_told_with_what_was_shown_before_it(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={})
        store.append("a-run", "turns", ["a"], np.arange(1, 8), np.ones((7, 1)))
    tally = Tally()
    for ago in (0.5, 3.0):
        journal = Journal(shown=[(90.0, "queued", 7), (100.0 - ago, "running", 9), (99.9, "running", 11)])
        compare(tmp_path, {"a-run": journal}, 100.0, tally)
    assert tally.lost_seconds == pytest.approx([0.5, 3.0])
    assert tally.long_lost == ["3.00 s, 7 recorded, shown queued -10.00 s: 7 to 7, running -3.00 s: 9 to 11"]
    assert tally.long_lost[0] in report(tally, 0, 1, [(0.0, 0.0, 0.0)] * 2)


def test_a_row_that_had_been_read_and_is_gone_counts_and_so_does_damage(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={})
        store.append("a-run", "turns", ["a"], np.arange(1, 8), np.ones((7, 1)))
    tally = Tally()
    compare(tmp_path, {"a-run": Journal(kept=7)}, 0.0, tally)
    assert not tally.bad
    compare(tmp_path, {"a-run": Journal(kept=9)}, 0.0, tally)
    assert (tally.rows_lost, tally.bad) == (2, True)


def test_damage_is_seen_and_only_where_there_is_an_older_checkpoint(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={})
        store.update("a-run", status="stopped")
        folder = store.checkpoint_dir("a-run")
    tally = Tally()
    checkpoints.write(folder, 1, b"first", {})
    damage(tmp_path, tally, random.Random(1))
    assert tally.damaged == 0
    checkpoints.write(folder, 2, b"second", {})
    damage(tmp_path, tally, random.Random(1))
    assert (tally.damaged, tally.faults) == (1, [])
    assert [path.name for path in checkpoints.checkpoints(folder)] == ["round-000000001.json"]


@pytest.mark.slow
def test_killed_five_times_nothing_is_lost(tmp_path: Path) -> None:
    tally = rampage(5, rounds=2500, seed=1, folder=tmp_path)
    assert not tally.bad, report(tally, 1, 2500, [])
    assert tally.kills == 5
    assert tally.ended >= 3
    assert tally.damaged == 1
    assert max(tally.lost_seconds) < 5
