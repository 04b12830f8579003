"""A run or a comparison as the Python that makes it again."""

from __future__ import annotations

import pprint
from collections.abc import Mapping, Sequence
from typing import Any

from gan_core.config import Comparison, ConfigError, Difference, RunConfig, differences, differences_of, losses_of
from gan_core.engine.comparing.variants import changes_between, look_up
from gan_core.engine.library.history import Stage, line_of
from gan_core.store import ComparisonRecord, RunRecord, RunStore


def code(store: RunStore, wanted: str) -> str:
    """Python that trains the same runs again, through the public interface: with the knobs that were turned, each after the
    round that was over then, and up to where they were stopped. Raises RunNotFound, and ConfigError for settings of a
    version with other names.
    """
    comparison, run_ids = look_up(store, wanted)
    if comparison is None:
        return _of_run(store, store.run(run_ids[0]))
    members = [(member.variant, member.seed, store.run(member.run)) for member in comparison.members]
    lines = [line_of(store, run) for *_, run in members]
    if not comparison.collected and not any(line and (line[-1].knobs or line[-1].until) for line in lines):
        asked = Comparison.load(comparison.spec).model_dump(mode="json", exclude_none=True)
        return (
            "from gan_core import Comparison, compare\n\n"
            f"comparison = Comparison.load(\n{_literal(asked)}\n)\n"
            "result = compare(comparison)\nprint(result.table)\n"
        )
    base = RunConfig.load((lines[0] or [Stage(members[0][2].config)])[0].config)
    calls = [
        f"    ({variant!r}, {seed}): {_call(run, line, base)},"
        for (variant, seed, run), line in zip(members, lines, strict=True)
    ]
    return (
        f"from gan_core import {_imports(lines)}\n\n"
        f"base = RunConfig.load(\n{_literal(base.to_dict())}\n)\n"
        "results = {\n" + "\n".join(calls) + "\n}\n"
    )


def what_differs(comparison: ComparisonRecord, runs: Sequence[tuple[str, RunRecord]]) -> list[Difference]:
    """The fields in which the variants of a comparison differ; ``runs`` are its runs with their variants. Nothing where
    settings are of a version with other names."""
    try:
        if not comparison.collected:
            return differences_of(Comparison.load(comparison.spec))
        configs: dict[str, RunConfig] = {}
        for variant, run in runs:
            configs.setdefault(variant, RunConfig.load(run.config))
        asked = [path for entry in comparison.spec.get("variants", []) for path in entry.get("changes", {})]
        return differences(configs, asked)
    except ConfigError:
        return []


def _of_run(store: RunStore, run: RunRecord) -> str:
    line = line_of(store, run)
    if line is None:
        return (
            "from gan_core import fork\n\n"
            f"# It goes on from round {run.forked_at:,} of a run that must be in the store, with the settings of the fork.\n"
            f"result = {_call(run, line, RunConfig())}\n"
        )
    config = RunConfig.load(line[0].config)
    steps = [
        f"from gan_core import {_imports([line])}\n",
        f"config = RunConfig.load(\n{_literal(config.to_dict())}\n)",
    ]
    known = "config"
    for at, stage in enumerate(line):
        last = at == len(line) - 1
        name = "result" if last else f"before_{at + 1}"
        made = f"train({known}{_live(stage)})" if at == 0 else _fork(f"{known}.run", line[at - 1], stage)
        steps.append(f"{name} = {made}")
        known = name
    return "\n".join([*steps, f"result.scalars.plot(x='round', y={losses_of(run.config)})\n"])


def _call(run: RunRecord, line: Sequence[Stage] | None, base: RunConfig) -> str:
    """One expression that makes a run again, whatever it was forked from."""
    if line is None:
        return f"fork({run.parent!r}, {_settings(run.config)!r}, at={run.forked_at})"
    *before, stage = line
    if not before:
        return f"train({_replaced(base, RunConfig.load(stage.config))}{_live(stage)})"
    return _fork(f"{_call(run, before, base)}.run", before[-1], stage)


def _fork(parent: str, left: Stage, stage: Stage) -> str:
    return f"fork({parent}, {_changed(left, stage)!r}, at={stage.begins_at}{_live(stage)})"


def _changed(left: Stage, stage: Stage) -> dict[str, Any]:
    """What a fork changed of the settings that its parent had come to; all of them where that cannot be said shortly."""
    child = RunConfig.load(stage.config)
    turned: dict[str, float] = {}
    for values in left.knobs.values():
        turned |= values
    parent = RunConfig.load(left.config).replace(turned)
    changes = changes_between(parent, child)
    return changes if parent.replace(changes) == child else _settings(stage.config)


def _live(stage: Stage) -> str:
    """The knobs that were turned, and where it stopped, as further arguments."""
    turned = "".join(f"\n    {round}: {values!r}," for round, values in stage.knobs.items())
    knobs = f", knobs={{{turned}\n}}" if turned else ""
    return knobs + (f", until={stage.until}" if stage.until else "")


def _imports(lines: Sequence[Sequence[Stage] | None]) -> str:
    forks = any(line is None or len(line) > 1 for line in lines)
    return "RunConfig, fork, train" if forks else "RunConfig, train"


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """All that the fork was configured with, as changes: what is the same as in its parent changes nothing there."""
    settings = RunConfig.load(config).to_dict()
    # What names others comes before them.
    changes: dict[str, Any] = {name: settings.pop(name) for name in ("game", "objective") if name in settings}
    for section, value in settings.items():
        group = value if isinstance(value, dict) else {"": value}
        changes |= {f"{section}.{key}".rstrip("."): entry for key, entry in group.items()}
    return changes


def _replaced(base: RunConfig, config: RunConfig) -> str:
    if config == base:
        return "base"
    changes = changes_between(base, config)
    if base.replace(changes) == config:
        return f"base.replace({changes!r})"
    return f"RunConfig.load({config.to_dict()!r})"


def _literal(value: Any) -> str:
    text = pprint.pformat(value, width=100, sort_dicts=False)
    return "\n".join(f"    {line}" for line in text.splitlines())
