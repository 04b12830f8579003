"""From a configuration to a game: every name and option is checked, the weights are a function of the seed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch

from gan_core.config import PRESETS, SETTINGS, ConfigError, RunConfig, diff, preset_config
from gan_core.data import DATASETS
from gan_core.training import ABILITIES, GAMES, Streams, build, count_parameters, load_source, resolve
from gan_core.training.latent import Latent
from gan_core.training.streams import derive_seed


def refused(changes: dict, preset: str = "ring-mlp") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve(preset_config(preset, {"device": "cpu", **changes}))
    return caught.value


@pytest.mark.parametrize("preset", PRESETS)
def test_resolving_fills_in_the_data_sets_options_and_the_device(preset: str) -> None:
    config = preset_config(preset)
    resolved = resolve(config)
    assert dict(resolved.data.options) == {**DATASETS[config.data.name].options, **config.data.options}
    assert resolved.device in ("cpu", "cuda", "mps")
    assert set(diff(config, resolved)) <= {"device", *(f"data.options.{name}" for name in resolved.data.options)}
    assert resolve(resolved) == resolved
    assert RunConfig.from_json(resolved.to_json()) == resolved


@pytest.mark.parametrize(
    ("path", "value", "near"),
    [
        ("data.name", "rings", "'ring'"),
        ("model.generator.architecture", "dc_gan", "'dcgan'"),
        ("model.discriminator.architecture", "mpl", "'mlp'"),
        ("objective.loss", "wassersteinn", "'wasserstein'"),
        ("objective.penalties", {"gradientpenalty": 1.0}, "'gradient_penalty'"),
    ],
)
def test_a_name_that_no_registry_knows_is_refused_with_the_nearest(path: str, value: object, near: str) -> None:
    error = refused({path: value})
    assert [problem.field for problem in error.problems] == [path]
    assert f"did you mean {near}" in str(error)


def test_all_unknown_names_are_said_at_once() -> None:
    assert len(refused({"data.name": "q", "objective.loss": "q", "model.generator.architecture": "q"}).problems) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": 8}, "did you mean 'modes'"),
        ({"modes": 0}, "between 1 and 64"),
        ({"modes": 65}, "between 1 and 64"),
        ({"modes": 7.5}, "whole number"),
        ({"modes": "eight"}, "whole number"),
        ({"modes": 10**400}, "between 1 and 64"),
        ({"modes": -(10**400)}, "between 1 and 64"),
        ({"std": "0.1"}, "must be a number"),
        ({"std": 0}, "between 0.0001 and 10"),
        ({"std": 1e308}, "between 0.0001 and 10"),
    ],
)
def test_options_of_a_data_set_are_checked(options: dict, says: str) -> None:
    error = refused({"data.options": options})
    assert says in str(error)
    assert error.problems[0].field == f"data.options.{next(iter(options))}"
    assert len(str(error)) < 300


def test_a_data_set_without_options_says_so() -> None:
    assert "it has no options" in str(refused({"data.options": {"modes": 3}}, "digits-mlp"))


def test_given_options_win_and_reach_the_data() -> None:
    config = resolve(preset_config("ring-mlp", {"data.options": {"modes": 5}}))
    assert config.data.options == {"modes": 5, "radius": 2.0, "std": 0.02}
    assert load_source(config).num_modes == 5


@pytest.mark.parametrize(
    ("preset", "changes", "field"),
    [
        ("ring-mlp", {"model.generator.architecture": "dcgan"}, "model.generator"),
        ("ring-mlp", {"model.discriminator.architecture": "dcgan"}, "model.discriminator"),
        ("ring-mlp", {"model.generator.normalization": "instance"}, "model.generator"),
        ("digits-mlp", {"model.discriminator.normalization": "instance"}, "model.discriminator"),
        ("digits-dcgan", {"model.generator.widths": [8, 8, 8]}, "model.generator"),
        ("digits-dcgan", {"model.discriminator.widths": [8, 8, 8]}, "model.discriminator"),
        ("digits-mlp", {"objective": "wgan_gp", "model.discriminator.normalization": "batch"}, "model.discriminator"),
        ("digits-dcgan", {"objective": "wgan_gp", "model.discriminator.normalization": "batch"}, "model.discriminator"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence(preset: str, changes: dict, field: str) -> None:
    error = refused(changes, preset)
    assert error.problems[0].field.startswith(field)
    assert "choose" in str(error)


def test_batch_norm_in_d_is_fine_without_a_penalty() -> None:
    batch = {"model.discriminator.normalization": "batch"}
    resolve(preset_config("ring-mlp", {"objective": "ns_gan", **batch}))
    resolve(preset_config("ring-mlp", {"objective": "wgan_gp", "objective.penalties.gradient_penalty": 0, **batch}))


def test_a_device_that_is_not_there_is_refused() -> None:
    absent = "mps" if torch.cuda.is_available() else "cuda"
    assert refused({"device": absent}).problems[0].field == "device"
    assert resolve(preset_config("ring-mlp", {"device": "cpu"})).device == "cpu"


# --- build ---


def test_every_game_has_its_settings() -> None:
    assert list(SETTINGS) == list(GAMES)
    for name, settings in SETTINGS.items():
        assert settings().game == name
        assert type(RunConfig.load({"game": name})) is settings


@pytest.mark.parametrize("name", GAMES)
def test_a_game_can_do_what_it_declares(name: str, game_of: Callable) -> None:
    game = game_of(resolve(RunConfig.load({"game": name, "data": {"name": "mnist5k"}, "device": "cpu"})))
    assert {ability for ability, protocol in ABILITIES.items() if isinstance(game, protocol)} == set(
        GAMES[name].abilities
    )


def test_views_of_a_config_name_the_players_and_networks_of_its_game(tiny: Callable, game_of: Callable) -> None:
    config = tiny()
    game = game_of(config)
    assert list(config.seats) == [player.name for player in game.players]
    assert list(config.networks) == list(game.networks)


@pytest.mark.parametrize("preset", PRESETS)
def test_counted_parameters_are_those_that_are_built(preset: str) -> None:
    config = resolve(preset_config(preset))
    networks = build(config, load_source(config)).networks
    moved = {n: sum(p.numel() for p in m.parameters()) for n, m in networks.items() if not n.endswith("_average")}
    assert count_parameters(config) == moved, "a moving average is learned by nobody"


def test_counted_parameters_of_a_small_mlp_by_hand(tiny: Callable) -> None:
    config = tiny("mlp", {"model.generator.widths": [6, 5], "model.discriminator.widths": [7]})
    assert count_parameters(config) == {
        "G": (3 * 6 + 6) + (6 * 5 + 5) + (5 * 2 + 2),
        "D": (2 * 7 + 7) + (7 * 1 + 1),
    }


def same_weights(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
def test_weights_are_a_function_of_the_seed(architecture: str, tiny: Callable, game_of: Callable) -> None:
    first, again = game_of(tiny(architecture)), game_of(tiny(architecture, {"objective": "wgan_gp"}))
    other = game_of(tiny(architecture, {"seed": 12}))
    for name in ("G", "D"):
        assert same_weights(first.networks[name], again.networks[name]), "runs that are compared begin the same"
        assert not same_weights(first.networks[name], other.networks[name])


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_each_parameter_has_the_stream_of_its_network_and_layer(
    normalization: str, tiny: Callable, game_of: Callable
) -> None:
    """Layers are counted without what stands between them: adding a norm or dropout leaves their weights alone."""
    changes = {"model.generator.normalization": normalization, "model.generator.dropout": 0.1}
    game, streams = game_of(tiny("mlp", changes)), Streams(11)
    for who, network in game.networks.items():
        linears = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
        for index, layer in enumerate(linears):
            bound = layer.in_features**-0.5
            for part, parameter in layer.named_parameters():
                generator = streams.generator("init", who, f"layer{index}.{part}")
                assert torch.equal(parameter, torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator))


def test_a_wider_d_leaves_g_as_it_was(tiny: Callable, game_of: Callable) -> None:
    first, wider = game_of(tiny("mlp")), game_of(tiny("mlp", {"model.discriminator.widths": [7, 30, 4]}))
    assert same_weights(first.G, wider.G)
    assert torch.equal(next(first.D.parameters()), next(wider.D.parameters())), "nor its own first layer"


@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
def test_training_leaves_the_global_stream_alone(
    architecture: str, tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    changes = {
        "objective": "wgan_gp",
        "model.initialization": "orthogonal",
        "model.generator.normalization": "batch",
        "model.generator.dropout": 0.2,
        "model.discriminator.dropout": 0.2,
    }
    config = tiny(architecture, changes)
    before = torch.get_rng_state()
    game = game_of(config)
    advance(game, 3)
    game.sample(torch.zeros(2, 3))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_stream_does_not_reach_training(tiny: Callable, game_of: Callable, advance: Callable) -> None:
    config, hashes = tiny("mlp", {"model.discriminator.dropout": 0.3}), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        hashes.append(advance(game_of(config), 3))
    assert hashes[0] == hashes[1]


def test_a_game_alone_is_the_same_as_beside_another(tiny: Callable, game_of: Callable, advance: Callable) -> None:
    config = tiny("mlp", {"objective": "wgan_gp", "model.discriminator.dropout": 0.3})
    neighbour = tiny("mlp", {"seed": 99, "model.generator.dropout": 0.5})
    alone, alone_neighbour = advance(game_of(config), 25), advance(game_of(neighbour), 75)
    hashes: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda: hashes.update(neighbour=advance(game_of(neighbour), 75))),
        threading.Thread(target=lambda: hashes.update(own=advance(game_of(config), 25))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hashes == {"own": alone, "neighbour": alone_neighbour}


@pytest.mark.parametrize("changes", [{"seed": 12}, {"data.batch_size": 9}, {"model.latent": "uniform"}])
def test_what_should_matter_matters(changes: dict, tiny: Callable, game_of: Callable, advance: Callable) -> None:
    assert advance(game_of(tiny("mlp")), 2) != advance(game_of(tiny("mlp", changes)), 2)


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("adam", torch.optim.Adam, {"lr": 0.02, "betas": (0.1, 0.9)}),
        ("rmsprop", torch.optim.RMSprop, {"lr": 0.02, "momentum": 0.3}),
        ("sgd", torch.optim.SGD, {"lr": 0.02, "momentum": 0.3}),
    ],
)
def test_optimisers_are_those_of_the_config(
    name: str, kind: type, settings: dict, tiny: Callable, game_of: Callable
) -> None:
    given = {"name": name, "lr": 0.02, "beta1": 0.1, "beta2": 0.9, "momentum": 0.3}
    game = game_of(tiny("mlp", {"optimizers.generator": given, "optimizers.discriminator.lr": 0.07}))
    discriminator, generator = game.players
    assert isinstance(generator.optimizer, kind)
    (group,) = generator.optimizer.param_groups
    assert settings.items() <= group.items()
    assert discriminator.optimizer.param_groups[0]["lr"] == 0.07
    for player, network in ((discriminator, game.D), (generator, game.G)):
        held = {id(p) for group in player.optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in network.parameters()}


# --- streams and noise ---


def test_seeds_are_a_hash_of_seed_and_purpose() -> None:
    import hashlib

    expected = int.from_bytes(hashlib.blake2b(b"5/data/3", digest_size=8).digest(), "big") // 2
    assert derive_seed(5, "data", 3) == expected
    purposes = [("z",), ("penalties",), ("data", 0), ("data", 1), ("init", "G", "0.weight"), ("init", "D", "0.weight")]
    seeds = {derive_seed(seed, *purpose) for seed in range(50) for purpose in purposes}
    assert len(seeds) == 50 * len(purposes)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_streams_of_one_purpose_begin_the_same_and_move_apart() -> None:
    streams = Streams(3)
    first, again, other = streams.generator("z"), streams.generator("z"), streams.generator("penalties")
    draws = [torch.rand(4, generator=generator) for generator in (first, again, other)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_the_prior_of_z() -> None:
    from scipy import stats

    generator = Streams(0).generator("z")
    normal, uniform = Latent(5, "normal")(4000, generator), Latent(5, "uniform")(4000, generator)
    assert normal.shape == uniform.shape == (4000, 5)
    assert stats.kstest(normal.flatten().numpy(), "norm").pvalue > 0.005
    assert stats.kstest((uniform.flatten().numpy() + 1) / 2, "uniform").pvalue > 0.005
    assert uniform.abs().max() <= 1
