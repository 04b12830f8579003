"""Coloured digits: a grey digit in pure red, green or blue, so that its hue is not to be told from its shape."""

from __future__ import annotations

from functools import lru_cache

import torch

from gan_core.data.images import image_source, mnist5k
from gan_core.data.sources import ImageSource

HUES = 3
SEED = 3  # the hues belong to the data set, not to a run


@lru_cache(maxsize=1)
def coloured() -> ImageSource:
    """The digits of `mnist5k` with the same held out, 3×28×28: each in one channel, which is drawn once for all."""
    grey = mnist5k()
    assert grey.y is not None
    hues = torch.randint(HUES, (len(grey.x),), generator=torch.Generator().manual_seed(SEED))
    x = torch.zeros(len(grey.x), HUES, *grey.shape[1:], dtype=torch.uint8)
    x[torch.arange(len(x)), hues] = grey.x[:, 0]
    return image_source("coloured", x.numpy(), grey.y.numpy(), grey.class_names, heldout=grey.heldout_index.numpy())
