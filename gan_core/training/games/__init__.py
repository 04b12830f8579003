"""Games: who plays, and for what. ``GAMES`` is the registry; a config names its game."""

from gan_core.training.games.adversarial import AdversarialGame
from gan_core.training.games.declaration import Declaration
from gan_core.training.games.gan import GAN, reference_lines

GAMES: dict[str, Declaration[AdversarialGame]] = {"gan": GAN}

__all__ = ["GAMES", "AdversarialGame", "Declaration", "reference_lines"]
