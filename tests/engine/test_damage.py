"""One damaged run: every other one is listed, watched and resumed as before, and the damaged one says what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from opening import open_page

import gan_core.engine
from gan_core.engine import Lab
from gan_core.store import fsck
from gan_core.training import checkpoints, round_of


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory, small: Callable) -> tuple[Path, str, str]:
    """A store with two stopped runs of two checkpoints each. To be copied."""
    root = tmp_path_factory.mktemp("two-runs") / "runs"
    with Lab(root, tick=0.02) as lab:
        runs = []
        for seed in (1, 2):
            run = lab.submit(small({"seed": seed, "schedule.rounds": 30}))
            assert lab.wait(run, 60).status == "finished"
            lab.store.update(run, status="stopped")
            runs.append(run)
    return root, *runs


def damage_row(root: Path, run: str) -> None:
    with sqlite3.connect(root / "ganscope.db") as database:
        database.execute("UPDATE runs SET config = '{' WHERE id = ?", (run,))
    database.close()


def damage_tracks(root: Path, run: str) -> None:
    with sqlite3.connect(root / "ganscope.db") as database:
        database.execute("UPDATE chunks SET data = x'00' WHERE run = ?", (run,))
        database.execute("UPDATE frames SET data = '{' WHERE run = ?", (run,))
        database.execute("UPDATE events SET data = '[' WHERE run = ?", (run,))
    database.close()


def each_file(change: Callable[[Path], object]) -> Callable[[Path, str], None]:
    def damage(root: Path, run: str) -> None:
        for path in [path for path in (root / run).rglob("*") if path.is_file()]:
            change(path)

    return damage


def no_folder(root: Path, run: str) -> None:
    shutil.rmtree(root / run)
    (root / run).write_text("not a folder")


def folders_for_files(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path, str], None]] = {
    "row": damage_row,
    "rows of tracks, frames, events": damage_tracks,
    "empty files": each_file(lambda path: path.write_bytes(b"")),
    "random files": each_file(lambda path: path.write_bytes(bytes(range(256)))),
    "files cut short": each_file(lambda path: path.write_bytes(path.read_bytes()[:-3])),
    "JSON of another type": each_file(lambda path: path.write_bytes(b"[null]")),
    "missing files": each_file(Path.unlink),
    "folders for files": each_file(folders_for_files),
    "a file for the folder": no_folder,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_never_in_the_way_of_another(
    damage: str, two_runs: tuple[Path, str, str], tmp_path: Path, open_lab: Callable, trouble: list[str]
) -> None:
    source, bad, good = two_runs
    root = tmp_path / "runs"
    shutil.copytree(source, root)
    DAMAGES[damage](root, bad)
    listed = {path.relative_to(root) for path in root.rglob("*")}

    lab = open_lab(root)
    cards = {card["id"]: card for card in lab.recent()}
    json.dumps(list(cards.values()), allow_nan=False)
    assert cards.keys() == {bad, good}
    if damage == "row":
        assert cards[bad]["state"] == "damaged"
        assert "its config is not JSON" in cards[bad]["message"]
        assert "To repair: " in cards[bad]["message"]
    assert bad in {fault.run for fault in (*lab.health.wait(60), *fsck(root))}
    assert good not in {fault.run for fault in fsck(root)}
    assert json.loads(lab.view(good).snapshot())["tracks"]["turns"]["D.loss"]["x"]
    assert {run.id for run in lab.store.runs()} == {bad, good}
    lab.resume(good)
    assert lab.wait(good, 60).status == "finished"
    assert {path.relative_to(root) for path in root.rglob("*")} >= listed, "nothing is deleted"
    trouble.clear()  # the health of the store is said in the log too


def test_the_page_says_what_is_damaged_and_what_to_do(
    two_runs: tuple[Path, str, str], tmp_path: Path, open_lab: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, bad, good = two_runs
    root = tmp_path / "runs"
    shutil.copytree(source, root)
    damage_row(root, bad)
    newest = checkpoints(root / good / "checkpoints")[-1]
    newest.with_suffix(".safetensors").unlink()
    lab = open_lab(root)
    monkeypatch.setattr(gan_core.engine, "_current", lab)
    assert len(lab.health.wait(60)) == 2
    app = open_page("runs")
    assert "2 things in this store are damaged" in [expander.label for expander in app.expander]
    faults, runs = (frame.value for frame in app.dataframe)
    assert sorted(faults["run"]) == sorted([bad, good])
    assert all(faults["to repair"])
    assert set(runs["status"]) == {"damaged", "stopped"}
    names = [unquote(address.partition("#")[2]) for address in runs["name"]]
    (name,) = (name for name in names if name.startswith("damaged: "))
    assert "put back a backup" in name
    # The checkpoint before is what it goes on from.
    assert lab.resume(good) < round_of(newest)
    lab.wait(good, 60)
