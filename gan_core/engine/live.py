"""What a viewer of one run gets: a snapshot, then one small delta per tick, the same bytes for everyone."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.engine.series import DELTA_POINTS, SNAPSHOT_POINTS, Series, thin
from gan_core.store import ACTIVE, RunRecord, RunStore


@dataclass
class Status:
    """How far a run is. Times are seconds of training; ``place`` is its place in the queue, from 1."""

    state: str
    round: int = 0
    rounds: int = 0
    elapsed: float = 0.0
    rounds_per_second: float = 0.0
    place: int | None = None
    message: str = ""
    preparing: str = ""

    def to_dict(self) -> dict[str, Any]:
        rate = self.rounds_per_second
        left = (self.rounds - self.round) / rate if rate > 0 and self.state in ("running", "paused") else None
        return {
            "state": self.state,
            "round": self.round,
            "rounds": self.rounds,
            "rounds_per_second": _short(rate),
            "elapsed": _short(self.elapsed),
            "eta": None if left is None else _short(left),
            "place": self.place,
            "message": self.message,
            "preparing": self.preparing,
        }


@dataclass
class News:
    """What came in since the last tick."""

    rows: dict[str, dict[str, list[tuple[np.ndarray, np.ndarray]]]] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    reference: bool = False
    status: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.frames or self.events or self.reference or self.status)


class LiveView:
    """One run as its viewers see it. Filled by one thread, read by any."""

    def __init__(self, run_id: str, status: Status) -> None:
        self.run_id = run_id
        self.cursor = 0
        self._status = status
        self._series: dict[str, dict[str, Series]] = {}
        self._frames: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._reference: dict[str, Any] = {}
        self._news = News()
        self._delta = b""
        self._snapshot: tuple[int, bytes] | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._pace = _Pace()

    @property
    def active(self) -> bool:
        """Whether more deltas may come."""
        return self._status.state in ACTIVE

    @property
    def status(self) -> dict[str, Any]:
        with self._lock:
            return self._status.to_dict()

    def set_status(self, **changes: Any) -> None:
        with self._lock:
            before = self._status.to_dict()
            for name, value in changes.items():
                setattr(self._status, name, value)
            self._news.status |= self._status.to_dict() != before

    def add_rows(self, track: str, columns: tuple[str, ...], rounds: np.ndarray, values: np.ndarray) -> None:
        """``rounds`` (n,), ``values`` (n, c); the column ``seconds`` of ``turns`` is the training clock, not a curve."""
        with self._lock:
            series = self._series.setdefault(track, {})
            news = self._news.rows.setdefault(track, {})
            for index, name in enumerate(columns):
                if name == "seconds":
                    continue
                series.setdefault(name, Series()).extend(rounds, values[:, index])
                news.setdefault(name, []).append((rounds, values[:, index]))
            if track == "turns" and len(rounds):
                elapsed = float(values[-1, columns.index("seconds")])
                rate = self._pace.see(int(rounds[-1]), elapsed)
                self.set_status(round=int(rounds[-1]), elapsed=elapsed, rounds_per_second=rate)

    def add_frame(self, round: int, parts: dict[str, Any]) -> None:
        with self._lock:
            frame = {"round": round, "parts": parts}
            # A picture asked for twice in one round replaces the first.
            if self._frames and self._frames[-1]["round"] == round:
                self._frames.pop()
            self._frames.append(frame)
            self._news.frames.append(frame)

    def add_event(self, id: int, round: int, kind: str, data: dict[str, Any]) -> None:
        with self._lock:
            if kind == "reference":
                self._reference |= data
                self._news.reference = True
                return
            event = {"id": id, "round": round, "kind": kind, "data": data}
            self._events.append(event)
            self._news.events.append(event)

    def tick(self) -> None:
        """Turn the news into one delta and tell the subscribers; does nothing when there is no news."""
        with self._lock:
            if not self._news:
                return
            news, self._news = self._news, News()
            self.cursor += 1
            if news.reference:
                # What everything is drawn against has changed, once or twice in a run: begin anew.
                self._delta = self.snapshot()
            else:
                tracks = {
                    track: {name: _curve(*_joined(parts), DELTA_POINTS) for name, parts in columns.items()}
                    for track, columns in news.rows.items()
                }
                self._delta = _encode(self._envelope(full=False, tracks=tracks, frames=news.frames, events=news.events))
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def snapshot(self) -> bytes:
        """Everything, downsampled; the bytes are shared by all who ask at the same cursor."""
        with self._lock:
            if self._snapshot is None or self._snapshot[0] != self.cursor:
                tracks = {
                    track: {name: _curve(*one.points(), SNAPSHOT_POINTS) for name, one in columns.items()}
                    for track, columns in self._series.items()
                }
                full = self._envelope(full=True, tracks=tracks, frames=self._frames, events=self._events)
                self._snapshot = (self.cursor, _encode(full | {"reference": self._reference}))
            return self._snapshot[1]

    def delta(self, since: int) -> bytes | None:
        """What is new after cursor ``since``: None if nothing, the shared delta if it is one tick, else a snapshot."""
        with self._lock:
            if since == self.cursor:
                return None
            return self._delta if since == self.cursor - 1 else self.snapshot()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` from the recorder's thread after each new cursor; returns what ends it."""
        with self._lock:
            self._callbacks.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unsubscribe

    def _envelope(self, *, full: bool, **content: Any) -> dict[str, Any]:
        head = {"run": self.run_id, "cursor": self.cursor, "full": full, "status": self._status.to_dict()}
        return head | content


class _Pace:
    """Rounds per second over the last ten seconds or so of training."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def see(self, round: int, seconds: float) -> float:
        self._marks.append((seconds, round))
        while len(self._marks) > 2 and self._marks[1][0] < seconds - 10:
            self._marks.pop(0)
        (then, first), (now, last) = self._marks[0], self._marks[-1]
        return (last - first) / (now - then) if now > then else 0.0


def view_of_stored_run(store: RunStore, run: RunRecord) -> LiveView:
    """The view of a run that is not training here, read from the store."""
    status = Status(
        run.status,
        round=run.rounds,
        rounds=int(run.config.get("schedule", {}).get("rounds", run.rounds)),
        elapsed=float(run.summary.get("seconds", 0.0)),
        message=run.message,
    )
    view = LiveView(run.id, status)
    for name in store.track_names(run.id):
        track = store.track(run.id, name)
        if len(track.rounds):
            view.add_rows(name, track.columns, track.rounds, track.values)
    for frame in store.frames(run.id):
        view.add_frame(frame.round, frame.parts)
    for event in store.events(run.id):
        view.add_event(event.id, event.round, event.kind, event.data)
    view.set_status(round=max(run.rounds, status.round), rounds_per_second=0.0 if not run.active else status.rounds_per_second)
    view.cursor = int(time.time() * 1000) if run.active else 1
    view._news = News()
    return view


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def _curve(x: np.ndarray, y: np.ndarray, most: int) -> dict[str, list[Any]]:
    finite = np.isfinite(y)
    x, y = thin(x[finite], y[finite], most)
    return {"x": x.tolist(), "y": [_short(value) for value in y.tolist()]}


def _short(value: float) -> float | None:
    """Six significant digits are more than a pixel shows."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
