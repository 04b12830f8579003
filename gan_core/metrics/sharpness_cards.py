"""The columns of the ``diagnostics`` track that tell blurred samples from sharp ones: `SHARPNESS`, part of `METRICS`."""

from __future__ import annotations

from gan_core.about import About
from gan_core.metrics.metric import Metric

SHARPNESS: dict[str, Metric] = {
    "sample_grey_share": Metric(
        About(
            title="Grey pixels of samples",
            paper="Measured for GANscope: real digits, and samples of a GAN and a VAE",
            year=2026,
            formula=r"\Pr[\tfrac14 < x_i < \tfrac34]",
            idea="Share of pixels of samples that are neither black nor white.",
            watch_for="Two or three times that of real images is blur: a decoder that averages what it is not told. Blind to "
            "strokes that are shifted or missing.",
        ),
        unit="share",
        better="closer",
        bounds=(0.0, 1.0),
    ),
    "sample_laplacian_variance": Metric(
        About(
            title="Sharpness of samples",
            paper="Pech-Pacheco et al., Diatom Autofocusing in Brightfield Microscopy",
            year=2000,
            formula=r"\operatorname{Var}(\Delta x)",
            idea="Variance of the Laplacian over the pixels of samples: edges.",
            watch_for="A quarter of that of real images is blur; checkerboards and noise, such as samples of a G that has not "
            "learnt yet, read above it.",
            url="https://doi.org/10.1109/ICPR.2000.903548",
        ),
        unit="squared pixels",
        better="closer",
    ),
}
