"""What somebody brought is read in a process of its own: whatever it does to that process, here it is one sentence."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gan_core.engine import Chores
from gan_core.engine.exchange.packs import MANIFEST
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.intake import apart
from gan_core.intake.errors import Cancelled, DataError
from gan_core.store import RunStore

HANGS = [sys.executable, "-c", "import time; time.sleep(60)"]
CRASHES = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs") as store:
        yield store


def pack_of(frames: bytes, compression: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("runs/x/frames.json", frames)
        archive.writestr(MANIFEST, json.dumps({"format": 1, "version": "0", "runs": ["x"]}))
    return file


def refusal(store: RunStore, file: io.BytesIO) -> str:
    before = {path.name for path in store.root.iterdir()}
    with pytest.raises(DataError) as refused:
        read_pack(store, file)
    assert {path.name for path in store.root.iterdir()} == before
    assert store.runs() == []
    return str(refused.value)


def test_a_file_that_crashes_its_reader_is_a_sentence(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "READER", CRASHES)
    assert refusal(store, pack_of(b"[]")).startswith("Reading this file ended the process that read it")


def test_a_file_that_hangs_its_reader_is_a_sentence_and_nothing_goes_on(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "READER", HANGS)
    monkeypatch.setattr(apart, "SILENT_SECONDS", 0.3)
    begun: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen.__init__

    def noted(process: subprocess.Popen[bytes], *args: object, **options: object) -> None:
        begun.append(process)
        real(process, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    assert refusal(store, pack_of(b"[]")) == "This file could not be read within 0.3 seconds."
    assert begun[0].returncode is not None


def test_a_file_that_takes_too_much_memory_takes_it_of_its_reader(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few megabytes of empty lists are hundreds in memory."""
    lists = b"[" + b"[]," * 2_000_000 + b"[]]"
    monkeypatch.setitem(apart.MEMORY, "pack", 2**26)
    assert refusal(store, pack_of(lists)) == "Reading this file takes more than 0.062 GB of memory."


def test_a_file_that_cannot_be_read_to_its_end_is_a_sentence(store: RunStore) -> None:
    with open("/proc/self/mem", "rb") as file, pytest.raises(DataError, match="This file cannot be read: Input/output"):
        read_pack(store, file)


def test_the_reader_has_little_time_no_core_and_yields_to_everybody() -> None:
    code = (
        "import os, json, resource; from gan_core.intake.reader import _limit; _limit(2**30, 7)\n"
        "names = ('CPU', 'CORE', 'FSIZE')\n"
        "print(json.dumps([*(resource.getrlimit(getattr(resource, f'RLIMIT_{name}'))[1] for name in names), os.nice(0)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=apart.ROOT, capture_output=True, check=True)
    seconds, core, size, nice = json.loads(done.stdout)
    assert (seconds, core) == (7, 0)
    assert size < 4 * 2**30
    assert nice >= 10


def test_a_zip_of_pictures_that_crashes_its_reader_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "READER", CRASHES)
    chores = Chores(tmp_path)
    for chore in (
        chores.keep_zip("zip", pack_of(b""), "x", 16, 3, "crop"),
        chores.keep_folder("folder", ".", "x", 16, 3, "crop"),
    ):
        chore.wait(60)
        assert chore.result is None
        assert "ended the process that read it" in str(chore.error)


def test_a_table_is_read_within_bounds_by_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chores = Chores(tmp_path)
    cells = b"\n".join(b",".join([b"1.5"] * 19) for _ in range(20_000))
    for more in range(5):  # wherever in the reading the memory ends, with as many threads as a server's reader has
        with monkeypatch.context() as patch:
            patch.delenv("OMP_NUM_THREADS")
            patch.setitem(apart.MEMORY, "table", 2**25 + 2**15 * more)
            with pytest.raises(DataError, match="memory"):
                chores.look_at_table(cells)
    monkeypatch.setattr(apart, "READER", CRASHES)
    for read in (chores.look_at_table, lambda content: chores.keep_table(content, "x")):
        with pytest.raises(DataError, match="ended the process that read it"):
            read(b"1,2\n" * 60)


def saying(*words: object) -> list[str]:
    """A reader that says this, and at last how much it was given."""
    said = "".join(f"{json.dumps(word)}\n" for word in words)
    code = f"import sys; print({said!r} + '{{\"found\": %d}}' % len(sys.stdin.buffer.read()), flush=True)"
    return [sys.executable, "-S", "-E", "-c", code]


@pytest.mark.parametrize("waiting", [True, False])
def test_all_of_a_file_is_read_wherever_its_reader_stood_before(waiting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []
    monkeypatch.setattr(apart, "READER", saying({"progress": [0.5, "half"]}))
    file = io.BytesIO(b"0123456789")
    file.seek(7)
    progress = (lambda share, sentence: told.append((share, sentence))) if waiting else None
    with apart.read_apart("pack", file, progress=progress, cancel=(lambda: False) if waiting else None) as reading:
        assert reading.found == 10
        assert reading.file.read() == b"0123456789"
        folder = reading.folder
    assert not folder.exists()
    assert told == ([(0.5, "half")] if waiting else [])


def test_a_reader_can_be_cancelled_while_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "READER", HANGS)
    with (
        pytest.raises(Cancelled, match=r"Cancelled; nothing was kept\."),
        apart.read_apart("pack", io.BytesIO(b"x"), cancel=lambda: True),
    ):
        pass


def test_a_file_that_was_closed_is_a_sentence() -> None:
    file = io.BytesIO(b"x")
    file.close()
    with (
        pytest.raises(DataError, match=r"This file cannot be read: I/O operation on closed file\."),
        apart.read_apart("pack", file),
    ):
        pass


class Bomb:
    """Runs a command where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self.marker}'",)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_checkpoint_that_carries_code_is_refused_and_nothing_of_it_runs(
    legacy: bool, wrapped: bool, store: RunStore, tmp_path: Path
) -> None:
    """As it is, or under the name that a checkpoint has in a pack."""
    marker, file = tmp_path / "ran", io.BytesIO()
    torch.save({"weights": torch.ones(2), "bomb": Bomb(marker)}, file, _use_new_zipfile_serialization=not legacy)
    with zipfile.ZipFile(made := io.BytesIO(), "w") as archive:
        archive.writestr("runs/x/checkpoints/round-000000001.safetensors", file.getvalue())
        archive.writestr(MANIFEST, json.dumps({"format": 1, "version": "0", "runs": ["x"]}))
    said = "has no run.json" if wrapped else "not a zip file" if legacy else "does not belong into a pack"
    assert said in refusal(store, made if wrapped else file)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Bomb(marker)))  # it would have
    assert marker.exists()
