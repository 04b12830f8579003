"""What goes together: every pair of entries and options plays a round or is refused, and no refusal is without a reason."""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from gan_core.about import About
from gan_core.config import OBJECTIVES, TRICKS, ConfigError, RunConfig, flatten
from gan_core.config.gan.objectives import Recipe
from gan_core.engine import catalogue, describe
from gan_core.losses import LOSSES, AdversarialLoss
from gan_core.models.minibatch import BatchStatistic, MinibatchStddev
from gan_core.regularizers import PENALTIES
from gan_core.training import build, explain, load_source, play, resolve, take_turn

Changes = dict[str, Any]
CONDITIONS = ("concatenation", "embedding", "projection", "ac_gan")

CHOICES: dict[str, Changes] = {
    **{f"objective {name}": {"objective": name} for name in OBJECTIVES},
    **{
        f"loss {name}": {"objective.loss": name}
        for name in ("minimax", "wasserstein", "energy", "boundary_equilibrium")
    },
    **{f"penalty {name}": {f"objective.penalties.{name}": penalty.default} for name, penalty in PENALTIES.items()},
    **{f"trick {name}": flatten(trick.settings) for name, trick in TRICKS.items()},
    **{f"D {norm} norm": {"model.discriminator.normalization": norm} for norm in ("batch", "layer", "instance")},
    "G batch norm": {"model.generator.normalization": "batch"},
    "G spectral norm": {"model.generator.spectral_norm": True},
    "dropout": {"model.generator.dropout": 0.2, "model.discriminator.dropout": 0.2},
    "clipping": {"objective.clip_value": 0.01},
    "features added": {"tricks.feature_matching": "added"},
    "packs of all": {"model.discriminator.packing": 8},
    "packs of three": {"model.discriminator.packing": 3},
    "moments of a batch": {"model.discriminator.packing": 8, "model.discriminator.summary": "moments"},
    "squares of pairs": {"model.discriminator.packing": 2, "model.discriminator.summary": "squared_differences"},
    "moments of one": {"model.discriminator.summary": "moments"},
    "stddev in threes": {"model.discriminator.minibatch_stddev": 3},
    "rmsprop": {"optimizers.discriminator.name": "rmsprop", "optimizers.generator.name": "rmsprop"},
    "sgd": {"optimizers.discriminator.name": "sgd", "optimizers.discriminator.momentum": 0.9},
    **{f"condition {kind}": {"model.condition": kind} for kind in CONDITIONS},
}
PLACES: dict[str, tuple[str, str]] = {
    "ring mlp": ("mlp", "ring"),
    "line mlp": ("mlp", "gaussian"),
    "digits mlp": ("mlp", "mnist5k"),
    "small digits": ("mlp", "digits8"),
    "digits dcgan": ("dcgan", "mnist5k"),
}
# A word of each reason for which a pair may be refused; each has its proof below.
REASONS = {
    "per sample": "batch norm and a penalty per sample",
    "clipped weights": "clipping and a slope to reach",
    "own size": "clipping and spectral norm",
    "for ever": "an error needs an autoencoder",
    "never positive": "labels need a score that can be positive",
    "told about the minibatch": "an autoencoder has no head",
    "nothing else": "BEGAN has no place for a penalty",
    "has no labels": "smoothing and flipping need labels",
    "into packs": "packs divide the batch",
    "sum up": "one sample has no company in its pack",
    "into groups": "groups divide the batch",
    "single one": "one pack has no company",
    "look ahead to": "unrolling needs the adversarial loss",
    "feature maps": "instance norm needs images",
    "without labels": "a condition needs labels",
    "nothing to rebuild": "an autoencoder takes no class",
    "is told one": "a pack has several classes",
    "only pictures": "augmentation is of pictures",
    "no boundary": "an adaptive share counts what D calls real",
}


def config_of(place: str, *names: str) -> RunConfig:
    """The choices on tiny networks, an objective before everything else, as it brings values of its own."""
    architecture, dataset = PLACES[place]
    changes: Changes = {}
    for name in sorted(names, key=lambda name: not name.startswith("objective")):
        changes |= CHOICES[name]
    tiny = {
        "data.name": dataset,
        "data.batch_size": 8,
        "model.latent_dim": 3,
        "model.generator.architecture": architecture,
        "model.generator.widths": [4, 3],
        "model.discriminator.architecture": architecture,
        "model.discriminator.widths": [3, 4],
        "device": "cpu",
    }
    config = RunConfig().replace({**tiny, **changes})
    if config.model.discriminator.minibatch_kernels:
        config = config.replace({"model.discriminator.minibatch_kernels": 3})
    return config.replace({"tricks.unrolled_steps": 2}) if config.tricks.unrolled_steps else config


