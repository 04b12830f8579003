"""A form of the settings of any protocol, made of its model; what cannot be read is said at the field."""

from __future__ import annotations

import re
import types
from contextlib import suppress
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from gan_core.config import ConfigError
from gan_core.config.studies import STUDY_SETTINGS, StudySettings, load_study
from gan_core.engine import catalogue
from gan_core.ui.shell import as_typed, say

GIVEN = ("protocol", "run", "at", "options")
"""Settings that no field asks for."""


def settings_form(protocol: str, *, of_a_run: bool) -> StudySettings | None:
    """The settings that the fields say; None where one of them cannot be, which is said. Data of a run is the run's."""
    model = STUDY_SETTINGS[protocol]
    left_out = (*GIVEN, "data") if of_a_run else GIVEN
    names = [name for name in model.model_fields if name not in left_out]
    columns = st.columns(3)
    values = {}
    for place, name in enumerate(names):
        with columns[place % 3]:
            values[name] = _field(protocol, name, model.model_fields[name])
    try:
        return load_study({"protocol": protocol, **values})
    except ConfigError as error:
        for problem in error.problems:
            say(problem)
        return None


def _field(protocol: str, name: str, info: FieldInfo) -> Any:
    label, key = name.replace("_", " ").capitalize(), f"study:{protocol}:{name}"
    kind, default = info.annotation, info.get_default(call_default_factory=True)
    if name == "data":
        return _data(label, key, default, info.description)
    if get_origin(kind) is tuple and get_origin(get_args(kind)[0]) is Literal:
        picked: list[str] = st.multiselect(label, get_args(get_args(kind)[0]), default, key=key, help=info.description)
        return picked
    if get_origin(kind) is tuple:
        text = st.text_input(label, ", ".join(map(str, default)), key=key, help=info.description)
        parts = [part for part in re.split(r"[\s,;]+", text.strip(" ,;")) if part]
        return parts if isinstance(next(iter(default), 0), str) else [_number(part) for part in parts]
    if get_origin(kind) is Literal:
        return st.selectbox(label, get_args(kind), get_args(kind).index(default), key=key, help=info.description)
    if kind is bool:
        return st.toggle(label, default, key=key, help=info.description)
    if kind in (int, float) or get_origin(kind) in (Union, types.UnionType):
        text = st.text_input(label, "" if default is None else f"{default}", key=key, help=info.description)
        return _number(text) if text.strip() else None
    return st.text_input(label, str(default), key=key, help=info.description)


def _data(label: str, key: str, default: str, help: str | None) -> str:
    choices = catalogue()["datasets"]
    names = [name for name, choice in choices.items() if choice.kind == "images" and choice.missing is None]
    asked = st.query_params.get("data", "")
    picked: str = st.selectbox(
        label,
        names,
        names.index(asked if asked in names else default),
        format_func=lambda name: as_typed(choices[name].about.title),
        key=key,
        help=help,
    )
    return picked


def _number(text: str) -> Any:
    """A number where it is one; else the text, which the settings refuse with a sentence."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text
