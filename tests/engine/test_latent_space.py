"""Walking through the latent spaces of stored runs of every game, and the process that does it for many."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from waiting import until

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.answering import guide as guides
from gan_core.engine.answering.guide import SUPERSEDED, Guide, Unanswered
from gan_core.engine.exchange.generator import NothingToPlay
from gan_core.engine.latent.looks import PLANS, answers
from gan_core.engine.latent.pictures import picture_of
from gan_core.engine.latent.recipes import Wrong
from gan_core.engine.latent.space import Space, open_space
from gan_core.engine.latent.studies import SIDE, STUDIES, finished
from gan_core.engine.latent.taking import file_of, way
from gan_core.training import resolve

COMMON = {"schedule.rounds": 2, "data.batch_size": 8, "diagnostics.samples": 32, "device": "cpu"}
MLP = {"architecture": "mlp", "widths": [8]}
CODERS = {"data.name": "digits8", "model.code_dim": 3} | {
    f"model.{part}.{what}": value for part in ("encoder", "decoder") for what, value in MLP.items()
}
GANS = {"model.latent_dim": 4, "model.generator.widths": [8], "model.discriminator.widths": [8]}
KINDS = {
    "gan": GANS | {"data.name": "digits8"},
    "conditional": GANS | {"data.name": "digits8", "model.condition": "concatenation"},
    "points": GANS | {"data.name": "ring"},
    "vae": CODERS | {"game": "vae"},
    "autoencoder": CODERS | {"game": "autoencoder"},
    "infogan": GANS | {"game": "infogan", "data.name": "digits8", "code.categories": 3},
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, dict[str, str]]]:
    with Lab(tmp_path_factory.mktemp("latent") / "runs", executor="thread", tick=0.05) as lab:
        runs = {}
        for name, changes in KINDS.items():
            config = resolve(RunConfig.load({"game": changes.get("game", "gan")}).replace({**COMMON, **changes}))
            runs[name] = lab.submit(config)
            assert lab.wait(runs[name], timeout=60).status == "finished"
        yield lab, runs


@pytest.fixture(scope="module", params=KINDS)
def space(request: pytest.FixtureRequest, played: tuple[Lab, dict[str, str]], stand_in: Any) -> Space:
    lab, runs = played
    opened = open_space(lab.store, runs[request.param])
    if opened.source.judged is not None:
        opened.judge = stand_in(opened.source)
    return opened


def look(space: Space, **recipe: Any) -> dict[str, Any]:
    (answer,) = answers(space, [recipe])
    assert "error" not in answer, answer
    return answer


def test_every_look_into_every_space(space: Space) -> None:
    about = finished(STUDIES["about"](space, {}))
    assert about["dim"] == space.dim
    points = about["points"]
    asked = [
        ({"do": "grid"}, 64),
        ({"do": "way", "points": ["0", "5", "63"], "steps": 4}, 8),
        ({"do": "at", "points": ["0", "5"], "t": 0.4}, 2),
        ({"do": "sum", "a": "1", "b": "2", "base": "3", "strength": 2}, 5),
        ({"do": "move", "base": "3", "moves": [["dim", 1, 1.5], [about["kinds"][0], 0, -2]]}, 2),
        ({"do": "traverse", "base": "3", "kind": about["kinds"][-1], "index": 0, "steps": 5}, 5),
        ({"do": "plane", "u": 0.2, "v": -1}, 1),
        ({"do": "near", "point": "8"}, 11),
        *([({"do": "way", "points": ["h3", "h4"]}, 22), ({"do": "code", "picture": "h3"}, 2)] if about["encodes"] else []),
    ]  # fmt: skip
    together = answers(space, [recipe for recipe, _ in asked])
    for (recipe, count), answer in zip(asked, together, strict=True):
        assert "error" not in answer, (recipe, answer)
        assert len(answer["cells"]) == count, recipe
        assert ("at" in answer) == points
        if not points:
            with Image.open(io.BytesIO(base64.b64decode(answer["sheet"]))) as sheet:
                assert sheet.width == answer["columns"] * (space.source.shape[2] + 2) - 2
        assert answer == {**look(space, **recipe)}, "one batch for all is what each would get alone"


def test_what_a_run_cannot_do_is_said_in_a_sentence(space: Space) -> None:
    wrong = [
        {"do": "way", "points": ["0"]},
        {"do": "way", "points": ["0", "64"]},
        {"do": "way", "points": ["0", "zAAAA"]},
        {"do": "at", "points": ["0", "1"], "t": "x"},
        {"do": "move", "base": "0", "moves": [["pca:nothing", 0, 1.0]]},
        {"do": "move", "base": "0", "moves": [["dim", 99, 1.0]]},
        {"do": "plane", "u": 1e9, "v": 0},
        {"do": "sum", "a": "c99", "b": "1", "base": "2"},
    ]
    for recipe, answer in zip(wrong, answers(space, wrong), strict=True):
        assert answer.get("error", "").endswith("."), recipe


def test_a_copy_of_a_training_picture_is_nearest_to_itself(
    played: tuple[Lab, dict[str, str]],
) -> None:
    """Held-out pictures in place of training pictures would say of any G that it has learnt nothing by heart."""
    lab, runs = played
    space = open_space(lab.store, runs["gan"])
    plan = PLANS["near"](space, {"do": "near", "point": "8"})
    for place, (mine, other) in enumerate((("train", "heldout"), ("heldout", "train"))):
        copy = (space.training, space.heldout)[place][0][11]
        told = plan.finish(copy[None], None)
        assert told[mine][0] == 0
        assert told[other][0] > 0


def test_a_sample_that_is_moved_by_0_is_itself_and_its_z_is_a_point(space: Space) -> None:
    still = look(space, do="move", base="3", moves=[])
    assert still["rms"] == 0
    suffix = f".{3 % len(space.class_names)}" if space.conditional else ""
    again = look(space, do="way", points=[still["code"] + suffix, "1"], steps=2)
    assert again["cells"][0]["norm"] == pytest.approx(still["cells"][0]["norm"], rel=1e-3)


def test_studies_end_with_an_answer(space: Space) -> None:
    of_map = finished(STUDIES["map"](space, {}))
    assert len(of_map["places"]) == len(of_map["labels"]) == len(space.codes)
    told = finished(STUDIES["effect"](space, {"kind": "dim", "index": 0}))
    assert told["direction"]["rms"] > 0
    if "sheet" in of_map:
        found = finished(STUDIES["invert"](space, {"picture": "h5"}))
        assert found["errors"] == sorted(found["errors"], reverse=True)
        assert found["errors"][-1] < found["errors"][0]
    if space.judge is not None and torch.isfinite(space.means).all(1).sum() >= 2:
        a, b = torch.isfinite(space.means).all(1).nonzero().flatten()[:2].tolist()
        counted = finished(STUDIES["count"](space, {"a": a, "b": b, "strength": 1.0}))
        assert sum(counted["plain"].values()) <= 1.001
        shell = look(space, do="sum", a=f"s{a}", b=f"c{b}", base="0")["cells"]
        assert shell[0]["norm"] == pytest.approx(space.radius, rel=1e-3)
        assert shell[1]["norm"] < space.radius


def test_the_class_that_is_chosen_is_made_on_the_map_and_in_a_search(
    played: tuple[Lab, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, runs = played
    opened = open_space(lab.store, runs["conditional"])
    assert finished(STUDIES["about"](opened, {}))["asked"] == list(opened.class_names)
    seen: list[int] = []
    made = opened.game.sample  # type: ignore[attr-defined]

    def noted(z: Tensor, y: Tensor) -> Tensor:
        seen.extend(y.tolist())
        return made(z, y)

    monkeypatch.setattr(opened.game, "sample", noted)
    look(opened, do="plane", u=0.0, v=0.0, y=3)
    finished(STUDIES["invert"](opened, {"picture": "h5", "y": 3}))
    assert set(seen) == {3}
    finished(STUDIES["map"](opened, {"y": 3}))
    assert set(seen[-(SIDE**2) :]) == {3}
    assert "error" in answers(opened, [{"do": "plane", "u": 0.0, "v": 0.0, "y": 10}])[0]


def test_a_picture_that_is_brought_or_drawn_is_as_the_data_are(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    opened = open_space(lab.store, runs["vae"])
    picture = np.zeros((120, 90), np.uint8)
    picture[20:100, 30:50] = 255
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    brought, drawn = (picture_of(content, (1, 8, 8), drawn=by_hand) for by_hand in (False, True))
    assert brought.shape == drawn.shape == (1, 1, 8, 8)
    assert (drawn > 0).sum() == 12, "20 of 28 pixels are 6 of 8, and the bar is a quarter as wide, rounded to 2"
    for extra in ({}, {"drawn": True}):
        told = look(opened, do="code", picture=content, **extra)
        assert told["mse"] >= 0
        assert len(told["cells"]) == 2
    for wrong in ("no picture", base64.b64encode(b"GIF89a and no more").decode(), "h500"):
        (answer,) = answers(opened, [{"do": "code", "picture": wrong}])
        assert answer["error"].endswith(".")
    assert picture_of(content, (3, 8, 8), drawn=True).shape == (1, 3, 8, 8)


def test_an_autoencoder_has_the_gaussian_of_its_codes(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    opened = open_space(lab.store, runs["autoencoder"])
    drawn, codes = opened.draw(4000), opened.codes
    torch.testing.assert_close(drawn.mean(0), codes.mean(0), atol=0.1, rtol=0.1)
    torch.testing.assert_close(drawn.T.cov(), codes.T.cov(), atol=0.1, rtol=0.2)


def test_what_is_taken_away(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    opened = open_space(lab.store, runs["gan"])
    answer = look(opened, do="way", points=["0", "1"], steps=5)
    with Image.open(io.BytesIO(file_of(answer, "gif"))) as film:
        assert film.n_frames in range(2, 9)  # equal frames become one
        assert film.height > film.width
    with pytest.raises(Wrong):
        file_of({"error": "There is none."}, "png")
    assert way(opened, ["0", "1"], 5).shape == (5, *opened.source.shape)
    with pytest.raises(NothingToPlay):
        open_space(lab.store, runs["gan"], at=77)


# -- the process -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guide(played: tuple[Lab, dict[str, str]]) -> Iterator[Guide]:
    made = Guide(Path(played[0].store.root))
    assert made.process_id is None, "nobody has asked"
    yield made
    made.close()


def test_of_each_visitor_only_the_latest_question_counts(
    guide: Guide, played: tuple[Lab, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = played[1]["gan"]
    at = {"do": "at", "points": ["0", "1"]}
    guide.ask("me", run, None, {**at, "t": 0.0}).result(60)
    until(lambda: not guide.has_in_hand, "the batch is over")
    process = guide.process_id
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    in_hand = guide.ask("me", run, None, {**at, "t": 0.1})
    waiting = [guide.ask("me", run, None, {**at, "t": share}) for share in (0.2, 0.3, 1.0)]
    other = guide.ask("you", run, None, {**at, "t": 0.5})
    assert [one.result(60) for one in waiting[:2]] == [SUPERSEDED, SUPERSEDED]
    monkeypatch.setattr(guides, "MOST_WAITING", 3)
    with pytest.raises(Unanswered, match="Too many"):
        guide.ask("a third", run, None, {**at, "t": 0.5})
    with pytest.raises(Wrong):
        guide.ask("me", run, None, {"do": "what nobody knows"})
    in_hand.cancel()  # who leaves takes nothing away from the others
    os.kill(process, signal.SIGCONT)
    ends = [json.loads(one.result(60))["cells"] for one in (waiting[2], other)]
    assert ends[0] != ends[1]


def test_the_process_answers_and_is_started_again_when_it_dies(
    guide: Guide, played: tuple[Lab, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guides, "BREATHER", 0.0)
    run = played[1]["gan"]
    at = {"do": "at", "points": ["0", "1"]}
    first = json.loads(guide.ask("me", run, None, {**at, "t": 0.5}).result(60))
    assert len(first["cells"]) == 2
    assert "no run" in json.loads(guide.ask("me", "none-of-these", None, {**at, "t": 0.5}).result(60))["error"]
    died = guide.process_id
    assert died is not None
    os.kill(died, signal.SIGSTOP)  # asked, and not answered
    lost = guide.ask("me", run, None, {**at, "t": 0.5})
    os.kill(died, signal.SIGKILL)
    with pytest.raises(Unanswered, match="start it again"):
        lost.result(60)
    until(lambda: guide.process_id is None, "the end of the process is known")
    again = json.loads(guide.ask("me", run, None, {**at, "t": 0.5}).result(60))
    assert again["sheet"] == first["sheet"]
    assert guide.process_id not in (None, died)
