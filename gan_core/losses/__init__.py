"""Losses: pure functions. ``LOSSES`` is the registry, in the order in which pages show it."""

from gan_core.losses.adversarial import LOSSES, AdversarialLoss, LossOption, opinion

__all__ = ["LOSSES", "AdversarialLoss", "LossOption", "opinion"]
