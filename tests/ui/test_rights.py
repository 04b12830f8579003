"""No action without its right: every method that pages can reach is in a table, and a watcher's page does nothing."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from holding import Hold
from opening import open_page

from gan_core.config import RunConfig
from gan_core.engine import Chores, Lab
from gan_core.engine.exchange.chores import Chore
from gan_core.engine.studies.queue import StudyQueue
from gan_core.server import class_mode
from gan_core.server.classroom import Classroom
from gan_core.server.names import PER_ADDRESS
from gan_core.server.roles import NotAllowed, Visitor
from gan_core.store import RunStore
from gan_core.store.bin import Bin
from gan_core.store.leases import Leases
from gan_core.store.studies import Studies
from gan_core.ui import rights
from gan_core.ui.faults import without_paths
from gan_core.ui.rights import ACTS, READS, WATCHER_PACE, guarded, may, pace, visitor, voucher, why_not

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "pages").glob("*.py"), *(ROOT / "gan_core" / "ui").rglob("*.py")])
KINDS = {
    "Lab": Lab,
    "RunStore": RunStore,
    "Bin": Bin,
    "Leases": Leases,
    "Studies": Studies,
    "Chores": Chores,
    "Chore": Chore,
    "StudyQueue": StudyQueue,
}
PAGES = (
    "home",
    "train",
    "watch",
    "compare",
    "uses",
    "runs",
    "data",
    "library",
    "theory",
    "collapse",
    "lessons",
    "classroom",
)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Classroom:
    """A class in which a page without cookies is a watcher's."""
    room = Classroom(link="http://class.example:8501/")
    monkeypatch.setattr(class_mode, "_room", room)
    return room


POLICY = {
    "Lab": {
        "start": {"submit"},
        "steer": {"command", "resume", "turn", "side_by_side", "command_all", "resume_all", "turn_all"},
        "edit": {"delete", "delete_comparison"},
        "teach": {"compare", "collect", "fork", "keep_spare", "keep_pace", "close"},
    },
    "RunStore": {
        "edit": {
            *("create", "update", "append", "add_frame", "add_event", "save_artefact", "inherit", "adopt", "flush"),
            *("delete", "restore", "purge", "compact", "truncate", "interrupt_orphans", "begin_to_write", "sweep"),
            *("create_comparison", "delete_comparison", "restore_comparison", "pin", "unpin", "close"),
        },
    },
    "Bin": {"edit": {"delete", "restore", "purge"}},
    "Leases": {"edit": {"next", "take"}},
    "Studies": {"edit": {"create", "update", "add_row", "save", "sweep", "delete", "restore", "purge"}},
    "Chores": {
        "bring": {
            *("download", "keep_zip", "keep_folder", "keep_table", "keep_painting", "delete", "forget", "close"),
            *("look_at_table", "look_at_zip", "look_at_folder", "look_again", "keep_seen", "leave"),
        },
        "steer": {"disentangle", "copying"},
    },
    "Chore": {"bring": {"cancel"}},
    "StudyQueue": {"teach": {"start", "resume", "stop", "close"}},
}
"""Which right each action takes: said here a second time, so that nobody changes it in passing."""
ACTIONS = [(kind, name, right) for kind, rights in POLICY.items() for right, names in rights.items() for name in names]


def test_each_action_takes_the_right_that_the_policy_says() -> None:
    assert {kind: dict(acts) for kind, acts in ACTS.items()} == {
        kind: {name: right for right, names in rights.items() for name in names} for kind, rights in POLICY.items()
    }


@pytest.mark.parametrize(("kind", "name", "right"), sorted(ACTIONS), ids=lambda value: value)
def test_a_student_with_runs_left_may_start_and_nothing_else(
    kind: str, name: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_mode, "_room", Classroom(student_runs=5))
    monkeypatch.setattr(rights, "visitor", lambda: Visitor("watcher", "ann"))
    called: list[str] = []
    stands_in = type(kind, (KINDS[kind],), {name: lambda self, run_id: called.append(run_id)})
    act = getattr(rights.Guarded(object.__new__(stands_in)), name)
    if right == "start":
        act("of the teacher")
        assert called == ["of the teacher"]
    else:
        with pytest.raises(NotAllowed):
            act("of the teacher")
        assert called == []


