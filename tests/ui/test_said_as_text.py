"""What is wrong is said as text: no sentence about it brings a picture, a link or a formula onto a page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from opening import open_page

from gan_core.engine import Lab
from gan_core.ui import shell

HOSTILE = "![x](//evil.example/a.png)[y](javascript:z)<img src=//evil.example/b>$a$ :red[b]"


def told(app: Any) -> str:
    (error,) = app.error
    return str(error.value)


@pytest.mark.parametrize("page", ["watch", "compare"])
def test_an_address_that_names_nothing_is_told_as_text(page: str, lab: Lab) -> None:
    asked = {"watch": "run", "compare": "comparison"}[page]
    said = told(open_page(page, **{asked: HOSTILE}))
    assert "evil.example" in said
    assert re.findall(r"(?<!\\)[\[\]<>$:]", said) == [], "something that Markdown would take for its own"


def test_the_message_of_a_run_from_elsewhere_is_told_as_text(lab: Lab, tiny: Any) -> None:
    run = lab.store.create("from-elsewhere", name="x", config=tiny("mlp").model_dump(mode="json")).id
    lab.store.update(run, status="failed", message=HOSTILE, traceback="a trace")
    lab.store.flush()
    assert told(open_page("watch", run=run)) == shell.as_typed(HOSTILE)
