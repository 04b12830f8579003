"""An encoder for the generator of a GAN: offered on its page once it waits or has ended, and begun by one press."""

from __future__ import annotations

from typing import Any

import pytest
from opening import button, open_page

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.ui.encoder_for import can_have_one


def keys(run: str) -> list[str]:
    return [one.key for one in open_page("watch", run=run).button if (one.key or "").startswith(f"encoder:{run}")]


def test_a_press_forks_a_finished_gan_into_a_regressor(lab: Lab, tiny: Any) -> None:
    parent = lab.submit(tiny("mlp", {"schedule.rounds": 3}), name="a GAN")
    lab.wait(parent, timeout=60)
    app = open_page("watch", run=parent)
    button(app, f"encoder:{parent}").click().run()
    assert [error.message for error in app.exception] == []
    (child,) = (run for run in lab.store.runs() if run.parent == parent)
    assert (child.config["game"], child.forked_at) == ("regressor", 3)
    ended = lab.wait(child.id, timeout=60)
    assert (ended.status, ended.rounds) == ("finished", 6), "as many rounds again as G had"
    assert keys(child.id) == []


@pytest.mark.parametrize(
    ("settings", "can"),
    [
        ({"data": {"name": "ring"}}, True),
        ({"data": {"name": "digits8"}, "model": {"condition": "concatenation"}}, False),
        ({"game": "vae", "data": {"name": "ring"}}, False),
        ({"game": "infogan", "data": {"name": "ring"}}, False),
        ({"game": "autoencoder", "data": {"name": "ring"}}, False),
    ],
    ids=str,
)
def test_only_a_generator_of_noise_without_an_encoder_can_have_one(settings: dict[str, Any], can: bool) -> None:
    assert can_have_one(RunConfig.load(settings)) == can
