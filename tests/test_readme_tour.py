"""The tour of the README, sentence by sentence: each stands here with what holds it, and a new one needs a check of its own.

What moves in a browser is held by the browser test that is named; everything else is looked at here.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from opening import open_page

from gan_core.cli.parser import parser
from gan_core.cli.typed import comparison_of
from gan_core.config import CURES, OBJECTIVES, PRESETS, preset_config, turned
from gan_core.engine import Lab, catalogue, describe
from gan_core.engine.library.cards import card
from gan_core.engine.library.lessons import next_act
from gan_core.losses import LOSSES, opinion
from gan_core.training import knobs_of, resolve
from gan_core.ui import lesson, live_view
from gan_core.ui.knobs import label_of
from gan_core.ui.lesson import buttons
from gan_core.ui.lesson_value import LESSONS, Lesson
from gan_core.ui.report import report
from gan_core.ui.theory_tabs import TABS
from gan_core.ui.watching import buttons_for, panels_for

ROOT = Path(__file__).resolve().parent.parent
DEFAULT, RING = "digits-dcgan", "ring-mlp"


def sentences() -> list[str]:
    tour = (ROOT / "README.md").read_text("utf-8").split("## Five minutes\n")[1].split("\n| |")[0]
    items = re.split(r"(?m)^\s*(?:\d+\.|-)\s+", tour)[1:]
    plain = [re.sub(r"\s+", " ", re.sub(r"[*`]", "", item)).strip() for item in items]
    return [one for item in plain for one in re.split(r"(?<=[.;])\s+(?=[A-Z])|(?<=;)\s+", item)]


class Tour:
    """What the checks look at: a lab over an empty store, pages, and one run of the default card that was not trained."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def page(self, name: str, **query: str) -> Any:
        return open_page(name, **query)

    def texts(self, name: str, **query: str) -> str:
        page = self.page(name, **query)
        kinds = ("title", "subheader", "markdown", "caption", "button", "selectbox", "text_input", "expander", "tab")
        shown = [element for kind in kinds for element in page.get(kind)]
        return "\n".join(str(getattr(element, "label", "") or getattr(element, "value", "")) for element in shown)

    def run_of(self, preset: str) -> Any:
        config = resolve(preset_config(preset, {"device": "cpu"}))
        run = f"tour-{preset}"
        self.lab.store.create(run, name=PRESETS[preset].title, config=config.to_dict())
        self.lab.store.update(run, status="stopped")
        return self.lab.store.run(run)

    def panels(self, preset: str) -> dict[str, Any]:
        return {panel["slot"]: panel for panel in panels_for(self.run_of(preset))}


