"""The newest runs as cards, and the picture that stands for a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from gan_core.engine.showing.live import LiveView, Status, rounds_of, seconds_of
from gan_core.engine.showing.parts import SMALL
from gan_core.store import ComparisonRecord, DamagedRun, RunNotFound, RunRecord, RunStore, StoreError

CARDS_SECONDS = 1.0
MOST_RUNS = 60  # that are looked through for cards
MOST_UNENDED = 4  # beyond those asked for that are looked at, in case they have not ended
UNENDED = ("running", "paused", "queued", "stuck", "interrupted")  # the more urgent first


class RunCards:
    """``live(run_id)`` is the view of a run that is queued or trains here, None of any other. Safe to use from any thread."""

    def __init__(self, store: RunStore, live: Callable[[str], LiveView | None]) -> None:
        self._store, self._live = store, live
        self._made: dict[int, tuple[float, list[dict[str, Any]]]] = {}

    def forget(self) -> None:
        """Make the cards anew when they are asked for again."""
        self._made.clear()

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """What is newest outside the archive, JSON-able: runs, and comparisons as one card each; what has not ended first.

        At most a second old, since every visitor asks again and again.
        """
        made, cards = self._made.get(limit, (-math.inf, []))
        if time.monotonic() - made > CARDS_SECONDS:
            cards = self._newest(limit)
            self._made[limit] = (time.monotonic(), cards)
        return cards

    def _newest(self, limit: int) -> list[dict[str, Any]]:
        of = {member.run: comparison for comparison in self._store.comparisons() for member in comparison.members}
        cards: dict[str, dict[str, Any]] = {}
        for run in self._store.runs(limit=MOST_RUNS, include_archived=False):
            comparison = of.get(run.id)
            key = comparison.id if comparison else run.id
            if key in cards or len(cards) < limit + MOST_UNENDED:
                card = self._card(run)
                cards[key] = card if comparison is None else _together(cards.get(key), card, comparison)
        return sorted(cards.values(), key=lambda card: card["state"] not in UNENDED)[:limit]

    def _card(self, run: RunRecord | DamagedRun) -> dict[str, Any]:
        if isinstance(run, DamagedRun):
            known: dict[str, Any] = {"id": run.id, "name": run.id, "state": "damaged", "message": str(run)}
            numbers = dict.fromkeys(("round", "rounds", "share", "updated"), 0)
            return known | numbers | {"place": None, "thumb": None, "verdict": {}}
        view = self._live(run.id)
        if view is not None:
            status = view.status
        else:
            seconds = float(run.summary.get("seconds") or 0.0)
            told = Status(run.status, run.rounds, rounds_of(run), seconds_of(run), elapsed=seconds)
            status = told.to_dict() | {"verdict": run.summary.get("verdict", {})}
        return {
            "id": run.id,
            "name": run.name,
            "state": "stuck" if status["stuck"] else status["state"],
            "round": status["round"],
            "rounds": status["rounds"],
            "share": status["share"],
            "place": status["place"],
            "thumb": self.thumbnail(run.id),
            "data": _entry(run.config, "data", "name"),
            "objective": _entry(run.config, "objective", "name") or _entry(run.config, "game"),
            "verdict": status["verdict"],
            "updated": run.ended_at or run.started_at or run.created_at,
        }

    def thumbnail(self, run_id: str) -> str | None:
        """The artefact that shows the newest samples of a run as a small picture, if there is one."""
        view = self._live(run_id)
        for part in SMALL:
            try:
                frame = self._store.latest_frame(run_id, part) if view is None else None
            except (StoreError, RunNotFound):
                return None
            parts = view.latest_parts if view is not None else frame.parts if frame else {}
            if file := _entry(parts, part, "file"):
                return file
        return None


def _together(known: dict[str, Any] | None, card: dict[str, Any], comparison: ComparisonRecord) -> dict[str, Any]:
    """One card for what was known of a comparison and one more of its runs: its state is that of the one least at its end."""
    if known is None:
        told = {"id": comparison.id, "name": comparison.name, "comparison": True, "thumb_of": card["id"], "runs": 1}
        return card | told | {"verdict": {}, "shares": [card["share"] or 0.0]}
    shares = [*known["shares"], card["share"] or 0.0]
    urgency = {state: place for place, state in enumerate(UNENDED)}
    state = min(known["state"], card["state"], key=lambda one: urgency.get(one, len(UNENDED)))
    thumb = {"thumb": card["thumb"], "thumb_of": card["id"]} if card["thumb"] and not known["thumb"] else {}
    told = {"state": state, "share": sum(shares) / len(shares), "shares": shares, "runs": len(shares)}
    return known | told | thumb


def _entry(node: Any, *path: str) -> str:
    """A text somewhere in nested dicts, "" if it is not there: what is stored may come from any version."""
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, str) else ""
