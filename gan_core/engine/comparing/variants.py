"""What the runs of a comparison are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gan_core.config import Comparison, ConfigError, Problem, RunConfig, diff, differences, flatten, story_of
from gan_core.config.comparison import MOST_RUNS, MOST_VARIANTS
from gan_core.store import ComparisonRecord, RunNotFound, RunStore
from gan_core.training import resolve

# What says nothing of what a run computes, or only how it is looked at.
ASIDE = {"seed": 0, "device": "auto", "diagnostics": {}, "schedule.checkpoint_seconds": 30.0}
_WHOLE = ("objective.penalties", "objective.options", "data.options")


def look_up(store: RunStore, wanted: str) -> tuple[ComparisonRecord | None, list[str]]:
    """A comparison with the ids of its runs, or a run alone, by an id. Raises RunNotFound."""
    try:
        comparison = store.comparison(wanted)
    except RunNotFound:
        try:
            return None, [store.run(wanted).id]
        except RunNotFound:
            raise NothingFound(wanted) from None
    return comparison, [member.run for member in comparison.members]


class NothingFound(RunNotFound):
    """Neither a run nor a comparison has this id."""

    def __str__(self) -> str:
        return f"There is no run and no comparison {str(self.args[0])[:64]!r}."


def resolve_variant(variant: str, config: RunConfig) -> RunConfig:
    """The resolved config of a run. Raises ConfigError whose problems name the variant."""
    try:
        return resolve(config)
    except ConfigError as error:
        raise ConfigError(Problem(p.field, f"{p.message} (in {variant!r})") for p in error.problems) from None


def comparison_name(comparison: Comparison) -> str:
    """``ring: NS GAN, WGAN GP``."""
    return f"{comparison.base.data.name}: {', '.join(variant.name for variant in comparison.variants)}"


def variants_of(
    runs: Sequence[tuple[str, RunConfig]],
) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str, int]]]:
    """Runs sorted into variants, with what each changes of the first one; and ``(run, variant, seed)`` for each run.

    Runs whose configs differ in their seed alone are one variant. Raises ConfigError for too few or too many of them.
    """
    kinds: list[RunConfig] = []
    members: list[tuple[str, int, int]] = []
    for run_id, config in runs:
        kind = config.replace(ASIDE)
        if kind not in kinds:
            kinds.append(kind)
        members.append((run_id, kinds.index(kind), config.seed))
    if not 2 <= len(kinds) <= MOST_VARIANTS or len(runs) > MOST_RUNS:
        told = f"these {len(runs)} runs are {len(kinds)} variants (runs that differ in their seed alone are one)"
        raise ConfigError([Problem("", f"{told}; choose 2 to {MOST_VARIANTS} variants, at most {MOST_RUNS} runs")])
    changes = [changes_between(kinds[0], kind) for kind in kinds]
    names = _names(kinds)
    return dict(zip(names, changes, strict=True)), [(run_id, names[index], seed) for run_id, index, seed in members]


def changes_between(before: RunConfig, after: RunConfig) -> dict[str, Any]:
    """The fewest dotted changes that lead from one configuration to the other: the objective first, then what differs
    from its recipe."""
    changes: dict[str, Any] = {}
    for name, key in (("game", lambda config: config.game), ("objective", lambda config: config.recipe)):
        if key(after) and key(after) != key(before):
            changes[name] = key(after)
            before = before.replace({name: key(after)})
    settings = after.to_dict()
    for field, (_, value) in diff(before, after).items():
        group = next((path for path in _WHOLE if field.startswith(f"{path}.")), None)
        if group is None:
            changes[field] = value
        else:  # one that is gone has no value of its own
            section, name = group.split(".")
            changes[group] = settings[section][name]
    return changes


def _names(kinds: Sequence[RunConfig]) -> list[str]:
    """Short names that tell the variants apart: their objectives, or the values of what differs."""
    names = [kind.recipe or kind.game for kind in kinds]
    if len(set(names)) < len(kinds):
        fields = [difference.field for difference in differences({str(i): kind for i, kind in enumerate(kinds)})]
        flat = [flatten(kind.to_dict()) for kind in kinds]
        names = [story_of({field: values.get(field) for field in fields})[:50] for values in flat]
    return [name if names.count(name) == 1 else f"{name} ({index + 1})" for index, name in enumerate(names)]
