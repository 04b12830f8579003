"""The process that scores a code: ``python -m gan_core.engine.exchange.disentangler STORE RUN ROUND``, "" for the newest.

A line of JSON each: ``{"progress": [share, sentence]}``, at last ``{"found": …}`` or ``{"refused": sentence}``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from gan_core.engine.exchange.disentangling import disentangle
from gan_core.intake.errors import DataError
from gan_core.store import RunNotFound, RunStore, StoreError

NICE = 10


def main(root: str, run_id: str, at: str) -> None:
    os.nice(NICE)
    torch.set_num_threads(1)
    try:
        with RunStore(Path(root), only_reads="What is scored is only read.") as store:
            round, rows = disentangle(store, run_id, int(at) if at else None, lambda *told: _say("progress", told))
    except (DataError, RunNotFound, StoreError) as error:
        _say("refused", str(error))
    else:
        _say("found", {"round": round, "rows": [asdict(row) for row in rows]})


def _say(word: str, value: Any) -> None:
    print(json.dumps({word: value}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
