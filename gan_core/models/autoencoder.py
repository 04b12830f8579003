"""An autoencoder as discriminator (Zhao et al. 2017, Berthelot et al. 2017)."""

from __future__ import annotations

from torch import Tensor, nn

from gan_core.models.blocks import Network


class Autoencoder(nn.Module):
    """x (N, *shape) → minus the mean absolute error of its reconstruction, (N,): high for what looks real.

    The error is per number of a sample, so that margins and gains mean the same for points and for images.
    """

    def __init__(self, encoder: Network, decoder: Network) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def features(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The code, (N, code_dim)."""
        return self.encoder(x, y)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(self.encoder(x, y))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return -(x - self.reconstruct(x, y)).abs().flatten(1).mean(1)
