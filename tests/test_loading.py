"""Programs load without looking for garbage, and look for it afterwards, but not among what they loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ON_OR_OFF = """
import gc
from gan_core.loading import for_good

gc.{before}()
with for_good():
    within = gc.isenabled()
print(within, gc.isenabled())
"""
LOOKED_AT = """
import gc
from gan_core.loading import for_good

with for_good():
    loaded = []
later = []
print(*(any(tracked is one for tracked in gc.get_objects()) for one in (loaded, later)))
"""
A_MODULE_FAILS = """
import gc
from contextlib import suppress
from gan_core.loading import for_good

with suppress(ImportError), for_good():
    raise ImportError
print(gc.isenabled(), gc.get_freeze_count())
"""
# Streamlit imports a part of itself before it imports the application.
APPLICATION = """
import gc, sys
import starlette.middleware, streamlit

amid = []
def note(phase, _):
    if phase == "start":
        amid.append("torch" in sys.modules and "gan_core.ui.gone_sessions" not in sys.modules)

gc.callbacks.append(note)
import app
print(sum(amid), gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def printed(program: str) -> list[str]:
    """By a program in a process of its own: what is frozen is so in the whole process."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout.split()


@pytest.mark.parametrize(("before", "after"), [("enable", "True"), ("disable", "False")])
def test_collections_are_after_the_block_as_they_were_before(before: str, after: str) -> None:
    assert printed(ON_OR_OFF.format(before=before)) == ["False", after]


def test_what_is_there_at_the_end_is_not_looked_at_again() -> None:
    assert printed(LOOKED_AT) == ["False", "True"]


def test_a_module_that_fails_to_load_leaves_collections_on() -> None:
    assert printed(A_MODULE_FAILS) == ["True", "0"]


def test_the_application_loads_without_a_collection() -> None:
    assert printed(APPLICATION) == ["0", "True", "True"]
