"""Code on a page can be read: every colour of a token has a contrast of 4.5:1 on its ground, in either theme."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import gan_core.ui

CSS = (Path(gan_core.ui.__path__[0]) / "page_keys.css").read_text()
PAIRS = re.findall(r"\.token:is\(([^)]*)\) \{ color: light-dark\((#\w{6}), (#\w{6})\)", CSS)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(two)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("index", [0, 1], ids=["light", "dark"])
def test_every_token_is_told_from_its_ground(root: Path, index: int) -> None:
    theme = tomllib.loads((root / ".streamlit" / "config.toml").read_text())["theme"][("light", "dark")[index]]
    assert len(PAIRS) >= 5
    for names, *colours in PAIRS:
        assert contrast(colours[index], theme["codeBackgroundColor"]) >= 4.5, names
    coloured = " ".join(names for names, *_ in PAIRS)
    for name in ("keyword", "function", "operator", "number", "string", "punctuation", "boolean", "builtin", "comment"):
        assert f".{name}" in coloured


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
