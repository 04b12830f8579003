"""A comparison says what differs, and only that; a wrong one is a sentence."""

from __future__ import annotations

import pytest

from gan_core.config import (
    MOST_ROUNDS,
    TEMPLATES,
    Comparison,
    ConfigError,
    RunConfig,
    diff,
    differences_of,
    flatten,
    of_a_game,
    parse_budget,
    parse_seeds,
    parse_vary,
    preset_config,
    story_of,
)
from gan_core.config.comparison import MEASUREMENTS, MOST_VARIANTS
from gan_core.config.fields import Network
from gan_core.training import resolve

BASE = {"data": {"name": "ring"}, "objective": "ns_gan"}
TWO = [{"name": "NS", "changes": {}}, {"name": "WGAN GP", "changes": {"objective": "wgan_gp"}}]


def duel(**changes: object) -> Comparison:
    return Comparison.load({"base": BASE, "variants": TWO, "seeds": [0, 1], **changes})


def test_it_survives_json() -> None:
    comparison = duel(rounds=300)
    assert Comparison.from_json(comparison.to_json()) == comparison


def test_runs_come_seed_after_seed_and_differ_in_what_was_asked() -> None:
    comparison = duel(rounds=300)
    configs = comparison.configs()
    assert list(configs) == [("NS", 0), ("WGAN GP", 0), ("NS", 1), ("WGAN GP", 1)]
    assert all(config.schedule.rounds == 300 for config in configs.values())
    assert set(diff(configs["NS", 0], configs["NS", 1])) == {"seed"}
    expected = RunConfig.load(BASE).replace({"objective": "wgan_gp", "schedule.rounds": 300, "diagnostics.budget": 1.0})
    assert configs["WGAN GP", 0] == expected


@pytest.mark.parametrize(
    ("rounds", "wish", "every"), [(300, 100, 100), (100_000, 100, 2500), (300, 10, 10), (300, 1, 8)]
)
def test_all_are_measured_at_the_same_rounds_and_not_too_often(rounds: int, wish: int, every: int) -> None:
    comparison = duel(base={**BASE, "diagnostics": {"every": wish}}, rounds=rounds)
    for config in comparison.configs().values():
        assert (config.diagnostics.every, config.diagnostics.budget) == (every, 1.0)
        assert config.schedule.rounds / config.diagnostics.every <= MEASUREMENTS


@pytest.mark.parametrize(("images", "rounds"), [(64_000, (1000, 200)), (64_001, (1001, 201)), (1, (1, 1))])
def test_as_many_images_take_fewer_rounds_where_d_sees_more_of_them(images: int, rounds: tuple[int, int]) -> None:
    comparison = duel(images=images)
    played = comparison.config("NS", 0), comparison.config("WGAN GP", 0)  # one and five D steps, 64 images each
    assert tuple(config.schedule.rounds for config in played) == rounds
    apart = [config.diagnostics.every * config.images_per_round for config in played]
    assert apart == [6400, 6400], "they are measured when D has seen as many"
    brought = {d.field for d in differences_of(comparison) if not d.asked}
    assert brought == {d.field for d in differences_of(duel()) if not d.asked}, "other rounds are what was asked for"
    often = duel(images=10_000_000).config("WGAN GP", 0)
    assert often.schedule.rounds / often.diagnostics.every <= MEASUREMENTS


def test_a_budget_in_seconds_takes_no_rate_that_goes_with_rounds() -> None:
    config = duel(seconds=1.5).config("WGAN GP", 1)
    assert (config.schedule.seconds, config.schedule.rounds) == (1.5, MOST_ROUNDS)
    falling = [TWO[0], {"name": "falling", "changes": {"optimizers.generator.lr_schedule": "linear"}}]
    with pytest.raises(ConfigError, match=r"generator\.lr_schedule: .* not in seconds \(in 'falling'"):
        duel(variants=falling, seconds=1.5)


