"""The Data page: every set has its view, what is missing says so, what is brought can be seen and deleted."""

from __future__ import annotations

import numpy as np
import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

import gan_core.engine
from gan_core.data import DATASETS, shelf
from gan_core.data import published as published_sets
from gan_core.engine import Lab
from gan_core.ui import charts
from gan_core.ui.painter import SIDE, cells_of

HOSTILE = "<script>alert(1)</script> ![x](http://example.org/x.png) :red[x] $x$"


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    monkeypatch.setattr(lab.classifiers, "get", lambda source: None)
    return lab


def visit(name: str = "") -> AppTest:
    return open_page("data", **({"data": name} if name else {}))


@pytest.mark.parametrize("name", DATASETS)
def test_every_set_has_its_view(name: str, lab: Lab) -> None:
    app = visit(name)
    assert DATASETS[name].about.title in [heading.value for heading in app.subheader]
    if DATASETS[name].missing():
        assert [info.value for info in app.info] == [DATASETS[name].missing()]
        labels = [button.label for button in app.button]
        assert any(label.startswith("Download (") for label in labels) == bool(DATASETS[name].download_size)
    else:
        assert len(app.metric) >= 3
    assert not app.error


def test_a_failed_download_says_what_to_do(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise gan_core.engine.DataError("No network today.")

    monkeypatch.setattr(published_sets, "download", fail)
    app = visit("kmnist")
    app.button(key="get:kmnist").click().run()
    lab.chores.get("download:kmnist").wait(5)
    app.run()
    assert app.error[0].value == "No network today."
    assert "Try again" in [button.label for button in app.button]


def test_what_was_brought_is_shown_as_plain_text_and_can_be_deleted(lab: Lab) -> None:
    rows = "\n".join([*(f"{i},{i % 7}" for i in range(60)), HOSTILE])
    own = lab.chores.keep_table(rows.encode(), HOSTILE)
    app = visit(own.name)
    title = next(heading.value for heading in app.subheader)
    assert not set(title) & set("<>[]()$:!/")
    assert "60 of 61 usable" in " ".join(text.value for text in app.markdown)
    assert app.dataframe[0].value["file"].tolist() == ["line 61"]
    app.button(key=f"delete:{own.name}").click().run()
    assert lab.chores.own(own.name) is None
    assert not app.exception
    assert visit(own.name).warning[0].value.startswith("This data set is not on this machine")


def test_a_table_of_many_columns_is_shown_and_asks_which_two(lab: Lab) -> None:
    app = visit()
    app.session_state["group"] = "Your own"
    app.run()
    rows = "\n".join(["Zeit;Länge (mm);Höhe;Gruppe", *(f"{i},5;{i % 7},25;-{i},75;{'ab'[i % 2]}" for i in range(60))])
    app.file_uploader(key="table:0").upload("messung.csv", rows.encode("cp1252"), "text/csv").run()
    assert "3 columns hold numbers" in " ".join(info.value for info in app.info)
    assert list(app.dataframe[0].value.columns) == ["Zeit", "Länge (mm)", "Höhe", "Gruppe"]
    assert app.button(key="read:table").disabled
    app.selectbox(key="table:x").select("Länge (mm)").run()
    app.selectbox(key="table:y").select("Höhe").run()
    app.button(key="read:table").click().run()
    assert not app.exception
    (card,) = shelf.shelf()
    assert card.columns == ("Länge (mm)", "Höhe")


def test_what_a_browser_sends_as_a_painting() -> None:
    sent = "ff" + "00" * (SIDE * SIDE - 2) + "80"
    cells = cells_of(sent)
    assert cells.shape == (SIDE, SIDE)
    assert (cells[0, 0], cells[-1, -1], cells.sum()) == (255, 128, 383)
    for bad in (None, 3, "", "zz" * SIDE * SIDE, sent[:-2], sent + "00", {"a": 1}, " " * 2 * SIDE * SIDE):
        assert cells_of(bad) is None


def test_figures_of_data() -> None:
    bars = charts.counts_per_class(["0", "1"], [8, 4], [10, 5])
    assert [list(trace.y) for trace in bars.data] == [[8, 4], [2, 1]]
    pixels = charts.pixel_values([0] * 255 + [4])
    assert pixels.data[0].y[255] == 1
    assert pixels.data[0].y[0] is None
    plane = charts.real_plane(np.zeros((3, 2)), [0, 1], [0, 1], np.ones((2, 2)))
    assert [trace.type for trace in plane.data] == ["heatmap", "scatter"]
    assert len(charts.real_density([0, 1], [1, 2]).data) == 1
    plane = charts.real_plane(np.zeros((3, 2)), [0, 1], [0, 1], np.ones((2, 2)), [(0.1, 0.2), (0.8, 0.9)])
    assert [(note.text, note.x, note.y) for note in plane.layout.annotations] == [("1", 0.1, 0.2), ("2", 0.8, 0.9)]
    line = charts.real_density([0, 1], [1, 2], [(0.3,)])
    assert [(note.text, note.x, note.y) for note in line.layout.annotations] == [("1", 0.3, 0)]


def test_a_set_can_be_trained_on_if_it_is_here(lab: Lab) -> None:
    (button,) = [button for button in visit("ring").button if button.label == "Train on this"]
    app = visit("ring")
    app.button(key=button.key).click().run()
    assert [title.value for title in app.title] == ["Train a GAN"]
    assert "datasets:ring" in app.query_params["part"]  # a text or a list of one, as AppTest likes
    assert [button.label for button in visit("fashion_mnist").button if button.label == "Train on this"] == []
