"""What viewers get: curves that are those of the store, shared bytes, strict JSON, bounded memory."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from holding import Hold

from gan_core.engine.showing import gallery as gallery_module
from gan_core.engine.showing import live
from gan_core.engine.showing.gallery import Gallery
from gan_core.engine.showing.live import LiveView, Status, stored_view
from gan_core.engine.showing.series import CAPACITY, Series, thin
from gan_core.store import RunStore, StoreError


def strict(body: bytes) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(body, parse_constant=refuse)


class Viewer:
    """Puts messages together as the page does."""

    def __init__(self, view: LiveView) -> None:
        self.view = view
        self.cursor = -1
        self.gaps = 0
        self.look()

    def look(self) -> None:
        body = self.view.snapshot() if self.cursor < 0 else self.view.delta(self.cursor)
        if body is None:
            return
        message = strict(body)
        if message["full"]:
            self.curves: dict[str, dict[str, list[Any]]] = {}
            self.frames: dict[int, Any] = {}
            self.events: dict[int, Any] = {}
            self.gaps += self.cursor >= 0
            self.reference = message["reference"]
        else:
            assert message["cursor"] == self.cursor + 1
        self.cursor = message["cursor"]
        self.status = message["status"]
        for track, columns in message["tracks"].items():
            for name, curve in columns.items():
                known = self.curves.setdefault(f"{track}/{name}", {"x": [], "y": []})
                known["x"] += curve["x"]
                known["y"] += curve["y"]
        self.frames |= {frame["round"]: frame["parts"] for frame in message["frames"]}
        for event in message["events"]:
            assert event["id"] not in self.events
            self.events[event["id"]] = event


def new_view(rounds: int = 1000) -> LiveView:
    return LiveView("a-run", Status("running", rounds=rounds))


def add(view: LiveView, rounds: np.ndarray, values: np.ndarray) -> None:
    table = np.column_stack([values, rounds * 0.01]).astype(np.float32)
    view.add_rows("turns", ("D.loss", "seconds"), rounds, table)


# --- snapshot and deltas ---


@pytest.mark.parametrize("watched", [True, False])
def test_a_delta_is_at_hand_for_who_watches_and_made_for_who_asks(
    watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    encode = live._encode
    monkeypatch.setattr(live, "_encode", lambda message: (made.append(message["full"]), encode(message))[1])
    view = new_view()
    if watched:
        view.subscribe(lambda: None)
    first = view.cursor
    for round in (1, 2):
        add(view, np.array([round]), np.array([0.5]))
        view.tick()
    assert made == ([False, False] if watched else [])
    assert strict(view.delta(view.cursor - 1) or b"")["tracks"]["turns"]["D.loss"] == {"x": [2], "y": [0.5]}
    assert view.delta(view.cursor - 1) is view.delta(view.cursor - 1), "the same bytes for all who ask"
    assert made.count(False) == (2 if watched else 1)
    assert strict(view.delta(first) or b"")["full"]


def test_snapshot_and_deltas_make_the_curves_of_the_store(
    open_lab: Callable, small: Callable, until: Callable, hold: Hold
) -> None:
    hold.at(20)
    lab = open_lab(tick=0.02)
    run_id = lab.submit(small({"schedule.rounds": 900}))
    view = lab.view(run_id)

    def seen(round: int, *viewers: Viewer) -> None:
        hold.at(round)
        until(lambda: all(viewer.look() or viewer.status["round"] == round for viewer in viewers), f"round {round}")

    early = Viewer(view)
    for round in (20, 40, 60):
        seen(round, early)
    late = Viewer(view)
    for round in (80, 100, 120):
        seen(round, early, late)
    lab.command(run_id, "stop")
    run = lab.wait(run_id, 60)
    assert run.status == "stopped"
    early.look()
    late.look()
    for viewer in (early, late, Viewer(lab.view(run_id))):
        for track in lab.store.track_names(run_id):
            data = lab.store.track(run_id, track)
            for name in data.columns:
                if name == "seconds":
                    continue
                curve = viewer.curves[f"{track}/{name}"]
                assert curve["x"] == data.rounds.tolist()
                assert curve["y"] == [float(f"{value:.6g}") for value in data.column(name).tolist()], name
        assert viewer.frames == {frame.round: frame.parts for frame in lab.store.frames(run_id)}
        assert [event["kind"] for event in viewer.events.values()] == ["started", "checkpoint", "stopped"]
        assert (viewer.status["state"], viewer.status["round"]) == ("stopped", run.rounds)
        assert viewer.reference["labels"]["D.loss"] == "D loss"
        assert len(viewer.reference["real_share"]) == 9


def test_the_first_thousand_points_come_exactly_by_deltas_alone() -> None:
    view = new_view()
    viewer = Viewer(view)
    noise = np.random.default_rng(0).normal(size=990)
    for start in range(0, 990, 110):
        add(view, np.arange(start, start + 110), noise[start : start + 110])
        view.tick()
        viewer.look()
    assert viewer.gaps == 0
    assert viewer.curves["turns/D.loss"]["x"] == list(range(990))
    assert viewer.curves["turns/D.loss"]["y"] == [float(f"{np.float32(value):.6g}") for value in noise]
    assert viewer.curves == Viewer(view).curves


def test_a_stored_view_equals_the_live_one_at_its_end(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"objective": "wgan_gp"}))
    view = lab.view(run_id)
    lab.wait(run_id, 60)
    stored = lab.view(run_id)
    assert stored is not view
    one, other = strict(view.snapshot()), strict(stored.snapshot())
    del one["cursor"], other["cursor"]
    assert one == other
    assert not stored.active
    assert lab.view(run_id) is stored, "read once"
    # Continued, it goes on from there; another lab reads the same.
    assert strict(open_lab().view(run_id).snapshot())["tracks"] == one["tracks"]


def test_a_viewer_that_comes_between_two_ticks_gets_nothing_twice() -> None:
    view = new_view()
    add(view, np.arange(1, 4), np.array([1.0, 2.0, 3.0]))
    viewer = Viewer(view)
    assert viewer.curves == {}
    view.add_frame(3, {"histogram": {"counts": [1], "n": 1}})
    view.add_event(3, "paused", {})
    view.tick()
    add(view, np.arange(4, 6), np.array([4.0, 5.0]))
    view.add_event(5, "resumed", {})
    late = Viewer(view)
    view.tick()
    for one in (viewer, late):
        one.look()
    assert (viewer.gaps, late.gaps) == (1, 0)
    assert viewer.curves == late.curves == {"turns/D.loss": {"x": [1, 2, 3, 4, 5], "y": [1, 2, 3, 4, 5]}}
    assert [event["kind"] for event in late.events.values()] == ["paused", "resumed"]


def test_everyone_gets_the_same_bytes() -> None:
    view = new_view()
    assert view.delta(view.cursor) is None
    before = view.cursor
    first = view.snapshot()
    assert view.snapshot() is first
    assert view.delta(before - 1) == first, "nothing was ever sent before it"
    view.set_status(round=1)
    view.tick()
    assert view.cursor == before + 1
    assert view.delta(before) is view.delta(before)
    assert strict(view.delta(before))["full"] is False
    assert view.delta(before + 1) is None
    snapshot = view.snapshot()
    for stranger in (before - 1, 0, -5, before + 100):
        assert view.delta(stranger) is snapshot
    view.tick()
    assert view.cursor == before + 1, "no news, no delta"
    view.set_status(round=2)
    view.set_status(round=1)
    view.tick()
    assert view.cursor == before + 1


def test_cursors_of_a_new_view_are_beyond_those_of_an_old_one(open_lab: Callable, small: Callable) -> None:
    """A browser that slept while the run was interrupted and resumed must not take a delta for its next one."""
    lab = open_lab()
    run_id = lab.submit(small())
    first = lab.view(run_id)
    lab.wait(run_id, 60)
    stored = lab.view(run_id)
    assert stored.cursor > first.cursor
    assert strict(stored.delta(first.cursor))["full"] is True


def test_what_the_curves_are_compared_with_comes_as_a_fresh_start() -> None:
    view = new_view()
    add(view, np.arange(1, 4), np.ones(3))
    view.tick()
    viewer = Viewer(view)
    view.add_event(3, "reference", {"labels": {"D.loss": "D loss"}})
    view.tick()
    view.add_event(3, "reference", {"real_share": [1.0]})
    view.tick()
    viewer.look()
    assert viewer.reference == {"labels": {"D.loss": "D loss"}, "real_share": [1.0]}
    assert viewer.curves["turns/D.loss"]["x"] == [1, 2, 3]
    assert viewer.events == {}


def test_numbers_that_are_no_json_travel_as_null() -> None:
    view = new_view()
    odd = np.array([1.0, np.nan, np.inf, -np.inf, 1e30, -0.0, 2.0])
    add(view, np.arange(1, 8), odd)
    view.add_frame(7, {"points": {"xs": [float("nan"), 1.0], "deep": ({"a": float("inf")},)}})
    view.add_event(7, "reference", {"floors": {"kl": float("inf")}})
    view.add_event(7, "diverged", {"value": float("-inf")})
    view.set_status(elapsed=float("nan"), rounds_per_second=float("inf"))
    view.tick()
    viewer = Viewer(view)
    assert viewer.curves["turns/D.loss"] == {"x": [1, 5, 6, 7], "y": [1.0, 1e30, -0.0, 2.0]}
    assert viewer.frames[7]["points"] == {"xs": [None, 1.0], "deep": [{"a": None}]}
    assert viewer.reference == {"floors": {"kl": None}}
    assert viewer.status["elapsed"] is viewer.status["rounds_per_second"] is None
    view.add_event(8, "knob", {"value": float("nan")})
    view.tick()
    viewer.look()
    assert [event["data"]["value"] for event in viewer.events.values()] == [None, None]


def test_what_is_no_json_at_all_does_not_silence_a_run() -> None:
    view = new_view()
    view.add_event(1, "odd", {"path": object()})
    view.tick()
    assert "object" in Viewer(view).events[1]["data"]["path"]


def test_long_runs_are_thinned_in_deltas_and_snapshots() -> None:
    view = new_view(10**6)
    viewer = Viewer(view)
    noise = np.random.default_rng(0).normal(size=60_000)
    noise[31_234], noise[31_240] = 99.0, -77.0
    for start in range(0, 60_000, 2_000):
        add(view, np.arange(start, start + 2_000), noise[start : start + 2_000])
        for number in range(10):
            view.add_frame(start + number, {"histogram": number})
        view.add_event(start, "paused", {})
        view.tick()
        body = view.delta(view.cursor - 1)
        assert len(body) < 30_000
        viewer.look()
    fresh = Viewer(view)
    assert len(fresh.curves["turns/D.loss"]["x"]) <= live.SNAPSHOT_POINTS
    for curve in (fresh.curves["turns/D.loss"], viewer.curves["turns/D.loss"]):
        assert curve["x"] == sorted(curve["x"])
        assert dict(zip(curve["x"], curve["y"], strict=True))[31_234] == 99.0
        assert min(curve["y"]) == -77.0
    assert len(view.snapshot()) < 200_000


def test_frames_are_thinned_evenly_and_the_newest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_FRAMES", 20)
    view = new_view()
    for round in range(0, 5000, 5):
        view.add_frame(round, {"n": round})
        view.tick()
        rounds = [frame["round"] for frame in strict(view.snapshot())["frames"]]
        assert len(rounds) <= 20
        assert rounds[0] == 0
        assert rounds[-1] == round
        gaps = set(np.diff(rounds[:-1]).tolist())
        assert len(gaps) <= 1, "evenly"
    assert len(rounds) >= 10


def test_events_are_bounded_too() -> None:
    view = new_view()
    for round in range(3 * live.MAX_EVENTS):
        view.add_event(round, "paused", {})
    view.tick()
    events = strict(view.snapshot())["events"]
    assert [event["round"] for event in events] == list(range(2 * live.MAX_EVENTS, 3 * live.MAX_EVENTS))


def test_a_second_look_at_a_round_adds_to_its_frame() -> None:
    view = new_view()
    view.add_frame(5, {"grid": 1})
    view.tick()
    viewer = Viewer(view)
    view.add_frame(5, {"grid": 2, "histogram": 3})
    view.tick()
    viewer.look()
    assert viewer.frames == Viewer(view).frames == {5: {"grid": 2, "histogram": 3}}


def test_the_time_left_is_by_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that trains at 100 rounds a second, but waits for others half of the time."""
    clock = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    view = new_view(rounds=10_000)

    def play(first: int, last: int) -> None:
        for round in range(first, last, 100):
            add(view, np.arange(round - 99, round + 1), np.zeros(100))
            clock[0] += 2.0

    play(100, 3000)
    assert view.status["rounds_per_second"] == pytest.approx(100, rel=1e-3)
    assert view.status["eta"] == pytest.approx((10_000 - 2900) / 50, rel=1e-3)
    view.set_status(state="paused")
    clock[0] += 3600.0
    view.set_status(state="running")
    play(3000, 6000)
    assert view.status["eta"] == pytest.approx((10_000 - 5900) / 50, rel=1e-3)


