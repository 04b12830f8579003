"""How long it will take, before Start: what pages ask the engine for, measured once per configuration."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine import Forecast, Pace, expected_of_all, forecast, learned, measured, training_now
from gan_core.ui.shell import lab


@st.cache_data(max_entries=200, show_spinner="measuring on this machine…")
def measured_now(config_json: str) -> Forecast:
    """Parameters, layers, advice and pace of a configuration. Raises ConfigError, DataError."""
    return forecast(RunConfig.from_json(config_json), budget_seconds=0.3)


def pace_of(config: RunConfig, forecasted: Forecast) -> Pace:
    """What this machine did with runs like it, else what has just been measured."""
    return learned(lab().store, config) or measured(forecasted)


def told_of_all(configs: Iterable[RunConfig]) -> str:
    """How long the runs of a comparison will take, in a sentence. Raises ConfigError, DataError."""
    runs = []
    for config in configs:
        alike = config.replace({"seed": 0})  # a seed costs nothing: one measurement for all
        runs.append((config, pace_of(alike, measured_now(alike.to_json()))))
    training = training_now(lab().store.runs(limit=50))
    return f"{len(runs)} runs: {expected_of_all(runs, at_once=lab().capacity, training=training)}."
