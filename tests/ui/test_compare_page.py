"""The Compare page: starts what it shows, shows what was measured, and says what cannot be."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from holding import Hold
from opening import button, open_page
from streamlit.testing.v1 import AppTest
from waiting import until

from gan_core.config import TEMPLATES, Comparison, RunConfig
from gan_core.engine import Lab
from gan_core.ui import compare_results, seeds_chart
from gan_core.ui.seeds_chart import View

ROUTER = Path(__file__).resolve().parents[2] / "pages" / "router.py"
BASE = {
    "data": {"name": "gaussian", "batch_size": 8},
    "model": {"generator": {"widths": [4]}, "discriminator": {"widths": [4]}},
    "diagnostics": {"samples": 16},
    "device": "cpu",
}
TWO = [{"name": "NS", "changes": {}}, {"name": "LS", "changes": {"objective": "ls_gan"}}]


visit = partial(open_page, "compare")


def test_an_ended_comparison_shows_standings_and_can_be_taken_back(lab: Lab) -> None:
    made = lab.compare(Comparison.load({"base": BASE, "variants": TWO, "seeds": [0, 1], "rounds": 6}), name="the duel")
    for member in lab.store.comparison(made).members:
        assert lab.wait(member.run, 60).status == "finished"
    app = visit(comparison=made)
    assert app.title[0].value == "the duel"
    assert any("all columns show the same samples" in caption.value for caption in app.caption)
    assert any(
        "not distinguishable with 2 seeds" in text.value or "over 2 seeds" in text.value for text in app.markdown
    )
    results = app.dataframe[-1].value
    assert results.columns.tolist() == ["measure", "NS", "LS", "real data", ""]
    assert "Spread, generated over real" in results["measure"].tolist()
    assert any("Something else differs" in warning.value for warning in app.warning) is False  # both use Adam 2e-4
    next(button for button in app.button if button.label == "Delete").click().run()
    assert lab.store.runs() == []
    next(button for button in app.button if button.label == "Undo").click().run()
    assert len(lab.store.runs()) == 4


def test_games_stand_side_by_side_and_what_is_not_alike_has_no_rank(lab: Lab) -> None:
    comparison = TEMPLATES["games"].comparison(RunConfig.load(BASE), [0])
    made = lab.compare(comparison.model_copy(update={"rounds": 6}))
    for member in lab.store.comparison(made).members:
        assert lab.wait(member.run, 120).status == "finished"
    app = visit(comparison=made)
    assert not app.exception
    (ranks,) = [frame.value for frame in app.dataframe if "rank" in frame.value.columns]
    assert ranks.set_index("variant").loc["Autoencoder", "rank"] == "–"
    assert "of reconstructions" in ranks.set_index("variant").loc["Autoencoder", "mean"]
    assert set(ranks.set_index("variant").loc[["GAN", "VAE"], "rank"]) <= {"1", "2"}
    assert any(expander.label.startswith("Settings that only some of these games have") for expander in app.expander)
    assert not [text.value for text in app.subheader if text.value.startswith("Knobs")]


def test_the_form_starts_what_it_shows(lab: Lab) -> None:
    app = AppTest.from_file(str(ROUTER), default_timeout=60)
    app.session_state["compare:base"] = RunConfig.load(BASE).to_json()
    app.run()
    app.switch_page("compare.py").run()
    assert any("Something else differs" in warning.value for warning in app.warning)  # of WGAN GP
    app.text_input[0].set_value("0").run()
    app.number_input[0].set_value(5).run()
    button(app, "compare:start").click().run()
    (record,) = lab.store.comparisons()
    assert [(member.variant, member.seed) for member in record.members] == [
        ("NS GAN", 0),
        ("WGAN GP", 0),
        ("LS GAN", 0),
    ]
    for member in record.members:
        run = lab.wait(member.run, 60)
        assert (run.status, run.rounds) == ("finished", 5)
        assert run.config["data"]["name"] == "gaussian"


def test_a_template_says_what_it_shows_of_the_base_that_it_was_counted_on(lab: Lab) -> None:
    app = visit()
    app.selectbox(key="compare:what").set_value("table-1").run()
    shows = f"What it shows: {TEMPLATES['table-1'].shows}"
    assert shows in [caption.value for caption in app.caption]
    assert app.number_input[0].value == TEMPLATES["table-1"].rounds
    app.selectbox(key="compare:base:table-1").set_value("grid-collapse").run()
    assert shows not in [caption.value for caption in app.caption]


def test_the_address_chooses_how_curves_are_drawn(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[View] = []
    titles: dict[str, str] = {}

    def show(contents: dict[str, Any], view: View, default: View, measured: dict[str, str], **more: Any) -> View:
        seen.append(view)
        titles.update(measured)
        assert view.metric in contents["measures"]
        return shown(contents, view, default, measured, **more)

    shown = seeds_chart.show
    monkeypatch.setattr(seeds_chart, "show", show)
    made = lab.compare(Comparison.load({"base": BASE, "variants": TWO, "seeds": [0, 1], "images": 48}))
    for run in lab.members(made):
        assert lab.wait(run, 60).rounds == 6
    visit(comparison=made)
    (first,), other = seen, list(titles)[-1]
    assert first == View(next(iter(titles)), "images"), "what the budget is in"
    monkeypatch.setattr(compare_results, "MOST_POINTS", 0)
    again = visit(comparison=made, metric=other, axis="steps", smooth="0.5", cut="true", losses="true")
    assert seen[-1] == View(other, "steps", smooth=0.5, cut=True)
    assert any(titles[other] in line.value for line in again.markdown)
    assert again.toggle(key="losses").value is True
    assert any("none shares an axis" in caption.value for caption in again.caption)


def test_commands_and_knobs_of_one_variant(lab: Lab, hold: Hold) -> None:
    hold.at(3)
    made = lab.compare(Comparison.load({"base": BASE, "variants": TWO, "seeds": [0], "rounds": 9}))
    ns, ls = lab.members(made)
    until(lambda: all(lab.view(run).status["round"] == 3 for run in (ns, ls)), "three rounds of each")
    app = visit(comparison=made)
    app.selectbox(key="knobs:variant").set_value("LS").run()
    (batch,) = [field for field in app.number_input if field.label == "batch size"]
    assert (batch.value, batch.placeholder) == (None, "now 8")
    batch.set_value(5)
    button(app, f"turn:{made}").click().run()
    until(lambda: lab.knobs(ls)["data.batch_size"] == 5, "the knob of one was turned")
    assert lab.knobs(ns)["data.batch_size"] == 8
    app.selectbox(key="steer:variant").set_value("LS").run()
    app.button(key=f"pause:{made}").click().run()
    until(lambda: lab.view(ls).status["state"] == "paused", "one was paused")
    assert lab.view(ns).status["state"] == "running"
    app.selectbox(key="steer:variant").set_value("all variants").run()
    app.button(key=f"stop:{made}").click().run()
    assert not app.exception
    assert {lab.wait(run, 60).status for run in (ns, ls)} == {"stopped"}


@pytest.mark.parametrize("wanted", ["../../etc", "nobody", "<script>"])
def test_a_link_to_no_comparison_is_a_sentence(wanted: str, lab: Lab) -> None:
    assert visit(comparison=wanted).error[0].value.startswith("There is no comparison")
