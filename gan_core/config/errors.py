"""What is wrong with a configuration, in sentences."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from pydantic import ValidationError

MOST_SAID = 12  # of the problems of one configuration


@dataclass(frozen=True)
class Problem:
    """One thing wrong: ``field`` is a dotted path (``optimizers.generator.lr``), ``message`` a sentence without it.

    One that is not ``fatal`` is advice: the configuration runs, but a person should know.
    """

    field: str
    message: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class ConfigError(ValueError):
    """A configuration that cannot be run. ``problems`` holds one entry per field at fault."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - MOST_SAID
        rest = [f"and {more:,} more"] if more > 0 else []
        super().__init__("; ".join([*map(str, self.problems[:MOST_SAID]), *rest]))


def nearest(word: str, known: Iterable[str]) -> str:
    """`` — did you mean 'lr'?`` for the closest known word, else the list of what is known."""
    known = list(known)
    close = closest(word, known)
    return f" — did you mean {close!r}?" if close else f"; known: {', '.join(known)}"


def unknown_name(field: str, name: str, known: Iterable[str]) -> Problem:
    """That a setting names what its registry does not have."""
    return Problem(field, f"unknown name {name[:80]!r}{nearest(name[:80], known)}")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is meant: in another case, with other signs between its parts, by their initials, or misspelt."""
    plain = {_plain(name): name for name in reversed(list(known))}
    short = {"".join(part[:1] for part in re.split(r"[^a-z0-9]+", name.lower())): name for name in plain.values()}
    said = _plain(str(word))
    if said in plain:
        return plain[said]
    if len(said) > 1 and said in short:
        return short[said]
    close = difflib.get_close_matches(said, plain, n=1, cutoff=0.5)
    return plain[close[0]] if close else None


def meant(key: str, below: Iterable[str]) -> list[str]:
    """Of dotted names, those that end in this key, in whatever case; what somebody means who leaves out the groups."""
    said = _plain(key)
    return [name for name in below if said and _plain(name.rpartition(".")[2]) == said]


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


_SENTENCES = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "finite_number": "must be a finite number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_long": "takes at most {max_length} characters",
    "model_type": "must be a group of settings, as in {{…}}",
    "model_attributes_type": "must be a group of settings, as in {{…}}",
    "dict_type": "must be a group of settings, as in {{…}}",
    "tuple_type": "must be a list, as in {example}",
}


def problems_of(error: ValidationError) -> list[Problem]:
    """Translate pydantic's errors; each names the field, the value and what is allowed."""
    found = []
    items = error.errors()
    for item in items:
        field = ".".join(str(part)[:60] for part in item["loc"])
        kind, given = item["type"], item["input"]
        told = {**item.get("ctx", {})}
        if kind == "too_short":
            if any(len(other["loc"]) > len(item["loc"]) == _shared(other["loc"], item["loc"]) for other in items):
                continue  # its entries are wrong, not too few
            message = _too_few(len(given) if isinstance(given, list | tuple) else 0, told["min_length"])
        elif kind == "too_long":
            more = (
                f"{_shortened(given)} has {len(given)} items" if isinstance(given, list | tuple) else "too many items"
            )
            message = f"{more}, at most {told['max_length']} items can be taken; take some out"
        elif kind in _SENTENCES:
            value = _shortened(given)
            sentence = _SENTENCES[kind].format(**told, example=_list_of(given))
            message = f"{value} {sentence}{_hint(kind, given, told.get('expected'))}"
        elif kind == "unknown_key" and told["below"]:
            full = [f"{field}.{name}" if field else name for name in told["below"]]
            message = f"{told['unknown']} — did you mean {' or '.join(map(repr, full))}?"
        else:
            message = item["msg"]
        found.append(Problem(field, message))
    return found


def _shared(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    """How many parts two places have in common, from the first on."""
    same = [a == b for a, b in zip(one, other, strict=False)]
    return same.index(False) if False in same else len(same)


def _too_few(there: int, needed: int) -> str:
    so_far = f"only {there} is there" if there == 1 else f"only {there} are there" if there else "[] is empty"
    return (
        f"{so_far}, at least {needed} {'is' if needed == 1 else 'are'} needed; add {'one' if there == 0 else 'another'}"
    )


def _shortened(value: Any) -> str:
    text = _as_typed(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _as_typed(value: Any) -> str:
    """A value in the form in which it is typed and stored: ``[64,64]``, ``true``; a text in quotes."""
    if isinstance(value, list | tuple | dict | bool | NoneType):
        return json.dumps(value, separators=(",", ":"), default=str, ensure_ascii=False)
    return repr(value)


def _list_of(value: Any) -> str:
    """What was given as the list that may have been meant."""
    if isinstance(value, str):
        numbers = re.findall(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", value[:60].lower())
        return f"[{','.join(numbers) or '…'}]"
    return f"[{_as_typed(value)}]" if isinstance(value, int | float) else "[…]"


def _hint(kind: str, given: Any, expected: object) -> str:
    """The choice that differs from what was given in its case alone, or nearly so; a number with its decimal point."""
    if kind == "float_parsing" and isinstance(given, str) and re.fullmatch(r"[-+]?\d+,\d+", given):
        return f" — did you mean {given.replace(',', '.')}?"
    choices = re.findall(r"'([^']*)'", expected) if isinstance(expected, str) and isinstance(given, str) else []
    same = [choice for choice in choices if _plain(choice) == _plain(given)]
    return f" — did you mean {same[0]!r}?" if same else ""