def test_who_is_alone_starts_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    stands_in = type("Lab", (Lab,), {"submit": lambda self, config: called.append(config)})
    rights.Guarded(object.__new__(stands_in)).submit("of nobody's class")
    assert called == ["of nobody's class"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_public_name_either_acts_or_reads(kind: str, lab: Lab) -> None:
    one = {"Lab": lab, "RunStore": lab.store, "Chores": lab.chores}.get(kind)
    public = {name for name in [*vars(KINDS[kind]), *(vars(one) if one is not None else ())] if name[0] != "_"}
    known = ACTS[kind].keys() | READS[kind]
    assert public <= known, f"say in gan_core/ui/rights.py who may: {sorted(public - known)}"
    assert not ACTS[kind].keys() & READS[kind]
    assert ACTS[kind].keys() <= public, "acts that are gone"


def ways_around(text: str) -> list[str]:
    """Names by which a page would come to the lab without being asked for its right."""
    wanted = {"current_lab", "open_lab", "close_lab", "Lab", "RunStore", "Chores", "_inner"}
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            found += [name] if name in wanted else []
        elif isinstance(node, ast.Attribute) and node.attr == "_inner":
            found.append(node.attr)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_page_reaches_the_lab_around_the_check(path: Path) -> None:
    allowed = {"shell.py": ["current_lab"], "rights.py": ["_inner"]}.get(path.name, [])
    assert set(ways_around(path.read_text())) <= set(allowed)


@pytest.mark.parametrize(
    "text", ["current_lab().submit(c)", "engine.open_lab()", "lab()._inner.delete(r)", "RunStore(p)"]
)
def test_the_walk_sees_a_way_around(text: str) -> None:
    assert ways_around(text)


ARGUMENTS: dict[str, tuple[Any, ...]] = {"turn": ("r", {}), "command": ("r", "stop"), "fork": ("r", {})}


@pytest.mark.parametrize("name", ACTS["Lab"])
def test_a_watcher_cannot_act_whatever_the_page_shows(name: str, lab: Lab, room: Classroom) -> None:
    with pytest.raises(NotAllowed):
        getattr(guarded(lab), name)(*ARGUMENTS.get(name, ("r",)))
    assert lab.store.runs() == []


@pytest.mark.parametrize(("part", "kind"), [("store", "RunStore"), ("chores", "Chores")])
def test_nor_through_the_store_or_the_chores(part: str, kind: str, lab: Lab, room: Classroom) -> None:
    for name in ACTS[kind]:
        with pytest.raises(NotAllowed):
            getattr(getattr(guarded(lab), part), name)("r")
    assert getattr(guarded(lab), part) is not getattr(lab, part)


def test_a_method_in_no_table_is_not_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "wipe", lambda self: None, raising=False)
    with pytest.raises(AttributeError, match="none of the tables"):
        guarded(lab).wipe()  # type: ignore[attr-defined]


def test_alone_everybody_may_and_in_a_class_the_session_decides(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert may("edit")
    room = Classroom(student_runs=1)
    monkeypatch.setattr(class_mode, "_room", room)
    cookies: dict[str, str] = {"ganscope_viewer": room.names.give("a")}
    monkeypatch.setattr(rights, "_cookies", lambda: cookies)
    assert not may("edit")
    assert (may("start"), why_not("start")) == (True, None)
    room.started(visitor(), "the-run")
    assert why_not("start") == "You have started the one run that each student may start: the-run."
    cookies["ganscope_teacher"] = room.key.exchange(room.key.secret, "a")
    assert visitor().role == "teacher"
    assert may("edit")
    room.key.end(cookies["ganscope_teacher"])
    assert not may("edit")


def test_a_verified_mail_of_the_list_teaches_and_a_logged_out_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Classroom(teachers=["ada@school.example"])
    monkeypatch.setattr(class_mode, "_room", room)
    cookies = {"ganscope_viewer": room.names.give("a")}
    monkeypatch.setattr(rights, "_cookies", lambda: cookies)
    user: dict[str, Any] = {"is_logged_in": True, "email": "Ada@School.example", "email_verified": True}
    monkeypatch.setattr(rights, "_user", lambda: user)
    assert visitor().role == "teacher"
    given = voucher()
    assert given == voucher()  # the same at each rerun
    assert room.key.vouched(visitor().id, given)
    user["email_verified"] = False
    assert visitor().role == "watcher"
    assert voucher() == ""
    assert not room.key.vouched(visitor().id, given)
    user |= {"email_verified": True, "is_logged_in": False}
    assert visitor().role == "watcher"
    cookies["ganscope_teacher"] = room.key.exchange(room.key.secret, "a")
    assert (visitor().role, voucher()) == ("teacher", "")  # whose cookie the socket knows


def test_a_student_starts_one_run_and_stops_it(
    lab: Lab, tiny: Any, monkeypatch: pytest.MonkeyPatch, hold: Hold
) -> None:
    hold.at(2)
    room = Classroom(student_runs=1)
    monkeypatch.setattr(class_mode, "_room", room)
    cookies = {"ganscope_viewer": room.names.give("a")}
    monkeypatch.setattr(rights, "_cookies", lambda: cookies)
    config: RunConfig = tiny("mlp", {"schedule.rounds": 9})
    run = guarded(lab).submit(config, key="one click")
    with pytest.raises(NotAllowed, match="the one run"):
        guarded(lab).submit(config, key="another")
    others = lab.submit(config)
    with pytest.raises(NotAllowed):
        guarded(lab).command(others, "stop")
    guarded(lab).command(run, "stop")
    assert lab.wait(run, timeout=60).status == "stopped"
    lab.command(others, "stop")


def test_a_student_steers_all_of_these_runs_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    room, ann = Classroom(student_runs=2), Visitor("watcher", "ann")
    monkeypatch.setattr(class_mode, "_room", room)
    monkeypatch.setattr(rights, "visitor", lambda: ann)
    room.started(ann, "one")
    room.started(ann, "two")
    told: list[tuple[str, ...]] = []
    # Of another name, as a lab of another kind would be: the rights are those of what it is.
    stands_in = type("Special", (Lab,), {"side_by_side": lambda self, *run_ids: told.append(run_ids)})
    act = rights.Guarded(object.__new__(stands_in)).side_by_side
    act("one", "two")
    with pytest.raises(NotAllowed):
        act("one", "of the teacher")
    assert told == [("one", "two")]


def test_a_page_of_a_class_ticks_seldom_but_for_its_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_mode, "_room", Classroom(student_runs=1))
    for role, seconds in (("watcher", 2.0 * WATCHER_PACE), ("teacher", 2.0)):
        monkeypatch.setattr(rights, "visitor", lambda role=role: Visitor(role, "ann"))
        assert pace(2.0) == seconds


