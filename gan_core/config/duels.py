"""Comparisons of games: each makes samples with the same network, and reads them with the same other one."""

from __future__ import annotations

from typing import Any

from gan_core.config.errors import ConfigError, Problem
from gan_core.config.fields import Network
from gan_core.config.games.coders import Decoder
from gan_core.config.games.gan import Discriminator, Generator
from gan_core.config.overriding import flatten
from gan_core.config.schema import RunConfig

Changes = dict[str, Any]


def games_with_one_decoder(base: RunConfig) -> dict[str, Changes]:
    """A GAN, a VAE and an autoencoder on the data of ``base``: its G is their decoder, its D their encoder, z is as long as
    their code. The base may be any of the three. Raises ConfigError for a game without such networks.
    """
    networks, settings = base.networks, flatten(base.to_dict())
    maker, reader = (
        next((networks[role] for role in roles if role in networks), None) for roles in (("G", "Dec"), ("D", "E"))
    )
    length = settings.get("model.latent_dim", settings.get("model.code_dim"))
    if maker is None or reader is None or length is None:
        raise ConfigError(
            [Problem("base", f"a {base.game} has no generator or decoder that the other games could take")]
        )
    begun = {"model.initialization": settings["model.initialization"]}
    coders = {
        "model.code_dim": length,
        "model.decoder": _alike(maker, Decoder),
        "model.encoder": _alike(reader, Network),
    }
    made = {
        "gan": {
            "model.latent_dim": length,
            "model.generator": _alike(maker, Generator),
            "model.discriminator": _alike(reader, Discriminator),
        },
        "vae": coders,
        "autoencoder": coders,
    }
    titles = {"gan": "GAN", "vae": "VAE", "autoencoder": "Autoencoder"}
    return {title: {} if game == base.game else {"game": game, **begun, **made[game]} for game, title in titles.items()}


def _alike(network: Network, kind: type[Network]) -> Changes:
    """The settings of a network that one of another kind has too."""
    return {key: value for key, value in network.model_dump(mode="json").items() if key in kind.model_fields}
