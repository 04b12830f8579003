"""No picture reaches the browser as a JPEG, which Streamlit, left to itself, makes of those without transparency."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from opening import open_page
from streamlit.elements.lib import image_utils

from gan_core.engine import Lab

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "pages").glob("*.py"), *(ROOT / "gan_core" / "ui").rglob("*.py")])


def test_every_picture_is_asked_for_as_png() -> None:
    calls = [
        (f"{path.relative_to(ROOT)}:{call.lineno}", ast.unparse(call))
        for path in PAGES
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "image"
    ]
    assert len(calls) >= 8
    assert [at for at, text in calls if "output_format='PNG'" not in text] == []


def test_home_sends_its_pictures_as_they_were_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(image_utils, "_pil_to_bytes", lambda image, **_: made.append(image) or b"")
    page = open_page("home")
    assert len(page.get("image")) >= 4
    assert made == []