def plays_or_is_refused(config: RunConfig) -> bool:
    """One round with finite numbers under the declared names; else False, and every reason is one of the known."""
    fatal = [problem for problem in explain(config) if problem.fatal]
    if fatal:
        for problem in fatal:
            assert sum(word in problem.message for word in REASONS) == 1, problem
            assert "choose" in problem.message, problem
        with pytest.raises(ConfigError) as caught:
            resolve(config)
        assert caught.value.problems == tuple(fatal)
        return False
    resolved = resolve(config)
    for turn in play(build(resolved, load_source(resolved))):
        assert tuple(turn.values) == turn.player.columns
        for name, value in turn.values.items():
            assert math.isfinite(value.item()), name
        if turn.ends_round:
            break
    labels = describe(resolved)["labels"]
    assert {f"{turn.player.name}.{term}" for term in turn.player.terms} - set(labels) <= {"G.adv"}
    return True


@pytest.mark.parametrize("place", PLACES)
def test_each_choice_by_itself(place: str) -> None:
    played = {name for name in CHOICES if plays_or_is_refused(config_of(place, name))}
    alone = {"loss energy", "loss boundary_equilibrium", "packs of three", "stddev in threes", "moments of one"}
    maps = set() if place == "digits dcgan" else {"D instance norm"}
    classes = set() if "digits" in place else {f"condition {kind}" for kind in CONDITIONS}
    pictures = set() if "digits" in place else {"trick diffaugment", "trick adaptive_augmentation"}
    assert set(CHOICES) - played == alone | maps | classes | pictures


@pytest.mark.parametrize("first", CHOICES)
def test_each_pair_of_choices(first: str) -> None:
    for second in CHOICES:
        if first < second:
            try:
                plays_or_is_refused(config_of("ring mlp", first, second))
            except Exception as error:
                error.add_note(f"{first} with {second}")
                raise


@pytest.mark.parametrize("kind", CONDITIONS)
def test_each_choice_with_classes(kind: str) -> None:
    """Only what has no place for one label per sample is refused."""
    played = {name for name in CHOICES if plays_or_is_refused(config_of("small digits", name, f"condition {kind}"))}
    packed = {name for name, changes in CHOICES.items() if changes.get("model.discriminator.packing", 1) > 1}
    rebuilding = {"trick autoencoder", "objective began", "objective ebgan"}
    alone = {"loss energy", "loss boundary_equilibrium", "stddev in threes", "D instance norm", "moments of one"}
    assert set(CHOICES) - played == packed | rebuilding | alone


def test_every_reason_is_met_by_some_pair() -> None:
    met = set()
    for place, (first, second) in itertools.product(("ring mlp",), itertools.combinations(CHOICES, 2)):
        for problem in explain(config_of(place, first, second)):
            met |= {word for word in REASONS if problem.fatal and word in problem.message}
    assert met == set(REASONS)


# --- why what is refused must not be played ---


def test_a_condition_needs_labels(unchecked: Callable) -> None:
    """A projection onto no class at all has no weight to begin with."""
    with pytest.raises(IndexError):
        unchecked({"model.condition": "projection"})


def test_what_is_spelled_has_parts() -> None:
    config = RunConfig().replace({"data.name": "digits8", "model.condition": "spelled"})
    fatal = [problem.message for problem in explain(config) if problem.fatal]
    assert len(fatal) == 1
    assert "no parts that could be spelled; choose" in fatal[0]
    assert not any(problem.fatal for problem in explain(config.replace({"data.name": "stacked"})))


def test_an_autoencoder_takes_no_class(unchecked: Callable) -> None:
    autoencoder = {"model.discriminator.output": "reconstruction", "objective.loss": "energy"}
    game = unchecked({"data.name": "digits8", "model.condition": "projection", **autoencoder})
    with pytest.raises(ValueError, match="unconditional"):
        take_turn(game, game.players[0])


def test_a_pack_has_several_classes(unchecked: Callable) -> None:
    changes = {"data.name": "digits8", "model.condition": "concatenation", "model.discriminator.packing": 2}
    game = unchecked(changes)
    with pytest.raises(RuntimeError):
        take_turn(game, game.players[0])


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch, tiny: Callable, game_of: Callable) -> Callable:
    """A game of a config that would be refused."""
    module = importlib.import_module("gan_core.training.build")
    monkeypatch.setattr(module, "explain", lambda config: [])
    return lambda changes, architecture="mlp": game_of(tiny(architecture, changes))


def test_batch_norm_and_a_penalty_per_sample(unchecked: Callable) -> None:
    """The logit of one sample has a slope in another: ∇ of the sum is no sample's own slope."""
    game = unchecked({"objective": "wgan_gp", "model.discriminator.normalization": "batch"})
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    (slope,) = torch.autograd.grad(game.D(x)[0], x)
    assert slope[1:].abs().max() > 1e-4


