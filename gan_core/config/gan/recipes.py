"""Recipes: presets that fail on purpose, or pointedly do not, with a story for a class. All found by search.

Settings were chosen on few seeds of 0 to 9. ``benchmarks/recipes.py`` counts over others how often each does what it says,
and writes docs/results/recipes.md.
"""

from __future__ import annotations

from typing import Any

from gan_core.config.preset import Act, Preset


def _mlps(*widths: int, latent_dim: int = 64) -> dict[str, Any]:
    return {
        "latent_dim": latent_dim,
        "generator": {"architecture": "mlp", "widths": list(widths)},
        "discriminator": {"architecture": "mlp", "widths": list(widths)},
    }


def _adam(lr: float, beta1: float, beta2: float = 0.999) -> dict[str, Any]:
    settings = {"name": "adam", "lr": lr, "beta1": beta1, "beta2": beta2}
    return {"generator": dict(settings), "discriminator": dict(settings)}


_DIGITS = {"name": "mnist5k", "batch_size": 64}
_RING = {"name": "ring", "batch_size": 64, "options": {"std": 0.1}}
_LOOKS = {"every": 25, "samples": 1000}


def healthy_ring(rounds: int) -> dict[str, Any]:
    """A plain non-saturating game on the ring that covers it, with nothing in it that would hold a collapse back."""
    return {
        "data": _RING,
        "objective": {"name": "ns_gan"},
        "model": _mlps(64, 64, 64),
        "optimizers": _adam(1e-3, 0.5),
        "schedule": {"rounds": rounds},
        "diagnostics": _LOOKS,
    }


_LOOKS_AT_DIGITS = {"every": 25, "samples": 500}
_DIGITS_MLP = {
    "latent_dim": 64,
    "generator": {"architecture": "mlp", "widths": [128, 256]},
    "discriminator": {"architecture": "mlp", "widths": [256, 128]},
}
_HEALTHY_DIGITS = {
    "data": _DIGITS,
    "objective": {"name": "wgan_gp"},
    "model": _DIGITS_MLP,
    "optimizers": _adam(1e-3, 0.5, 0.9),
    "schedule": {"rounds": 3000, "n_critic": 5},
    "diagnostics": _LOOKS_AT_DIGITS,
}


def small_dcgan(**discriminator: Any) -> dict[str, Any]:
    """The networks of a small DCGAN, with D's other settings as given."""
    return {
        "latent_dim": 64,
        "initialization": "dcgan",
        "generator": {"architecture": "dcgan", "widths": [32, 16], "normalization": "batch", "activation": "relu"},
        "discriminator": {"architecture": "dcgan", "widths": [16, 32], **discriminator},
    }


def _digits_dcgan(optimizers: dict[str, Any], **discriminator: Any) -> dict[str, Any]:
    return {
        "data": _DIGITS,
        "objective": {"name": "ns_gan"},
        "model": small_dcgan(**discriminator),
        "optimizers": optimizers,
        "schedule": {"rounds": 3000},
        "diagnostics": _LOOKS_AT_DIGITS,
    }


