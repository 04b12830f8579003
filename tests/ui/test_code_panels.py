"""The panels of a run whose game has a code: what is shown is called by its name, and numbers say what they are read beside."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gan_core.config import preset_config
from gan_core.ui.watching import panels_for


def panels_of(preset: str) -> dict[str, dict[str, Any]]:
    config = preset_config(preset).to_dict()
    run = SimpleNamespace(config=config)
    return {panel["slot"]: panel for panel in panels_for(run)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("preset", "made"), [("digits-autoencoder", "reconstructions"), ("digits-vae", "generated samples")]
)
def test_what_is_shown_is_called_by_its_name(preset: str, made: str) -> None:
    panels = panels_of(preset)
    assert panels["histogram"]["title"] == f"Classes of the {made}"
    assert panels["samples"]["of"] == made
    legend = panels["histogram"]["figure"]["data"][0]["name"]
    assert legend == ("reconstructions" if made == "reconstructions" else "generated")


def test_the_numbers_of_a_code_are_of_games_with_one() -> None:
    numbers = {entry["column"]: entry for entry in panels_of("digits-vae")["code-numbers"]["numbers"]}
    assert numbers["code_mmd2"]["floor_of"] == "two draws of the prior"
    assert numbers["code_variance_most"]["way"] == "best near the prior"
    assert numbers["grey_share"]["way"] == "best near real data"
    assert "code-numbers" not in panels_of("digits-mlp")
