"""The report: whole, alone, and harmless whatever runs are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from gan_core.config import Comparison, RunConfig
from gan_core.engine import Lab
from gan_core.engine.comparing import standings
from gan_core.ui.report import POLICY, _numbers, report

BASE = {
    "data": {"name": "ring", "batch_size": 8},
    "model": {"generator": {"widths": [4]}, "discriminator": {"widths": [4]}},
    "diagnostics": {"samples": 16},
    "device": "cpu",
}
EVIL = "</script><img src=http://evil.example/x onerror=alert(1)>"
TWO = [{"name": "NS", "changes": {}}, {"name": EVIL, "changes": {"objective": "ls_gan"}}]
LOADS = {"src", "href", "srcset", "data", "action", "poster", "background", "formaction", "xlink:href", "style"}


class Seen(HTMLParser):
    """Tags with their attributes, texts by tag, and the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else "", data))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, str]]:
    with Lab(tmp_path_factory.mktemp("report"), tick=0.05, executor="thread") as lab:
        made = lab.compare(
            Comparison.load({"base": BASE, "variants": TWO, "seeds": [0, 1], "rounds": 6}), name=f"{EVIL}!"
        )
        for member in lab.store.comparison(made).members:
            assert lab.wait(member.run, 60).status == "finished"
        yield lab, made


def test_the_report_loads_nothing_and_runs_nothing_of_others(ended: tuple[Lab, str]) -> None:
    lab, made = ended
    text = report(lab.store, made)
    seen = Seen(text)
    assert {tag for tag, _ in seen.tags} & {
        "link",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "video",
        "audio",
    } == set()
    for tag, attributes in seen.tags:
        for name in attributes.keys() & LOADS:
            assert tag == "img", (tag, name)
            assert (attributes[name] or "").startswith("data:image/png;base64,")
        assert not [name for name in attributes if name.startswith("on")]
    policies = [a["content"] for tag, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [POLICY]
    assert "http" not in POLICY
    assert [tag for tag, _ in seen.tags].count("script") == 2  # Plotly's, once, and ours: no name ended one of them
    style = "".join(data for tag, data in seen.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    assert text.count("plotly.js v") == 1


def test_the_report_tells_what_the_page_tells(ended: tuple[Lab, str]) -> None:
    lab, made = ended
    seen = Seen(report(lab.store, made))
    words = "\n".join(data for tag, data in seen.texts if tag not in ("script", "style"))
    found = standings.read_standings(lab.store, made)
    floors = standings.read_floors(lab.store, found)
    for metric in standings.measures(found):
        assert standings.title(metric) in words
        for line in standings.verdicts(found, metric, floors.get(metric)):
            assert line in words
        for row in standings.table(found, metric, floors.get(metric)):
            assert standings.cell(row) in words
    assert "objective.name" in words  # what differs
    assert lab.store.run(found[0].run.id).environment["torch"] in words
    charts = [a["data-chart"] for _, a in seen.tags if a.get("data-format") == "svg"]
    assert len(charts) == len(standings.measures(found)) + 4  # and losses and classes of two variants
    assert {a["id"] for _, a in seen.tags if "id" in a} == set(charts)
    assert [tag for tag, _ in seen.tags].count("img") == 2 * len(lab.store.frames(found[0].run.id))


def test_a_run_has_a_report_too(ended: tuple[Lab, str]) -> None:
    lab, made = ended
    run = lab.store.run(lab.store.comparison(made).members[0].run)
    words = re.sub(r"<script>.*?</script>", "", report(lab.store, run.id), flags=re.S)
    assert "Finished after 6 rounds" in words
    assert "schedule.rounds" in words
    empty = lab.store.create("nothing-yet", name="nothing yet", config=run.config)
    assert "nothing to show" in report(lab.store, empty.id)


def test_what_is_best_near_the_prior_is_not_best_near_real_data() -> None:
    ways = [row[-1] for row in _numbers({"code_variance_least": 0.9, "sample_grey_share": 0.1}, {})]
    assert ways == ["best near the prior", "best near real data"]


def test_a_report_shows_what_was_done_to_a_run(ended: tuple[Lab, str]) -> None:
    lab, _ = ended
    config = RunConfig.load({**BASE, "schedule": {"rounds": 9}})
    run = lab.submit(
        config, name=EVIL, knobs={2: {"optimizers.generator.lr": 0.05}, 4: {"schedule.n_critic": 2}}, until=6
    )
    assert lab.wait(run, 60).status == "stopped"
    child = lab.fork(run, {"optimizers.discriminator.lr": 0.007}, knobs={7: {"optimizers.generator.lr": 0.004}})
    assert lab.wait(child, 60).status == "finished"
    text = report(lab.store, run)
    cells = [word for tag, word in Seen(text).texts if tag == "td"]
    assert cells[cells.index("G's lr → 0.05, from round 3 on") - 1] == "2"
    assert cells[cells.index("stopped") - 1] == "6"
    rate = config.optimizers.generator.lr
    assert cells[cells.index("optimizers.generator.lr") + 1] == f"{rate}; 0.05 from round 3"
    text = report(lab.store, child)
    assert "onerror=alert(1)>" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    made_with = text[text.index("The Python that makes it again") :]
    assert "train(config, knobs={\n    2: {" in made_with
    assert "knobs={\n    7: {" in made_with
    losses = json.loads(re.search(r'"chart-0":(\{.*?\}),"chart-1"', text)[1])  # type: ignore[index]
    marked = {note["text"]: note["x"] for note in losses["layout"]["annotations"] if "lr" in note["text"]}
    assert {"G's lr → 0.05": 2.0, "G's lr → 0.004": 7.0}.items() <= marked.items()
    assert any("D's lr 0.007" in label for label in marked)
