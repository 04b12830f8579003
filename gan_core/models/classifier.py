"""The small network that tells classes apart, so that a generator's samples can be counted per class."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 64
_LARGEST_SIDE = 32
_SMALLEST_SIDE = 8


class Classifier(nn.Module):
    """Three convolutions with batch normalisation, a hidden layer of 64, a linear read-out: 89,914 weights for digits.

    ``shape`` is (C, H, W) with H, W ≥ 8. Images larger than 32 pixels a side are averaged down to 32 first, so that
    judging them costs no more than judging CIFAR. Raises ValueError for a shape or a number of classes out of range.
    """

    def __init__(self, shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        if channels < 1 or min(height, width) < _SMALLEST_SIDE:
            raise ValueError(f"the classifier needs images of at least 8×8 pixels, got shape {shape}")
        if num_classes < 2:
            raise ValueError(f"the classifier needs at least 2 classes, got {num_classes}")
        self.side = (min(height, _LARGEST_SIDE), min(width, _LARGEST_SIDE))
        self.convolutions = nn.Sequential(
            *_convolution(channels, 16, kernel=5, stride=2),
            *_convolution(16, 32, kernel=3, stride=2),
            *_convolution(32, 64, kernel=3, stride=2),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
        )
        self.hidden = nn.Linear(64 * 4 * 4, FEATURES)
        self.output = nn.Linear(FEATURES, num_classes)
        self.to(memory_format=torch.channels_last)  # halves the time of these narrow convolutions on a CPU

    def features(self, x: Tensor) -> Tensor:
        """(n, C, H, W) images in [−1, 1] to the (n, 64) activations of the hidden layer, at least 0."""
        if x.shape[2:] != self.side:
            x = functional.adaptive_avg_pool2d(x, self.side)
        x = x.contiguous(memory_format=torch.channels_last)
        return functional.relu(self.hidden(self.convolutions(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, H, W) images in [−1, 1] to (n, K) logits."""
        logits: Tensor = self.output(self.features(x))
        return logits


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    """Convolution, batch normalisation and ReLU, the size divided by ``stride`` (rounded up)."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),  # the norm has the bias
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]