def test_pace_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.time, "monotonic", lambda: 0.0)  # nobody knows yet how it goes by the wall
    view = new_view(rounds=10_000)
    for round in range(100, 3000, 100):  # 100 rounds a second
        add(view, np.arange(round - 99, round + 1), np.zeros(100))
    status = view.status
    assert status["rounds_per_second"] == pytest.approx(100, rel=1e-3)
    assert status["eta"] == pytest.approx((10_000 - 2900) / 100, rel=1e-3)
    assert status["share"] == 0.29
    assert status["elapsed"] == pytest.approx(29)


# --- subscribers ---


def test_subscribing_from_many_threads_while_it_ticks(trouble: list[str]) -> None:
    view = new_view()
    done = threading.Event()
    counts: list[int] = []

    def come_and_go() -> None:
        while not done.is_set():
            heard: list[int] = []
            leave = view.subscribe(lambda heard=heard: heard.append(1))
            view.snapshot()
            view.delta(view.cursor - 1)
            leave()
            leave()
            counts.append(len(heard))

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for round in range(1, 200):
        add(view, np.array([round]), np.array([0.5]))
        view.tick()
        view.set_status(place=round)
    done.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not view.watched
    heard: list[int] = []

    def broken() -> None:
        raise RuntimeError("gone")

    view.subscribe(broken)
    view.subscribe(lambda: heard.append(view.cursor))
    view.set_status(round=7)
    view.tick()
    assert heard == [view.cursor], "one viewer's trouble does not silence the others"
    assert len(trouble) == 1
    trouble.clear()


