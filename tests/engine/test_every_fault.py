"""Every guarded place under every fault: what is promised for each in docs/reliability.md is what happens.

The places are those at which the code calls ``failpoint``; one without a row in the table is an error here. In each cell one
tiny act runs into the fault, and afterwards the store must be well and every run must end with the bits of an undisturbed one.
"""

from __future__ import annotations

import ast
import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from acts import ACTS, SECONDS, begun, known, named, opened, prepare, settings
from forking import forked
from holding import Hold

from gan_core import failpoints
from gan_core.engine import Lab, Refused
from gan_core.engine.running import runner, saving
from gan_core.failpoints import EXIT_STATUS, VARIABLE, armed
from gan_core.intake.errors import DataError
from gan_core.store import ACTIVE, RunRecord, RunStore, StoreError, fsck

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ("enospc", "eio", "emfile", "eacces", "enomem", "interrupt", "exit")
ERRORS = FAULTS[:-2]
ROW = re.compile(r"\| `([a-z_.]+)` \|([^|]*)" + r"\| ([a-z–]+) " * len(FAULTS) + r"\|")
TABLE = (ROOT / "docs" / "reliability.md").read_text()
PROMISED = {row[1]: dict(zip(FAULTS, row.groups()[2:], strict=True)) for row in ROW.finditer(TABLE)}

# By which act a place is reached, where it is not training.
REACHED = {
    "artefact.share": "fork",
    "checkpoint.read": "resume",
    "adopt.move": "bring_in",
    "adopt.settle": "bring_in",
    "purge.files": "purge",
    "backup.before_rename": "copy",
    "restore.write": "put_back",
    "store.open": "look",
    "store.read": "look",
}
BEFORE_IT_BEGINS = ("load", "build")
CELLS = [(place, fault) for place, row in PROMISED.items() for fault in FAULTS if row[fault] != "–"]
# A cell or two of each kind; the others are slow together, and a process that is started takes seconds.
QUICK = {
    ("build", "enomem"),
    ("forward", "eio"),
    ("record", "emfile"),
    ("artefact.before_rename", "enospc"),
    ("artefact.share", "eacces"),
    ("store.open", "emfile"),
    ("store.read", "emfile"),
    ("store.write", "enomem"),
    ("store.before_commit", "enospc"),
    ("save.write", "enospc"),
    ("save.before_rename", "eio"),
    ("checkpoint.read", "emfile"),
    ("checkpoint.drop", "eacces"),
    ("adopt.move", "enospc"),
    ("adopt.settle", "eio"),
    ("purge.files", "eacces"),
    ("backup.before_rename", "enospc"),
    ("restore.write", "enospc"),
}


def cells(faults: tuple[str, ...]) -> list[object]:
    chosen = [cell for cell in CELLS if cell[1] in faults]
    return [pytest.param(*cell, marks=[] if cell in QUICK else [pytest.mark.slow]) for cell in chosen]


