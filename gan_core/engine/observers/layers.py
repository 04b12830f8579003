"""What can be laid over what G makes: where its loss pushes it, on points and on images; over a plane, how it bends its noise.

On the plane these are the layers of GAN Lab (Kahng et al. 2018).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gan_core.data import MixtureSource
from gan_core.engine.messages import Push
from gan_core.training import Pushes

ARROWS = 80
PUSHED = 8  # images
GRID_LINES, GRID_POINTS = 9, 25
GRID_REACH = {"normal": 2.0, "uniform": 1.0}  # of each of the two components of z


def pull_on_points(
    game: Pushes, source: MixtureSource, points: np.ndarray, real: np.ndarray, device: str
) -> np.ndarray:
    """−∂L_G/∂x̂ of the first ``ARROWS`` points (n, 2), in data units: (n, 2). Empty where it is not defined or not finite."""
    x_fake, x_real = (
        torch.as_tensor(source.to_network(some[:ARROWS]), dtype=torch.float32, device=device) for some in (points, real)
    )
    pull = game.pull(x_fake, x_real)
    if pull is None or not bool(pull.isfinite().all()):
        return np.empty((0, 2))
    return source.moved(pull.cpu().numpy())


def push_on_images(game: Pushes, x_fake: Tensor, x_real: Tensor) -> Push | None:
    """−∂L_G/∂x̂ of images (n, C, H, W), the mean over the channels; ``x_real`` holds as many or more.

    None where it is not defined or not finite.
    """
    pull = game.pull(x_fake, x_real[: len(x_fake)])
    if pull is None or not bool(pull.isfinite().all()):
        return None
    push = pull.mean(1, keepdim=True).cpu().numpy()
    largest = float(np.abs(push).max())
    scaled = push / largest if largest > 0 else push
    return Push((128 + np.rint(127 * scaled)).astype(np.uint8), largest)


def noise_grid(latent_dim: int, latent: str) -> Tensor:
    """z (lines × points, latent_dim): straight lines through the plane of the first two components, the others 0.

    ``GRID_LINES`` lines along the first and as many along the second; one line where z has one component.
    """
    reach = GRID_REACH[latent]
    along = torch.linspace(-reach, reach, GRID_POINTS)
    if latent_dim == 1:
        return along[:, None]
    across = torch.linspace(-reach, reach, GRID_LINES)
    first = torch.stack(torch.broadcast_tensors(along[None, :], across[:, None]), dim=-1).reshape(-1, 2)
    z = torch.zeros(2 * len(first), latent_dim)
    z[:, :2] = torch.cat([first, first.flip(1)])
    return z


def lines_of_grid(points: np.ndarray) -> list[np.ndarray]:
    """The lines (GRID_POINTS, 2) that G made of ``noise_grid``."""
    return list(points.reshape(-1, GRID_POINTS, points.shape[1]))
