"""Random streams: one generator per purpose per run, each a function of the run's seed and the purpose's name.

The global generator is never used: every thread of the process shares it, so one run would disturb another.
"""

from __future__ import annotations

import hashlib

import torch


def derive_seed(seed: int, *purpose: str | int) -> int:
    """63 bits that depend on the seed and on each part of the purpose, and on nothing else."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


class Streams:
    """The generators of one run. The same purpose always gives a generator in the same initial state."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def generator(self, *purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
        generator = torch.Generator(device=device)
        generator.manual_seed(derive_seed(self._seed, *purpose))
        return generator
