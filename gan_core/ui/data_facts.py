"""What the Data page shows of one data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from gan_core.engine import Choice, DatasetFacts, Lab
from gan_core.ui import charts, data_charts
from gan_core.ui.shell import action_button, as_typed, said_in_a_sentence

STATIC = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False}
LISTED_CLASSES = 60


def size_of(count: int) -> str:
    """Bytes as people say them."""
    return f"{count / 10**6:,.0f} MB" if count >= 10**6 else f"{count / 10**3:,.0f} kB"


def _short(value: float) -> str:
    """A number as there is room for one beside another."""
    if 1e3 <= value < 1e6:
        return f"{value / 1e3:.3g}k"
    return f"{value:.2f}" if 0.01 <= value < 1e3 else f"{value:.1e}" if value else "0"


def show_images(facts: DatasetFacts) -> None:
    """Numbers, a picture of real samples, images per class, pixel values."""
    channels, height, width = facts.shape
    cells = st.columns(3)
    cells[0].metric("for training", f"{facts.n_train:,}")
    cells[1].metric("held out", f"{facts.n_heldout:,}", help="Never trained on: what samples are measured against")
    cells[2].metric("pixels", f"{height}×{width}", help="grey" if channels == 1 else "red, green and blue")
    rows = "one row per class" if facts.class_names and not facts.num_modes else "as they come"
    st.image(facts.samples or b"", caption=f"Real samples, {rows}", output_format="PNG", width="stretch")
    for note in facts.notes:
        st.caption(note)
    if facts.class_names:
        st.subheader("Images per class", anchor=False)
        figure = data_charts.counts_per_class(facts.class_names, facts.counts_train, facts.counts)
        st.plotly_chart(figure, key="counts", config=STATIC, height=260)
    st.subheader("Pixel values", anchor=False)
    st.plotly_chart(data_charts.pixel_values(facts.pixel_histogram), key="pixels", config=STATIC, height=240)
    st.caption(f"Mean {facts.pixel_mean:.3f}, standard deviation {facts.pixel_std:.3f}, scaled to [−1, 1]")


def draw_points(facts: DatasetFacts, *, key: str, height: int) -> None:
    """The density that the data come from, its modes numbered; on a plane with real points over it."""
    assert facts.points is not None
    assert facts.xs is not None
    assert facts.density is not None
    centers = () if facts.centers is None else facts.centers
    if facts.ys is None:
        figure = data_charts.real_density(facts.xs, facts.density, centers)
    else:
        figure = data_charts.real_plane(facts.points, facts.xs, facts.ys, facts.density, centers, facts.axes)
    st.plotly_chart(figure, key=key, config=STATIC, height=height)


def show_points(facts: DatasetFacts) -> None:
    """Real points over their density, on a line or a plane."""
    points = facts.points
    assert points is not None
    cells = st.columns(3)
    cells[0].metric("dimensions", facts.shape[0])
    cells[1].metric("modes", facts.num_modes or "none", help="Modes that can be counted")
    spread = points.std(axis=0)
    cells[2].metric(
        "standard deviation",
        " · ".join(map(_short, spread)),
        help="In data units, per axis",
    )
    draw_points(facts, key="points", height=420 if facts.ys is None else 520)
    if facts.ys is None:
        st.caption("The density of the data, in data units")
    else:
        st.caption(f"{len(points):,} real samples over the density that they come from, in data units")


def show_classifier(facts: DatasetFacts, again: Callable[[], DatasetFacts]) -> None:
    """The report of the frozen classifier; while it is being trained, its progress."""

    @st.fragment(run_every=None if facts.classifier else 1.0)
    def judge() -> None:
        report = (facts if facts.classifier else again()).classifier
        st.subheader("The frozen classifier", anchor=False)
        if report is None:
            share, sentence = again().classifier_progress or (0.0, "waiting")
            st.progress(share, text=sentence)
            return
        if facts.classifier is None:
            st.rerun()
        right, unsure = st.columns(2)
        right.metric("right on held-out images", f"{report.accuracy:.1%}")
        unsure.metric("of them unsure", f"{report.unsure_share:.1%}")
        st.markdown(
            f"A small network trained once on the {report.n_train:,} training images, then frozen. It names generated "
            f"samples; it was tested on {report.n_heldout:,} images that it never saw."
        )
        if len(report.class_names) <= LISTED_CLASSES:
            figure = charts.confusion(report.confusion, report.class_names)
            st.plotly_chart(figure, key="confusion", config=STATIC)
        else:
            st.caption(f"The confusion matrix of {len(report.class_names)} classes is too large to be drawn.")

    judge()


def show_origin(lab: Lab, choice: Choice) -> None:
    """Of somebody's own set: how much was usable, what was not, and Delete."""
    card = lab.chores.own(choice.name)
    if card is None:
        return
    st.markdown(f"**{card.summary}**" if card.problems else "All of it could be used.")
    if card.problems:
        with st.expander(f"{card.found - card.count:,} left out, and why", icon=":material/warning:"):
            st.dataframe(
                pd.DataFrame([(problem.file, problem.reason) for problem in card.problems], columns=["file", "reason"]),
                hide_index=True,
                width="stretch",
                key="problems",
            )
    for warning in card.warnings:
        st.warning(as_typed(warning), icon=":material/warning:")
    if card.notes and card.kind == "points":
        st.caption(as_typed(f"Read as {'; '.join(card.notes)}."))
    for note in card.notes if card.kind == "images" else ():
        st.caption(as_typed(note))
    st.caption("In a configuration its name is")
    st.code(card.name, language=None, wrap_lines=True)


def show_delete(lab: Lab, choice: Choice, *, files: bool = False) -> bool:
    """A button that asks once more; True when the set was deleted."""
    used = [run for run in lab.store.runs() if _data_of(run) == choice.name]
    label = "Delete the downloaded files" if files else "Delete this data set"
    with st.popover(label, icon=":material/delete:"):
        if used:
            st.markdown(f"{len(used)} run(s) were trained on it. They stay, but cannot be continued without it.")
        st.markdown("This removes it from the disk for good.")
        if action_button("bring", "Delete", key=f"delete:{choice.name}", type="primary"):
            with said_in_a_sentence():
                lab.chores.delete(choice.name)
                return True
    return False


def _data_of(run: Any) -> str:
    config = getattr(run, "config", {})
    data = config.get("data", {}) if isinstance(config, dict) else {}
    return str(data.get("name", "")) if isinstance(data, dict) else ""
