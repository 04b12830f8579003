"""The Library's cards: every entry has one, starts a run that can be built, and shows the code that runs."""

from __future__ import annotations

import math

import pytest
import torch

from gan_core.config import OBJECTIVES, PRESETS, preset_config
from gan_core.engine import beginning_with, card, catalogue, changes_for
from gan_core.engine.library.source_code import ROOT, definition, entry, source_code
from gan_core.losses import LOSSES
from gan_core.losses.adversarial import minimax_d
from gan_core.metrics import METRICS
from gan_core.training import resolve

ENTRIES = [
    (kind, name) for kind, entries in catalogue().items() for name, entry in entries.items() if not entry.missing
]
EVERY_ENTRY = pytest.mark.parametrize(("kind", "name"), ENTRIES, ids=lambda value: value)


@EVERY_ENTRY
def test_the_code_of_every_entry_stands_where_its_card_says(kind: str, name: str) -> None:
    codes = source_code(kind, name)
    assert codes
    for code in codes:
        lines = (ROOT / code.path).read_text().splitlines()
        assert [line.strip() for line in code.text.splitlines()] == [
            line.strip() for line in lines[code.line - 1 : code.line - 1 + len(code.text.splitlines())]
        ]
        assert code.place == f"{code.path}:{code.line}"


@EVERY_ENTRY
def test_every_entry_starts_a_run_that_has_it(kind: str, name: str) -> None:
    if kind == "metrics":
        assert changes_for(kind, name) == {}
        return
    preset = beginning_with(kind, name)
    assert preset in PRESETS
    config = resolve(preset_config(preset, changes_for(kind, name)))
    if kind == "games":
        assert config.game == name
        return
    has = {
        "objectives": config.objective.name == name,
        "losses": config.objective.loss == name,
        "regularizers": name in config.objective.penalties or config.objective.clip_value is not None,
        "tricks": config != resolve(preset_config(preset)),
        "architectures": config.model.generator.architecture == config.model.discriminator.architecture == name,
        "datasets": config.data.name == name,
    }
    assert has[kind]


def test_a_data_set_begins_with_a_preset_of_its_kind() -> None:
    for name, kind in (("digits8", "images"), ("spirals", "points"), ("mixture", "density")):
        preset = beginning_with("datasets", name)
        assert catalogue()["datasets"][preset_config(preset).data.name].kind == kind


def test_what_nothing_takes_has_no_beginning() -> None:
    assert beginning_with("datasets", "own:deleted-0123456789abcdef") is None


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_shows_the_loss_that_it_plays_with(name: str) -> None:
    shown = card("objectives", name)
    picture = shown.picture
    assert picture is not None
    assert picture.name == OBJECTIVES[name].settings["objective"]["loss"]
    assert picture.compares == LOSSES[picture.name].g_sees_real
    assert {"optimizers.generator.lr", "schedule.n_critic", "objective.loss"} <= set(shown.settings)
    assert f"OBJECTIVES[{name!r}]" in [code.name for code in shown.code]


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.equilibrium])
def test_the_equilibrium_on_a_card_is_that_of_the_loss(name: str) -> None:
    """D that cannot tell gives the same logit to all: the one on its boundary, or any where only differences count."""
    loss = LOSSES[name]
    logits = torch.full((5,), loss.boundary if loss.boundary is not None else 0.7)
    values = {"D": loss.d_loss(logits, logits).item(), "G": loss.g_loss(logits, logits).item()}
    for player, value, label in card("losses", name).picture.equilibrium:
        assert value == pytest.approx(values[player], abs=1e-6)
        assert f"{abs(value):.3f}" in label or f"{value:g}" in label
    assert ("D", 2 * math.log(2), "2 log 2 = 1.386") in card("losses", "non_saturating").picture.equilibrium
    assert ("G", -math.log(2), "−log 2 = −0.693") in card("losses", "minimax").picture.equilibrium


def test_metrics_and_tricks_show_what_does_them() -> None:
    for name in METRICS:
        assert len(source_code("metrics", name)) == 2, name
    assert [code.name for code in source_code("tricks", "packing")][1:] == ["pack"]
    assert definition(minimax_d).text.startswith("def minimax_d(")


def test_an_entry_that_is_in_no_file_is_none() -> None:
    assert entry("gan_core.config.gan.objectives", "OBJECTIVES", "no_such") is None
    assert entry("gan_core.config.gan.objectives", "NOTHING", "wgan") is None


@pytest.mark.parametrize(("kind", "name"), [("objectives", "no_such"), ("no_kind", "wgan")])
def test_no_card_for_what_there_is_not(kind: str, name: str) -> None:
    with pytest.raises(KeyError):
        card(kind, name)
