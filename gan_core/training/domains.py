"""Two kinds of data without pairs: the data of a run, A, and another, B; disjoint halves where both are of one set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gan_core.config import ConfigError, Problem, RunConfig, nearest
from gan_core.config.games.cyclegan import CycleganConfig, Domain
from gan_core.data import DATASETS, Batch, BatchStream, DataError, ImageSource, Source, StackedSource, open_stream
from gan_core.training.streams import Streams

OF_B = "b_"
"""Before the names of the state of B's stream."""


def other_source(domain: Domain) -> Source:
    """All of B. Raises ConfigError where it is not on this machine."""
    try:
        return DATASETS[domain.name].load(**domain.options)
    except DataError as error:
        raise ConfigError([Problem("domain_b.name", str(error))]) from error


def domains(config: CycleganConfig, source: Source) -> tuple[Source, Source]:
    """A and B of a resolved config whose data is ``source``.

    Of one set of pictures each is a half, of what is trained on and of what is held out, so that no picture is in both;
    points are drawn anew for each.
    """
    if not same_set(config):
        return source, other_source(config.domain_b)
    return _half(source, 0), _half(source, 1)


def same_set(config: CycleganConfig) -> bool:
    """Whether A and B are the same data set, with the same options."""
    a, b = config.data, config.domain_b
    return a.name == b.name and {**DATASETS[a.name].options, **a.options} == {**DATASETS[b.name].options, **b.options}


def judged_sources(config: RunConfig, source: Source) -> tuple[ImageSource, ...]:
    """The data whose frozen classifiers judge a run: that of its own, and of one without pairs that of B."""
    sources = [source]
    if isinstance(config, CycleganConfig) and not same_set(config):
        sources.append(other_source(config.domain_b))
    return tuple(one.judged for one in sources if one.judged is not None)


def bad_options(name: str, options: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """What of the options of a data set, whose dotted field is ``at``, it does not have or allow."""
    dataset = DATASETS[name]
    for option, value in options.items():
        field = f"{at}.{option}"
        if option not in dataset.options:
            known = nearest(option[:80], dataset.options) if dataset.options else "; it has no options"
            yield Problem(field, f"{name} has no option {option[:80]!r}{known}")
            continue
        least, most = dataset.bounds[option]
        whole = isinstance(dataset.options[option], int)
        if isinstance(value, str):
            yield Problem(field, f"{value[:80]!r} must be a {'whole ' if whole else ''}number")
        elif not least <= value <= most:
            yield Problem(field, f"{repr(value)[:80]} must lie between {least:g} and {most:g}")
        elif whole and not float(value).is_integer():
            yield Problem(field, f"{value!r} must be a whole number")


def _half(source: Source, which: int) -> Source:
    if isinstance(source, ImageSource):
        train, heldout = (_every_other(index, which) for index in (source.train_index, source.heldout_index))
        return replace(source, train_index=train, heldout_index=heldout)
    if isinstance(source, StackedSource):
        base = _half(source.base, which)
        assert isinstance(base, ImageSource)
        return replace(source, base=base)
    return source


def _every_other(index: Tensor, which: int) -> Tensor:
    """One of the two halves of places, by a shuffle that is always the same: sets are often sorted by class."""
    order = torch.randperm(len(index), generator=Streams(0).generator("halves", len(index)))
    half: Tensor = index[order[which::2].sort().values]
    return half


class BothStreams:
    """Batches of A and of B, each from a stream of its own; in all else the stream of A."""

    def __init__(self, a: BatchStream, b: BatchStream) -> None:
        self.a, self.b = a, b

    @property
    def batch_size(self) -> int:
        return self.a.batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        self.a.batch_size = self.b.batch_size = size

    def next(self) -> Batch:
        return self.a.next()

    def next_both(self) -> tuple[Tensor, Tensor]:
        """Samples of A and of B, (n, *shape of each)."""
        return self.a.next().x, self.b.next().x

    def labels(self, n: int, generator: torch.Generator) -> Tensor:
        return self.a.labels(n, generator)

    def state(self) -> dict[str, Tensor | int]:
        return self.a.state() | {f"{OF_B}{name}": value for name, value in self.b.state().items()}

    def restore(self, state: dict[str, Tensor | int]) -> None:
        self.a.restore(state)
        self.b.restore({name.removeprefix(OF_B): value for name, value in state.items() if name.startswith(OF_B)})


def open_both(a: BatchStream, b: Source, config: RunConfig) -> BothStreams:
    """The open stream of A, and one of B whose order is another function of the run's seed."""
    seeds = Streams(config.seed)

    def generator_for(*purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
        return seeds.generator("domain b", *purpose, device=device)

    return BothStreams(a, open_stream(b, config.data.batch_size, generator_for, torch.device(config.device)))
