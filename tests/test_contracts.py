"""Every entry of every registry keeps the promises of its kind. A new entry costs one line and inherits all of this."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from gan_core.about import About
from gan_core.config import OBJECTIVES, PRESETS, SETTINGS, TRICKS, ConfigError, RunConfig, diff, flatten, preset_config
from gan_core.data import DATASETS, DEGRADATIONS, DataMissing, ImageSource, StackedSource
from gan_core.losses import LOSSES
from gan_core.models import ARCHITECTURES, Layers
from gan_core.regularizers import PENALTIES, WEIGHT_CLIPPING
from gan_core.training import load_source, play, resolve

REGISTRIES: dict[str, dict[str, Any]] = {
    "losses": LOSSES,
    "penalties": PENALTIES,
    "architectures": ARCHITECTURES,
    "data sets": DATASETS,
    "degradations": DEGRADATIONS,
    "objectives": OBJECTIVES,
    "tricks": TRICKS,
}
AT_HAND = [name for name, dataset in DATASETS.items() if not dataset.missing()]
"""Data sets whose files are on this machine; the others are tested over tiny files in tests/data."""
OF_PICTURES = {"diffaugment", "adaptive_augmentation"}
OF_GANS = [name for name in PRESETS if preset_config(name).game == "gan"]


def cards() -> dict[str, About]:
    """The About cards of all entries, by kind and name."""
    entries = {f"{kind}: {name}": entry for kind, registry in REGISTRIES.items() for name, entry in registry.items()}
    games = {f"games: {name}": settings.ABOUT for name, settings in SETTINGS.items()}
    return {name: entry.about for name, entry in entries.items()} | games | {"weight clipping": WEIGHT_CLIPPING}


REGULARISED: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped": {"objective.clip_value": 0.01},
    **{name: {"objective.penalties": {name: penalty.default}} for name, penalty in PENALTIES.items()},
}


@pytest.mark.parametrize("name", cards())
def test_a_card_is_complete(name: str) -> None:
    card = cards()[name]
    for field in ("title", "paper", "formula", "idea", "watch_for"):
        text = getattr(card, field)
        assert text.strip() == text
        assert text
    assert 1980 <= card.year <= 2026
    assert str(card.year) in card.citation
    assert card.paper in card.citation
    assert card.url.startswith(("https://", "http://"))
    assert "$" not in card.formula
    assert card.formula.count("{") == card.formula.count("}")
    assert card.idea.endswith(".")
    assert card.watch_for.endswith(".")


@pytest.mark.parametrize("kind", REGISTRIES)
def test_keys_are_words_of_the_field(kind: str) -> None:
    for name in REGISTRIES[kind]:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert name not in ("vanilla", "gan", "ns")
    titles = [entry.about.title for entry in REGISTRIES[kind].values()]
    assert len(set(titles)) == len(titles)


def test_terms_of_penalties_are_columns_of_their_own() -> None:
    terms = [penalty.term for penalty in PENALTIES.values()]
    taken = {"loss", "adv", "class", "features", "real", "fake", "accuracy_real", "accuracy_fake", "noise", "grad_norm"}
    for loss in LOSSES.values():
        own = {*loss.memory, *loss.measures}
        assert not own & taken
        assert not own & set(terms)
    assert len(set(terms)) == len(terms)
    assert not set(terms) & taken


@pytest.mark.parametrize("name", PENALTIES)
def test_the_default_weight_of_a_penalty_can_be_configured(name: str) -> None:
    weight = PENALTIES[name].default
    assert weight > 0
    assert PENALTIES[name].symbol
    config = RunConfig().replace({"objective.penalties": {name: weight}})
    assert config.objective.penalties == {name: weight}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_says_how_to_read_it(name: str) -> None:
    loss = LOSSES[name]
    assert len(loss.reading) > 40
    assert loss.reading.endswith(".")
    assert set(loss.equilibrium) <= {"D", "G"}
    if loss.output == "probability":
        assert loss.boundary == 0.0
    for value in loss.equilibrium.values():
        if value not in (0.0,):
            assert re.search(rf"{abs(value):.3f}|{abs(value):g}\b", loss.reading), "its reference lines are explained"


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_gives_what_its_kind_promises(name: str) -> None:
    dataset = DATASETS[name]
    assert set(dataset.bounds) == set(dataset.options)
    assert dataset.kind in ("images", "points", "density")
    if dataset.missing():
        with pytest.raises(DataMissing, match="is not on this machine"):
            dataset.load()
        return
    source = dataset.load()
    assert source.name == name
    assert dataset.kind == {3: "images", 2: "points", 1: "density"}[len(source.shape) + (source.shape[0] == 2)]
    assert len(source.shape) in (1, 3)
    if isinstance(source, ImageSource):
        assert source.x.dtype == torch.uint8
        assert len(source.train_index) + len(source.heldout_index) == len(source.x)
        assert re.fullmatch(r"[0-9a-f]{64}", source.fingerprint)
        assert source is dataset.load() or torch.equal(source.x, dataset.load().x)
        assert dataset.counted == (source.y is not None)
        assert dataset.factored == (source.factors is not None)
    elif isinstance(source, StackedSource):
        assert len(source.class_names) == source.num_classes == source.base.num_classes**source.COUNT
    else:
        assert source.weights.sum() == pytest.approx(1)
        assert source.centers.shape == (len(source.weights), *source.shape)
        assert source.num_modes == (len(source.weights) if source.has_modes else 0)
        assert dict(source.options) == dataset.options


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_recipe_names_only_what_exists(name: str) -> None:
    settings = OBJECTIVES[name].settings
    assert {"objective", "optimizers", "schedule"} <= set(settings) <= {"objective", "optimizers", "schedule", "model"}
    assert settings["objective"]["loss"] in LOSSES
    assert set(settings["objective"].get("penalties", {})) <= set(PENALTIES)
    assert {"generator", "discriminator"} == set(settings["optimizers"])
    assert {"n_critic", "generator_steps"} == set(settings["schedule"])
    resolve(RunConfig(objective=name))


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_turns_something_on(name: str) -> None:
    """Its settings are sparse, differ from the defaults, and can be built on digits, and on the ring if not of pictures."""
    for dataset in ("mnist5k",) if name in OF_PICTURES else ("ring", "mnist5k"):
        plain = RunConfig().replace({"data.name": dataset})
        config = plain.replace(flatten(TRICKS[name].settings))
        assert diff(plain, config)
        assert resolve(config)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_whole_run(name: str) -> None:
    preset = PRESETS[name]
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
    assert preset.title
    assert preset.story.endswith(".")
    config = resolve(preset_config(name))
    assert RunConfig.from_json(config.to_json()) == config
    assert config.schedule.rounds > 100


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("preset", OF_GANS)
def test_every_preset_takes_every_objective(preset: str, objective: str) -> None:
    """Also where the objective forbids what the preset has, as WGAN GP forbids batch normalisation in D."""
    assert resolve(preset_config(preset, {"objective": objective})).objective.name == objective
    assert resolve(resolve(preset_config(preset)).replace({"objective": objective})).objective.name == objective


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_plays(preset: str, game_of: Callable) -> None:
    packing = preset_config(preset).model.discriminator.packing if preset in OF_GANS else 1
    game = game_of(resolve(preset_config(preset, {"device": "cpu", "data.batch_size": max(16, packing)})))
    for turn in play(game):
        assert all(value.isfinite() for value in turn.values.values())
        if turn.ends_round:
            break


@functools.cache
def fitting() -> list[tuple[str, str]]:
    """Each architecture on each data set that it fits, with two narrow layers."""
    return [
        (architecture, dataset)
        for architecture, dataset in itertools.product(ARCHITECTURES, AT_HAND)
        if ARCHITECTURES[architecture].fits(DATASETS[dataset].load().shape, Layers((4, 3))) is None
    ]


@pytest.mark.parametrize("dataset", AT_HAND)
def test_every_data_set_has_an_architecture(dataset: str) -> None:
    assert dataset in {name for _, name in fitting()}


def shared_out(loss: str, regularised: str) -> list[tuple[str, str]]:
    """Of ``fitting`` those that fall to a loss and a penalty: each loss, and each penalty, meets every one of them."""
    turn = list(LOSSES).index(loss) + list(REGULARISED).index(regularised)
    return [place for number, place in enumerate(fitting()) if (number - turn) % len(REGULARISED) == 0]


def test_every_loss_and_every_penalty_meets_every_architecture_on_its_data() -> None:
    met = {(loss, term, place) for loss in LOSSES for term in REGULARISED for place in shared_out(loss, term)}
    assert {(loss, place) for loss, _, place in met} == set(itertools.product(LOSSES, fitting()))
    assert {(term, place) for _, term, place in met} == set(itertools.product(REGULARISED, fitting()))


@pytest.mark.parametrize("places", [shared_out, pytest.param(lambda *_: fitting(), marks=pytest.mark.slow)])
@pytest.mark.parametrize("regularised", REGULARISED)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_penalty_and_architecture_and_data_combine_freely(
    loss: str, regularised: str, places: Callable, tiny: Callable, game_of: Callable
) -> None:
    for architecture, dataset in places(loss, regularised):
        changes: dict[str, Any] = {
            "data.name": dataset,
            "objective.loss": loss,
            "model.discriminator.output": "reconstruction" if LOSSES[loss].output == "error" else "logit",
            "model.generator.widths": [4, 3],
            "model.discriminator.widths": [4, 3],
        }
        changes |= REGULARISED[regularised]
        if LOSSES[loss].memory and "objective.penalties" in changes:
            with pytest.raises(ConfigError, match="nothing else"):
                tiny(architecture, changes)
            continue
        config = tiny(architecture, changes)
        game = game_of(config)
        d_turn, g_turn = itertools.islice(play(game), 2)
        penalties = [PENALTIES[name].term for name in config.objective.penalties]
        assert d_turn.player.terms == ("adv", *penalties)
        for turn in (d_turn, g_turn):
            assert tuple(turn.values) == turn.player.columns
            assert all(math.isfinite(value.item()) for value in turn.values.values())
            assert turn.values["grad_norm"] > 0
        x_fake = game.sample(torch.zeros(2, 3))
        assert x_fake.shape == (2, *load_source(config).shape)
        assert game.judge(x_fake).shape == (2,)
        if regularised == "clipped":
            assert max(p.abs().max() for p in game.D.parameters()) <= torch.tensor(0.01)
