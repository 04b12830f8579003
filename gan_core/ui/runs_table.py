"""The table of runs: what is shown of each, and which ones a filter keeps."""

from __future__ import annotations

import datetime
import hashlib
import json
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from gan_core.config import flatten
from gan_core.engine import Lab
from gan_core.engine.comparing.standings import METRICS
from gan_core.engine.showing.parts import SMALL
from gan_core.store import DamagedRun, Fault, RunRecord
from gan_core.ui.run_names import WIDTH, told_apart

Listed = RunRecord | DamagedRun

USUAL = (
    "status",
    "progress",
    "data",
    "objective",
    "verdict",
    "modes",
    "kl_to_real",
    "forked from",
    "tags",
    "note",
    "started",
)
"""The columns of the table where none were chosen."""


def states_of(runs: Sequence[Listed]) -> list[str]:
    """The states that occur, in order of appearance."""
    return list(dict.fromkeys(_state(run) for run in runs))


def data_of(runs: Sequence[Listed]) -> list[str]:
    """The data sets that occur."""
    return sorted({_data(run) for run in runs} - {""})


def tags_of(runs: Sequence[Listed]) -> list[str]:
    """The tags that occur."""
    return sorted({tag for run in runs if isinstance(run, RunRecord) for tag in run.tags})


def matches(run: Listed, text: str, states: Collection[str], data: Collection[str], tags: Collection[str] = ()) -> bool:
    """Whether every word of ``text`` holds for the run, and its state, data and tags are among those asked for (all, if none).

    A word such as ``schedule.rounds>=2000``, ``objective=wgan_gp`` or ``modes_covered<8`` asks for a setting or a last
    measurement, by its name or the end of it; any other word occurs somewhere in the run.
    """
    if (states and _state(run) not in states) or (data and _data(run) not in data):
        return False
    if tags and (isinstance(run, DamagedRun) or not set(tags) <= set(run.tags)):
        return False
    words = text.lower().split()
    terms = [found for word in words if (found := _TERM.fullmatch(word))]
    plain = [word for word in words if not _TERM.fullmatch(word)]
    searched = (
        run.reason
        if isinstance(run, DamagedRun)
        else f"{run.name} {run.note} {' '.join(run.tags)} {json.dumps(run.config)}"
    )
    searched = f"{run.id} {searched}".lower()
    if not all(word in searched for word in plain):
        return False
    fields = fields_of(run) if terms else {}
    return all(_holds(fields, *term.groups()) for term in terms)


_TERM = re.compile(r"([a-z_][\w.]*)(!=|>=|<=|=|>|<)(.+)")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def fields_of(run: Listed) -> dict[str, Any]:
    """What a run can be searched and grouped by: its settings, dotted, its status, and its last measurements."""
    if isinstance(run, DamagedRun):
        return {"status": "damaged"}
    metrics = run.summary.get("metrics")
    measured = metrics if isinstance(metrics, Mapping) else {}
    return {"status": run.status, **flatten(run.config), **measured}


def _holds(fields: Mapping[str, Any], name: str, sign: str, wanted: str) -> bool:
    found = [value for path, value in fields.items() if path in (name, f"{name}.name") or path.endswith(f".{name}")]
    if sign == "!=":
        return bool(found) and not any(_compares(value, "=", wanted) for value in found)
    return any(_compares(value, sign, wanted) for value in found)


def _compares(value: Any, sign: str, wanted: str) -> bool:
    try:
        return _COMPARED[sign](float(value), float(wanted))
    except (TypeError, ValueError):
        return sign == "=" and str(value).lower() == wanted


def groupings(runs: Sequence[Listed]) -> list[str]:
    """The settings in which these runs differ, those that a person thinks of first at the beginning."""
    every = [fields_of(run) for run in runs if isinstance(run, RunRecord)]
    seen: dict[str, set[str]] = {}
    for fields in every:
        for field, value in fields.items():
            seen.setdefault(field, set()).add(json.dumps(value))
    measured = {name for run in runs if isinstance(run, RunRecord) for name in run.summary.get("metrics", {})}
    first = ("objective.name", "data.name", "status", "seed")
    differing = [field for field, values in seen.items() if len(values) > 1 and field not in measured]
    return sorted(differing, key=lambda field: first.index(field) if field in first else len(first))


