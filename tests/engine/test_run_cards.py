"""The newest runs as cards: a comparison is one of them, and what has not ended comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_core.config import preset_config
from gan_core.engine import preview
from gan_core.engine.showing.run_cards import RunCards
from gan_core.store import Member, RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore(tmp_path)
    for place, state in enumerate(["interrupted", "finished", "finished", "paused", "finished"]):
        store.create(f"run-{place}", name=f"run {place}", config={})
        store.update(f"run-{place}", status=state, rounds=10)
    members = [Member("run-2", "a", 0), Member("run-3", "b", 0)]
    store.create_comparison("a-duel", name="a duel", spec={}, members=members)
    store.flush()
    return store


def test_a_comparison_is_one_card_and_what_has_not_ended_comes_first(store: RunStore) -> None:
    cards = RunCards(store, lambda run: None).recent(8)
    assert [card["name"] for card in cards] == ["a duel", "run 0", "run 4", "run 1"]
    duel = cards[0]
    assert (duel["state"], duel["runs"], duel["id"]) == ("paused", 2, "a-duel")
    assert duel["comparison"]


def test_a_run_that_has_not_ended_is_found_behind_newer_ones(store: RunStore) -> None:
    assert [card["name"] for card in RunCards(store, lambda run: None).recent(2)] == ["a duel", "run 0"]


@pytest.mark.parametrize("name", ["digits-dcgan", "ring-mlp", "gaussian-1d"])
def test_a_picture_of_the_data_is_the_same_each_time(name: str) -> None:
    picture = preview(preset_config(name))
    assert picture.startswith(b"\x89PNG")
    assert picture == preview(preset_config(name, {"seed": 9}))
