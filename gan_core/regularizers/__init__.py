"""Regularisers. ``PENALTIES`` is the registry of those that add a term to D's loss."""

from gan_core.regularizers.gradient import PENALTIES, Critic, Penalty, gradient_norm, interpolate
from gan_core.regularizers.weights import WEIGHT_CLIPPING, clip_weights

__all__ = [
    "PENALTIES",
    "WEIGHT_CLIPPING",
    "Critic",
    "Penalty",
    "clip_weights",
    "gradient_norm",
    "interpolate",
]
