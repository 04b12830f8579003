"""Named change-sets for games from picture to picture: what brings outputs back to their inputs, or makes them sharp."""

from __future__ import annotations

from gan_core.config.gan.cures import Change

TRANSLATION_CURES: dict[str, Change] = {
    "adversarial_term": Change(
        "D's opinion in G's loss",
        "pix2pix",
        "A D that sees input and output asks for an answer that looks like one, where a distance is least between all answers.",
        {"translation.adversarial_weight": 1.0},
    ),
    "sees_input": Change(
        "D sees the input",
        "pix2pix",
        "A D that sees outputs alone is content with any that looks real, whatever it is an answer to.",
        {"model.discriminator.sees_input": True},
    ),
    "distance_100": Change(
        "Distance, λ = 100",
        "pix2pix",
        "The absolute error of each pixel asks for the answer that belongs to this input.",
        {"translation.distance": "l1", "translation.distance_weight": 100.0},
    ),
}
"""As `CURES`."""
