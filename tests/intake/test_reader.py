"""What the process that reads what somebody brought looks at, leaves behind and says, and what it may take."""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL.ImageFile import ImageFile

from benchmarks.hostile import picture, zipped
from gan_core.intake import reader
from gan_core.intake.errors import DataError
from gan_core.intake.pictures import MAX_TENSOR

SHAPE = {"size": 16, "channels": 1}
POINTS = "\n".join(["x,y", *(f"{i},{i % 7}.5" for i in range(60))]).encode()


def silent(share: float, sentence: str) -> None:
    """Progress that nobody looks at."""


def main_says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], task: reader.Task) -> list[Any]:
    """What the program says where its task is this one, bounded by nothing."""
    asked = {"what": "task", "folder": "/nowhere", "details": {"a": 1}, "memory": 2**30, "seconds": 7}
    monkeypatch.setattr(sys, "argv", ["reader", json.dumps(asked)])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"brought")))
    monkeypatch.setitem(reader.TASKS, "task", task)
    monkeypatch.setattr(reader, "_limit", lambda memory, seconds: print(json.dumps([memory, seconds])))
    reader.main()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_reader_says_how_far_it_is_and_what_it_found_within_its_bounds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def task(file: io.BytesIO, folder: Path, details: dict[str, Any], progress: Callable[[float, str], None]) -> Any:
        progress(0.5, "half")
        return [file.read().decode(), str(folder), details]

    assert main_says(monkeypatch, capsys, task) == [
        [2**30, 7],
        {"progress": [0.5, "half"]},
        {"found": ["brought", "/nowhere", {"a": 1}]},
    ]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("This is none."), "This is none."),
        (MemoryError(), "Reading this file takes more than 1 GB of memory."),
    ],
)
def test_what_the_reader_refuses_is_a_sentence(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def task(*asked: object) -> None:
        raise error

    assert main_says(monkeypatch, capsys, task)[1:] == [{"refused": sentence}]


@pytest.mark.parametrize("listed", [True, False], ids=["with /proc", "without"])
def test_the_reader_yields_and_is_bounded_in_all_that_it_takes(listed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    nice: list[int] = []
    written: dict[str, str] = {}
    bounds: dict[int, tuple[int, int]] = {}

    def write(path: Path, text: str) -> None:
        if not listed:
            raise FileNotFoundError(path)
        written[str(path)] = text

    monkeypatch.setattr(reader.os, "nice", nice.append)
    monkeypatch.setattr(Path, "write_text", write)
    monkeypatch.setattr(resource, "setrlimit", bounds.__setitem__)
    reader._limit(2**40, 7)
    assert nice == [reader.NICE]
    assert written == ({"/proc/self/oom_score_adj": "1000"} if listed else {})
    assert bounds.keys() == {getattr(resource, f"RLIMIT_{name}") for name in ("AS", "CPU", "FSIZE", "CORE")}
    assert bounds[resource.RLIMIT_CPU] == (7, 7)
    assert bounds[resource.RLIMIT_CORE] == (0, 0)
    assert bounds[resource.RLIMIT_FSIZE] == (MAX_TENSOR + 2**20,) * 2
    assert 2**40 < bounds[resource.RLIMIT_AS][0] < 2**41


OPENED = [("a.json", json, "loads"), ("a.safetensors", reader, "load"), ("a.png", ImageFile, "load")]


@pytest.mark.parametrize(("name", "where", "call"), OPENED, ids=[name for name, _, _ in OPENED])
@pytest.mark.parametrize("error", [MemoryError(), ValueError("damaged")], ids=["memory", "damaged"])
def test_each_file_of_a_pack_is_opened_as_the_server_will(
    name: str, where: Any, call: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What bursts the memory ends it; what is merely wrong is left to the server, and the next file is looked at."""
    opened: list[object] = []
    seen: list[float] = []

    def fails(*given: object) -> None:
        opened.append(given)
        raise error

    monkeypatch.setattr(where, call, fails)
    file = zipped({name: picture(), f"b{Path(name).suffix}": picture()})
    try:
        reader.TASKS["pack"](file, tmp_path, {}, lambda share, _: seen.append(share))
        ended = False
    except MemoryError:
        ended = True
    assert ended == isinstance(error, MemoryError)
    assert len(opened) == (1 if ended else 2)
    assert seen == ([0.5] if ended else [0.5, 1.0])


def test_a_table_leaves_its_points_or_is_only_looked_at(tmp_path: Path) -> None:
    looked = reader.TASKS["table"](io.BytesIO(POINTS), tmp_path, {"take": False}, silent)
    assert looked["suggested"] == ("x", "y")
    assert list(tmp_path.iterdir()) == []
    found = reader.TASKS["table"](io.BytesIO(POINTS), tmp_path, {"take": True, "columns": ["y", "x"]}, silent)
    assert np.load(tmp_path / "x.npy")[8].tolist() == [1.5, 8.0]
    assert found["columns"] == ("y", "x")
    assert "points" not in found


def test_pictures_leave_arrays_and_the_names_of_their_files(tmp_path: Path) -> None:
    files = {f"{'ab'[i % 2]}/{i}.png": picture(i) for i in range(20)}
    said = reader.TASKS["zip"](zipped(files), tmp_path, {"shape": SHAPE}, silent)
    assert np.load(tmp_path / "x.npy").shape == (20, 1, 16, 16)
    assert np.load(tmp_path / "y.npy").shape == (len(said["levels"]), 20)
    assert sorted(json.loads((tmp_path / "names.json").read_text())) == sorted(files)
    assert list(said["levels"][0]["class_names"]) == ["a", "b"]
