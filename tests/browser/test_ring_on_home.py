"""The run that moves on the home page moves only where somebody can see it and wants movement."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from gan_core.config import preset_config
from gan_core.ui import ring_on_home, scripts, theme

pytestmark = pytest.mark.browser

MOVES = "() => window.ring.timer != null"
RESTS = "() => window.ring.timer == null"


def test_nothing_ticks_where_nobody_looks(profile: BrowserContext) -> None:
    told: dict[str, Any] = ring_on_home.recorded()
    assert told["of"] == 8
    assert preset_config(told["preset"]).data.name == "ring"
    assert told["frames"][-1]["modes"] == 8, "it ends well"
    with profile.new_page() as page:
        page.set_viewport_size({"width": 600, "height": 300})
        page.set_content(
            "<style>.gh-ring { width: 200px; height: 100px }</style><main></main><p style='height: 2000px'>"
        )
        script = scripts.modules()["ring_on_home.js"]
        page.add_script_tag(content=re.sub(r"(?m)^(import|export default) .*$", "", script))
        data = {**told, "colours": theme.FUNCTIONS, "title": "a ring"}
        page.evaluate("data => { window.ring = new Ring(document.querySelector('main'), data) }", data)
        page.wait_for_function(MOVES)
        page.wait_for_function("() => window.ring.at === 3")
        page.evaluate("scrollTo(0, 1500)")
        page.wait_for_function(RESTS)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_function(MOVES)
        page.emulate_media(reduced_motion="reduce")
        page.wait_for_function(RESTS)
        assert page.evaluate("ring.at === ring.frames.length - 1"), "the last round stands"
        colours = page.evaluate(
            "() => [...new Uint32Array(ring.canvas.getContext('2d').getImageData(0, 0, 200, 100).data.buffer)]"
        )
        assert len(set(colours)) > 2, "points are drawn"
