"""What each preset from picture to picture promises, alone and with a part of it left out."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.codes_promises import Case, Promise


@dataclass(frozen=True)
class Way(Case):
    """``since`` is the round at which a way between networks begins that ends at the last; at each of ``shares`` of it the
    measures of pairs are read too, by the names ``psnr@0.25``. 0 is none.
    """

    since: int = 0
    shares: tuple[float, ...] = ()


L1_ONLY = {"translation.adversarial_weight": 0.0}
D_ONLY = {"translation.distance_weight": 0.0}
BOTH = {"translation.adversarial_weight": 1.0}
L2_ONLY = {**L1_ONLY, "translation.distance": "l2", "translation.distance_weight": 100.0}
ALPHA = "translation.adversarial_weight"

INPUT, NEAREST, BICUBIC, TARGET, AS_IT_IS = (
    "input as it is",
    "nearest training picture",
    "bicubic",
    "target itself",
    "as it is",
)
ESRGAN = (
    "Network interpolation is of ESRGAN (Wang et al. 2018, section 3.4), there on photographs and between an L1 network and "
    "its adversarial descendant"
)


def _at_most(said: str, measure: str, bound: float, of: str = "", at: int = 0) -> Promise:
    return Promise(said, measure, "≤", bound, at, of)


def _at_least(said: str, measure: str, bound: float, of: str = "", at: int = 0) -> Promise:
    return Promise(said, measure, "≥", bound, at, of)


_REPAIR = (
    Case(
        "digits-repair",
        "digits-repair",
        "Scratched digits, L1 and a conditional D.",
        (
            _at_least("the class of the target", "target_class", 0.75),
            _at_most("error, over that of the input", "absolute_error", 0.7, INPUT),
            _at_most("error, over that of the nearest training picture", "absolute_error", 1.0, NEAREST),
        ),
    ),
    Case(
        "digits-repair, L1 only",
        "digits-repair",
        "Scratched digits, without D.",
        (
            _at_least("the class of the target", "target_class", 0.75),
            _at_most("error, over that of the input", "absolute_error", 0.65, INPUT),
        ),
        changes=L1_ONLY,
    ),
)
_HALF = (
    Case(
        "digits-half",
        "digits-half",
        "The lower half guessed, L1 and a conditional D.",
        (
            _at_least("the class of the target", "target_class", 0.78),
            _at_most("error, over that of the input", "absolute_error", 0.85, INPUT),
        ),
    ),
    Case(
        "digits-half, L1 only",
        "digits-half",
        "The lower half guessed, without D: grey where several answers fit.",
        (
            _at_least("the class of the target", "target_class", 0.78),
            _at_most("error, over that of the nearest training picture", "absolute_error", 1.0, NEAREST),
            _at_least("Fréchet distance, over that of the nearest training picture", "target_frechet", 2.0, NEAREST),
        ),
        changes=L1_ONLY,
    ),
    Case(
        "digits-half, cGAN only",
        "digits-half",
        "A conditional D alone: strokes, and no reason to be right pixel by pixel.",
        (
            _at_most("the class of the target", "target_class", 0.78),
            _at_least("error, over that of the nearest training picture", "absolute_error", 1.2, NEAREST),
        ),
        changes=D_ONLY,
    ),
    Case(
        "digits-half, unconditional D",
        "digits-half",
        "D does not see the input and there is no distance, so an output need not belong to its input.",
        (
            _at_most("the class of the target", "target_class", 0.6),
            _at_least("error, over that of the input", "absolute_error", 1.2, INPUT),
        ),
        changes={**D_ONLY, "model.discriminator.sees_input": False},
    ),
)
_SKETCH = (
    Case(
        "digits-sketch",
        "digits-sketch",
        "Thin strokes inked, without D: the answer is nearly determined.",
        (
            _at_least("the class of the target", "target_class", 0.95),
            _at_most("error, over that of the input", "absolute_error", 0.6, INPUT),
        ),
    ),
    Case(
        "digits-sketch, with D",
        "digits-sketch",
        "The same with a conditional D, which has little to add.",
        (_at_least("the class of the target", "target_class", 0.95),),
        changes=BOTH,
    ),
)
_SR = (
    Case(
        "digits-sr",
        "digits-sr",
        "7×7 to 28×28 by a U-Net and the squared error.",
        (
            _at_least("the class of the target", "target_class", 0.9),
            _at_least("PSNR, over that of bicubic enlargement", "psnr", 1.25, BICUBIC),
        ),
    ),
    Case(
        "digits-srresnet",
        "digits-srresnet",
        "7×7 to 28×28 by residual blocks and the squared error, averaged.",
        (
            _at_least("the class of the target", "target_class", 0.93),
            _at_least("PSNR, over that of bicubic enlargement", "psnr", 1.28, BICUBIC),
            _at_most("shrunk back to its input: error of a pixel", "consistency", 0.02),
        ),
    ),
    Case(
        "digits-srresnet, not averaged",
        "digits-srresnet",
        "The same run, with the last G instead of its average.",
        (_at_least("PSNR, over that of bicubic enlargement", "psnr", 1.25, BICUBIC),),
        changes={"tricks.ema_decay": 0.0},
    ),
    Case(
        "digits-srresnet, then D at α = 0.003",
        "digits-srresnet",
        "From round 400 on G hears of a fresh D too; averaged.",
        (
            _at_least("the class of the target", "target_class", 0.93),
            _at_least("PSNR, over that of bicubic enlargement", "psnr", 1.28, BICUBIC),
        ),
        knobs={400: {ALPHA: 0.003}},
        rounds=700,
    ),
    Way(
        "digits-srresnet, then D at α = 0.1, and between",
        "digits-srresnet",
        "From round 400 on a D that weighs more, and a lower rate of G; then the weights at shares of the way from round 400 "
        "to the last.",
        (
            Promise("PSNR at .25", "psnr@0.25", "≥", 17.5),
            Promise("PSNR at .5", "psnr@0.5", "≥", 17.0),
            Promise("the class of the target at .25", "target_class@0.25", "≥", 0.92),
            Promise("Fréchet distance at .25", "target_frechet@0.25", "≤", 90.0),
            Promise("Fréchet distance at .5", "target_frechet@0.5", "≤", 80.0),
            Promise("the class of the target at the end", "target_class", "≥", 0.9),
        ),
        knobs={400: {ALPHA: 0.1, "optimizers.generator.lr": 4e-4}},
        rounds=700,
        differs=f"{ESRGAN}.",
        since=400,
        shares=(0.0, 0.25, 0.5, 0.75, 1.0),
    ),
    Case(
        "digits-srgan",
        "digits-srgan",
        "Squared error and D at α = 0.003 from the first round on, averaged.",
        (
            _at_least("the class of the target", "target_class", 0.93),
            _at_least("PSNR, over that of bicubic enlargement", "psnr", 1.28, BICUBIC),
        ),
    ),
)
_COLOUR = (
    Case(
        "digits-colour",
        "digits-colour",
        "Grey digits coloured, L1 and a conditional D.",
        (
            _at_least("coloured: saturation on the ink", "ink_saturation", 0.9),
            _at_least("brightness on the ink, over that of targets", "ink_brightness", 0.7, TARGET),
            _at_least("the class of the target", "target_class", 0.95),
        ),
    ),
    Case(
        "digits-colour, L1 only",
        "digits-colour",
        "The absolute error alone: the median of each channel is black.",
        (_at_most("brightness on the ink", "ink_brightness", 0.05),),
        changes={**L1_ONLY, "translation.distance_weight": 100.0},
    ),
    Case(
        "digits-colour, L2 only",
        "digits-colour",
        "The squared error alone: the mean is a grey of a third.",
        (
            _at_least("brightness on the ink, over that of targets", "ink_brightness", 0.29, TARGET),
            _at_most("brightness on the ink, over that of targets", "ink_brightness", 0.38, TARGET),
            _at_most("saturation on the ink", "ink_saturation", 0.25),
        ),
        changes=L2_ONLY,
    ),
)
_CYCLE = (
    Case(
        "digits8-to-mnist",
        "digits8-to-mnist",
        "Small digits made into MNIST's without pairs, with the cycle.",
        (
            _at_least("the class is kept from A to B", "translated_class", 0.8),
            _at_most("lost from A to B and back", "cycle_error", 0.06),
        ),
    ),
    Case(
        "digits8-to-mnist, no cycle",
        "digits8-to-mnist",
        "Both D alone: any digit will do.",
        (_at_most("the class is kept from A to B", "translated_class", 0.65),),
        changes={"cycle.cycle_weight": 0.0},
    ),
    Case(
        "ring-cycle",
        "ring-cycle",
        "Four modes onto themselves, with a perfect cycle and without the identity term.",
        (
            _at_most("lost from A to B and back", "cycle_error", 0.1),
            _at_most("modes that stay where they are", "modes_right", 3),
        ),
    ),
    Case(
        "ring-cycle, with the identity",
        "ring-cycle",
        "The same with λ_id = 0.5.",
        (_at_least("modes that stay where they are", "modes_right", 4),),
        changes={"cycle.identity_weight": 0.5},
    ),
)
_PYRAMID = (
    Case(
        "digits-lapgan",
        "digits-lapgan",
        "A pair of players per level, 7 → 14 → 28, each on real pyramids; the bottom is asked for a class.",
        (
            _at_most("all levels: Fréchet distance", "frechet_distance", 520.0),
            _at_least("all levels: the class that is asked for", "label_accuracy", 0.5),
            _at_most("details on real 14×14: Fréchet distance", "from_half_frechet", 120.0),
            _at_most(
                "details on real 14×14: Fréchet distance, over that without any", "from_half_frechet", 0.5, "no details"
            ),
            _at_least("details on real 7×7: the class is kept", "from_quarter_class", 0.6),
        ),
    ),
    Case(
        "digits-dcgan, as long as the pyramid",
        "digits-dcgan",
        "A DCGAN of about as many CPU seconds, for comparison.",
        (_at_most("Fréchet distance", "frechet_distance", 300.0),),
        rounds=950,
    ),
)
_NUMBERS = (
    Case(
        "digits-spelled",
        "digits-spelled",
        "From a number to its picture, told as two digits; both halves have to be right.",
        (
            _at_least("numbers that were shown", "label_accuracy", 0.7),
            _at_least("numbers that were never shown", "never_shown_accuracy", 0.6),
        ),
    ),
    Case(
        "digits-spelled, told by names",
        "digits-spelled",
        "The same, told as one of a hundred names.",
        (_at_most("numbers that were never shown", "never_shown_accuracy", 0.1),),
        changes={"model.condition": "concatenation"},
    ),
)
CASES: tuple[Case, ...] = (*_REPAIR, *_HALF, *_SKETCH, *_SR, *_COLOUR, *_CYCLE, *_PYRAMID, *_NUMBERS)
