"""A run or a comparison as the Python that makes it again."""

from __future__ import annotations

import pprint
from collections.abc import Sequence
from typing import Any

from gan_core.config import Comparison, ConfigError, Difference, RunConfig, differences, differences_of
from gan_core.engine.comparing import changes_between
from gan_core.engine.packs import look_up
from gan_core.store import ComparisonRecord, RunRecord, RunStore


def code(store: RunStore, wanted: str) -> str:
    """Python that trains the same runs again, through the public interface. Raises RunNotFound, and ConfigError for settings
    of a version with other names."""
    comparison, run_ids = look_up(store, wanted)
    if comparison is None:
        return _of_run(store.run(run_ids[0]))
    if not comparison.collected:
        asked = Comparison.load(comparison.spec).model_dump(mode="json", exclude_none=True)
        return (
            "from gan_core import Comparison, compare\n\n"
            f"comparison = Comparison.load(\n{_literal(asked)}\n)\n"
            "result = compare(comparison)\nprint(result.table)\n"
        )
    runs = [RunConfig.load(store.run(member.run).config) for member in comparison.members]
    base = runs[0]
    lines = [
        f"    ({member.variant!r}, {member.seed}): {_replaced(base, config)},"
        for member, config in zip(comparison.members, runs, strict=True)
    ]
    return (
        "from gan_core import RunConfig, train\n\n"
        f"base = RunConfig.load(\n{_literal(base.to_dict())}\n)\n"
        "configs = {\n" + "\n".join(lines) + "\n}\n"
        "results = {which: train(config) for which, config in configs.items()}\n"
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


def _of_run(run: RunRecord) -> str:
    if run.parent is None:
        config = RunConfig.load(run.config)
        return (
            "from gan_core import RunConfig, train\n\n"
            f"config = RunConfig.load(\n{_literal(config.to_dict())}\n)\n"
            "result = train(config)\nresult.scalars.plot(x='round', y=['D.loss', 'G.loss'])\n"
        )
    return (
        "from gan_core import fork\n\n"
        f"# It goes on from round {run.forked_at:,} of a run that must be in the store, with the settings of the fork.\n"
        f"result = fork(\n    {run.parent!r},\n{_literal(_settings(run))},\n    at={run.forked_at},\n)\n"
    )


def _settings(run: RunRecord) -> dict[str, Any]:
    """All that the fork was configured with, as changes: what is the same as in its parent changes nothing there."""
    settings = RunConfig.load(run.config).to_dict()
    changes: dict[str, Any] = {"objective": settings.pop("objective")}
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
