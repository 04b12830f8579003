"""What is the real data, and can the classifier that judges samples be trusted?"""

import streamlit as st

from gan_core.engine import catalogue, dataset_facts
from gan_core.ui import charts
from gan_core.ui.shell import about_card, lab

st.title("Data", anchor=False)
choices = catalogue()["datasets"]
name = st.segmented_control(
    "Data set",
    list(choices),
    default=next(iter(choices)),
    format_func=lambda item: choices[item].about.title,
    key="dataset",
    label_visibility="collapsed",
) or next(iter(choices))
facts = dataset_facts(name, lab().classifiers)
left, right = st.columns([3, 2], gap="large")

with right, st.container(border=True):
    st.subheader(choices[name].about.title, anchor=False)
    about_card(choices[name].about)

if facts.kind == "images":
    with left:
        first, second, third = st.columns(3)
        first.metric("for training", f"{facts.n_train:,}")
        second.metric("held out for measuring", f"{facts.n_heldout:,}")
        third.metric("pixel mean ± std", f"{facts.pixel_mean:.2f} ± {facts.pixel_std:.2f}", help="in [−1, 1]")
        st.image(facts.samples or b"", caption="Real samples, one row per class", output_format="PNG", width="stretch")
        st.caption(
            "Images per class: "
            + ", ".join(f"{label}: {count}" for label, count in zip(facts.class_names, facts.counts, strict=True))
        )

    @st.fragment(run_every=None if facts.classifier else 1.0)
    def judge() -> None:
        now = dataset_facts(name, lab().classifiers)
        report = now.classifier
        st.subheader("The frozen classifier", anchor=False)
        if report is None:
            share, sentence = now.classifier_progress or (0.0, "waiting")
            st.progress(share, text=sentence)
            return
        if facts.classifier is None:
            st.rerun()
        st.markdown(
            f"A small network trained once on the {report.n_train:,} training images, then frozen. It names generated "
            f"samples, and is right on **{report.accuracy:.1%}** of the {report.n_heldout:,} images it never saw; "
            f"{report.unsure_share:.1%} of them it calls unsure."
        )
        st.plotly_chart(charts.confusion(report.confusion, report.class_names), key="confusion", config=charts.STATIC)

    with right:
        judge()
elif facts.points is not None:
    with left:
        if facts.xs is None or facts.density is None:
            st.plotly_chart(charts.scatter_2d(real=facts.points), key="points", config=charts.STATIC)
        else:
            st.plotly_chart(charts.density_1d(facts.xs, facts.density), key="density", config=charts.STATIC)
        st.caption(f"{len(facts.points):,} real samples; networks see points of a plane scaled to about [−1, 1]")
