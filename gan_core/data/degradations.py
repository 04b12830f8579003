"""Degradations: what makes the input of a pair out of its target, pure functions of pictures and of a random generator.

Pictures are (n, C, H, W) float in [−1, 1], black −1, and keep their size, so one network serves every pair. Lengths in pixels
are those of a picture of 28 and grow with the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gan_core.about import About

Degrade = Callable[[Tensor, torch.Generator], Tensor]
"""``degrade(x, generator)`` for x (n, C, H, W); draws from the generator alone, which is on the device of x."""

SIDE = 28.0
SCRATCHES = ((3.0, -1.0), (3.0, -1.0), (1.0, 1.0), (1.0, 1.0))  # of each: its width in pixels, its value
BLUR, NOISE = 1.5, 0.5  # pixels; standard deviation in network units
DARKER, PENUMBRA = 0.65, 1.0  # of the light, in full shadow; pixels, by which the edge is soft


@dataclass(frozen=True)
class Degradation:
    """``factor`` is by how much the input is coarser than the target, 1 where it is as fine; ``drawn`` says whether the input
    is lines that a pen may draw. Of pictures of fewer than ``channels`` channels there is nothing to take away."""

    apply: Degrade
    about: About
    factor: int = 1
    drawn: bool = False
    channels: int = 1


def half(x: Tensor, generator: torch.Generator) -> Tensor:
    """The lower half black."""
    hidden = x.clone()
    hidden[..., x.shape[2] // 2 :, :] = -1.0
    return hidden


def scratched(x: Tensor, generator: torch.Generator) -> Tensor:
    """Straight lines through random points at random angles, other ones over each picture."""
    n, _, height, width = x.shape
    draws = torch.rand(3, len(SCRATCHES), n, 1, 1, generator=generator, device=x.device)
    rows = torch.arange(height, device=x.device)[:, None] + 0.5
    columns = torch.arange(width, device=x.device)[None] + 0.5
    unit, damaged = min(height, width) / SIDE, x
    for (thick, value), at, along, angle in zip(SCRATCHES, *draws, strict=True):
        turn = math.pi * angle
        distance = (columns - width * at) * turn.cos() + (rows - height * along) * turn.sin()
        damaged = torch.where((distance.abs() <= thick * unit / 2)[:, None], value, damaged)
    return damaged


def outline(x: Tensor, generator: torch.Generator) -> Tensor:
    """A picture less its erosion by 3×3: the innermost pixels of each edge."""
    eroded = -functional.max_pool2d(-x, kernel_size=3, stride=1, padding=1)
    return x - eroded - 1.0


def skeleton(x: Tensor, generator: torch.Generator) -> Tensor:
    """What is lighter than middle grey, thinned to lines of one pixel (Zhang and Suen 1984), white on black."""
    ink = x > 0
    while True:
        before = ink
        for first in (True, False):
            ink = ink & ~_removable(ink, first=first)
        if torch.equal(before, ink):
            return ink.to(x.dtype) * 2 - 1


def _removable(ink: Tensor, *, first: bool) -> Tensor:
    """Pixels that Zhang and Suen's first or second pass takes away at once; ``ink`` is bool (n, C, H, W)."""
    p = functional.pad(ink.to(torch.int8), (1, 1, 1, 1))
    n, e, s, w = p[..., :-2, 1:-1], p[..., 1:-1, 2:], p[..., 2:, 1:-1], p[..., 1:-1, :-2]
    corners = p[..., :-2, 2:], p[..., 2:, 2:], p[..., 2:, :-2], p[..., :-2, :-2]
    round_about = torch.stack([n, corners[0], e, corners[1], s, corners[2], w, corners[3]])
    lit = round_about.sum(0, dtype=torch.int8)  # torch would sum in 64 bits, which takes three times as long
    begins = ((round_about == 0) & (round_about.roll(-1, 0) == 1)).sum(0, dtype=torch.int8)
    closed = (n * e * s == 0) & (e * s * w == 0) if first else (n * e * w == 0) & (n * s * w == 0)
    return (lit >= 2) & (lit <= 6) & (begins == 1) & closed


