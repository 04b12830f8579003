"""Which of its checkpoints a run goes on from."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from gan_core.training import (
    CheckpointError,
    CheckpointUnreadable,
    checkpoints,
    kept_checkpoints,
    load_checkpoint,
    round_of,
)

log = logging.getLogger(__name__)


def checkpoint_to_go_on_from(folder: Path, recorded: int) -> tuple[Path | None, str]:
    """The newest checkpoint that can be read and is not ahead of what was recorded: no round shall be missing.

    A process that was killed may have saved a round whose row was still in memory. If all that can be read are ahead,
    the oldest: a gap in the curves is better than training lost. That holds too if the others are kept for a reason, and
    may be of long ago. Also returns a sentence for each that is damaged. Raises CheckpointUnreadable or OSError where one
    cannot be read at this moment: to go on from another would drop what was recorded since.
    """
    os.scandir(folder).close()  # where it cannot be listed, nothing is known of what lies there
    paths, kept = checkpoints(folder), kept_checkpoints(folder)
    within = [path for path in reversed(paths) if round_of(path) <= recorded]
    ahead = [path for path in paths if round_of(path) > recorded]
    passed_over = ""
    long_ago = all(round_of(path) in kept for path in within)
    for path in (*ahead, *within) if long_ago else (*within, *ahead):
        try:
            load_checkpoint(path)
            return path, passed_over
        except CheckpointUnreadable:
            raise
        except CheckpointError as error:
            log.warning("%s", error)
            passed_over += f"The checkpoint of round {round_of(path):,} was passed over: {error}. "
    return None, passed_over
