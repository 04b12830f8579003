"""The section of a run that looks for copies: what it says before, and what it says of what was found."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.showing.pictures import png


def page(run: str, config: str) -> None:
    from gan_core.config import RunConfig
    from gan_core.ui import copying

    copying.show(run, RunConfig.from_json(config))


def section(config: RunConfig) -> AppTest:
    app = AppTest.from_function(page, kwargs={"run": "a run", "config": config.to_json()})
    app.run(timeout=60)
    assert not app.exception
    return app


def found(verdict: str) -> dict[str, Any]:
    pairs = [{"sample": 3, "training": 1, "held_out": 2, "ratio": 0.25}]
    picture = base64.b64encode(png(np.zeros((8, 26), np.uint8))).decode()
    return {"round": 1_200, "verdict": verdict, "sentence": f"It is said: {verdict}.", "pairs": pairs, "png": picture}


@pytest.mark.parametrize("verdict", ["copies", "no sign of copying", "cannot be told"])
def test_a_verdict_stands_above_its_pairs(lab: Lab, monkeypatch: pytest.MonkeyPatch, verdict: str) -> None:
    done = SimpleNamespace(busy=False, error=None, result=json.dumps(found(verdict)), progress=(1.0, ""))
    monkeypatch.setattr(lab.chores, "get", {"copying:a run": done}.get)
    monkeypatch.setattr(lab.store, "checkpoints", lambda run: [])
    app = section(RunConfig())
    said = [*app.warning, *app.info]
    assert [one.value for one in said] == [f"At round 1,200. It is said: {verdict}."]
    assert bool(app.warning) == (verdict == "copies")
    assert list(app.dataframe[0].value["ratio"]) == [0.25]
    assert app.button[0].label == "Look again"


def test_a_refusal_is_a_sentence_and_a_game_that_cannot_copy_has_none(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = SimpleNamespace(busy=False, error="There is no checkpoint.", result=None, progress=(0.0, ""))
    monkeypatch.setattr(lab.chores, "get", {"copying:a run": refused}.get)
    monkeypatch.setattr(lab.store, "checkpoints", lambda run: [])
    assert [one.value for one in section(RunConfig()).info] == ["There is no checkpoint."]
    assert not section(RunConfig.load({"data": {"name": "ring"}})).expander
