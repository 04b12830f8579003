"""The settings of each game: values, no torch. ``SETTINGS`` is the registry; `gan_core.training.GAMES` has the same names."""

from gan_core.config.games.autoencoder import AutoencoderConfig
from gan_core.config.games.gan import GanConfig
from gan_core.config.games.infogan import InfoganConfig
from gan_core.config.games.vae import VaeConfig
from gan_core.config.schema import RunConfig

SETTINGS: dict[str, type[RunConfig]] = {
    "gan": GanConfig,
    "autoencoder": AutoencoderConfig,
    "vae": VaeConfig,
    "infogan": InfoganConfig,
}

__all__ = ["SETTINGS", "AutoencoderConfig", "GanConfig", "InfoganConfig", "VaeConfig"]
