"""What a person types: settings, a file of settings, a comparison. No torch."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from gan_core.config import (
    BUDGETS,
    CURES,
    TEMPLATES,
    Comparison,
    ConfigError,
    Problem,
    RunConfig,
    flatten,
    nearest,
    override,
    parse_budget,
    parse_seeds,
    parse_vary,
    preset_config,
)

_LISTS = frozenset(path for path, value in flatten(RunConfig().to_dict()).items() if isinstance(value, list))


def config_of(options: argparse.Namespace) -> RunConfig:
    """The preset or the file, with what ``--set`` changes."""
    changes = changes_of(options)
    if options.config is not None:
        return RunConfig.load(override(_read_json(options.config), changes))
    return preset_config(options.preset, changes)


def changes_of(options: argparse.Namespace) -> dict[str, Any]:
    return dict(assignment(text) for text in options.set)


def knobs_of(options: argparse.Namespace) -> dict[int, dict[str, float]]:
    """What ``--knob`` turns, by round."""
    knobs: dict[int, dict[str, float]] = {}
    for text in options.knob:
        round, colon, rest = text.partition(":")
        key, value = assignment(rest, "--knob")
        if not colon or not round.strip().isdecimal() or isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError([Problem("--knob", f"{text[:80]!r} is not of the form round:key=number")])
        knobs.setdefault(int(round), {})[key] = value
    return knobs


def cures_of(options: argparse.Namespace) -> dict[str, Any]:
    """The change-sets that ``--with`` names, in order."""
    changes: dict[str, Any] = {}
    for word in options.cures:
        if word not in CURES:
            raise ConfigError([Problem("--with", f"unknown cure {word[:80]!r}{nearest(word[:80], CURES)}")])
        changes |= CURES[word].changes
    return changes


def assignment(text: str, option: str = "--set") -> tuple[str, Any]:
    """A setting and its value, which is JSON or a word. A list may be typed with brackets or without."""
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        raise ConfigError([Problem(option, f"{text[:80]!r} is not of the form key=value")])
    if key in _LISTS and value and value[0] not in '[{"':
        return key, [_value(part) for part in re.split(r"[\s,;]+", value.strip(",; "))]
    return key, _value(value)


def as_typed(value: Any) -> str:
    """A value as ``--set KEY=`` takes it."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def comparison_of(options: argparse.Namespace) -> Comparison:
    """What the options ask for: a template, or a base with what varies."""
    changes = changes_of(options)
    seeds = parse_seeds(options.seeds)
    if options.template is not None:
        if options.template not in TEMPLATES:
            hint = nearest(options.template[:80], TEMPLATES)
            raise ConfigError([Problem("--template", f"unknown template {options.template[:80]!r}{hint}")])
        template = TEMPLATES[options.template]
        made = template.comparison(preset_config(options.base or template.preset, changes), seeds).to_dict()
    elif options.vary:
        base = preset_config(options.base or "ring-mlp", changes)
        made = {"base": base, "variants": parse_vary(options.vary), "seeds": seeds}
    else:
        raise ConfigError([Problem("--vary", "say what to compare: --vary objective=ns_gan,wgan_gp, or --template")])
    budget = (
        {"rounds": options.rounds} if options.rounds is not None else options.budget and parse_budget(options.budget)
    )
    return Comparison.load({**made, **dict.fromkeys(BUDGETS), **budget} if budget else made)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return RunConfig.from_json(path.read_bytes()).to_dict()
    except OSError as error:
        raise ConfigError([Problem("--config", f"{path} cannot be read: {error.strerror}")]) from None
