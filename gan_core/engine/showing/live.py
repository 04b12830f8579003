"""What a viewer of one run gets: a snapshot, then one small delta per tick, the same bytes for everyone."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from gan_core.config import MOST_ROUNDS, ConfigError, RunConfig
from gan_core.engine.showing.judging import RunJudge, told
from gan_core.engine.showing.series import DELTA_POINTS, SNAPSHOT_POINTS, Series, thin
from gan_core.engine.showing.subscribers import Subscribers
from gan_core.metrics.states import Verdict
from gan_core.store import ACTIVE, RunRecord, RunStore

MAX_FRAMES = 400  # in a snapshot; the store has all of them
MAX_EVENTS = 500
_Added = tuple[np.ndarray, np.ndarray, int]  # rounds, values, and how many of them a viewer gets
PACE_SECONDS = 10.0
WALL_SECONDS = 30.0  # long enough that looks and turns of others are in it as often as they come


@dataclass
class Status:
    """How far a run is. Times are seconds of training; ``place`` is its place in the queue, from 1.

    ``rounds`` is 0 and ``seconds`` is given where a run ends by its seconds.

    ``wall_pace`` is rounds per second by the clock on the wall, in which what it measures and waits for counts too; 0 until
    it is known. ``beside`` are the other runs that compute here now.

    ``measuring`` is what measuring took, as a share of training; ``stuck`` that it hangs inside a step; ``verdict`` what the
    run is like, empty before its first measurement. ``node`` is where it trains, "" for this machine.
    """

    state: str
    round: int = 0
    rounds: int = 0
    seconds: float | None = None
    elapsed: float = 0.0
    rounds_per_second: float = 0.0
    wall_pace: float = 0.0
    beside: int = 0
    place: int | None = None
    message: str = ""
    preparing: str = ""
    caption: str = ""
    node: str = ""
    measuring: float = 0.0
    stuck: bool = False
    verdict: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of the planned training that is done, 0 to 1. A finished run has 1: its last row is older than its end."""
        if self.state == "finished":
            return 1.0
        by_rounds = self.round / self.rounds if self.rounds else 0.0
        return min(1.0, max(by_rounds, self.elapsed / self.seconds if self.seconds else 0.0))

    def to_dict(self) -> dict[str, Any]:
        rate = self.rounds_per_second
        left: float | None = None
        if rate > 0 and self.state in ("running", "paused"):
            pace = self.wall_pace or rate
            by_rounds = [(self.rounds - self.round) / pace] if self.rounds else []
            by_seconds = [(self.seconds - self.elapsed) * rate / pace] if self.seconds else []
            left = max(0.0, min(by_rounds + by_seconds, default=0.0))
        return {
            "state": self.state,
            "round": self.round,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "share": _short(self.share),
            "rounds_per_second": _short(rate),
            "elapsed": _short(self.elapsed),
            "eta": None if left is None else _short(left),
            "beside": self.beside,
            "place": self.place,
            "message": self.message,
            "preparing": self.preparing,
            "caption": self.caption,
            "measuring": _short(self.measuring),
            "stuck": self.stuck,
            "verdict": self.verdict,
            **({"node": self.node} if self.node else {}),
        }


@dataclass
class _News:
    """What came in since the last tick."""

    rows: dict[str, dict[str, list[tuple[np.ndarray, np.ndarray]]]] = field(default_factory=dict)
    frames: dict[int, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    reference: dict[str, Any] = field(default_factory=dict)
    status: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.frames or self.events or self.reference or self.status)


