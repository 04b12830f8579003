"""Games: who plays, and for what. ``build.GAMES`` names them."""

from gan_core.training.games.adversarial import AdversarialGame, Optimization

__all__ = ["AdversarialGame", "Optimization"]
