"""What the knobs of a run are called, on a page and in a sentence."""

from __future__ import annotations

LABELS = {
    "optimizers.discriminator.lr": "learning rate of D",
    "optimizers.generator.lr": "learning rate of G",
    "schedule.n_critic": "D steps per round",
    "schedule.generator_steps": "G steps per round",
    "optimizers.generator_encoder.lr": "learning rate of G and E",
    "optimizers.encoder.lr": "learning rate of E against D",
    "adversary.on": "D and E against D move (1) or stand still (0)",
    "data.batch_size": "batch size",
    "matching.cycle": "λ of the cycle",
    "objective.clip_value": "clip D's weights to ±",
    "tricks.instance_noise": "instance noise σ₀",
    "tricks.augment_share": "share of augmented pictures",
    "translation.distance_weight": "λ of the distance",
    "translation.adversarial_weight": "weight of the adversarial term",
    "cycle.cycle_weight": "λ of the cycle",
    "cycle.identity_weight": "λ_id, in units of λ",
    "cycle.adversarial_weight": "weight of the adversarial terms",
    "terms.lambda_info": "λ of the information",
    "terms.lambda_continuous": "weight of the continuous codes",
    "terms.r1": "γ of R1",
    "schedule.coarse_steps": "steps per round of D0 and G0",
    "schedule.middle_steps": "steps per round of D1 and G1",
    "levels.coarse": "D0 and G0 move (1) or stand still (0)",
    "levels.middle": "D1 and G1 move (1) or stand still (0)",
    "levels.fine": "D2 and G2 move (1) or stand still (0)",
}


WORDS = {"lr": "learning rate", "beta": "β"}


def label_of(knob: str) -> str:
    """What a knob is called on a page: a penalty by its weight, one that only its game knows by the words of its field."""
    group, _, last = knob.rpartition(".")
    if knob in LABELS:
        return LABELS[knob]
    if group == "objective.penalties":
        return f"λ of {last.replace('_', ' ')}"
    word = WORDS.get(last, last.replace("_", " "))
    return word if "." not in group else f"{word} of the {group.rpartition('.')[2].replace('_', ' ')}"


SHORT = {"optimizers.discriminator.lr": "D's lr", "optimizers.generator.lr": "G's lr"}


def short_label_of(knob: str) -> str:
    """The same where there is little room."""
    return SHORT.get(knob) or label_of(knob)