class LiveView:
    """One run as its viewers see it: filled, then ticked, by whoever records it; read by any thread.

    What is added shows with the next tick, to everyone at once: a snapshot and the deltas after it fit together.
    """

    def __init__(self, run_id: str, status: Status, config: RunConfig | None = None) -> None:
        """``config`` is that of the run, where it can be read: what it has already need not be advised."""
        self.run_id = run_id
        # Beyond every cursor of an earlier view of this run, in this process or in one before it.
        self.cursor = int(time.time() * 1000)
        self._status = status
        self._shown = status.to_dict()
        self._series: dict[str, dict[str, Series]] = {}
        self._frames = _Frames()
        self._events: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)
        self._event_count = 0
        self._reference: dict[str, Any] = {}
        self._news = _News()
        self._delta: Callable[[], bytes] | None = None
        self._snapshot: bytes | None = None
        self._subscribers = Subscribers(f"run {run_id}")
        self._lock = threading.RLock()
        self._pace, self._wall = _Pace(), _WallPace()
        self._judge = RunJudge(status.rounds, config)

    @property
    def active(self) -> bool:
        """Whether more deltas may come."""
        return self._shown["state"] in ACTIVE

    @property
    def watched(self) -> bool:
        return bool(self._subscribers)

    @property
    def status(self) -> dict[str, Any]:
        """As of now, which may be ahead of the last tick."""
        with self._lock:
            return self._status.to_dict()

    @property
    def state(self) -> str:
        """That of the status as of now."""
        return self._status.state

    @property
    def latest_parts(self) -> dict[str, Any]:
        """The parts of the newest frame."""
        with self._lock:
            return self._frames.newest_parts

    def set_status(self, **changes: Any) -> None:
        with self._lock:
            if changes.get("state", self._status.state) != self._status.state:
                self._wall = _WallPace()  # a pause says nothing of how long it will take
                self._status.wall_pace = 0.0
            new = {name: value for name, value in changes.items() if getattr(self._status, name) != value}
            if not new:
                return
            for name, value in new.items():
                setattr(self._status, name, value)
            self._news.status = self._status.to_dict() != self._shown

    def add_rows(self, track: str, columns: tuple[str, ...], rounds: np.ndarray, values: np.ndarray) -> None:
        """``rounds`` (n,), ``values`` (n, c); the column ``seconds`` of ``turns`` is the training clock, not a curve."""
        if not len(rounds):
            return
        with self._lock:
            self._judge.add_rows(track, columns, rounds, values)
            news = self._news.rows.setdefault(track, {})
            for index, name in enumerate(columns):
                if name != "seconds":
                    news.setdefault(name, []).append((rounds, values[:, index]))
            if track == "turns" and "seconds" in columns:
                seconds = values[:, columns.index("seconds")]
                pace = self._pace.see(rounds, seconds)
                now = {"rounds_per_second": pace, "wall_pace": self._wall.see(int(rounds[-1]), time.monotonic())}
                self.set_status(round=int(rounds[-1]), elapsed=float(seconds[-1]), **now)

    def add_frame(self, round: int, parts: dict[str, Any]) -> None:
        """What was seen at a round; looking at a round again adds to it."""
        with self._lock:
            self._news.frames[round] = self._news.frames.get(round, {}) | parts

    def add_event(self, round: int, kind: str, data: dict[str, Any]) -> None:
        """Something that happened. What the curves are compared with comes as events of the kind ``reference``."""
        with self._lock:
            if kind == "reference":
                self._news.reference |= data
                self._judge.add_reference(data)
                return
            self._judge.add_event(round, kind, data)
            if kind == "forked" and self._status.verdict:  # it was judged before this was known
                self.set_status(verdict=self._judge.told())
            self._event_count += 1
            self._news.events.append({"id": self._event_count, "round": round, "kind": kind, "data": data})

    def foretell(self, round: int, kind: str, data: dict[str, Any]) -> None:
        """What is to be judged with the measurements after it, and shown later (`add_event`)."""
        with self._lock:
            self._judge.add_event(round, kind, data)

    def judge(self) -> list[tuple[Verdict, dict[str, Any]]]:
        """Judge the measurements that have come; returns the changes of the verdict, each with what is told of it."""
        with self._lock:
            return self._judged(self._judge.settle()) if self._judge.waiting else []

    def diverged(self, round: int, message: str) -> list[tuple[Verdict, dict[str, Any]]]:
        """The same for a run that has ended because a number was not finite."""
        with self._lock:
            return self._judged(self._judge.settle() + self._judge.set_diverged(round, message))

    @property
    def healthy_round(self) -> int | None:
        """The last measurement at which nothing was wrong."""
        return self._judge.healthy_round

    def _judged(self, changes: list[Verdict]) -> list[tuple[Verdict, dict[str, Any]]]:
        self.set_status(verdict=self._judge.told())
        return [(change, told(change, images=self._judge.images)) for change in changes]

    def tick(self) -> None:
        """Turn the news into one delta and tell the subscribers; does nothing when there is no news."""
        with self._lock:
            news = self._news
            if not news:
                return
            self._news = _News()
            self._shown = self._status.to_dict()
            added = {
                track: {name: self._extend(track, name, parts) for name, parts in columns.items()}
                for track, columns in news.rows.items()
            }
            frames = [self._frames.add(round, parts) for round, parts in news.frames.items()]
            self._events.extend(news.events)
            self._reference |= news.reference
            self.cursor += 1
            self._snapshot = None
            if news.reference:
                # What everything is drawn against has changed, once or twice in a run: begin anew.
                self._delta = self.snapshot
            else:
                self._delta = cache(
                    partial(_delta, self._envelope(full=False, frames=frames, events=news.events), added)
                )
            if self._subscribers:  # else nobody may ever ask: of many runs few are watched
                self._delta()
        self._subscribers.tell()

    def snapshot(self) -> bytes:
        """Everything, downsampled; the bytes are shared by all who ask at the same cursor."""
        with self._lock:
            if self._snapshot is None:
                tracks = {
                    track: {name: _curve(*one.points()) for name, one in columns.items()}
                    for track, columns in self._series.items()
                }
                frames, events = self._frames.kept(), list(self._events)
                full = self._envelope(full=True, tracks=tracks, frames=frames, events=events)
                self._snapshot = _encode(full | {"reference": self._reference})
            return self._snapshot

    def delta(self, since: int) -> bytes | None:
        """What is new after cursor ``since``: None if nothing, the shared delta if it is one tick, else a snapshot."""
        with self._lock:
            if since == self.cursor:
                return None
            one_tick = since == self.cursor - 1
            return self._delta() if one_tick and self._delta is not None else self.snapshot()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` from the recorder's thread after each new cursor; returns what ends it."""
        return self._subscribers.add(callback)

    def become(self, other: LiveView) -> None:
        """Take over the content of another view of the same run, and tell the subscribers."""
        with self._lock, other._lock:
            self._status, self._shown = other._status, other._shown
            self._series, self._frames = other._series, other._frames
            self._events, self._event_count = other._events, other._event_count
            self._reference, self._news, self._pace = other._reference, other._news, other._pace
            self._judge = other._judge
            self.cursor += 1
            self._snapshot = None
            self._delta = self.snapshot
            if self._subscribers:
                self._delta()
        self._subscribers.tell()

    def _extend(self, track: str, name: str, parts: list[tuple[np.ndarray, np.ndarray]]) -> _Added:
        """Add to one curve; returns what a viewer adds to it, and how many points of it: all while it is short."""
        series = self._series.setdefault(track, {}).setdefault(name, Series())
        room = max(DELTA_POINTS, SNAPSHOT_POINTS - len(series))
        x, y = np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
        series.extend(x, y)
        finite = np.isfinite(y)
        return x[finite], y[finite], room

    def _envelope(self, *, full: bool, **content: Any) -> dict[str, Any]:
        return {"run": self.run_id, "cursor": self.cursor, "full": full, "status": self._shown} | content


class _Frames:
    """The frames of a run, evenly thinned beyond ``MAX_FRAMES``; the newest is always there."""

    def __init__(self) -> None:
        self._frames: list[tuple[int, dict[str, Any]]] = []
        self._count = 0
        self._stride = 1

    @property
    def newest_parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = self._frames[-1][1]["parts"] if self._frames else {}
        return parts

    def add(self, round: int, parts: dict[str, Any]) -> dict[str, Any]:
        if self._frames and self._frames[-1][1]["round"] == round:
            number, frame = self._frames.pop()
            parts = frame["parts"] | parts
        else:
            number = self._count
            self._count += 1
            if self._frames and self._frames[-1][0] % self._stride:
                self._frames.pop()  # it was there as the newest
        frame = {"round": round, "parts": parts}
        self._frames.append((number, frame))
        if len(self._frames) > MAX_FRAMES:
            self._stride *= 2
            self._frames = [(n, kept) for n, kept in self._frames if n % self._stride == 0 or n == number]
        return frame

    def kept(self) -> list[dict[str, Any]]:
        return [frame for _, frame in self._frames]


class _Pace:
    """Rounds per second over the last ten seconds or so of training."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def see(self, rounds: np.ndarray, seconds: np.ndarray) -> float:
        """``seconds`` (n,) is the training clock at ``rounds`` (n,), both growing."""
        start = int(np.searchsorted(seconds, seconds[-1] - PACE_SECONDS))
        self._marks += [(float(seconds[at]), int(rounds[at])) for at in (start, -1)]
        (now, last) = self._marks[-1]
        while len(self._marks) > 2 and self._marks[1][0] < now - PACE_SECONDS:
            self._marks.popleft()
        (then, first) = self._marks[0]
        return (last - first) / (now - then) if now > then else 0.0


class _WallPace:
    """Rounds per second by the clock on the wall, over the last half minute or so; 0 until some seconds have passed."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def see(self, round: int, now: float) -> float:
        self._marks.append((now, round))
        while len(self._marks) > 2 and self._marks[1][0] < now - WALL_SECONDS:
            self._marks.popleft()
        (then, first) = self._marks[0]
        return (round - first) / (now - then) if now - then > WALL_SECONDS / 10 else 0.0


def stored_view(store: RunStore, run: RunRecord) -> LiveView:
    """The view of a run as it stands in the store. Raises StoreError if its curves are damaged."""
    status = Status(
        run.status,
        round=run.rounds,
        rounds=rounds_of(run),
        seconds=seconds_of(run),
        elapsed=_number(run.summary.get("seconds")),
        message=run.message,
    )
    try:
        config = RunConfig.load(run.config)
    except ConfigError:  # of a version with other names
        config = None
    view = LiveView(run.id, status, config)
    for name in store.track_names(run.id):
        track = store.track(run.id, name)
        view.add_rows(name, track.columns, track.rounds, track.values)
    for frame in store.frames(run.id):
        view.add_frame(frame.round, frame.parts)
    events = store.events(run.id)
    for event in events:
        if event.kind == "reference":
            view.add_event(event.round, event.kind, event.data)
        else:
            view.foretell(event.round, event.kind, event.data)
    changes = view.diverged(run.rounds, run.message) if run.status == "diverged" else view.judge()
    # Judged again, for the run may be older than the rules; where they say what was said then, it stays in its place.
    said = [data for _, data in changes]
    unchanged = said == [event.data for event in events if event.kind == "verdict"]
    for event in events:
        if event.kind != "reference" and (unchanged or event.kind != "verdict"):
            view.add_event(event.round, event.kind, event.data)
    for data in [] if unchanged else said:
        view.add_event(data["round"], "verdict", data)
    # The rows say how far it was; a run that has ended has no pace.
    view.set_status(round=max(run.rounds, status.round), rounds_per_second=status.rounds_per_second * run.active)
    view.tick()
    return view


def rounds_of(run: RunRecord) -> int:
    """How many rounds a run was to play, 0 if its seconds end it; what it has played if its config does not say."""
    rounds = _schedule(run).get("rounds")
    if not isinstance(rounds, int):
        return run.rounds
    return 0 if rounds >= MOST_ROUNDS and seconds_of(run) else rounds


def seconds_of(run: RunRecord) -> float | None:
    """How many seconds a run was to train; None if nothing says so."""
    return _number(_schedule(run).get("seconds")) or None


def _schedule(run: RunRecord) -> dict[str, Any]:
    schedule = run.config.get("schedule")
    return schedule if isinstance(schedule, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _delta(envelope: dict[str, Any], added: dict[str, dict[str, _Added]]) -> bytes:
    tracks = {
        track: {name: _curve(*thin(*points)) for name, points in columns.items()} for track, columns in added.items()
    }
    return _encode(envelope | {"tracks": tracks})


def _curve(x: np.ndarray, y: np.ndarray) -> dict[str, list[Any]]:
    return {"x": x.tolist(), "y": [_short(value) for value in y.tolist()]}


def _short(value: float) -> float | None:
    """Six significant digits are more than a pixel shows."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _encode(message: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(message, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError:  # NaN and infinities are no JSON
        text = json.dumps(_finite(message), separators=(",", ":"), allow_nan=False, default=str)
    return text.encode()


def _finite(node: Any) -> Any:
    """The same with None for every number that is not finite."""
    if isinstance(node, float):
        return node if math.isfinite(node) else None
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    return [_finite(item) for item in node] if isinstance(node, list | tuple) else node
