"""A number as a person would say it: three digits, the unit that it has, nothing that the measurement does not carry.

`number` of ``ui/live/said.js`` is the same in the browser; one test holds them to each other.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Form = Literal["", "percent", "integer"]
SMALL, TINY = 0.01, 1e-4
"""Below ``SMALL`` two digits are enough; below ``TINY`` a power of ten says more than zeros."""
LARGE = 1e6


def said(value: float | None, form: Form = "") -> str:
    """``0.714``, ``0.0092``, ``12,300``, ``9.2e−5``; as ``percent`` ``4.2 %`` or ``98 %``; as ``integer`` ``12,345``.

    ``–`` where there is no number. A minus is U+2212; halves are rounded away from zero.
    """
    if value is None or not math.isfinite(value):
        return "–"
    if form == "integer":
        return _signed(f"{_rounded(value, 0):,f}")
    if form == "percent":
        return _percent(100 * value)
    size = abs(value)
    if value == 0:
        return "0"
    if size >= LARGE or size < TINY:
        power = Decimal(value).adjusted()
        power = _rounded(value, 1 - power).adjusted()  # 9.96 of a power is 1.0 of the next
        return _signed(f"{_short(_rounded(value, 1 - power).scaleb(-power))}e{power}")
    digits = 3 if size >= SMALL else 2
    return _signed(_short(_rounded(value, digits - 1 - Decimal(value).adjusted())))


def _percent(share: float) -> str:
    if 0 < share < 0.05:
        return "below 0.1 %"
    return _signed(f"{_rounded(share, 1 if 0 < abs(share) < 9.95 else 0):f} %")


def _rounded(value: float, places: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _short(value: Decimal) -> str:
    """With separators of thousands, without zeros behind the digits that count."""
    text = f"{value:,f}" if value == value.to_integral() else f"{value.normalize():,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(text: str) -> str:
    """With a typeset minus, and none before a zero."""
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.replace("-", "")
