"""An owner that may not be looked at: the process of another user is there, whatever else is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil
import pytest

from gan_core.store import RunStore


@pytest.mark.parametrize("denied", ["status", "create_time"])
def test_a_run_whose_process_may_not_be_looked_at_stays_active(
    denied: str, store: RunStore, other_process: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = other_process(
        'RunStore(root).create("theirs", name="", config={}); print("made", flush=True); import time; time.sleep(600)'
    )
    assert process.stdout.readline() == "made\n"

    def refuse(self: psutil.Process) -> str:
        raise psutil.AccessDenied(self.pid)

    with monkeypatch.context() as patched:
        patched.setattr(psutil.Process, denied, refuse)
        assert store.interrupt_orphans() == []
    assert store.run("theirs").active
    process.kill()
    process.communicate()
    assert store.interrupt_orphans() == ["theirs"]
