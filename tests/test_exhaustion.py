"""When file handles, threads or memory run out: nothing is taken for missing or damaged, and nothing is lost for it."""

from __future__ import annotations

import errno
import logging
import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from gan_core import checkpoints
from gan_core.exhaustion import IN_LOOPS, Seldom, cannot_tell

ROOT = Path(__file__).parents[1]

PRELUDE = """
import resource, sys
from pathlib import Path
root = Path(sys.argv[1])

class NoHandleLeft:
    def __enter__(self):
        self.taken = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        try:
            while True:
                self.taken.append(open("/dev/null"))
        except OSError:
            pass

    def __exit__(self, *_):
        for file in self.taken:
            file.close()

def said(kind, work):
    with NoHandleLeft():
        try:
            return f"answered {work()!r}"
        except kind as error:
            return str(error)
"""


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str], str]:
    """What a program prints in which ``said(kind, work)`` does something without a file handle, as an error of a kind."""

    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(program), str(tmp_path)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_unreadable_checkpoints_are_neither_missing_nor_replaced(told: Callable[[str], str]) -> None:
    assert told("""
        from gan_core.checkpoints import best_scores, checkpoints, mark, read, sweep, write
        folder = root / "checkpoints"
        path = write(folder, 7, b"tensors", {"a": 1})
        mark(path, "best", "the best", (3.0,))
        for work in (lambda: checkpoints(folder), lambda: write(folder, 7, b"others", {}), lambda: best_scores(folder, 7)):
            assert "Too many open files" in said(OSError, work), work
        assert said(OSError, lambda: sweep(folder)) == "answered 0"
        assert checkpoints(root / "no such folder") == []
        print(read(path), best_scores(folder, 7))
    """) == "(b'tensors', {'a': 1}) (3.0,)\n"  # fmt: skip


def test_a_mark_that_may_not_be_read_is_not_a_mark_without_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoints.write(tmp_path, 7, b"tensors", {})
    checkpoints.mark(path, "best", "the best", (3.0,))

    def refused(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refused)
        with pytest.raises(PermissionError):
            checkpoints.best_scores(tmp_path, 7)
    path.with_suffix(".best").write_text("damaged")
    assert checkpoints.best_scores(tmp_path, 7) == ()


def test_a_store_that_cannot_be_read_has_no_faults_and_no_part_copy(told: Callable[[str], str]) -> None:
    lines = told("""
        from gan_core.checkpoints import write
        from gan_core.store import RunStore, StoreError, backup, fsck
        root, aside = root / "runs", root
        with RunStore(root) as store:
            store.create("a-run", name="", config={})
            store.update("a-run", status="finished")
            write(store.checkpoint_dir("a-run"), 7, b"tensors", {})
            print(said(StoreError, lambda: store.checkpoints("a-run")))
        print(said(Exception, lambda: fsck(root)))
        print(said(StoreError, lambda: backup(root, aside / "copy.zip")))
        print(said(StoreError, lambda: RunStore(root)))
        print(fsck(root))
    """).splitlines()
    assert "Its checkpoints cannot be looked at: Too many open files" in lines[0]
    assert "cannot be" in lines[1]
    assert "REINDEX" not in lines[1]
    assert all("Too many open files" in line or "unable to open" in line for line in lines[2:4])
    assert lines[4] == "[]"


