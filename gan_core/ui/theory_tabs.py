"""The tabs of the Theory page: one idea each, its settings, its figure, what to see in it and a question to ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gan_core.engine import catalogue
from gan_core.engine.library.loss_curves import loss_curves
from gan_core.engine.theory import (
    DIRAC_LOSSES,
    KERNELS,
    DiracPath,
    DiracRules,
    algorithm,
    checkerboard,
    dirac_field,
    dirac_path,
    separation,
    sweep,
)
from gan_core.ui import theory_charts as charts
from gan_core.ui import theory_formulas as formulas
from gan_core.ui.figures import Film
from gan_core.ui.film import film
from gan_core.ui.one_cause import one_cause
from gan_core.ui.theory_code_tabs import CODE_TABS
from gan_core.ui.theory_stage import ROOM_FOR_A_FORMULA, ROOM_FOR_BOTH, Tab, presets, say, show_film

_LOGITS = np.linspace(-10, 10, 81)
_FRAMES = 61
_DIRAC_ROUNDS = 300
_DIRAC_REACH = 8.0  # who goes farther than that leaves the picture


# -- gradient saturation ------------------------------------------------------------------------------------------


def saturation(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    titles = {name: loss.about.title for name, loss in catalogue()["losses"].items() if name in charts.LOSS_STYLES}
    with side:
        chosen = st.pills(
            "Losses",
            list(titles),
            selection_mode="multi",
            default=["minimax", "non_saturating", "wasserstein"],
            format_func=titles.__getitem__,
            key="losses",
            bind="query-params",
            wrap=True,
        )
        over = st.segmented_control(
            "Horizontal axis",
            {"logit": "D's logit", "probability": "D(G(z))"},
            default="logit",
            format_func={"logit": "D's logit", "probability": "D(G(z))"}.__getitem__,
            required=True,
            key="over",
            bind="query-params",
        )
        presets({"Goodfellow 2016, fig. 16": {"losses": ["minimax", "non_saturating"], "over": "probability"}})
        say(
            "Drag to the left: D grows sure that the sample is generated. The minimax curve lies flat there, its push is "
            "D(G(z)) itself and goes to 0. The non-saturating loss pushes with 1 − D(G(z)): hardest when G is worst.",
            "Both losses of 2014 want the same of G, D(G(z)) = 1. Why does the paper train with the second one?",
        )
    with stage:
        if not chosen:
            st.info("Choose a loss.", icon=":material/touch_app:")
            return
        told = "D's logit for a generated sample"
        show_film(_saturation(tuple(chosen), str(over)), "logit", _LOGITS, -5.0, told, room=ROOM_FOR_A_FORMULA)
        st.latex(formulas.SATURATION)


@st.cache_data(max_entries=32, show_spinner=False)
def _saturation(names: tuple[str, ...], over: str) -> Film:
    titles = {name: choice.about.title for name, choice in catalogue()["losses"].items()}
    return charts.saturation({name: loss_curves(name, _LOGITS) for name in names}, titles, over=over)


# -- the best discriminator ---------------------------------------------------------------------------------------


def best_discriminator(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        real = st.slider("Width of the real data", 0.3, 2.0, 1.0, 0.1, key="real_width", bind="query-params")
        fake = st.slider("Width of the generated data", 0.3, 2.0, 1.0, 0.1, key="fake_width", bind="query-params")
        critic = st.toggle("Best Wasserstein critic", key="critic", bind="query-params")
        presets(
            {
                "Arjovsky 2017, fig. 2": {"real_width": 1.0, "fake_width": 1.0, "critic": True},
                "A collapsed G": {"real_width": 1.5, "fake_width": 0.3, "critic": False},
            }
        )
        say(
            "D* is ½ where both densities are equal, and becomes a step as they part: nearly 0 and flat where G's samples "
            "are. The game is then worth 0, and its curve is flat too. The critic keeps its slope.",
            "What is D* when G is perfect? Where should G move when D* has become a step?",
        )
    with stage:
        thetas = np.linspace(0, 6, _FRAMES)
        shown = _best_discriminator(real, fake, bool(critic))
        told = "distance between real and generated data"
        show_film(shown, "theta", thetas, 2.0, told, room=ROOM_FOR_A_FORMULA)
        st.latex(rf"{formulas.BEST_D} \qquad {formulas.VALUE}")


@st.cache_data(max_entries=32, show_spinner=False)
def _best_discriminator(real: float, fake: float, critic: bool) -> Film:
    thetas, xs = np.linspace(0, 6, _FRAMES), np.linspace(-4, 10, 141)
    pictures = [separation(theta, real, fake, xs) for theta in thetas]
    return charts.best_discriminator(pictures, sweep(thetas, real, fake), critic=critic)


# -- JS against Wasserstein ---------------------------------------------------------------------------------------


def divergences(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        shapes = {"gaussians": "Two Gaussians", "lines": "Two parallel lines"}
        shape = st.segmented_control(
            "Distributions",
            list(shapes),
            default="gaussians",
            format_func=shapes.__getitem__,
            required=True,
            key="shape",
            bind="query-params",
        )
        width = 0.0
        if shape == "gaussians":
            width = st.slider("Width of both", 0.1, 2.0, 0.8, 0.1, key="width", bind="query-params")
        presets({"Arjovsky 2017, fig. 1": {"shape": "lines"}})
        if shape == "gaussians":
            say(
                "JS stops at log 2 once the two hardly overlap, however far apart they are; W₁ goes on counting the "
                "distance. Right: the push on G with D at its best. Minimax: gone. Wasserstein: always 1.",
                "G sits at distance 5. Which loss tells it where to go? The non-saturating push even grows: is that good?",
            )
        else:
            say(
                "Lines that never touch: JS is log 2 at every distance but 0, where it jumps to 0. No gradient leads there. "
                "W₁ is the distance itself. KL is infinite, and the non-saturating push undefined.",
                "Photographs fill a thin surface in the space of all images. Why is that like these two lines?",
            )
    with stage:
        thetas = _thetas(str(shape))
        start = 4.0 if shape == "gaussians" else 0.5
        told = "distance between real and generated data"
        show_film(_divergences(str(shape), width), "theta", thetas, start, told, room=ROOM_FOR_BOTH)
        st.latex(rf"\begin{{gathered}} {formulas.JS},\; {formulas.MIDDLE} \\ {formulas.WASSERSTEIN} \end{{gathered}}")


def _thetas(shape: str) -> np.ndarray:
    return np.linspace(-6, 6, _FRAMES) if shape == "gaussians" else np.linspace(-1, 1, 41)


@st.cache_data(max_entries=32, show_spinner=False)
def _divergences(shape: str, width: float) -> Film:
    thetas, xs = _thetas(shape), np.linspace(-9, 9, 161)
    if shape == "lines":
        return charts.divergences(sweep(thetas, 0, 0))
    return charts.divergences(sweep(thetas, width, width), [separation(theta, width, width, xs) for theta in thetas])


# -- the Dirac-GAN ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cure:
    """What can be added to the Dirac-GAN: its name, what its number is called, and the number to begin with."""

    title: str
    number: str = ""
    default: float = 1.0


CURES: dict[str, Cure] = {
    "none": Cure("nothing"),
    "r1": Cure("R1", "γ", 0.5),
    "noise": Cure("instance noise", "σ", 1.0),
    "gradient_penalty": Cure("gradient penalty (WGAN GP)", "λ", 0.2),
    "one_sided_gradient_penalty": Cure("one-sided gradient penalty", "λ", 1.0),
    "clip_value": Cure("weight clipping", "c", 1.0),
}


def rules_of(loss: str, cure: str, number: float, lr: float, n_critic: int, order: str) -> DiracRules:
    """The rules that the widgets say."""
    return DiracRules(
        loss,
        penalty=cure if cure not in ("none", "noise", "clip_value") else "",
        weight=number,
        noise=number if cure == "noise" else 0.0,
        clip_value=number if cure == "clip_value" else None,
        lr=lr,
        n_critic=n_critic,
        simultaneous=order == "simultaneous",
    )


def dirac(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    titles = {name: catalogue()["losses"][name].about.title for name in DIRAC_LOSSES}
    with side:
        loss = st.selectbox(
            "Loss",
            DIRAC_LOSSES,
            DIRAC_LOSSES.index("minimax"),
            format_func=titles.__getitem__,
            key="loss",
            bind="query-params",
        )
        cure = st.selectbox(
            "Added", list(CURES), format_func=lambda name: CURES[name].title, key="cure", bind="query-params"
        )
        number = 0.0
        if CURES[cure].number:
            number = st.slider(
                CURES[cure].number, 0.1, 2.0, CURES[cure].default, 0.1, key=f"{cure}_weight", bind="query-params"
            )
        order = st.segmented_control(
            "Steps",
            ["alternating", "simultaneous"],
            default="alternating",
            required=True,
            key="order",
            bind="query-params",
        )
        with st.expander("Step size, D's steps, start"):
            lr = st.slider("Step size h", 0.02, 0.5, 0.2, 0.02, key="h", bind="query-params")
            n_critic = st.slider(
                "D's steps per round", 1, 10, 1, key="k", bind="query-params", disabled=order == "simultaneous"
            )
            theta = st.slider("θ at the start", -2.0, 2.0, 1.0, 0.1, key="theta0", bind="query-params")
            psi = st.slider("ψ at the start", -2.0, 2.0, 1.0, 0.1, key="psi0", bind="query-params")
        again = {"h": 0.2, "k": 1, "theta0": 1.0, "psi0": 1.0}
        presets(
            {
                "It circles": {**again, "loss": "minimax", "cure": "none", "order": "alternating"},
                "It runs away": {**again, "loss": "wasserstein", "cure": "none", "order": "simultaneous"},
                "R1 arrives": {**again, "loss": "non_saturating", "cure": "r1", "order": "alternating"},
                "WGAN GP does not": {
                    **again,
                    "loss": "wasserstein",
                    "cure": "gradient_penalty",
                    "order": "alternating",
                },
            }
        )
    with stage:
        rules = rules_of(loss, cure, number, lr, 1 if order == "simultaneous" else n_critic, str(order))
        shown, path = _dirac(rules, theta, psi)
        frames = np.arange(len(shown.captions))
        show_film(shown, "round", frames, float(frames[-1]), "round of the Dirac-GAN", room=ROOM_FOR_BOTH)
        st.latex(formulas.dirac(loss, cure, simultaneous=rules.simultaneous))
        see, ask = st.columns(2)
        see.markdown(f"**See:** {fate(path)} {_stability(path)}")
        ask.markdown(
            "**Ask:** All data lie at 0, all samples at θ, D is the line ψx. At the star neither player has a reason to move. "
            "Why do two players who both go downhill not arrive there?"
        )


@st.cache_data(max_entries=64, show_spinner=False)
def _dirac(rules: DiracRules, theta: float, psi: float) -> tuple[Film, DiracPath]:
    path = dirac_path(rules, theta, psi, _DIRAC_ROUNDS)
    farthest = float(np.maximum(np.abs(path.theta), np.abs(path.psi)).max())
    reach = min(max(1.15 * farthest, 1.6), _DIRAC_REACH)
    grid = np.linspace(-reach, reach, 17)
    return charts.dirac(grid, grid, *dirac_field(rules, grid, grid), path), path


def fate(path: DiracPath) -> str:
    """Where the way led, in a sentence, from its first and its last quarter."""
    distance = path.distance
    quarter = max(1, len(distance) // 4)
    first, last = float(distance[:quarter].max()), float(distance[-quarter:].max())
    went = f"after {len(distance) - 1} rounds it is {distance[-1]:.3g} away, from {distance[0]:.3g}"
    if first == 0:
        return "It begins at the equilibrium and stays."
    if last < 0.05 * first:
        return f"It arrives: {went}."
    if last < 0.8 * first:
        return f"It comes nearer, slowly: {went}."
    if last > 1.25 * first:
        return f"It runs away: {went}."
    return f"It keeps circling: {went}."


def _stability(path: DiracPath) -> str:
    if path.eigenvalues is None:
        return "D's slope is pulled to 1, so the field jumps at the equilibrium, and there is nothing to linearise."
    largest = max(abs(value) for value in path.eigenvalues)
    verdict = "attracts" if largest < 1 - 1e-6 else "repels" if largest > 1 + 1e-6 else "neither attracts nor repels"
    return f"The linearised round has |λ| = {largest:.4f} at the equilibrium, which {verdict}."


# -- checkerboards ------------------------------------------------------------------------------------------------


def checkerboards(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        kernel_size = st.slider("Kernel size", 1, 7, 3, key="kernel_size", bind="query-params")
        stride = st.slider("Stride, or factor of upsampling", 1, 4, 2, key="stride", bind="query-params")
        names = {"ones": "all ones", "untrained": "random", "bilinear": "tent"}
        kernel = st.segmented_control(
            "Kernel",
            list(KERNELS),
            default="ones",
            format_func=names.__getitem__,
            required=True,
            key="kernel",
            bind="query-params",
        )
        layers = st.slider("Layers", 1, 3, 1, key="layers", bind="query-params")
        presets(
            {
                "3 × 3, uneven": {"kernel_size": 3, "stride": 2, "kernel": "ones"},
                "5 × 5: DCGAN, 2016": {"kernel_size": 5, "stride": 2, "kernel": "ones"},
                "4 × 4: DCGAN here": {"kernel_size": 4, "stride": 2, "kernel": "ones"},
                "4 × 4, untrained": {"kernel_size": 4, "stride": 2, "kernel": "untrained"},
            }
        )
    with stage:
        shown = _checkerboards(kernel_size, stride, str(kernel), layers)
        film(shown, key="film:checkerboards", title="a checkerboard, and none", room=ROOM_FOR_BOTH)
        st.latex(rf"{formulas.OVERLAP}, \qquad k = {kernel_size},\; s = {stride}")
        even = kernel_size % stride == 0
        see, ask = st.columns(2)
        see.markdown(
            "**See:** The input is an image of ones, so every pattern is the layer's own. Each output pixel is reached by "
            + (
                f"equally many inputs, since {stride} divides {kernel_size}; only unequal weights can still draw a pattern."
                if even
                else f"more or fewer inputs, since {stride} does not divide {kernel_size}: a checkerboard before any training."
            )
        )
        ask.markdown("**Ask:** Which kernels make the left picture even? Why does upsampling first need no such luck?")


@st.cache_data(max_entries=64, show_spinner=False)
def _checkerboards(kernel_size: int, stride: int, kernel: str, layers: int) -> Film:
    return charts.checkerboards(checkerboard(kernel_size, stride, kernel, layers=layers))


# -- Algorithm 1 --------------------------------------------------------------------------------------------------


def algorithm_1(side: DeltaGenerator, stage: DeltaGenerator) -> None:
    with side:
        st.markdown("**Algorithm 1** of Goodfellow et al. 2014")
        st.latex(formulas.ALGORITHM_1)
        k = st.slider("k, D's steps per round", 1, 10, 1, key="k_steps", bind="query-params")
    shown = algorithm(k)
    with side:
        rounds = {number: [who for at, who in shown.turns if at == number] for number, _ in shown.turns}
        badges = {"D": ":blue-badge[D]", "G": ":orange-badge[G]"}
        for number, players in rounds.items():
            st.markdown(f"Round {number}: {' '.join(badges[who] for who in players)}")
        say(
            "Two players, one loop. It freezes everybody else, and the player who is on the move takes one step.",
            "Where in the code is k? What would change if all players stepped at once?",
        )
    with stage:
        st.markdown("The loop that every run here plays, `gan_core/training/loop.py`")
        st.code(shown.play, language="python", wrap_lines=True)
        st.code(shown.take_turn, language="python", wrap_lines=True)


# -- all tabs -----------------------------------------------------------------------------------------------------


TABS: dict[str, Tab] = {
    "saturation": Tab("Gradient saturation", saturation, "logit"),
    "discriminator": Tab("The best D", best_discriminator, "theta"),
    "divergences": Tab("JS against Wasserstein", divergences, "theta"),
    "dirac": Tab("Does it converge?", dirac, "round"),
    "checkerboard": Tab("Checkerboards", checkerboards),
    "algorithm": Tab("Algorithm 1", algorithm_1, ratio=(5, 7)),
    "causes": Tab("One cause at a time", one_cause, "cause"),
    **CODE_TABS,
}
GROUPS: dict[str, tuple[str, ...]] = {
    "GAN": tuple(name for name in TABS if name not in CODE_TABS),
    "Codes": tuple(CODE_TABS),
}
"""The tabs that stand beside each other, by what they are about."""


def show(name: str) -> None:
    """One tab: its settings at the left, its figure at the right. The address forgets where other films stood."""
    tab = TABS[name]
    for place in {other.place for other in TABS.values()} - {tab.place, ""}:
        if place in st.query_params:
            del st.query_params[place]
    side, stage = st.columns(tab.ratio, gap="medium")
    tab.show(side, stage)
