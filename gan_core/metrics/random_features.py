"""Features of pictures of any kind, without labels and without a download: a small convolutional network that nobody trained.

Networks with random weights put sets of pictures into a useful order (Naeem et al. 2020, section 4), whatever the weights, but
the sizes of distances differ. So the weights are fixed for ever, and a hash of them is part of the names of what is measured
(`gan_core.metrics.random_cards`).
"""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, conv2d, relu

from gan_core.metrics.random_cards import EXTRACTOR

CHANNELS = (3, 32, 64, 64)
SEED = 0
AT_ONCE = 250
_BUILDING = threading.Lock()


class AnotherExtractor(RuntimeError):
    """The weights on this machine are not those that the names of the measures promise."""


@lru_cache(maxsize=1)
def _weights() -> tuple[Tensor, ...]:
    """Kernels 3×3 of three stages, uniform with variance 2 / fan in (He et al. 2015), from raw bits, whose stream stays."""
    bits = np.random.default_rng(SEED).bit_generator
    stages = []
    for before, after in pairwise(CHANNELS):
        share = (bits.random_raw(after * before * 9) >> np.uint64(11)) * 2.0**-53
        kernel = (2 * share - 1).reshape(after, before, 3, 3) * np.sqrt(6 / (9 * before))
        stages.append(torch.from_numpy(kernel.astype(np.float32)))
    return tuple(stages)


def fingerprint() -> str:
    """Six hexadecimal digits of the weights and of how they are used."""
    digest = hashlib.sha256(
        b"stride 2, zeros around, mean and standard deviation of each stage, the last one pooled to 2x2"
    )
    for kernel in _weights():
        digest.update(kernel.numpy().astype("<f4").tobytes())
    return digest.hexdigest()[:6]


@torch.no_grad()
def random_features(x: Tensor) -> NDArray[np.float64]:
    """Features (n, 576) of pictures (n, 1 or 3, H, W) in network units, −1 to 1; grey ones are taken as three equal colours.

    Of each of three stages the mean and the standard deviation of its maps over the pixels, of the last one also its means in
    four quarters. Raises AnotherExtractor.
    """
    with _BUILDING:
        kernels = _weights()
        if fingerprint() != EXTRACTOR:
            raise AnotherExtractor(f"the random extractor is {fingerprint()}, and the measures are of {EXTRACTOR}")
    found = [_features(part.expand(-1, CHANNELS[0], -1, -1), kernels) for part in x.cpu().float().split(AT_ONCE)]
    return np.concatenate(found).astype(np.float64)


def _features(h: Tensor, kernels: tuple[Tensor, ...]) -> NDArray[np.float32]:
    told = []
    for kernel in kernels:
        h = relu(conv2d(h, kernel, stride=2, padding=1))
        told += [h.mean((2, 3)), h.std((2, 3), correction=0)]
    told.append(adaptive_avg_pool2d(h, 2).flatten(1))
    features: NDArray[np.float32] = torch.cat(told, 1).numpy()
    return features
