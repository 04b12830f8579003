"""The draw page: which runs it offers, what stands in the address, and a translator that is trained from there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opening import button, open_page

import gan_core.engine
from gan_core.config import RunConfig, preset_config
from gan_core.engine import Lab, traits
from gan_core.ui import draw_page

TINY = {
    "data.name": "digits8",
    "data.batch_size": 8,
    "diagnostics.samples": 32,
    "model.generator.widths": [4],
    "model.discriminator.widths": [4, 4],
    "schedule.rounds": 2,
    "device": "cpu",
}
PAIRS = RunConfig.load({"game": "pix2pix"}).replace(TINY)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, dict[str, str]]]:
    configs = {
        "older": PAIRS,
        "newer": PAIRS,
        "gan": RunConfig().replace(TINY),
        "points": RunConfig().replace(TINY | {"data.name": "ring"}),
    }
    with Lab(tmp_path_factory.mktemp("draw") / "runs", executor="thread", tick=0.05) as lab:
        runs = {name: lab.submit(config, name=name) for name, config in configs.items()}
        assert all(lab.wait(run, 60).status == "finished" for run in runs.values())
        yield lab, runs


def test_what_can_be_drawn_for_is_offered_and_the_address_chooses(
    filled: tuple[Lab, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, runs = filled
    monkeypatch.setattr(gan_core.engine, "_current", lab)
    app = open_page("draw")
    first, second, judge = app.selectbox
    assert (first.value, second.value, judge.value) == (runs["newer"], "", runs["gan"])
    assert len(judge.options) == 1, "points are not drawn"
    assert len(second.options) == 2, "nothing, and the other translator"
    app = open_page("draw", run=runs["older"], beside=runs["newer"])
    assert [one.value for one in app.selectbox][:2] == [runs["older"], runs["newer"]]
    app.selectbox[1].set_value("").run()
    assert "beside" not in app.query_params
    app = open_page("draw", run=runs["points"])
    assert app.selectbox[0].value == runs["newer"]
    assert "does not go from picture to picture" in app.info[0].value
    assert len(open_page("draw", run="none-such").error) == 1


@pytest.mark.parametrize(("name", "query"), [("newer", "run"), ("gan", "judge"), ("points", "")])
def test_a_run_that_can_be_drawn_for_has_a_link_on_its_page(
    name: str, query: str, filled: tuple[Lab, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, runs = filled
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(draw_page.st, "page_link", lambda page, *, query_params, **_: asked.append(query_params))
    draw_page.link(lab.store.run(runs[name]))
    assert [one.get(query) for one in asked] == ([runs[name]] if query else [])


def test_a_translator_is_trained_from_the_page_and_drawn_for_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = draw_page.trainable()
    assert {"digits-sketch", "digits-sr"} <= set(offered)
    assert all("translate" in traits(preset_config(name)).abilities for name in offered)
    monkeypatch.setattr(draw_page, "preset_config", lambda name: PAIRS)
    app = open_page("draw")
    assert len(app.selectbox) == 0
    button(app, "draw:digits-sketch").click().run()
    assert [error.message for error in app.exception] == []
    (run,) = lab.store.runs()
    assert app.selectbox[0].value == run.id
    assert lab.wait(run.id, timeout=60).status == "finished"
