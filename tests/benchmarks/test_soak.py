"""What the soak takes for growth, who visits, and that each bench has a section of its own in a document."""

from __future__ import annotations

import random
from argparse import Namespace
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from benchmarks.sections import write_section
from benchmarks.soak import Soak, Usage, growth, visits


def test_growth_compares_the_last_quarter_with_the_first_after_warm_up() -> None:
    seen = [Usage(at, 500 if at < 25 else 100 + at + (300 if at % 10 == 3 else 0), 0, 0, 0, 0) for at in range(130)]
    first, last = growth(seen, "memory", until=100)
    assert first == pytest.approx(134, abs=1)
    assert last == pytest.approx(191, abs=1)


def test_visitors_are_spread_evenly_and_a_few_are_browsers() -> None:
    coming = visits(500, 7200, 5, random.Random(0))
    assert [sum(quarter <= visit.at < quarter + 1800 for visit in coming) for quarter in (0, 1800, 3600, 5400)] == [
        125
    ] * 4
    assert sum(visit.drawn for visit in coming) == 5
    assert all(visit.seconds >= 3 for visit in coming)


class Watch:
    """A clock that goes on when it is told to."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_visitor_that_came_late_stays_as_long_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch, stayed = Watch(), {}
    bench = object.__new__(Soak)
    bench.options, bench.seconds, bench.rng = Namespace(sessions=40, drawn=2, runs=1), 400.0, random.Random(0)
    bench.meter, bench.crowd, bench.faults = watch, MagicMock(), []
    monkeypatch.setattr("benchmarks.soak.time.sleep", watch.sleep)
    monkeypatch.setattr(bench, "_start", lambda preset: None)
    monkeypatch.setattr(bench, "_tell", lambda coming, here: None)
    monkeypatch.setattr(bench, "_draw", lambda visit: watch.sleep(60))
    monkeypatch.setattr(bench, "_viewer", lambda visit: [visit, watch.now])
    monkeypatch.setattr(bench, "_dismiss", lambda viewer: stayed.update({viewer[0]: watch.now - viewer[1]}))
    bench.play()
    early = {visit: seconds for visit, seconds in stayed.items() if visit.at < 300}
    assert len(early) > 20
    assert all(seconds >= visit.seconds for visit, seconds in early.items())


def test_a_section_is_written_anew_and_leaves_the_others_alone(tmp_path: Path) -> None:
    document = tmp_path / "results.md"
    write_section(document, "One", "first")
    write_section(document, "Two", "second")
    write_section(document, "One", "again")
    assert document.read_text() == "# Results\n\n## One\n\nagain\n\n## Two\n\nsecond\n"
