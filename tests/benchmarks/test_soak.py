"""What the soak takes for growth, who visits, and that each bench has a section of its own in a document."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.sections import write_section
from benchmarks.soak import Usage, growth, visits


def test_growth_is_the_last_quarter_after_the_warm_up_against_the_first_whatever_a_moment_needs() -> None:
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
    assert all(visit.leaves > visit.at for visit in coming)


def test_a_section_is_written_anew_and_leaves_the_others_alone(tmp_path: Path) -> None:
    document = tmp_path / "results.md"
    write_section(document, "One", "first")
    write_section(document, "Two", "second")
    write_section(document, "One", "again")
    assert document.read_text() == "# Results\n\n## One\n\nagain\n\n## Two\n\nsecond\n"
