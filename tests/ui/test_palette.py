"""Colours that stay apart: for any colour vision, and from both pages.

Dichromacy is simulated with the matrices of Machado, Oliveira and Fernandes (2009), severity 1, in linear RGB; distances are
CIE 1976 ΔE in Lab (D65). 2.3 is just noticeable; a curve 1.6 pixels wide wants several times that.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gan_core.ui import theme

VISION = {
    "trichromacy": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
ROLES = {"D": theme.D, "G": theme.G, "real": theme.REAL, "mark": theme.MARK}
"""What stands on one chart at once, each with one meaning on every page."""
LEAST = 15.0
PAGES = {"light": "#FFFFFF", "dark": "#11161C"}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    """Linear RGB (3,) of ``#rrggbb``."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab (3,) of linear RGB."""
    t = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one: str, other: str, vision: str) -> float:
    seen = [lab(VISION[vision] @ linear(colour)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    light, dark = sorted((float(XYZ[1] @ linear(colour)) + 0.05 for colour in (one, other)), reverse=True)
    return light / dark


def test_the_simulation_itself() -> None:
    assert lab(linear("#FFFFFF")) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab(linear("#FF0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    for matrix in VISION.values():
        assert matrix.sum(axis=1) == pytest.approx(1, abs=1e-5)  # grey stays grey
    red, green = "#CC3333", "#5C7A00"
    assert apart(red, green, "deuteranopia") < 0.4 * apart(red, green, "trichromacy")


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("one", "other"), list(combinations(ROLES, 2)))
def test_what_has_a_meaning_can_be_told_apart(one: str, other: str, vision: str) -> None:
    assert apart(ROLES[one], ROLES[other], vision) >= LEAST


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("one", "other"), list(combinations(theme.VARIANTS[:6], 2)))
def test_the_first_six_that_are_compared_can_be_told_apart(one: str, other: str, vision: str) -> None:
    assert apart(one, other, vision) >= LEAST


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ROLES)
def test_every_role_stands_out_from_the_page(role: str, page: str) -> None:
    assert contrast(ROLES[role], PAGES[page]) >= 3


def test_no_player_has_the_colour_of_real_data() -> None:
    assert [what for what, colour in theme.FUNCTIONS.items() if colour == theme.REAL] == ["real"]
