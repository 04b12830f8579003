"""The Train form, generated from the configuration: one widget per field, the error of a field beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from streamlit.delta_generator import DeltaGenerator

from gan_core.config import OBJECTIVES, Problem, RunConfig, title_of
from gan_core.engine import Choice
from gan_core.ui.shell import as_typed

Settings = dict[str, Any]
Catalogue = Mapping[str, Mapping[str, Choice]]

MARK = " :blue[●]"
"""Behind the name of a field that something else than the person has changed."""

REGISTRY_OF = {
    "data.name": "datasets",
    "domain_b.name": "datasets",
    "architecture": "architectures",
    "objective.loss": "losses",
}
"""The registry that a field chooses from, by its dotted name, or by its last word where it is the same in every group."""
SHOWN_IF: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "leaky_slope": ("activation", lambda activation: activation == "leaky_relu"),
    "upsampling": ("architecture", lambda architecture: architecture != "mlp"),
    "embedding_dim": ("condition", lambda condition: condition in ("embedding", "projection")),
    "class_weight": ("condition", lambda condition: condition == "ac_gan"),
    "beta1": ("name", lambda name: name == "adam"),
    "beta2": ("name", lambda name: name == "adam"),
    "momentum": ("name", lambda name: name != "adam"),
    "spectral_gain": ("spectral_norm", bool),
    "code_dim": ("output", lambda output: output == "reconstruction"),
    "summary": ("packing", lambda packing: packing > 1),
    "minibatch_dims": ("minibatch_kernels", bool),
    "instance_noise_rounds": ("instance_noise", bool),
    "ema_warm_up": ("ema_decay", bool),
    "augment_share": ("augment", lambda augment: augment != "off"),
    "augment_target": ("augment", lambda augment: augment != "off"),
    "augment_images": ("augment_target", bool),
    "joint": ("architecture", lambda architecture: architecture != "mlp"),
    "lr_final": ("lr_schedule", lambda schedule: schedule != "constant"),
}
"""What means something only beside certain values of another field of its group; without such a field it is always shown."""


def _is_shown(name: str, group: Settings) -> bool:
    if name == "attention":
        return group["architecture"] != "mlp" or group["attention"]
    other, holds = SHOWN_IF.get(name, ("", bool))
    return other not in group or holds(group[other])


class ConfigForm:
    """Widgets that begin with the values of ``base``; ``settings`` is what they say now.

    ``scope`` is part of every widget's key: a new base (another preset or objective) brings fresh widgets. Fields in
    ``marked`` have a mark behind their name.
    """

    def __init__(self, base: RunConfig, catalogue: Catalogue, scope: str, marked: Collection[str] = ()) -> None:
        self._marked = frozenset(marked)
        self.settings: Settings = base.to_dict()
        self._model = type(base)
        self._catalogue = catalogue
        self._scope = scope
        self._places: dict[str, DeltaGenerator] = {}
        self._keys: list[str] = []

    def group(self, path: str, *, columns: int = 2, skip: tuple[str, ...] = ()) -> None:
        """The fields of one nested group, such as ``optimizers.generator``, in order."""
        model, values = _model_at(self._model, path), self._at(path)
        fields = [(name, info) for name, info in model.model_fields.items() if name not in skip]
        cells = st.columns(columns)
        shown = 0
        for name, info in fields:
            if isinstance(values[name], dict):  # a group of its own, or the options of a registry's entry
                continue
            if not _is_shown(name, values):
                continue
            with cells[shown % columns]:
                values[name] = self._widget(f"{path}.{name}" if path else name, name, info, values[name])
            shown += 1

    def options(self, path: str, choice: Choice) -> None:
        """The numbers that one registry entry lets be chosen, into the group at ``path``."""
        values = self._at(path)
        given = dict(values)
        values.clear()
        for option in choice.options:
            field = f"{path}.{option.name}"
            whole = isinstance(option.default, int)
            number = int if whole else float
            value = st.number_input(
                option.label,
                value=number(given.get(option.name, option.default)),
                min_value=number(option.least),
                max_value=number(option.most),
                format=None if whole else "%g",
                key=self._key(f"{field}:{choice.name}"),
            )
            if option.name in given or value != option.default:
                values[option.name] = value
            self._places[field] = st.container()

    def penalties(self) -> None:
        """A weight for each penalty that can be added to D's loss; 0 is off."""
        chosen = self.settings["objective"]["penalties"]
        weights = {}
        for choice in self._catalogue["regularizers"].values():
            for option in choice.options:
                weight = st.number_input(
                    f"{choice.about.title} ({option.label}); 0 is off",
                    value=float(chosen.get(choice.name, 0.0)),
                    min_value=option.least,
                    max_value=option.most,
                    format="%g",
                    help=f"{choice.about.idea} The paper's value is {option.default:g}.",
                    key=self._key(f"penalty.{choice.name}"),
                )
                if weight:
                    weights[choice.name] = weight
        self.settings["objective"]["penalties"] = weights
        self._places["objective.penalties"] = st.container()

    @property
    def drawn(self) -> tuple[str, ...]:
        """The fields that this form has shown, by their keys; values that somebody types are in the fields, so not here."""
        return tuple(self._keys)

    def show_problems(self, problems: tuple[Problem, ...]) -> list[Problem]:
        """Write each problem beside its field; returns those that belong to none of the form's fields."""
        homeless = []
        for problem in problems:
            place = self._place_of(problem.field)
            if place is None:
                homeless.append(problem)
            else:
                place.error(as_typed(problem.message), icon=":material/error:")
        return homeless

    def show_advice(self, advice: tuple[Problem, ...]) -> None:
        """Write what is allowed, but should be known, beside its field."""
        for problem in advice:
            place = self._place_of(problem.field)
            if place is not None:
                place.info(as_typed(problem.message), icon=":material/info:")

    def _place_of(self, field: str) -> DeltaGenerator | None:
        while field:
            if field in self._places:
                return self._places[field]
            inside = [path for path in self._places if path.startswith(field + ".")]
            if inside:
                return self._places[inside[0]]
            field = field.rpartition(".")[0]
        return None

    def _widget(self, path: str, name: str, info: FieldInfo, value: Any) -> Any:
        label = title_of(name, info) + (MARK if path in self._marked else "")
        common: dict[str, Any] = {"help": info.description, "key": self._key(path)}
        annotation = info.annotation
        result: Any
        registry = REGISTRY_OF.get(path) or REGISTRY_OF.get(name)
        if registry and get_origin(annotation) is not Literal:  # a game may take a few of the entries only
            result = self._choose(registry, label, value, common)
        elif get_origin(annotation) is Literal:
            options = list(get_args(annotation))
            index = options.index(value)
            result = st.selectbox(label, options, index, format_func=lambda item: item.replace("_", " "), **common)
        elif annotation is bool:
            result = st.checkbox(label, value, **common)
        elif alarms := _literals(annotation):
            result = st.multiselect(
                label,
                alarms,
                list(value),
                format_func=lambda item: item.replace("_", " "),
                placeholder="never",
                **common,
            )
        elif isinstance(value, list | tuple):
            text = st.text_input(label, ", ".join(map(str, value)), **common)
            result = [_number(part) for part in text.replace(",", " ").split()]
        elif type(None) in get_args(annotation):
            on = st.number_input(f"{label} (empty is off)", value=value, min_value=0.0, format="%g", **common)
            result = on or None
        elif annotation is str:
            result = st.text_input(label, value, **common)
        elif annotation is int:
            result = st.number_input(label, value=int(value), step=1, **_bounds(info, int), **common)
        else:
            result = st.number_input(label, value=float(value), format="%g", **_bounds(info, float), **common)
        self._places[path] = st.container()
        return result

    def _choose(self, registry: str, label: str, value: str, common: dict[str, Any]) -> str:
        choices = self._catalogue[registry]
        names = list(choices)
        common["help"] = "  \n".join(f"**{choice.about.title}**: {choice.about.idea}" for choice in choices.values())
        index = names.index(value) if value in names else 0
        return st.selectbox(label, names, index, format_func=lambda name: choices[name].about.title, **common)

    def _at(self, path: str) -> Settings:
        node = self.settings
        for name in filter(None, path.split(".")):
            node = node[name]
        return node

    def _key(self, path: str) -> str:
        key = f"form:{self._scope}:{path}"
        self._keys.append(key)
        return key


def objective_names() -> dict[str, str]:
    """Objectives by key, with the title to show."""
    return {name: recipe.about.title for name, recipe in OBJECTIVES.items()}


def _model_at(model: type[BaseModel], path: str) -> type[BaseModel]:
    for name in filter(None, path.split(".")):
        annotation = model.model_fields[name].annotation
        assert isinstance(annotation, type)
        model = annotation
    return model


def _literals(annotation: Any) -> list[Any]:
    """The words that a field made of some of them may hold; none for any other field."""
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else None
    return list(get_args(inner)) if get_origin(inner) is Literal else []


def _bounds(info: FieldInfo, kind: Callable[[Any], float]) -> dict[str, Any]:
    """The least and the most that a number input accepts; an open bound is left to the check of the whole form."""
    bounds: dict[str, Any] = {"min_value": kind(0)}
    for limit in info.metadata:
        match limit:
            case Ge(ge):
                bounds["min_value"] = kind(ge)
            case Gt(gt):
                bounds["min_value"] = kind(gt)
            case Le(le):
                bounds["max_value"] = kind(le)
            case Lt(lt):
                bounds["max_value"] = kind(lt)
    return bounds


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
