"""One cause at a time: every stop of every slider is a run that can be trained, and the map shows what was measured."""

from __future__ import annotations

from functools import partial

import pytest

from gan_core.config import CAUSES, RunConfig, diff
from gan_core.engine import Lab
from gan_core.engine.library.causes import Trial, measured
from gan_core.training import resolve
from gan_core.ui import one_cause
from tests.opening import open_page

visit = partial(open_page, "theory")


@pytest.mark.parametrize("name", CAUSES)
def test_a_stop_differs_in_one_setting_and_can_be_trained(name: str) -> None:
    cause = CAUSES[name]
    usual = resolve(cause.config(cause.usual))
    for value in cause.values:
        changed = {path.rpartition(".")[2] for path in diff(usual, resolve(cause.config(value)))}
        assert len(changed) == (value != cause.usual), (value, changed)
    assert all(resolve(CAUSES[other].config(CAUSES[other].usual)) == usual for other in CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_every_stop_was_measured_over_seeds(name: str) -> None:
    trials = measured(name)
    assert list(trials) == list(CAUSES[name].values)
    assert all(len({trial.seed for trial in runs}) >= 3 for runs in trials.values())


@pytest.mark.parametrize("name", CAUSES)
def test_all_stops_can_be_compared(name: str) -> None:
    comparison = one_cause.side_by_side(CAUSES[name])
    configs = comparison.configs()
    assert {seed for _, seed in configs} == set(one_cause.SEEDS)
    assert len(configs) == len(CAUSES[name].values) * len(one_cause.SEEDS)
    assert {config.schedule.rounds for config in configs.values()} == {one_cause.ROUNDS}


def test_the_map_has_a_dot_for_every_run_and_a_line_through_the_medians() -> None:
    cause = CAUSES["beta1"]
    trials = {
        "0": [Trial("beta1", "0", seed, modes, False, 0.9) for seed, modes in enumerate((8.0, 7.0, 8.0))],
        "0.9": [Trial("beta1", "0.9", seed, modes, modes < 3, 0.5) for seed, modes in enumerate((2.0, 6.0, 1.0))],
    }
    figure = one_cause.cause_map(cause, trials, "0.9")
    line, alive, collapsed = figure.data
    assert dict(zip(line.x, line.y, strict=True)) == {"0": 8.0, "0.9": 2.0}
    assert (len(alive.x), len(collapsed.x)) == (4, 2)
    assert one_cause.said(cause, "0.9", trials["0.9"]) == (
        "At β₁ of both optimisers **0.9**, 2 of 3 seeds collapsed; at the end G held **2.0 of 8 modes** "
        "(median, from 1.0 to 6.0)."
    )


def test_the_page_trains_what_the_slider_says(lab: Lab) -> None:
    app = visit(tab="causes", cause="latent_dim")
    assert app.selectbox(key="theory:cause").value == "latent_dim"
    app.select_slider[0].set_value("2").run()
    next(button for button in app.button if button.label == "Train this one").click().run()
    (run,) = lab.store.runs()
    assert RunConfig.load(run.config).model.latent_dim == 2
    lab.command(run.id, "stop")
    assert lab.wait(run.id, 60).status == "stopped"
