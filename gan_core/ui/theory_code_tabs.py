"""The tabs of the Theory page on games with a code: what linear codes come to, why reconstructions blur, pairs of x and z."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gan_core.engine.theory import (
    LinearVae,
    cheapest_pictures,
    digit_set,
    grey_share,
    pca_errors,
    ppca,
    principal_axes,
    right_pairs,
    swapped_pairs,
    train_linear_vae,
)
from gan_core.ui import theory_code_charts as charts
from gan_core.ui import theory_formulas as formulas
from gan_core.ui.figures import Film
from gan_core.ui.film import film
from gan_core.ui.theory_parts import in_words
from gan_core.ui.theory_stage import ROOM_FOR_A_FORMULA, ROOM_FOR_BOTH, Tab, presets, say, show_film

SIDE = 28  # pixels of a digit
_BETAS = np.geomspace(0.25, 1024, 61)
_TOY = 8  # dimensions of the data that can be adjusted
_PS = np.linspace(0, 1, 51)
_CODE_DIMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_PAIRS = 10
_MOST_PICTURES = 20


# -- when β switches a dimension off ------------------------------------------------------------------------------


def threshold(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        names = {"toy": "A toy", "digits": "Digits"}
        data = st.segmented_control(
            "Data",
            list(names),
            default="toy",
            format_func=names.__getitem__,
            required=True,
            key="of",
            bind="query-params",
        )
        fall = 0.0
        if data == "toy":
            fall = st.slider("Each variance over the next", 1.2, 3.0, 2.4, 0.2, key="fall", bind="query-params")
        most = _TOY - 1 if data == "toy" else 32
        code_dim = st.slider("Length of the code", 1, most, min(4, most), key=f"{data}_code", bind="query-params")
        say(
            "A dimension of the code may cost nats as long as the variance λ that it explains is larger than βσ². Raise β: "
            "bars that fall below the line go dark, one after another, and their KL is 0. No network, no training: it is "
            "exact for linear ones.",
            "Which dimension goes first, and why does it never come back by more training at the same β?",
        )
    with stage:
        shown, best = _threshold(str(data), fall, code_dim)
        show_film(shown, "beta", _BETAS, 1.0, "β, the weight of the KL term", room=ROOM_FOR_BOTH)
        st.latex(formulas.COLLAPSE)
        left, right = st.columns(2)
        left.markdown(
            f"σ² is {best.variance:.3g}, the mean of the variances that a code of {code_dim} discards: what a linear VAE "
            "learns at β = 1, where it is probabilistic PCA."
        )
        if data == "toy":
            trained = _trained(fall, code_dim)
            right.markdown(
                f"A linear VAE trained from random weights, every expectation exact: ELBO **{in_words(trained.elbo, '.4f')}**; "
                f"log-likelihood of probabilistic PCA **{in_words(best.elbo, '.4f')}** nats. σ² {trained.variance:.4g} "
                f"and {best.variance:.4g}."
            )


@st.cache_data(max_entries=64, show_spinner=False)
def _threshold(data: str, fall: float, code_dim: int) -> tuple[Film, LinearVae]:
    eigenvalues = _toy(fall) if data == "toy" else _digit_variances()
    best = ppca(eigenvalues, code_dim)
    return charts.threshold(eigenvalues[:code_dim], best.variance, _BETAS), best


@st.cache_data(max_entries=64, show_spinner=False)
def _trained(fall: float, code_dim: int) -> LinearVae:
    return train_linear_vae(np.diag(_toy(fall)), code_dim)


def _toy(fall: float) -> np.ndarray:
    """Variances of a toy (8,), each that many times the next; the smallest is 0.05."""
    variances: np.ndarray = 0.05 * fall ** np.arange(_TOY - 1, -1, -1.0)
    return variances


@st.cache_data(max_entries=1, show_spinner=False)
def _digit_variances() -> np.ndarray:
    eigenvalues = np.linalg.eigvalsh(np.cov(digit_set().train.T, bias=True))[::-1]
    return np.maximum(eigenvalues, 0.0)


# -- linear autoencoder = PCA -------------------------------------------------------------------------------------


def components(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        code_dim = st.select_slider("Length of the code, q", _CODE_DIMS, 16, key="q", bind="query-params")
        say(
            "A linear encoder and decoder can do no better than the first q principal components. Beside the curve two "
            "guesses without any code: the mean of all digits, and a black picture.",
            "Somebody's deep autoencoder with a code of 16 leaves 0.030 a pixel. What do you tell its author?",
        )
    with stage:
        shown = _components(int(code_dim))
        film(shown, key="film:components", title="squared error over the length of the code", room=ROOM_FOR_A_FORMULA)
        st.latex(formulas.LEFT_BY_PCA)


@st.cache_data(max_entries=16, show_spinner=False)
def _components(code_dim: int) -> Film:
    digits = digit_set()
    errors = {
        "held-out digits": pca_errors(digits.train, digits.heldout, _CODE_DIMS),
        "training digits": pca_errors(digits.train, digits.train, _CODE_DIMS),
    }
    mean, axes = principal_axes(digits.train)
    constants = {
        "the mean of all digits": float(pca_errors(digits.train, digits.heldout, (0,))[0]),
        "black": float(np.square(digits.heldout).mean()),
    }
    first = np.array([np.flatnonzero(digits.heldout_classes == label)[0] for label in range(10)])
    originals, kept = digits.heldout[first], axes[:, :code_dim]
    shown = mean + (originals - mean) @ kept @ kept.T
    pictures = originals.reshape(-1, SIDE, SIDE), np.clip(shown, 0, 1).reshape(-1, SIDE, SIDE)
    return charts.components(_CODE_DIMS, errors, constants, code_dim, pictures)


# -- why blur -----------------------------------------------------------------------------------------------------


def blur(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        label = st.segmented_control(
            "Digits", list(range(10)), default=3, required=True, key="digit", bind="query-params", wrap=True
        )
        count = st.slider("How many of them", 2, _MOST_PICTURES, 10, key="many", bind="query-params")
        digits, mean, median = _cheapest(int(label), count)
        say(
            "A pixel is white with probability p. Squared error and cross-entropy are least at the guess p, which is grey; the "
            "absolute error at black or white, whichever is likelier. So two errors blur, and the third drops strokes.",
            "A code says that this is a three, but not which one. Which picture does the decoder draw under each error?",
        )
    with stage:
        shown = _blur(int(label), count)
        show_film(shown, "p", _PS, 0.3, "probability that the pixel is white", room=ROOM_FOR_BOTH)
        st.latex(formulas.PIXEL)
        shares = [f"{grey_share(pictures):.0%}" for pictures in (digits, mean, median)]
        st.markdown(
            f"Grey pixels, from ¼ to ¾: **{shares[0]}** of these digits, **{shares[1]}** of their mean, **{shares[2]}** of "
            "their median."
        )


def _cheapest(label: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training digits of a class (count, 28, 28), their mean and their median (28, 28)."""
    all_digits = digit_set()
    digits = all_digits.train[all_digits.train_classes == label][:count]
    best = cheapest_pictures(digits)
    shape = (SIDE, SIDE)
    return digits.reshape(-1, *shape), best.mean.reshape(shape), best.median.reshape(shape)


