"""A press belongs to the page that was seen: what changed meanwhile is not acted on, and the page says so."""

from __future__ import annotations

import hashlib
from typing import Any

from opening import button, open_page
from streamlit.testing.v1 import AppTest
from waiting import until

from gan_core.config import CURES, RunConfig
from gan_core.engine import Lab
from gan_core.ui import lesson as lessons
from gan_core.ui.lesson_value import LESSONS
from gan_core.ui.runs_table import USUAL

CHANGED = "The page changed while you pressed"


def both(app: AppTest, *pressed: Any) -> AppTest:
    """What somebody chose and what somebody pressed reach the server together: the page was not drawn anew between them."""
    for one in pressed:
        one.click()
    app.run()
    assert [error.message for error in app.exception] == []
    return app


def told(app: AppTest) -> list[str]:
    return [warning.value for warning in app.warning if warning.value.startswith(CHANGED)]


def played(lab: Lab, tiny: Any, name: str) -> str:
    run = lab.submit(tiny("mlp", {"schedule.rounds": 2}), name=name)
    lab.wait(run, timeout=60)
    return run


def test_start_of_settings_that_are_gone_starts_nothing(lab: Lab) -> None:
    app = open_page("train", preset="ring-mlp")
    app.selectbox(key="preset").set_value("gaussian-1d")
    both(app, button(app, "start"))
    assert lab.store.runs() == []
    assert told(app) == [f"{CHANGED} **Start**, so nothing was done. Look again, and press once more."]
    assert told(app.run()) == []
    button(app, "start").click().run()
    (run,) = lab.store.runs()
    assert run.config["data"]["name"] == "gaussian"
    lab.command(run.id, "stop")


def test_a_value_that_was_typed_just_before_start_is_what_starts(lab: Lab) -> None:
    app = open_page("train", preset="gaussian-1d")
    app.number_input(key="form:gaussian-1d:ns_gan:schedule.rounds").set_value(7)
    both(app, button(app, "start"))
    assert told(app) == []
    (run,) = lab.store.runs()
    assert run.config["schedule"]["rounds"] == 7
    lab.wait(run.id, timeout=60)


def test_a_double_click_on_start_is_one_run_and_is_seen(lab: Lab) -> None:
    app = open_page("train", preset="gaussian-1d")
    button(app, "start").click()
    click = app._tree.get_widget_states()  # and once more, before the browser has heard that it is elsewhere now
    app.run()
    (run,) = lab.store.runs()
    app.query_params.clear()
    app.switch_page("train.py")
    app._run(click)
    assert [error.message for error in app.exception] == []
    assert [record.id for record in lab.store.runs()] == [run.id]
    assert app.query_params["run"] in (run.id, [run.id])
    assert told(app) == []
    lab.command(run.id, "stop")


def test_compare_starts_as_many_runs_as_its_button_says(lab: Lab) -> None:
    app = open_page("compare")
    app.text_input[0].set_value("0-9")
    both(app, button(app, "compare:start"))
    assert lab.store.runs() == []
    assert told(app) == [f"{CHANGED} **Start 9 runs**, so nothing was done. Look again, and press once more."]


def test_delete_leaves_runs_that_were_not_the_chosen_ones(lab: Lab, tiny: Any) -> None:
    first = played(lab, tiny, "the first")
    app = open_page("runs")
    table = f"runs:{hashlib.sha256(' '.join([first, *USUAL]).encode()).hexdigest()[:16]}"
    app.session_state[table] = {"selection": {"rows": [0], "columns": []}}
    app.run()
    assert app.session_state["runs:chosen"] == [first]
    delete = button(app, "delete")
    newest = played(lab, tiny, "the newest")  # now it stands where the chosen one stood
    both(app, delete)
    assert [run.id for run in lab.store.runs()] == [newest]


def test_fork_of_a_form_that_is_gone_forks_nothing(lab: Lab, tiny: Any) -> None:
    parent = played(lab, tiny, "the parent")
    app = open_page("watch", run=parent)
    app.button(key=f"fork:{parent}").click().run()
    app.selectbox(key=f"fork:objective:{parent}").select("wgan_gp")
    both(app, button(app, f"fork:go:{parent}"))
    assert [run.id for run in lab.store.runs()] == [parent]
    assert len(told(app)) == 1


def test_knobs_that_were_turned_meanwhile_are_not_turned_again(lab: Lab, tiny: Any, hold: Any) -> None:
    hold.at(2)
    run = lab.submit(tiny("mlp", {"schedule.rounds": 9}))
    until(lambda: lab.view(run).status["round"] == 2, "two rounds")
    app = open_page("watch", run=run)
    app.toggle(key=f"knobs:open:{run}").set_value(True).run()
    (lr,) = [field for field in app.number_input if field.label == "learning rate of D"]
    change = button(app, f"turn:{run}")
    lab.turn(run, {"optimizers.discriminator.lr": 0.25})
    until(lambda: lab.knobs(run)["optimizers.discriminator.lr"] == 0.25, "the knob was turned")
    lr.set_value(0.5)
    both(app, change)
    assert lab.knobs(run)["optimizers.discriminator.lr"] == 0.25
    assert len(told(app)) == 1
    lab.command(run, "stop")
    lab.wait(run, timeout=60)


def test_a_lesson_keeps_what_was_chosen_just_before_the_press(lab: Lab, tiny: Any, monkeypatch: Any) -> None:
    small = tiny("mlp", {"schedule.rounds": 5})
    monkeypatch.setattr(lessons, "preset_config", lambda name: small)
    recipe = "ring-collapse"
    app = open_page("collapse", recipe=recipe)
    app.button_group[0].set_value(3)
    both(app, button(app, "do:c"))
    assert app.query_params["guess"] in ("3", ["3"])
    (run,) = lab.store.runs()
    lab.wait(run.id, timeout=60)
    app = open_page("collapse", recipe=recipe, step="cure", run=run.id)
    other = list(LESSONS[recipe].cures)[-1]
    app.button_group[0].set_value(other)
    both(app, button(app, "do:f"))
    assert app.query_params["cure"] in (other, [other])
    child = next(record for record in lab.store.runs() if record.parent == run.id)
    assert RunConfig.load(child.config) == RunConfig.load(child.config).replace(CURES[other].changes)
    lab.command(child.id, "stop")
