"""Published image sets, read by torchvision's own classes from files on this machine, or downloaded by them.

Nothing here reaches for the network unless ``download`` is called. Files come to lie in a folder apart and are moved into
place when they are whole, so that a broken download is never taken for a data set.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np

from gan_core.data.images import image_source
from gan_core.data.places import data_root
from gan_core.data.sources import ImageSource
from gan_core.intake.errors import DataError, DataMissing

_LOADING = threading.Lock()
_FETCHING: dict[str, threading.Lock] = {}
INCOMING = "incoming"

Parts = tuple[np.ndarray, np.ndarray]
"""Images (n, C, H, W) uint8 and labels (n,)."""


@dataclass(frozen=True)
class Published:
    """A set that torchvision can read. ``open(root, train, download)`` gives the images and labels of one split.

    ``archives`` are the files that are downloaded, by their path under the data folder, with their sizes in bytes;
    ``files`` are those that are read, which someone without a network can copy there.
    """

    title: str
    open: Callable[[Path, bool, bool], Parts]
    class_names: tuple[str, ...]
    archives: dict[str, int]
    files: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(self.archives.values())


def _idx(kind: str, **extra: Any) -> Callable[[Path, bool, bool], Parts]:
    def read(root: Path, train: bool, download: bool) -> Parts:
        from torchvision import datasets

        split = getattr(datasets, kind)(root, train=train, download=download, **extra)
        # EMNIST stores its pictures lying on their side.
        x = split.data.transpose(1, 2) if kind == "EMNIST" else split.data
        labels = split.targets - 1 if extra.get("split") == "letters" else split.targets
        return x.numpy()[:, None], labels.numpy()

    return read


def _cifar10(root: Path, train: bool, download: bool) -> Parts:
    from torchvision.datasets import CIFAR10

    split = CIFAR10(root, train=train, download=download)
    return split.data.transpose(0, 3, 1, 2), np.array(split.targets)


def _svhn(root: Path, train: bool, download: bool) -> Parts:
    from torchvision.datasets import SVHN

    split = SVHN(root / "SVHN", split="train" if train else "test", download=download)
    return split.data, split.labels


def _idx_files(folder: str, sizes: tuple[int, int, int, int]) -> dict[str, int]:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return {f"{folder}/raw/{name}-ubyte.gz": size for name, size in zip(names, sizes, strict=True)}


def _emnist_files(split: str) -> tuple[str, ...]:
    kinds = ("images-idx3", "labels-idx1")
    return tuple(f"EMNIST/raw/emnist-{split}-{half}-{kind}-ubyte" for half in ("train", "test") for kind in kinds)


_DIGITS = tuple("0123456789")
_EMNIST_ZIP = {"EMNIST/raw/gzip.zip": 561_753_746}
_MNIST = _idx_files("MNIST", (9_912_422, 28_881, 1_648_877, 4_542))
_FASHION = _idx_files("FashionMNIST", (26_421_880, 29_515, 4_422_102, 5_148))
_KMNIST = _idx_files("KMNIST", (18_165_135, 29_497, 3_041_136, 5_120))
_CLOTHES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR_BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")
_SVHN = {"SVHN/train_32x32.mat": 182_040_794, "SVHN/test_32x32.mat": 64_275_384}

PUBLISHED: dict[str, Published] = {
    "mnist": Published("MNIST", _idx("MNIST"), _DIGITS, _MNIST, tuple(_MNIST)),
    "fashion_mnist": Published("Fashion-MNIST", _idx("FashionMNIST"), _CLOTHES, _FASHION, tuple(_FASHION)),
    "kmnist": Published("KMNIST", _idx("KMNIST"), _KANA, _KMNIST, tuple(_KMNIST)),
    "emnist_letters": Published(
        "EMNIST letters",
        _idx("EMNIST", split="letters"),
        tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        _EMNIST_ZIP,
        _emnist_files("letters"),
    ),
    "emnist_digits": Published(
        "EMNIST digits", _idx("EMNIST", split="digits"), _DIGITS, _EMNIST_ZIP, _emnist_files("digits")
    ),
    "cifar10": Published(
        "CIFAR-10",
        _cifar10,
        _THINGS,
        {"cifar-10-python.tar.gz": 170_498_071},
        tuple(f"cifar-10-batches-py/{name}" for name in _CIFAR_BATCHES),
    ),
    "svhn": Published("SVHN", _svhn, _DIGITS, _SVHN, tuple(_SVHN)),
}


def published(name: str) -> ImageSource:
    """A published set from its files on this machine. Raises DataMissing, which names the files and the folder."""
    with _LOADING:
        return _load(name, str(data_root().resolve()))


def missing(name: str) -> str | None:
    """One sentence if the files of a published set are not on this machine. Looks at names only."""
    entry, root = PUBLISHED[name], data_root()
    absent = [file for file in entry.files if not _there(root, file)]
    if not absent or all(_there(root, file) for file in entry.archives):
        return None
    return f"{entry.title} is not on this machine: download it on the Data page, or {_by_hand(entry, root)}."


def download(name: str) -> None:
    """Fetch a published set with torchvision's downloader, which checks the MD5 of what it gets, and move it into place.

    Raises DataError, one sentence, if that fails; what was fetched whole is kept for the next attempt.
    """
    entry, root = PUBLISHED[name], data_root()
    incoming = root / INCOMING / name
    try:
        # One at a time: a download that was given up goes on, and the next attempt is glad of what it fetches.
        with _FETCHING.setdefault(name, threading.Lock()):
            if missing(name) is None:
                return
            incoming.mkdir(parents=True, exist_ok=True)
            entry.open(incoming, True, True)
            entry.open(incoming, False, True)
            _move_into(incoming, root)
    except (URLError, OSError, RuntimeError, ValueError, EOFError) as error:
        cause = getattr(error, "reason", error)
        reason = getattr(cause, "strerror", None) or (str(cause).strip().splitlines() or [type(cause).__name__])[-1]
        raise DataError(
            f"{entry.title} could not be downloaded ({str(reason)[:200]}). Without a network, {_by_hand(entry, root)}."
        ) from error


def downloaded_bytes(name: str) -> int:
    """How much of a set's archives has come so far."""
    incoming = data_root() / INCOMING / name
    total = 0
    for file in PUBLISHED[name].archives:
        with contextlib.suppress(OSError):
            total += (incoming / file).stat().st_size
    return total


