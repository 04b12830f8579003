"""The home page offers every game with a code by one choice, and the comparison with a GAN beside it."""

from __future__ import annotations

from opening import open_page

from gan_core.config import PRESETS
from gan_core.engine import Lab


def test_a_game_with_a_code_is_chosen_and_started(lab: Lab) -> None:
    app = open_page("home")
    choice = app.selectbox(key="home:code")
    titles = {name: preset.title for name, preset in PRESETS.items() if preset.kind == "code"}
    assert choice.options == list(titles.values())
    assert choice.value == "digits-vae-2d"
    choice.set_value("digits-autoencoder").run()
    assert any(text.value == PRESETS["digits-autoencoder"].story for text in app.markdown)
    start = next(one for one in app.button if str(one.key).startswith("start:digits-autoencoder"))
    start.click().run()
    (run,) = lab.store.runs()
    lab.command(run.id, "stop")
    assert run.config["game"] == "autoencoder"


def test_the_comparison_of_games_opens_as_it_stands_on_the_card(lab: Lab) -> None:
    app = open_page("home")
    app.button(key="home:games").click().run()
    assert app.title[0].value == "Compare"
    assert app.selectbox(key="compare:what").value == "games"
    start = next(one for one in app.button if one.label.startswith("Start"))
    assert start.label == "Start 9 runs"
