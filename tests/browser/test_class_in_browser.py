"""A class in real browsers: a watcher follows the teacher, answers, writes, and only watches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import kept_warm
from driving import enter_as_teacher, focus, is_in_state, press_stop, run_of, settled, shows_round
from holding import Hold
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from gan_core.config import preset_config
from gan_core.engine import Lab
from gan_core.failpoints import armed

pytestmark = pytest.mark.browser
SETTINGS = {"class": "1"}


@dataclass
class Kept:
    run: str
    long: str


@pytest.fixture(scope="module")
def kept(store: Any) -> Kept:
    """A run of digits that has been played, and one on the ring that was stopped early."""
    small = {"device": "cpu", "diagnostics.every": 10, "diagnostics.samples": 100, "diagnostics.budget": 1.0}
    hold = Hold(store.parent)
    hold.at(20)
    with armed(hold.wish), Lab(store, executor="thread") as lab:
        run = lab.submit(preset_config("digits-mlp", {"schedule.rounds": 20, **small}), name="digits")
        long = lab.submit(preset_config("ring-mlp", {"schedule.rounds": 1_000_000}), name="long")
        lab.command(long, "stop")
        assert lab.wait(run, 120).status == "finished"
        assert lab.wait(long, 120).status == "stopped"
    hold.let_go()
    return Kept(run, long)


@pytest.fixture
def teacher(page: Page, server: Any) -> Page:
    """A page that the teacher's link has opened."""
    enter_as_teacher(page, server)
    return page


STANDS_OUT = """() => {
  const chart = document.querySelector('[data-testid=loss-chart] .js-plotly-plot')
  return chart?.data?.map(curve => curve.opacity).join() === '0.2,1,0.2'
}"""  # of D's loss, G's, and the penalty
SEEN = "run => window.__ganscope?.[run]?.connection"


@pytest.fixture(scope="module")
def lent(browser: Browser) -> BrowserContext:
    """The browser of one student after the other."""
    return kept_warm(browser.new_context(viewport={"width": 1280, "height": 720}))


@pytest.fixture
def student(lent: BrowserContext, server: Any) -> Iterator[Page]:
    """A page of a browser that has opened the class link, as nobody whom the class knows."""
    lent.clear_cookies()
    page = lent.new_page()
    page.goto(server.url)
    settled(page)
    expect(page.locator(".gr-root[data-connection=live]")).to_be_visible()
    yield page
    page.close()


def test_a_watcher_walks_through_a_latent_space_and_draws(kept: Kept, student: Page, server: Any) -> None:
    """With the ticket of a watcher: the way ends at the sample that was chosen second, and D is asked about a drawing."""
    student.evaluate("sessionStorage.setItem('ganscope.follow', 'no')")  # or a presenter of before leads it away
    student.goto(f"{server.url}/latent?run={kept.run}&p=3,4")
    settled(student)
    expect(student.get_by_test_id("follow")).to_have_attribute("aria-pressed", "false")
    student.locator(".gl-root[data-ready=true]").wait_for()
    here = student.get_by_role("img", name="here, on the sphere")
    expect(here).to_have_attribute("data-shown", "1")
    slider = student.get_by_test_id("way-slider")
    focus(slider)
    slider.press("End")
    end = student.get_by_test_id("sample-4").locator("canvas").element_handle()
    student.wait_for_function(
        "([canvas, end]) => canvas.toDataURL() === end.toDataURL()", arg=[here.element_handle(), end]
    )
    ends = student.locator(".gl-chart text")
    expect(ends.filter(has_text="sample 4")).to_have_count(1)
    expect(ends.filter(has_text="norm")).to_have_count(1)
    student.goto(f"{server.url}/draw?judge={kept.run}&look=forger&ex=3")
    settled(student)
    opinion = student.get_by_test_id("opinion")
    expect(opinion).to_contain_text("D says: a score of")
    of_example = opinion.inner_text()
    canvas = student.get_by_test_id("canvas")
    canvas.hover(position={"x": 40, "y": 40})
    student.mouse.down()
    canvas.hover(position={"x": 200, "y": 160})
    student.mouse.up()
    expect(opinion).not_to_have_text(of_example)


def test_a_student_follows_answers_and_writes(kept: Kept, teacher: Page, student: Page, server: Any) -> None:
    expect(teacher.get_by_test_id("viewers")).to_have_text("1 watching")
    teacher.goto(f"{server.url}/watch?run={kept.run}")
    settled(teacher)
    student.wait_for_url(f"**/watch?run={kept.run}*")
    expect(teacher.get_by_test_id("when")).to_have_text(re.compile("^round 20 "))
    focus(teacher.get_by_test_id("slider"))
    teacher.keyboard.press("Home")
    expect(student.get_by_test_id("when")).to_have_text(re.compile("^round 0 "))
    shows_round(teacher, kept.run, 20)
    teacher.evaluate("run => window.__ganscope[run].view.highlight('G.loss')", kept.run)
    student.wait_for_function(STANDS_OUT)

    student.get_by_test_id("follow").click()
    teacher.goto(f"{server.url}/classroom")
    settled(teacher)
    teacher.get_by_role("textbox", name="Question to the class").fill("How many modes will survive?")
    teacher.get_by_role("textbox", name="Answers, separated by commas").fill("0, 3, 8")
    teacher.get_by_role("button", name="Ask", exact=True).click()
    poll = student.get_by_test_id("poll")
    poll.get_by_role("button", name="3", exact=True).click()
    expect(teacher.get_by_test_id("poll")).to_contain_text("1 answer")
    settled(teacher)
    teacher.keyboard.press("q")
    expect(teacher.locator(".gr-full")).to_have_js_property("offsetHeight", teacher.viewport_size["height"])
    teacher.get_by_role("button", name="Reveal").click()
    for page in (teacher, student):
        bar = page.get_by_role("img", name="3: 1 answer").locator(".gr-bar")
        expect(bar).to_have_css("height", re.compile(r"^[1-9]"))
    teacher.keyboard.press("Escape")
    expect(teacher.locator(".gr-full")).to_have_count(0)
    assert "/watch" in student.url  # it looks around alone

    settled(student)
    student.keyboard.press("n")
    student.get_by_role("textbox", name="note to the teacher").fill("What is a mode?")
    student.get_by_role("button", name="Send").click()
    teacher.get_by_role("button", name="Notes (1)").click()
    expect(teacher.get_by_text("What is a mode?")).to_be_visible()
    teacher.get_by_role("button", name="done with this note").click()
    expect(teacher.get_by_text("No notes.")).to_be_visible()


