"""Networks. ``ARCHITECTURES`` is the registry, in the order in which pages show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gan_core.about import About
from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Dropout, Layers, Network, use_dropout_stream
from gan_core.models.dcgan import dcgan_discriminator, dcgan_fits, dcgan_generator
from gan_core.models.initialization import initialize
from gan_core.models.minibatch import pack, packed_shape
from gan_core.models.mlp import mlp_discriminator, mlp_fits, mlp_generator
from gan_core.models.spectral import normalize_spectrally, raw_weight, spectral_norm_of


@dataclass(frozen=True)
class Architecture:
    """A pair of network builders.

    ``generator(latent_dim, shape, layers)`` maps z (N, latent_dim) to x̂ (N, *shape); ``discriminator(shape, layers)``
    maps x to logits (N,) and has ``features(x)``, what its last layer sees. Both are called as ``net(input, y=None)``.
    ``fits(shape, layers)`` says why they cannot be built, or None.
    """

    generator: Callable[[int, tuple[int, ...], Layers], Network]
    discriminator: Callable[[tuple[int, ...], Layers], Network | Autoencoder]
    fits: Callable[[tuple[int, ...], Layers], str | None]
    about: About


ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture(
        mlp_generator,
        mlp_discriminator,
        mlp_fits,
        About(
            title="MLP",
            paper="Goodfellow et al., Generative Adversarial Nets",
            year=2014,
            formula=r"G(z) = \tanh(W_L\,\phi(\cdots\phi(W_1 z + b_1)\cdots) + b_L)",
            idea="Fully connected layers; the first GANs were these. Fast on a CPU and enough for points and small digits, "
            "but it has no idea of neighbourhood in an image.",
            watch_for="Speckle between strokes: nothing tells neighbouring pixels to agree.",
            url="https://arxiv.org/abs/1406.2661",
        ),
    ),
    "dcgan": Architecture(
        dcgan_generator,
        dcgan_discriminator,
        dcgan_fits,
        About(
            title="DCGAN",
            paper="Radford, Metz, Chintala, Unsupervised Representation Learning with DCGAN",
            year=2016,
            formula=r"z \to \mathrm{Linear} \to (\mathrm{upsample} \to \mathrm{norm} \to \phi)^{n-1}"
            r" \to \mathrm{upsample} \to \tanh",
            idea="Strided convolutions down in D, transposed convolutions up in G, batch normalisation between. The "
            "alternative to the transposed convolution, upsampling and then convolving, avoids its checkerboard.",
            watch_for="A checkerboard in early samples comes from the overlap of transposed convolutions.",
            url="https://arxiv.org/abs/1511.06434",
        ),
    ),
}

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Autoencoder",
    "Dropout",
    "Layers",
    "Network",
    "initialize",
    "normalize_spectrally",
    "pack",
    "packed_shape",
    "raw_weight",
    "spectral_norm_of",
    "use_dropout_stream",
]
