"""What ends a job before its last round, and how a failure is told."""

from __future__ import annotations

import torch

from gan_core.config import RunConfig
from gan_core.engine.messages import CommandKind

NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")  # how torch's CPU allocator says it
BROKEN = ("device-side assert", "illegal memory access", "unspecified launch failure", "CUDA error: misaligned")
# After one of these nothing more can be computed on the accelerator by this process: every run in it fails the same way.


class Diverged(Exception):
    """Something is not finite. ``round`` is the first round at which that shows."""

    def __init__(self, round: int, what: str) -> None:
        super().__init__(f"{what} is not finite at round {round:,}")
        self.round = round


class Stopped(Exception):
    """A command asked for the end."""

    def __init__(self, command: CommandKind) -> None:
        super().__init__(command)
        self.command = command


class Abandoned(Exception):
    """There is no time left to end the round."""


def reason(error: BaseException, config: RunConfig) -> str:
    """What an exception says; advice where memory ran out."""
    said = str(error)
    if any(sign in said for sign in BROKEN):
        return (
            f"the accelerator has failed for this process ({said.splitlines()[0][:200]}). Every run that trains on it here "
            "ends with it. Restart the server; each goes on from its last checkpoint. Runs in processes fail alone "
            "(GANSCOPE_EXECUTOR=process)."
        )
    if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(sign in said for sign in NO_MEMORY):
        return said
    if config.device == "cuda":
        torch.cuda.empty_cache()  # the other runs need it
    return (
        f"memory ran out. Take a smaller batch (data.batch_size is {config.data.batch_size:,}), narrower networks, "
        "or fewer runs at once; this one can go on from its last checkpoint when there is memory again."
    )
