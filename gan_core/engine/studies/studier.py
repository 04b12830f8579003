"""A process that computes a part of a study: ``python -m gan_core.engine.studies.studier STORE STUDY PLACE OF``.

A line of JSON each: ``{"progress": [share, sentence]}``, ``{"row": [cell, values, seconds]}``, at last ``{"done": true}`` or
``{"refused": sentence}``. It reads the store and writes pictures beside the study; rows are kept by whoever asked.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gan_core.config import ConfigError
from gan_core.engine.studies.computing import compute
from gan_core.intake.errors import DataError
from gan_core.priority import give_way
from gan_core.store import RunNotFound, RunStore, StoreError

NICE = 10
TELL_SECONDS = 0.3


def main(root: str, study_id: str, place: str = "0", of: str = "1") -> None:
    give_way(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: whoever asked hears it too, and ends this process
    told = [0.0]

    def progress(share: float, sentence: str) -> None:
        if share == 0.0 or time.monotonic() - told[0] > TELL_SECONDS:
            told[0] = time.monotonic()
            _say("progress", [share, sentence])

    try:
        with RunStore(Path(root), only_reads="What is asked is only read.") as store:
            for row in compute(store, store.studies.read(study_id), progress, lambda: False, (int(place), int(of))):
                _say("row", row)
    except (ConfigError, DataError, RunNotFound, StoreError) as error:
        _say("refused", str(error))
    else:
        _say("done", True)


def _say(word: str, value: Any) -> None:
    print(json.dumps({word: value}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
