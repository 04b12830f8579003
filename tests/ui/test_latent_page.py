"""The latent page: which runs it offers, which rounds, and what stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

import gan_core.engine
from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.ui.latent_page import has_space

TINY = {
    "schedule.rounds": 4,
    "data.batch_size": 8,
    "diagnostics.samples": 32,
    "model.generator.widths": [4],
    "model.discriminator.widths": [4],
    "device": "cpu",
}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, list[str]]]:
    with Lab(tmp_path_factory.mktemp("latent") / "runs", executor="thread", tick=0.05) as lab:
        runs = [lab.submit(RunConfig().replace(TINY | {"data.name": "ring"}), name=name) for name in ("older", "newer")]
        assert all(lab.wait(run, 60).status == "finished" for run in runs)
        yield lab, runs


@pytest.fixture
def visit(two: tuple[Lab, list[str]], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.setattr(gan_core.engine, "_current", two[0])
    return open_page


def test_the_newest_run_is_walked_through_unless_the_address_names_another(
    visit: Callable[..., AppTest], two: tuple[Lab, list[str]]
) -> None:
    older, newer = two[1]
    app = visit("latent")
    assert (app.selectbox[0].value, app.selectbox[1].value) == (newer, None)
    assert app.query_params["run"] in (newer, [newer])
    app = visit("latent", run=older, round="4")
    assert (app.selectbox[0].value, app.selectbox[1].value) == (older, 4)
    app.selectbox[0].set_value(newer).run()
    assert app.query_params["run"] in (newer, [newer])
    assert "round" not in app.query_params, "another run has other rounds"


@pytest.mark.parametrize("asked", [{"run": "none-such"}, {"round": "77"}, {"round": "x"}, {"run": "<b>"}])
def test_an_address_of_nothing_shows_what_is_there(
    asked: dict[str, str], visit: Callable[..., AppTest], two: tuple[Lab, list[str]]
) -> None:
    app = visit("latent", **asked)
    assert app.selectbox[0].value == two[1][1]
    assert app.selectbox[1].value is None
    assert len(app.error) == ("run" in asked)


def test_a_run_of_which_nothing_is_saved_says_so(
    visit: Callable[..., AppTest], two: tuple[Lab, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two[0].store, "checkpoints", lambda run: [])
    app = visit("latent")
    assert "Nothing of this run has been saved" in app.info[0].value
    assert len(app.selectbox) == 1


@pytest.mark.parametrize(("game", "has"), [("gan", True), ("vae", True), ("autoencoder", True), ("unknown", False)])
def test_a_game_whose_samples_are_made_of_a_code_has_a_space(game: str, has: bool, two: tuple[Lab, list[str]]) -> None:
    run = two[0].store.run(two[1][0])
    config = {"game": game} if game != "gan" else run.config
    assert has_space(replace(run, config=config)) == has
