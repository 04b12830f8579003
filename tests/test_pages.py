"""Every page over an empty, a live and a failed store: it says something useful and raises nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
from holding import Hold
from opening import button, open_page
from streamlit.testing.v1 import AppTest
from waiting import until

import gan_core.engine
from gan_core.config import BREAKS, CURES, PRESETS, Act, Preset, RunConfig, flatten, preset_config
from gan_core.engine import Lab, catalogue, describe
from gan_core.metrics import METRICS
from gan_core.training import resolve
from gan_core.ui import side_by_side
from gan_core.ui.runs_table import matches
from gan_core.ui.watching import buttons_for, panels_for

PAGES = (
    "home",
    "train",
    "watch",
    "compare",
    "latent",
    "draw",
    "uses",
    "runs",
    "data",
    "library",
    "theory",
    "collapse",
    "lessons",
)
ROUTER = Path(__file__).resolve().parent.parent / "pages" / "router.py"
SMALL = {
    "data.name": "gaussian",
    "data.options": {},
    "data.batch_size": 8,
    "model.generator.widths": [4],
    "model.discriminator.widths": [4],
    "device": "cpu",
}


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    return open_page


def small(rounds: int = 20) -> RunConfig:
    return RunConfig().replace({**SMALL, "schedule.rounds": rounds})


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Path], Path]) -> Iterator[Lab]:
    with Lab(prepared(tmp_path_factory.mktemp("empty") / "runs"), tick=0.05) as opened:
        yield opened


@pytest.mark.parametrize("page", PAGES)
def test_pages_over_an_empty_store(
    page: str, empty: Lab, visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gan_core.engine, "_current", empty)
    app = visit(page)
    assert empty.store.runs() == []
    said = " ".join(element.value for element in [*app.title, *app.markdown, *app.info, *app.caption, *app.subheader])
    assert len(said) > 40
    assert not app.error


def test_an_empty_store_says_how_to_begin(lab: Lab, visit: Callable[..., AppTest]) -> None:
    assert "No runs yet" in visit("runs").info[0].value
    assert "start one" in visit("watch").info[0].value


@pytest.mark.parametrize("page", PAGES)
def test_pages_over_a_live_store(page: str, lab: Lab, visit: Callable[..., AppTest], hold: Hold) -> None:
    hold.at(2)
    run = lab.submit(small(), name="the live one")
    until(lambda: lab.view(run).status["round"] == 2, "two rounds")
    app = visit(page, **({"run": run} if page == "watch" else {}))
    if page == "watch":
        assert app.title[0].value == "the live one"
        assert {"Pause", "Sample now", "Save", "Stop"} <= {button.label for button in app.button}
    lab.command(run, "stop")
    assert lab.wait(run, timeout=60).status == "stopped"


@dataclass
class Troubled:
    lab: Lab
    failed: str
    damaged: str


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Path], Path]) -> Iterator[Troubled]:
    """A store with a run that failed, and one whose settings cannot be read."""

    def broken(config: RunConfig, source: object) -> None:
        raise RuntimeError("the dog ate the weights")

    with Lab(prepared(tmp_path_factory.mktemp("troubled") / "runs"), tick=0.05) as lab:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gan_core.engine.running.runner.build", broken)
            failed = lab.submit(small(), name="a failed one")
            assert lab.wait(failed, timeout=60).status == "failed"
        damaged = lab.submit(small(rounds=3))
        lab.wait(damaged, timeout=60)
        with sqlite3.connect(lab.store.root / "ganscope.db") as database:
            database.execute("UPDATE runs SET config = '{broken' WHERE id = ?", (damaged,))
        yield Troubled(lab, failed, damaged)


@pytest.mark.parametrize("page", [*PAGES, "watch the damaged"])
def test_pages_over_a_failed_and_a_damaged_run(
    page: str, troubled: Troubled, visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gan_core.engine, "_current", troubled.lab)
    if page == "watch the damaged":
        assert [error.value for error in visit("watch", run=troubled.damaged).error] != []
        return
    app = visit(page, **({"run": troubled.failed} if page == "watch" else {}))
    if page == "watch":
        assert "the dog ate the weights" in app.error[0].value
        assert any("Traceback" in code.value for code in app.code)
    if page == "runs":
        assert "damaged" in app.dataframe[0].value["status"].tolist()


@pytest.mark.parametrize("run", ["../../etc/passwd", "%2e%2e", "x" * 10_000, "no-such-run", "\x00", "<script>"])
def test_a_link_to_no_run_is_a_sentence_and_a_way_back(run: str, lab: Lab, visit: Callable[..., AppTest]) -> None:
    app = visit("watch", run=run)
    assert app.error[0].value.startswith("There is no run")
    assert len(app.error[0].value) < 120


def test_start_on_a_card_starts_that_preset_once(lab: Lab) -> None:
    app = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    button(app, "start:gaussian-1d").click().run()
    runs = lab.store.runs()
    assert len(runs) == 1
    assert RunConfig.load(runs[0].config) == resolve(preset_config("gaussian-1d"))
    lab.command(runs[0].id, "stop")


def test_the_form_starts_what_it_shows(lab: Lab, visit: Callable[..., AppTest]) -> None:
    app = visit("train", preset="ring-mlp")
    app.number_input(key="form:ring-mlp:ns_gan:schedule.rounds").set_value(25).run()
    app.number_input(key="form:ring-mlp:ns_gan:seed").set_value(7).run()
    button(app, "start").click().run()
    (run,) = lab.store.runs()
    expected = preset_config("ring-mlp", {"schedule.rounds": 25, "seed": 7})
    assert RunConfig.load(run.config) == resolve(expected)
    lab.wait(run.id, timeout=60)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_untouched_form_is_its_preset(preset: str, lab: Lab, visit: Callable[..., AppTest]) -> None:
    app = visit("train", preset=preset, unfolded=["copy-as-code"])
    assert not app.error
    assert app.code[0].value == f"python -m gan_core train --preset {preset}"


def test_another_objective_brings_its_recipe_into_the_form(lab: Lab, visit: Callable[..., AppTest]) -> None:
    app = visit("train", preset="ring-mlp", objective="wgan")
    assert app.number_input(key="form:ring-mlp:wgan:objective.clip_value").value == 0.01
    assert app.number_input(key="form:ring-mlp:wgan:schedule.n_critic").value == 5
    assert app.selectbox(key="form:ring-mlp:wgan:optimizers.generator.name").value == "rmsprop"


def test_what_cannot_be_trained_is_said_beside_the_field(lab: Lab, visit: Callable[..., AppTest]) -> None:
    app = visit("train", preset="digits-dcgan")
    app.text_input(key="form:digits-dcgan:ns_gan:model.generator.widths").set_value("32, 16, 8").run()
    assert "does not come out even" in app.error[0].value
    assert button(app, "start").disabled
    app.text_input(key="form:digits-dcgan:ns_gan:model.generator.widths").set_value("many").run()
    assert "must be a whole number" in app.error[0].value


def test_data_that_is_not_here_is_said_and_cannot_be_started(lab: Lab, visit: Callable[..., AppTest]) -> None:
    app = visit("train", preset="digits-dcgan")
    app.selectbox(key="form:digits-dcgan:ns_gan:data.name").set_value("fashion_mnist").run()
    assert not app.exception
    assert "Fashion-MNIST is not on this machine" in app.error[0].value
    assert button(app, "start").disabled


def test_settings_of_another_run_fill_the_form(lab: Lab, visit: Callable[..., AppTest]) -> None:
    parent = lab.submit(small(rounds=5))
    lab.wait(parent, timeout=60)
    app = visit("train", **{"from": parent})
    assert app.number_input(key=f"form:run:{parent}:ns_gan:schedule.rounds").value == 5


def test_delete_undo_tags_and_notes(lab: Lab, visit: Callable[..., AppTest]) -> None:
    run = lab.submit(small(rounds=2))
    lab.wait(run, timeout=60)
    lab.store.update(run, tags=["keep"], note="seen *it*")
    record = lab.store.run(run)
    assert matches(record, "KEEP seen", (), ())
    assert matches(record, "ns_gan gaussian", ("finished",), ("gaussian",))
    assert not matches(record, "keep", ("running",), ())
    assert not matches(record, "absent", (), ())
    lab.delete(run)
    assert lab.store.runs() == []
    lab.store.restore(run)
    assert [entry.id for entry in lab.store.runs()] == [run]


def test_every_state_offers_what_makes_sense() -> None:
    states = ("queued", "running", "paused")
    offered = {state: {button.command for button in buttons_for(state, ("D", "G"))} for state in states}
    assert offered == {
        "queued": {"stop"},
        "running": {"pause", "sample", "birthday", "checkpoint", "stop", "fork"},
        "paused": {"resume", "step:D", "step:G", "step_round", "birthday", "stop", "fork"},
    }
    assert [button.command for button in buttons_for("finished")] == ["fork"]
    assert [button.command for button in buttons_for("interrupted")] == ["continue", "fork"]


def one_of_each_set_of_columns() -> list[str]:
    """Presets: what is drawn depends on the game and its columns alone."""
    kinds = {str(describe(resolve(preset_config(name)))["labels"]): name for name in PRESETS}
    return list(kinds.values())


@pytest.mark.parametrize("preset", one_of_each_set_of_columns())
def test_the_panels_of_a_run_draw_its_columns(preset: str, lab: Lab) -> None:
    config = resolve(preset_config(preset, {"schedule.rounds": 1, "diagnostics.samples": 50}))
    run = lab.submit(config)
    record = lab.wait(run, timeout=60)
    drawn = {
        trace["column"] for panel in panels_for(record) for trace in panel["traces"] if trace.get("track") == "turns"
    }
    recorded = set(lab.store.track(run, "turns").columns)
    assert drawn <= recorded
    assert {f"{player}.{column}" for player in config.seats for column in ("loss", "grad_norm")} <= drawn
    assert config.game != "gan" or {"D.real", "D.fake"} <= drawn
    assert set(describe(config)["labels"]) - set(METRICS) <= recorded


def test_the_library_lists_every_part_and_shows_the_card_of_one(lab: Lab, visit: Callable[..., AppTest]) -> None:
    choices = catalogue()
    app = visit("library", part="losses:hinge", unfolded=["code:hinge_d"])
    assert app.radio[0].options == [choice.about.title for choice in choices["losses"].values()]
    assert [heading.value for heading in app.subheader] == ["Hinge"]
    said = " ".join(text.value for text in app.markdown)
    assert "D's loss at **2**" in said
    assert any("gan_core/losses/adversarial.py:" in expander.label for expander in app.expander)
    assert "def hinge_d(" in " ".join(code.value for code in app.code)
    app.text_input(key="search").set_value("power iteration").run()
    assert [heading.value for heading in app.subheader] == ["Spectral normalisation"]
    assert "tricks:spectral_norm" in app.query_params["part"]
    app.text_input(key="search").set_value("no such words").run()
    assert app.info[0].value == "Nothing here matches."


@pytest.mark.parametrize("kind", list(catalogue()))
def test_every_kind_of_part_has_cards(kind: str, lab: Lab, visit: Callable[..., AppTest]) -> None:
    name, choice = next(iter(catalogue()[kind].items()))
    app = visit("library", part=f"{kind}:{name}")
    assert [heading.value for heading in app.subheader] == [choice.about.title]
    assert app.latex[0].value.strip("$ ") == choice.about.formula or choice.about.formula in app.latex[0].value
    assert [button.key for button in app.button if button.key and button.key.startswith("use:")] == (
        [] if kind == "metrics" else [f"use:{kind}:{name}"]
    )


@pytest.mark.parametrize(
    ("part", "preset", "said"),
    [
        ("objectives:wgan", "ring-mlp", "--set 'objective.name=\"wgan\"'"),
        ("tricks:packing", "ring-mlp", "--set 'model.discriminator.packing=4'"),
        ("datasets:mixture", "gaussian-1d", "--set 'data.name=\"mixture\"'"),
        ("architectures:dcgan", "digits-dcgan", ""),
    ],
)
def test_a_run_can_be_started_with_a_part_of_the_library(
    part: str, preset: str, said: str, lab: Lab, visit: Callable[..., AppTest]
) -> None:
    app = visit("train", part=part, unfolded=["copy-as-code"])
    assert not app.error
    assert not button(app, "start").disabled
    assert app.code[0].value.startswith(f"python -m gan_core train --preset {preset}")
    assert said in app.code[0].value
    assert any(f"library?part={part}" in caption.value for caption in app.caption)


def test_a_link_to_a_part_that_there_is_not_is_a_sentence(lab: Lab, visit: Callable[..., AppTest]) -> None:
    assert "no such part" in visit("train", part="tricks:magic").warning[0].value
    app = visit("library", part="nothing:of this")
    assert app.subheader[0].value == next(iter(catalogue()["objectives"].values())).about.title


def test_a_checkpoint_is_pinned_on_the_watch_page(lab: Lab, visit: Callable[..., AppTest]) -> None:
    run = lab.submit(small())
    lab.wait(run, timeout=60)
    app = visit("watch", run=run)
    app.button(key=f"Pin:{run}:20").click().run()
    assert [(saved.round, saved.pinned) for saved in lab.store.checkpoints(run)] == [(20, True)]
    app.button(key=f"Unpin:{run}:20").click().run()
    assert not lab.store.checkpoints(run)[0].pinned
    assert not app.exception


def test_fork_from_watch(lab: Lab, visit: Callable[..., AppTest]) -> None:
    parent = lab.submit(small(rounds=5), name="the parent")
    lab.wait(parent, timeout=60)
    app = visit("watch", run=parent)
    app.button(key=f"fork:{parent}").click().run()
    assert [error.message for error in app.exception] == []
    assert [option.partition(" (")[0] for option in app.selectbox(key=f"fork:at:{parent}").options] == ["round 5"]
    app.selectbox(key=f"fork:objective:{parent}").select("wgan_gp").run()
    assert any("objective = wgan_gp" in caption.value for caption in app.caption)
    button(app, f"fork:go:{parent}").click().run()
    (child, _) = lab.store.runs()
    assert (child.parent, child.forked_at, child.config["objective"]["name"]) == (parent, 5, "wgan_gp")
    assert lab.wait(child.id, timeout=60).status == "finished"
    app = visit("watch", run=child.id)
    assert any("Forked from [the parent]" in caption.value for caption in app.caption)
    assert any(r"**the parent → wgan\_gp**" in text.value for text in app.markdown)
    table = visit("runs").dataframe[0].value
    names = [unquote(address.partition("#")[2]) for address in table["name"]]
    forked_from = dict(zip(names, table["forked from"], strict=True))
    assert forked_from == {"the parent": "", "the parent → wgan_gp": "the parent, round 5"}


def test_the_acts_of_a_lesson_are_one_button_each(
    lab: Lab, visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = (Act(5, "generator_ahead"), Act(8, "r1"))
    lesson = Preset("A lesson", "", {**small().to_dict(), "seed": 1}, kind="lesson", acts=acts)
    monkeypatch.setitem(PRESETS, "tiny-lesson", lesson)

    def pressed(run: str, **query: str) -> str:
        app = visit("watch", run=run, **query)
        app.button(key=f"act:{query.get('beside', run)}").click().run()
        assert [error.message for error in app.exception] == []
        assert not app.error
        return next(record.id for record in lab.store.runs() if record.parent == query.get("beside", run))

    first = lab.submit(small(rounds=2))
    lab.wait(first, timeout=60)
    early = visit("watch", run=first).button(key=f"act:{first}")
    assert (early.label, early.disabled) == ("Break it: five G steps against one of D · from round 5", True)
    healthy = lab.submit(small(rounds=5))
    lab.wait(healthy, timeout=60)
    assert visit("watch", run=healthy).button(key=f"act:{healthy}").label == "Break it: five G steps against one of D"
    broken = pressed(healthy)
    lab.wait(broken, timeout=60)
    assert lab.store.run(broken).forked_at == 5
    assert visit("watch", run=broken).button(key=f"act:{broken}").label == "Cure it: R1, γ = 0.1"
    cured = pressed(healthy, beside=broken)
    names = [lab.store.run(run).name for run in (healthy, broken, cured)]
    assert names[1:] == [f"{names[0]} → Five G steps against one of D", f"{names[0]} → R1, γ = 0.1"]
    expected = {**BREAKS["generator_ahead"].fields, **CURES["r1"].fields}
    assert expected.items() <= flatten(lab.store.run(cured).config).items()
    lab.wait(cured, timeout=60)
    assert not [button for button in visit("watch", run=cured).button if button.key.startswith("act:")]


def test_the_next_act_stops_the_run_before_the_last(
    lab: Lab, visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, hold: Hold
) -> None:
    acts = (Act(1, "generator_ahead"), Act(2, "r1"))
    monkeypatch.setitem(PRESETS, "tiny-lesson", Preset("A lesson", "", small().to_dict(), kind="lesson", acts=acts))
    hold.at(1)
    healthy = lab.submit(small())
    until(lambda: lab.view(healthy).status["round"] == 1, "the healthy run's round")
    broken = lab.fork(healthy, BREAKS["generator_ahead"].changes)
    hold.at(2)
    until(lambda: lab.view(broken).status["round"] == 2, "the broken run's round")
    app = visit("watch", run=healthy, beside=broken)
    app.button(key=f"act:{broken}").click().run()
    assert not app.error
    assert lab.wait(healthy, timeout=60).status == "stopped"
    (cured,) = [record.id for record in lab.store.runs() if record.parent == broken]
    hold.at(3)
    until(lambda: lab.view(cured).status["round"] == 3, "the cured run's round")
    assert lab.company(cured) == {broken, cured}
    for run in (broken, cured):
        lab.command(run, "stop")
        lab.wait(run, timeout=60)


def test_a_button_pressed_in_the_moment_in_which_both_runs_end_is_obeyed(
    lab: Lab, visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, hold: Hold
) -> None:
    hold.at(2)
    pair = [lab.submit(small()) for _ in range(2)]
    for run in pair:
        until(lambda run=run: lab.view(run).status["round"] == 2, "two rounds")
        lab.command(run, "stop")
        lab.wait(run, timeout=60)
    app = visit("watch", run=pair[0], beside=pair[1])
    seen = iter(["running"])  # when the page is drawn; a moment later, by its buttons, both have ended
    really = side_by_side._state
    monkeypatch.setattr(side_by_side, "_state", lambda run: next(seen, None) or really(run))
    app.button(key=f"continue:{'+'.join(pair)}").click().run()
    assert [error.message for error in app.exception] == []
    assert all(map(lab.is_active, pair))
    for run in pair:
        lab.command(run, "stop")
        lab.wait(run, timeout=60)


def test_a_knob_turned_on_the_watch_page(lab: Lab, visit: Callable[..., AppTest], hold: Hold) -> None:
    hold.at(2)
    run = lab.submit(small())
    until(lambda: lab.view(run).status["round"] == 2, "two rounds")
    app = visit("watch", run=run)
    app.toggle(key=f"knobs:open:{run}").set_value(True).run()
    (steps,) = [field for field in app.number_input if field.label == "D steps per round"]
    steps.set_value(3)
    button(app, f"turn:{run}").click().run()
    assert [error.message for error in app.exception] == []
    until(lambda: any(event.kind == "knob" for event in lab.store.events(run)), "the knob was turned")
    assert lab.knobs(run)["schedule.n_critic"] == 3
    (event,) = [event for event in lab.store.events(run) if event.kind == "knob"]
    assert event.data == {"changes": {"schedule.n_critic": 3}, "label": "n_critic → 3"}
    rate = lab.knobs(run)["optimizers.generator.lr"]
    app = visit("watch", run=run)
    app.toggle(key=f"knobs:open:{run}").set_value(True).run()
    button(app, f"turn:{run}:optimizers.generator.lr:0.5").click().run()
    until(lambda: lab.knobs(run)["optimizers.generator.lr"] == rate / 2, "the rate was halved")
    assert lab.knobs(run)["schedule.n_critic"] == 3
    lab.command(run, "stop")
    lab.wait(run, timeout=60)


@pytest.mark.parametrize(
    "name",
    ["![x](http://evil.example/x.png)", "[a](javascript:alert(1))", ":red[x] $x^2$ **b** <b>_c_</b> `d` ~~e~~ #f"],
)
def test_a_name_is_shown_as_it_was_typed(name: str, lab: Lab, visit: Callable[..., AppTest]) -> None:
    run = lab.submit(small(), name=name)
    lab.wait(run, timeout=60)
    child = lab.fork(run, {"schedule.rounds": 22})
    lab.wait(child, timeout=60)
    titles = [element.value for element in visit("watch", run=run).title]
    (tree,) = [element.value for element in visit("watch", run=child).markdown if "watch?run=" in element.value]
    for shown in (*titles, tree.partition(" at round")[0].removeprefix("- [").partition("](watch")[0]):
        parts = [part for part in re.split(r"\\.", shown) if part]
        assert not any(re.search(r"[][*_<>$:~`#|]", part) for part in parts), shown
        assert re.sub(r"\\(.)", r"\1", shown) == name