def coarser(x: Tensor, factor: int) -> Tensor:
    """The mean of each ``factor`` × ``factor`` pixels, (n, C, ⌈H / factor⌉, ⌈W / factor⌉)."""
    _, _, height, width = x.shape
    return functional.adaptive_avg_pool2d(x, (math.ceil(height / factor), math.ceil(width / factor)))


def mosaic(factor: int) -> Degrade:
    """The degradation to squares of one value each, the mean of what was there."""

    def degrade(x: Tensor, generator: torch.Generator) -> Tensor:
        return functional.interpolate(coarser(x, factor), size=x.shape[2:], mode="nearest")

    return degrade


def bicubic(degraded: Tensor, factor: int) -> Tensor:
    """A mosaic of ``factor`` enlarged smoothly: what needs no training."""
    smooth = functional.interpolate(coarser(degraded, factor), size=degraded.shape[2:], mode="bicubic")
    return smooth.clamp(-1.0, 1.0)


def blurred(x: Tensor, generator: torch.Generator) -> Tensor:
    """A Gaussian of 1.5 pixels; what lies outside of a picture is as its edge."""
    sigma = BLUR * min(x.shape[2:]) / SIDE
    reach = max(1, math.ceil(3 * sigma))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype) / sigma) ** 2)
    weights = weights / weights.sum()
    padded = functional.pad(x, (reach,) * 4, mode="replicate").flatten(0, 1)[:, None]
    across = functional.conv2d(padded, weights[None, None, None])
    return functional.conv2d(across, weights[None, None, :, None]).reshape(x.shape)


