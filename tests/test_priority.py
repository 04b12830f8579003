"""What computes for a long time gives way to what a person waits for, also where the system deals shares to sessions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SESSION = '(pathlib.Path("/proc/self/autogroup").read_text().split() or ["none"])[-1]'
GIVES_WAY = f"""
import os, pathlib
from gan_core.priority import give_way
give_way(7)
print(os.nice(0), {SESSION})
"""
ITS_CHILD_GIVES_WAY = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {GIVES_WAY!r}], check=True)
"""


def printed_by(leader: str) -> list[str]:
    """The words that a program prints which leads a session of its own: that of the tests may lie in the system's root group,
    whose file is empty."""
    run = subprocess.run(
        [sys.executable, "-c", leader], check=True, capture_output=True, text=True, start_new_session=True
    )
    return run.stdout.split()


def deals_shares_to_sessions() -> bool:
    """Whether a new session gets a niceness of its own: the file is missing or empty where it gets none."""
    try:
        return printed_by(f"import pathlib; print({SESSION})") != ["none"]
    except subprocess.CalledProcessError:
        return False


dealt = pytest.mark.skipif(not deals_shares_to_sessions(), reason="this system deals no shares to sessions")


def nicer() -> str:
    return str(min(19, os.nice(0) + 7))


@dealt
def test_a_process_with_a_session_of_its_own_takes_it_along() -> None:
    assert printed_by(GIVES_WAY) == [nicer(), nicer()]


@dealt
def test_who_shares_a_session_leaves_it_as_it_is() -> None:
    assert printed_by(ITS_CHILD_GIVES_WAY) == [nicer(), "0"]


def test_where_there_are_no_such_groups_its_own_niceness_counts() -> None:
    without = 'import os, pathlib, gan_core.priority as p; p._SESSION = pathlib.Path("/none/autogroup"); '
    assert printed_by(without + "p.give_way(7); print(os.nice(0))") == [nicer()]
