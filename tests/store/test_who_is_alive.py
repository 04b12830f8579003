"""Three answers to whether a process lives; "cannot tell" is never taken for yes or no."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from gan_core.store import RunRecord, RunStore, StoreError, fsck, owner
from gan_core.store.owner import Life, life_of

Start = Callable[[str], "subprocess.Popen[str]"]

NO_HANDLE_LEFT = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
taken = []
def use_up():
    try:
        while True:
            taken.append(open("/dev/null"))
    except OSError:
        pass
"""


@pytest.fixture
def other() -> Iterator[dict[str, Any]]:
    """A living process, as the owner of a run."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = psutil.Process(child.pid)
        yield owner.this_process() | {"pid": child.pid, "started": process.create_time() - psutil.boot_time()}
        child.kill()


def test_without_a_handle_left_no_run_is_taken_for_gone(
    store: RunStore, run: str, other_process: Start, other: dict[str, Any]
) -> None:
    store.update(run, status="running", owner=other)
    process = other_process(
        f"""{NO_HANDLE_LEFT}
from gan_core.store import owner
with RunStore(root) as store:
    store.create("mine", name="", config={{}})
    store.update("mine", status="running")
    use_up()
    assert owner.life_of(store.run("mine").owner) is owner.Life.ALIVE
    assert owner.life_of(store.run({run!r}).owner) is owner.Life.UNKNOWN
    assert store.interrupt_orphans() == []
    print([store.run(name).status for name in ("mine", {run!r})])
"""
    )
    told, errors = process.communicate(timeout=60)
    assert (told, errors) == ("['running', 'running']\n", "")


def test_without_a_handle_left_no_run_is_begun_with_an_unknown_owner(store: RunStore, other_process: Start) -> None:
    process = other_process(
        f"""{NO_HANDLE_LEFT}
from gan_core.store import StoreError, owner
use_up()
for ask in (owner.this_process, lambda: RunStore(root)):
    try:
        ask()
    except StoreError as error:
        told = str(error)
taken.clear()
assert owner.this_process()["boot"], "what could not be read is read again"
print(told)
"""
    )
    told, errors = process.communicate(timeout=60)
    assert errors == ""
    assert "Too many open files" in told


@pytest.mark.parametrize(
    "failure", [psutil.AccessDenied(1), OSError(24, "Too many open files"), MemoryError(), RuntimeError("no btime")]
)
def test_what_cannot_be_looked_at_is_left_alone(
    store: RunStore, run: str, other: dict[str, Any], monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    store.update(run, status="running", owner=other)

    def fails(_: object) -> str:
        raise failure

    monkeypatch.setattr(psutil.Process, "status", fails)
    assert life_of(other) is Life.UNKNOWN
    assert store.interrupt_orphans() == []
    assert store.run(run).status == "running"
    (store.root / run).mkdir()
    half = store.root / run / ".grid-0.png.0123abcd"
    half.touch()
    assert not fsck(store.root), "nobody is accused of being gone, nor what may be at work of being left over"
    store.sweep()
    assert half.exists()


def test_a_process_that_the_system_hides_is_not_gone(other: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(pid: int) -> psutil.Process:
        raise psutil.NoSuchProcess(pid)

    monkeypatch.setattr(psutil, "Process", hidden)
    assert life_of(other) is Life.UNKNOWN


def test_an_owner_that_knew_no_boot_is_told_by_its_number_and_start(other: dict[str, Any]) -> None:
    assert life_of(other | {"boot": ""}) is Life.ALIVE
    assert life_of(other | {"boot": "", "started": 1.0}) is Life.GONE


def test_a_run_of_the_caller_is_spared_whatever_its_owner_says(store: RunStore, run: str) -> None:
    store.update(run, status="running", owner={"pid": 1, "started": 0.0, "boot": "another boot"})
    assert store.interrupt_orphans(sparing={run}) == []
    assert store.interrupt_orphans() == [run]


def test_a_killed_run_reads_as_interrupted_before_anybody_wrote_it_down(store: RunStore, run: str) -> None:
    store.create("child", name="", config={}, parent=run)
    store.update(run, status="running", rounds=7, owner={"pid": 1, "started": 0.0, "boot": "another boot"})
    with RunStore(store.root, only_reads="to look only") as looking:
        listed = [record for record in looking.runs() if isinstance(record, RunRecord) and record.id == run]
        for record in (looking.run(run), looking.family(run)[0], looking.whole(run).run, *listed):
            assert (record.status, record.rounds, bool(record.message)) == ("interrupted", 7, True)
            assert not record.active
        assert len(listed) == 1


def test_a_killed_run_can_be_deleted_at_once(store: RunStore, run: str) -> None:
    store.update(run, status="running", owner={"pid": 1, "started": 0.0, "boot": "another boot"})
    store.delete(run)
    assert store.run(run).deleted_at is not None
    store.update(run, status="running", owner=owner.this_process())
    with pytest.raises(StoreError, match="Stop the run first"):
        store.delete(run)


@pytest.mark.parametrize(
    "owned", [{}, {"pid": 1}, {"pid": "one"}, {"started": None}, {"started": "soon"}, {"pid": 10**30}]
)
def test_an_owner_that_cannot_be_understood_is_gone(other: dict[str, Any], owned: dict[str, Any]) -> None:
    assert life_of(owned if len(owned) == 0 or owned == {"pid": 1} else other | owned) is Life.GONE


def test_a_zombie_is_gone_however_the_system_says_so(other: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(process: psutil.Process) -> str:
        raise psutil.ZombieProcess(process.pid)

    monkeypatch.setattr(psutil.Process, "status", dead)
    assert life_of(other) is Life.GONE


def test_a_process_needs_nothing_to_know_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    this = owner.this_process()

    def refused(_: object) -> str:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(psutil.Process, "status", refused)
    assert life_of(this) is Life.ALIVE
    assert life_of(this | {"started": this["started"] + 60}) is Life.GONE, "an earlier one of the same number"


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), psutil.AccessDenied(1)])
def test_a_process_that_does_not_know_itself_says_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(_: int) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(owner, "_this_process", fails)
    with pytest.raises(StoreError, match="does not say which process"):
        owner.this_process()


@pytest.mark.parametrize("error", [FileNotFoundError, NotADirectoryError, PermissionError])
def test_a_system_without_a_boot_id_tells_by_number_and_start(
    other: dict[str, Any], monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    def fails(*_: object) -> str:
        raise error

    monkeypatch.setattr(type(owner.BOOT_ID), "read_text", fails)
    owner._this_process.cache_clear()
    try:
        assert owner.this_process()["boot"] == ""
        assert life_of(other) is Life.ALIVE
    finally:
        monkeypatch.undo()
        owner._this_process.cache_clear()
