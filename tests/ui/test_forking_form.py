"""Forking from a page: the fewest changes that say the same, and the tree of who came from whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gan_core.config import CURES, OBJECTIVES, TRICKS, RunConfig, flatten
from gan_core.engine.comparing.variants import changes_between
from gan_core.store import RunRecord
from gan_core.store.records import Event
from gan_core.training import resolve
from gan_core.ui.forking import cures_for, family_tree, origin

CHANGES: list[dict[str, Any]] = [
    {},
    {"optimizers.generator.lr": 0.5},
    {"objective.penalties": {"r1": 2.0}},
    {"objective": "wgan_gp", "objective.penalties": {}},
    {"objective": "wgan_gp", "objective.penalties.gradient_penalty": 0.1, "schedule.n_critic": 3},
    {"data.batch_size": 16, "seed": 3, "objective.clip_value": 0.1},
    *({"objective": objective} for objective in OBJECTIVES),
    *(flatten(trick.settings) for trick in TRICKS.values()),
]


@pytest.mark.parametrize("base", ["ns_gan", "wgan_gp", "began", "ragan"])
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_changes_lead_from_the_parent_to_what_the_form_says(base: str, changes: dict[str, Any]) -> None:
    parent = resolve(RunConfig().replace({"objective": base, "device": "cpu"}))
    child = parent.replace(changes)
    found = changes_between(parent, child)
    assert parent.replace(found) == child
    assert len(found) <= max(len(changes), 1) + 2
    if child.objective.name == base and not changes:
        assert found == {}


def record(id: str, **fields: Any) -> RunRecord:
    empty: dict[str, Any] = dict.fromkeys(RunRecord.__dataclass_fields__)
    return RunRecord(**{**empty, "id": id, "name": id.title(), "status": "stopped", "rounds": 7, **fields})


def test_the_tree_shows_every_relative_once_and_where_one_is() -> None:
    family = [
        record("root", name="Root [a]"),
        record("one", parent="root", forked_at=1200),
        record("two", parent="root", forked_at=5),
        record("three", parent="one", forked_at=2000),
    ]
    beside = "[beside this one](watch?run=three&beside={})".format
    assert family_tree(family[3], family).splitlines() == [
        f"- [Root \\[a\\]](watch?run=root) · stopped, 7 rounds · {beside('root')}",
        f"    - [One](watch?run=one) at round 1,200 · stopped, 7 rounds · {beside('one')}",
        "        - **Three** at round 2,000 · stopped, 7 rounds",
        f"    - [Two](watch?run=two) at round 5 · stopped, 7 rounds · {beside('two')}",
    ]
    assert family_tree(family[0], family[:1]) == ""
    orphans = [replace(family[1]), replace(family[3])]  # their parent was deleted
    assert len(family_tree(orphans[0], orphans).splitlines()) == 2


def test_the_origin_says_what_changed_and_what_could_not_go_over() -> None:
    child = record("child", parent="root")
    data = {"parent": "root", "name": "Root", "changes": {"objective": "wgan_gp"}, "anew": ["D, Linear at 1: new"]}
    older = Event(1, 3, 0.0, "forked", {"parent": "grandparent"})
    told = origin(child, [older, Event(2, 1500, 0.0, "forked", data)])
    assert told == (
        "Forked from [Root](watch?run=root) at round 1,500: objective = wgan_gp. Begins anew: D, Linear at 1: new."
    )
    assert origin(child, [older]) is None
    assert origin(record("alone"), []) is None


def test_every_cure_that_changes_a_run_is_offered() -> None:
    parent = resolve(RunConfig().replace({"data.name": "ring", "device": "cpu"}))
    cures = cures_for(parent)
    assert set(cures) <= set(CURES)
    assert {"r1", "wgan_gp", "packing_4"} <= set(cures)
    assert "r1" not in cures_for(parent.replace(CURES["r1"].changes))
    assert all(changes_between(parent, cured) for cured in cures.values())
