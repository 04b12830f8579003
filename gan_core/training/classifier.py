"""The frozen classifier: trained once per data set, cached, never moved again. It counts generated samples per class.

Its curves are what lets losses be compared, so it must say "I do not know". A classifier trained on digits alone calls
any noise an 8 with certainty. Here five images of noise beside each batch of 100 belong to no class (outlier exposure,
Hendrycks et al. 2019) and five blends of two images by half to each (mixup, Zhang et al. 2018). Blends as images of no
class were tried: slightly blurred or pale digits then become unsure, and those are what a young generator draws.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional

from gan_core.data.images import to_unit
from gan_core.data.sources import ImageSource
from gan_core.exhaustion import cannot_tell
from gan_core.metrics.histograms import class_histogram
from gan_core.models.classifier import Classifier
from gan_core.models.initialization import initialize, with_storage
from gan_core.training import eager
from gan_core.training.streams import Streams

Progress = Callable[[float, str], None]
Cancel = Callable[[], bool]

VERSION = 1  # of the network and its training; an older cache is trained anew
BATCH = 100
IMAGES_SEEN = 56_000
PASSES = 3  # at least so many over a large data set
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.1
BLENDS, NOISE = 5, 5  # images beside each batch
ROTATION, ZOOM, SHEAR, SHIFT = math.radians(15), 0.10, 0.15, 0.05  # largest distortion; the shift in image sides
_CHUNK = 500


class TrainingCancelled(Exception):
    """The caller's ``cancel`` said so; nothing was written."""


