"""From queued to finished: what a study's status becomes, whatever ends its work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gan_core.config import ConfigError
from gan_core.intake.errors import Cancelled, DataError
from gan_core.store import RunNotFound, RunStore, StoreError, StudyRecord
from gan_core.store.owner import this_process

log = logging.getLogger(__name__)


@contextmanager
def kept(store: RunStore, study_id: str) -> Iterator[StudyRecord]:
    """The study, running and owned by this process; afterwards finished, or what it was ended by. Raises that again."""
    store.studies.update(study_id, status="running", message="", owner=this_process())
    status, message = "failed", ""
    try:
        yield store.studies.read(study_id)
        status = "finished"
    except Cancelled:
        status = "stopped"
        raise
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    except (ConfigError, DataError, RunNotFound, StoreError) as error:
        message = str(error)
        raise
    except Exception as error:
        log.exception("the study %s", study_id)
        message = f"{type(error).__name__}: {error}"
        raise
    finally:
        with suppress(StoreError):  # then its owner is gone at the next look, and it is interrupted
            store.studies.update(study_id, status=status, message=message)
