"""Games: who plays, and for what. ``GAMES`` is the registry; a config names its game."""

from typing import Any

from gan_core.training.games.adversarial import AdversarialGame
from gan_core.training.games.autoencoder import AUTOENCODER
from gan_core.training.games.declaration import Declaration
from gan_core.training.games.gan import GAN, reference_lines
from gan_core.training.games.infogan import INFOGAN
from gan_core.training.games.vae import VAE

# Any: each entry reads the settings of its own game, which are those of a config that names it.
GAMES: dict[str, Declaration[Any]] = {
    "gan": GAN,
    "autoencoder": AUTOENCODER,
    "vae": VAE,
    "infogan": INFOGAN,
}

__all__ = ["GAMES", "AdversarialGame", "Declaration", "reference_lines"]
