"""What beside its settings decides the bits of a run: versions, the processor, the number of threads."""

from __future__ import annotations

import platform
from typing import Any

import torch
from threadpoolctl import threadpool_limits

INTRA_OP_THREADS = 1


def compute_on_one_thread() -> None:
    """From now on torch and NumPy compute on one intra-op thread each in this process.

    torch's pool, shared with other busy threads, falls to a tenth of its speed, and the number of threads is part of what
    makes two runs equal bit for bit. Measuring would wait for NumPy's own pool, on cores that other runs train on.
    """
    torch.set_num_threads(INTRA_OP_THREADS)
    threadpool_limits(INTRA_OP_THREADS, user_api="blas")


def environment() -> dict[str, Any]:
    """What beside the config decides the bits of a run."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        "threads": INTRA_OP_THREADS,
    }


def what_changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    """A sentence where a continuation cannot be expected to equal the uninterrupted run bit for bit, else nothing."""
    changes = [
        f"{name} {before[name]} → {now[name]}"
        for name in ("torch", "machine", "threads")
        if before.get(name, now[name]) != now[name]
    ]
    return f"It goes on, but perhaps not bit for bit: {', '.join(changes)}. " if changes else ""
