"""Settings as nested dicts: read from JSON, as one level of dotted keys."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from gan_core.config.errors import ConfigError, Problem


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def drop(settings: dict[str, Any], path: str) -> None:
    """Take the entry at a dotted key out of nested settings, if there is one."""
    *parents, last = path.split(".")
    for name in parents:
        settings = settings.get(name, {})
        if not isinstance(settings, dict):
            return
    settings.pop(last, None)


def read_settings(text: str | bytes, what: str, *, limit: int = 1_000_000) -> dict[str, Any]:
    """The settings in a JSON text. Raises ConfigError, in sentences about ``what``, for anything else."""
    if len(text) > limit:
        raise ConfigError([Problem("", f"{what} has at most {limit:,} characters, this has {len(text):,}")])
    settings = read_json(text)
    if not isinstance(settings, dict):
        raise ConfigError([Problem("", f"{what} is a group of settings, as in {{…}}")])
    return settings


def read_json(text: str | bytes, *, finite: bool = False) -> Any:
    """What a JSON text says. Raises ConfigError for anything else, for a key that stands there twice, and if all numbers
    have to be ``finite``, for NaN and infinities, which are Python's JSON alone."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=refuse if finite else None)
    except ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigError([Problem("", f"this is not JSON: {error}")]) from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        twice = min(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ConfigError([Problem("", f"the key {twice[:80]!r} stands there twice")])
    return told
