"""The hand-in holds what a course sheet asks for, and shows answers as they were typed."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from opening import open_page

from gan_core.engine import Lab
from gan_core.store import RunNotFound
from gan_core.ui.hand_in import grids, hand_in, spread

TYPED = "1. <script>alert(1)</script>\n2. because p = q & more"


def test_everything_is_in_the_zip(lab: Lab, tiny: Any) -> None:
    config = tiny("mlp", {"data.name": "mnist5k", "schedule.rounds": 4, "diagnostics.every": 2})
    run = lab.submit(config, name="vanilla", knobs={1: {"optimizers.generator.lr": 0.05}})
    assert lab.wait(run, timeout=60).status == "finished"
    child = lab.fork(run, {"schedule.rounds": 6})
    assert lab.wait(child, timeout=60).status == "finished"
    seen = sorted(grids(lab.store, child))
    with zipfile.ZipFile(
        io.BytesIO(hand_in(lab.store, child, name="Ada", answers=TYPED, rounds=[seen[-1], 999]))
    ) as zip:
        names = set(zip.namelist())
        log = json.loads(zip.read("training-log.json"))
        html = zip.read("hand-in.html").decode()
        readme = zip.read("README.txt").decode()
        assert zip.read("answers.md").decode() == f"# Ada\n\n{TYPED}\n"
        assert zip.read(f"grids/round-{seen[-1]:07d}.png").startswith(b"\x89PNG")
    assert {"before.html", "interpolation.png", "ganscope.json", f"runs/{child}/config.json"} <= names
    assert len([name for name in names if name.startswith("grids/")]) == 1
    assert log["config"] == lab.store.run(child).config
    assert len(log["losses"]["D.loss"]) == len(log["losses"]["round"]) == 6
    assert len(log["before"]["losses"]["round"]) == 4
    measured = lab.store.track(child, "diagnostics")
    assert log["measured"]["round"] == measured.rounds.tolist() != []
    assert log["measured"]["modes_covered"] == measured.column("modes_covered").tolist()
    assert {"onset_round", "verdict", "version", "environment"} <= log.keys()
    assert log["before"]["done_while_it_trained"][0] == {"round": 1, "what": "G's lr → 0.05, from round 2 on"}
    assert "forked from vanilla" in log["done_while_it_trained"][1]["what"]
    assert "knobs={\n    1: {&#x27;optimizers.generator.lr&#x27;: 0.05},\n}" in html
    assert "after round 1: G's lr → 0.05, from round 2 on" in readme
    assert "train(config, knobs={\n    1: {'optimizers.generator.lr': 0.05},\n}, until=4)" in readme
    assert "From one noise to another" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)" not in html
    assert any(button.label == "Hand in" for button in open_page("watch", run=child).get("download_button"))


def test_a_run_that_is_not_there_cannot_be_handed_in(lab: Lab) -> None:
    with pytest.raises(RunNotFound):
        hand_in(lab.store, "no-such-run")


@pytest.mark.parametrize(("rounds", "chosen"), [([], []), ([3], [3]), (list(range(0, 90, 10)), [0, 20, 40, 60, 80])])
def test_some_rounds_are_chosen_evenly(rounds: list[int], chosen: list[int]) -> None:
    assert spread(rounds) == chosen
