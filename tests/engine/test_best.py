"""The best state of a run: told by its samples, bit for bit what the run was, kept while others go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gan_core.engine.observers.points import PlaneObserver
from gan_core.engine.upkeep.best import judged
from gan_core.training import load_checkpoint, state_hash


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All modes are covered at round 40 alone, four of them otherwise."""
    real_look = PlaneObserver.look

    def look(self: PlaneObserver, game: Any, round: int) -> Any:
        numbers, sight = real_look(self, game, round)
        return numbers | {"modes_covered": 8.0 if round == 40 else 4.0, "sliced_wasserstein": 1.0}, sight

    monkeypatch.setattr(PlaneObserver, "look", look)


def test_the_best_state_is_kept_and_no_worse_one_replaces_it(open_lab: Callable, small: Callable, peaks: None) -> None:
    lab = open_lab()
    run = lab.submit(small({"schedule.rounds": 100}))
    assert lab.wait(run, 60).status == "finished"
    assert lab.kept_for(run) == {40: "the best: Modes 8, Sliced Wasserstein distance 1"}
    kept = load_checkpoint(lab.store.checkpoint_dir(run) / "round-000000040.json")
    whole = {name: value for name, value in kept.items() if name not in ("seconds", "measuring")}
    other = lab.wait(lab.submit(small({"schedule.rounds": 40})), 60)
    assert state_hash(whole) == other.summary["state_hash"]


def test_a_run_that_goes_on_knows_what_its_best_was(
    open_lab: Callable, small: Callable, until: Callable, peaks: None
) -> None:
    lab = open_lab()
    run = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(run).status["round"] > 60)
    lab.command(run, "stop")
    stopped_at = lab.wait(run, 60).rounds
    lab.resume(run)
    until(lambda: lab.view(run).status["round"] > stopped_at + 40)
    lab.command(run, "stop")
    lab.wait(run, 60)
    assert list(lab.kept_for(run)) == [40]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"frechet_distance": 1.0}, {"frechet_distance": 2.0}),
        ({"modes_covered": 8.0, "sliced_wasserstein": 9.0}, {"modes_covered": 7.0, "sliced_wasserstein": 0.1}),
        ({"modes_covered": 8.0, "sliced_wasserstein": 0.1}, {"modes_covered": 8.0, "sliced_wasserstein": 0.2}),
        ({"wasserstein": 0.1, "D.loss": 9.0}, {"wasserstein": 0.2, "D.loss": 0.0}),
    ],
)
def test_what_is_better_is_told_by_samples(better: dict[str, float], worse: dict[str, float]) -> None:
    (one, _), (two, _) = judged(better) or ((), ""), judged(worse) or ((), "")
    assert one > two


def test_what_cannot_be_told_is_not() -> None:
    assert judged({"D.loss": 0.1, "std_ratio": 1.0}) is None
    assert judged({"frechet_distance": float("nan")}) is None
