"""What the board has to say about GANs, computed: nothing here trains a run, all of it takes milliseconds."""

from gan_core.engine.theory.algorithm import Algorithm, algorithm
from gan_core.engine.theory.dirac import DIRAC_LOSSES, DIRAC_PENALTIES, DiracPath, DiracRules, dirac_field, dirac_path
from gan_core.engine.theory.separation import Separation, Sweep, separation, sweep
from gan_core.engine.theory.upsampling import KERNELS, Checkerboard, checkerboard

__all__ = [
    "DIRAC_LOSSES",
    "DIRAC_PENALTIES",
    "KERNELS",
    "Algorithm",
    "Checkerboard",
    "DiracPath",
    "DiracRules",
    "Separation",
    "Sweep",
    "algorithm",
    "checkerboard",
    "dirac_field",
    "dirac_path",
    "separation",
    "sweep",
]
