"""Copy as code: what the Python asks for is what the store holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gan_core
from gan_core.config import Comparison, RunConfig
from gan_core.engine.exchange.reproducing import code
from gan_core.training import resolve

Ask = Callable[[str], list[Any]]


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Run the code; what it asked of the public interface, which trains nothing here."""

    def execute(text: str) -> list[Any]:
        asked: list[Any] = []

        class Result:
            run = "made first"
            table = scalars = type("Table", (), {"plot": lambda self, **_: None})()

        def ask(*given: Any, **named: Any) -> Result:
            asked.append((given, named))
            return Result()

        for name in ("train", "compare", "fork"):
            monkeypatch.setattr(gan_core, name, ask, raising=False)
        exec(compile(text, "copied", "exec"), {})
        return asked

    return execute


def test_a_comparison_asks_for_the_same_runs(open_lab: Callable, small: Callable, asks: Ask) -> None:
    lab = open_lab(executor="thread")
    variants = [{"name": 'it\'s \\ "NS"', "changes": {}}, {"name": "LS", "changes": {"objective": "ls_gan"}}]
    made = lab.compare(Comparison.load({"base": small(), "variants": variants, "seeds": [0, 3], "rounds": 4}))
    ((comparison,), _) = asks(code(lab.store, made))[0]
    record = lab.store.comparison(made)
    assert comparison.to_dict() == record.spec
    configs = comparison.configs()
    assert [(member.variant, member.seed) for member in record.members] == list(configs)
    for member in record.members:
        assert resolve(configs[member.variant, member.seed]).to_dict() == lab.store.run(member.run).config
        lab.wait(member.run, 60)


def test_collected_runs_and_a_fork_ask_for_what_they_are(open_lab: Callable, small: Callable, asks: Ask) -> None:
    lab = open_lab()
    runs = [
        lab.submit(small(changes | {"schedule.rounds": 4}))
        for changes in ({}, {"objective": "wgan_gp"}, {"objective.penalties": {"r1": 2.0}}, {"seed": 8})
    ]
    for run in runs:
        lab.wait(run, 60)
    made = lab.collect(runs)
    asked = [given[0] for given, _ in asks(code(lab.store, made))]
    assert [config.to_dict() for config in asked] == [lab.store.run(run).config for run in runs]
    (((alone,), _),) = asks(code(lab.store, runs[1]))
    assert isinstance(alone, RunConfig)
    assert alone.to_dict() == lab.store.run(runs[1]).config
    child = lab.fork(runs[0], {"objective": "wgan_gp", "schedule.rounds": 6})
    lab.wait(child, 60)
    ((first,), stopped), ((parent, changes), named) = asks(code(lab.store, child))
    assert (first.to_dict(), stopped) == (lab.store.run(runs[0]).config, {"until": 4})
    assert parent == "made first"
    assert changes.keys() >= {"objective.name", "schedule.rounds"} or changes["objective"]
    again = lab.fork(runs[0], changes, **named)
    assert lab.store.run(again).config == lab.store.run(child).config
    assert lab.store.run(again).forked_at == lab.store.run(child).forked_at