def browser(file: str, name: str) -> Callable[[Tour], None]:
    """Held by a browser test: that it is there."""

    def check(tour: Tour) -> None:
        tree = ast.parse((ROOT / "tests" / "browser" / f"{file}.py").read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    return check


def the_default_card(tour: Tour) -> None:
    first = next(name for name, preset in PRESETS.items() if preset.kind == "start")
    assert (first, PRESETS[first].title) == (DEFAULT, "Digits from a DCGAN")
    assert next(heading.value for heading in tour.page("home").subheader) == PRESETS[first].title


def when_d_wins(tour: Tour) -> None:
    loss = LOSSES[preset_config(DEFAULT).objective.loss]
    even, won = torch.zeros(4), torch.full((4,), 8.0)
    assert loss.d_loss(won, -won) < loss.d_loss(even, even)
    assert loss.g_loss(won, -won) > loss.g_loss(even, even)


def dashed_lines(tour: Tour) -> None:
    lines = describe(resolve(preset_config(DEFAULT)))["lines"]
    assert [lines[f"{player}.loss"][0][1].split(" = ")[0] for player in "DG"] == ["2 log 2", "log 2"]


def reading_aids(tour: Tour) -> None:
    assert tour.panels(DEFAULT)["loss-chart"]["reading"]
    said = {describe(resolve(preset_config(RING, {"objective": name})))["reading"] for name in OBJECTIVES}
    assert "" not in said
    assert len(said) > len(OBJECTIVES) / 2


def fixed_noise(tour: Tour) -> None:
    assert tour.panels(DEFAULT)["samples"]["title"] == "Samples from fixed noise"


def classes(tour: Tour) -> None:
    assert {"histogram", "heatmap"} <= tour.panels(DEFAULT).keys()
    assert catalogue()["datasets"]["mnist5k"].about.title


def heatmap(tour: Tour) -> None:
    assert tour.panels(DEFAULT)["heatmap"]["title"] == "Classes over time"


def what_d_says(tour: Tour) -> None:
    told = describe(resolve(preset_config(DEFAULT)))
    assert [told["labels"][column] for column in told["curves"]["scores"][:2]] == ["D(x)", "D(G(z))"]


def at_a_half(tour: Tour) -> None:
    told = describe(resolve(preset_config(DEFAULT)))
    assert told["score_line"] == 0.5
    assert opinion(LOSSES[preset_config(DEFAULT).objective.loss], torch.zeros(1)).item() == 0.5


def gradient_norms(tour: Tour) -> None:
    assert [trace["column"] for trace in tour.panels(DEFAULT)["gradients-chart"]["traces"]] == [
        "D.grad_norm",
        "G.grad_norm",
    ]


def pause_resume_stop(tour: Tour) -> None:
    offered = {button.label for state in ("running", "paused") for button in buttons_for(state)}
    assert {"Pause", "Resume", "Stop"} <= offered


def continues(tour: Tour) -> None:
    assert "Continue" in {button.label for button in buttons_for("stopped")}


def the_ring(tour: Tour) -> None:
    assert PRESETS[RING].title == "Eight Gaussians on a ring"
    assert PRESETS[RING].title in tour.texts("home")


def points_and_modes(tour: Tour) -> None:
    panels = tour.panels(RING)
    assert panels["points"]["kind"] == "points"
    assert panels["histogram"]["title"] == "Points per mode"


def compare_page(tour: Tour) -> None:
    page = tour.page("compare")
    assert {"Compare", "Seeds"} <= {field.label for kind in ("selectbox", "text_input") for field in page.get(kind)}
    assert "another setting" in [option.lower() for option in page.get("selectbox")[0].options]


def typed_comparison(tour: Tour) -> None:
    words = next(one for one in sentences() if one.startswith("Also python")).rstrip(".").split("gan_core ")[1].split()
    made = comparison_of(parser(words[0]).parse_args(words))
    assert (len(made.variants), made.seeds, made.images) == (2, (0, 1, 2, 3, 4), 200_000)


def collapse_lab(tour: Tour) -> None:
    assert "will survive?" in tour.texts("collapse")


def within_a_minute(tour: Tour) -> None:
    rows = re.findall(
        r"(?m)^\| `[\w-]+` \| \d+ \| (\d+) s \| (\d+) s \|", (ROOT / "docs/results/lesson.md").read_text()
    )
    assert len(rows) >= 10
    assert all(int(called) < 60 for _, called in rows)


def cure_by_key(tour: Tour) -> None:
    well = Lesson(next(iter(LESSONS)), "watch", healthy="run-1")
    assert buttons(well)["b"][::2] == ("Break it [B]", True)
    assert buttons(replace(well, run="run-2"))["c"][::2] == ("Cure it [C]", True)


def filmstrip_at_the_end(tour: Tour) -> None:
    assert "collapse_strip.show(" in inspect.getsource(lesson._explain)


def knobs(tour: Tour) -> None:
    config = resolve(preset_config(RING, {"objective": "wgan_gp"}))
    told = {label_of(knob) for knob in knobs_of(config)}
    assert {"learning rate of D", "learning rate of G", "D steps per round", "λ of gradient penalty"} <= told
    assert turned({"optimizers.generator.lr": 0.05}) == "G's lr → 0.05"
    assert "knob" in live_view.MARKED_EVENTS


def fork_button(tour: Tour) -> None:
    assert all(
        "Fork from here…" in {button.label for button in buttons_for(s)} for s in ("running", "paused", "stopped")
    )


def turn_by_turn(tour: Tour) -> None:
    assert {"D turn", "G turn", "Round"} <= {button.label for button in buttons_for("paused", ("D", "G"))}


def break_and_cure(tour: Tour) -> None:
    act = next_act(tour.run_of("digits-break-and-cure"))
    assert act is not None
    assert act.breaks
    assert PRESETS["digits-break-and-cure"].acts[1].change in CURES


def on_demand(tour: Tour) -> None:
    (name,) = [name for name, preset in PRESETS.items() if preset.title == "Digits on demand"]
    assert preset_config(name).model.condition != "none"


def runs_page(tour: Tour) -> None:
    tour.run_of(RING)
    assert PRESETS[RING].title in report(tour.lab.store, f"tour-{RING}")
    page = tour.page("runs")
    assert page.get("text_input")


def train_page(tour: Tour) -> None:
    said = [caption.value for caption in tour.page("train", preset=RING).caption]
    assert any("about" in text and "measured just now" in text for text in said)


def data_page(tour: Tour) -> None:
    assert "classifier" in tour.texts("data").lower()


def library_page(tour: Tour) -> None:
    for kind, entries in catalogue().items():
        for name, entry in entries.items():
            assert entry.about.citation, name
            shown = card(kind, name)
            assert shown.code if hasattr(shown, "code") else shown
    assert card("losses", "non_saturating").picture is not None


def theory_page(tour: Tour) -> None:
    (named,) = (one.partition(": ")[2].rstrip(".") for one in sentences() if one.startswith("Theory is for"))
    assert named.lower() == ", ".join(tab.title.rstrip("?").lower() for tab in TABS.values())


LIGHT = "test_first_light"
USING = "test_using_the_pages"
CHECKS: dict[str, Callable[[Tour], None]] = {
    "Start the default card": the_default_card,
    "The Watch page opens": browser(LIGHT, "test_first_light"),
    "Losses: D falls": when_d_wins,
    "the dashed lines": dashed_lines,
    "The question mark": reading_aids,
    "Samples: always": fixed_noise,
    "The slider goes back": browser(USING, "test_the_slider_shows_what_was_seen_then"),
    "Classes: which digits": classes,
    "An empty bar": classes,
    "the heat map": heatmap,
    "What D says": what_d_says,
    "together at ½": at_a_half,
    "Gradient norms": gradient_norms,
    "Pause, Resume, Stop": pause_resume_stop,
    "A stopped run offers": continues,
    "Reload the tab": browser(LIGHT, "test_a_run_outlives_its_tab_and_is_the_same_for_two_tabs_or_none"),
    "A plane that can be seen": the_ring,
    "Points are drawn": points_and_modes,
    "Compare: choose": compare_page,
    "the runs advance together": browser("test_duel", "test_a_duel_from_the_page_and_its_link"),
    "Also python -m": typed_comparison,
    "Break it and mend it": collapse_lab,
    "Within a minute": within_a_minute,
    "C forks it": cure_by_key,
    "At the end a filmstrip": filmstrip_at_the_end,
    "Change it while it runs": knobs,
    "Fork from here": fork_button,
    "a paused run": turn_by_turn,
    "A healthy run of digits": break_and_cure,
    "push on G": browser("test_push_on_images", "test_the_push_is_laid_over_the_first_samples_when_asked"),
    "S puts one panel": browser("test_collapse_lab", "test_the_lesson_needs_no_mouse"),
    "Digits on demand": on_demand,
    "Each row of the picture": on_demand,
    "press one to see": browser(USING, "test_one_class_of_a_conditional_run_can_be_looked_at"),
    "Draw with the mouse": browser("test_draw", "test_what_is_drawn_is_translated"),
    "the forger's test asks": browser("test_draw", "test_what_is_drawn_is_translated"),
    "Runs lists": runs_page,
    "Train shows": train_page,
    "Data shows": data_page,
    "Library explains": library_page,
    "Theory is for": theory_page,
}


def test_every_sentence_of_the_tour_has_a_check_and_every_check_a_sentence() -> None:
    beginnings = [[begin for begin in CHECKS if one.startswith(begin)] for one in sentences()]
    assert [one for one, found in zip(sentences(), beginnings, strict=True) if len(found) != 1] == []
    assert {begin for found in beginnings for begin in found} == CHECKS.keys()


@pytest.mark.parametrize("begin", CHECKS)
def test_a_sentence_of_the_tour_holds(begin: str, lab: Lab) -> None:
    CHECKS[begin](Tour(lab))


def test_a_lesson_promises_the_time_that_was_measured() -> None:
    rows = re.findall(
        r"(?m)^\| `([\w-]+)` \| \d+ \| \d+ s \| (\d+) s \|", (ROOT / "docs/results/lesson.md").read_text()
    )
    for name in {name for name, _ in rows}:
        called = [int(seconds) for one, seconds in rows if one == name]
        assert PRESETS[name].seconds == pytest.approx(sum(called) / len(called), rel=0.15), name


def test_a_card_promises_the_time_that_was_measured() -> None:
    """On two free cores, one of them for training: the seconds of the card are those of the file, rounded."""
    measured = json.loads((ROOT / "docs/results/first-look.json").read_text())["seconds"]
    for card_name, what in ((DEFAULT, "recognisable"), ("digits-mlp", "all ten")):
        (said,) = re.findall(r"about (\d+) s of training", PRESETS[card_name].story)
        seconds = measured[card_name][what]
        assert float(said) == pytest.approx(sum(seconds) / len(seconds), rel=0.15)
    counted = (ROOT / "docs/results/recipes.md").read_text()
    (latest,) = re.findall(r"`digits-healthy` \| has all modes .*? \(\d+–(\d+)\)", counted)
    assert f"by round {latest}." in PRESETS["digits-healthy"].story
    page = (ROOT / "docs/results/first-look.md").read_text()
    assert all(PRESETS[name].title in page for name in measured)
