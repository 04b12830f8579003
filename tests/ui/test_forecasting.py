"""Pages that promise a time say on what it is based, and learn from what this machine did."""

from __future__ import annotations

from typing import Any

from opening import open_page

from gan_core.config import preset_config
from gan_core.engine import Lab
from gan_core.engine.environment import environment
from gan_core.training import resolve


def forecasts(page: Any) -> list[str]:
    return [
        caption.value
        for caption in page.get("caption")
        if ("about" in caption.value and "rounds" in caption.value) or " runs: " in caption.value
    ]


def test_the_train_page_says_how_long_and_on_what_basis(lab: Lab) -> None:
    (told,) = forecasts(open_page("train", preset="ring-mlp"))
    assert told.startswith("All 6,000 rounds: about ")
    assert told.endswith(", measured just now on one core of this machine.")
    config = resolve(preset_config("ring-mlp", {"device": "cpu"}))
    lab.store.create("before", name="before", config=config.to_dict(), environment=environment())
    lab.store.update("before", status="finished", rounds=6000, summary={"seconds": 30_000.0})
    (told,) = forecasts(open_page("train", preset="ring-mlp"))
    assert told == "All 6,000 rounds: about 8.7 h, as the last run like it took here."


def test_the_compare_page_says_how_long_before_start(lab: Lab) -> None:
    (told,) = forecasts(open_page("compare"))
    assert told.startswith("9 runs: about ")
    assert "measured just now" in told