_HEALTHY_DCGAN = _digits_dcgan(
    {
        "generator": {"name": "adam", "lr": 1e-3, "beta1": 0.0},
        "discriminator": {"name": "adam", "lr": 2e-3, "beta1": 0.0},
    },
    spectral_norm=True,
    spectral_gain=2.0,
)

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
        seconds=10,
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
        within=1500,
        seconds=4,
        cures={
            "wgan_gp": "cures",
            "r1": "cures",
            "r3gan": "cures",
            "spectral_norm": "cures",
            "minibatch_stddev": "cures",
            "packing_4": "cures",
            "clipping": "cures",
            "packing_2": "helps",
            "wgan_gp_10": "helps",
        },
        cured_within=2500,
    ),
    "ring-rotate": Preset(
        "A ring that G runs around",
        "D learns ten times slower than G. G sits on one mode until D has found out, and hops to the next, for ever, while "
        "the losses look like perfect equilibrium.",
        {
            "data": {"name": "ring", "batch_size": 64, "options": {"std": 0.08}},
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
        seconds=2.5,
        cures={"two_time_scales": "cures", "unrolled_10": "cures"},
        cured_within=1500,
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
    "grid-collapse": Preset(
        "Mode collapse on a grid",
        "Twenty-five modes, and the same sharp game as on the ring: most of the grid is found and then given up.",
        {
            "data": {"name": "grid", "batch_size": 64, "options": {"std": 0.12}},
            "objective": {"name": "ns_gan"},
            "model": _mlps(64, 64, 64),
            "optimizers": _adam(4e-3, 0.9),
            "schedule": {"rounds": 4000, "n_critic": 5},
            "diagnostics": _LOOKS,
        },
        kind="collapse",
        seen="A net of points over the grid tears, and the points gather on a few modes.",
        question="Will it keep the corners, the edges or the middle?",
        within=2000,
        seconds=7.5,
        cures={"wgan_gp": "cures"},
        cured_within=2000,
    ),
    "gaussian-mixture-collapse": Preset(
        "Mode collapse on a line",
        "Three Gaussians on a line, where everything can be drawn as curves: the generated density covers two humps, and "
        "within seconds it is a spike on one.",
        {
            "data": {"name": "mixture", "batch_size": 64, "options": {"modes": 3, "std": 0.1}},
            "objective": {"name": "ns_gan"},
            "model": _mlps(64, 64, 64, latent_dim=16),
            "optimizers": _adam(2e-3, 0.9),
            "schedule": {"rounds": 3000, "n_critic": 5},
            "diagnostics": _LOOKS,
        },
        kind="collapse",
        seen="The generated curve draws itself together to a spike, and the spike moves about.",
        question="Three humps: how many will be left, and will it be the middle one?",
        within=900,
        seconds=5,
        cures={"wgan_gp": "cures", "r1": "cures"},
        cured_within=600,
    ),
    "digits-healthy": Preset(
        "Digits, all ten",
        "Two small MLPs with WGAN GP: every digit by round 625.",
        _HEALTHY_DIGITS,
        kind="healthy",
        seen="Ten bars of the histogram grow into the band that real digits would give.",
        question="Which digit is the hardest to draw?",
        within=1000,
        seconds=32,
    ),
    "digits-collapse": Preset(
        "Digits that become one picture",
        "The same small MLPs with the loss of the first GANs and Adam's usual β₁ = 0.9: one picture for every z, and it is "
        "not even a digit.",
        {
            "data": _DIGITS,
            "objective": {"name": "ns_gan"},
            "model": _DIGITS_MLP,
            "optimizers": _adam(1e-3, 0.9),
            "schedule": {"rounds": 3000},
            "diagnostics": _LOOKS_AT_DIGITS,
        },
        kind="collapse",
        seen="Sixty-four different noises, one and the same grey picture. The classifier is unsure of all of them: here the "
        "histogram says nothing, and the spread of the samples says it all.",
        question="Every z gives the same picture. What will the class histogram show?",
        within=600,
        seconds=8,
        cures={"wgan_gp_10": "cures"},
        cured_within=1500,
    ),
    "digits-dcgan-collapse": Preset(
        "Convolutions that draw one picture",
        "A small DCGAN whose G learns a hundred times as fast as its D: G finds what this slow D likes best and draws it for "
        "every z.",
        _digits_dcgan(
            {
                "generator": {"name": "adam", "lr": 1e-3, "beta1": 0.9},
                "discriminator": {"name": "adam", "lr": 1e-5, "beta1": 0.9},
            }
        ),
        kind="collapse",
        seen="Sixty-four different noises that grow more and more alike, until they are one picture, and never a digit. The "
        "classifier is unsure of all of them; the spread of the samples sinks to a tenth of the real one.",
        question="Both networks see strokes now, not single pixels. Will that save us from one picture for every z?",
        within=500,
        seconds=16,
        cures={"spectral_norm": "cures"},
        cured_within=2000,
    ),
    "digits-break-and-cure": Preset(
        "Digits, broken and cured",
        "A healthy game of digits. Fork it at round 400 with five G steps against one D step, and within 75 rounds all samples "
        "are one and the same picture; fork that with WGAN GP and five D steps, and all ten digits come back.",
        _HEALTHY_DIGITS,
        kind="lesson",
        seen="Ten digits; after the break a single one, often well drawn, and soon another in its place; after the cure all "
        "ten, the rarest last.",
        question="G may move five times before D answers. Which digit will it choose?",
        within=1600,
        seconds=55,
        acts=(Act(400, "generator_ahead"), Act(475, "wgan_gp_10")),
    ),
    "digits-dcgan-healthy": Preset(
        "Convolutions that draw all ten",
        "The DCGAN of the collapse with the D of later GANs: it learns twice as fast as G, its layers are held by spectral "
        "norm, and Adam has no momentum (β₁ = 0). All ten digits.",
        _HEALTHY_DCGAN,
        kind="healthy",
        seen="Strokes within seconds, digits soon after, and ten bars that grow into the band of real digits.",
        question="It draws with the same G as the run that collapses. What is different about its D?",
        within=1500,
        seconds=45,
    ),
    "digits-dcgan-break-and-cure": Preset(
        "Convolutions, broken and cured",
        "A healthy DCGAN. Fork it at round 800 with a D a hundred times slower and five G steps, and within 200 rounds "
        "nearly all samples are one picture; fork that with D twice as fast as G again, and all ten digits come back.",
        _HEALTHY_DCGAN,
        kind="lesson",
        seen="Ten digits; after the break fewer and fewer, more and more alike, until one picture is left for every z; after "
        "the cure all ten, the rarest last.",
        question="D's layers are held by spectral norm, and stay so. Will that keep the ten digits when D falls behind?",
        within=1900,
        seconds=65,
        acts=(Act(800, "discriminator_slow"), Act(1000, "two_time_scales")),
    ),
    "ring-break-and-cure": Preset(
        "A ring, broken and cured",
        "The sharp game of the collapsing ring, held by one term of D's loss: R1, on D's slope. It covers all eight modes. "
        "Fork it at round 400 without that term, and G gives up mode after mode; put the term back, and all eight return.",
        {
            "data": _RING,
            "objective": {"name": "ns_gan", "penalties": {"r1": 0.1}},
            "model": _mlps(64, 64, 64),
            "optimizers": _adam(4e-3, 0.9),
            "schedule": {"rounds": 3000, "n_critic": 8},
            "diagnostics": _LOOKS,
        },
        kind="lesson",
        seen="Eight full bars of the histogram; after the break bar after bar empties, until one to four modes are left "
        "(one seed in seven keeps more); after the cure the empty ones fill again.",
        question="One term is taken out of D's loss, and no weight is touched. How many of the eight modes will survive?",
        within=1500,
        seconds=25,
        acts=(Act(400, "without_r1"), Act(800, "r1")),
    ),
}
