"""A new objective is one entry: with it in the registry every contract, the form, the Library and a run take it.

The entry is made here and is in no file of the project: the Pearson χ² divergence of f-GAN (Nowozin et al. 2016, table 2),
with a loss of its own and R1.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import Tensor

import gan_core.engine
from gan_core import train
from gan_core.about import About
from gan_core.cli import main
from gan_core.config import OBJECTIVES, PRESETS, TRICKS, Recipe, preset_config
from gan_core.engine import Lab, beginning_with, card, catalogue
from gan_core.losses import LOSSES, AdversarialLoss
from gan_core.training import resolve

TESTS = Path(__file__).resolve().parent
LOSS, NAME = "pearson", "pearson_gan"
ABOUT = About(
    title="f-GAN, Pearson χ²",
    paper="Nowozin, Cseke, Tomioka, f-GAN, table 2",
    year=2016,
    formula=r"L_D = -\mathbb{E}\,T(x) + \mathbb{E}\,(\tfrac14 T(\hat x)^2 + T(\hat x))",
    idea="D's optimum is twice the density ratio less two, so it is 0 where the two densities agree.",
    watch_for="Squares punish a large score of a generated sample.",
    url="https://arxiv.org/abs/1606.00709",
)


def _as_real(logits: Tensor) -> Tensor:
    return -logits.mean()


def _as_fake(logits: Tensor) -> Tensor:
    return (logits.square() / 4 + logits).mean()


def pearson_d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return _as_real(real_logits) + _as_fake(fake_logits)


def pearson_g(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return -_as_fake(fake_logits)


_RATES = {"name": "adam", "lr": 1e-3, "beta1": 0.5, "beta2": 0.9}


@pytest.fixture(autouse=True)
def entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss and the objective, each one entry of its registry."""
    loss = AdversarialLoss(
        pearson_d,
        pearson_g,
        ABOUT,
        "score",
        "Minus D's loss estimates the Pearson χ² divergence: at equilibrium both losses are 0.",
        {"D": 0.0, "G": 0.0},
        labels=(_as_real, _as_fake),
    )
    recipe = Recipe(
        ABOUT,
        {
            "objective": {"loss": LOSS, "penalties": {"r1": 0.5}},
            "optimizers": {"generator": _RATES, "discriminator": _RATES},
            "schedule": {"n_critic": 2, "generator_steps": 1},
            "model": {"discriminator": {"normalization": "none"}},
        },
    )
    monkeypatch.setitem(LOSSES, LOSS, loss)
    monkeypatch.setitem(OBJECTIVES, NAME, recipe)


def suite(path: str) -> ModuleType:
    """Another file of tests, read afresh: what it lists of the registries has the new entry in it."""
    spec = importlib.util.spec_from_file_location(f"with_a_new_objective_{Path(path).stem}", TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_contract_holds(tiny: Callable, game_of: Callable) -> None:
    contracts = suite("test_contracts.py")
    for kind, name in (("objectives", NAME), ("losses", LOSS)):
        contracts.test_a_card_is_complete(f"{kind}: {name}")
        contracts.test_keys_are_words_of_the_field(kind)
    contracts.test_terms_of_penalties_are_columns_of_their_own()
    contracts.test_a_loss_says_how_to_read_it(LOSS)
    contracts.test_a_recipe_names_only_what_exists(NAME)
    for preset in contracts.OF_GANS:
        contracts.test_every_preset_takes_every_objective(preset, NAME)
    for regularised in ("plain", "clipped", "r1"):
        contracts.test_loss_and_penalty_and_architecture_and_data_combine_freely(
            LOSS, regularised, contracts.shared_out, tiny, game_of
        )


def test_the_contracts_of_losses_hold() -> None:
    losses = suite("losses/test_adversarial_losses.py")
    losses.EQUILIBRIUM_LOGIT[LOSS] = 0.0  # with the formula the one thing that tests ask for besides: they know no loss
    for contract in (
        losses.test_swapped_arguments_change_the_value,
        losses.test_shape_does_not_matter_only_content,
        losses.test_the_mean_is_over_samples_so_repeating_a_batch_changes_nothing,
        losses.test_gradients_push_logits_the_right_way,
        losses.test_at_equilibrium_d_has_nothing_to_gain,
        losses.test_a_loss_is_pure,
        losses.test_g_sees_real_says_the_truth,
        losses.test_opinion_is_in_the_unit_that_the_loss_declares,
        losses.test_d_pays_for_real_and_for_generated_apart,
    ):
        contract(LOSS)
    with pytest.raises(AssertionError):
        losses.test_every_loss_has_its_formula_here()


def test_it_plays_with_everything_or_says_why_not() -> None:
    together = suite("training/test_compatibility.py")
    mine = f"objective {NAME}"
    assert mine in together.CHOICES
    assert together.plays_or_is_refused(together.config_of("ring mlp", mine))
    played = [
        other
        for other in together.CHOICES
        if not other.startswith(("objective", "loss"))
        and together.plays_or_is_refused(together.config_of("ring mlp", mine, other))
    ]
    of_pictures = {f"trick {name}" for name in TRICKS if "augment" in TRICKS[name].settings.get("tricks", {})}
    assert {f"trick {name}" for name in TRICKS} - set(played) <= {"trick autoencoder", *of_pictures}


def test_the_form_is_its_config() -> None:
    suite("ui/test_forms.py").test_an_untouched_form_is_its_config(NAME)


def test_pages_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Lab(tmp_path, tick=0.05) as lab:
        monkeypatch.setattr(gan_core.engine, "_current", lab)
        for page, query in (("library.py", {"part": f"objectives:{NAME}"}), ("train.py", {"objective": NAME})):
            app = AppTest.from_file(str(TESTS.parent / "pages" / "router.py"), default_timeout=60)
            app.switch_page(page)
            for name, value in query.items():
                app.query_params[name] = value
            app.run()
            assert [error.message for error in app.exception] == []
            assert not app.error
            assert ABOUT.title in [heading.value for heading in app.subheader]
        assert app.number_input(key=f"form:digits-dcgan:{NAME}:schedule.n_critic").value == 2


def test_its_card_draws_its_loss_and_shows_its_code() -> None:
    shown = card("objectives", NAME)
    assert shown.choice.about is ABOUT
    assert shown.picture is not None
    assert shown.picture.curves["D_fake"][0] == pytest.approx(64 / 4 - 8)
    assert "def pearson_d" in shown.code[0].text
    assert beginning_with("objectives", NAME) in PRESETS
    assert NAME in catalogue()["objectives"]


def test_it_trains_from_python_and_is_listed_by_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"data.batch_size": 16, "model.generator.widths": [8], "model.discriminator.widths": [8]}
    short = {"schedule.rounds": 5, "diagnostics.samples": 16, "device": "cpu"}
    config = resolve(preset_config("ring-mlp", {"objective": NAME, **small, **short}))
    result = train(config, store=tmp_path)
    assert (result.status, result.rounds) == ("finished", 5)
    assert {"D.adv", "D.r1"} <= set(result.scalars.columns)
    assert torch.tensor(result.scalars["D.loss"].to_numpy()).isfinite().all()
    assert main(["objectives", "--json"]) == 0
    assert NAME in [row["objective"] for row in json.loads(capsys.readouterr().out)]


def test_without_the_entry_nothing_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(OBJECTIVES, NAME)
    names = itertools.chain.from_iterable(catalogue().values())
    assert NAME not in list(names)
