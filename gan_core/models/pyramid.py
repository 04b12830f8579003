"""The Laplacian pyramid of a picture (Burt and Adelson 1983), and a generator of its details (Denton et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gan_core.models.blocks import Layers, Network
from gan_core.models.translation import unet

LARGEST_DETAIL = 2.0  # a picture in [−1, 1] less another one


def shrunk(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, H / 2, W / 2): the mean of each 2×2 pixels."""
    return avg_pool2d(x, 2)


def enlarged(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, 2H, 2W), bilinear."""
    return interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def pyramid(x: Tensor, levels: int) -> tuple[Tensor, list[Tensor]]:
    """x (N, C, H, W), shrunk ``levels`` times, and the details h = I − u(d(I)) of each level, the coarsest first.

    Details lie between −2 and 2. Both sides have to be multiples of 2 to the power of ``levels``.
    """
    details: list[Tensor] = []
    for _ in range(levels):
        coarse = shrunk(x)
        details.insert(0, x - enlarged(coarse))
        x = coarse
    return x, details


def rebuilt(coarse: Tensor, details: Sequence[Tensor]) -> Tensor:
    """The picture of a pyramid, whether or not its details are those of a picture."""
    for detail in details:
        coarse = enlarged(coarse) + detail
    return coarse


class Times(nn.Module):
    """All numbers times one that is not learned."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def detail_generator(shape: tuple[int, ...], layers: Layers) -> Network:
    """u ⊕ noise (N, C + 1, H, W) → details (N, C, H, W) between −2 and 2, for an enlargement u of ``shape`` (C, H, W)."""
    channels = shape[0]
    return Network(*unet((channels + 1, *shape[1:]), layers, channels), Times(LARGEST_DETAIL))
