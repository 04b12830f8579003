"""Printed LaTeX as numbers: the formulas of cards and tabs, read as a person reads them and computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch

_TOKEN = re.compile(r"\s*(\\[a-zA-Z]+|\d+(?:\.\d+)?|[A-Za-z]+|.)")
_FUNCTIONS: dict[str, Any] = {
    "log": lambda value: torch.as_tensor(value, dtype=torch.float64).log(),
    "exp": torch.exp,
    "sigma": torch.sigmoid,
    "max": lambda a, b: torch.clamp(b, min=float(a)),
    "sign": torch.sign,
    "step": lambda value: (value > 0).to(value.dtype),
    "clip": lambda value, low, high: torch.clamp(value, float(low), float(high)),
}
_SILENT = (r"\quad", r"\,", r"\;", r"\!", "&", r"\left", r"\right", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr")


def lines_of(formula: str) -> dict[str, str]:
    """The equations of a formula by what stands at their left, "" for none; a line without one goes on with the last."""
    found = {"": ""}
    last = ""
    for line in re.split(r"\\\\(?:\[[^\]]*\])?", re.sub(r"\\(begin|end)\{(aligned|gathered)\}", "", formula)):
        left, relation, right = re.match(r"(.*?)(&=|&\\leftarrow|$)(.*)", line.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
        last = left.strip() if relation else last
        found[last] = right if relation else found[last] + line
    return found


def value(latex: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression. ``names`` binds what it names: numbers and tensors by their LaTeX (``\\hat x``, ``k_t``),
    functions of one argument (``D``), and ``nabla``, which is given the function's name and its argument. Raises ValueError.
    """
    for silent in _SILENT:
        latex = (
            re.sub(re.escape(silent) + r"(?![a-zA-Z])", " ", latex)
            if silent[-1].isalpha()
            else latex.replace(silent, " ")
        )
    parser = _Parser(_TOKEN.findall(latex), names)
    result = parser.sum()
    if parser.left:
        raise ValueError(f"{' '.join(parser.left)!r} is left of {latex!r}")
    return result


class _Parser:
    def __init__(self, tokens: list[str], names: Mapping[str, Any]) -> None:
        self.left, self._names = [token for token in tokens if token.strip()], names

    def _peek(self) -> str:
        return self.left[0] if self.left else ""

    def _take(self, wanted: str = "") -> str:
        if not self.left or (wanted and self.left[0] != wanted):
            raise ValueError(f"{wanted!r} is missing before {' '.join(self.left)!r}")
        return self.left.pop(0)

    def sum(self) -> Any:
        total = -self._product() if self._peek() == "-" and self._take() else self._product()
        while self._peek() in ("+", "-"):
            sign, term = self._take(), self._product()
            total = total + term if sign == "+" else total - term
        return total

    def _product(self) -> Any:
        total = self._power()
        while self._peek() not in ("", "+", "-", ")", "]", "}", ",", r"\rVert", r"\rceil", "|"):
            if self._peek() in ("/", r"\bmod"):
                operation, factor = self._take(), self._power()
                total = total / factor if operation == "/" else total % factor
            else:
                total = total * self._power()
        return total

    def _power(self) -> Any:
        base = self._atom()
        if self._peek() == "^":
            self._take()
            power = self._raw()
            if power != "(i)":  # the i-th of a batch
                base = base ** float(power)
        return base

    def _braced(self) -> Any:
        self._take("{")
        inner = self.sum()
        self._take("}")
        return inner

    def _raw(self) -> str:
        """What stands in the next pair of braces, as it is written, or the next token."""
        if self._peek() != "{":
            return self._take()
        depth, taken = 0, []
        while True:
            token = self._take()
            depth += (token == "{") - (token == "}")
            taken.append(token)
            if not depth:
                return "".join(taken[1:-1])

    def _arguments(self) -> list[Any]:
        closing = {"(": ")", "[": "]"}[self._take()]
        found = [self.sum()]
        while self._peek() == ",":
            self._take()
            found.append(self.sum())
        self._take(closing)
        return found

    def _atom(self) -> Any:
        token = self._peek()
        if token in ("(", "["):
            (inner,) = self._arguments()
            return inner
        self._take()
        if token[0].isdigit():
            return float(token)
        if token in (r"\tfrac", r"\frac"):
            over = self._braced()
            return over / self._braced()
        if token in (r"\hat", r"\tilde"):
            return self._names[f"{token} {self._take()}"]
        if token == r"\mathbb":
            self._take("{")
            self._take("E")
            self._take("}")
            if self._peek() == "_":
                self._take()
                self._raw()
            return self._arguments()[0].mean()
        if token == r"\sum":
            for mark in ("_", "^"):
                self._take(mark)
                self._raw()
            return self._product().sum()
        if token == r"\lceil":
            inner = self.sum()
            self._take(r"\rceil")
            return inner.ceil()
        if token == "|":
            inner = self._product()
            self._take("|")
            return inner.abs()
        if token == r"\mathrm":
            token = self._raw()
        if token == r"\nabla":
            function = self._take()
            return self._names["nabla"](function, *self._arguments())
        if token == r"\lVert":
            inner = self.sum()
            self._take(r"\rVert")
            self._take("_")
            return inner.norm(2, dim=1) if self._take() == "2" else inner.abs().mean(1)
        name = token.removeprefix("\\")
        if name in _FUNCTIONS and self._peek() != "^":  # σ(x) is a function, σ² a variance
            return _FUNCTIONS[name](*(self._arguments() if self._peek() in ("(", "[") else [self._power()]))
        if self._peek() == "_":
            self._take()
            name = f"{name}_{self._raw()}"
        bound = self._names[name]
        return bound(*self._arguments()) if callable(bound) and self._peek() == "(" else bound