def test_fsck_says_nothing_of_what_it_cannot_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gan_core.store import RunStore, fsck

    with RunStore(tmp_path) as store:
        store.create("a-run", name="", config={})
        store.update("a-run", status="finished")
        path = checkpoints.write(store.checkpoint_dir("a-run"), 7, b"tensors", {})

    def no_handle(_: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    def bad_sector(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", no_handle)
    (fault,) = fsck(tmp_path)
    assert "cannot be told" in fault.sentence
    assert not fault.run
    monkeypatch.setattr(Path, "read_bytes", bad_sector)
    (fault,) = fsck(tmp_path)
    assert (fault.run, fault.path.endswith(path.name)) == ("a-run", True)


def test_whether_there_is_another_server_may_be_unknown(told: Callable[[str], str]) -> None:
    first, second, third = told("""
        from gan_core.store.tenancy import Tenancy
        with NoHandleLeft():
            one = Tenancy(root)
            print(one.only_reads)
            print(one.claim())
        print(one.claim(), one.only_reads == "")
    """).splitlines()
    assert "cannot be told (Too many open files)" in first
    assert (second, third) == ("False", "True True")


def test_on_a_full_disk_a_server_still_has_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gan_core.store import tenancy

    def full(self: object, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tenancy.json, "dumps", full)
    one = tenancy.Tenancy(tmp_path)
    assert (one.only_reads, one.claim()) == ("", True)
    assert tenancy.Tenancy(tmp_path).taken_by == "another server"
    one.close()


def test_want_of_a_handle_makes_no_run_go_on_from_an_older_checkpoint(told: Callable[[str], str]) -> None:
    first, second = told("""
        from gan_core.config import preset_config
        from gan_core.engine import Lab, Refused
        with Lab(root, executor="thread") as lab:
            settings = {"schedule.rounds": 40, "diagnostics.samples": 16}
            run = lab.submit(preset_config("ring-mlp", settings))
            lab.wait(run, 60)
            lab.store.update(run, status="interrupted")
            rows = len(lab.store.track(run))
            print(said(Refused, lambda: lab.resume(run)))
            print(len(lab.store.track(run)) == rows, lab.store.run(run).status)
    """).splitlines()
    assert "Too many open files" in first
    assert "cannot be read now, and is left as it is" in first
    assert second == "True interrupted"


def test_a_checkpoint_that_cannot_be_read_now_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gan_core.engine.running.starting_points import checkpoint_to_go_on_from
    from gan_core.training import CheckpointUnreadable

    for played in (3, 7):
        checkpoints.write(tmp_path, played, b"tensors", {})

    def no_handle(_: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Path, "read_bytes", no_handle)
    with pytest.raises(CheckpointUnreadable, match="Too many open files"):
        checkpoint_to_go_on_from(tmp_path, 7)


def test_data_that_cannot_be_read_now_are_not_called_damaged_or_gone(told: Callable[[str], str]) -> None:
    lines = told("""
        import numpy as np
        from gan_core.data import places, shelf
        from gan_core.data.sources import ImageSource
        from gan_core.intake.errors import DataError, DataMissing
        from gan_core.intake.points import Points
        from gan_core.training import classifier
        places.use_store(root)
        points = np.random.default_rng(0).normal(size=(50, 2))
        own = shelf.keep("mine", Points(points=points, problems=()), "csv")
        print(said(DataError, lambda: shelf.find(own.name)))
        print(said(DataError, lambda: shelf.shelf()))
        print(said(DataError, lambda: shelf._open(str(shelf.shelf_root() / own.fingerprint[:16]), own.name, own)))
        (root / "card.json").write_text("{}")
        print(said(OSError, lambda: classifier._load(root / "card.safetensors", None)))
        print(classifier._load(root / "missing.safetensors", None), shelf.find(own.name).title)
        try:
            shelf.find("own:other-0123456789abcdef")
        except DataMissing:
            print("missing")
    """).splitlines()
    assert all("Too many open files" in line for line in lines[:4]), lines
    assert lines[4:] == ["None mine", "missing"]


def test_the_limit_of_handles_is_raised_as_far_as_the_system_lets(told: Callable[[str], str]) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert (
        told(f"""
        from gan_core.exhaustion import raise_handle_limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
        print(raise_handle_limit(300), resource.getrlimit(resource.RLIMIT_NOFILE)[0], raise_handle_limit(200))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))
        print(raise_handle_limit(300), resource.getrlimit(resource.RLIMIT_NOFILE))
    """)
        == "300 300 300\n100 (100, 100)\n"
    )


def test_only_what_a_lack_leaves_open_cannot_be_told() -> None:
    open_questions = [
        OSError(errno.EMFILE, ""),
        OSError(errno.ENFILE, ""),
        PermissionError(errno.EACCES, ""),
        MemoryError(),
    ]
    answers = [FileNotFoundError(errno.ENOENT, ""), OSError(errno.EIO, ""), ValueError(), None]
    assert all(map(cannot_tell, open_questions))
    assert not any(map(cannot_tell, answers))


def test_the_same_trouble_is_logged_once_a_minute_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    now = 0.0
    monkeypatch.setattr("gan_core.exhaustion.time.monotonic", lambda: now)
    log = logging.Logger("trouble")
    log.addFilter(Seldom())
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    for round in range(18_000):
        log.error("no handle for %s", round)
        log.info("round %s", round) if round < 2 else None
    log.error("another trouble")
    now = 61.0
    log.error("no handle for %s", "the last")
    log.error("another trouble")
    assert said == [
        *("no handle for 0", "round 0", "round 1", "another trouble"),
        "no handle for the last (and 17,999 times more since it was last said)",
        "another trouble",
    ]


def test_without_a_thread_for_the_next_spare_process_a_run_still_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    from gan_core.engine.running import processes

    def no_thread(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(processes, "_Worker", lambda label: label)
    monkeypatch.setattr(processes.threading.Timer, "start", no_thread)
    spare = processes._Spare()
    spare._wanted = True
    assert spare.take("a-run") == "a-run"


def test_the_end_of_a_run_is_told_with_unreadable_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from gan_core.engine.running import processes

    def no_handle(_: Path) -> list[Path]:
        raise OSError(errno.EMFILE, "Too many open files")

    hosted = SimpleNamespace(job=SimpleNamespace(checkpoint_dir=tmp_path), round=3)
    monkeypatch.setattr(processes, "checkpoints", no_handle)
    end = processes._obituary(hosted, -9, "")
    assert (end.state, "whether something was saved cannot be told (Too many open files)" in end.message) == (
        "interrupted",
        True,
    )


@pytest.mark.parametrize("name", IN_LOOPS)
def test_what_is_said_seldom_is_said_by_a_module_that_is_there(name: str) -> None:
    assert find_spec(name) is not None
