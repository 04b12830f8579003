"""What is deleted, from a terminal and from Python: taken off every list, back again, or gone for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_core import api
from gan_core.cli import main
from gan_core.store import RunNotFound, RunStore


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """The root of a store without runs."""
    RunStore(tmp_path / "runs").close()
    return tmp_path / "runs"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A command's exit status, stdout and stderr."""

    def call(*words: str, store: Path) -> tuple[int, str, str]:
        status = main([*words, "--store", str(store)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_what_is_deleted_from_a_terminal_comes_back_or_is_gone(stored: Path, run: Callable) -> None:
    with RunStore(stored) as opened:
        for name in ("a", "b", "c"):
            opened.create(name, name=f"run {name}", config={})
            opened.update(name, status="finished")
            opened.save_artefact(name, "grid", "png", b"x" * 1000)
    assert run("delete", "a", "b", store=stored)[0] == 0
    _, out, _ = run("runs", "--deleted", "--json", store=stored)
    assert [(row["deleted"], row["frees"], row["name"]) for row in json.loads(out)] == [
        ("b", 1000, "run b"),
        ("a", 1000, "run a"),
    ]
    assert run("restore-run", "a", store=stored)[0] == 0
    assert run("purge", "c", store=stored)[0] == 2
    assert run("purge", store=stored)[0] == 2
    code, out, _ = run("purge", "--all", store=stored)
    assert (code, json.loads(out)) == (0, {"purged": ["b"], "bytes": 1000})
    with RunStore(stored) as opened:
        assert [record.id for record in opened.runs(include_deleted=True)] == ["c", "a"]
    code, _, err = run("delete", "a", "nobody", store=stored)
    assert (code, "There is no run 'nobody'" in err) == (2, True)


def test_python_deletes_and_takes_back_as_the_terminal_does(stored: Path) -> None:
    with RunStore(stored) as opened:
        opened.create("a", name="run a", config={})
        opened.update("a", status="finished")
    api.delete("a", store=stored)
    assert [entry.name for entry in api.deleted(store=stored)] == ["run a"]
    api.restore_run("a", store=stored)
    assert api.deleted(store=stored) == []
    api.delete("a", store=stored)
    api.purge("a", store=stored)
    with pytest.raises(RunNotFound):
        api.restore_run("a", store=stored)


def test_a_run_is_not_resumed_with_other_settings_but_told_how(stored: Path, run: Callable) -> None:
    with RunStore(stored) as opened:
        opened.create("a", name="run a", config={})
        opened.update("a", status="finished")
    code, _, err = run("resume", "a", "--set", "schedule.rounds=80", store=stored)
    assert (code, "fork it: python -m gan_core fork a --set schedule.rounds=80" in err) == (2, True)
    code, _, err = run("resume", "a", store=stored)
    assert (code, "`python -m gan_core fork a`" in err) == (2, True)
