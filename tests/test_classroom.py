"""The lessons in docs/classroom name only what there is: presets, pages, tabs, commands that can be started, files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from gan_core.cli.parser import parser
from gan_core.cli.typed import assignment, comparison_of
from gan_core.config import CURES, OBJECTIVES, PRESETS, TEMPLATES, preset_config
from gan_core.engine import catalogue
from gan_core.training import resolve
from gan_core.ui.lesson_value import LESSONS
from gan_core.ui.theory_tabs import TABS

CLASSROOM = Path(__file__).resolve().parents[1] / "docs" / "classroom"
LESSON_FILES = sorted(CLASSROOM.glob("*.md"))
PARTS = {f"{kind}:{name}" for kind, choices in catalogue().items() for name in choices}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def commands() -> list[str]:
    return [
        line.strip() for path in LESSON_FILES for line in text_of(path).splitlines() if "python -m gan_core" in line
    ]


@pytest.mark.parametrize("path", LESSON_FILES, ids=lambda path: path.name)
def test_what_a_lesson_names_is_there(path: Path) -> None:
    known = {*PRESETS, *CURES, *OBJECTIVES, *TEMPLATES, "make run"}
    prose = re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL)
    for name in re.findall(r"`([^`]+)`", prose):
        page, _, query = name.partition("?")
        if not page.startswith("/"):
            assert name in known, name
            continue
        assert (CLASSROOM.parents[1] / "pages" / f"{page[1:]}.py").exists(), name
        for key, value in parse_qsl(query, strict_parsing=bool(query)):
            assert value in {"tab": TABS, "recipe": LESSONS, "preset": PRESETS, "part": PARTS}[key], name
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        assert (CLASSROOM / target).exists(), target


def test_what_can_be_pressed_is_called_so() -> None:
    """Titles of cures and templates that lessons quote."""
    told = "\n".join(map(text_of, LESSON_FILES))
    for title in (CURES["two_time_scales"].title, CURES["unrolled_10"].title, CURES["non_saturating"].title):
        assert f"*{title}*" in told
    for title in (
        CURES["wgan_gp"].title,
        CURES["wgan_gp_10"].title,
        *(TEMPLATES[t].title for t in ("table-1", "games")),
    ):
        assert f"*{title}*" in told
    for name, tab in TABS.items():
        assert f"**{tab.title}** (`/theory?tab={name}`)" in told


@pytest.mark.parametrize("command", commands())
def test_a_command_can_be_started(command: str) -> None:
    options = parser().parse_args(shlex.split(command)[3:])
    if hasattr(options, "preset"):
        resolve(preset_config(options.preset, dict(map(assignment, options.set))))
        return
    comparison = comparison_of(options)
    for variant in comparison.variants:
        resolve(comparison.config(variant.name, comparison.seeds[0]))
