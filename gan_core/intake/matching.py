"""Pairs of pictures by the names of their files: equal names in two folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gan_core.intake.names import parts_of

PAIRS = "pairs"
"""The key of the level that pairs are."""


def pairs_of(names: Sequence[str]) -> tuple[list[int], list[int]]:
    """The places of inputs, and of the target of each, among files whose names differ in one folder and in their endings alone.

    Of the levels of folders that have two values, the one that pairs the most; the first value by name are the inputs. A name
    that is there more than twice, or twice in one folder, is in no pair. Two empty lists where there are no such folders.
    """
    split = [parts_of(name) for name in names]
    deepest = max((len(parts) - 1 for parts in split), default=0)
    best: tuple[list[int], list[int]] = ([], [])
    for level in range(deepest):
        folders = sorted({parts[level] for parts in split if len(parts) > level + 1})
        if len(folders) == 2:
            found = _at(level, folders, split)
            best = max(best, found, key=lambda pairs: len(pairs[0]))
    return best


def _at(level: int, folders: Sequence[str], split: Sequence[Sequence[str]]) -> tuple[list[int], list[int]]:
    """The pairs of files whose names differ at one level alone, in the order of the inputs."""
    alike: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, parts in enumerate(split):
        if len(parts) > level + 1:
            stem = parts[-1].rpartition(".")[0] or parts[-1]
            alike[(*parts[:level], *parts[level + 1 : -1], stem)][parts[level]].append(place)
    whole = sorted(
        [there[folder][0] for folder in folders]
        for there in alike.values()
        if all(len(there.get(folder, ())) == 1 for folder in folders)
    )
    return [pair[0] for pair in whole], [pair[1] for pair in whole]
