"""What happened to a run beside its configuration: knobs, forks, pauses, stops; as sentences, and as what makes it again.

A knob has the round that was over when it was turned: it acts from the next one on, whether the run trained, was paused or
was played step by step (a round that has begun is played to its end first). So a run is its configuration, its knobs by
round, and where it stopped; a fork is that of its parent up to a round, and what was changed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gan_core.config import MOST_ROUNDS, ConfigError, Problem, RunConfig, story_of, turned
from gan_core.engine.messages import Turned
from gan_core.store import Event, RunNotFound, RunRecord, RunStore
from gan_core.training import check

KnobsByRound = Mapping[int, Mapping[str, float]]
PLANNED = "planned"
"""The event of a run that is to turn knobs by itself: ``{"knobs": [[round, values], …], "until": round or null}``."""


@dataclass(frozen=True)
class Stage:
    """A run of a line of forks: its settings, what was turned by round, and the round at which it was left, if it was."""

    config: Mapping[str, Any]
    begins_at: int = 0
    knobs: Mapping[int, dict[str, float]] = field(default_factory=dict)
    until: int | None = None


@dataclass(frozen=True)
class Happening:
    """Something that was done to a run when so many rounds were over; ``mark`` says what changed the numbers, in few words."""

    round: int
    what: str
    mark: str = ""


def plan(config: RunConfig, knobs: KnobsByRound, *, begins_at: int = 0, until: int | None = None) -> tuple[Turned, ...]:
    """Knobs to be turned by a run of ``config``, in order. Raises ConfigError for what it cannot do."""
    if until is not None and not begins_at < until <= config.schedule.rounds:
        allowed = f"a round from {begins_at + 1:,} to {config.schedule.rounds:,}"
        raise ConfigError([Problem("until", f"the run cannot stop at {until}; choose {allowed}")])
    last = config.schedule.rounds if until is None else until
    stands: dict[str, float] = {}
    for round in sorted(knobs):
        if not begins_at <= round <= last:
            raise ConfigError([Problem("knobs", f"round {round} is not one from {begins_at:,} to {last:,}")])
        stands |= knobs[round]
        check(config, stands)
    return tuple(Turned(round, dict(knobs[round])) for round in sorted(knobs))


def planned(knobs: Sequence[Turned], until: int | None) -> dict[str, Any] | None:
    """The data of the event ``PLANNED``; None where nothing is."""
    return {"knobs": [[wish.round, wish.values] for wish in knobs], "until": until} if knobs or until else None


def what_is_left(events: Sequence[Event], played: int) -> tuple[tuple[Turned, ...], int | None]:
    """The knobs that a run which goes on after ``played`` rounds turns at their rounds, and where it stops.

    Those that were planned, and those that somebody turned in rounds which will be played again.
    """
    own = _own(events)
    wished: dict[int, list[dict[str, float]]] = {}
    stops: list[int] = []
    for event in own:
        if event.kind == PLANNED:
            wished |= _wishes(event.data.get("knobs"))
            until = event.data.get("until")
            stops += [until] if isinstance(until, int) and until > played else []
    recorded: dict[int, list[dict[str, float]]] = {}
    for event in own:
        if event.kind == "knob":
            recorded.setdefault(event.round, []).append(_numbers(event.data.get("changes")))
    wished |= recorded  # where somebody turned more at the round of a plan, the plan was first and is on record too
    left = [
        Turned(round, values, told=round == played and round in recorded)
        for round in sorted(wished)
        for values in wished[round]
        if round >= played
    ]
    return tuple(left), min(stops, default=None)


def line_of(store: RunStore, run: RunRecord) -> list[Stage] | None:
    """The run and what it was forked from, the first of the line first; None where a parent is not known any more."""
    stages: list[Stage] = []
    knobs: dict[int, dict[str, float]] = {}
    begins_at = 0
    for event in store.events(run.id):
        if event.kind == "knob":
            knobs[event.round] = knobs.get(event.round, {}) | _numbers(event.data.get("changes"))
        elif event.kind == "forked":
            config = event.data.get("config") or _config_of(store, event.data.get("parent"))
            if config is None:
                return None
            stages.append(Stage(config, begins_at, knobs, event.round))
            begins_at, knobs = event.round, {}
    if begins_at != (run.forked_at or 0):
        return None
    return [*stages, Stage(run.config, begins_at, knobs, _stopped_at(run))]


def happenings(store: RunStore, run: RunRecord) -> list[Happening]:
    """What was done to a run and to what it was forked from, in order."""
    told: list[Happening] = []
    paused: int | None = None
    for event in store.events(run.id):
        data, why = event.data, str(event.data.get("message", ""))
        if event.kind == "knob":
            changed = turned(_numbers(data.get("changes")))
            told.append(Happening(event.round, f"{changed}, from round {event.round + 1:,} on", changed))
        elif event.kind == "forked":
            name = str(data.get("name") or data.get("parent", ""))
            story = story_of(data.get("changes", {}))
            told.append(Happening(event.round, f"forked from {name}: {story}", f"forked: {story}"))
        elif event.kind == "fork":
            told.append(Happening(event.round, f"another run was forked from it ({data.get('label', '')})"))
        elif event.kind == "stepped":
            told.append(Happening(event.round, f"played by hand: {_steps(data)}"))
        elif event.kind == "paused":
            paused = event.round
            told.append(Happening(event.round, f"paused{_because(why)}"))
        elif event.kind == "resumed":
            if paused == event.round and told[-1].what == "paused":
                told[-1] = Happening(event.round, "paused, and went on")
            else:
                told.append(Happening(event.round, f"went on{_because(why)}"))
            paused = None
        elif event.kind in ("stopped", "interrupted", "failed", "diverged"):
            told.append(Happening(event.round, f"{event.kind}{_because(why)}"))
        elif event.kind == "not_the_same":
            told.append(Happening(event.round, why))
    return told


def marks(happened: Iterable[Happening]) -> list[tuple[float, str]]:
    """What changed the run, as marks on an axis of rounds."""
    return [(float(one.round), one.mark) for one in happened if one.mark]


def _own(events: Sequence[Event]) -> list[Event]:
    """The events of a run since it is a run of its own: not those of its parents."""
    last = max((at for at, event in enumerate(events) if event.kind == "forked"), default=-1)
    return list(events[last + 1 :])


def _config_of(store: RunStore, run_id: Any) -> Mapping[str, Any] | None:
    try:
        return store.run(str(run_id)).config
    except RunNotFound:
        return None


def _stopped_at(run: RunRecord) -> int | None:
    """The round at which a run ended before its time, or because its time was over, which another machine would not meet."""
    schedule = run.config.get("schedule", {})
    by_clock = run.status == "finished" and run.rounds < schedule.get("rounds", MOST_ROUNDS)
    return run.rounds if (by_clock or run.status in ("stopped", "interrupted")) and run.rounds else None


def _wishes(pairs: Any) -> dict[int, list[dict[str, float]]]:
    """What a plan says, by round."""
    wished: dict[int, list[dict[str, float]]] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], int):
            wished.setdefault(pair[0], []).append(_numbers(pair[1]))
    return wished


def _numbers(values: Any) -> dict[str, float]:
    """The knobs among what an event says, which a pack may have brought."""
    named = values.items() if isinstance(values, Mapping) else ()
    return {name: value for name, value in named if isinstance(value, int | float)}


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _steps(data: Mapping[str, int]) -> str:
    """What was played by hand: ``step:<player>`` to the end of that player's turn, or whole rounds."""
    words = {step: f"to the end of {step.partition(':')[2]}'s turn" for step in sorted(data) if ":" in step}
    words["step_round"] = "round by round"
    return ", ".join(f"{data[step]} × {name}" for step, name in words.items() if step in data)
