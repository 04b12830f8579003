"""RunConfig: a wrong one is a sentence, a right one survives JSON, and naming an objective brings its whole recipe."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from gan_core.config import (
    OBJECTIVES,
    PRESETS,
    ConfigError,
    RunConfig,
    diff,
    flatten,
    nearest,
    override,
    preset_config,
    read_json,
)
from gan_core.config.gan.published import RECIPE_KEYS

EVERY_OBJECTIVE = pytest.mark.parametrize("objective", OBJECTIVES)
EVERY_PRESET = pytest.mark.parametrize("preset", PRESETS)
EVERY_PRESET_OF_A_GAN = pytest.mark.parametrize(
    "preset", [name for name in PRESETS if preset_config(name).game == "gan"]
)
ADAM = {"name": "adam", "lr": 2e-4, "beta1": 0.5, "beta2": 0.999}
# name -> loss, penalties, clip value, optimiser, n_critic; from the papers
PAPERS: dict[str, tuple[str, dict[str, float], float | None, dict[str, Any], int]] = {
    "ns_gan": ("non_saturating", {}, None, ADAM, 1),
    "mm_gan": ("minimax", {}, None, ADAM, 1),
    "ls_gan": ("least_squares", {}, None, ADAM, 1),
    "wgan": ("wasserstein", {}, 0.01, {"name": "rmsprop", "lr": 5e-5, "momentum": 0.0}, 5),
    "wgan_gp": (
        "wasserstein",
        {"gradient_penalty": 10.0},
        None,
        {"name": "adam", "lr": 1e-4, "beta1": 0.0, "beta2": 0.9},
        5,
    ),
    "dragan": ("minimax", {"dragan": 10.0}, None, {**ADAM, "lr": 1e-4}, 1),
    "began": ("boundary_equilibrium", {}, None, {**ADAM, "lr": 1e-4}, 1),
    "hinge": ("hinge", {}, None, {"name": "adam", "lr": 2e-4, "beta1": 0.0, "beta2": 0.9}, 5),
    "ragan": ("relativistic_average", {}, None, ADAM, 1),
    "rals_gan": ("relativistic_average_ls", {}, None, ADAM, 1),
    "r1_gan": ("non_saturating", {"r1": 10.0}, None, {"name": "rmsprop", "lr": 1e-4, "momentum": 0.0}, 1),
    "r3gan": (
        "relativistic_pairing",
        {"r1": 1.0, "r2": 1.0},
        None,
        {"name": "adam", "lr": 2e-4, "beta1": 0.0, "beta2": 0.99},
        1,
    ),
    "ebgan": ("energy", {}, None, ADAM, 1),
}
# What a recipe asks of D beyond its objective.
NETWORKS = {
    "began": {"output": "reconstruction", "spectral_norm": False},
    "ebgan": {"output": "reconstruction", "spectral_norm": False},
    "hinge": {"output": "logit", "spectral_norm": True, "normalization": "none"},
}


def sentence(settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        RunConfig.load(settings)
    assert caught.value.problems
    return str(caught.value)


def recipe_of(config: RunConfig) -> dict[str, Any]:
    flat = flatten(config.to_dict())
    return {path: value for path, value in flat.items() if path.startswith(RECIPE_KEYS)}


# --- recipes ---


def test_every_objective_has_its_paper_here() -> None:
    assert set(PAPERS) == set(OBJECTIVES)


@EVERY_OBJECTIVE
def test_naming_an_objective_brings_what_its_paper_used(objective: str) -> None:
    loss, penalties, clip_value, optimizer, n_critic = PAPERS[objective]
    for config in (
        RunConfig(objective=objective),
        RunConfig.load({"objective": objective}),
        RunConfig.load({"objective": {"name": objective}}),
        RunConfig().replace({"objective": objective}),
        RunConfig().replace({"objective.name": objective}),
    ):
        assert config.objective.name == objective
        assert config.objective.loss == loss
        assert config.objective.penalties == penalties
        assert config.objective.clip_value == clip_value
        assert config.schedule.n_critic == n_critic
        assert config.schedule.generator_steps == 1
        for player in (config.optimizers.generator, config.optimizers.discriminator):
            assert optimizer.items() <= player.model_dump().items()
        network = NETWORKS.get(objective, {"output": "logit", "spectral_norm": False})
        assert network.items() <= config.model.discriminator.model_dump().items()
        assert not config.model.generator.spectral_norm


def test_a_value_given_beside_the_name_wins() -> None:
    config = RunConfig.load(
        {
            "objective": {"name": "wgan_gp", "penalties": {"gradient_penalty": 0.1}},
            "optimizers": {"discriminator": {"lr": 0.5}},
            "schedule": {"n_critic": 2, "rounds": 7},
        }
    )
    assert config.objective.penalties == {"gradient_penalty": 0.1}
    assert config.optimizers.discriminator.lr == 0.5
    assert config.optimizers.discriminator.beta2 == 0.9, "the rest is still the recipe's"
    assert config.optimizers.generator.lr == 1e-4
    assert (config.schedule.n_critic, config.schedule.rounds) == (2, 7)


@pytest.mark.parametrize("penalties", [{}, {"gradient_penalty": 0}])
def test_a_stored_config_without_the_penalty_does_not_get_it_back(penalties: dict[str, float]) -> None:
    config = RunConfig.load({"objective": {"name": "wgan_gp", "penalties": penalties}})
    assert config.objective.penalties == {}
    assert RunConfig.from_json(config.to_json()).objective.penalties == {}
    assert config.replace({"seed": 3}).objective.penalties == {}
    assert config.replace({"objective": "wgan_gp"}).objective.penalties == {"gradient_penalty": 10.0}


def test_a_stored_config_without_clipping_does_not_get_it_back() -> None:
    config = RunConfig.load({"objective": {"name": "wgan", "clip_value": None}})
    assert config.objective.clip_value is None
    assert RunConfig.from_json(config.to_json()) == config
    assert config.replace({"seed": 3}).objective.clip_value is None


@EVERY_OBJECTIVE
@pytest.mark.parametrize("other", OBJECTIVES)
def test_replacing_the_objective_replaces_its_whole_recipe(objective: str, other: str) -> None:
    """Nothing of the old recipe is left: no clip value, no penalty, no learning rate, no steps."""
    changed = RunConfig(objective=objective, seed=5).replace(
        {"optimizers.generator.lr": 9, "objective.penalties.gradient_penalty": 3, "schedule.rounds": 77}
    )
    changed = changed.replace({"objective": other})
    assert recipe_of(changed) == recipe_of(RunConfig(objective=other))
    assert (changed.seed, changed.schedule.rounds) == (5, 77), "what is no part of a recipe stays"


def test_an_objective_brings_its_recipe_and_later_changes_win() -> None:
    batch = RunConfig().replace(
        {"model.discriminator.normalization": "batch", "model.generator.normalization": "batch"}
    )
    penalised = batch.replace({"objective": "wgan_gp"})
    assert penalised.model.discriminator.normalization == "none", (
        "a penalty per sample and batch norm do not go together"
    )
    assert penalised.model.generator.normalization == "batch"
    assert batch.replace({"objective": "wgan"}).model.discriminator.normalization == "batch"
    later = batch.replace({"objective": "wgan_gp", "model.discriminator.normalization": "layer"})
    assert later.model.discriminator.normalization == "layer"


@EVERY_OBJECTIVE
def test_what_a_recipe_brought_to_a_network_leaves_with_it(objective: str) -> None:
    """From an autoencoder or a spectrally normalised D to a plain game: nothing of it stays, what a person chose does."""
    config = RunConfig(objective=objective).replace(
        {"model.discriminator.widths": [9], "model.generator.dropout": 0.25}
    )
    plain = config.replace({"objective": "ns_gan"})
    assert plain.model.discriminator.model_dump() == {**RunConfig().model.discriminator.model_dump(), "widths": (9,)}
    assert plain.model.generator.dropout == 0.25


def test_what_a_person_chose_against_the_recipe_stays() -> None:
    config = RunConfig(objective="hinge").replace({"model.discriminator.normalization": "layer"})
    assert config.replace({"objective": "ns_gan"}).model.discriminator.normalization == "layer"


@pytest.mark.parametrize("name", ["hinge", "began", "wgan"])
def test_a_group_that_names_an_objective_brings_it_whole(name: str) -> None:
    for old in OBJECTIVES:
        config = RunConfig(objective=old, seed=4)
        assert config.replace({"objective": {"name": name}}) == config.replace({"objective": name})
    settings = override({"objective": "hinge"}, {"objective": {"name": "wgan", "clip_value": 0.05}})
    changed = RunConfig.load(settings)
    assert changed.objective.clip_value == 0.05
    assert changed.replace({"objective.clip_value": 0.01}) == RunConfig(objective="wgan")


def test_another_loss_drops_the_options_of_the_loss_before_it() -> None:
    config = RunConfig(objective="ebgan").replace({"objective.options": {"margin": 3.0}})
    assert config.replace({"objective.loss": "wasserstein"}).objective.options == {}
    assert config.replace({"seed": 1}).objective.options == {"margin": 3.0}
    assert config.replace({"objective": "ebgan"}).objective.options == {}


def test_changes_are_applied_in_order() -> None:
    config = RunConfig()
    later = config.replace({"objective": "wgan", "optimizers.generator.lr": 0.25})
    earlier = config.replace({"optimizers.generator.lr": 0.25, "objective": "wgan"})
    assert later.optimizers.generator.lr == 0.25
    assert earlier.optimizers.generator.lr == 5e-5


def test_override_leaves_its_arguments_alone() -> None:
    settings = {"objective": {"name": "ns_gan", "loss": "minimax"}, "schedule": {"n_critic": 3, "rounds": 9}}
    before = copy.deepcopy(settings)
    assert override(settings, {"objective": "wgan", "model.latent_dim": 4}) == {
        "objective": {"name": "wgan"},
        "schedule": {"rounds": 9},
        "model": {"latent_dim": 4},
    }
    assert settings == before


@pytest.mark.parametrize(
    "changes",
    [
        {"seed.deeper": 1},
        {"data.name.deeper": 1},
        {"schedule": 5, "objective": "wgan"},
        {"schedule": 5, "schedule.rounds": 3},
        {"": 1},
        {".": 1},
        {"schedule.": 1},
        {"schedule..rounds": 1},
        {"sed": 1},
        {"schedule.round": 1},
        {"objective": "wgan_gb"},
        {"objective": 3},
        {"objective": None},
        {"objective": ["wgan"]},
        {"objective.name": None},
    ],
)
def test_changes_that_make_no_sense_are_a_sentence(changes: dict[str, Any]) -> None:
    for make in (RunConfig().replace, lambda changes: preset_config("ring-mlp", changes)):
        with pytest.raises(ConfigError):
            make(changes)


@EVERY_OBJECTIVE
def test_the_registry_is_not_changed_by_a_config(objective: str) -> None:
    before = copy.deepcopy(OBJECTIVES[objective].settings)
    config = RunConfig(objective=objective)
    config.replace({"objective.penalties.gradient_penalty": 3})
    config.objective.penalties["mine"] = 1.0
    assert OBJECTIVES[objective].settings == before
    assert "mine" not in RunConfig(objective=objective).objective.penalties


# --- sentences ---

GROUPS = [
    "",
    "data",
    "model",
    "model.generator",
    "model.discriminator",
    "objective",
    "tricks",
    "optimizers",
    "optimizers.generator",
    "optimizers.discriminator",
    "schedule",
    "diagnostics",
]


def nested(path: str, value: Any) -> Any:
    for name in reversed(path.split(".") if path else []):
        value = {name: value}
    return value


def test_the_groups_are_all_groups() -> None:
    parents = {path.rpartition(".")[0] for path in flatten(RunConfig().to_dict())}
    assert parents <= set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_key_names_the_nearest_one(group: str) -> None:
    place: Any = RunConfig().to_dict()
    for name in group.split(".") if group else []:
        place = place[name]
    known = max(place, key=len)
    misspelt = known[:-1] + "x" + known[-1]
    said = sentence(nested(group, {misspelt: 1}))
    assert repr(misspelt) in said
    assert f"did you mean {known!r}" in said
    assert group in said


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_key_far_from_all_lists_them(group: str) -> None:
    said = sentence(nested(group, {"zzzzzzzzzzzzzzz": 1}))
    assert "known: " in said


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("data.batch_size", 1, "at least 2"),
        ("data.batch_size", 10**9, "at most 4096"),
        ("data.batch_size", "many", "whole number"),
        ("data.batch_size", 7.5, "whole number"),
        ("data.batch_size", None, "whole number"),
        ("data.batch_size", [8], "whole number"),
        ("data.batch_size", math.nan, "finite number"),
        ("data.batch_size", math.inf, "finite number"),
        ("model.latent_dim", 0, "at least 1"),
        ("model.latent", "gauss", "'normal' or 'uniform'"),
        ("model.initialization", "xavier", "'torch', 'dcgan' or 'orthogonal'"),
        ("model.generator.widths", [], "at least 1 is needed; add one"),
        ("model.generator.widths", [8] * 33, "at most 32 items"),
        ("model.generator.widths", 8, "list"),
        ("model.generator.dropout", 1, "less than 1"),
        ("model.generator.dropout", -0.1, "at least 0"),
        ("model.discriminator.normalization", "batchnorm", "'none', 'batch', 'layer' or 'instance'"),
        ("model.discriminator", 5, "group of settings"),
        ("model.discriminator.packing", 5000, "at most 4096"),
        ("model.discriminator.summary", "mean", "'none', 'squared_differences' or 'moments'"),
        ("model.discriminator.output", "image", "'logit' or 'reconstruction'"),
        ("model.generator.spectral_norm", "perhaps", "true or false"),
        ("tricks.label_smoothing", 0.6, "at most 0.5"),
        ("tricks.feature_matching", "on", "'off', 'added' or 'instead'"),
        ("tricks.ema_decay", 1, "less than 1"),
        ("tricks.unrolled_steps", 1.5, "whole number"),
        ("optimizers.generator.lr_schedule", "step", "'linear', 'cosine' or 'late'"),
        ("optimizers.generator.clip_gradient", 0, "greater than 0"),
        ("objective.clip_value", 0, "greater than 0"),
        ("objective.clip_value", -0.01, "greater than 0"),
        ("objective.clip_value", 101, "at most 100"),
        ("optimizers.generator.lr", 0, "greater than 0"),
        ("optimizers.generator.lr", "fast", "number"),
        ("optimizers.generator.lr", math.nan, "finite number"),
        ("optimizers.generator.lr", math.inf, "finite number"),
        ("optimizers.discriminator.beta1", 1, "less than 1"),
        ("optimizers.discriminator.name", "adamw", "'adam', 'rmsprop' or 'sgd'"),
        ("schedule.rounds", 0, "at least 1"),
        ("schedule.n_critic", 0, "at least 1"),
        ("schedule.n_critic", 1001, "at most 1000"),
        ("diagnostics.budget", 1.5, "at most 1"),
        ("seed", -1, "at least 0"),
        ("seed", 2**31, "at most 2147483647"),
        ("seed", 10**400, "at most"),
        ("device", "gpu", "'auto', 'cpu', 'cuda' or 'mps'"),
        ("game", "chess", "known: gan"),
    ],
)
def test_a_bad_value_names_the_field_the_value_and_what_is_allowed(path: str, value: Any, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.load(nested(path, value))
    (problem,) = [problem for problem in caught.value.problems if problem.field.startswith(path)]
    assert allowed in problem.message
    if len(repr(value)) < 60:
        as_typed = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
        assert as_typed in problem.message
    assert path in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("path", ["objective.penalties.gradient_penalty", "model.generator.widths.0"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "x", 10**9])
def test_values_inside_a_collection_are_named_too(path: str, value: Any) -> None:
    group, _, last = path.rpartition(".")
    inside = [value] if last == "0" else {last: value}
    with pytest.raises(ConfigError) as caught:
        RunConfig.load(nested(group, inside))
    assert caught.value.problems[0].field == path


def test_every_problem_is_named_not_only_the_first() -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.load({"seed": -1, "schedule": {"rounds": 0}, "data": {"batch_size": 1}})
    assert {problem.field for problem in caught.value.problems} == {"seed", "schedule.rounds", "data.batch_size"}


def test_an_unknown_objective_or_preset_names_the_nearest() -> None:
    assert "did you mean 'wgan_gp'" in sentence({"objective": "wgan_gb"})
    with pytest.raises(ConfigError, match="did you mean 'ring-mlp'"):
        preset_config("ring_mlp")


def test_nearest_lists_what_is_known_when_nothing_is_near() -> None:
    assert nearest("lrr", ["lr", "beta1"]) == " — did you mean 'lr'?"
    assert nearest("qqqq", ["lr", "beta1"]) == "; known: lr, beta1"


# --- JSON ---


@EVERY_PRESET_OF_A_GAN
@EVERY_OBJECTIVE
def test_json_round_trip(preset: str, objective: str) -> None:
    config = preset_config(preset, {"objective": objective, "seed": 12, "optimizers.generator.lr": 1 / 3})
    text = config.to_json()
    assert RunConfig.from_json(text) == config
    assert RunConfig.from_json(text.encode()) == config
    assert RunConfig.from_json(text).to_json() == text
    assert RunConfig.load(config.to_dict()) == config
    assert json.loads(text) == config.to_dict()


@EVERY_PRESET
def test_what_is_stored_is_complete(preset: str) -> None:
    """A stored run needs none of today's defaults: every field stands in the JSON."""

    def fields(model: Any) -> dict[str, Any]:
        return {
            name: fields(getattr(model, name)) if isinstance(getattr(model, name), BaseModel) else None
            for name in type(model).model_fields
        }

    config = preset_config(preset)
    stored = json.loads(config.to_json())

    def covers(wanted: dict[str, Any], given: dict[str, Any]) -> bool:
        return set(wanted) == set(given) and all(v is None or covers(v, given[k]) for k, v in wanted.items())

    assert covers(fields(config), stored)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("nonsense", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"\x80abc", "not JSON"),
        ("[]", "group of settings"),
        ("3", "group of settings"),
        ("null", "group of settings"),
        ('"text"', "group of settings"),
        ('{"seed": 1, "seed": 2}', "'seed' stands there twice"),
        ('{"schedule": {"rounds": 1, "n_critic": 1, "rounds": 2}}', "'rounds' stands there twice"),
        ('{"seed": NaN}', "seed"),
        ('{"optimizers": {"generator": {"lr": Infinity}}}', "optimizers.generator.lr"),
        ('{"optimizers": {"generator": {"lr": 1e999}}}', "optimizers.generator.lr"),
        ('{"data": {"options": {"std": NaN}}}', "data.options.std"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        ('{"seed": ' + "9" * 5000 + "}", ""),
    ],
)
def test_what_is_not_a_config_is_a_sentence(text: str | bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_json(text)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 500


def test_keys_are_counted_in_one_go() -> None:
    """Each against all others would take an hour for a file of a few megabytes."""
    many = {str(number): number for number in range(200_000)}
    assert read_json(json.dumps(many)) == many


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900, 950, 980, 990])
@pytest.mark.parametrize("shape", ['{{"seed": {}}}', '{{"data": {{"options": {{"std": {}}}}}}}', '{{"objective": {}}}'])
def test_nesting_of_any_depth_is_a_sentence(depth: int, shape: str) -> None:
    for inner in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        with pytest.raises(ConfigError):
            RunConfig.from_json(shape.format(inner))


