"""What is wrong with a configuration, in sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

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
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f" — did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


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
    "too_short": "needs at least {min_length} item(s)",
    "too_long": "takes at most {max_length} items",
    "string_too_long": "takes at most {max_length} characters",
    "model_type": "must be a group of settings, as in {{…}}",
    "model_attributes_type": "must be a group of settings, as in {{…}}",
    "dict_type": "must be a group of settings, as in {{…}}",
    "tuple_type": "must be a list",
}


def problems_of(error: ValidationError) -> list[Problem]:
    """Translate pydantic's errors; each names the field, the value and what is allowed."""
    found = []
    for item in error.errors():
        field = ".".join(str(part)[:60] for part in item["loc"])
        kind = item["type"]
        if kind in _SENTENCES:
            value = repr(item["input"])
            value = value if len(value) <= 60 else value[:57] + "…"
            message = f"{value} {_SENTENCES[kind].format(**item.get('ctx', {}))}"
        else:
            message = item["msg"]
        found.append(Problem(field, message))
    return found
