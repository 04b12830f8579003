"""The Uses page: what it shows of any study, what it starts, and what it says where there is nothing."""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import numpy as np
import pytest
from opening import button, open_page

from gan_core.config.studies import load_study
from gan_core.engine import Lab
from gan_core.engine.studies.computing import begin
from gan_core.engine.studies.findings import Chart, Curve, Row
from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.ui.uses.charts import MOST_BARS, figure, roc
from gan_core.ui.uses.handing_in import hand_in

HOSTILE = "<img src=x onerror=alert(1)> $x$ **b**"
SETTINGS = {"protocol": "augmentation", "sizes": [5, 20], "seeds": [0, 1, 2]}


def filled(lab: Lab, status: str = "finished", **more: Any) -> str:
    """A study with a row in every cell, though nothing was computed."""
    settings = load_study(SETTINGS)
    study = begin(lab.store, settings, **more).id
    for place, cell in enumerate(PROTOCOLS["augmentation"].cells(settings)):
        gain = 0.2 if cell.arm in ("distorted", "both") else 0.0
        values: dict[str, Any] = {"accuracy": 0.5 + gain + 0.001 * (place % 3)}
        if cell.arm == "generated" and cell.seed == 0:
            values["picture"] = lab.store.studies.save(study, "samples", "png", b"no picture")
        lab.store.studies.add_row(study, cell.key, values, 1.0)
    lab.store.studies.update(study, status=status)
    return study


def words(app: Any) -> str:
    return "\n".join(
        str(part.value) for kind in ("title", "markdown", "caption", "info") for part in getattr(app, kind)
    )


def test_an_empty_store_says_what_there_will_be_and_one_press_starts_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    app = open_page("uses")
    assert "None yet." in words(app)
    assert "No run here can be asked yet" in words(app)
    assert "About 3 min, as measured elsewhere on a core of its own" in words(app)
    app.text_input(key="study:augmentation:sizes").set_value("5, five").run()
    assert any("sizes" in error.value for error in app.error)
    assert not [one for one in app.button if (one.key or "").startswith("study:start:augmentation")]
    app.text_input(key="study:augmentation:sizes").set_value("5 7").run()
    button(app, "study:start:augmentation").click().run()
    (study,) = lab.store.studies.listed()
    assert study.settings["sizes"] == [5, 7]
    lab.studies.stop(study.id)
    assert lab.studies.wait(study.id, 60)


def test_a_study_is_read_with_its_sentences_charts_and_numbers(lab: Lab) -> None:
    study = filled(lab, name=HOSTILE)
    app = open_page("uses", study=study)
    text = words(app)
    assert "Shifting and rotating helps by 20.0 ±" in text
    assert "6 differences were judged" in text
    assert "is gone" in text
    assert "another data set, network or training may do otherwise" in text
    assert HOSTILE not in text  # as typed, no markup
    assert len(app.dataframe) == 1
    assert open_page("uses").dataframe[0].value["name"][0] == HOSTILE


def test_a_moved_threshold_of_anomalies_says_what_follows(lab: Lab) -> None:
    settings = load_study({"protocol": "anomaly", "classes": ["7"], "families": ["outliers"], "seeds": [0]})
    study = begin(lab.store, settings).id
    (cell,) = PROTOCOLS["anomaly"].cells(settings)
    values: dict[str, Any] = {"nearest.n": 300.0, "nearest.auroc": 0.9, "ink.n": 300.0, "ink.auroc": 0.4}
    for score, found in (("ink", 7), ("nearest", 61)):
        values |= {
            f"{score}.curve": [[0.0, 0.0], [0.1, 0.6], [1.0, 1.0]],
            f"{score}.steps": [[0.05, 9, found], [0.1, 21, found + 20]],
            f"{score}.normals": 200.0,
            f"{score}.anomalies": 100.0,
        }
    lab.store.studies.add_row(study, cell.key, values, 1.0)
    lab.store.studies.update(study, status="finished")
    app = open_page("uses", study=study)
    told = (
        "catches **61 of 100** anomalies, and raises false alarms on **9 of 200** normal pictures, 4.5%; 5 % were set."
    )
    assert f"Nearest neighbour {told}" in words(app)
    app.select_slider(key=f"threshold:{study}:7:Nearest neighbour").set_value(0.1).run()
    assert "**81 of 100** anomalies, and raises false alarms on **21 of 200**" in words(app)
    handle = PROTOCOLS["anomaly"].findings(settings, [Row(cell, values)]).handles[1]
    assert [list(trace.x) for trace in roc(handle, 0.1).data][2] == [10.5]


def test_what_was_interrupted_goes_on_and_what_is_deleted_comes_back(lab: Lab) -> None:
    study = filled(lab, status="interrupted")
    app = open_page("uses", study=study)
    assert not [one for one in app.button if one.key == "study:resume"]  # nothing is left
    next(one for one in app.button if one.key == "study:delete").click().run()
    assert lab.store.studies.listed() == []
    deleted = open_page("uses", study=study)
    next(one for one in deleted.button if one.key == "take-back").click().run()
    assert [one.id for one in lab.store.studies.listed()] == [study]


def test_a_study_that_is_not_there_is_a_sentence(lab: Lab) -> None:
    app = open_page("uses", study=HOSTILE)
    assert "There is no study" in app.error[0].value


def test_a_hand_in_has_answers_and_everything_of_the_study(lab: Lab) -> None:
    study = filled(lab)
    packed = hand_in(lab.store, study, name="Ada", answers="It <b>helps</b>.")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {"hand-in.html", "answers.md", "study.json", "rows.csv"} <= set(archive.namelist())
        page = archive.read("hand-in.html").decode()
    assert "It &lt;b&gt;helps&lt;/b&gt;." in page
    assert "Shifting and rotating helps by 20.0" in page


def test_a_chart_has_bars_for_few_points_and_bands_for_many() -> None:
    def drawn(n: int) -> Any:
        x = tuple(float(place + 1) for place in range(n))
        y = tuple(np.sqrt(x).tolist())
        curves = tuple(Curve(name, x, y, tuple(v - 1 for v in y), tuple(v + 1 for v in y)) for name in "ab")
        return figure(Chart("t", "n", "%", curves, log_x=True, levels=(("none", 0.0),)))

    few, many = drawn(3), drawn(MOST_BARS + 1)
    assert [trace.error_y.array is not None for trace in few.data] == [True, True]
    assert few.data[0].x != few.data[1].x  # apart
    assert list(few.data[0].error_y.arrayminus) == [1, 1, 1]
    assert [trace.fill for trace in many.data] == ["toself", None, "toself", None]
    assert len(few.layout.shapes) == 1
