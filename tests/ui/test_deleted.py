"""Deleting can be undone: by the page, after it was loaded anew, and from the address of what was deleted."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from opening import open_page

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.server import class_mode
from gan_core.server.classroom import Classroom
from gan_core.store import RunRecord
from gan_core.ui import deleted, runs_table


@pytest.fixture
def made(lab: Lab) -> list[str]:
    """Runs that have ended, the oldest first."""
    for index in range(4):
        lab.store.create(
            f"run-{index}", name=f"number {index}", config=RunConfig().replace({"data.batch_size": 8 + index}).to_dict()
        )
        lab.store.update(f"run-{index}", status="finished")
        lab.store.save_artefact(f"run-{index}", "grid", "png", b"x" * 2000)
    return [f"run-{index}" for index in range(4)]


def button(app: Any, label: str) -> Any:
    return next(button for button in app.button if button.label == label)


def labels(app: Any) -> list[str]:
    return [button.label for button in app.button]


def test_undo_is_there_after_a_reload_and_goes_back_act_by_act(lab: Lab, made: list[str]) -> None:
    lab.delete(made[0], made[1])
    lab.delete(made[2])
    app = open_page("runs")
    assert any("“number 2” deleted" in text.value for text in app.markdown)
    button(app, "Undo").click().run()
    assert any("2 runs deleted" in text.value for text in app.markdown)
    assert {run.id for run in lab.store.runs()} == {made[2], made[3]}
    button(app, "Undo").click().run()
    assert "Undo" not in labels(app)
    assert len(lab.store.runs()) == 4


def test_what_was_deleted_long_ago_is_in_the_list_alone(
    lab: Lab, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.delete(made[0])
    monkeypatch.setattr(deleted, "UNDO_SECONDS", -1.0)
    app = open_page("runs")
    assert "Undo" not in labels(app)
    assert "Deleted (1)" in [section.label for section in app.expander]


def test_the_list_takes_back_and_removes_for_good(lab: Lab, made: list[str], opened: Callable) -> None:
    lab.delete(made[0])
    lab.delete(made[1])
    app = opened(open_page("runs"))
    assert any("number 0" in text.value and "frees 2 kB" in text.value for text in app.markdown)
    app.button(key=f"back:{made[0]}").click().run()
    assert lab.store.run(made[0]).deleted_at is None
    opened(app)
    app.button(key=f"purge:{made[1]}").click().run()
    assert len(lab.store.runs(include_deleted=True)) == 3
    assert not (lab.store.root / made[1]).exists()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """A page whose list of deleted things is open."""

    def press(app: Any) -> Any:
        app.session_state["bin"] = True
        return app.run()

    return press


@pytest.mark.parametrize("page", ["watch", "compare"])
def test_an_address_of_what_was_deleted_says_so_and_takes_it_back(lab: Lab, made: list[str], page: str) -> None:
    if page == "compare":
        what = {"comparison": lab.collect(made[:2], name="both")}
        lab.delete_comparison(what["comparison"])
    else:
        what = {"run": made[0]}
        lab.delete(made[0])
    app = open_page(page, **what)
    assert "was deleted just now" in app.warning[0].value
    assert "Delete" not in labels(app)
    assert "Fork from here…" not in labels(app)
    button(app, "Take it back").click().run()
    assert not app.warning
    assert lab.store.bin.listed() == []


def test_a_watcher_is_told_and_takes_nothing_back(lab: Lab, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lab.delete(made[0])
    monkeypatch.setattr(class_mode, "_room", Classroom(link="http://class.example:8501/"))
    app = open_page("watch", run=made[0])
    assert "was deleted" in app.warning[0].value
    assert button(app, "Take it back").disabled
    runs = open_page("runs")
    assert "Undo" not in labels(runs)
    assert not [section for section in runs.expander if section.label.startswith("Deleted")]


class Table:
    """In place of the table in the browser: remembers rows by the key of the table, as it does."""

    def __init__(self) -> None:
        self.rows: dict[str, list[int]] = {}
        self.key = ""

    def draw(self, table: Any, *, key: str, selection_default: Any, **options: Any) -> Any:
        self.key = key
        rows = self.rows.setdefault(key, selection_default["selection"]["rows"])
        return SimpleNamespace(selection=SimpleNamespace(rows=rows))


def test_the_same_runs_stay_chosen_whatever_comes_before_them(
    lab: Lab, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, table = {}, Table()
    monkeypatch.setattr(runs_table.st, "session_state", page)
    monkeypatch.setattr(runs_table.st, "dataframe", table.draw)

    def chosen() -> list[str]:
        found: list[RunRecord] = runs_table.show(lab.store.runs(), lab, "ticket", key="runs")
        return [run.id for run in found]

    assert chosen() == []
    table.rows[table.key] = [1]  # number 2, the second from above
    assert chosen() == [made[2]]
    lab.store.create("new", name="a new one", config=RunConfig().to_dict())
    assert chosen() == [made[2]]
    lab.delete(made[2])
    assert chosen() == [], "what is deleted leaves nothing chosen"
    lab.store.bin.restore(made[2])
    table.rows.clear()  # which the browser forgets of a table that is gone
    assert chosen() == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "just now"), (-5, "just now"), (61, "1 minute ago"), (7300, "2 hours ago"), (86400 * 40, "40 days ago")],
)
def test_how_long_ago_is_said_in_one_unit(seconds: float, said: str) -> None:
    assert deleted.ago(seconds) == said
