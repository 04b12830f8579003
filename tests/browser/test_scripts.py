"""The parts of the live view by themselves, in the browser that they are written for: store, smoothing, snapshots, panels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from gan_core.engine.comparing.curves import robust_range, smooth
from gan_core.metrics import METRICS
from gan_core.ui.live_view import _SCRIPTS, FOLDER

STORE = """(messages) => {
  const store = new Store()
  const answers = messages.map((message) => store.apply(message))
  const { cursor, generation, reference, tracks, frames, events, ended, longest } = store
  return { answers, cursor, generation, reference, tracks, frames, events, ended, longest }
}"""


@pytest.fixture(scope="module")
def scripts(browser: Browser) -> Iterator[Page]:
    """A page that has the scripts of the live view and of the curves over seeds, and nothing else."""
    page = browser.new_context().new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    joined = "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    page.add_script_tag(content=joined.replace("export default function", "function live"))
    yield page
    page.context.close()
    assert faults == []


def snapshot(cursor: int, **parts: Any) -> dict[str, Any]:
    return {"full": True, "cursor": cursor, **parts}


def delta(cursor: int, **parts: Any) -> dict[str, Any]:
    return {"full": False, "cursor": cursor, **parts}


# --- the store ---


def test_a_delta_follows_the_one_before_or_is_old_or_a_gap(scripts: Page) -> None:
    messages = [snapshot(4), delta(5), delta(5), delta(3), delta(8), delta(6)]
    store = scripts.evaluate(STORE, messages)
    assert store["answers"] == ["new", "new", "old", "old", "gap", "new"]
    assert store["cursor"] == 6


def test_curves_grow_by_deltas_and_begin_anew_with_a_snapshot(scripts: Page) -> None:
    first = snapshot(0, tracks={"turns": {"D.loss": {"x": [0, 1], "y": [1.5, None]}}})
    more = delta(1, tracks={"turns": {"D.loss": {"x": [2], "y": [1.25]}, "G.loss": {"x": [2], "y": [0.5]}}})
    store = scripts.evaluate(STORE, [first, more])
    assert store["tracks"]["turns"]["D.loss"] == {"x": [0, 1, 2], "y": [1.5, None, 1.25]}
    assert store["longest"] == 3
    again = scripts.evaluate(STORE, [first, more, snapshot(2, tracks={"turns": {"D.loss": {"x": [9], "y": [1]}}})])
    assert again["tracks"] == {"turns": {"D.loss": {"x": [9], "y": [1]}}}
    assert again["generation"] > store["generation"]


def test_parts_of_a_frame_are_put_together_in_the_order_of_rounds(scripts: Page) -> None:
    frames = [
        {"round": 5, "parts": {"grid": 1}},
        {"round": 2, "parts": {"grid": 2}},
        {"round": 5, "parts": {"push": 3}},
    ]
    store = scripts.evaluate(STORE, [snapshot(0, frames=frames[:2]), delta(1, frames=frames[2:])])
    assert store["frames"] == [
        {"round": 2, "parts": {"grid": 2}},
        {"round": 5, "parts": {"grid": 1, "push": 3}},
    ]


def test_a_part_and_a_value_are_the_newest_at_or_before_a_round(scripts: Page) -> None:
    found = scripts.evaluate(
        """() => {
          const store = new Store()
          store.apply({ full: true, cursor: 0, tracks: { t: { c: { x: [0, 4], y: [7, 8] } } },
            frames: [{ round: 2, parts: { grid: "a", push: "p" } }, { round: 6, parts: { grid: "b" } }] })
          return [store.part("grid", 1), store.part("grid", 5).value, store.part("push", 9).round,
            store.valueAt("t", "c", 3), store.valueAt("t", "c", 4), store.valueAt("t", "none", 4)]
        }"""
    )
    assert found == [None, "a", 2, 7, 8, None]


def test_an_event_counts_once_and_what_is_known_of_the_data_adds_up(scripts: Page) -> None:
    events = [{"id": 1, "kind": "started"}, {"id": 2, "kind": "knob"}]
    messages = [
        snapshot(0, events=events, reference={"floors": {"mmd2": 0.1}}),
        delta(1, events=events[1:], reference={"class_names": ["0"]}),
    ]
    store = scripts.evaluate(STORE, messages)
    assert store["events"] == events
    assert store["reference"] == {"floors": {"mmd2": 0.1}, "class_names": ["0"]}


@pytest.mark.parametrize(
    ("state", "ended"),
    [("running", False), ("paused", False), ("queued", False), ("finished", True), ("diverged", True)],
)
def test_a_run_has_ended_by_its_state(scripts: Page, state: str, ended: bool) -> None:
    assert scripts.evaluate(STORE, [snapshot(0, status={"state": state})])["ended"] is ended


# --- smoothing, snapshots, numbers ---


@pytest.mark.parametrize("weight", [0.0, 0.6, 0.98])
def test_curves_are_smoothed_as_in_python(scripts: Page, weight: float) -> None:
    values = np.random.default_rng(0).normal(size=200)
    values[[3, 4, 90]] = math.nan
    drawn = scripts.evaluate("([values, weight]) => smooth(values, weight)", [values.tolist(), weight])
    np.testing.assert_allclose(np.array(drawn, float), smooth(values, weight), rtol=1e-12)


@pytest.mark.parametrize("line", [None, -40.0])
def test_one_spike_does_not_decide_the_range_of_an_axis(scripts: Page, line: float | None) -> None:
    values = np.random.default_rng(0).normal(size=200)
    values[[7, 90]] = 1e4, math.nan
    drawn = scripts.evaluate(
        "([values, lines]) => robustRange([values], lines)", [values.tolist(), [line] * (line is not None)]
    )
    known = robust_range([values], line)
    assert known is not None
    assert (drawn["low"], drawn["high"], drawn["outside"]) == pytest.approx((known.low, known.high, known.outside))


def test_where_no_value_lies_far_out_all_are_shown(scripts: Page) -> None:
    drawn = scripts.evaluate("() => robustRange([[0, 1, 2, 3, 4, 5]])")
    assert drawn["outside"] == 0
    assert drawn["low"] < 0 < 5 < drawn["high"]
    assert scripts.evaluate("() => robustRange([[NaN]])") is None


def test_a_curve_that_grows_too_long_asks_once_for_a_downsampled_one(scripts: Page) -> None:
    asked = scripts.evaluate(
        """() => {
          let asked = 0
          const view = { store: new Store(), others: [], drawSoon() {}, connection: { ask: () => (asked += 1) } }
          const take = (message) => LiveView.prototype.take.call(view, message)
          const rounds = (from, count) => {
            const x = Array.from({ length: count }, (_, i) => from + i)
            return { turns: { c: { x, y: x.map(() => 0) } } }
          }
          const counts = []
          take({ full: true, cursor: 0, tracks: rounds(0, 10) })
          take({ full: false, cursor: 1, tracks: rounds(10, MAX_POINTS - 10) })
          counts.push(asked)
          take({ full: false, cursor: 2, tracks: rounds(MAX_POINTS, 1) })
          counts.push(asked)
          take({ full: false, cursor: 3, tracks: rounds(MAX_POINTS + 1, 1) })
          counts.push(asked)
          return counts
        }"""
    )
    assert asked == [0, 1, 1]


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_number_is_near_real_data_as_python_has_it(scripts: Page, name: str) -> None:
    metric = METRICS[name]
    entry = {"better": metric.better, "slack": list(metric.slack)}
    for real in (0.0, 0.5, 8.0):
        for value in (0.0, 0.4, 0.5, 0.7, 7.9, 8.0, 20.0):
            near = scripts.evaluate("([entry, value, real]) => nearReal(entry, value, real)", [entry, value, real])
            assert near is bool(metric.near_real(value, real)), (value, real)


def test_a_small_curve_has_a_gap_where_nothing_was_measured(scripts: Page) -> None:
    path = scripts.evaluate("() => sparkPath({ x: [0, 1, 2, 3, 4], y: [0, 1, null, 1, 0] })")
    assert path == "M0.0,22.0L25.0,2.0M75.0,2.0L100.0,22.0"
    assert scripts.evaluate("() => sparkPath({ x: [0, 1], y: [null, 2] })") == ""


# --- panels ---

NUMBERS = """([told, status, shown]) => {
  const store = new Store()
  store.apply({ full: true, cursor: 0, status, ...told })
  const precision = { column: "precision", label: "Precision", help: "", lead: true, format: "" }
  const judged = { better: "higher", way: "higher is better", slack: [0.1, 0] }
  const spec = { slot: "n", kind: "numbers", title: "Numbers", numbers: [{ ...precision, ...judged }] }
  const panel = new PANELS.numbers({ store, root: { dataset: {} }, shown, round: Infinity }, spec)
  panel.draw()
  const text = (name) => panel.element.querySelector(name)?.textContent ?? ""
  return { wait: text(".gs-wait"), number: text(".gs-tile .gs-number"), mark: text(".gs-tile .gs-mark"),
    floor: text(".gs-tile .gs-floor"), aside: text(".gs-aside") }
}"""


@pytest.mark.parametrize(("value", "mark"), [(0.85, "✓"), (0.5, "✗")])
def test_a_measure_stands_beside_what_real_data_reads(scripts: Page, value: float, mark: str) -> None:
    told = {
        "tracks": {"diagnostics": {"precision": {"x": [0, 20, 40], "y": [0.1, value, 0.2]}}},
        "reference": {"floors": {"precision": 0.9}},
    }
    seen = scripts.evaluate(NUMBERS, [told, {"state": "running"}, 30])
    assert seen["number"] == f"{value}"
    assert seen["mark"] == mark
    assert seen["floor"] == "real data 0.9, higher is better"
    assert seen["aside"] == "round 30"
    assert seen["wait"] == ""


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (None, "connecting…"),
        ({"state": "queued", "place": 2}, "queued, 2nd in line"),
        ({"state": "running", "preparing": "a judge"}, "preparing…"),
        ({"state": "running"}, "waiting for the first round…"),
        ({"state": "failed"}, "nothing was recorded"),
    ],
)
def test_a_panel_without_anything_to_show_says_why(scripts: Page, status: dict[str, Any] | None, said: str) -> None:
    assert scripts.evaluate(NUMBERS, [{}, status, None])["wait"] == said


def test_every_kind_of_panel_begins_with_its_title_and_its_slot(scripts: Page) -> None:
    made = scripts.evaluate(
        """() => Object.entries(PANELS).map(([kind, Kind]) => {
          const figure = { data: [], layout: {} }
          const spec = { slot: `s-${kind}`, kind, title: `T ${kind}`, numbers: [], rankings: [], traces: [], figure }
          const { element } = new Kind({ store: new Store(), root: { dataset: {} }, data: { beside: [] }, shown: null }, spec)
          return [kind, element.dataset.testid, element.querySelector(".gs-title").textContent]
        })"""
    )
    assert len(made) == 10
    assert made == [[kind, f"s-{kind}", f"T {kind}"] for kind, *_ in made]


ABSENT = """([state, frames]) => {
  const store = new Store()
  store.apply({ full: true, cursor: 0, status: { state }, frames })
  const spec = { slot: "s", kind: "sheet", title: "Sheet", part: "manifold" }
  return new PANELS.sheet({ store, root: { dataset: {} }, data: { beside: [] }, shown: null }, spec).absent
}"""


@pytest.mark.parametrize(
    ("state", "parts", "absent"),
    [
        ("running", [], False),
        ("running", ["grid"], False),
        ("running", ["grid", "grid"], True),
        ("finished", ["grid"], True),
        ("finished", ["grid", "manifold"], False),
    ],
)
def test_a_panel_of_pictures_is_absent_where_its_run_makes_none(
    scripts: Page, state: str, parts: list[str], absent: bool
) -> None:
    """Before anything is shown: a panel that takes no room is never in sight, and would not be asked again."""
    frames = [{"round": round, "parts": {name: {"file": "x.png"}}} for round, name in enumerate(parts)]
    assert scripts.evaluate(ABSENT, [state, frames]) is absent