def test_clipping_and_a_slope_to_reach(unchecked: Callable) -> None:
    """With weights within ±0.01 the slope stays near 0 and the penalty near λ, whatever D learns."""
    game = unchecked({"objective": "wgan_gp", "objective.clip_value": 0.01, "optimizers.discriminator.lr": 0.01})
    for _ in range(100):
        values = take_turn(game, game.players[0])
    assert values["gp"] > 9.9


def test_clipping_and_spectral_norm(unchecked: Callable) -> None:
    """Raw weights a thousand times smaller make the same D: a bound on them is no bound on D."""
    game = unchecked({"objective": "hinge", "objective.clip_value": 0.01})
    game.D.eval()
    x = torch.ones(3, 2)
    before = game.judge(x)
    with torch.no_grad():
        for name, parameter in game.D.named_parameters():
            if name.endswith("original"):
                parameter.mul_(0.001)
    torch.testing.assert_close(game.judge(x), before, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.output == "error"])
def test_an_error_needs_an_autoencoder(name: str) -> None:
    """With errors, logits at most 0, D's loss has a bound where the generated ones are worthless; with logits it has none."""
    loss, worthless = LOSSES[name], torch.full((4,), -1.0)
    assert loss.d_loss(torch.zeros(4), worthless) >= -1
    assert loss.d_loss(torch.full((4,), 1e6), worthless) < -9e5


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.labels])
def test_labels_need_a_score_that_can_be_positive(name: str, unchecked: Callable) -> None:
    game = unchecked({"objective.loss": name, "model.discriminator.output": "reconstruction"})
    for _ in range(50):
        values = take_turn(game, game.players[0])
    assert values["accuracy_real"] == 0


def test_an_autoencoder_has_no_head(unchecked: Callable) -> None:
    game = unchecked({"objective": "ebgan", "model.discriminator.minibatch_stddev": 4})
    assert not any(isinstance(module, BatchStatistic) for module in game.D.modules())


def test_began_has_no_place_for_a_penalty(unchecked: Callable) -> None:
    """D would no longer minimise L(x) − k L(x̂), from which k is steered."""
    game = unchecked({"objective": "began", "objective.penalties": {"gradient_penalty": 10.0}})
    values = take_turn(game, game.players[0])
    assert values["loss"] > values["adv"] + 0.1


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if not loss.labels and loss.output == "score"])
def test_smoothing_and_flipping_need_labels(name: str, unchecked: Callable) -> None:
    """Smoothing would silently do nothing."""
    values = [
        take_turn(game, game.players[0])["adv"]
        for game in (unchecked({"objective.loss": name, "tricks.label_smoothing": s}) for s in (0.0, 0.3))
    ]
    assert values[0] == values[1]


def test_flipping_a_critics_scores_only_shrinks_them(unchecked: Callable) -> None:
    game = unchecked({"objective.loss": "wasserstein", "tricks.label_flipping": 0.25})
    real, fake = torch.full((40_000,), 3.0), torch.full((40_000,), 1.0)
    assert game._d_adversarial(real, fake).item() == pytest.approx((1 - 2 * 0.25) * -2.0, abs=0.05)


def test_packs_divide_the_batch(unchecked: Callable) -> None:
    game = unchecked({"model.discriminator.packing": 3})
    with pytest.raises(RuntimeError):
        take_turn(game, game.players[0])


