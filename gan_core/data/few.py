"""A few digits: as few pictures as somebody has of their own, which a network can learn by heart."""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gan_core.about import About
from gan_core.data.images import image_source, mnist5k
from gan_core.data.sources import ImageSource

_LOADING = threading.Lock()

FEW_DIGITS = About(
    title="A few digits",
    paper="LeCun et al., Gradient-based learning applied to document recognition",
    year=1998,
    formula=r"x \in [-1, 1]^{1\times 28\times 28},\quad \lvert T \rvert = \lvert P \rvert = n",
    idea="A hundred digits of MNIST-5k to train on, as few as somebody's own pictures, and as many others held "
    "out; without labels. So few can be known by heart, and it takes as many held-out ones to notice.",
    watch_for="Whether samples lie nearer to the training pictures than to the held-out ones.",
    url="https://doi.org/10.1109/5.726791",
)


def few_digits(pictures: int = 100) -> ImageSource:
    """So many digits of MNIST-5k to train on and as many others held out, without their labels: as few as somebody's own."""
    whole = mnist5k()
    with _LOADING:
        return _few_digits(whole, int(pictures))


@lru_cache(maxsize=4)
def _few_digits(whole: ImageSource, pictures: int) -> ImageSource:
    chosen = [_by_turns(whole, index)[:pictures] for index in (whole.train_index, whole.heldout_index)]
    x = whole.x[torch.cat(chosen)].numpy()
    return image_source("few_digits", x, None, heldout=np.arange(pictures, 2 * pictures))


def _by_turns(source: ImageSource, index: Tensor) -> Tensor:
    """The same images in an order in which the classes take turns."""
    assert source.y is not None
    labels = source.y[index]
    rank = torch.zeros_like(labels)
    for label in labels.unique():
        members = labels == label
        rank[members] = torch.arange(int(members.sum()))
    return index[torch.argsort(rank * source.num_classes + labels)]