def remove(name: str) -> None:
    """Delete the files of a published set; those that another set reads too (the EMNIST archive) stay."""
    root = data_root()
    others = {file for key, entry in PUBLISHED.items() if key != name for file in (*entry.files, *entry.archives)}
    own = [file for file in (*PUBLISHED[name].files, *PUBLISHED[name].archives) if file not in others]
    for file in own:
        for path in (root / file, (root / file).with_suffix("") if file.endswith(".gz") else root / file):
            path.unlink(missing_ok=True)
    _load.cache_clear()


@lru_cache(maxsize=2)
def _load(name: str, folder: str) -> ImageSource:
    entry, root = PUBLISHED[name], Path(folder)
    reason = missing(name)
    if reason:
        raise DataMissing(reason)
    try:
        # download=True only where archives wait to be unpacked: with all of them there it does not use the network.
        unpack = not all(_unpacked(root, file) for file in entry.files)
        (x, y), (x_test, y_test) = (entry.open(root, train, unpack) for train in (True, False))
    except Exception as e:  # readers raise whatever a damaged file makes them
        raise DataError(
            f"The files of {entry.title} in {root} cannot be read: they are incomplete or of another version "
            f"({str(e).strip().splitlines()[-1][:200] if str(e).strip() else type(e).__name__})."
        ) from e
    every, labels = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    if labels.min() < 0 or labels.max() >= len(entry.class_names):
        raise DataError(f"The labels of {entry.title} in {root} are not 0 to {len(entry.class_names) - 1}.")
    return image_source(name, every, labels, entry.class_names, heldout=np.arange(len(x), len(every)))


def _there(root: Path, file: str) -> bool:
    return (root / file).is_file() or _unpacked(root, file)


def _unpacked(root: Path, file: str) -> bool:
    return (root / file.removesuffix(".gz")).is_file()


def _by_hand(entry: Published, root: Path) -> str:
    """What to put where, for someone who has the archives from elsewhere."""
    absent = [file for file in entry.archives if not _there(root, file)]
    names = [os.path.basename(file) for file in absent]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"put {listed} into the folder {root.resolve() / os.path.dirname(absent[0])}"


def _move_into(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
    for path in sorted(source.rglob("*"), reverse=True):
        path.rmdir()
    source.rmdir()


__all__ = ["PUBLISHED", "Published", "download", "downloaded_bytes", "missing", "published", "remove"]