def test_one_sample_has_no_company_in_its_pack(unchecked: Callable) -> None:
    """D would be shown the sample itself under the name of its moments."""
    game = unchecked({"model.discriminator.summary": "moments"})
    x = torch.rand(8, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(game._seen(x), x)


def test_groups_divide_the_batch(unchecked: Callable) -> None:
    """A group of three in a batch of eight would silently be a group of eight."""
    game = unchecked({"model.discriminator.minibatch_stddev": 3})
    (layer,) = (module for module in game.D if isinstance(module, MinibatchStddev))
    h = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    assert len(layer.measure(h).unique()) == 1


def test_one_pack_has_no_company(unchecked: Callable) -> None:
    game = unchecked({"model.discriminator.packing": 8, "model.discriminator.normalization": "batch"})
    with pytest.raises(ValueError, match="more than 1 value"):
        take_turn(game, game.players[0])
    game = unchecked({"model.discriminator.packing": 8, "model.discriminator.minibatch_kernels": 3})
    (layer,) = (module for module in game.D if isinstance(module, BatchStatistic))
    assert not layer.measure(torch.ones(1, 4)).any()


def test_unrolling_needs_the_adversarial_loss(unchecked: Callable) -> None:
    """G's gradient would be the same with and without, at the price of the steps."""
    norms = []
    for steps in (0, 5):
        game = unchecked({"tricks.feature_matching": "instead", "tricks.unrolled_steps": steps})
        norms.append(take_turn(game, game.players[1])["grad_norm"])
    assert norms[0] == norms[1]


def test_instance_norm_needs_images(unchecked: Callable) -> None:
    with pytest.raises(ValueError, match="feature maps"):
        unchecked({"model.discriminator.normalization": "instance"})


# --- options, advice ---


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        (
            {"objective": "ebgan", "objective.options": {"margn": 1.0}},
            "objective.options.margn",
            "did you mean 'margin'",
        ),
        (
            {"objective": "ebgan", "objective.options": {"margin": 0.0}},
            "objective.options.margin",
            "between 0.001 and 1000",
        ),
        ({"objective.options": {"margin": 1.0}}, "objective.options.margin", "it has no options"),
    ],
)
def test_options_of_a_loss_are_checked(changes: Changes, field: str, says: str) -> None:
    (problem,) = explain(RunConfig().replace({"data.name": "ring", **changes}))
    assert problem.field == field
    assert says in problem.message


def test_options_of_a_loss_are_filled_in_and_reach_it(tiny: Callable, game_of: Callable) -> None:
    assert tiny("mlp", {"objective": "began"}).objective.options == {"gamma": 0.5, "lambda_k": 0.001}
    game = game_of(tiny("mlp", {"objective": "ebgan", "objective.options": {"margin": 50.0}}))
    assert take_turn(game, game.players[0])["adv"] > 40


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"objective.loss": "wasserstein"}, "objective.loss"),
        ({"objective": "wgan_gp"}, "objective.penalties.gradient_penalty"),
        ({"objective": "hinge"}, "model.discriminator.spectral_gain"),
        ({"objective": "r1_gan", "model.discriminator.minibatch_stddev": 4}, "objective.penalties"),
        ({"objective": "began"}, "model.discriminator.code_dim"),
    ],
)
def test_advice_is_a_sentence_and_no_refusal(changes: Changes, field: str) -> None:
    config = RunConfig().replace({"data.name": "ring", **changes})
    (problem,) = explain(config)
    assert not problem.fatal
    assert problem.field == field
    assert len(problem.message.split()) > 8
    resolve(config)


def test_a_plain_game_needs_no_advice() -> None:
    assert explain(RunConfig().replace({"data.name": "ring"})) == []
    assert explain(RunConfig(objective="wgan_gp")) == []


# --- a new objective is one entry ---


def test_a_new_objective_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss and its recipe, and it is checked, played, described, listed and offered in the form."""
    card = About(
        title="Logistic squared",
        paper="Nobody, A loss made for a test",
        year=2026,
        formula=r"L = \mathbb{E}\,\mathrm{softplus}^2",
        idea="The square of the usual loss.",
        watch_for="Nothing in particular.",
        url="https://example.org",
    )
    loss = AdversarialLoss(
        lambda real, fake: nn.functional.softplus(-real).square().mean() + nn.functional.softplus(fake).square().mean(),
        lambda real, fake: nn.functional.softplus(-fake).square().mean(),
        card,
        "probability",
        "At equilibrium D is 2 log² 2 = 0.961.",
        {"D": 2 * math.log(2) ** 2},
    )
    optimizer = {"name": "adam", "lr": 1e-3}
    recipe = Recipe(
        card,
        {
            "objective": {"loss": "logistic_squared", "penalties": {"r1": 0.5}},
            "optimizers": {"generator": optimizer, "discriminator": optimizer},
            "schedule": {"n_critic": 2, "generator_steps": 1},
        },
    )
    monkeypatch.setitem(LOSSES, "logistic_squared", loss)
    monkeypatch.setitem(OBJECTIVES, "squared_gan", recipe)
    from gan_core.ui.forms import objective_names

    for place in PLACES:
        monkeypatch.setitem(CHOICES, "objective squared_gan", {"objective": "squared_gan"})
        config = config_of(place, "objective squared_gan")
        assert config.objective.penalties == {"r1": 0.5}
        assert config.schedule.n_critic == 2
        assert plays_or_is_refused(config)
    told = describe(resolve(config))
    assert told["lines"]["D.loss"][0][0] == pytest.approx(0.961, abs=1e-3)
    choices = catalogue()
    assert choices["objectives"]["squared_gan"].about is choices["losses"]["logistic_squared"].about is card
    assert objective_names()["squared_gan"] == "Logistic squared"
    with pytest.raises(ConfigError, match="did you mean 'squared_gan'"):
        RunConfig.load({"objective": "sqared_gan"})
