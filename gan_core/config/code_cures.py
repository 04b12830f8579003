"""Named change-sets for games with a code: what brings back a code that says nothing, or that lies beside its prior."""

from __future__ import annotations

from gan_core.config.gan.cures import Change

CODE_CURES: dict[str, Change] = {
    "beta_1": Change(
        "β = 1",
        "vae",
        "The ELBO itself: a dimension of the code costs as many nats as it tells, and no more.",
        {"elbo.beta": 1.0},
    ),
    "cycle_2": Change(
        "Cycle term, λ = 2",
        "bigan",
        "What is decoded of the code of x must be x again: D alone does not pin down which code belongs to which x.",
        {"matching.cycle": 2.0},
    ),
    "pairs_right": Change(
        "Each x with its own code",
        "bigan",
        "D sees x beside E(x), not beside the code of another x.",
        {"matching.pairs": "right"},
    ),
    "adversary_on": Change(
        "D on",
        "aae",
        "D tells codes from draws of the prior again, and E moves against D.",
        {"adversary.on": True},
    ),
    "identity_half": Change(
        "Identity term, λ_id = 0.5",
        "cyclegan",
        "G is to leave as it is what is of B already, and F what is of A. From the first round on it is enough; a map that has "
        "settled stays.",
        {"cycle.identity_weight": 0.5},
    ),
    "identity_five": Change(
        "Identity term, λ_id = 5",
        "cyclegan",
        "The same ten times as strong, while the rate is still full: even modes that were exchanged go home.",
        {"cycle.identity_weight": 5.0},
    ),
    "cycle_10": Change(
        "Cycle term, λ = 10",
        "cyclegan",
        "What goes from A to B and back must be what it was: an output has to tell which input it came from.",
        {"cycle.cycle_weight": 10.0},
    ),
}
"""As `CURES`; ``part`` is the game whose settings are changed, and a run of another game is not offered the change."""
