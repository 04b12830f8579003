"""Charts: the numbers that go in are in the figure, gaps stay gaps, and a figure is small enough for a class of thirty."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from gan_core.config import preset_config
from gan_core.engine import traits
from gan_core.training import resolve
from gan_core.ui import charts, live_view, theme
from gan_core.ui.figures import REVISION

NAMES = [str(digit) for digit in range(10)]
REAL = [0.099] * 10 + [0.01]


def every_chart() -> dict[str, go.Figure]:
    share = np.full((4, 11), 1 / 11)
    return {
        "curves": charts.curves({"D.loss": ([0, 1], [1.4, 1.3]), "G.loss": ([0, 1], [0.7, 0.8])}, y_title="loss"),
        "empty curves": charts.curves(["D.loss", "G.loss"], y_title="loss"),
        "histogram": charts.class_histogram(NAMES, REAL, REAL, REAL, counts=[9] * 11, n=99),
        "empty histogram": charts.class_histogram([]),
        "heatmap": charts.class_heatmap(NAMES, [0, 50, 100, 150], share),
        "empty heatmap": charts.class_heatmap([]),
        "confusion": charts.confusion(np.eye(10, dtype=int), NAMES),
        "points": charts.scatter_2d(
            [[0, 1]], [[1, 0]], critic=[[0, 1], [1, 0]], xs=[0, 1], ys=[0, 1], extent=(-1, 2, -1, 2)
        ),
        "empty points": charts.scatter_2d(),
        "density": charts.density_1d([0, 1], [0.2, 0.3], [0.3, 0.2], [0.5, 0.5]),
        "empty density": charts.density_1d(),
    }


CHARTS = every_chart()


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_small_transparent_and_keeps_its_zoom(name: str) -> None:
    figure = CHARTS[name]
    text = figure.to_json()
    assert len(text) < 6000, "the default template alone would be 7 kB"
    layout = json.loads(text)["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["uirevision"] == REVISION
    assert "color" not in layout.get("font", {}), "text colour belongs to the page's theme"
    assert "NaN" not in text
    assert "Infinity" not in text


@pytest.mark.parametrize("name", CHARTS)
def test_every_axis_says_what_it_is(name: str) -> None:
    layout = charts.skeleton(CHARTS[name])["layout"]
    for axis in (key for key in layout if re.fullmatch(r"[xy]axis\d*", key)):
        assert layout[axis]["title"]["text"], axis
        assert layout[axis]["tickfont"]["size"] >= 12, "readable on a projector"


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_of_a_skeleton_is_left_to_python(name: str) -> None:
    json.dumps(charts.skeleton(CHARTS[name]), allow_nan=False)


# -- curves -------------------------------------------------------------------------------------------------------


def test_curves_hold_their_numbers_in_order() -> None:
    figure = charts.curves(
        {"G.loss": ([0, 5, 10], [0.7, 0.8, 0.9]), "D.loss": ([0, 5], [1.4, 1.3])},
        y_title="loss",
        labels={"G.loss": "generator"},
    )
    first, second = figure.data
    assert (first.name, second.name) == ("generator", "D.loss")
    assert first.x.tolist() == [0, 5, 10]
    assert first.y.tolist() == pytest.approx([0.7, 0.8, 0.9])
    assert second.y.tolist() == pytest.approx([1.4, 1.3])


def test_what_is_not_finite_is_a_gap() -> None:
    figure = charts.curves({"D.loss": ([0, 1, 2, 3], [1.0, math.nan, math.inf, -math.inf])}, y_title="loss")
    assert np.isnan(figure.data[0].y).tolist() == [False, True, True, True]
    assert figure.data[0].connectgaps is False


def test_numbers_travel_as_four_bytes_each() -> None:
    rounds = np.arange(1000)
    figure = charts.curves({"D.loss": (rounds, rounds / 7)}, y_title="loss")
    trace = charts.skeleton(figure)["data"][0]
    assert trace["x"]["dtype"] == "i4"
    assert trace["y"]["dtype"] == "f4"


@pytest.mark.parametrize(("log_y", "expected"), [(False, 1.386), (True, math.log10(1.386))])
def test_a_reference_line_stands_at_its_value(log_y: bool, expected: float) -> None:
    lines = {"D.loss": [(1.386, "2 log 2")]}
    figure = charts.curves({"D.loss": ([0], [1.0])}, y_title="loss", lines=lines, log_y=log_y)
    (shape,), (label,) = figure.layout.shapes, figure.layout.annotations
    assert shape.y0 == shape.y1 == 1.386
    assert label.text == "2 log 2"
    assert label.y == pytest.approx(expected)
    assert shape.line.color == figure.data[0].line.color


def test_a_mark_stands_at_its_round() -> None:
    figure = charts.curves(["D.loss"], y_title="loss", marks=[(1200, "diverged")])
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (1200, 1200)
    assert figure.layout.shapes[0].yref == "paper"
    assert figure.layout.annotations[0].text == "diverged"


def test_axes_are_as_asked() -> None:
    assert charts.curves(["a"], y_title="norm", log_y=True).layout.yaxis.type == "log"
    assert charts.curves(["a"], y_title="D", y_range=(0, 1)).layout.yaxis.range == (0, 1)


@pytest.mark.parametrize(("top", "ticks"), [(3.0, "D1"), (30.0, "D2"), (1e5, 1), (1e9, 2)])
def test_a_logarithmic_axis_has_as_many_ticks_as_there_is_room_for(top: float, ticks: str | int) -> None:
    axis = charts.curves({"D.grad_norm": ([0, 1, 2], [1.0, math.nan, top])}, y_title="norm", log_y=True).layout.yaxis
    assert axis.dtick == ticks


def test_colours_mean_the_same_everywhere() -> None:
    of = traits(resolve(preset_config("ring-mlp"))).of
    colours = charts.column_colours(["D.loss", "G.loss"], of)
    assert colours == {"D.loss": theme.D, "G.loss": theme.G}
    assert charts.column_colours(["D.real", "D.fake"], of) == {"D.real": theme.REAL, "D.fake": theme.FAKE}
    assert charts.column_colours(["D.accuracy_real", "D.accuracy_fake"], of) == {
        "D.accuracy_real": theme.REAL,
        "D.accuracy_fake": theme.FAKE,
    }
    assert charts.column_colours(["G.fake"], of) == {"G.fake": theme.G}


def test_a_game_with_many_players_gets_a_colour_for_each() -> None:
    columns = [f"{player}.loss" for player in ("D_A", "D_B", "G_AB", "G_BA", "D")]
    colours = charts.column_colours(columns)
    assert len(set(colours.values())) == len(columns)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", ["#FFFFFF", "#11161C"])
@pytest.mark.parametrize("name", ["D", "G", "REAL", "FAKE", "UNSURE", "MARK"])
def test_lines_can_be_seen_on_both_pages(name: str, background: str) -> None:
    one, other = sorted((luminance(getattr(theme, name)), luminance(background)))
    assert (other + 0.05) / (one + 0.05) >= 3.0 - 0.05


def test_the_backgrounds_of_that_test_are_those_of_the_theme(root: Path) -> None:
    text = (root / ".streamlit" / "config.toml").read_text()
    assert re.findall(r'^backgroundColor = "(.+)"', text, re.M)[:2] == ["#FFFFFF", "#11161C"]


# -- classes ------------------------------------------------------------------------------------------------------


def test_a_histogram_is_shares_of_n_beside_the_real_band() -> None:
    figure = charts.class_histogram(
        ["cat", "dog"], [0.5, 0.45, 0.05], [0.4, 0.4, 0.02], [0.6, 0.5, 0.08], counts=[30, 10, 10], n=50
    )
    bars, real = figure.data
    assert list(bars.x) == ["cat", "dog", "unsure"]
    assert bars.y.tolist() == pytest.approx([0.6, 0.2, 0.2])
    assert list(bars.customdata) == [30, 10, 10]
    assert real.y.tolist() == pytest.approx([0.5, 0.45, 0.05])
    assert real.error_y.array.tolist() == pytest.approx([0.1, 0.05, 0.03])
    assert real.error_y.arrayminus.tolist() == pytest.approx([0.1, 0.05, 0.03])
    assert list(bars.marker.color) == [theme.FAKE, theme.FAKE, theme.UNSURE]
    assert figure.layout.yaxis.range[1] > 0.6


def test_digits_are_names_and_every_one_is_written() -> None:
    axis = charts.class_histogram(NAMES, REAL).layout.xaxis
    assert (axis.type, axis.autotypenumbers, axis.dtick) == ("category", "strict", 1)
    assert charts.class_histogram([str(i) for i in range(1000)]).layout.xaxis.dtick > 20


def test_no_samples_are_no_division_by_zero() -> None:
    assert len(charts.class_histogram(["a"], counts=[0, 0], n=0).data[0].y) == 0


def test_a_heatmap_has_a_row_per_class_and_a_column_per_round() -> None:
    shares, real = [[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]], [0.5, 0.4, 0.0]
    figure = charts.class_heatmap(["a", "b"], [0, 50], shares, real)
    trace = figure.data[0]
    assert list(trace.y) == ["a", "b", "unsure"]
    assert trace.x.tolist() == [0, 50]
    assert np.asarray(trace.customdata) == pytest.approx(np.array([[0.7, 1.0], [0.2, 0.0], [0.1, 0.0]]))
    assert np.asarray(trace.z) == pytest.approx(np.array([[1.4, 2.0], [0.5, 0.0], [2.0, 0.0]])), "0 lost, 1 right"
    assert (trace.zmin, trace.zmax) == (0, 2)
    alone = charts.class_heatmap(["a", "b"], [0], [[0.25, 0.5, 0.25]]).data[0]
    assert np.asarray(alone.z).ravel() == pytest.approx([0.5, 1.0, 0.5])


def test_a_confusion_matrix_is_shares_of_the_true_class() -> None:
    trace = charts.confusion([[3, 1], [0, 0]], ["a", "b"]).data[0]
    assert np.asarray(trace.z).tolist() == [[0.75, 0.25], [0.0, 0.0]]
    assert np.asarray(trace.customdata).tolist() == [[3, 1], [0, 0]]


# -- points and densities -----------------------------------------------------------------------------------------


def test_points_and_critic_are_where_they_belong() -> None:
    critic = [[0.0, 0.1, 0.2], [0.3, 0.4, 0.5]]
    figure = charts.scatter_2d([[1, 2], [3, 4]], [[5, 6]], critic=critic, xs=[0, 1, 2], ys=[0, 1], extent=(0, 9, -1, 7))
    heat, real, fake, grid, push = figure.data
    assert (grid.visible, push.visible) == ("legendonly", "legendonly")  # shown by a click in the legend
    assert np.asarray(heat.z) == pytest.approx(np.array(critic))
    assert (real.x.tolist(), real.y.tolist(), real.marker.color) == ([1, 3], [2, 4], theme.REAL)
    assert (fake.x.tolist(), fake.y.tolist(), fake.marker.color) == ([5], [6], theme.FAKE)
    assert figure.layout.xaxis.range == (0, 9)
    assert figure.layout.yaxis.range == (-1, 7)
    assert figure.layout.yaxis.scaleanchor == "x"


def test_the_critic_has_an_axis_of_its_own() -> None:
    real, fake, critic, best = charts.density_1d([0, 1], [0.2, 0.3], [0.3, 0.2], [0.5, 0.6], [0.4, 0.6]).data
    assert (real.line.color, fake.line.color, critic.line.color) == (theme.REAL, theme.FAKE, theme.D)
    assert (real.yaxis, critic.yaxis, best.yaxis) == (None, "y2", "y2")
    assert critic.y.tolist() == pytest.approx([0.5, 0.6])
    assert best.y.tolist() == pytest.approx([0.4, 0.6])
    assert critic.line.dash != best.line.dash, "told apart without colour"


# -- the layout of the live view ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["images", "points", "density"])
def test_the_usual_layout_has_the_panels_of_its_kind(kind: str) -> None:
    layout = live_view.watch_layout(kind, numbers=[{"column": "modes_covered", "label": "modes"}])
    slots = [panel["slot"] for panel in layout]
    assert {"loss-chart", "scores-chart", "gradients-chart", "histogram", "heatmap", "numbers"} < set(slots)
    assert {"images": "samples", "points": "points", "density": "density"}[kind] in slots
    assert len(set(slots)) == len(slots)
    assert len(json.dumps(layout, allow_nan=False)) < 25_000


def test_a_panel_of_named_columns_binds_each_to_its_trace() -> None:
    panel = live_view.curves_panel("x", "X", ["D.loss", "G.loss"], y_title="loss", match=["*.gp"], track="turns")
    assert panel["traces"] == [
        {"column": "D.loss", "track": "turns"},
        {"column": "G.loss", "track": "turns"},
        {"match": "*.gp", "track": "turns"},
    ]
    assert [trace["meta"] for trace in panel["figure"]["data"]] == ["D.loss", "G.loss"]


def test_traces_have_the_roles_by_which_scripts_find_them() -> None:
    assert [t.meta for t in charts.class_histogram([]).data] == ["generated", "real"]
    assert [t.meta for t in charts.class_heatmap([]).data] == ["shares"]
    assert [t.meta for t in charts.scatter_2d().data] == ["critic", "real", "generated", "grid", "push"]
    assert [t.meta for t in charts.ways().data] == ["ways"]
    assert [t.meta for t in charts.density_1d().data] == ["real", "generated", "critic", "best"]


def test_every_kind_of_panel_is_known_to_the_script(root: Path) -> None:
    script = (root / "gan_core" / "ui" / "live" / "kinds.js").read_text()
    known = set(re.findall(r"^  (\w+): \w+Panel,$", script, re.M))
    layouts = [
        live_view.watch_layout(kind, numbers=[{"column": "c", "label": "l"}])
        for kind in ("images", "points", "density")
    ]
    assert {panel["kind"] for layout in layouts for panel in layout} <= known


def test_no_script_or_style_asks_a_foreign_host(root: Path) -> None:
    for path in (root / "gan_core" / "ui").rglob("*"):
        if path.suffix in (".js", ".css"):
            addresses = re.findall(r"https?://[^\s\"'`)]+", path.read_text())
            assert [a for a in addresses if a != "http://www.w3.org/2000/svg"] == [], path
    assert not re.search(r"https?://", (root / ".streamlit" / "config.toml").read_text())