def test_a_curve_chosen_before_a_watcher_has_charts_stands_out(
    kept: Kept, teacher: Page, lent: BrowserContext, server: Any
) -> None:
    """However late the library of the charts comes."""
    teacher.goto(f"{server.url}/watch?run={kept.run}")
    settled(teacher)
    shows_round(teacher, kept.run, 20)
    teacher.evaluate("run => window.__ganscope[run].view.highlight('G.loss')", kept.run)
    lent.clear_cookies()
    with lent.new_page() as student:
        asked = list[Route]()
        student.route("**/assets/plotly-*.js", lambda route: asked.append(route))
        student.goto(server.url)
        student.wait_for_function("run => window.__ganscope?.[run]?.view.highlighted === 'G.loss'", arg=kept.run)
        for route in asked:
            route.continue_()
        student.unroute("**/assets/plotly-*.js")
        student.wait_for_function(STANDS_OUT)


def test_a_presenter_who_drags_quickly_is_followed_to_the_end(
    kept: Kept, teacher: Page, student: Page, server: Any
) -> None:
    """A hundred places at once are more than the server hears of one browser in a second."""
    teacher.goto(f"{server.url}/watch?run={kept.run}")
    settled(teacher)
    shows_round(teacher, kept.run, 20)
    shows_round(student, kept.run, 20)
    drag = "for (let i = 0; i < 100; i++) view.select(i % 2 ? 10 : 20); view.select(0)"
    teacher.evaluate(f"run => {{ const {{ view }} = window.__ganscope[run]; {drag} }}", kept.run)
    expect(student.get_by_test_id("when")).to_have_text(re.compile("^round 0 "))
    expect(teacher.locator(".gr-said")).to_have_text("")


def test_a_student_only_watches_and_needs_no_reload(
    kept: Kept, teacher: Page, student: Page, server: Any, hold: Hold
) -> None:
    """Over a loss of the network, in a tab that was hidden, and when a run that was stopped goes on."""
    lost, lines = False, list[Any]()

    def connect(line: Any) -> None:
        if lost:
            line.close()
        else:
            lines.append(line.connect_to_server())

    student.add_init_script(
        "const wait = setTimeout; window.setTimeout = (does, ms) => wait(does, ms === 20000 ? 300 : ms)"
    )  # HIDDEN_AFTER
    student.route_web_socket(re.compile("/live/"), connect)
    student.route("**/state?*", lambda route: route.abort() if lost else route.continue_())
    student.goto(server.url)
    settled(student)
    hold.at(30)
    teacher.goto(f"{server.url}/train?from={kept.long}")
    settled(teacher)
    teacher.get_by_role("button", name="Start", exact=True).click()
    teacher.wait_for_url("**/watch?run=*")
    run = run_of(teacher)
    student.wait_for_url(f"**/watch?run={run}*")
    shows_round(student, run, 30)
    settled(student)
    student.evaluate("window.opened = true")  # gone after a reload
    for name in ("Pause", "Stop", "Fork from here…", "Sample now"):
        expect(teacher.get_by_role("button", name=name, exact=True)).to_be_visible()
        expect(student.get_by_role("button", name=name, exact=True)).to_have_count(0)

    lost = True
    for line in lines:
        line.close()
    student.wait_for_function(f"run => ({SEEN})(run) === 'retrying'", arg=run)
    hold.at(60)
    shows_round(teacher, run, 60)
    lost = False
    shows_round(student, run, 60)
    student.wait_for_function(f"run => ['live', 'polling'].includes(({SEEN})(run))", arg=run)

    hide = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    hide += " document.dispatchEvent(new Event('visibilitychange')) }"
    student.evaluate(hide, True)
    student.wait_for_function(f"run => ({SEEN})(run) === 'asleep'", arg=run)
    expect(teacher.get_by_test_id("viewers")).to_have_text("0 watching")
    student.evaluate(hide, False)
    expect(teacher.get_by_test_id("viewers")).to_have_text("1 watching")
    student.wait_for_function(f"run => ({SEEN})(run) === 'live'", arg=run)

    press_stop(teacher)
    for tab in (teacher, student):
        is_in_state(tab, "stopped")
    last = "run => window.__ganscope[run].view.store.tracks.turns['G.loss'].x.at(-1)"
    assert student.evaluate(last, run) == teacher.evaluate(last, run)
    teacher.get_by_role("button", name="Continue").click()
    is_in_state(student, "running")
    assert student.evaluate("window.opened")
    press_stop(teacher)
    is_in_state(student, "stopped")
