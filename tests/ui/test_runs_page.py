"""The Runs page: found by any field, grouped, measured against a baseline, archived; quick however many there are."""

from __future__ import annotations

import re
import sqlite3
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from opening import open_page

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.store import RunRecord, RunStore, readers
from gan_core.ui import runs_table

visit = partial(open_page, "runs")


def names_in(table: pd.DataFrame) -> list[str]:
    """As the browser shows them: what the pattern of the column finds, decoded."""
    return [unquote(re.search(r"#(.*)$", address)[1]) for address in table["name"]]


def fill(store: RunStore, count: int) -> list[str]:
    made = []
    for index in range(count):
        config = RunConfig().replace(
            {"seed": index, "objective": ("ns_gan", "wgan_gp")[index % 2], "schedule.rounds": 100 + index}
        )
        run = store.create(
            f"run-{count}-{index}", name=f"number {index}", config=config.to_dict(), tags=["odd"] if index % 2 else []
        )
        store.update(run.id, status="finished", summary={"metrics": {"modes_covered": float(index)}})
        store.add_frame(run.id, 0, {"grid": {"file": f"grid-{index}"}})
        made.append(run.id)
    store.flush()
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("objective=wgan_gp", {1, 3}),
        ("seed!=0 number", {1, 2, 3}),
        ("rounds>=102", {2, 3}),
        ("schedule.rounds<101", {0}),
        ("modes_covered>1 objective=ns_gan", {2}),
        ("status=failed", set()),
        ("nothing=1", set()),
        ("odd", {1, 3}),
        ("loss>3", set()),
    ],
)
def test_a_run_is_found_by_any_field(lab: Lab, text: str, found: set[int]) -> None:
    fill(lab.store, 4)
    kept = [run for run in lab.store.runs() if runs_table.matches(run, text, (), ())]
    assert {int(run.id.rpartition("-")[2]) for run in kept} == found


def test_groups_and_differences_are_those_of_the_settings(lab: Lab) -> None:
    fill(lab.store, 4)
    runs = lab.store.runs()
    assert runs_table.groupings(runs)[0] == "objective.name"
    assert {"seed", "schedule.rounds"} <= set(runs_table.groupings(runs))
    assert "modes_covered" not in runs_table.groupings(runs)
    groups = runs_table.grouped(runs, "objective.name")
    told = {
        row["objective.name"]: (row["runs"], row["mean modes_covered"])
        for row in runs_table.summary(groups, "objective.name")
    }
    assert told == {"wgan_gp": (2, 2.0), "ns_gan": (2, 1.0)}
    baseline = runs_table.baseline_of(runs, "run-4-0")
    assert isinstance(baseline, RunRecord)
    assert runs_table.differences_to(baseline, baseline) == {}
    other = next(run for run in runs if run.id == "run-4-2")
    assert runs_table.differences_to(baseline, other) == {"seed": (0, 2), "schedule.rounds": (100, 102)}


def test_a_long_list_asks_the_store_no_more_often(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connect = readers.connect

    def counting(path: Path, **options: bool) -> sqlite3.Connection:
        connection = connect(path, **options)
        connection.set_trace_callback(asked.append)
        return connection

    def questions() -> int:
        monkeypatch.setattr(lab.store, "_readers", readers.Readers(lab.store.root / "ganscope.db"))
        asked.clear()
        runs = lab.store.runs()
        table = runs_table.table_of(
            runs, lab, "ticket", group="seed", baseline=runs_table.baseline_of(runs, runs[0].id)
        )
        assert table["samples"].notna().sum() == len(runs)
        return len([text for text in asked if text.startswith("SELECT")])

    monkeypatch.setattr(readers, "connect", counting)
    fill(lab.store, 3)
    few = questions()
    fill(lab.store, 60)
    assert questions() == few


def test_archiving_hides_a_run_and_the_baseline_is_in_the_address(lab: Lab) -> None:
    made = fill(lab.store, 3)
    app = visit(baseline=made[0])
    assert any("number 0" in text.value for text in app.markdown)
    told = dict(
        zip(names_in(app.dataframe[-1].value), app.dataframe[-1].value["differs from the baseline"], strict=True)
    )
    assert told == {"number 0": "the baseline", "number 2": "rounds 102, seed 2"} | {"number 1": told["number 1"]}
    assert "name wgan_gp" in told["number 1"]
    lab.store.update(made[1], archived_at=5.0)
    app = visit()
    assert names_in(app.dataframe[-1].value) == ["number 2", "number 0"]
    assert [card["name"] for card in lab.recent()] == ["number 2", "number 0"], "nor is it a recent one"
    app.toggle(key="archived").set_value(True).run()
    assert names_in(app.dataframe[-1].value) == ["number 1"]


def test_a_link_opens_the_groups(lab: Lab) -> None:
    fill(lab.store, 4)
    app = visit(group="objective.name")
    assert app.selectbox(key="group").value == "objective.name"
    assert app.dataframe[0].value["objective.name"].tolist() == ["wgan_gp", "ns_gan"]
    app.selectbox(key="group").set_value("seed").run()
    assert app.dataframe[0].value["seed"].tolist() == ["3", "2", "1", "0"]
    assert len(visit(group="no-such").dataframe) == 1


def test_columns_are_chosen_and_stand_in_the_address(lab: Lab) -> None:
    fill(lab.store, 3)
    app = visit(columns=["seed", "status"])
    table = app.dataframe[-1].value
    assert table.columns.tolist() == ["samples", "name", "seed", "status"]
    assert table["seed"].tolist() == [2, 1, 0]
    assert {"schedule.rounds", "seed", "modes"} <= set(runs_table.columns_of(lab.store.runs()))
    app.multiselect(key="columns").set_value(["objective.loss", "modes"]).run()
    assert not app.exception
    assert app.dataframe[-1].value["objective.loss"].tolist() == ["non_saturating", "wasserstein", "non_saturating"]
    assert visit().dataframe[-1].value.columns.tolist()[2:] == list(runs_table.USUAL)


def test_alike_names_end_in_what_differs_and_long_ones_keep_their_end(lab: Lab) -> None:
    first, second, third = fill(lab.store, 3)
    for run in (first, third):
        lab.store.update(run, name="ring")
    lab.store.update(second, name="Seven losses of Table 1 on the ring of eight: WGAN GP, seed 1")
    names = dict(zip((run.id for run in lab.store.runs()), names_in(visit().dataframe[-1].value), strict=True))
    assert names == {
        first: "ring · rounds 100 · seed 0",
        third: "ring · rounds 102 · seed 2",
        second: "Seven losses…ht: WGAN GP, seed 1",
    }


def test_the_name_of_a_run_is_the_link_to_it(lab: Lab) -> None:
    (made,) = fill(lab.store, 1)
    name = "ring → WGAN, λ = 0.1 · 50 % & #2?"
    lab.store.update(made, name=name)
    table = runs_table.table_of(lab.store.runs(), lab, "ticket")
    address = table["name"][0]
    assert address.startswith(f"watch?run={made}#")
    assert " " not in address
    assert "→" not in address
    assert names_in(table) == [name]
    assert "run" not in table
