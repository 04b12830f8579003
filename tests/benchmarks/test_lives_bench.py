"""What the bench of any order of commands says that it found: all of it, and with the steps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis.stateful import RuleBasedStateMachine, rule

from benchmarks.lives import alone, play, told


class Once(RuleBasedStateMachine):
    """A step that fails one time and never again."""

    failed = False

    @rule()
    def step(self) -> None:
        if not Once.failed:
            Once.failed = True
            error = AssertionError("a picture is missing")
            error.add_note("The steps of this life:\nopen()\nstep()")
            raise error


class Never(RuleBasedStateMachine):
    @rule()
    def step(self) -> None:
        pass


def test_what_fails_once_and_not_again_is_found_with_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    Once.failed = False
    played = play(Once, 100)
    assert "a picture is missing" in [str(error) for error in played.found]
    assert "a picture is missing" in capsys.readouterr().err
    said = told(played, "python benchmarks/lives.py")
    assert "`AssertionError: a picture is missing` after `open()`, `step()`" in said
    assert "Found nothing" not in said


def test_where_nothing_is_found_the_words_say_so_and_how_much_was_played() -> None:
    played = play(Never, 100)
    assert played.found == ()
    assert played.steps >= 100
    assert f"played {played.steps:,} steps in {played.lives:,} stores" in told(played, "python benchmarks/lives.py")
    assert "Found nothing" in told(played, "python benchmarks/lives.py")


def test_every_exception_of_a_group_is_told_alone() -> None:
    a, b, c = ValueError("a"), KeyError("b"), OSError("c")
    assert list(alone(ExceptionGroup("all", [a, ExceptionGroup("some", [b, c])]))) == [a, b, c]


@pytest.mark.slow
def test_a_thousand_steps_in_any_order_find_nothing(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/lives.py", "--steps", "1000", "--out", str(tmp_path / "found.md")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Found nothing" in (tmp_path / "found.md").read_text()
