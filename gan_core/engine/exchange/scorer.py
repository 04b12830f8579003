"""The process that scores a stored run: ``python -m gan_core.engine.exchange.scorer WHAT STORE RUN ROUND``, "" for the newest.

A line of JSON each: ``{"progress": [share, sentence]}``, at last ``{"found": …}`` or ``{"refused": sentence}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gan_core.engine.exchange.copies import copies_told
from gan_core.engine.exchange.disentangling import disentanglement_told
from gan_core.intake.errors import DataError
from gan_core.priority import give_way
from gan_core.store import RunNotFound, RunStore, StoreError

NICE = 10
SCORES: dict[str, Callable[..., dict[str, Any]]] = {"disentangle": disentanglement_told, "copying": copies_told}
"""By what is asked: of a store, a run, the round of a checkpoint or None, and whom to tell of the progress."""


def main(what: str, root: str, run_id: str, at: str) -> None:
    give_way(NICE)
    torch.set_num_threads(1)
    try:
        with RunStore(Path(root), only_reads="What is scored is only read.") as store:
            found = SCORES[what](store, run_id, int(at) if at else None, lambda *told: _say("progress", told))
    except (DataError, RunNotFound, StoreError) as error:
        _say("refused", str(error))
    else:
        _say("found", found)


def _say(word: str, value: Any) -> None:
    print(json.dumps({word: value}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
