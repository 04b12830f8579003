"""Recipes: presets that fail on purpose, or pointedly do not, with a story for a class. All found by search.

Settings were chosen on seeds 0 to 9. How often each does what it says over twenty others stands in
docs/results/recipes.md, written by ``benchmarks/recipes.py``.
"""

from __future__ import annotations

from typing import Any

from gan_core.config.preset import Preset


def _mlps(*widths: int, latent_dim: int = 64) -> dict[str, Any]:
    return {
        "latent_dim": latent_dim,
        "generator": {"architecture": "mlp", "widths": list(widths)},
        "discriminator": {"architecture": "mlp", "widths": list(widths)},
    }


def _adam(lr: float, beta1: float, beta2: float = 0.999) -> dict[str, Any]:
    settings = {"name": "adam", "lr": lr, "beta1": beta1, "beta2": beta2}
    return {"generator": dict(settings), "discriminator": dict(settings)}


_RING = {"name": "ring", "batch_size": 64, "options": {"std": 0.1}}
_LOOKS = {"every": 25, "samples": 1000}

RECIPES: dict[str, Preset] = {
    "ring-healthy": Preset(
        "A ring that stays whole",
        "The networks of the collapsing ring with a game that converges: real and generated points judged in pairs, and D's "
        "slope held down on both. All eight modes within seconds, and they stay.",
        {
            "data": _RING,
            "objective": {"name": "r3gan", "penalties": {"r1": 0.1, "r2": 0.1}},
            "model": _mlps(64, 64, 64),
            "optimizers": _adam(1e-3, 0.5),
            "schedule": {"rounds": 3000, "n_critic": 5},
            "diagnostics": _LOOKS,
        },
        kind="healthy",
        seen="Points on all eight modes early on, blurred at first, then tighter. No bar of the histogram empties.",
        question="Which mode will be found last?",
        within=600,
        seconds=6,
    ),
    "ring-collapse": Preset(
        "Mode collapse on a ring",
        "Eight modes, two small MLPs, no normalisation, a D that moves five times per round and Adam with its usual "
        "β₁ = 0.9: G finds the ring and then gives up one mode after the other.",
        {
            "data": _RING,
            "objective": {"name": "ns_gan"},
            "model": _mlps(64, 64, 64),
            "optimizers": _adam(4e-3, 0.9),
            "schedule": {"rounds": 3000, "n_critic": 5},
            "diagnostics": _LOOKS,
        },
        kind="collapse",
        seen="The points spread over the ring at first; then bar after bar of the histogram empties, until one to three "
        "modes are left. D's loss is low and restless, its picture full of cliffs.",
        question="Which modes will survive, and how many of the eight?",
        within=1000,
        seconds=8,
        cures={
            "r1": "cures",
            "wgan_gp": "cures",
            "r3gan": "cures",
            "spectral_norm": "cures",
            "minibatch_stddev": "cures",
            "packing_4": "cures",
            "clipping": "cures",
            "packing_2": "helps",
            "wgan_gp_10": "fails",
        },
        cured_within=600,
    ),
    "ring-rotate": Preset(
        "A ring that G runs around",
        "D learns ten times slower than G. G sits on one mode until D has found out, and hops to the next, for ever, while "
        "the losses look like perfect equilibrium.",
        {
            "data": {"name": "ring", "batch_size": 64, "options": {"std": 0.02}},
            "objective": {"name": "ns_gan"},
            "model": _mlps(64, 64),
            "optimizers": {"generator": {"lr": 1e-3}, "discriminator": {"lr": 1e-4}},
            "schedule": {"rounds": 4000},
            "diagnostics": _LOOKS,
        },
        kind="collapse",
        seen="One cloud that jumps from mode to mode. D's loss sits at 2 log 2 = 1.386 and D(x) at one half, which is what "
        "equilibrium would look like.",
        question="D's loss is at 2 log 2 from start to end. Is this run healthy?",
        within=1500,
        seconds=4,
        cures={"unrolled_10": "cures", "even_rates": "cures"},
        cured_within=600,
    ),
    "ring-vanish": Preset(
        "A generator that gets no gradient",
        "The minimax loss of the first paper's equation 1, with ten D steps per round and plain gradient descent for G: D "
        "wins, log(1 − D(G(z))) is flat where it has won, and G stands still.",
        {
            "data": _RING,
            "objective": {"name": "mm_gan"},
            "model": _mlps(64, 64, 64),
            "optimizers": {
                "generator": {"name": "sgd", "lr": 1e-2},
                "discriminator": {"name": "adam", "lr": 1e-3},
            },
            "schedule": {"rounds": 2000, "n_critic": 10},
            "diagnostics": _LOOKS,
        },
        kind="vanishes",
        seen="D's accuracy goes to 1, D(G(z)) to 0, and G's gradient norm with it; the points do not move any more.",
        question="D is nearly perfect. Is that good for G?",
        within=300,
        seconds=4,
        cures={"non_saturating": "cures"},
        cured_within=600,
    ),
    "ring-diverge": Preset(
        "A critic without bounds",
        "WGAN with neither clipping nor penalty: the critic can make its loss as small as it likes by growing its weights.",
        {
            "data": _RING,
            "objective": {"name": "wgan", "clip_value": None},
            "model": _mlps(64, 64, 64),
            "optimizers": {
                "generator": {"name": "sgd", "lr": 5e-3},
                "discriminator": {"name": "sgd", "lr": 5e-3},
            },
            "schedule": {"rounds": 2000},
            "diagnostics": _LOOKS,
        },
        kind="diverges",
        seen="Both losses leave the chart within seconds, and then there are no numbers left.",
        question="What stops a critic from shouting ever louder?",
        within=600,
        seconds=3,
        cures={"wgan_gp": "cures", "clipping": "cures"},
        cured_within=600,
    ),
}
