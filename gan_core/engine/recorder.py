"""From a job's messages to the store and to the viewers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gan_core.engine.live import LiveView
from gan_core.engine.messages import Ended, Message, Note, Rows, Sight, State
from gan_core.engine.pictures import png, tile
from gan_core.store import RunStore


class Recorder:
    """Writes down one run. Called by the lab's one recorder thread only."""

    def __init__(self, store: RunStore, view: LiveView) -> None:
        self._store = store
        self._view = view
        self._run_id = view.run_id
        self._events = 0

    def record(self, message: Message) -> None:
        """Store a message and show it. ``Ended`` is the lab's: it frees the place of the run."""
        match message:
            case Rows():
                self._store.append(self._run_id, message.track, message.columns, message.rounds, message.values)
                self._view.add_rows(message.track, message.columns, message.rounds, message.values)
            case Sight():
                parts = {name: self._shown(name, part) for name, part in message.parts.items()}
                self._store.add_frame(self._run_id, message.round, parts)
                self._view.add_frame(message.round, parts)
            case Note():
                self.event(message.round, message.kind, message.data)
            case State():
                self._store.update(self._run_id, wait=False, status=message.state, rounds=message.round)
                self._view.set_status(state=message.state, round=message.round)
                self.event(message.round, message.state, {})
            case Ended():
                raise TypeError("the end of a run is not the recorder's")

    def event(self, round: int, kind: str, data: dict[str, Any]) -> None:
        self._store.add_event(self._run_id, round, kind, data)
        self._events += 1
        self._view.add_event(self._events, round, kind, data)

    def _shown(self, name: str, part: Any) -> Any:
        """Arrays of images become a picture, point clouds a file; what is small stays as it is."""
        if isinstance(part, np.ndarray):
            file = self._store.save_artefact(self._run_id, name, "png", png(tile(part)))
            return {"file": file, "count": len(part)}
        if name == "points":
            data = json.dumps(part, separators=(",", ":")).encode()
            return {"file": self._store.save_artefact(self._run_id, name, "json", data)}
        return part