@pytest.mark.parametrize(
    ("text", "budget"),
    [("rounds=3000", {"rounds": 3000}), ("images = 2e5", {"images": 200_000}), ("seconds=0.5", {"seconds": 0.5})],
)
def test_budgets(text: str, budget: dict) -> None:
    assert parse_budget(text) == budget
    assert duel(**budget).config("NS", 0)


@pytest.mark.parametrize("text", ["", "3000", "minutes=3", "rounds=", "rounds=many", "base=3"])
def test_a_wrong_budget_is_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="--budget"):
        parse_budget(text)


def test_what_a_recipe_brings_is_told_from_what_was_asked() -> None:
    found = {difference.field: difference for difference in differences_of(duel())}
    assert found["objective.loss"].asked
    assert found["objective.penalties.gradient_penalty"].asked
    assert found["objective.penalties.gradient_penalty"].values == {"NS": None, "WGAN GP": 10.0}
    brought = {field for field, difference in found.items() if not difference.asked}
    assert brought == {
        *("schedule.n_critic", "optimizers.generator.lr", "optimizers.generator.beta1", "optimizers.generator.beta2"),
        *("optimizers.discriminator.lr", "optimizers.discriminator.beta1", "optimizers.discriminator.beta2"),
    }
    only = duel(variants=[{"name": "1", "changes": {}}, {"name": "5", "changes": {"schedule.n_critic": 5}}])
    assert [(d.field, d.values, d.asked) for d in differences_of(only)] == [
        ("schedule.n_critic", {"1": 1, "5": 5}, True)
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"variants": TWO[:1]}, "variants: only 1 is there, at least 2 are needed; add another"),
        ({"variants": [TWO[0], TWO[0]]}, "the variant 'NS' stands there twice"),
        (
            {"variants": [{"name": str(i)} for i in range(MOST_VARIANTS + 1)]},
            "at most 8 items can be taken; take some out",
        ),
        ({"seeds": [1, 1]}, "the seed 1 stands there twice"),
        ({"seeds": []}, "seeds: .. is empty, at least 1 is needed; add one"),
        ({"seeds": [-1]}, "seed: -1 must be at least 0"),
        ({"variants": [{"name": str(i)} for i in range(8)], "seeds": list(range(13))}, "104 runs; at most 100"),
        ({"variants": [TWO[0], {"name": "x", "changes": {"seed": 4}}]}, "'x' changes the seed"),
        ({"variants": [TWO[0], {"name": "x", "changes": {"objective": "wgn"}}]}, "'wgan'.*in 'x'"),
        ({"variants": [TWO[0], {"name": "x", "changes": {"shedule.rounds": 4}}]}, "'schedule'.*in 'x'"),
        ({"varants": []}, "did you mean 'variants'"),
        ({"rounds": 0}, "rounds: 0 must be at least 1"),
        ({"seconds": 0}, "seconds: 0 must be"),
        ({"images": 1.5}, "images: 1.5 "),
        ({"rounds": 5, "seconds": 5}, "in one unit, not in rounds and in seconds"),
    ],
)
def test_a_wrong_one_is_a_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        duel(**changes)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"base": 1, "base": 2}'])
def test_a_file_of_something_else_is_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError):
        Comparison.from_json(text)


def test_vary_reads_words_numbers_and_lists() -> None:
    assert [(v.name, v.changes) for v in parse_vary("objective=ns_gan,wgan_gp")] == [
        ("ns_gan", {"objective": "ns_gan"}),
        ("wgan_gp", {"objective": "wgan_gp"}),
    ]
    (narrow, wide) = parse_vary("model.generator.widths=[64],[64, 64]")
    assert (narrow.changes, wide.changes) == ({"model.generator.widths": [64]}, {"model.generator.widths": [64, 64]})
    every = parse_vary(["schedule.n_critic=1,5", "optimizers.generator.lr=0.001,0.0001"])
    assert [v.name for v in every][:2] == ["n_critic 1, G's lr 0.001", "n_critic 1, G's lr 0.0001"]
    assert every[3].changes == {"schedule.n_critic": 5, "optimizers.generator.lr": 0.0001}


