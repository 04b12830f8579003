"""The draw page: which translators, whose discriminator, a translator trained from here, and the component that is drawn on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st

from gan_core.config import PRESETS, ConfigError, Preset, RunConfig, preset_config
from gan_core.engine import DataError, data_choice, traits
from gan_core.engine.showing.pictures import GAP
from gan_core.store import DamagedRun, RunNotFound, RunRecord, StoreError
from gan_core.ui import scripts
from gan_core.ui.shell import (
    DRAW,
    HOME,
    as_typed,
    click_of,
    give_room,
    lab,
    said_in_a_sentence,
    say,
    show_started,
    start_button,
    ticket,
)

_COMPONENT = scripts.component("draw", "draw/draw.js", "latent/latent.css", "draw/draw.css")
LISTED = 60
"""Of the newest runs, as many are offered."""


def can(run: RunRecord, ability: str) -> bool:
    """Whether the game of a run has an ability, on pictures."""
    try:
        config = RunConfig.load(run.config)
        return ability in traits(config).abilities and data_choice(config.data.name).kind == "images"
    except (ConfigError, DataError, KeyError):
        return False


@cache
def trainable() -> Mapping[str, Preset]:
    """The presets whose game goes from picture to picture."""
    games = {name: preset_config(name) for name in PRESETS}
    return {
        name: PRESETS[name]
        for name, config in games.items()
        if "translate" in traits(config).abilities and data_choice(config.data.name).kind == "images"
    }


def link(run: RunRecord) -> None:
    """A link to the page, from that of a run that can be drawn for."""
    if can(run, "translate"):
        label, query = "Draw, and see what it makes of that", {"run": run.id}
    elif can(run, "judge"):
        label, query = "Draw, and see what its discriminator says", {"judge": run.id, "look": "forger"}
    else:
        return
    st.page_link(DRAW, label=label, icon=":material/draw:", query_params=query)


def show() -> None:
    """The page."""
    give_room()
    st.title("Draw", anchor=False)
    runs = {run.id: run for run in lab().store.runs(limit=LISTED) if not isinstance(run, DamagedRun)}
    runs = _asked_too(runs)
    translators = [id for id, run in runs.items() if can(run, "translate")]
    judges = [id for id, run in runs.items() if can(run, "judge")]
    if not translators and not judges:
        st.info(
            "No run can be drawn for yet. Train one here: its first states come within seconds.", icon=":material/draw:"
        )
        _train(in_sight=True)
        return
    first, second, judge, more = st.columns([3, 3, 3, 1.6], vertical_alignment="bottom")
    with first:
        a = _choose("Translator", "run", translators, runs) if translators else None
    with second:
        b = _choose("Beside it", "beside", [id for id in translators if id != a], runs, none="nothing") if a else None
    with judge:
        forger = _choose("Discriminator, for the forger's test", "judge", judges, runs) if judges else None
    with more, st.popover("Train one", icon=":material/play_arrow:", width="stretch", key=f"train:{a}"):
        _train()
    data = {"gap": GAP, "a": _for_page(a, runs), "b": _for_page(b, runs), "forger": _for_page(forger, runs)}
    _COMPONENT(key="draw", data=data, on_stale_change=lambda: None)


def _asked_too(runs: dict[str, RunRecord]) -> dict[str, RunRecord]:
    """The runs with those that the address names, which may be older."""
    for name in ("run", "beside", "judge"):
        asked = st.query_params.get(name, "")
        if asked and asked not in runs:
            try:
                runs = {asked: lab().store.run(asked), **runs}
            except (RunNotFound, StoreError) as error:
                say(error)
    return runs


def _choose(
    label: str, param: str, ids: list[str], runs: Mapping[str, RunRecord], none: str | None = None
) -> str | None:
    """The run of the address, else the newest; or none at first, where ``none`` is the name of that choice."""
    asked = st.query_params.get(param, "")
    if asked in runs and asked not in ids and none is None:
        st.info(f"{as_typed(runs[asked].name)} does not go from picture to picture; here is another run.")
    choices = ids if none is None else ["", *ids]
    chosen = st.selectbox(
        label,
        choices,
        index=choices.index(asked) if asked in choices else 0,
        format_func=lambda id: f"{runs[id].name} · {id}" if id else str(none),
    )
    if not chosen:
        st.query_params.pop(param, None)
    elif chosen != asked:
        st.query_params[param] = chosen
    return chosen or None


def _for_page(run: str | None, runs: Mapping[str, RunRecord]) -> dict[str, Any] | None:
    return None if run is None else {"run": run, "ticket": ticket(run), "name": runs[run].name or run}


def _train(*, in_sight: bool = False) -> None:
    """A button for each preset from picture to picture; what it says stands beside it where there is room."""
    for name, preset in trainable().items():
        key = f"draw:{name}"
        about = None if in_sight else preset.story
        where, beside = st.columns([2, 5], vertical_alignment="center") if in_sight else (st.container(), None)
        with where:
            pressed = start_button(preset.title, key=key, seen=name, icon=":material/play_arrow:", help=about)
        if beside is not None:
            beside.markdown(preset.story)
        if pressed:
            with said_in_a_sentence():
                run = lab().submit(preset_config(name), name=preset.title, key=click_of(key))
                show_started(key, DRAW, {"run": run})
    st.page_link(HOME, label="Other games", icon=":material/home:")
