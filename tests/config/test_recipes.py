"""Recipes and change-sets: whole, consistent, and buildable together."""

from __future__ import annotations

import pytest

from gan_core.config import (
    BREAKS,
    CURES,
    OBJECTIVES,
    PRESETS,
    RECIPES,
    TRICKS,
    ConfigError,
    cure_between,
    diff,
    preset_config,
)
from gan_core.training import resolve

PAIRS = [(name, cure) for name, preset in RECIPES.items() for cure in preset.cures]
CHANGES = CURES | BREAKS


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_will_be_seen_and_what_to_ask(name: str) -> None:
    preset = RECIPES[name]
    assert PRESETS[name] is preset
    assert preset.kind != "start"
    assert preset.seen.endswith(".")
    assert preset.question.endswith("?")
    assert 0 < preset.within <= preset_config(name).schedule.rounds
    assert preset.seconds > 0
    assert bool(preset.cures) == bool(preset.cured_within)
    rounds = [act.round for act in preset.acts]
    assert rounds == sorted(set(rounds))
    assert all(0 < round < preset.within for round in rounds)
    assert {act.change for act in preset.acts} <= set(CHANGES)


@pytest.mark.parametrize("name", RECIPES)
def test_what_breaks_has_a_cure(name: str) -> None:
    preset = RECIPES[name]
    if preset.kind in ("collapse", "vanishes", "diverges"):
        assert "cures" in preset.cures.values()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_set_has_a_card(name: str) -> None:
    change = CHANGES[name]
    assert change.part in OBJECTIVES | TRICKS
    assert change.about.title
    assert change.idea.endswith(".")


def test_no_cure_is_left_untried() -> None:
    acted = {act.change for preset in RECIPES.values() for act in preset.acts}
    assert {cure for _, cure in PAIRS} | acted == set(CHANGES)


@pytest.mark.parametrize(("name", "cure"), PAIRS)
def test_a_cure_is_its_change_set_and_nothing_else(name: str, cure: str) -> None:
    base, cured = preset_config(name), preset_config(f"{name}+{cure}")
    assert diff(base, cured)
    assert cured == base.replace(CURES[cure].changes)
    resolve(cured)


@pytest.mark.parametrize(("name", "cure"), PAIRS)
def test_a_run_is_known_to_have_the_cure_that_it_was_given(name: str, cure: str) -> None:
    base, cured = preset_config(name), preset_config(f"{name}+{cure}")
    assert not CURES[cure].holds_in(base)
    assert CURES[cure].holds_in(cured)
    assert CURES[cure].holds_in(cured.replace({"seed": 9, "schedule.rounds": 50}))
    assert cure_between(base, cured) == cure
    assert cure_between(cured, base) is None
    assert cure_between(cured, cured) is None


def test_an_unknown_cure_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown cure 'r2' — did you mean 'r1'"):
        preset_config("ring-collapse+r2")
    with pytest.raises(ConfigError, match="unknown preset 'ring-colapse' — did you mean 'ring-collapse'"):
        preset_config("ring-colapse+r1")
