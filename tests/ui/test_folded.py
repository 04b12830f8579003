"""Sections that are drawn when they are unfolded: a page that opens loads no colours of code and no table for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opening import open_page
from test_uses import filled

from gan_core.config import RunConfig
from gan_core.engine import Lab


@pytest.fixture
def places(lab: Lab, tiny: Callable[..., RunConfig]) -> dict[str, dict[str, str]]:
    """By page, its address."""
    run = lab.submit(tiny("mlp", {"schedule.rounds": 2}))
    lab.wait(run, 60)
    return {"train": {}, "library": {"part": "losses:hinge"}, "watch": {"run": run}, "uses": {"study": filled(lab)}}


SECTIONS = [
    ("train", "copy-as-code", "python -m gan_core train"),
    ("library", "code:hinge_d", "def hinge_d("),
    ("watch", "settings-of-run", "python -m gan_core train"),
    ("watch", "take-away:{run}", "from gan_core import"),
    ("uses", "take-away:{study}", "from gan_core import study"),
]


@pytest.mark.parametrize(("page", "section", "code"), SECTIONS)
def test_code_comes_with_the_section_that_is_unfolded(
    page: str, section: str, code: str, places: dict[str, dict[str, str]]
) -> None:
    address = places[page]
    assert not open_page(page, **address).code
    unfolded = open_page(page, unfolded=[section.format_map(address)], **address)
    assert any(code in one.value for one in unfolded.code)


def test_a_table_of_settings_comes_with_its_section(places: dict[str, dict[str, str]]) -> None:
    assert not open_page("watch", **places["watch"]).dataframe
    table = open_page("watch", unfolded=["settings-of-run"], **places["watch"]).dataframe[0].value
    assert "model.generator.widths" in set(table["setting"])
    shown = [set(one.value) for one in open_page("library", part="objectives:wgan").dataframe]
    assert {"setting", "value"} not in shown
    shown = [set(one.value) for one in open_page("library", part="objectives:wgan", unfolded=["sets"]).dataframe]
    assert {"setting", "value"} in shown