def test_a_callback_may_ask_the_view(until: Callable) -> None:
    """It is called without the view's lock: a subscriber that waits for another thread must not stop the recorder."""
    view = new_view()
    bodies: list[bytes] = []

    def ask_elsewhere() -> None:
        thread = threading.Thread(target=lambda: bodies.append(view.snapshot()))
        thread.start()
        thread.join(2)

    view.subscribe(ask_elsewhere)
    view.set_status(round=1)
    view.tick()
    assert len(bodies) == 1


# --- curves ---


def test_a_series_keeps_its_extremes_after_a_million_points() -> None:
    values = np.cumsum(np.random.default_rng(1).normal(size=1_000_000)).astype(np.float32)
    spikes = {17: 1e6, 250_001: -1e6, 499_999: 5e5, 999_990: -5e5}
    values[list(spikes)] = list(spikes.values())
    values[123_456] = np.nan
    series = Series()
    start = 0
    for size in np.random.default_rng(2).integers(1, 5_000, size=1_000):
        stop = min(start + int(size), 1_000_000)
        series.extend(np.arange(start, stop), values[start:stop])
        start = stop
    assert start == 1_000_000
    assert len(series) <= CAPACITY
    x, y = series.points(1_000)
    assert len(x) <= 1_000
    assert (np.diff(x) > 0).all()
    assert (x[0], x[-1]) == (0, 999_999)
    assert (y == values[x]).all()
    kept = dict(zip(x.tolist(), y.tolist(), strict=True))
    for round in (17, 250_001):
        assert kept[round] == spikes[round]
    # Even: every tenth of the run is still drawn with about a tenth of the points, the oldest as well.
    shares = np.histogram(x, bins=10, range=(0, 1_000_000))[0] / len(x)
    assert shares.min() > 0.05
    everything = series._x[: len(series)]
    assert np.histogram(everything, bins=10, range=(0, 1_000_000))[0].min() > 300
    for round, value in spikes.items():
        assert series._y[: len(series)][everything == round] == value