def columns_of(runs: Sequence[Listed]) -> list[str]:
    """What a column may show: the usual ones, the settings in which these runs differ, and what was measured of any."""
    measured = {name for run in runs if isinstance(run, RunRecord) for name in run.summary.get("metrics", {})}
    shown = {"modes_covered", "kl_to_real"}  # in the usual columns
    settings = [field for field in groupings(runs) if field not in ("data.name", "objective.name", "status")]
    return [*USUAL, *settings, *(name for name in METRICS if name in measured - shown)]


def title_of(column: str) -> str:
    """What a column is called where columns are chosen."""
    if column in METRICS:
        return METRICS[column].about.title
    return {"progress": "rounds", "kl_to_real": "KL to real"}.get(column, column)


def grouped(runs: Sequence[Listed], field: str) -> dict[str, list[Listed]]:
    """Runs by the value of a field, in the order in which the values occur; those without one are last."""
    groups: dict[str, list[Listed]] = {}
    for run in runs:
        groups.setdefault(_value(fields_of(run).get(field)), []).append(run)
    return {value: groups[value] for value in sorted(groups, key=lambda value: value == "–")}


def summary(groups: Mapping[str, Sequence[Listed]], field: str) -> list[dict[str, Any]]:
    """A row per group: how many runs, how many of them finished, and the mean of what all groups measured."""
    metrics = {
        value: [run.summary.get("metrics", {}) for run in runs if isinstance(run, RunRecord)]
        for value, runs in groups.items()
    }
    names = [name for name in ("modes_covered", "kl_to_real", "high_quality_share") if all(
        any(name in measured for measured in told) for told in metrics.values())]  # fmt: skip
    rows = []
    for value, runs in groups.items():
        row: dict[str, Any] = {field: value, "runs": len(runs)}
        row["finished"] = sum(_state(run) == "finished" for run in runs)
        for name in names:
            known = [measured[name] for measured in metrics[value] if name in measured]
            row[f"mean {name}"] = sum(known) / len(known)
        rows.append(row)
    return rows


def baseline_of(runs: Sequence[Listed], run_id: str) -> RunRecord | None:
    """The run that the address names as the baseline, if it is there."""
    return next((run for run in runs if run.id == run_id and isinstance(run, RunRecord)), None)


def differences_to(baseline: RunRecord, run: Listed) -> dict[str, tuple[Any, Any]]:
    """The settings in which a run differs from the baseline, with both values; the seed too."""
    if isinstance(run, DamagedRun):
        return {}
    ours, theirs = flatten(baseline.config), flatten(run.config)
    return {
        field: (ours.get(field), theirs.get(field))
        for field in dict.fromkeys([*ours, *theirs])
        if ours.get(field) != theirs.get(field)
    }


def show_faults(faults: Sequence[Fault]) -> None:
    """What is damaged, where, and what to do; nothing at all if all is well."""
    if not faults:
        return
    things = "One thing in this store is" if len(faults) == 1 else f"{len(faults)} things in this store are"
    with st.expander(f"{things} damaged", icon=":material/healing:"):
        st.markdown("The other runs are not touched by this. Nothing is deleted by itself.")
        rows = [(fault.run, fault.sentence, fault.path, fault.repair) for fault in faults]
        table = pd.DataFrame(rows, columns=["run", "what is wrong", "file", "to repair"])
        st.dataframe(table, hide_index=True)


def table_of(
    runs: Sequence[Listed],
    lab: Lab,
    ticket: str,
    *,
    group: str = "",
    baseline: RunRecord | None = None,
    columns: Sequence[str] = USUAL,
) -> pd.DataFrame:
    """A row per run. The store is asked once for the pictures of all, however many there are."""
    titles = told_apart([run for run in runs if isinstance(run, RunRecord)])
    names = {run.id: run.name for run in runs if isinstance(run, RunRecord)}
    files = lab.store.latest_files(SMALL)
    rows = []
    for run in runs:
        if isinstance(run, RunRecord) and lab.is_active(run.id):  # what it shows is not in the store yet
            files[run.id] = lab.thumbnail(run.id) or ""
        row = {**fields_of(run), **_row(run, files.get(run.id, ""), ticket, names)}
        if run.id in titles:
            row["name"] = _link(run.id, titles[run.id])
        asked = {group: _value(fields_of(run).get(group))} if group else {}
        if baseline is not None:
            asked["differs from the baseline"] = _told(baseline, run)
        shown = {column: row.get(column) for column in columns}
        rows.append({"samples": row["samples"], "name": row["name"], **asked, **shown})
    table = pd.DataFrame(rows)
    for column in set(table) & set(columns) - set(USUAL) - set(METRICS):
        if not all(isinstance(value, int | float) for value in table[column]):
            table[column] = [_value(value) for value in table[column]]
    return table


