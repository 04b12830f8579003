"""What computes for a long time gives way to what a person waits for, also where the system deals shares to sessions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SESSION = Path("/proc/self/autogroup")
GIVES_WAY = """
import os, pathlib
from gan_core.priority import give_way
give_way(7)
group = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else os.nice(0))
"""


def gives_way(*, own_session: bool) -> tuple[int, int]:
    """The niceness of a process that gives way, and that of its session."""
    said = subprocess.run(
        [sys.executable, "-c", GIVES_WAY], check=True, capture_output=True, text=True, start_new_session=own_session
    ).stdout
    own, of_the_session = map(int, said.split())
    return own, of_the_session


def test_a_process_with_a_session_of_its_own_takes_it_along() -> None:
    expected = min(19, os.nice(0) + 7)
    assert gives_way(own_session=True) == (expected, expected)


@pytest.mark.skipif(not SESSION.exists(), reason="this system deals no shares to sessions")
def test_who_shares_a_session_leaves_it_as_it_is() -> None:
    before = int(SESSION.read_text().split()[-1])
    assert gives_way(own_session=False) == (min(19, os.nice(0) + 7), before)
