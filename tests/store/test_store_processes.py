"""Several processes on one store: writing side by side, killed at any moment, and who owns a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from gan_core.store import RunStore, owner

Start = Callable[[str], "subprocess.Popen[str]"]


def test_two_processes_write_at_the_same_time(store: RunStore, run: str, other_process: Start) -> None:
    process = other_process(
        """
with RunStore(root) as store:
    store.create("theirs", name="", config={})
    for k in range(150):
        store.append("theirs", "turns", ["a"], np.array([k]), np.array([[k]]))
        store.update("theirs", rounds=k)
"""
    )
    k = 0
    while process.poll() is None:
        store.append(run, "turns", ["a"], np.array([k]), np.array([[k]]))
        store.update(run, rounds=k)
        k += 1
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "locked" not in errors
    store.flush()
    assert len(store.track("theirs")) == 150
    assert len(store.track(run)) == k


@pytest.mark.parametrize("delay", [0.0, 0.13, 0.31])
def test_kill_9_loses_nothing_that_was_flushed(store: RunStore, other_process: Start, delay: float) -> None:
    process = other_process(
        """
store = RunStore(root)
store.create("theirs", name="", config={})
store.update("theirs", status="running")
for k in range(1_000_000):
    store.append("theirs", "turns", ["a", "b"], np.arange(10 * k, 10 * k + 10), np.full((10, 2), k))
    store.add_event("theirs", k, "tick")
    store.flush()
    print(k + 1, flush=True)
"""
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    time.sleep(delay)  # of any length
    process.send_signal(signal.SIGKILL)
    process.wait()
    promised = int((["1", *process.stdout.read().split("\n")[:-1]])[-1])

    data = store.track("theirs")
    assert len(data) >= 10 * promised
    assert len(data) % 10 == 0
    assert np.array_equal(data.rounds, np.arange(len(data)))
    assert np.array_equal(data.column("b"), data.rounds // 10)
    assert promised <= len(store.events("theirs")) <= len(data) // 10
    assert store.interrupt_orphans() == ["theirs"]
    store.create("next", name="the store goes on", config={})


def test_a_program_that_forgets_to_close_keeps_its_last_words(store: RunStore, other_process: Start) -> None:
    process = other_process(
        """
store = RunStore(root)
store.create("theirs", name="", config={})
store.add_event("theirs", 0, "last words")
"""
    )
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert [event.kind for event in store.events("theirs")] == ["last words"]


def test_this_process_owns_its_runs(store: RunStore, run: str) -> None:
    its_owner = store.run(run).owner
    assert its_owner["pid"] == os.getpid()
    assert owner.life_of(its_owner) is owner.Life.ALIVE
    assert store.interrupt_orphans() == []
    assert store.run(run).status == "queued"


def test_a_process_is_alive_until_it_ends_even_as_a_zombie() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = psutil.Process(child.pid)
        its_owner = owner.this_process() | {"pid": child.pid, "started": process.create_time() - psutil.boot_time()}
        assert owner.life_of(its_owner) is owner.Life.ALIVE
        child.kill()
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert process.status() == psutil.STATUS_ZOMBIE
        assert owner.life_of(its_owner) is owner.Life.GONE
    assert owner.life_of(its_owner) is owner.Life.GONE


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    return child.pid


@pytest.mark.parametrize(
    "change",
    [
        {"pid": "dead"},
        {"started": 1.0},  # the number was given to another process: this one
        {"boot": "another boot"},
        {"pid": -1},
        {"pid": 2**70},
        {"pid": "1"},
        {"started": None},
    ],
)
def test_a_run_whose_owner_is_gone_is_interrupted_once(store: RunStore, run: str, change: dict[str, object]) -> None:
    if change == {"pid": "dead"}:
        change = {"pid": dead_pid()}
    store.create("mine", name="", config={})
    store.update("mine", status="running")
    store.create("done", name="", config={})
    store.update("done", status="finished", owner=owner.this_process() | change)
    store.update(run, status="running", rounds=30, started_at=1.0, owner=owner.this_process() | change)

    assert store.interrupt_orphans() == [run]
    record = store.run(run)
    assert (record.status, record.ended_at) == ("interrupted", None)
    assert record.message
    assert [(event.kind, event.round) for event in store.events(run)] == [("interrupted", 30)]
    assert store.interrupt_orphans() == []
    assert len(store.events(run)) == 1
    assert (store.run("mine").status, store.run("done").status) == ("running", "finished")


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_no_active_run_without_an_owner_stays_active(store: RunStore, run: str, status: str) -> None:
    store.update(run, status=status, owner={})
    assert store.interrupt_orphans() == [run]


def test_of_two_that_look_at_once_only_one_interrupts(store: RunStore) -> None:
    ids = [f"run-{k}" for k in range(20)]
    for run_id in ids:
        store.create(run_id, name="", config={})
        store.update(run_id, owner=owner.this_process() | {"boot": "another boot"})
    with RunStore(store.root) as second:
        found: list[str] = []
        barrier = threading.Barrier(2)

        def look(at: RunStore) -> None:
            barrier.wait()
            found.extend(at.interrupt_orphans())

        watchers = [threading.Thread(target=look, args=(at,)) for at in (store, second)]
        for watcher in watchers:
            watcher.start()
        for watcher in watchers:
            watcher.join()
    assert sorted(found) == sorted(ids)
    assert all(len(store.events(run_id)) == 1 for run_id in ids)


def test_a_run_taken_over_in_the_meantime_is_left_alone(
    store: RunStore, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process resumes the run between our look at its owner and our write."""
    store.update(run, status="running", owner={"pid": 1, "boot": "another boot"})

    def resumed_meanwhile(_: object) -> owner.Life:
        monkeypatch.undo()
        store.update(run, owner=owner.this_process())
        return owner.Life.GONE

    monkeypatch.setattr(owner, "life_of", resumed_meanwhile)
    assert store.interrupt_orphans() == []
    assert store.run(run).status == "running"
