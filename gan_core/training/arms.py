"""Classifiers that can be compared: one network, the same first weights, number of steps and noise, whatever they see.

What an arm of a study changes is only where the samples of a batch come from and whether they are distorted. A gain of an
arm with another network, other noise or more steps would be a gain of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gan_core.data.images import to_unit
from gan_core.models.classifier import Classifier
from gan_core.models.initialization import initialize, with_storage
from gan_core.training import eager
from gan_core.training.classifier import LEARNING_RATE, WEIGHT_DECAY, distort
from gan_core.training.streams import Streams

AT_ONCE = 500  # held-out images that are classified in one pass


@dataclass(frozen=True)
class Pictures:
    """``x`` uint8 (n, C, H, W) and their classes ``y`` int64 (n,)."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Arm:
    """The share of each batch that is ``generated``, and whether the whole batch is ``distorted``: rotated by up to 15°, zoomed
    by 10 %, sheared by 0.15 and shifted by 5 % of the side.
    """

    title: str
    generated: float = 0.0
    distorted: bool = False


ARMS: Mapping[str, Arm] = {
    "real": Arm("real"),
    "distorted": Arm("+ shift and rotate", distorted=True),
    "gan": Arm("+ GAN", generated=0.5),
    "both": Arm("+ both", generated=0.5, distorted=True),
    "generated": Arm("generated only", generated=1.0),
}


def few_of_each(y: Tensor, index: Tensor, n: int, num_classes: int, streams: Streams) -> Tensor:
    """The places (n · K,) of ``n`` samples of each class among those at ``index``, in the order of the classes.

    Those of a smaller ``n`` are among those of a larger one. Raises ValueError where a class has fewer.
    """
    chosen = []
    for label in range(num_classes):
        of_class = index[y[index] == label]
        if len(of_class) < n:
            raise ValueError(f"there are {len(of_class)} training samples of class {label}, not {n}")
        chosen.append(of_class[torch.randperm(len(of_class), generator=streams.generator("few", label))[:n]])
    return torch.cat(chosen)


def first_network(shape: tuple[int, ...], num_classes: int, streams: Streams) -> Classifier:
    """The classifier before its first step; a function of the seed alone."""
    with torch.device("meta"):  # on a real device the constructor would draw from the global generator
        network = Classifier((shape[0], shape[1], shape[2]), num_classes)
    with_storage(network, torch.device("cpu"))
    initialize(network, "torch", lambda purpose: streams.generator("classifier", purpose))
    return network


def draws(count: int, size: int, steps: int, generator: torch.Generator) -> Tensor:
    """Places (steps, size) among ``count`` samples: one shuffled pass after another."""
    passes = -(-steps * size // count)
    shuffled = [torch.randperm(count, generator=generator) for _ in range(passes)]
    return torch.cat(shuffled)[: steps * size].view(steps, size)


def batches(
    arm: Arm, real: Pictures, generated: Pictures | None, size: int, steps: int, streams: Streams
) -> Iterator[tuple[Tensor, Tensor]]:
    """What the classifier of an arm sees: images (size, C, H, W) in [−1, 1] and classes (size,).

    All arms draw the same real samples, the same generated ones and the same distortions; the last samples of a batch are the
    generated ones. An arm of generated samples alone draws them as others draw real ones, so that real samples in
    their place give the accuracy of ``real``. Raises ValueError where an arm needs generated samples and there are none.
    """
    count = round(arm.generated * size)
    main = generated if count == size else real
    if main is None or (count and generated is None):
        raise ValueError(f"the arm {arm.title!r} needs generated samples")
    places = draws(len(main), size, steps, streams.generator("batches"))
    beside = None
    if generated is not None and 0 < count < size:
        beside = draws(len(generated), count, steps, streams.generator("generated"))
    distortion = streams.generator("distortion")
    for step in range(steps):
        x, y = main.x[places[step]], main.y[places[step]]
        if beside is not None and generated is not None:
            x = torch.cat([x[: size - count], generated.x[beside[step]]])
            y = torch.cat([y[: size - count], generated.y[beside[step]]])
        images = to_unit(x)
        yield (distort(images, distortion) if arm.distorted else images), y


def fit(
    network: Classifier,
    seen: Iterator[tuple[Tensor, Tensor]],
    steps: int,
    check: Callable[[], None] = lambda: None,
) -> Classifier:
    """Train a network on so many batches: cross entropy, AdamW, a one-cycle learning rate. ``check`` may raise to end it."""
    optimizer = eager.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    # A cycle needs a step up and a step down; one step has neither.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=max(2, steps))
    network.train()
    with torch.enable_grad():
        for x, y in seen:
            check()
            optimizer.zero_grad()
            functional.cross_entropy(network(x), y).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def accuracy(network: Classifier, held_out: Pictures) -> float:
    """The share of held-out images whose class is told."""
    right = sum(
        int((network(to_unit(x)).argmax(dim=1) == y).sum())
        for x, y in zip(held_out.x.split(AT_ONCE), held_out.y.split(AT_ONCE), strict=True)
    )
    return right / len(held_out)
