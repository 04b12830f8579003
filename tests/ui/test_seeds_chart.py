"""Curves over seeds as the browser gets them: every axis and band at once, and views that cannot be asked for otherwise."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from gan_core.ui.seeds_chart import Measure, View, contents

X = np.array([0, 10])
CURVES = {"a": {0: (X, np.array([0.0, np.nan])), 1: (X, np.array([3.0, 6.0]))}, "b": {0: (X, np.array([1.0, 500.0]))}}
PLACES = {axis: {name: dict.fromkeys(seeds, X * factor) for name, seeds in CURVES.items()} for axis, factor in
          (("round", 1), ("images", 64), ("steps", 2), ("seconds", 0.5))}  # fmt: skip


def unpacked(text: str) -> list[float]:
    return np.frombuffer(base64.b64decode(text), "<f8").tolist()


def told_of(curves: Any, places: Any, **more: Any) -> dict[str, Any]:
    return contents({"modes": Measure("Modes", curves, places, **more)})["measures"]["modes"]


def test_all_that_the_controls_can_show_comes_at_once() -> None:
    told = contents({"modes": Measure("Modes", CURVES, PLACES, 8.0), "again": Measure("Again", CURVES, PLACES)})
    modes = told["measures"]["modes"]
    assert [trace["role"] for trace in modes["traces"]] == ["ghosts", "std", "interval", "raw", "mean", "raw", "mean"]
    mean = modes["traces"][4]
    assert unpacked(told["arrays"][mean["y"]]) == [1.5, 6.0], "over the seeds that have a value"
    assert {axis: unpacked(told["arrays"][x]) for axis, x in mean["x"].items()} == {
        "round": [0, 10],
        "images": [0, 640],
        "steps": [0, 20],
        "seconds": [0, 5],
    }
    assert json.loads(told["looks"][mean["look"]])["name"] == "a"
    assert (modes["title"], modes["floor"]) == ("Modes", 8.0)
    assert told["measures"]["again"]["traces"] == modes["traces"], "what is the same comes once"
    assert len(set(told["arrays"])) == len(told["arrays"])


def test_what_is_left_out_is_said() -> None:
    wide = {"a": {0: (np.arange(101), np.append(np.ones(100), 1e6))}}
    told = told_of(wide, {axis: {"a": {0: np.arange(101)}} for axis in PLACES})
    assert told["told"] == {
        "cut": "Outside the axis: 1 value.",
        "logy": "",
        "logx": dict.fromkeys(PLACES, "Round 0 is not on a logarithmic axis."),
    }
    assert told["range"][1] < 2
    assert told_of(CURVES, PLACES)["told"]["logy"] == "Not on a logarithmic axis: 1 value at or below 0."
    assert told_of({}, {})["range"] is None, "nothing was measured"


@pytest.mark.parametrize(
    "asked",
    [
        {"axis": "parsecs", "band": "<script>", "smooth": "NaN", "logx": "maybe"},
        {"smooth": "1", "axis": "", "band": "", "cut": "2"},
        {"smooth": "-0.5"},
        {"smooth": "1e400"},
        {"smooth": [1, 2], "axis": None},
        {"metric": "charm"},
    ],
)
def test_what_cannot_be_is_as_if_it_had_not_been_asked_for(asked: dict[str, object]) -> None:
    assert View.read(asked, View("modes", "images"), ["modes", "recall"]) == View("modes", "images")


def test_a_view_by_its_address_and_from_the_browser() -> None:
    default, measured = View("modes"), ["modes", "recall"]
    wanted = View("recall", "seconds", "none", 0.25, logx=True, cut=True)
    address = {"metric": "recall", "axis": "seconds", "band": "none", "smooth": "0.25", "logx": "true", "cut": "true"}
    assert View.read(address, default, measured) == wanted
    assert View.read(asdict(wanted), default, measured) == wanted
