"""The form is the configuration: every setting has a widget or a reason to be hidden, with its help and its bounds."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from gan_core.config import OBJECTIVES, TRICKS, RunConfig, flatten

ELSEWHERE = {"objective.name", "game", "data.name"}  # chosen at the top of the page


def page(changes: dict) -> None:
    """Every group of a config, as the Train page lays them out, and what the form then says."""
    import streamlit as st

    from gan_core.config import RunConfig
    from gan_core.engine import catalogue, forecast
    from gan_core.ui.forms import ConfigForm

    choices = catalogue()
    form = ConfigForm(RunConfig().replace(changes), choices, "test")
    for group in ("data", "model", "model.generator", "model.discriminator"):
        form.group(group)
    form.group("objective", skip=("name",))
    form.options("objective.options", choices["losses"][form.settings["objective"]["loss"]])
    form.penalties()
    for group in ("tricks", "optimizers.generator", "optimizers.discriminator", "schedule", "diagnostics"):
        form.group(group)
    form.group("", skip=("game",))
    config = RunConfig.load(form.settings)
    form.show_advice(forecast(config, 0.01).advice)
    st.session_state["config"] = config.to_json()


def shown(changes: dict) -> AppTest:
    app = AppTest.from_function(page, kwargs={"changes": {"data.name": "gaussian", "device": "cpu", **changes}})
    app.run(timeout=60)
    assert [error.message for error in app.exception] == []
    return app


def widgets(app: AppTest) -> dict:
    kinds = (app.number_input, app.selectbox, app.text_input, app.checkbox, app.multiselect)
    return {w.key.removeprefix("form:test:"): w for kind in kinds for w in kind if w.key and w.key.startswith("form:")}


WITH_THE_REST = (
    {"objective": "began"},
    flatten(TRICKS["minibatch_discrimination"].settings),
    {"data.name": "digits8", "tricks.ema_decay": 0.9, **flatten(TRICKS["adaptive_augmentation"].settings)},
    {"model.generator.spectral_norm": True, "model.discriminator.spectral_norm": True, "tricks.instance_noise": 0.1},
    {**flatten(TRICKS["lr_schedule"].settings), "model.discriminator.packing": 2},
    {"data.name": "digits8", "model.condition": "projection"},
    {"data.name": "digits8", "model.condition": "ac_gan"},
)


def test_every_setting_has_a_widget_or_is_hidden_for_a_reason() -> None:
    plain, everything = widgets(shown({})), {}
    for changes in WITH_THE_REST:
        everything |= widgets(shown(changes))
    for field in flatten(RunConfig().to_dict()):
        if field in ELSEWHERE or field.endswith((".options", ".momentum", ".upsampling", ".attention", ".penalties")):
            continue
        assert field in plain or field in everything, field
        assert (plain | everything)[field].help, f"{field} is explained"
    for hidden in (
        "tricks.instance_noise_rounds",
        "model.discriminator.summary",
        "model.discriminator.code_dim",
        "optimizers.generator.lr_final",
    ):
        assert hidden not in plain
        assert hidden in everything


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_untouched_form_is_its_config(objective: str) -> None:
    app = shown({"objective": objective})
    base = RunConfig().replace({"data.name": "gaussian", "device": "cpu", "objective": objective})
    assert RunConfig.from_json(app.session_state["config"]) == base


def test_what_is_set_in_the_form_is_in_the_config() -> None:
    app = shown({})
    fields = widgets(app)
    fields["model.discriminator.spectral_norm"].check()
    fields["model.discriminator.packing"].set_value(4)
    fields["tricks.label_smoothing"].set_value(0.1)
    fields["tricks.feature_matching"].set_value("added")
    fields["optimizers.discriminator.clip_gradient"].set_value(2.0)
    app.run()
    config = RunConfig.from_json(app.session_state["config"])
    assert config.model.discriminator.spectral_norm is True
    assert config.model.discriminator.packing == 4
    assert config.tricks.label_smoothing == 0.1
    assert config.tricks.feature_matching == "added"
    assert config.optimizers.discriminator.clip_gradient == 2.0
    assert "model.discriminator.spectral_gain" in widgets(app)


def test_options_of_the_loss_are_offered_and_kept() -> None:
    app = shown({"objective": "ebgan"})
    (margin,) = [w for key, w in widgets(app).items() if key.startswith("objective.options.margin")]
    margin.set_value(0.3)
    app.run()
    assert RunConfig.from_json(app.session_state["config"]).objective.options == {"margin": 0.3}


def test_advice_stands_beside_its_field() -> None:
    assert [info.value for info in shown({}).info] == []
    (advice,) = shown({"objective": "hinge"}).info
    assert "gain" in advice.value