def test_a_short_series_is_exact_and_small() -> None:
    series = Series()
    series.extend(np.array([1, 2, 3]), np.array([0.5, np.nan, np.inf], np.float32))
    series.extend(np.array([], np.int64), np.array([], np.float32))
    series.extend(np.array([7]), np.array([-0.0], np.float32))
    x, y = series.points()
    assert x.tolist() == [1, 7]
    assert y.tolist() == [0.5, -0.0]
    assert series._x.nbytes + series._y.nbytes < 10_000


@pytest.mark.parametrize("most", [40, 41, 999, 1000])
def test_thinning_keeps_both_ends_both_extremes_and_the_limit(most: int) -> None:
    rng = np.random.default_rng(most)
    for n in (most - 1, most, most + 1, 5 * most):
        x = np.sort(rng.choice(20 * most, n, replace=False))
        y = rng.normal(size=n).astype(np.float32)
        thin_x, thin_y = thin(x, y, most)
        assert len(thin_x) <= most
        assert (np.diff(thin_x) > 0).all()
        assert {thin_x[0], thin_x[-1]} == {x[0], x[-1]}
        assert (thin_y.min(), thin_y.max()) == (y.min(), y.max())
        assert set(zip(thin_x.tolist(), thin_y.tolist(), strict=True)) <= set(zip(x.tolist(), y.tolist(), strict=True))


