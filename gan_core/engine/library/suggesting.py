"""What a run on somebody's own pictures begins with: networks, batch and augmentation, from how many they are and how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan_core.data import ImageSource

PRESET = "digits-dcgan"
"""What the changes are made to: rates, normalisation and loss are of its digits."""
FEW = 1_000
"""Training pictures below which what D sees is augmented (Zhao et al. 2020: with so few D knows them by heart)."""
PASSES, LEAST_ROUNDS, MOST_ROUNDS = 300, 2_000, 10_000
"""Times that each picture is seen, where a class can wait for it."""
MOST_STAGES, SMALLEST = 4, 4


NAMES = {
    "tricks.augment": "the augmentation",
    "model.generator.widths": "the networks",
    "data.batch_size": "the batch",
    "schedule.rounds": "the rounds",
    "tricks.ema_decay": "the moving average of G",
}
"""What the changes are called; those that belong to one have its name."""
MEASURED = ("tricks.augment",)
"""Of which it was counted what they change: `own-pictures` in docs/results/uses.md."""


@dataclass(frozen=True)
class Suggestion:
    """Dotted ``changes``, and ``expected`` in sentences: why these, and what not to hope for."""

    changes: dict[str, Any]
    expected: tuple[str, ...]


def suggested(source: ImageSource) -> Suggestion:
    """A DCGAN with as many stages as halve the pictures to 4 pixels, an MLP where they cannot be halved."""
    n, held_out = len(source.train_index), len(source.heldout_index)
    batch = 16 if n < FEW / 5 else 32
    rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, PASSES * n // batch))
    few = n < FEW
    changes = {
        "data.batch_size": batch,
        "schedule.rounds": rounds,
        **_networks(source.shape),
        "tricks.ema_decay": 0.995,
        "tricks.ema_warm_up": True,
        "tricks.augment": "translation+cutout" if few else "off",
    }
    why = (
        f"{n:,} pictures can be known by heart, so D sees them shifted and with a square cut out; the curve r_v tells whether "
        "it knows them all the same."
        if few
        else f"{n:,} pictures are enough to begin without augmentation; the curve r_v tells when D knows them by heart."
    )
    return Suggestion(
        changes,
        (
            f"{why} {held_out:,} are held out, so that copies can be told.",
            f"Each picture is seen about {rounds * batch // n:,} times. Expect shapes and colours that look like yours, not "
            "new photographs.",
            _counted(),
        ),
    )


def _counted() -> str:
    """Which of the changes rest on a measurement."""
    known, others = ([name for key, name in NAMES.items() if (key in MEASURED) is counted] for counted in (True, False))
    return (
        f"What {' and '.join(known)} changes was measured on coloured digits, five seeds, after 1,000 rounds: samples were "
        "further from real ones with 200 and 1,000 pictures, nothing could be told with 50, and D knew its pictures less by "
        "heart on most seeds. So it may pay in long trainings only. "
        f"{', '.join(others[:-1])} and {others[-1]} follow habit, and were not measured. The study *What do few pictures "
        "cost?* on the Uses page measures it on yours."
    )


def _networks(shape: tuple[int, ...]) -> dict[str, Any]:
    stages = _halvings(*shape[1:])
    if not stages:
        return {f"model.{who}.{what}": value for who in PLAYERS for what, value in _MLP.items()}
    widths = [16 * 2 ** max(stages - 1 - place, 0) for place in range(stages)] if stages > 2 else [64, 32][:stages]
    return {
        "model.generator.architecture": "dcgan",
        "model.discriminator.architecture": "dcgan",
        "model.generator.widths": widths,
        "model.discriminator.widths": widths[::-1],
    }


PLAYERS = ("generator", "discriminator")
_MLP: dict[str, Any] = {"architecture": "mlp", "widths": [256, 256], "normalization": "none"}


def _halvings(height: int, width: int) -> int:
    """How often both sides can be halved, and stay at 4 pixels or more."""
    stages = 0
    while (
        stages < MOST_STAGES and not (height | width) >> stages & 1 and min(height, width) >> (stages + 1) >= SMALLEST
    ):
        stages += 1
    return stages
