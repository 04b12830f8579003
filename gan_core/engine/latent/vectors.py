"""What is done with z as a vector: norms, means of classes, arithmetic, directions. Pure functions of tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

RIDGE, NEWTON = 1e-3, 60  # of the logistic regression: weight of its penalty, steps at most
SMALLEST = 1e-12  # a norm below this has no direction


def on_shell(z: Tensor, radius: float) -> Tensor:
    """z (…, d) with its direction and the norm ``radius``, where draws of the prior lie; a zero stays."""
    norm = z.norm(dim=-1, keepdim=True)
    return torch.where(norm > SMALLEST, z * (radius / norm.clamp_min(SMALLEST)), z)


def class_means(z: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The mean (K, d) of the z (n, d) of each class; NaN for a class without any. Labels (n,), K and above count for none."""
    known = labels < classes
    counts = torch.bincount(labels[known], minlength=classes)
    sums = torch.zeros(classes, z.shape[1], dtype=z.dtype).index_add_(0, labels[known], z[known])
    return sums / counts[:, None]


def arithmetic(a: Tensor, b: Tensor, base: Tensor, strength: float = 1.0) -> Tensor:
    """base + strength · (a − b), all (…, d) (Radford et al. 2016)."""
    return base + strength * (a - b)


class Directions(NamedTuple):
    """Directions (k, d) of length 1, the strongest first, and how much each does (k,), in the unit of who found them."""

    vectors: Tensor
    strengths: Tensor


def sefa(weight: Tensor) -> Directions:
    """The right singular vectors of the first layer's weight (out, d): where a step of z moves its output most (Shen and Zhou
    2021). Strengths are the singular values. The largest component of each vector is positive, so that signs are the same on
    every machine.
    """
    _, values, vectors = torch.linalg.svd(weight.double(), full_matrices=False)
    return Directions(_signed(vectors).float(), values.float())


def ganspace(z: Tensor, activations: Tensor, most: int) -> Directions:
    """Directions of z that move a layer along its principal components (Härkönen et al. 2020).

    ``activations`` (n, m) are those of z (n, d). Coordinates of the samples on the ``most`` first components are regressed on:
    the direction of a component is the least-squares z of it. Strengths are standard deviations along the components.
    """
    centred = (activations - activations.mean(0)).double()
    k = min(most, z.shape[1], *centred.shape)
    left, values, _ = torch.linalg.svd(centred, full_matrices=False)
    scores = left[:, :k]  # of unit length, so the regression is a product
    vectors = scores.T @ (z - z.mean(0)).double()
    strengths = values[:k] / max(1, len(z) - 1) ** 0.5
    return Directions(_signed(torch.nn.functional.normalize(vectors, dim=1)).float(), strengths.float())


def towards_classes(means: Tensor) -> Tensor:
    """From the mean of all classes to that of each, (K, d), of length 1; zero for a class without a mean."""
    known = torch.isfinite(means).all(1)
    middle = means[known].mean(0) if known.any() else torch.zeros(means.shape[1])
    away = torch.where(known[:, None], means - middle, torch.zeros_like(means))
    return torch.nn.functional.normalize(away, dim=1)


def across_classes(z: Tensor, labels: Tensor, classes: int) -> Directions:
    """Where each class becomes likelier than the others, (K, d): the weights of a multinomial logistic regression of labels
    (n,) on z (n, d), less their mean over the classes that occur; zero for a class that does not. Labels of K and above, and
    below 0, count for none.

    Classes that differ along one number of z have means that differ along all that it is correlated with; these do not.
    Strengths are the lengths of the weights on z of variance 1.
    """
    known = (labels >= 0) & (labels < classes)
    vectors = torch.zeros(classes, z.shape[1])
    if not known.any():
        return Directions(vectors, vectors.norm(dim=1))
    present, y = labels[known].unique(return_inverse=True)
    x = (z[known] - z[known].mean(0)).double()
    x = x / x.std().clamp_min(SMALLEST)
    with torch.enable_grad():
        weight = torch.zeros(len(present), x.shape[1], dtype=x.dtype, requires_grad=True)
        bias = torch.zeros(len(present), dtype=x.dtype, requires_grad=True)
        solver = torch.optim.LBFGS([weight, bias], max_iter=NEWTON, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            solver.zero_grad()
            off = torch.nn.functional.cross_entropy(x @ weight.T + bias, y) + RIDGE * weight.square().sum() / 2
            off.backward()
            return off

        solver.step(loss)
    vectors[present] = (weight - weight.mean(0)).detach().float()
    return Directions(torch.nn.functional.normalize(vectors, dim=1), vectors.norm(dim=1))


def principal_plane(codes: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (d,) of codes (n, d) and their two first principal directions (2, d); of a two-dimensional code its own axes."""
    d = codes.shape[1]
    if d == 2:
        return torch.zeros(2), torch.eye(2)
    middle = codes.mean(0)
    _, _, vectors = torch.linalg.svd((codes - middle).double(), full_matrices=False)
    plane = torch.zeros(2, d)
    found = _signed(vectors[:2]).float()
    plane[: len(found)] = found
    return middle, plane


def _signed(vectors: Tensor) -> Tensor:
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * torch.where(largest < 0, -1.0, 1.0)


def nearest(x: Tensor, others: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of ``others`` (m, …) to each x (n, …): Euclidean distances and indices (n, k), the nearest first."""
    # By differences: by products, a copy would not be at distance 0.
    distances = torch.cdist(x.flatten(1), others.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
    found = distances.topk(min(k, len(others)), largest=False)
    return found.values, found.indices
