"""Failpoints do nothing unless asked, and then just that."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from holding import Hold

from gan_core.failpoints import ACTIONS, ERRORS, EXIT_STATUS, VARIABLE, armed, failpoint, held


def test_nothing_happens_unless_it_was_asked_for() -> None:
    failpoint("anything")
    with armed("here=raise"):
        failpoint("elsewhere")
        with pytest.raises(RuntimeError, match="failpoint here"):
            failpoint("here")
    failpoint("here")


def test_each_action_from_a_time_on_and_so_many_times() -> None:
    with armed("a=enospc@2x2, b=memory, c=sleep:0.05"):
        failpoint("a")
        for _ in range(2):
            with pytest.raises(OSError, match="No space left") as full:
                failpoint("a")
            assert full.value.errno == errno.ENOSPC
        failpoint("a")
        with pytest.raises(RuntimeError, match="can't allocate memory"):
            failpoint("b")
        started = time.monotonic()
        failpoint("c")
        assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize("action", ERRORS)
def test_an_error_of_the_system_is_raised_as_the_system_raises_it(action: str) -> None:
    number = getattr(errno, action.upper())
    with armed(f"here={action}"), pytest.raises(OSError, match=os.strerror(number)) as failed:
        failpoint("here")
    assert failed.value.errno == number


def test_an_interrupt_reaches_the_main_thread_and_no_other() -> None:
    went_on = threading.Event()

    def elsewhere() -> None:
        failpoint("here")
        went_on.set()

    with armed("here=interruptx1"), pytest.raises(KeyboardInterrupt):  # noqa: PT012
        threading.Thread(target=elsewhere).start()
        while True:
            time.sleep(0.01)
    assert went_on.wait(60)


@pytest.mark.parametrize("action", ["exit", "half"])
def test_the_process_is_gone_at_once(action: str, tmp_path: Path, root: Path) -> None:
    code = f"""
import atexit
from pathlib import Path
from gan_core.failpoints import failpoint
atexit.register(lambda: Path({str(tmp_path / "tidied up")!r}).touch())
failpoint("here", half=lambda: Path({str(tmp_path / "half")!r}).touch())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=os.environ | {VARIABLE: f"here={action}"})
    assert done.returncode == EXIT_STATUS
    assert [file.name for file in tmp_path.iterdir()] == ["half"] * (action == "half")


def test_a_run_is_held_from_a_round_on_until_it_is_let_go(tmp_path: Path) -> None:
    hold = Hold(tmp_path)
    hold.at(3)
    assert not held("round", 3), "not armed"
    with armed(hold.wish):
        assert [held("round", count) for count in (2, 3, 4)] == [False, True, True]
        assert not held("elsewhere", 4)
        hold.at(4)
        assert [held("round", count) for count in (3, 4)] == [False, True]
        with pytest.raises(ValueError, match="nobody asks"):
            failpoint("round")
        hold.let_go()
        assert not held("round", 4)
    hold.at(0)
    assert not held("round", 4)


@pytest.mark.parametrize(
    "wish", ["here", "here=hold", "here=hold:", "here=explode", "here=exit@x", "=exit", "here=raise;there=raise"]
)
def test_a_wish_that_is_not_understood_is_refused(wish: str) -> None:
    with pytest.raises(ValueError, match="is not understood"), armed(wish):
        pass


def test_half_of_nothing_is_refused() -> None:
    with armed("here=half"), pytest.raises(ValueError, match="nothing is written"):
        failpoint("here")
    assert "half" in ACTIONS