def test_a_column_of_a_two_dimensional_table_is_taken_as_it_is() -> None:
    """Columns of a table are not contiguous in memory; the downsampler wants them so."""
    table = np.random.default_rng(0).normal(size=(30_000, 3)).astype(np.float32)
    series = Series()
    series.extend(np.arange(30_000), table[:, 1])
    x, y = series.points()
    assert (y == table[x, 1]).all()


# --- runs that train elsewhere ---


def test_a_run_of_another_process_is_followed(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_module, "LOOK_AGAIN_SECONDS", 0.05)
    hold.at(10)
    one, other = open_lab(), open_lab()
    run_id = one.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: one.store.run(run_id).status == "running")
    view = other.view(run_id)
    assert view.active
    viewer, heard = Viewer(view), []
    leave = view.subscribe(lambda: heard.append(view.cursor))
    for round in (20, 30, 40):
        told = len(heard)
        hold.at(round)
        until(lambda told=told: len(heard) > told, "news without a question")
    assert other.view(run_id) is view
    viewer.look()
    assert viewer.status["state"] == "running"
    assert viewer.status["rounds_per_second"] > 0
    assert len(viewer.curves["turns/D.loss"]["x"]) >= 1
    one.command(run_id, "stop")
    rounds = one.wait(run_id, 60).rounds
    until(lambda: not view.active, "the end is seen")
    leave()
    viewer.look()
    assert (viewer.status["state"], viewer.status["round"]) == ("stopped", rounds)
    assert viewer.curves["turns/D.loss"]["x"] == list(range(1, rounds + 1))
    ends = strict(view.snapshot())
    cursor = view.cursor
    time.sleep(0.3)  # nothing may happen meanwhile
    other.view(run_id)
    assert view.cursor == cursor, "a run that has ended is not read again"
    assert strict(view.snapshot()) == ends


def test_a_gallery_keeps_a_few_and_reads_no_run_twice(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_module, "MAX_VIEWS", 3)
    lab = open_lab(capacity=4)
    runs = [lab.submit(small({"seed": seed, "schedule.rounds": 2})) for seed in range(4)]
    for run in runs:
        lab.wait(run, 60)
    reads: list[str] = []
    monkeypatch.setattr(
        gallery_module, "stored_view", lambda store, run: reads.append(run.id) or stored_view(store, run)
    )
    gallery = Gallery(lab.store)
    views = [gallery.view(run) for run in [*runs[:3], *runs[:3]]]
    assert reads == runs[:3]
    assert views[:3] == views[3:]
    gallery.view(runs[3])
    gallery.view(runs[2])
    assert reads == runs
    gallery.view(runs[0])
    assert reads == [*runs, runs[0]]
    lab.store.update(runs[0], status="stopped")
    assert gallery.view(runs[0]).status["state"] == "stopped"