def test_what_is_no_method_is_what_it_is(lab: Lab) -> None:
    assert guarded(lab).store.root == lab.store.root
    assert type(guarded(lab).store) is rights.Guarded


@pytest.mark.parametrize("page", PAGES)
def test_a_watcher_sees_every_page_and_no_button_that_acts(page: str, lab: Lab, tiny: Any, room: Classroom) -> None:
    run = lab.submit(tiny("mlp", {"schedule.rounds": 3}), name="somebody's")
    lab.wait(run, timeout=60)
    app = open_page(page, **({"run": run} if page == "watch" else {}))
    assert not app.error
    acting = ("Start", "Fork", "Stop", "Delete", "Continue", "Collapse", "Ask")
    found = [
        button
        for button in app.button
        if button.label.startswith(acting) and not button.label.startswith("Start a run with")
    ]
    assert all(button.disabled for button in found), [button.label for button in found]
    for button in found:  # and a widget whose lock was picked
        button.proto.disabled = False
        button.click()
    app.run()
    assert [record.id for record in lab.store.runs()] == [run]


def test_the_teacher_says_how_many_browsers_of_an_address_count(
    lab: Lab, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(PER_ADDRESS + 1):
        room.names.give("10.0.0.9")
    assert not open_page("classroom").number_input
    session = room.key.exchange(room.key.secret, "a")
    monkeypatch.setattr(rights, "_cookies", lambda: {"ganscope_teacher": session})
    app = open_page("classroom")
    assert "10.0.0.9" in app.warning[0].value
    app.number_input[0].set_value(60).run()
    assert room.names.per_address == 60
    assert not app.warning
    assert app.number_input[0].value == 60


def test_who_else_serves_the_store_is_for_the_teacher(
    lab: Lab, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.store.only_reads = "This store is served by process 4242 on castle already."
    assert [warning.value for warning in open_page("home").warning] == ["For now the runs here can only be looked at."]
    monkeypatch.setattr(class_mode, "_room", None)
    assert "process 4242" in open_page("home").warning[0].value


def test_paths_and_tracebacks_are_for_the_teacher(
    lab: Lab, tiny: Any, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(config: RunConfig, source: object) -> None:
        raise OSError(28, "No space left on device", "/srv/lab/runs/x/frame.png")

    monkeypatch.setattr("gan_core.engine.running.runner.build", broken)
    run = lab.submit(tiny("mlp"), name="a failed one")
    lab.wait(run, timeout=60)
    app = open_page("watch", run=run)
    shown = str(app.main)
    assert "No space left" in app.error[0].value
    assert "/srv/lab" not in shown
    assert "Traceback" not in shown
    monkeypatch.setattr(class_mode, "_room", None)
    assert "Traceback" in str(open_page("watch", run=run).main)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("put it into /home/ada/data/mnist.gz, please", "put it into mnist.gz, please"),
        ("[Errno 2]: '/srv/lab runs/x'", "[Errno 2]: 'lab runs/x'"),
        (r"C:\Users\ada\runs is full", "runs is full"),
        (
            "D(x)/D(G(z)), 3/4 and https://arxiv.org/abs/1406.2661",
            "D(x)/D(G(z)), 3/4 and https://arxiv.org/abs/1406.2661",
        ),
    ],
)
def test_of_a_path_a_watcher_reads_the_last_part(text: str, expected: str, room: Classroom) -> None:
    assert without_paths(text) == expected
