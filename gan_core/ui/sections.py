"""The sections of a form for what only one game has: for the GAN chosen by hand, for any other one section a group."""

from __future__ import annotations

import streamlit as st

from gan_core.config import GanConfig, RunConfig
from gan_core.engine import catalogue
from gan_core.ui.forms import ConfigForm

PLAYERS = ("discriminator", "generator")


def of_run(form: ConfigForm, config: RunConfig) -> None:
    """What a new run of this game lets be chosen."""
    if not isinstance(config, GanConfig):
        _own_groups(form, config)
        return
    with st.expander("Networks", expanded=True, icon=":material/account_tree:"):
        form.group("model", columns=3)
        for player in ("generator", "discriminator"):
            st.markdown(f"**{player.capitalize()}**")
            form.group(f"model.{player}", columns=3)
    _loss(form)
    with st.expander("Tricks", icon=":material/healing:"):
        form.group("tricks", columns=3)
    with st.expander("Optimisers", icon=":material/speed:"):
        for player, column in zip(PLAYERS, st.columns(2), strict=True):
            with column:
                st.markdown(f"**{player.capitalize()}**")
                form.group(f"optimizers.{player}", columns=1)


def of_fork(form: ConfigForm, config: RunConfig) -> None:
    """What a fork lets be changed."""
    if not isinstance(config, GanConfig):
        _own_groups(form, config)
        with st.expander("Schedule, batch size and seed", icon=":material/speed:"):
            form.group("schedule", columns=4)
            form.group("data", skip=("name", "options"))
            form.group("", skip=("game", "device"))
        return
    with st.expander("Learning rates and steps", icon=":material/speed:"):
        for player, column in zip(PLAYERS, st.columns(2), strict=True):
            with column:
                st.markdown(f"**{player.capitalize()}**")
                form.group(f"optimizers.{player}", columns=2)
        form.group("schedule", columns=4)
    _loss(form)
    with st.expander("Discriminator", icon=":material/account_tree:"):
        form.group("model.discriminator", columns=3)
    with st.expander("Tricks, batch size and seed", icon=":material/healing:"):
        form.group("tricks", columns=3)
        form.group("data", skip=("name", "options"))
        form.group("", skip=("game", "device"))


def _loss(form: ConfigForm) -> None:
    with st.expander("Loss and regularisers", icon=":material/balance:"):
        form.group("objective", skip=("name",))
        form.options("objective.options", catalogue()["losses"][form.settings["objective"]["loss"]])
        form.penalties()


def _own_groups(form: ConfigForm, config: RunConfig) -> None:
    """A section for each group that only this game has, the groups inside of it below its own fields."""
    written = config.to_dict()
    for name in (name for name in written if name not in RunConfig.model_fields and isinstance(written[name], dict)):
        with st.expander(name.replace("_", " ").capitalize(), expanded=True, icon=":material/account_tree:"):
            form.group(name, columns=3)
            if "options" in written[name]:
                chosen = catalogue()["datasets"].get(form.settings[name]["name"])
                if chosen is not None:
                    form.options(f"{name}.options", chosen)
            for inner in (
                inner for inner, value in written[name].items() if inner != "options" and isinstance(value, dict)
            ):
                st.markdown(f"**{inner.replace('_', ' ').capitalize()}**")
                form.group(f"{name}.{inner}", columns=3)
