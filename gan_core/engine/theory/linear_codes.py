"""Linear encoders and decoders, whose best codes are known in closed form: principal components, probabilistic PCA, β-VAE.

Every expectation over x and over the noise of the code is taken exactly, by the covariance of the data: nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Array = NDArray[np.float64]

_STEPS = 400  # of L-BFGS, at most; a code of two needs about forty


@dataclass(frozen=True)
class LinearVae:
    """A linear VAE of centred data: ``elbo`` in nats per sample, ``variance`` σ² of p(x|z), and of each dimension of the
    code, in falling order, the nats ``kl`` (q,) and the squared norm of its decoder column, ``squared_norms`` (q,)."""

    elbo: float
    variance: float
    kl: Array
    squared_norms: Array


def collapse_nats(eigenvalues: ArrayLike, beta: float, variance: float) -> Array:
    """KL of each dimension of the best linear β-VAE with a fixed σ² = ``variance``: max(0, ½ log(λ_j / (β σ²))), in nats.

    A dimension is off where β σ² ≥ λ_j (from Lucas et al. 2019, https://arxiv.org/abs/1911.02469). Raises ValueError unless
    β and σ² are positive.
    """
    if not (beta > 0 and variance > 0):
        raise ValueError(f"β and σ² must be positive, got {beta} and {variance}")
    shares = np.asarray(eigenvalues, dtype=np.float64) / (beta * variance)
    return 0.5 * np.log(np.maximum(shares, 1.0))


def ppca(eigenvalues: ArrayLike, code_dim: int) -> LinearVae:
    """Probabilistic PCA (Tipping and Bishop 1999) of data with these eigenvalues (d,): its log-likelihood is the ``elbo``.

    σ² is the mean of the eigenvalues that the code discards. Raises ValueError unless 0 < ``code_dim`` < d.
    """
    falling = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    if not 0 < code_dim < len(falling):
        raise ValueError(f"a code of {len(falling)} numbers has 1 to {len(falling) - 1} dimensions, not {code_dim}")
    kept, discarded = falling[:code_dim], falling[code_dim:]
    variance = float(discarded.mean())
    determinant = np.log(kept).sum() + len(discarded) * np.log(variance)
    likelihood = -0.5 * (len(falling) * np.log(2 * np.pi) + determinant + len(falling))
    return LinearVae(float(likelihood), variance, collapse_nats(kept, 1.0, variance), kept - variance)


def train_linear_vae(
    covariance: ArrayLike, code_dim: int, *, beta: float = 1.0, variance: float | None = None, seed: int = 0
) -> LinearVae:
    """Minimise −ELBO of a linear encoder and decoder from random weights; σ² is learnt unless ``variance`` fixes it.

    q(z|x) = N(Vx, diag(v)), p(x|z) = N(Wz, σ² I), so E‖x − Wz‖² = tr((I − WV) S (I − WV)ᵀ) + Σ_j v_j ‖W_j‖² for
    ``covariance`` S (d, d). What L-BFGS moves are V and W in units of the data's own spread, VR and R⁻¹W with R² = S, so that
    variances of different size take no more steps. Raises ValueError for a covariance without an inverse.
    """
    S = torch.as_tensor(np.asarray(covariance), dtype=torch.float64)
    eigenvalues, axes = torch.linalg.eigh(S)
    if eigenvalues[0] <= 0:
        raise ValueError("the data do not vary along every direction")
    root = (axes * eigenvalues.sqrt()) @ axes.T
    d, stream = len(S), torch.Generator().manual_seed(seed)
    V = (0.3 * torch.randn((code_dim, d), generator=stream, dtype=torch.float64)).requires_grad_()
    W = (0.3 * torch.randn((d, code_dim), generator=stream, dtype=torch.float64)).requires_grad_()
    log_v = torch.zeros(code_dim, dtype=torch.float64, requires_grad=True)
    fixed = None if variance is None else torch.tensor(float(np.log(variance)), dtype=torch.float64)
    log_variance = torch.zeros((), dtype=torch.float64, requires_grad=True) if fixed is None else fixed

    def parts() -> tuple[Tensor, Tensor]:
        """−log p(x|z) and the KL of each dimension (q,), in nats, both exact means."""
        residual = root - root @ W @ V  # (I − WV) R
        error = residual.square().sum() + (log_v.exp() * (root @ W).square().sum(0)).sum()
        nll = 0.5 * (d * (np.log(2 * np.pi) + log_variance) + error / log_variance.exp())
        return nll, 0.5 * (V.square().sum(1) + log_v.exp() - 1 - log_v)

    _minimise([V, W, log_v, *([log_variance] if fixed is None else [])], lambda: parts()[0] + beta * parts()[1].sum())
    with torch.no_grad():
        nll, kl = parts()
        order = kl.argsort(descending=True)
        norms = (root @ W).square().sum(0)[order]
        return LinearVae(-(nll + kl.sum()).item(), log_variance.exp().item(), kl[order].numpy(), norms.numpy())


def _minimise(weights: Sequence[Tensor], objective: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.LBFGS(
        list(weights), max_iter=_STEPS, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        optimizer.zero_grad()
        loss = objective()
        loss.backward()
        return loss.item()

    optimizer.step(closure)


def pca_errors(train: Array, others: Array, code_dims: Sequence[int]) -> Array:
    """Mean squared error per number of ``others`` (n, d) from the first q principal components of ``train`` (m, d), by q.

    The best linear autoencoder with a code of q is this projection (Baldi and Hornik 1989). q = 0 is the mean of ``train``.
    """
    mean, axes = principal_axes(train)
    codes = (others - mean) @ axes
    whole = np.square(others - mean).sum(1).mean()
    spent = np.concatenate([[0.0], np.cumsum(np.square(codes).mean(0))])
    errors: Array = (whole - spent[list(code_dims)]) / others.shape[1]
    return np.maximum(errors, 0.0)


def principal_axes(train: Array) -> tuple[Array, Array]:
    """The mean (d,) and the principal axes (d, d) of ``train`` (m, d), a column each, in falling order of variance."""
    mean = train.mean(0)
    _, axes = np.linalg.eigh(np.cov(train.T, bias=True))
    return mean, axes[:, ::-1]
