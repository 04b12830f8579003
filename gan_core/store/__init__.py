"""The run store: every run, its curves, samples and events, in one SQLite file and one folder per run.

Only plain values cross this border: JSON-able dicts, NumPy arrays, bytes. It knows nothing of torch or of training.
"""

from gan_core.store.adoption import Whole
from gan_core.store.artefacts import new_run_id
from gan_core.store.backup import backup, restore_backup
from gan_core.store.bin import Deleted
from gan_core.store.fsck import Fault, fsck
from gan_core.store.place import default_root, must_be_there
from gan_core.store.records import (
    ACTIVE,
    STATES,
    ComparisonNotFound,
    ComparisonRecord,
    DamagedRun,
    Event,
    Frame,
    Member,
    RunNotFound,
    RunRecord,
    StoreError,
)
from gan_core.store.run_store import RunStore
from gan_core.store.studies import StoredCell, StudyNotFound, StudyRecord
from gan_core.store.tracks import TrackData

__all__ = [
    "ACTIVE",
    "STATES",
    "ComparisonNotFound",
    "ComparisonRecord",
    "DamagedRun",
    "Deleted",
    "Event",
    "Fault",
    "Frame",
    "Member",
    "RunNotFound",
    "RunRecord",
    "RunStore",
    "StoreError",
    "StoredCell",
    "StudyNotFound",
    "StudyRecord",
    "TrackData",
    "Whole",
    "backup",
    "default_root",
    "fsck",
    "must_be_there",
    "new_run_id",
    "restore_backup",
]
