"""The Draw page in a browser: a stroke becomes a picture, is taken back, is seen through rounds and beside another run."""

from __future__ import annotations

from typing import Any

import pytest
from driving import focus, settled
from playwright.sync_api import Locator, Page, expect

from gan_core.config import RunConfig
from gan_core.engine import Lab

pytestmark = pytest.mark.browser
TINY = {
    "data.name": "digits8",
    "data.batch_size": 8,
    "translation.degradation": "half_size",
    "model.generator.widths": [4],
    "model.discriminator.widths": [4, 4],
    "diagnostics.samples": 32,
    "diagnostics.every": 1,
    "schedule.rounds": 4,
    "device": "cpu",
}
PIXELS = "canvas => canvas.toDataURL()"
ANSWERED = """output => {
  const version = document.querySelector('[data-testid=canvas]').dataset.version
  return version !== undefined && output.dataset.of === version
}"""
INKED = """() => {
  const given = document.querySelector('.gd-wide .gd-input canvas, .gd-wide canvas.gd-input')
  const pixels = given && given.getContext('2d').getImageData(0, 0, given.width, given.height).data
  return pixels && pixels.some((value, at) => at % 4 < 3 && value > 0)
}"""


@pytest.fixture(scope="module")
def drawn_for(store: Any) -> list[str]:
    """Two translators, a GAN, and a translator of thin strokes."""
    pairs = RunConfig.load({"game": "pix2pix"}).replace(TINY)
    gan = {name: value for name, value in TINY.items() if not name.startswith("translation")}
    thin = pairs.replace({"translation.degradation": "skeleton", "schedule.rounds": 1})
    configs = [pairs, pairs.replace({"seed": 7}), RunConfig().replace({**gan, "schedule.rounds": 2}), thin]
    with Lab(store, executor="thread", tick=0.05) as lab:
        runs = [
            lab.submit(config, name=name) for config, name in zip(configs, ("one", "two", "a GAN", "thin"), strict=True)
        ]
        assert all(lab.wait(run, 60).status == "finished" for run in runs)
    return runs


def shown(page: Page, output: Locator) -> str:
    """The pixels of an output, once they are of what is on the canvas."""
    page.wait_for_function(ANSWERED, arg=output.element_handle())
    return str(output.evaluate(PIXELS))


def stroke(page: Page, *places: tuple[float, float]) -> None:
    """Press at the first place of the canvas, in shares of its side, and move through the others."""
    box = page.get_by_test_id("canvas").bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_what_is_drawn_is_translated(page: Page, drawn_for: list[str], server: Any) -> None:
    one, two, gan, thin = drawn_for
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{server.url}/draw?run={one}&beside={two}&judge={gan}&ex=3")
    settled(page)
    page.locator(".gd-root[data-ready=true]").wait_for()
    first, second = page.get_by_test_id("output-ra"), page.get_by_test_id("output-rb")
    example = shown(page, first)
    assert shown(page, second) != example, "two runs, two pictures"

    stroke(page, (0.2, 0.2), (0.8, 0.2), (0.4, 0.9))
    assert shown(page, first) != example
    page.keyboard.press("Control+z")
    assert shown(page, first) == example

    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Nothing is drawn yet")).to_be_visible()
    stroke(page, (0.3, 0.2), (0.3, 0.8))
    one_line = shown(page, first)
    focus(page.get_by_test_id("canvas"))
    page.keyboard.down("Shift")  # one stroke, as long as it is held
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.up("Shift")
    assert shown(page, first) not in (example, one_line)
    page.get_by_role("button", name="Undo").click()
    assert shown(page, first) == one_line

    rounds = page.get_by_test_id("round-ra")
    focus(rounds)
    rounds.press("Home")
    expect(first).to_have_attribute("data-round", "1")
    assert shown(page, first) != one_line
    expect(second).to_have_attribute("data-round", "4")
    page.wait_for_function("() => location.search.includes('ra=1')")
    rounds.press("End")
    expect(first).to_have_attribute("data-round", "4")
    assert shown(page, first) == one_line

    page.get_by_role("tab", name="Before | after").click()
    cut = page.get_by_test_id("cut-ra")
    focus(cut)
    cut.press("End")
    expect(page.locator(".gd-after").first).to_have_attribute("style", "clip-path: inset(0px 0px 0px 100%);")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Save as PNG").click()
    assert taken.value.path().read_bytes().startswith(b"\x89PNG")

    page.get_by_role("tab", name="The forger's test").click()
    expect(page.get_by_test_id("opinion")).to_contain_text("D says: real with probability")
    expect(page.locator(".gd-mark")).to_be_attached()
    # The example of this run is a sketch, which D's data do not have: D is shown what is on the canvas once it is there.
    page.goto(f"{server.url}/draw?run={thin}&judge={gan}&look=forger&ex=3")
    settled(page)
    page.wait_for_function(INKED)
