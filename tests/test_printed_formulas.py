"""What is printed of losses, penalties and objectives is what the code computes: each formula is read and compared."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from formulas import lines_of, value
from torch import Tensor

from gan_core.config import OBJECTIVES
from gan_core.losses import LOSSES
from gan_core.regularizers import PENALTIES
from gan_core.regularizers.gradient import interpolate, perturb

N, DIM = 7, 3
WEIGHT = torch.tensor([0.7, -1.1, 0.4], dtype=torch.float64)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


X, X_FAKE = draw(1, N, DIM), 0.6 * draw(2, N, DIM) + 0.3


def rebuilt(x: Tensor) -> Tensor:
    return torch.tanh(0.5 * x + 0.2)


def logit(x: Tensor) -> Tensor:
    """A D that is no straight line, with values on both sides of every margin."""
    return 1.5 * torch.sin(x @ WEIGHT) + 0.3 * x.square().sum(1) - 0.4


def minus_error(x: Tensor) -> Tensor:
    return -(x - rebuilt(x)).abs().mean(1)


def bindings(output: str) -> dict[str, Any]:
    """What the letters of a formula mean for a loss whose D says a probability, a score, or minus an error."""
    critic = minus_error if output == "error" else logit
    judged = (lambda x: torch.sigmoid(critic(x))) if output == "probability" else critic

    def nabla(function: str, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad({"D": judged, "C": critic}[function](x).sum(), x)
        return gradient

    stream = lambda: torch.Generator().manual_seed(5)  # noqa: E731
    alpha = torch.rand((N, 1), generator=stream(), dtype=torch.float64)
    return {
        "x": X,
        r"\hat x": X_FAKE,
        r"\tilde x": perturb(X, stream()),
        "D": judged,
        "C": critic,
        "E": lambda x: -critic(x),
        "AE": rebuilt,
        "nabla": nabla,
        "alpha": alpha,
        "m": 0.8,
        "k_t": torch.tensor(0.35, dtype=torch.float64),
        "lambda_k": 0.2,
        "gamma": 0.5,
    }


def both(loss_name: str, penalties: dict[str, float], options: dict[str, float]) -> tuple[Tensor, Tensor]:
    """What D and G pay by the code."""
    loss = LOSSES[loss_name].with_options(**options)
    critic = minus_error if loss.output == "error" else logit
    real, fake = critic(X), critic(X_FAKE)
    memory = {"k": torch.tensor(0.35, dtype=torch.float64)} if loss.memory else {}
    d = loss.d_loss(real, fake, **memory)
    for name, weight in penalties.items():
        d = d + weight * PENALTIES[name].measure(critic, X, X_FAKE, torch.Generator().manual_seed(5))
    return d.detach(), loss.g_loss(real, fake).detach()


def options_of(loss: str) -> dict[str, float]:
    chosen = {"margin": 0.8, "gamma": 0.5, "lambda_k": 0.2}
    return {name: chosen[name] for name in LOSSES[loss].options}


@pytest.mark.parametrize("name", list(LOSSES))
def test_both_losses_are_printed_as_they_are_computed(name: str) -> None:
    printed, names = lines_of(LOSSES[name].about.formula), bindings(LOSSES[name].output)
    d, g = both(name, {}, options_of(name))
    assert value(printed[r"\mathcal{L}_D"], names).item() == pytest.approx(d.item(), rel=1e-9)
    assert value(printed[r"\mathcal{L}_G"], names).item() == pytest.approx(g.item(), rel=1e-9)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_objectives_print_both_losses_with_what_is_added(name: str) -> None:
    objective = OBJECTIVES[name].settings["objective"]
    loss, penalties = LOSSES[objective["loss"]], objective.get("penalties", {})
    weights = set(penalties.values())
    assert len(weights) < 2  # one letter for all of them
    printed, names = lines_of(OBJECTIVES[name].about.formula), bindings(loss.output)
    if weights:
        names |= {"lambda": min(weights), "gamma": min(weights)}
    d, g = both(objective["loss"], penalties, options_of(objective["loss"]))
    assert value(printed[r"\mathcal{L}_D"], names).item() == pytest.approx(d.item(), rel=1e-9)
    assert value(printed[r"\mathcal{L}_G"], names).item() == pytest.approx(g.item(), rel=1e-9)
    if loss.output == "probability" and penalties:
        assert printed["D"].strip() == r"\sigma(C)"  # whose slope is meant
    clip = objective.get("clip_value")
    assert ("w" in printed) is (clip is not None)
    if clip is not None:
        names["w"] = torch.linspace(-3 * clip, 3 * clip, 13, dtype=torch.float64)
        assert torch.equal(value(printed["w"], names), names["w"].clamp(-clip, clip))


@pytest.mark.parametrize("name", ["boundary_equilibrium", "energy"])
def test_what_else_a_loss_prints_holds_too(name: str) -> None:
    printed, names = lines_of(LOSSES[name].about.formula), bindings("error")
    if name == "energy":
        assert torch.allclose(value(printed["E(x)"], names), -minus_error(X))
        return
    loss = LOSSES[name].with_options(**options_of(name))
    assert loss.remember is not None
    following = loss.remember(minus_error(X), minus_error(X_FAKE), k=names["k_t"])["k"]
    assert value(printed["k_{t+1}"], names).item() == pytest.approx(following.item(), rel=1e-9)
    assert following.item() not in (0.0, 0.35, 1.0)


@pytest.mark.parametrize("name", list(PENALTIES))
def test_penalties_are_printed_as_they_are_computed(name: str) -> None:
    penalty, names = PENALTIES[name], bindings("score")
    memory = {"real": 0.4, "fake": -0.3} if penalty.memory else {}
    names |= {"lambda": 2.5, "gamma": 2.5, "alpha_R": 0.4, "alpha_F": -0.3}
    stream = torch.Generator().manual_seed(5)
    computed = 2.5 * penalty.measure(logit, X, X_FAKE, stream, **memory)
    printed = lines_of(penalty.about.formula)[""]
    assert value(printed.partition(r",\quad")[0], names).item() == pytest.approx(computed.item(), rel=1e-9)


def test_dragan_says_where_it_looks() -> None:
    printed = PENALTIES["dragan"].about.formula.partition(r"\tilde x =")[2].partition(r",\;")[0]
    uniform = torch.rand(X.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    names = {"x": X, "std": torch.std, "U": uniform}
    assert torch.allclose(value(printed, names), perturb(X, torch.Generator().manual_seed(5)))


def test_alpha_is_the_share_of_the_real_sample() -> None:
    names = bindings("score")
    mixed = value(r"\alpha x + (1 - \alpha) \hat x", names)
    assert torch.allclose(mixed, interpolate(X, X_FAKE, torch.Generator().manual_seed(5)))


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (r"-2 x + 3", -1.0), (r"\tfrac{x}{4}(1 - x)", -0.5), (r"2^2 x^{2}", 16.0), (r"\max(0, 1 - x)", 0.0),
        (r"\mathbb{E}_{x \sim p_d}[x - 1]^2", 1.0), (r"1 - x / 4", 0.5),
    ],
)  # fmt: skip
def test_the_reader_reads(printed: str, expected: float) -> None:
    assert float(value(printed, {"x": torch.tensor(2.0)})) == pytest.approx(expected)


def test_the_reader_refuses_what_it_does_not_know() -> None:
    with pytest.raises(KeyError):
        value(r"x + y", {"x": 1.0})
    with pytest.raises(ValueError, match="is left of"):
        value(r"x)", {"x": 1.0})