def test_ten_megabytes_are_refused_by_their_size() -> None:
    with pytest.raises(ConfigError, match="1,000,000"):
        RunConfig.from_json('{"seed": ' + " " * 10_000_000 + "1}")
    with pytest.raises(ConfigError, match="10,000,000"):
        RunConfig.from_json(b" " * 10_000_000)


def test_long_names_are_not_echoed_whole() -> None:
    long = "x" * 10_000
    for wrong in ({long: 1}, {"objective": long}, {"device": long}, {"data": long}, {"data": {"name": long}}):
        assert len(sentence(wrong)) < 500


def field_names() -> list[str]:
    paths = flatten(RunConfig(objective="wgan_gp").to_dict())
    return sorted({name for path in paths for name in path.split(".")} | {"options", "penalties"})


TEXT = st.text(alphabet="a.1-{ é\0\ud800", max_size=6)  # also what no encoding takes: a lone surrogate
WORDS = st.sampled_from([*field_names(), *OBJECTIVES]) | TEXT
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**400, -(10**30)]) | WORDS
JSON_LIKE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=12
)


def loads_or_is_a_sentence(make: Callable[[], RunConfig]) -> None:
    """Anything but a ConfigError leaves this function as a failure of the test."""
    config = None
    with contextlib.suppress(ConfigError):
        config = make()
    if config is not None:
        text = config.to_json()
        assert RunConfig.from_json(text).to_json() == text