def _told(baseline: RunRecord, run: Listed) -> str:
    if run.id == baseline.id:
        return "the baseline"
    found = differences_to(baseline, run)
    told = [f"{field.rpartition('.')[2]} {_value(new)}" for field, (_, new) in found.items()]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "") or "nothing"


def _value(value: Any) -> str:
    return "–" if value is None else str(value)


def show(
    runs: Sequence[Listed],
    lab: Lab,
    ticket: str,
    *,
    key: str,
    group: str = "",
    baseline: RunRecord | None = None,
    columns: Sequence[str] = USUAL,
) -> list[RunRecord]:
    """Draw the table; returns the runs whose rows are chosen: always the same runs, whatever comes before them."""
    table = table_of(runs, lab, ticket, group=group, baseline=baseline, columns=columns)
    if table.empty:
        st.info("No run matches the filter.", icon=":material/filter_alt_off:")
        return []
    # A table remembers rows by their place. Another list is another table, in which the same runs are chosen.
    ids = [run.id for run in runs]
    remembered = set(st.session_state.get(f"{key}:chosen", ()))
    event: Any = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [row for row, run_id in enumerate(ids) if run_id in remembered]}},
        key=f"{key}:{hashlib.sha256(' '.join([*ids, *columns]).encode()).hexdigest()[:16]}",
        row_height=56,
        placeholder="",
        column_config={
            "name": st.column_config.LinkColumn("name", width=WIDTH, pinned=True, display_text=r"#(.*)$"),
            "samples": st.column_config.ImageColumn("", width="small"),
            "progress": st.column_config.ProgressColumn("rounds", format="percent", min_value=0, max_value=1),
            "started": st.column_config.DatetimeColumn("started", format="distance"),
            "kl_to_real": st.column_config.NumberColumn("KL to real", format="%.2f"),
            "modes": st.column_config.NumberColumn("modes", format="%d"),
            **{
                name: st.column_config.NumberColumn(title_of(name), format="%.3g")
                for name in columns
                if name in METRICS and name not in USUAL
            },
        },
    )
    chosen = [runs[index] for index in event.selection.rows if index < len(runs)]
    st.session_state[f"{key}:chosen"] = [run.id for run in chosen]
    return [run for run in chosen if isinstance(run, RunRecord)]


def _row(run: Listed, file: str, ticket: str, names: dict[str, str]) -> dict[str, Any]:
    if isinstance(run, DamagedRun):
        return {
            "samples": None,
            "name": _link(run.id, f"damaged: {run}"),
            "status": "damaged",
        }
    metrics = run.summary.get("metrics", {})
    rounds = run.config.get("schedule", {}).get("rounds", 0)
    return {
        "samples": f"/live/{run.id}/artefact/{file}?ticket={ticket}" if file else None,
        "name": _link(run.id, run.name),
        "status": run.status,
        "progress": run.rounds / rounds if rounds else 0.0,
        "data": _data(run),
        "objective": run.config.get("objective", {}).get("name", "") or run.config.get("game", ""),
        "verdict": run.summary.get("verdict", {}).get("title", ""),
        "modes": metrics.get("modes_covered"),
        "kl_to_real": metrics.get("kl_to_real"),
        "forked from": f"{names.get(run.parent, run.parent)}, round {run.forked_at:,}" if run.parent else "",
        "tags": list(run.tags),
        "note": run.note,
        "started": datetime.datetime.fromtimestamp(run.created_at, datetime.UTC),
    }


def _link(run_id: str, name: str) -> str:
    """The address of a run's page with its name at the end, which is what the table shows of it.

    Written as `encodeURI` writes, which Streamlit undoes before it shows the name.
    """
    return f"watch?run={run_id}#{quote(name, safe=';,/?:@&=+$#-_.!~*()' + chr(39))}"


def _state(run: Listed) -> str:
    return "damaged" if isinstance(run, DamagedRun) else run.status


def _data(run: Listed) -> str:
    return "" if isinstance(run, DamagedRun) else str(run.config.get("data", {}).get("name", ""))
