"""The settings of each game: values, no torch. ``SETTINGS`` is the registry; `gan_core.training.GAMES` has the same names."""

from gan_core.config.games.aae import AaeConfig
from gan_core.config.games.autoencoder import AutoencoderConfig
from gan_core.config.games.bigan import AliConfig, BiganConfig
from gan_core.config.games.cyclegan import CycleganConfig
from gan_core.config.games.gan import GanConfig
from gan_core.config.games.glo import GloConfig
from gan_core.config.games.infogan import InfoganConfig
from gan_core.config.games.lapgan import LapganConfig
from gan_core.config.games.pix2pix import Pix2pixConfig
from gan_core.config.games.regressor import RegressorConfig
from gan_core.config.games.vae import VaeConfig
from gan_core.config.schema import RunConfig

SETTINGS: dict[str, type[RunConfig]] = {
    "gan": GanConfig,
    "autoencoder": AutoencoderConfig,
    "vae": VaeConfig,
    "bigan": BiganConfig,
    "ali": AliConfig,
    "aae": AaeConfig,
    "regressor": RegressorConfig,
    "infogan": InfoganConfig,
    "pix2pix": Pix2pixConfig,
    "cyclegan": CycleganConfig,
    "lapgan": LapganConfig,
    "glo": GloConfig,
}

__all__ = [
    "SETTINGS",
    "AaeConfig",
    "AliConfig",
    "AutoencoderConfig",
    "BiganConfig",
    "CycleganConfig",
    "GanConfig",
    "GloConfig",
    "InfoganConfig",
    "LapganConfig",
    "Pix2pixConfig",
    "RegressorConfig",
    "VaeConfig",
]
