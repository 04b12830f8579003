"""What the board has to say about GANs, computed: nothing here trains a run, none of it takes more than a second."""

from gan_core.engine.theory.algorithm import Algorithm, algorithm
from gan_core.engine.theory.dirac import DIRAC_LOSSES, DIRAC_PENALTIES, DiracPath, DiracRules, dirac_field, dirac_path
from gan_core.engine.theory.linear_codes import (
    LinearVae,
    collapse_nats,
    pca_errors,
    ppca,
    principal_axes,
    train_linear_vae,
)
from gan_core.engine.theory.pairs import PairGame, right_pairs, swapped_pairs
from gan_core.engine.theory.pixels import (
    Cheapest,
    DigitSet,
    best_guess,
    cheapest_pictures,
    digit_set,
    expected_error,
    grey_share,
)
from gan_core.engine.theory.separation import Separation, Sweep, separation, sweep
from gan_core.engine.theory.upsampling import KERNELS, Checkerboard, checkerboard

__all__ = [
    "DIRAC_LOSSES",
    "DIRAC_PENALTIES",
    "KERNELS",
    "Algorithm",
    "Cheapest",
    "Checkerboard",
    "DigitSet",
    "DiracPath",
    "DiracRules",
    "LinearVae",
    "PairGame",
    "Separation",
    "Sweep",
    "algorithm",
    "best_guess",
    "cheapest_pictures",
    "checkerboard",
    "collapse_nats",
    "digit_set",
    "dirac_field",
    "dirac_path",
    "expected_error",
    "grey_share",
    "pca_errors",
    "ppca",
    "principal_axes",
    "right_pairs",
    "separation",
    "swapped_pairs",
    "sweep",
    "train_linear_vae",
]
