"""Forecasts: what this machine did, else what has just been measured; who shares the cores; and every one says its basis."""

from __future__ import annotations

from typing import Any

import pytest

from gan_core.config import RunConfig
from gan_core.engine.environment import environment
from gan_core.engine.library.forecasts import Pace, expected, expected_of_all, in_words, learned, training_now
from gan_core.store import RunStore
from gan_core.training import resolve

CONFIG = RunConfig.load({"data": {"name": "ring"}, "schedule": {"rounds": 1000}, "device": "cpu"})
PACE = Pace(0.01, "measured")


def ended(
    store: RunStore, name: str, changes: dict[str, Any], *, seconds: float, rounds: int = 1000, **fields: Any
) -> None:
    config = resolve(CONFIG.replace(changes)).to_dict()
    store.create(
        name, name=name, config=config, environment={**environment(), **fields.pop("environment", {})}, **fields
    )
    store.update(name, status="finished", rounds=rounds, summary={"seconds": seconds})


def test_a_pace_is_that_of_the_fastest_run_that_costs_the_same_here(tmp_path: Any) -> None:
    with RunStore(tmp_path / "runs") as store:
        assert learned(store, CONFIG) is None
        ended(store, "slowed", {"seed": 4, "schedule.rounds": 77, "optimizers.generator.lr": 0.1}, seconds=30.0)
        assert learned(store, CONFIG) == Pace(0.03, "as the last run like it took here")
        ended(store, "alone", {"diagnostics.every": 7}, seconds=9.0)
        for name, changes, other in (
            ("wider", {"model.generator.widths": [8]}, {}),
            ("more-steps", {"schedule.n_critic": 9}, {}),
            ("penalty", {"objective.penalties": {"r1": 1.0}}, {}),
            ("elsewhere", {}, {"environment": {"machine": "another"}}),
            ("short", {}, {"rounds": 10}),
            ("a-fork", {}, {"parent": "alone", "forked_at": 5}),
        ):
            ended(store, name, changes, seconds=5.0, **other)
        ended(store, "turned", {}, seconds=5.0)
        store.add_event("turned", 3, "knob", {"changes": {"data.batch_size": 4}})
        store.flush()
        assert learned(store, CONFIG) == Pace(0.009, "as the fastest of 2 runs like it took here")
        store.create("now", name="now", config=CONFIG.to_dict())
        store.update("now", status="running")
        assert training_now(store.runs()) == 1


@pytest.mark.parametrize(
    ("training", "seconds", "said"),
    [
        (0, 10.4, "measured"),
        (1, 10.4, "another run trains beside it, on a core of its own"),
        (3, 20.8, "3 other runs train beside it and slow it 2.0 times"),
    ],
)
def test_runs_that_train_now_slow_a_new_one_where_cores_are_few(training: int, seconds: float, said: str) -> None:
    told = expected(CONFIG, PACE, training=training, cores=2)
    assert told.seconds == pytest.approx(seconds)  # with 4 % for measuring
    assert said in told.basis
    assert str(told).startswith(f"about {in_words(seconds)}, measured")


def test_a_budget_in_seconds_is_its_own_forecast() -> None:
    told = expected(CONFIG.replace({"schedule.seconds": 4.0}), PACE, training=0, cores=2)
    assert told.seconds == pytest.approx(4.16)
    assert "its budget" in told.basis


def test_a_comparison_is_forecast_by_what_computes_at_once() -> None:
    runs = [(CONFIG, PACE), (CONFIG, Pace(0.03, "as it was")), (CONFIG, PACE)]
    one = expected_of_all(runs, at_once=1, training=0, cores=4)
    assert one.seconds == pytest.approx(1.04 * 50)
    assert one.basis == "one after the other, measured or as it was"
    assert expected_of_all(runs, at_once=2, training=0, cores=4).seconds == pytest.approx(
        1.04 * 30
    )  # that of the slowest
    assert expected_of_all(runs, at_once=2, training=0, cores=1).seconds == pytest.approx(1.04 * 50)
    busy = expected_of_all(runs, at_once=2, training=2, cores=2)
    assert busy.seconds == pytest.approx(2 * 1.04 * 30)
    assert "2 other runs train beside it" in busy.basis


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (14.4, "14 s"), (42.0, "40 s"), (119.0, "2 min"), (1799.0, "30 min"), (9000.0, "2.5 h")],
)
def test_a_time_is_said_as_a_person_would(seconds: float, said: str) -> None:
    assert in_words(seconds) == said
