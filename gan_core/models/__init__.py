"""Networks. ``ARCHITECTURES`` is the registry, in the order in which pages show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gan_core.about import About
from gan_core.models.autoencoder import Autoencoder
from gan_core.models.blocks import Dropout, Layers, Network, use_dropout_stream
from gan_core.models.coders import decoder_from, encoder_from
from gan_core.models.conditioning import UNCONDITIONAL, Condition
from gan_core.models.convolutional import (
    convolutional_discriminator,
    convolutional_fits,
    convolutional_generator,
)
from gan_core.models.dcgan import dcgan_discriminator, dcgan_fits, dcgan_generator
from gan_core.models.initialization import initialize, with_storage
from gan_core.models.minibatch import SUMMARIES, pack, packed_shape
from gan_core.models.mlp import mlp_discriminator, mlp_fits, mlp_generator
from gan_core.models.pairs import joined_discriminator, mlp_pair_discriminator
from gan_core.models.pyramid import detail_generator, enlarged, pyramid, rebuilt, shrunk
from gan_core.models.resnet import resnet_discriminator, resnet_fits, resnet_generator
from gan_core.models.spectral import normalize_spectrally, raw_weight, spectral_norm_of
from gan_core.models.summary import LayerRow, layer_rows
from gan_core.models.superresolution import srresnet
from gan_core.models.translation import (
    halvings,
    logits_on_a_side,
    patch_discriminator,
    receptive_field,
    smallest_side,
    unet,
)


@dataclass(frozen=True)
class Architecture:
    """A pair of network builders.

    ``generator(latent_dim, shape, layers)`` maps z (N, latent_dim) to x̂ (N, *shape); ``discriminator(shape, layers)``
    maps x to logits (N,) and has ``features(x)``, what its last layer sees. Both are called as ``net(input, y=None)``, and
    take y if ``layers.condition`` says so.
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
    "resnet": Architecture(
        resnet_generator,
        resnet_discriminator,
        resnet_fits,
        About(
            title="ResNet",
            paper="Miyato et al., Spectral Normalization for Generative Adversarial Networks, tables 3 to 6",
            year=2018,
            formula=r"h \leftarrow \mathrm{shortcut}(h) + \mathrm{conv}(\phi(\mathrm{conv}(\phi(h)))),\quad"
            r" D(x) = w^\top \textstyle\sum_{i,j} \phi(h_{ij})",
            idea="Each stage adds to what it is given instead of replacing it, so gradients reach the first layers "
            "undiminished. Blocks double the map in G (nearest neighbour in the papers) and halve it in D, which ends in a "
            "sum over all pixels.",
            watch_for="Several convolutions a stage: slower than a DCGAN of the same widths. It shows its strength on larger "
            "and more varied images; in D take spectral or layer normalisation.",
            url="https://arxiv.org/abs/1802.05957",
        ),
    ),
    "convolutional": Architecture(
        convolutional_generator,
        convolutional_discriminator,
        convolutional_fits,
        About(
            title="Convolutional autoencoder",
            paper="Masci et al., Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction",
            year=2011,
            formula=r"x \to (\mathrm{conv}_{3,2} \to \phi)^{n} \to z \to \mathrm{conv}^\top \to \phi \to"
            r" (\mathrm{conv}^\top_{3,2} \to \phi)^{n-1} \to \mathrm{conv}^\top_{3,2}",
            idea="The networks that courses print for an autoencoder: 3×3 convolutions that halve the picture, mirrored by "
            "transposed ones. Widths 16 and 32 with a code of 64 are 1-16-32-64(7×7).",
            watch_for="A kernel of 3 at a stride of 2 covers some pixels twice and others once: a checkerboard may show.",
            url="https://doi.org/10.1007/978-3-642-21735-7_7",
        ),
    ),
}

__all__ = [
    "ARCHITECTURES",
    "SUMMARIES",
    "UNCONDITIONAL",
    "Architecture",
    "Autoencoder",
    "Condition",
    "Dropout",
    "LayerRow",
    "Layers",
    "Network",
    "decoder_from",
    "detail_generator",
    "encoder_from",
    "enlarged",
    "halvings",
    "initialize",
    "joined_discriminator",
    "layer_rows",
    "logits_on_a_side",
    "mlp_pair_discriminator",
    "normalize_spectrally",
    "pack",
    "packed_shape",
    "patch_discriminator",
    "pyramid",
    "raw_weight",
    "rebuilt",
    "receptive_field",
    "shrunk",
    "smallest_side",
    "spectral_norm_of",
    "srresnet",
    "unet",
    "use_dropout_stream",
    "with_storage",
]