@settings(max_examples=200)
@given(JSON_LIKE)
@example({"objective": {"name": ["wgan"]}})
@example({"objective": {"name": {"wgan": 1}}})
@example({"\ud800": 1})
@example({"data": {"options": {"\ud800": 1}}})
@example({"objective": "\ud800"})
@example({"data": {"name": "\ud800"}})
@example({1: 2, None: 3})
def test_load_raises_nothing_but_config_errors(given: Any) -> None:
    loads_or_is_a_sentence(lambda: RunConfig.load(given))


@settings(max_examples=150)
@given(st.sampled_from(sorted(flatten(RunConfig(objective="wgan_gp").to_dict()))), JSON_LIKE)
def test_any_value_in_any_field_loads_or_is_a_sentence(path: str, value: Any) -> None:
    loads_or_is_a_sentence(lambda: RunConfig(objective="wgan_gp").replace({path: value}))


@settings(max_examples=100)
@given(st.binary(max_size=40) | TEXT | JSON_LIKE.map(json.dumps))
def test_from_json_raises_nothing_but_config_errors(text: str | bytes) -> None:
    loads_or_is_a_sentence(lambda: RunConfig.from_json(text))


# --- a value ---


def test_a_config_is_frozen() -> None:
    config = RunConfig()
    for change in (
        lambda: setattr(config, "seed", 1),
        lambda: setattr(config.schedule, "rounds", 1),
        lambda: setattr(config.model.generator, "widths", (1,)),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            change()


def test_equal_configs_have_one_hash() -> None:
    """So that a config can be a key; the order of options and 1 or 1.0 make no difference to equality."""
    one = RunConfig(objective="r3gan").replace({"data.options": {"modes": 8, "std": 1}})
    same = RunConfig(objective="r3gan").replace({"data.options": {"std": 1.0, "modes": 8}})
    assert one == same
    assert hash(one) == hash(same) == hash(RunConfig.from_json(one.to_json()))
    assert {one: "a"}[same] == "a"
    assert len({RunConfig(seed=seed) for seed in (1, 2, 3, 1)}) == 3
    assert hash(one.model.generator) != hash(one.model.discriminator)


def test_configs_do_not_share_their_groups_of_options() -> None:
    first = RunConfig()
    first.data.options["modes"] = 3
    assert RunConfig().data.options == {}


def test_diff_names_what_differs_and_is_symmetric() -> None:
    a = preset_config("ring-mlp", {"data.options": {"modes": 8}})
    b = preset_config("ring-mlp", {"objective": "wgan_gp", "seed": 4, "model.generator.widths": [3]})
    forward, backward = diff(a, b), diff(b, a)
    assert diff(a, a) == {}
    assert forward == {path: (left, right) for path, (right, left) in backward.items()}
    assert forward["seed"] == (0, 4)
    assert forward["model.generator.widths"] == ([128, 128], [3])
    assert forward["objective.penalties.gradient_penalty"] == (None, 10.0)
    assert forward["data.options.modes"] == (8, None)
    assert "data.name" not in forward


@EVERY_OBJECTIVE
@pytest.mark.parametrize("other", OBJECTIVES)
def test_a_diff_says_how_to_get_from_one_to_the_other(objective: str, other: str) -> None:
    a, b = RunConfig(objective=objective), RunConfig(objective=other)
    changed = flatten(a.to_dict())
    for path, (_, right) in diff(a, b).items():
        changed[path] = right
    assert {path: v for path, v in changed.items() if v is not None} == {
        path: v for path, v in flatten(b.to_dict()).items() if v is not None
    }


def test_a_list_of_wrong_entries_is_not_called_too_short() -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.load({"model": {"generator": {"widths": ["abc", "-3"]}}})
    assert [problem.field for problem in caught.value.problems] == [
        "model.generator.widths.0",
        "model.generator.widths.1",
    ]