def test_a_view_of_a_damaged_track_is_one_sentence(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 2}))
    lab.wait(run_id, 60)
    lab.store._writer.call(lambda connection: connection.execute("UPDATE chunks SET data = x'00'"))
    with pytest.raises(StoreError, match="damaged"):
        lab.view(run_id)
    assert lab.recent()[0]["state"] == "finished"


def test_a_track_without_a_clock_can_be_seen(tmp_path: Any) -> None:
    """As another version of the program may have written it."""
    with RunStore(tmp_path) as store:
        run = store.create("a-run", name="", config={})
        store.append("a-run", "turns", ["D.loss"], np.arange(3), np.ones((3, 1), np.float32))
        store.append("a-run", "other", ["x"], np.arange(3), np.full((3, 1), np.nan, np.float32))
        store.flush()
        shown = strict(stored_view(store, run).snapshot())
    assert shown["tracks"]["turns"]["D.loss"]["x"] == [0, 1, 2]
    assert shown["tracks"]["other"]["x"] == {"x": [], "y": []}


def test_a_viewer_of_a_million_rounds_costs_what_one_of_a_thousand_does() -> None:
    """What travels at each tick and at joining, for all viewers together, and the least that making it took."""
    columns = ("D.loss", "G.loss", "D.real", "D.fake", "D.grad_norm", "G.grad_norm")
    lengths = (1_000, 1_000_000)
    values = np.random.default_rng(0).normal(size=(lengths[-1], len(columns))).astype(np.float32)
    views = {played: LiveView("r", Status("running", rounds=2_000_000)) for played in lengths}
    for played, view in views.items():
        view.add_rows("turns", columns, np.arange(played), values[:played])
        view.tick()
    refreshes, builds = defaultdict(list), defaultdict(list)
    for tick in range(20):  # in turns: what the machine does beside costs both the same
        for played, view in views.items():
            begun = time.thread_time()
            rounds = np.arange(played + 100 * tick, played + 100 * (tick + 1))
            view.add_rows("turns", columns, rounds, values[:100])
            view.tick()
            deltas = {id(view.delta(view.cursor - 1)) for _ in range(30)}
            refreshes[played].append(time.thread_time() - begun)
            snapshots = {id(view.snapshot()) for _ in range(30)}
            builds[played].append(time.thread_time() - begun)
            assert len(deltas) == len(snapshots) == 1  # one build each, whatever the number of viewers
    told = {
        played: (
            len(view.delta(view.cursor - 1) or b""),
            len(view.snapshot()),
            min(refreshes[played]),
            min(builds[played]),
        )
        for played, view in views.items()
    }
    assert all(long <= 1.5 * short for short, long in zip(*told.values(), strict=True)), told


def test_who_comes_to_a_run_of_a_million_rounds_sees_all_of_it_at_once(tmp_path: Any, small: Callable) -> None:
    columns = (
        *(f"{player}.{name}" for player in "DG" for name in ("loss", "adv", "real", "fake", "grad_norm")),
        "seconds",
    )
    played = 1_000_000
    values = np.random.default_rng(0).normal(size=(played, len(columns))).astype(np.float32)
    values[:, -1] = np.linspace(0, 9999, played)
    checks = np.arange(0, played, 1000)
    with RunStore(tmp_path / "runs") as store:
        store.create("long", name="long", config=small().to_dict())
        store.append("long", "turns", columns, np.arange(1, played + 1), values)
        store.append("long", "diagnostics", ("modes_covered",), checks, np.ones((len(checks), 1), np.float32))
        store.update("long", status="finished", rounds=played)
        store.flush()
        took = []
        for _ in range(2):
            begun = time.thread_time()
            told = strict(stored_view(store, store.run("long")).snapshot())
            took.append(time.thread_time() - begun)
    curve = told["tracks"]["turns"]["D.loss"]
    assert (curve["x"][0], curve["x"][-1]) == (1, played)
    assert max(curve["y"]) == pytest.approx(values[:, 0].max(), abs=1e-3)
    assert min(took) < 1
