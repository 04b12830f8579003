"""What a study has found, as plain values: sentences, tables, charts and pictures, which every page and export shows alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = float | str | list[float] | list[str] | list[list[float]]
Values = Mapping[str, Value]
Scalar = str | float | int | None
Tone = Literal["good", "bad", "unknown", "plain"]


@dataclass(frozen=True)
class Cell:
    """The smallest unit of work of a study; ``key`` is unique in it and never changes its meaning. While it is computed the
    cell is called by its ``title``, by its ``arm`` where that is "".
    """

    key: str
    arm: str
    size: int
    seed: int
    title: str = ""


@dataclass(frozen=True)
class Row:
    """A cell, and what was computed in it."""

    cell: Cell
    values: Values


@dataclass(frozen=True)
class Sentence:
    """What may be said; ``tone`` is its colour, "unknown" where it cannot be told."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Table:
    """``forms`` says by column how numbers are said (a format such as ``.1f``), text columns have none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    note: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """``low`` and ``high`` bound an interval at each x; they are empty, or NaN at an x, where there is none."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves over one axis; ``levels`` are horizontal lines with names."""

    title: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]
    log_x: bool = False
    levels: tuple[tuple[str, float], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Board:
    """Pictures that lie beside the study, each with a caption.

    Of boards with a ``group`` those of one group are seen at a time. ``choice`` says that one picture is, by its caption.
    """

    title: str
    files: tuple[tuple[str, str], ...]
    note: str = ""
    group: str = ""
    choice: bool = False


@dataclass(frozen=True)
class Handle:
    """A threshold to be moved, of the score ``name``.

    ``curve`` is its receiver operating characteristic: shares of false alarms, and of what is found. ``steps`` say what
    thresholds of held-out normal samples do: the rate that is set, how many normal samples are called, how many anomalies.
    """

    name: str
    group: str
    curve: tuple[tuple[float, float], ...]
    steps: tuple[tuple[float, int, int], ...]
    normals: int
    anomalies: int


@dataclass(frozen=True)
class Findings:
    """``comparisons`` is how many differences were judged: at 95 % one of twenty is called falsely."""

    headline: Sentence | None = None
    sentences: tuple[Sentence, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    boards: tuple[Board, ...] = ()
    handles: tuple[Handle, ...] = ()
    comparisons: int = 0