@pytest.mark.parametrize("text", ["objective", "=ns_gan", "objective=", ""])
def test_vary_of_another_form_is_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="key=value,value"):
        parse_vary(text)


@pytest.mark.parametrize(("text", "seeds"), [("0-4", (0, 1, 2, 3, 4)), ("7", (7,)), ("0-2, 9", (0, 1, 2, 9))])
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3-1", "1-", "-1", "0-99999999", "0;1", "٣"])
def test_wrong_seeds_are_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="--seeds"):
        parse_seeds(text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_can_be_trained_and_varies_only_what_it_says(name: str) -> None:
    template = TEMPLATES[name]
    comparison = template.comparison(preset_config(template.preset), [0])
    for config in comparison.configs().values():
        resolve(config)
    found = differences_of(comparison)
    assert found
    assert any(difference.asked for difference in found)
    if name != "table-1":
        assert all(difference.asked for difference in found)
    assert template.question.endswith("?")


def test_the_story_of_changes_is_short() -> None:
    assert story_of({}) == story_of({"schedule.rounds": 5}) == "unchanged"
    assert story_of({"objective": "wgan_gp", "optimizers.generator.lr": 0.00010}) == "wgan_gp, G's lr 0.0001"
    assert story_of({"objective.penalties": {"r1": 0.5}}) == "penalties r1 0.5"
    assert story_of({"objective.penalties": {}}) == "penalties none"


@pytest.mark.parametrize("preset", ["digits-dcgan", "digits-vae", "digits-autoencoder", "ring-mlp"])
def test_three_games_share_decoder_encoder_and_length_of_the_code(preset: str) -> None:
    base = preset_config(preset)
    comparison = TEMPLATES["games"].comparison(base, [3])
    configs = {name: resolve(config) for (name, _), config in comparison.configs().items()}
    assert {name: config.game for name, config in configs.items()} == {
        "GAN": "gan",
        "VAE": "vae",
        "Autoencoder": "autoencoder",
    }
    for roles in (("G", "Dec"), ("D", "E")):
        layers = [next(c.networks[role] for role in roles if role in c.networks) for c in configs.values()]
        alike = [[getattr(one, name) for name in Network.model_fields] for one in layers]
        assert alike[0] == alike[1] == alike[2]
    settings = [flatten(config.to_dict()) for config in configs.values()]
    assert len({one.get("model.latent_dim", one.get("model.code_dim")) for one in settings}) == 1
    for key in ("data.name", "data.batch_size", "seed", "schedule.rounds", "diagnostics.every", "diagnostics.samples"):
        assert len({one[key] for one in settings}) == 1, key
    (same,) = (name for name, config in configs.items() if config.game == base.game)
    assert next(variant.changes for variant in comparison.variants if variant.name == same) == {}


def test_what_a_game_consists_of_is_told_from_what_else_differs() -> None:
    found = differences_of(duel(variants=[{"name": "a", "changes": {}}, {"name": "b", "changes": {"game": "vae"}}]))
    of = {difference.field for difference in found if of_a_game(difference, found)}
    assert {"objective.loss", "model.latent_dim", "elbo.beta", "optimizer.lr"} <= of
    assert all(difference.asked for difference in found if difference.field in of)
    assert "game" not in of
    changed = duel(
        variants=[
            {"name": "a", "changes": {}},
            {"name": "b", "changes": {"game": "vae", "model.initialization": "orthogonal"}},
            {"name": "c", "changes": {"game": "autoencoder"}},
        ]
    )
    (began,) = (difference for difference in differences_of(changed) if difference.field == "model.initialization")
    assert not of_a_game(began, differences_of(changed))