def called() -> set[str]:
    """The name of every place at which the code can be made to fail."""
    names = set()
    for path in (ROOT / "gan_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}: a name that can be read"
                names.add(node.args[0].value)
    return names


def test_every_place_has_a_row_and_every_row_a_place() -> None:
    of_studies = {"study.cell"}  # a process of its own: its faults are in tests/engine/test_studies.py
    assert called() - of_studies == PROMISED.keys()
    assert len(PROMISED) > 20


def test_only_where_no_system_call_is_made_is_no_error_promised() -> None:
    """After the commit nothing is asked of the system any more."""
    assert [place for place, row in PROMISED.items() if "–" in row.values()] == ["store.after_commit"]
    assert {PROMISED["store.after_commit"][fault] for fault in FAULTS[-2:]} == {"saved", "whole"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("made")
    return folder, prepare(folder)


@pytest.fixture
def root(made: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy of the store, with the pack and the backup beside it."""
    shutil.copytree(made[0] / "runs", tmp_path / "runs")
    for name in ("pack.zip", "backup.zip"):
        shutil.copy(made[0] / name, tmp_path)
    return tmp_path / "runs"


def trained(root: Path, wish: str, place: str, hold: Hold) -> None:
    """A run that meets the fault after its eighth round, or before its first where the place lies there."""
    with opened(root) as lab, ExitStack() as faults:
        if place in BEFORE_IT_BEGINS:
            faults.enter_context(armed(wish))
            run = lab.submit(settings(), name="trained")
        else:
            run = begun(lab, "trained", hold, 8)
            faults.enter_context(armed(wish))
            hold.let_go()
        lab.wait(run, SECONDS)
        assert failpoints._wishes[place].reached


def acted(act: str, root: Path, wish: str, place: str) -> str:
    """What an act says that meets the fault: nothing, or one sentence."""
    said = ""
    with armed(wish):
        try:
            ACTS[act](root)
        except (Refused, StoreError, DataError) as error:
            said = str(error)
        assert failpoints._wishes[place].reached
    assert "\n" not in said
    return said


def came_of(root: Path) -> str:
    """What became of the run that was trained, in the word of the table."""
    with RunStore(root) as store:
        run = store.run(known(store, "trained"))
        events = store.events(run.id)
    if run.status == "failed":
        assert " while " in run.message
        return "fails"
    assert run.status == "finished"
    kinds = {event.kind for event in events}
    if kinds & {"not_recorded", "not_measured"}:
        return "owned"
    if any(event.data.get("message") == saving.DISK_FULL for event in events):
        return "waits"
    return "later" if "not_saved" in kinds else "done"


def is_well(root: Path, hashes: dict[str, str]) -> None:
    """Nothing is wrong with the store, nothing is left over, and every run that can goes on to the bits that it must have."""
    with opened(root) as lab:
        assert fsck(root) == []
        assert [path.name for path in root.iterdir() if path.name.startswith(".aside-")] == []
        runs = [run for run in lab.store.runs() if isinstance(run, RunRecord)]
        assert not [run.id for run in runs if run.status in ACTIVE]
        for run in runs:
            if run.status != "finished" and not goes_on(lab, run):
                continue
            ended = lab.store.run(run.id)
            assert ended.status == "finished", ended.message
            assert ended.summary["state_hash"] == hashes[run.name], run.name
            for frame in lab.store.frames(run.id):
                for part in frame.parts.values():
                    if isinstance(part, dict) and "file" in part:
                        lab.store.artefact_path(run.id, part["file"])
    assert fsck(root) == []


def goes_on(lab: Lab, run: RunRecord) -> bool:
    """Whether the run goes on to its end; a fork that was never whole says what to do instead."""
    if run.parent is not None and not lab.kept_rounds(run.id):
        with pytest.raises(Refused, match="fork again"):
            lab.resume(run.id)
        return False
    lab.resume(run.id)
    lab.wait(run.id, SECONDS)
    return True


def is_done(act: str, root: Path) -> bool:
    """Whether an act that can be done once was done."""
    with RunStore(root) as store:
        if act == "bring_in":
            return named(store, "brought") is not None
        if act == "purge":
            return named(store, "deleted") is None
    return {"copy": root.parent / "copy.zip", "put_back": root.parent / "put-back" / "ganscope.db"}.get(
        act, root / "no"
    ).exists()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "ROOM_SECONDS", 0.02)
    monkeypatch.setattr(runner, "PACE_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("place", "fault"), cells(ERRORS))
def test_an_error_of_the_system_does_what_is_promised(
    place: str, fault: str, root: Path, made: tuple[Path, dict[str, str]], trouble: list[str], tmp_path: Path
) -> None:
    promised, act, wish = PROMISED[place][fault], REACHED.get(place, "train"), f"{place}={fault}x1"
    if act == "train":
        trained(root, wish, place, Hold(tmp_path))
        store_said = any("The store cannot be written" in line for line in trouble)
        found = came_of(root)
        found = "later" if found == "done" and store_said else found
    else:
        said = acted(act, root, wish, place)
        found = ("swept" if is_done(act, root) else "refused") if said else "done"
        if place == "adopt.settle":
            found = "swept"
            assert is_done(act, root)
        if act == "resume":
            found = "older" if not said and "was passed over" in str(events_of(root, "half")) else found
    trouble.clear()
    assert found == promised
    if found == "refused":
        assert len(said) > 20
        assert not is_done(act, root)
        assert rounds_of(root, "half") == list(range(1, 17))
        ACTS[act](root)
    is_well(root, made[1])


def rounds_of(root: Path, name: str) -> list[int]:
    with RunStore(root) as store:
        rounds: list[int] = store.track(known(store, name), "turns", []).rounds.tolist()
    return rounds


def events_of(root: Path, name: str) -> list[object]:
    with RunStore(root) as store:
        return [(event.kind, event.data) for event in store.events(known(store, name))]


@pytest.mark.parametrize(("place", "fault"), cells(("interrupt", "exit")))
def test_whoever_ends_the_process_there_loses_nothing(
    place: str, fault: str, root: Path, made: tuple[Path, dict[str, str]], trouble: list[str]
) -> None:
    act = REACHED.get(place, "train")
    ended = forked("acts", act, root, **{VARIABLE: f"{place}={fault}x1"})
    if fault == "exit":
        assert ended.returncode == EXIT_STATUS, ended.stderr
    else:
        assert "KeyboardInterrupt" in ended.stderr
    assert PROMISED[place][fault] == {"exit": "whole", "interrupt": "saved"}[fault]
    is_well(root, made[1])
    if act != "resume" and not is_done(act, root):
        ACTS[act](root)
        is_well(root, made[1])
    trouble.clear()
