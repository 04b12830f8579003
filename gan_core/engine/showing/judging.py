"""The verdict of one run, from what is recorded of it, as its viewers and the store get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gan_core.config import ALL_CURES, RunConfig, label_of, short_label_of
from gan_core.metrics.course import Facts, LiveChange
from gan_core.metrics.judges import JUDGES, Judges
from gan_core.metrics.states import BEGINNING, Verdict
from gan_core.training import GAMES
from gan_core.training.knobs import knobs_of

BUDGET = ("schedule.rounds", "schedule.seconds")
NO_CAUSE = ("diagnostics.", "seed", "device")  # what is looked at does not change what is trained

UNJUDGED = "No verdict is known of this game: nothing is said of it beyond its curves and measurements."


class RunJudge:
    """Collects rows and references of a run in whatever order they come; ``settle`` judges what has come.

    Called by one thread at a time, never by the one that trains. Of a game without a judge it says just
    that, and divergence. Of the cures it names only those that ``config``, where it
    is known, can take and does not have yet.
    """

    def __init__(self, rounds: int, config: RunConfig | None = None) -> None:
        self._config = config
        self._at_work: dict[str, Any] | None = None
        self._fitting: dict[str, bool] = {}
        self._knobs: dict[str, float] | None = None
        self._heard: set[tuple[Any, ...]] = set()
        game = GAMES[config.game if config is not None else "gan"]
        self._judge: Judges = JUDGES[game.verdict or "adversarial"](Facts({}, rounds=rounds, columns=game.reads))
        self._judged = bool(game.verdict)
        if not self._judged:
            self._judge.verdict = Verdict("unjudged", 0, sentence=UNJUDGED)
        self._reference: dict[str, Any] = {}
        self._measured: list[tuple[int, dict[str, float]]] = []
        self._told = 0

    @property
    def verdict(self) -> Verdict:
        return self._judge.verdict

    @property
    def healthy_round(self) -> int | None:
        """The last measurement at which nothing was wrong."""
        return self._judge.healthy_round

    @property
    def waiting(self) -> bool:
        """Whether measurements have come that were not judged."""
        return bool(self._measured)

    def add_reference(self, data: dict[str, Any]) -> None:
        self._reference |= data
        lines = self._reference.get("lines") or {}
        likely = self._reference.get("score_unit") == "probability"
        self._judge.facts = Facts(
            floors={name: float(value) for name, value in (self._reference.get("floors") or {}).items()},
            num_modes=len(self._reference.get("class_names") or ()),
            rounds=self._judge.facts.rounds,
            output="probability" if likely else "score",
            equilibrium={column: float(marks[0][0]) for column, marks in lines.items() if marks},
            images=self.images,
            beside=self._reference.get("beside") or {},
            columns=self._judge.facts.columns,
        )

    def add_rows(self, track: str, columns: tuple[str, ...], rounds: np.ndarray, values: np.ndarray) -> None:
        if track == "turns":
            table = {name: values[:, index] for index, name in enumerate(columns)}
            self._judge.add_turns({**table, "round": rounds})
        elif track == "diagnostics":
            for round, row in zip(rounds.tolist(), values.tolist(), strict=True):
                self._measured.append((round, dict(zip(columns, row, strict=True))))

    def settle(self) -> list[Verdict]:
        """Judge the measurements that have come, each after the rounds before it; returns the changes of state."""
        measured, self._measured = self._measured, []
        for round, numbers in measured if self._judged else ():
            self._judge.add_check(round, numbers)
        return self._news()

    def set_diverged(self, round: int, message: str) -> list[Verdict]:
        """The run has ended because a number was not finite."""
        self._judge.set_diverged(round, f"{message[:1].upper()}{message[1:]}." if message else "")
        return self._news()

    def add_event(self, round: int, kind: str, data: Mapping[str, Any]) -> None:
        """What happened to the run at ``round``: a knob or a fork may be what broke it. Told twice is once."""
        changes = {name: value for name, value in (data.get("changes") or {}).items() if not name.startswith(NO_CAUSE)}
        heard = (round, kind, tuple(sorted((name, str(value)) for name, value in changes.items())))
        if kind not in ("knob", "forked") or heard in self._heard:
            return
        self._heard.add(heard)
        if kind == "knob":
            self._turned(round, changes)
        else:
            self._knobs = None  # what the parent had turned is in the configuration
            self._forked(
                round, data.get("cure"), [name for name in changes if name not in BUDGET], data.get("label", "")
            )

    def _turned(self, round: int, values: Mapping[str, float]) -> None:
        """Knobs have these values from the next round on; what they had before is their undo."""
        if self._knobs is None:
            self._knobs = knobs_of(self._config) if self._config is not None else {}
        before = {name: self._knobs[name] for name in values if self._knobs.get(name, values[name]) != values[name]}
        self._knobs |= values
        label = ", ".join(f"{short_label_of(name)} → {value:g}" for name, value in values.items())
        back = ", ".join(f"{label_of(name)} back to {value:g}" for name, value in before.items())
        self._judge.add_change(LiveChange(round, label, before, back))

    def _forked(self, round: int, cure: str | None, changed: list[str], label: str) -> None:
        """The run, or one that it comes from, was forked; ``cure`` is the change-set that it got there, if any."""
        if self._has(cure):
            self._at_work = {"cure": cure, "round": round}
        elif cure is None and changed:
            self._judge.add_change(LiveChange(round, label.replace("forked:", "the fork:") or "the fork"))

    def told(self) -> dict[str, Any]:
        """The verdict as of now, JSON-able; ``at_work`` is the cure that the run was forked with, and since when."""
        now = told(self.verdict, images=self.images)
        left = [name for name in now["cures"] if self._fits(name) and not self._has(name)]
        return {**now, "cures": left, "at_work": self._at_work}

    def _fits(self, cure: str) -> bool:
        if cure not in self._fitting:
            self._fitting[cure] = self._config is None or cure not in ALL_CURES or ALL_CURES[cure].fits(self._config)
        return self._fitting[cure]

    def _has(self, cure: str | None) -> bool:
        return self._config is not None and cure in ALL_CURES and ALL_CURES[cure].holds_in(self._config)

    @property
    def images(self) -> bool:
        """Whether the run makes images: of points, the real ones are part of the reference."""
        return not any(name in self._reference for name in ("points", "real_density"))

    def _news(self) -> list[Verdict]:
        news, self._told = self._judge.changes[self._told :], len(self._judge.changes)
        return [change for change in news if change.state not in BEGINNING]


def told(verdict: Verdict, *, images: bool) -> dict[str, Any]:
    """A verdict for the wire, the store and a terminal."""
    return verdict.to_dict() | {"label": verdict.title, "cures": list(verdict.cures(images=images))}
