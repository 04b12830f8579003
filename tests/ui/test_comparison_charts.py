"""Curves over seeds: means and bands against NumPy, and only where something was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gan_core.engine.comparing.curves import Range, smooth
from gan_core.engine.comparing.standings import mean_over_seeds, paired, read_standings
from gan_core.store import Member, RunStore
from gan_core.ui import theme
from gan_core.ui.comparison_charts import loss_chart, over_seeds, parallel, seed_traces, variant_colours

X = np.array([0, 50, 100])
CURVES = [(X, np.array([1.0, 2.0, 6.0])), (X, np.array([3.0, 2.0, 2.0])), (X[:2], np.array([5.0, 5.0]))]


def test_the_band_is_numpys_standard_deviation() -> None:
    x, mean, low, high = mean_over_seeds(CURVES)
    assert x.tolist() == [0, 50, 100]
    assert mean == pytest.approx([3, 3, 4])
    std = [np.std([1, 3, 5], ddof=1), np.std([2, 2, 5], ddof=1), np.std([6, 2], ddof=1)]
    assert high - mean == pytest.approx(std)
    assert mean - low == pytest.approx(std)


def test_what_was_not_measured_is_not_made_up() -> None:
    x, mean, low, _ = mean_over_seeds(
        [(np.array([0, 10]), np.array([1.0, np.nan])), (np.array([0, 20]), np.array([3.0, 4]))]
    )
    assert x.tolist() == [0, 10, 20]
    assert mean[[0, 2]].tolist() == [2, 4]
    assert np.isnan(mean[1])
    assert np.isnan(low[1:]).all()


def test_a_variant_keeps_its_colour_and_shows_its_seeds() -> None:
    figure = over_seeds({"a": dict(enumerate(CURVES)), "b": {0: CURVES[0]}}, y_title="modes", floor=8.0)
    names = [trace.name for trace in figure.data]
    assert names == ["a, each seed", None, "a", "b"]
    gap = [np.nan]  # no line leads from one seed to the next
    assert list(figure.data[0].x) == pytest.approx([p for x, _ in CURVES for p in [*x, *gap]], nan_ok=True)
    assert list(figure.data[0].y) == pytest.approx([v for _, y in CURVES for v in [*y, *gap]], nan_ok=True)
    assert figure.data[-1].line.color == theme.VARIANTS[1]
    assert [shape.y0 for shape in figure.layout.shapes] == [8.0]
    assert len(over_seeds({"a": dict(enumerate(CURVES))}, y_title="", band="none").data) == 2


def test_a_band_has_a_gap_where_one_seed_is_alone() -> None:
    x = np.arange(5)
    short = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    band = over_seeds({"a": {0: (x, short), 1: (x, short + 2)}}, y_title="").data[1]
    assert list(band.x) == pytest.approx([0, 1, 1, 0, np.nan, 3, 4, 4, 3, np.nan], nan_ok=True)
    middle, half = short + 1, np.sqrt(2)
    assert band.y[0] == pytest.approx(middle[0] + half)
    assert band.y[6] == pytest.approx(middle[4] + half) == pytest.approx(band.y[7] + 2 * half)


def test_eight_variants_have_eight_colours() -> None:
    assert len(set(variant_colours([str(i) for i in range(8)]).values())) == 8


def test_what_is_drawn_equals_scipy_on_the_exported_series(tmp_path: Path) -> None:
    dice = np.random.default_rng(5)
    with RunStore(tmp_path) as store:
        members = []
        for seed in range(5):
            for variant in "ab":
                run = f"{variant}{seed}"
                store.create(run, name=run, config={})
                table = dice.normal(size=(4, 1)).astype(np.float32)
                store.append(run, "diagnostics", ["kl_to_real"], np.arange(4) * 10, table)
                members.append(Member(run, variant, seed))
        store.flush()
        store.create_comparison("duel", name="", spec={}, members=members)
        found = read_standings(store, "duel")
        exported = {m.run: store.track(m.run, "diagnostics").frame().set_index("round")["kl_to_real"] for m in members}
    a = pd.concat([exported[f"a{seed}"] for seed in range(5)], axis=1).astype(float)
    last = {v: np.array([exported[f"{v}{seed}"].iloc[-1] for seed in range(5)], float) for v in "ab"}
    curves = {v: {s.seed: s.curves["kl_to_real"] for s in found if s.variant == v} for v in "ab"}

    def drawn(**how: Any) -> list[np.ndarray]:  # the band's edges and the means of the first variant
        _, band, *means = over_seeds(curves, y_title="KL", **how).data
        assert band.fill == "toself"
        assert list(band.x) == pytest.approx([0, 10, 20, 30, 30, 20, 10, 0, np.nan], nan_ok=True)
        there, back = np.split(np.asarray(band.y[:-1], float), 2)
        return [there, back[::-1], *(np.asarray(trace.y, float) for trace in means)]

    high, low, mean, *_ = drawn()
    assert mean == pytest.approx(a.mean(axis=1).to_numpy())
    assert high - mean == pytest.approx(a.std(axis=1, ddof=1).to_numpy())
    assert mean - low == pytest.approx(a.std(axis=1, ddof=1).to_numpy())
    high, low, *_ = drawn(band="interval")
    t = stats.t.interval(0.95, df=4, loc=a.mean(axis=1), scale=stats.sem(a, axis=1))
    assert (low, high) == (pytest.approx(t[0]), pytest.approx(t[1]))
    smoothed = a.mean(axis=1).ewm(alpha=0.4, adjust=True).mean().to_numpy()
    assert smooth(mean, 0.6) == pytest.approx(smoothed)
    difference = paired(found, "kl_to_real", "a", "b").student
    test = stats.ttest_rel(last["a"], last["b"]).confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx((test.low, test.high))


def test_seeds_are_joined_by_round_and_placed_where_they_were_then() -> None:
    x = np.array([0, 50])
    curves = {"a": {0: (x, np.array([1.0, 2.0])), 1: (x, np.array([3.0, 6.0]))}}
    seconds = {"a": {0: np.array([0.0, 1.0]), 1: np.array([0.0, 3.0])}}
    by_role = {trace.role: trace for trace in seed_traces(curves, {"seconds": seconds})}
    assert by_role["ghosts"].x["seconds"].tolist() == pytest.approx([0, 1, np.nan, 0, 3, np.nan], nan_ok=True)
    assert by_role["std"].x["seconds"].tolist() == pytest.approx([0, 2, 2, 0, np.nan], nan_ok=True)
    assert by_role["mean"].x["seconds"].tolist() == by_role["raw"].x["seconds"].tolist() == [0, 2]
    assert by_role["mean"].y.tolist() == [2, 4]


def test_a_loss_has_its_axis_and_line_and_stays_faint_when_smoothed() -> None:
    x = np.array([1, 2, 3])
    series = {"D.loss": (x, np.array([1.0, 2.0, 1.0])), "G.loss": (x, np.array([3.0, 3.0, 3.0]))}
    lines = {"D.loss": [(1.386, "2 log 2")]}
    figure = loss_chart(series, labels={"D.loss": "D loss"}, lines=lines, of={"D.loss": "judge"}, smoothing=0.5)
    assert [trace.name for trace in figure.data] == [None, None, "D loss", "G.loss"]
    assert list(figure.data[0].y) == [1, 2, 1]
    assert figure.data[2].line.color == theme.D
    assert figure.data[2].y[1] == pytest.approx((0.25 * 1 + 0.5 * 2) / 0.75)
    assert [shape.y0 for shape in figure.layout.shapes] == [1.386]
    assert len(loss_chart(series, labels={}, lines={}).data) == 2
    figure = loss_chart(series, labels={}, lines={}, log_y=True, y_range=Range(-1, 10, 0))
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.range == pytest.approx((0, 1)), "from the smallest value that has a logarithm"


def test_knobs_are_axes_a_line_per_run_in_the_colour_of_its_variant() -> None:
    knobs = {"n_critic": [5, 1, 5, 1], "normalization": ["batch", None, "batch", None]}
    results = {"Modes covered of the very longest name": [8.0, 7, 8, 3]}
    figure = parallel(knobs, results, ["a", "b", "a", "b"], text_colour="#123456")
    (trace,) = figure.data
    assert list(trace.line.color) == [0, 1, 0, 1]
    assert [colour for _, colour in trace.line.colorscale] == list(theme.VARIANTS[:2])
    steps, words, modes = trace.dimensions
    assert (list(steps.ticktext), list(steps.values)) == (["1", "5"], [1, 0, 1, 0])
    assert (list(words.ticktext), list(words.values)) == (["batch", "None"], [0, 1, 0, 1])
    assert list(modes.values) == [8, 7, 8, 3]
    assert modes.tickvals is None
    assert len(modes.label) <= 22