def noisy(x: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of a quarter of the range, cut off at black and at white."""
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return (x + NOISE * noise).clamp(-1.0, 1.0)


def grey(x: Tensor, generator: torch.Generator) -> Tensor:
    """Each pixel as light as the lightest of its channels, in all of them: unlike luma this tells no hue of a pure colour."""
    return x.amax(1, keepdim=True).expand_as(x).clone()


def shadow(x: Tensor, generator: torch.Generator) -> Tensor:
    """A soft shadow on one side of a straight line through a random point at a random angle, another one over each picture."""
    n, _, height, width = x.shape
    at, along, angle = torch.rand(3, n, 1, 1, generator=generator, device=x.device)
    rows = torch.arange(height, device=x.device)[:, None] + 0.5
    columns = torch.arange(width, device=x.device)[None] + 0.5
    turn = 2 * math.pi * angle
    distance = (columns - width * at) * turn.cos() + (rows - height * along) * turn.sin()
    share = torch.sigmoid(distance / (PENUMBRA * min(height, width) / SIDE))
    return (x + 1) * (1 - DARKER * share)[:, None] - 1


_REPAIR = ("Pathak et al., Context Encoders: Feature Learning by Inpainting", 2016, "https://arxiv.org/abs/1604.07379")
_SKETCH = ("Isola et al., Image-to-Image Translation with Conditional GANs", 2017, "https://arxiv.org/abs/1611.07004")
_FINER = ("Dong et al., Image Super-Resolution Using Deep Networks", 2016, "https://arxiv.org/abs/1501.00092")
_THINNING = (
    "Zhang, Suen, A Fast Parallel Algorithm for Thinning Digital Patterns",
    1984,
    "https://doi.org/10.1145/357994.358023",
)
_COLOURING = ("Zhang, Isola, Efros, Colorful Image Colorization", 2016, "https://arxiv.org/abs/1603.08511")
_UNSHADOWING = (
    "Wang, Li, Yang, Stacked Conditional GANs for Jointly Learning Shadow Detection and Shadow Removal",
    2018,
    "https://arxiv.org/abs/1712.02478",
)
_DENOISING = (
    "Vincent et al., Extracting and Composing Robust Features",
    2008,
    "https://doi.org/10.1145/1390156.1390294",
)


def _card(source: tuple[str, int, str], title: str, formula: str, idea: str, watch_for: str) -> About:
    return About(title, source[0], source[1], formula, idea, watch_for, source[2])


DEGRADATIONS: dict[str, Degradation] = {
    "half": Degradation(
        half,
        _card(
            _REPAIR,
            "Lower half hidden",
            r"a = b \odot m",
            "The lower half is black. Several digits may have the same upper half, so the answer is not determined.",
            "Grey lower halves: the absolute error is least at the median of the answers, the squared one at their mean.",
        ),
    ),
    "scratched": Degradation(
        scratched,
        _card(
            _REPAIR,
            "Scratched",
            r"a = b \odot m + v \odot (1 - m)",
            "Two black lines of three pixels and two white ones of one, at random over each picture.",
            "Strokes that are repaired into another digit: what was under a line is a guess.",
        ),
    ),
    "skeleton": Degradation(
        skeleton,
        _card(
            _THINNING,
            "Thin stroke",
            r"a = \mathrm{thin}(b > 0)",
            "The strokes thinned to lines of one pixel, as somebody might draw them.",
            "The answer is nearly determined: an adversarial term has little to add.",
        ),
        drawn=True,
    ),
    "outline": Degradation(
        outline,
        _card(
            _SKETCH,
            "Outline",
            r"a = b - \mathrm{erode}_{3 \times 3}(b)",
            "The edges of the strokes without their inside.",
            "Which side of an edge is ink has to be seen from more than one pixel: a small receptive field confuses them.",
        ),
        drawn=True,
    ),
    "half_size": Degradation(
        mosaic(2),
        _card(
            _FINER,
            "Half the size",
            r"a = u(d_2(b))",
            "Squares of 2×2 pixels, each the mean of what was there: of 28×28 pixels 14×14 are left.",
            "Bicubic enlargement is a strong rival here, and it needs no training.",
        ),
        factor=2,
    ),
    "quarter_size": Degradation(
        mosaic(4),
        _card(
            _FINER,
            "A quarter of the size",
            r"a = u(d_4(b))",
            "Squares of 4×4 pixels, each the mean of what was there: of 28×28 pixels 7×7 are left.",
            "A sharp picture of another digit: error and PSNR count pixels, not digits.",
        ),
        factor=4,
    ),
    "blurred": Degradation(
        blurred,
        _card(
            _FINER,
            "Blurred",
            r"a = b * \mathcal{N}(0, 1.5^2)",
            "A Gaussian of a standard deviation of 1.5 pixels over every pixel.",
            "Rings beside sharp edges, where the fine detail was lost below rounding.",
        ),
    ),
    "noisy": Degradation(
        noisy,
        _card(
            _DENOISING,
            "Noisy",
            r"a = b + \varepsilon,\quad \varepsilon \sim \mathcal{N}(0, 0.5^2)",
            "Gaussian noise of a quarter of the range, fresh at every look.",
            "Smooth strokes without their ends: what is as faint as the noise is taken for noise.",
        ),
    ),
    "grey": Degradation(
        grey,
        _card(
            _COLOURING,
            "Colour removed",
            r"a_c = \max_k b_k",
            "Every channel becomes the lightest of them, so a digit in pure red, green or blue has one input.",
            "Of three hues as likely the median of each channel is black and the mean a third: only D asks for a colour.",
        ),
        channels=3,
    ),
    "shadow": Degradation(
        shadow,
        _card(
            _UNSHADOWING,
            "In shadow",
            r"a = b \,(1 - 0.65\, m)",
            "Two thirds of the light are missing on one side of a straight line, whose edge is soft; each picture has its own.",
            "What is dark by itself is hardly told from what lies in shadow, and a line may stay at its edge.",
        ),
    ),
}
