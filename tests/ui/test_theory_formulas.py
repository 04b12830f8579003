"""The algebra of the Theory page is that of its pictures: every formula is read and compared with what the engine computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from formulas import value
from scipy.special import ndtri

from gan_core.engine.library.loss_curves import loss_curves
from gan_core.engine.theory import (
    DIRAC_LOSSES,
    DIRAC_PENALTIES,
    DiracRules,
    checkerboard,
    collapse_nats,
    expected_error,
    pca_errors,
    right_pairs,
    separation,
    sweep,
)
from gan_core.engine.theory.dirac import DiracGame
from gan_core.losses import LOSSES
from gan_core.ui import theory_formulas as printed
from gan_core.ui.theory_tabs import CURES

DOUBLE = torch.float64
REAL_STD, FAKE_STD, THETA = 1.0, 0.6, 1.3
QUANTILES = ndtri((np.arange(40_000) + 0.5) / 40_000)


def density(mean: float, std: float):
    return lambda x: torch.exp(-((x - mean) ** 2) / (2 * std**2)) / (std * np.sqrt(2 * np.pi))


REAL, FAKE = density(0.0, REAL_STD), density(THETA, FAKE_STD)
NAMES = {
    "x": torch.tensor(REAL_STD * QUANTILES),
    r"\hat x": torch.tensor(THETA + FAKE_STD * QUANTILES),
    "p_d": REAL,
    "p_g": FAKE,
    "m": lambda x: (REAL(x) + FAKE(x)) / 2,
}


def test_the_push_of_the_two_losses_of_2014() -> None:
    logits = torch.linspace(-6, 6, 25, dtype=DOUBLE, requires_grad=True)
    names = {"l": logits, "D": torch.sigmoid, "G": lambda z: z, "z": logits}
    for text, loss in zip(printed.SATURATION.split(r"\qquad"), ("minimax", "non_saturating"), strict=True):
        slope, *same = text.split("=")
        minus, _, price = slope.strip().partition(r"-\tfrac{d}{dl} ")
        assert minus == ""
        (pushed,) = torch.autograd.grad(-value(price, names).sum(), logits)
        computed = -torch.tensor(loss_curves(loss, logits.detach().numpy())["G_slope"])
        assert torch.allclose(pushed, computed)
        assert len(same) == 2
        for expression in same:
            assert torch.allclose(value(expression, names).detach(), computed)


def test_the_best_d_and_what_the_game_is_then_worth() -> None:
    xs = np.linspace(-4, 5, 50)
    best = value(printed.BEST_D.partition("=")[2], {**NAMES, "x": torch.tensor(xs)})
    np.testing.assert_allclose(best, separation(THETA, REAL_STD, FAKE_STD, xs).D, rtol=1e-9)
    numbers = sweep([THETA], REAL_STD, FAKE_STD)
    names = {**NAMES, "JS": lambda p, q: torch.tensor(numbers.js[0])}
    expression = printed.VALUE.rpartition("=")[2]
    assert float(value(expression, names)) == pytest.approx(numbers.value[0], rel=1e-9)
    d = value(printed.BEST_D.partition("=")[2], NAMES)
    d_fake = value(printed.BEST_D.partition("=")[2], {**NAMES, "x": NAMES[r"\hat x"]})
    assert (d.log().mean() + (1 - d_fake).log().mean()).item() == pytest.approx(numbers.value[0], abs=1e-4)


def test_js_and_the_wasserstein_distance() -> None:
    numbers = sweep([THETA], REAL_STD, FAKE_STD)
    js = value(printed.JS.partition("=")[2], NAMES)
    assert js.item() == pytest.approx(numbers.js[0], abs=1e-4)
    assert printed.MIDDLE == r"m = \tfrac{1}{2} (p_d + p_g)"
    supremum, _, expression = printed.WASSERSTEIN.partition("=")[2].partition(r"\lVert f \rVert_L \le 1}")
    assert supremum.strip() == r"\max_{"
    xs = np.linspace(-12, 12, 20_001)
    critic = separation(THETA, REAL_STD, FAKE_STD, xs).critic

    def gain(f) -> float:
        return float(value(expression, {**NAMES, "f": f}))

    best = gain(lambda x: torch.tensor(np.interp(x.numpy(), xs, critic)))
    assert best == pytest.approx(numbers.wasserstein[0], abs=1e-3)
    for other in (torch.sin, torch.abs, lambda x: -x, lambda x: x / 2):
        assert gain(other) < best


PLACES = [(0.7, -1.3), (-1.1, 0.4), (1.6, 1.9), (-0.3, -0.8)]


@pytest.mark.parametrize("added", ["", *DIRAC_PENALTIES])
@pytest.mark.parametrize("loss", DIRAC_LOSSES)
def test_the_field_of_the_dirac_gan(loss: str, added: str) -> None:
    right, up = printed.DIRAC[loss]
    up += printed.DIRAC_ADDED.get(added, "")
    assert bool(added) == (up != printed.DIRAC[loss][1])
    game = DiracGame(DiracRules(loss, penalty=added, weight=0.6), 0.0, 0.0)
    for theta, psi in PLACES:
        names = {"theta": torch.tensor(theta, dtype=DOUBLE), "psi": torch.tensor(psi, dtype=DOUBLE)}
        names |= {"gamma": 0.6, "lambda": 0.6}
        along = (value(right, names).item(), value(up, names).item())
        assert along == pytest.approx(game.velocity(theta, psi), abs=1e-9)


def test_every_choice_of_the_tab_has_a_formula() -> None:
    assert set(printed.DIRAC) == set(DIRAC_LOSSES)
    assert set(printed.DIRAC_ADDED) == set(DIRAC_PENALTIES)
    for cure in CURES:
        for simultaneous in (True, False):
            text = printed.dirac("minimax", cure, simultaneous=simultaneous)
            assert text.count("{") == text.count("}")
            assert printed.DIRAC_ADDED.get(cure, "") in text


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_how_many_inputs_reach_a_pixel(size: int, stride: int) -> None:
    names = {"k": size, "s": stride, "i": torch.arange(2 * stride, dtype=DOUBLE)}
    counted = value(printed.OVERLAP.partition("=")[2], names).numpy()
    np.testing.assert_array_equal(np.outer(counted, counted), checkerboard(size, stride).overlap)
    assert (counted.min() == counted.max()) == (size % stride == 0)


def test_algorithm_1_moves_both_players_along_the_losses_of_2014() -> None:
    stream = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(9, generator=stream, dtype=DOUBLE) for _ in range(2))
    names = {"x": real, "z": fake, "G": lambda z: z, "D": torch.sigmoid, "m": 9.0}
    loss = LOSSES["minimax"]
    assert value(printed.ASCENT, names).item() == pytest.approx(-loss.d_loss(real, fake).item())
    assert value(printed.DESCENT, names).item() == pytest.approx(loss.g_loss(real, fake).item())
    assert printed.ASCENT in printed.ALGORITHM_1.partition("ascending")[2].partition("descending")[0]
    assert printed.DESCENT in printed.ALGORITHM_1.partition("descending")[2]


def test_the_nats_of_a_dimension() -> None:
    eigenvalues = np.array([20.0, 5.0, 0.4])
    names = {"lambda_j": torch.tensor(eigenvalues), "beta": 4.0, "sigma": 0.5}
    printed_nats = value(printed.COLLAPSE.partition("=")[2], names)
    np.testing.assert_allclose(printed_nats, collapse_nats(eigenvalues, 4.0, 0.25), rtol=1e-12)
    assert printed_nats[2] == 0


def test_what_the_principal_components_leave() -> None:
    x = np.random.default_rng(0).standard_normal((50, 6)) * np.arange(1, 7)
    left = np.sort(np.linalg.eigvalsh(np.cov(x.T, bias=True)))[-3::-1].copy()
    names = {"d": 6.0, "lambda_j": torch.tensor(left)}
    printed_error = value(printed.LEFT_BY_PCA.partition("MSE} =")[2], names)
    assert printed_error.item() == pytest.approx(pca_errors(x, x, (2,))[0])


@pytest.mark.parametrize("error", printed.PIXEL_ERRORS)
def test_what_a_guess_for_a_pixel_costs(error: str) -> None:
    guesses = torch.linspace(0.01, 0.99, 25, dtype=DOUBLE)
    cost = value(printed.PIXEL_ERRORS[error], {"p": torch.tensor(0.3, dtype=DOUBLE), "a": guesses})
    np.testing.assert_allclose(cost, expected_error(error, 0.3, guesses.numpy()), rtol=1e-12)
    assert printed.PIXEL_ERRORS[error] in printed.PIXEL


def test_the_best_d_of_pairs_and_what_it_makes_the_game_worth() -> None:
    game = right_pairs(4, 3)
    tables = {"p_E": torch.tensor(game.p_E), "p_G": torch.tensor(game.p_G)}
    names: dict[str, object] = {name: lambda x, z, table=table: table for name, table in tables.items()}
    best = value(printed.BEST_D_OF_PAIRS.partition("=")[2], {**names, "x": 0, "z": 0})
    np.testing.assert_allclose(best, game.D)
    m = (game.p_E + game.p_G) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        js = sum(np.nansum(p * np.log(p / m)) for p in (game.p_E, game.p_G)) / 2
    worth = value(printed.VALUE_OF_PAIRS.rpartition("=")[2], {**tables, "JS": lambda p, q: torch.tensor(js)})
    assert float(worth) == pytest.approx(game.value)
