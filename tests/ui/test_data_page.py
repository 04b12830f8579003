"""The Data page: every set has its view, what is missing says so, what is brought can be seen and deleted."""

from __future__ import annotations

import io

import numpy as np
import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

import gan_core.engine
from benchmarks.hostile import picture, zipped
from gan_core.data import DATASETS, shelf
from gan_core.data import published as published_sets
from gan_core.engine import Lab
from gan_core.ui import charts, data_charts
from gan_core.ui.painter import SIDE, cells_of
from gan_core.ui.shell import as_typed

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
    lab.chores.get("download:kmnist").wait(60)
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
    bars = data_charts.counts_per_class(["0", "1"], [8, 4], [10, 5])
    assert [list(trace.y) for trace in bars.data] == [[8, 4], [2, 1]]
    pixels = data_charts.pixel_values([0] * 255 + [4])
    assert pixels.data[0].y[255] == 1
    assert pixels.data[0].y[0] is None
    plane = data_charts.real_plane(np.zeros((3, 2)), [0, 1], [0, 1], np.ones((2, 2)))
    assert [trace.type for trace in plane.data] == ["heatmap", "scatter"]
    assert len(data_charts.real_density([0, 1], [1, 2]).data) == 1
    plane = data_charts.real_plane(np.zeros((3, 2)), [0, 1], [0, 1], np.ones((2, 2)), [(0.1, 0.2), (0.8, 0.9)])
    assert [(note.text, note.x, note.y) for note in plane.layout.annotations] == [("1", 0.1, 0.2), ("2", 0.8, 0.9)]
    line = data_charts.real_density([0, 1], [1, 2], [(0.3,)])
    assert [(note.text, note.x, note.y) for note in line.layout.annotations] == [("1", 0.3, 0)]


def test_a_set_can_be_trained_on_if_it_is_here(lab: Lab) -> None:
    (button,) = [button for button in visit("ring").button if button.label == "Train on this"]
    app = visit("ring")
    app.button(key=button.key).click().run()
    assert [title.value for title in app.title] == ["Train a GAN"]
    assert "datasets:ring" in app.query_params["part"]  # a text or a list of one, as AppTest likes
    assert [button.label for button in visit("fashion_mnist").button if button.label == "Train on this"] == []


def zip_of_pictures() -> io.BytesIO:
    """Two classes by who and by day; one file of a tool."""
    files = {f"{who}/day{1 + i % 2}/{i}.png": picture(20 * k + i) for k, who in enumerate("ab") for i in range(10)}
    return zipped(files | {"a/.DS_Store": b"x"})


def preview(lab: Lab) -> AppTest:
    """The page while a zip file was read and nothing of it is kept."""
    app = open_page("data")
    app.session_state["intake"] = "me"
    lab.chores.look_at_zip("intake:me", zip_of_pictures(), "[who](x)", 16, 3, "crop").wait(30)
    return app.segmented_control(key="group").set_value("Your own").run()


def own_sets(lab: Lab) -> list[str]:
    return [name for name in gan_core.engine.catalogue()["datasets"] if name.startswith("own:")]


def test_what_was_read_is_shown_with_its_classes_before_it_is_kept(lab: Lab) -> None:
    app = preview(lab)
    assert not app.exception
    (table,) = [frame.value for frame in app.dataframe]
    assert table[["class", "pictures"]].to_numpy().tolist() == [["a", 10], ["b", 10]]
    assert all(strip.startswith("data:image/png;base64,") for strip in table["the first of them"])
    choices = app.selectbox[0].options
    assert choices == [
        "2 classes: a, b (folders)",
        "2 classes: day1, day2 (folders)",
        "No classes: 20 pictures of one kind",
    ]
    assert as_typed("Passed over: 1 file of systems and tools (.DS_Store).") in [
        caption.value for caption in app.caption
    ]
    assert own_sets(lab) == []


@pytest.mark.parametrize(("level", "names"), [("folder:1", ("a", "b")), ("folder:2", ("day1", "day2")), ("none", ())])
def test_the_level_that_was_chosen_is_kept_and_shown(level: str, names: tuple[str, ...], lab: Lab) -> None:
    app = preview(lab)
    app.selectbox[0].set_value(level).run()
    app.button(key="keep:seen").click().run()
    if (chore := lab.chores.get("intake:me")) is not None:  # not done, and seen by the page, already
        chore.wait(30)
    app.run()
    (name,) = own_sets(lab)
    assert lab.chores.own(name).class_names == names
    assert not app.exception
    assert name in app.query_params["data"]
    assert lab.chores.seen("intake:me") is None


def test_what_is_not_wanted_leaves_nothing(lab: Lab) -> None:
    app = preview(lab)
    app.button(key="leave:seen").click().run()
    assert lab.chores.seen("intake:me") is None
    assert own_sets(lab) == []
    assert app.tabs[0].label == "Zip of images"


def test_names_of_classes_are_no_markup_in_figures() -> None:
    typed = ["<b>x</b>", "A&B", "C++"]
    for figure in (
        data_charts.counts_per_class(typed, [1, 1, 1], [2, 2, 2]),
        charts.class_histogram(typed, counts=[1, 1, 1, 0]),
    ):
        assert list(figure.data[0].x)[:3] == ["&lt;b&gt;x&lt;/b&gt;", "A&amp;B", "C++"]
