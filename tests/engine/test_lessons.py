"""What a lesson counts: the modes that are left, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_core.config import BREAKS, CURES, PRESETS, RECIPES, RunConfig, preset_config
from gan_core.engine.library.lessons import mode_names, next_act, outcome, preset_of
from gan_core.metrics.histograms import modes_covered
from gan_core.store import RunNotFound, RunRecord, RunStore
from gan_core.training import resolve


def store_with(root: Path, counts: list[int], names: list[str] | None = None) -> RunStore:
    store = RunStore(root)
    store.create("a-run", name="a run", config={})
    if names:
        store.add_event("a-run", 0, "reference", {"class_names": names})
    store.add_frame("a-run", 5, {"histogram": {"counts": [1] * len(counts), "n": len(counts)}})
    store.add_frame("a-run", 40, {"histogram": {"counts": counts, "n": sum(counts)}})
    store.flush()
    return store


def test_a_mode_survives_where_the_measure_of_modes_counts_it(tmp_path: Path) -> None:
    # 1 % of all 1,460 samples, those of no mode in the last bin among them
    counts = [930, 15, 14, 0, 501]
    with store_with(tmp_path, counts, ["a", "b", "c", "d"]) as store:
        counted = outcome(store, "a-run")
    assert counted is not None
    assert counted.round == 40
    assert counted.survivors == ("a", "b")
    assert counted.names == ("a", "b", "c", "d")
    assert len(counted.survivors) == modes_covered(counts)


def test_a_count_can_be_of_an_earlier_round(tmp_path: Path) -> None:
    with store_with(tmp_path, [9, 0, 0]) as store:
        earlier = [outcome(store, "a-run", at) for at in (40, 39, 5, 4)]
    assert [counted and (counted.round, counted.survivors) for counted in earlier] == [
        (40, ("1",)),
        (5, ("1", "2")),
        (5, ("1", "2")),
        None,
    ]


def test_without_names_modes_are_numbered_from_one(tmp_path: Path) -> None:
    with store_with(tmp_path, [0, 7, 0]) as store:
        counted = outcome(store, "a-run")
    assert counted is not None
    assert counted.survivors == ("2",)


def test_nothing_that_counts_leaves_nobody(tmp_path: Path) -> None:
    with store_with(tmp_path, [0, 0, 9]) as store:
        counted = outcome(store, "a-run")
    assert counted is not None
    assert counted.survivors == ()


def test_before_the_first_count_there_is_nothing(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        store.create("a-run", name="a run", config={})
        assert outcome(store, "a-run") is None
        with pytest.raises(RunNotFound):
            outcome(store, "no-run")


def test_modes_have_names_before_the_run() -> None:
    assert mode_names(preset_config("ring-collapse")) == tuple("12345678")
    assert mode_names(preset_config("digits-dcgan")) == tuple("0123456789")


def run_of(config: RunConfig, forked_at: int | None = None) -> RunRecord:
    empty = dict.fromkeys(RunRecord.__dataclass_fields__)
    return RunRecord(**{**empty, "config": resolve(config).to_dict(), "forked_at": forked_at})


@pytest.mark.parametrize("lesson", [name for name, preset in RECIPES.items() if preset.acts])
def test_a_run_is_at_the_act_of_what_it_computes(lesson: str) -> None:
    begin, then = RECIPES[lesson].acts
    config = preset_config(lesson, {"seed": 7, "schedule.rounds": 900, "device": "cpu"})
    first = next_act(run_of(config))
    assert first is not None
    assert (first.change, first.breaks, first.round) == (BREAKS[begin.change], True, begin.round)
    broken = config.replace(first.change.changes)
    second = next_act(run_of(broken, forked_at=600))
    assert second is not None
    assert (second.change, second.breaks) == (CURES[then.change], False)
    assert second.round == 600 + then.round - begin.round, "the break has as long to show as in the recipe"


def test_other_runs_have_no_acts() -> None:
    assert next_act(run_of(preset_config("ring-collapse"))) is None
    assert next_act(run_of(preset_config("digits-conditional"))) is None
    assert next_act(run_of(preset_config("digits-vae-2d"))) is None
    config = preset_config("digits-break-and-cure")
    record = run_of(config)
    record.config["objective"] = {"name": "of another version"}
    assert next_act(record) is None


@pytest.mark.parametrize(
    ("name", "broken", "cured"),
    [
        ("digits-dcgan", "discriminator_slow", "two_time_scales"),
        ("digits-mlp", "generator_ahead", "wgan_gp_10"),
    ],
)
def test_any_gan_of_digits_can_be_broken_while_it_is_well_and_then_cured(name: str, broken: str, cured: str) -> None:
    config = preset_config(name, {"device": "cpu"})
    first = next_act(run_of(config))
    assert first is not None
    assert (first.change, first.breaks, first.if_well) == (BREAKS[broken], True, True)
    second = next_act(run_of(config.replace(first.change.changes), forked_at=900))
    assert second is not None
    assert (second.change, second.breaks, second.if_well) == (CURES[cured], False, False)
    assert second.round > 900


def test_a_preset_is_known_whatever_its_seed_and_length() -> None:
    config = preset_config("ring-mlp", {"seed": 4, "schedule.rounds": 70, "diagnostics.every": 5})
    for known in (config, resolve(config)):
        assert preset_of(known) is PRESETS["ring-mlp"]
    assert preset_of(config.replace({"optimizers.generator.lr": 2e-3})) is None
    assert preset_of(config.replace({"data.options": {"std": 0.05, "modes": 5}})) is None
