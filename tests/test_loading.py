"""Programs load without looking for garbage, and look for it afterwards, but not among what they loaded."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_core.loading import for_good

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize("collects", [True, False])
def test_collections_are_after_the_block_as_they_were_before(collects: bool) -> None:
    (gc.enable if collects else gc.disable)()
    with for_good():
        assert not gc.isenabled()
    assert gc.isenabled() is collects


def test_what_is_there_at_the_end_is_not_looked_at_again() -> None:
    with for_good():
        loaded: list[object] = []
    assert not any(tracked is loaded for tracked in gc.get_objects())
    loaded_later: list[object] = []
    assert any(tracked is loaded_later for tracked in gc.get_objects())


def test_a_module_that_fails_to_load_leaves_collections_on() -> None:
    with pytest.raises(ImportError, match="away"), for_good():
        raise ImportError("away")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_application_loads_without_a_collection() -> None:
    done = subprocess.run(
        [sys.executable, "-c", APPLICATION], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["0", "True", "True"]