@st.cache_data(max_entries=32, show_spinner=False)
def _blur(label: int, count: int) -> Film:
    return charts.one_pixel(_PS, *_cheapest(label, count))


# -- the best discriminator of pairs ------------------------------------------------------------------------------


def pairs(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        swapped = bool(st.toggle("D sees swapped pairs", key="swapped", bind="query-params"))
        presets({"All pairs right": {"swapped": False}, "Pairs swapped": {"swapped": True}})
        if swapped:
            say(
                "Every x is encoded rightly, but D gets it beside another's code. Then x and z are independent: D finds G's "
                "pairs on the diagonal and E's everywhere else, and wins for ever, whatever G and E learn.",
                "The samples of such a run look fine. By what would you notice the mistake?",
            )
        else:
            say(
                "x and z take ten values each. D sees pairs: x with E(x), or G(z) with z. Where both make the same pair D* is "
                "½; each pair that is wrong tells the two apart. The game is worth −log 4 only when all ten agree: E is then "
                "the inverse of G.",
                "Nobody ever compared x with G(E(x)). Why does the encoder learn to invert the generator all the same?",
            )
    with stage:
        shares = np.ones(1) if swapped else np.linspace(0, 1, _PAIRS + 1)
        shown = _pairs(swapped)
        show_film(shown, "right", shares, 0.6, "share of pairs that are right", room=ROOM_FOR_A_FORMULA)
        st.latex(rf"{formulas.BEST_D_OF_PAIRS} \qquad {formulas.VALUE_OF_PAIRS}")


@st.cache_data(max_entries=2, show_spinner=False)
def _pairs(swapped: bool) -> Film:
    games = [swapped_pairs(_PAIRS)] if swapped else [right_pairs(_PAIRS, right) for right in range(_PAIRS + 1)]
    shares = [1.0] if swapped else [right / _PAIRS for right in range(_PAIRS + 1)]
    return charts.pairs(games, shares, swapped=swapped)


CODE_TABS: dict[str, Tab] = {
    "threshold": Tab("When β switches a dimension off", threshold, "beta"),
    "components": Tab("Linear autoencoder = PCA", components),
    "blur": Tab("Why blur", blur, "p"),
    "pairs": Tab("The best D of pairs", pairs, "right"),
}
