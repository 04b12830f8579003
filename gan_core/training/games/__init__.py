"""Games: who plays, and for what. ``GAMES`` is the registry; a config names its game."""

from typing import Any

from gan_core.training.games.aae import AAE
from gan_core.training.games.adversarial import AdversarialGame
from gan_core.training.games.autoencoder import AUTOENCODER
from gan_core.training.games.bigan import ALI, BIGAN
from gan_core.training.games.cyclegan import CYCLEGAN
from gan_core.training.games.declaration import Declaration
from gan_core.training.games.gan import GAN, reference_lines
from gan_core.training.games.glo import GLO
from gan_core.training.games.infogan import INFOGAN
from gan_core.training.games.lapgan import LAPGAN
from gan_core.training.games.pix2pix import PIX2PIX
from gan_core.training.games.regressor import REGRESSOR
from gan_core.training.games.vae import VAE

# Any: each entry reads the settings of its own game, which are those of a config that names it.
GAMES: dict[str, Declaration[Any]] = {
    "gan": GAN,
    "autoencoder": AUTOENCODER,
    "vae": VAE,
    "bigan": BIGAN,
    "ali": ALI,
    "aae": AAE,
    "regressor": REGRESSOR,
    "infogan": INFOGAN,
    "pix2pix": PIX2PIX,
    "cyclegan": CYCLEGAN,
    "lapgan": LAPGAN,
    "glo": GLO,
}

__all__ = ["GAMES", "AdversarialGame", "Declaration", "reference_lines"]
