"""Where the Train form begins: a preset, another run's settings, or a preset with one part of the Library in it."""

from __future__ import annotations

import streamlit as st

from gan_core.config import PRESETS, ConfigError, RunConfig, preset_config
from gan_core.engine import Choice, beginning_with, changes_for
from gan_core.engine.library.cards import suggestion_for
from gan_core.store import RunNotFound, StoreError
from gan_core.ui.shell import as_typed, lab


def base_config(choices: dict[str, dict[str, Choice]]) -> tuple[RunConfig, str, str | None]:
    """The config that the form begins with, a name for it, and its preset; from the page's address and a choice."""
    if parent := st.query_params.get("from"):
        try:
            run = lab().store.run(parent)
            st.caption(f"Settings of *{as_typed(run.name)}* — [back to it](watch?run={run.id})")
            return RunConfig.load(run.config), f"run:{run.id}", None
        except (RunNotFound, StoreError, ConfigError) as error:
            st.warning(f"{as_typed(str(error))} The form begins with a preset instead.")
    part = st.query_params.get("part", "")
    kind, _, entry = part.partition(":")
    known = entry in choices.get(kind, {})
    names = list(PRESETS)
    wanted = (beginning_with(kind, entry) if known else None) or st.query_params.get("preset", names[0])
    name = st.selectbox(
        "Begin with",
        names,
        names.index(wanted) if wanted in names else 0,
        format_func=lambda item: PRESETS[item].title,
        key=f"preset:{part}" if part else "preset",
        help="All values can be changed",
    )
    st.caption(PRESETS[name].story)
    if not known:
        if part:
            st.warning("The Library has no such part; the form begins with the preset alone.")
        return preset_config(name), name, name
    st.caption(f"With *{choices[kind][entry].about.title}* — [its card](library?part={part})")
    if kind == "datasets" and (own := suggestion_for(entry)) is not None:
        st.caption(" ".join(own.expected))
    return preset_config(name, changes_for(kind, entry)), f"{name}:{part}", name