@dataclass(frozen=True)
class ClassifierReport:
    """How far the classifier can be trusted, measured on held-out images alone.

    ``confusion`` counts held-out images, rows true classes, columns predicted ones; ``per_class_accuracy`` is None for
    a class without held-out images; ``unsure_share`` is the share of them that falls into the unsure bin; ``seconds``
    is the training time.
    """

    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    per_class_accuracy: tuple[float | None, ...]
    unsure_share: float
    n_train: int
    n_heldout: int
    seconds: float
    fingerprint: str
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class FrozenClassifier:
    """A network in evaluation mode without gradients, and its report. Safe to use from several threads."""

    network: Classifier
    report: ClassifierReport

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(False)
        self.network.zero_grad()  # training left the gradients of its last batch behind

    def probabilities(self, x: Tensor) -> NDArray[np.float64]:
        """Class probabilities (n, K) of images (n, C, H, W), float in [−1, 1] or uint8 pixels."""
        return _probabilities(self.network, x)

    def features(self, x: Tensor) -> NDArray[np.float64]:
        """Activations (n, 64) of the hidden layer; images as for ``probabilities``."""
        return _over(self.network, x, lambda part: self.network.features(part).double())

    def judge(self, x: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``probabilities`` and ``features`` in one pass, which costs half of two."""

        def both(part: Tensor) -> Tensor:
            features = self.network.features(part)
            return torch.cat([self.network.output(features).double().softmax(dim=1), features.double()], dim=1)

        judged = _over(self.network, x, both)
        classes = self.network.output.out_features
        return judged[:, :classes], judged[:, classes:]


def reference_histogram(classifier: FrozenClassifier, x_real: Tensor) -> NDArray[np.float64]:
    """The classifier's own shares (K + 1,) of real images, unsure last: what a perfect generator would be counted as.

    To be drawn beside the generated histogram, from held-out images, since those trained on look surer than any sample.
    """
    return class_histogram(classifier.probabilities(x_real)) / len(x_real)


def classifier_for(
    source: ImageSource,
    cache_dir: Path,
    *,
    progress: Progress | None = None,
    force: bool = False,
    cancel: Cancel | None = None,
) -> FrozenClassifier:
    """Return the classifier of a data set from the cache, or train it there (about 10 s for 5,000 digits on one core).

    ``progress(fraction, message)`` is called as it trains; ``cancel()`` is asked before every batch; ``force`` trains
    even if the cache is good. Threads that ask for the same classifier at once train it once. A damaged cache, or one
    of another split or version, is replaced. The same data and number of torch threads give the same weights bit for
    bit. Raises TrainingCancelled, and ValueError for a source without labels, classes or images to learn from.
    """
    _labels(source)
    path = _path(source, cache_dir)
    with _alone(path, cancel):
        cached = None if force else _load(path, source)
        if cached is not None:
            return cached
        start = time.perf_counter()
        network = train(source, progress=progress, cancel=cancel)
        classifier = FrozenClassifier(network, _report(network, source, time.perf_counter() - start))
        _save(path, source, classifier)
        return classifier


def cached_classifier(source: ImageSource, cache_dir: Path) -> FrozenClassifier | None:
    """The classifier of a data set if the cache has one that can be trusted; cheap where it has none."""
    return _load(_path(source, cache_dir), source)


def files_of(source: ImageSource, cache_dir: Path) -> tuple[Path, Path]:
    """Where the cache has the classifier of a data set: its weights, and the card that vouches for them."""
    path = _path(source, cache_dir)
    return path, path.with_suffix(".json")


def train(source: ImageSource, *, progress: Progress | None = None, cancel: Cancel | None = None) -> Classifier:
    """Train on ``source.train_index`` alone: cross entropy, AdamW, a one-cycle learning rate (Smith & Topin 2019)."""
    network = _empty_network(source)
    initialize(network, "torch", _stream)
    network.train()
    passes = max(PASSES, round(IMAGES_SEEN / len(source.train_index)))
    steps = passes * math.ceil(len(source.train_index) / BATCH)
    optimizer = eager.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    with torch.enable_grad():
        for step, (x, target) in enumerate(_batches(source, passes), start=1):
            _check(cancel)
            optimizer.zero_grad()
            functional.cross_entropy(network(x), target).backward()
            optimizer.step()
            schedule.step()
            if progress is not None and (step % 10 == 0 or step == steps):
                progress(step / steps, f"training the classifier, batch {step} of {steps}")
    return network.eval()


def _empty_network(source: ImageSource) -> Classifier:
    channels, height, width = source.x.shape[1:]
    with torch.device("meta"):  # on a real device the constructor would draw from the global generator
        network = Classifier((channels, height, width), source.num_classes)
    with_storage(network, source.x.device)
    return network


def _stream(purpose: str) -> torch.Generator:
    return Streams(0).generator("classifier", purpose)


def _check(cancel: Cancel | None) -> None:
    if cancel is not None and cancel():
        raise TrainingCancelled


def _batches(source: ImageSource, passes: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images in [−1, 1] and target distributions (n, K): distorted training images, then the outliers."""
    order, distortion, outliers = _stream("order"), _stream("distortion"), _stream("outliers")
    labels, num_classes = _labels(source), source.num_classes
    index = source.train_index.to(source.x.device)
    for _ in range(passes):
        shuffled = index[torch.randperm(len(index), generator=order).to(index.device)]
        for chosen in shuffled.split(BATCH):
            x = distort(to_unit(source.x[chosen]), distortion)
            target = functional.one_hot(labels[chosen], num_classes).to(x.dtype)
            pairs = torch.randint(len(x), (2, BLENDS), generator=outliers).to(x.device)
            noise = _noise(x, outliers)
            no_class = target.new_full((len(noise), num_classes), 1 / num_classes)
            yield torch.cat([x, x[pairs].mean(0), noise]), torch.cat([target, target[pairs].mean(0), no_class])


def distort(x: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate, zoom, shear and shift each image a little, its border continued outwards."""
    angle, zoom, shear, right, down = (torch.rand(5, len(x), generator=generator) * 2 - 1).to(x.device)
    cos, sin = (angle * ROTATION).cos(), (angle * ROTATION).sin()
    zoom, shear = 1 + zoom * ZOOM, shear * SHEAR
    top = torch.stack([zoom * cos, zoom * (shear * cos - sin), right * 2 * SHIFT], dim=1)
    bottom = torch.stack([zoom * sin, zoom * (shear * sin + cos), down * 2 * SHIFT], dim=1)
    grid = functional.affine_grid(torch.stack([top, bottom], dim=1), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Images of no class: noise with a grain of 1 to 8 pixels, of any brightness and contrast, also none."""
    _, channels, height, width = like.shape
    grain = 2 ** int(torch.randint(4, (), generator=generator))
    coarse = torch.randn(NOISE, channels, math.ceil(height / grain), math.ceil(width / grain), generator=generator)
    smooth = functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    contrast, brightness = torch.rand(2, NOISE, 1, 1, 1, generator=generator) * 2.5
    return ((contrast - 0.5).clamp_min(0) * smooth + brightness - 1.25).clamp(-1, 1).to(like.device)


def _report(network: Classifier, source: ImageSource, seconds: float) -> ClassifierReport:
    heldout = source.heldout_index.to(source.x.device)
    num_classes = source.num_classes
    probabilities = _probabilities(network, source.x[heldout])
    true, predicted = _labels(source)[heldout].cpu().numpy(), probabilities.argmax(axis=1)
    confusion = np.bincount(true * num_classes + predicted, minlength=num_classes**2).reshape(num_classes, num_classes)
    return ClassifierReport(
        accuracy=float(confusion.trace() / confusion.sum()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        per_class_accuracy=tuple(
            row[label] / sum(row) if any(row) else None for label, row in enumerate(confusion.tolist())
        ),
        unsure_share=float(class_histogram(probabilities)[-1] / len(heldout)),
        n_train=len(source.train_index),
        n_heldout=len(heldout),
        seconds=round(seconds, 3),
        fingerprint=source.fingerprint,
        class_names=tuple(source.class_names),
    )


def _probabilities(network: Classifier, x: Tensor) -> NDArray[np.float64]:
    return _over(network, x, lambda part: network(part).double().softmax(dim=1))


@torch.no_grad()
def _over(network: Classifier, x: Tensor, function: Callable[[Tensor], Tensor]) -> NDArray[np.float64]:
    """Apply ``function`` to images in chunks of bounded memory; uint8 pixels are scaled to [−1, 1] first."""
    device = network.output.weight.device
    chunks = (to_unit(chunk) if chunk.dtype == torch.uint8 else chunk for chunk in x.split(_CHUNK))
    return torch.cat([function(chunk.to(device)).cpu() for chunk in chunks]).numpy()


def _labels(source: ImageSource) -> Tensor:
    if source.y is None or source.num_classes < 2:
        raise ValueError("the classifier needs a data set with labels of at least two classes")
    if len(source.train_index) < 2 or len(source.heldout_index) < 1:
        raise ValueError("the classifier needs images to train on and held-out images to be judged by")
    return source.y


# The cache: tensors in safetensors, report and SHA-256 in JSON beside them, each renamed into place. The JSON comes
# last, so a writer that dies between the two leaves a pair that does not match and is trained again.


def _path(source: ImageSource, cache_dir: Path) -> Path:
    return Path(cache_dir) / f"classifier-{source.fingerprint[:16]}-v{VERSION}.safetensors"


def _load(path: Path, source: ImageSource) -> FrozenClassifier | None:
    """Return the cached classifier, or None if there is none that can be trusted for this source."""
    try:
        card = json.loads(path.with_suffix(".json").read_bytes())
        content = path.read_bytes()
        if card["sha256"] != hashlib.sha256(content).hexdigest() or card["data"] != _identity(source):
            return None
        network = _empty_network(source)
        network.load_state_dict(load(content))
        report = card["report"]
        report["confusion"] = tuple(tuple(row) for row in report["confusion"])
        report["per_class_accuracy"] = tuple(report["per_class_accuracy"])
        report["class_names"] = tuple(source.class_names)
        return FrozenClassifier(network, ClassifierReport(**report))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        if cannot_tell(error):
            raise  # it may be there, and would be trained again
        return None


def _save(path: Path, source: ImageSource, classifier: FrozenClassifier) -> None:
    content = save({name: tensor.cpu().contiguous() for name, tensor in classifier.network.state_dict().items()})
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "data": _identity(source),
        "report": asdict(classifier.report),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, content)
    _replace(path.with_suffix(".json"), json.dumps(card, indent=1).encode())


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _identity(source: ImageSource) -> str:
    """A hash of all that training depends on: content, image shape, number of classes and the split."""
    digest = hashlib.sha256(f"{source.fingerprint} {tuple(source.x.shape)} {source.num_classes}".encode())
    for index in (source.train_index, source.heldout_index):
        digest.update(index.cpu().numpy().tobytes() + b"|")
    return digest.hexdigest()


_LOCKS: dict[Path, threading.Lock] = {}
_LOCKS_LOCK = threading.Lock()


@contextmanager
def _alone(path: Path, cancel: Cancel | None) -> Iterator[None]:
    """Hold the lock of one cache file; raise TrainingCancelled if ``cancel`` says so while waiting for it."""
    with _LOCKS_LOCK:
        lock = _LOCKS.setdefault(path.resolve(), threading.Lock())
    while not lock.acquire(timeout=0.2):
        _check(cancel)
    try:
        yield
    finally:
        lock.release()
