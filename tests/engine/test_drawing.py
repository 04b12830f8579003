"""What is drawn for a translator and for a discriminator: examples, normalisation, and the process that answers."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from gan_core import api
from gan_core.config import RunConfig
from gan_core.data import mnist5k, to_uint8, to_unit
from gan_core.engine import Lab
from gan_core.engine.answering.process import Answerer
from gan_core.engine.drawing.board import Board
from gan_core.engine.exchange.generator import NothingToPlay, open_game
from gan_core.engine.exchange.translating import held_out_of, open_translator
from gan_core.engine.latent.pictures import picture_of
from gan_core.training import load_source, resolve

COMMON = {
    "data.name": "digits8",
    "data.batch_size": 8,
    "diagnostics.samples": 32,
    "device": "cpu",
    "schedule.rounds": 4,
}
WIDTHS = {"model.generator.widths": [4], "model.discriminator.widths": [4]}
KINDS: dict[str, dict[str, Any]] = {
    "scratched": {
        **WIDTHS,
        "model.discriminator.widths": [4, 4],
        "game": "pix2pix",
        "translation.degradation": "scratched",
        "diagnostics.every": 1,
        "schedule.rounds": 9,
    },
    "unpaired": {
        **WIDTHS,
        "model.discriminator.widths": [4, 4],
        "game": "cyclegan",
        "data.name": "digits8_framed",
        "domain_b.name": "mnist5k",
        "schedule.rounds": 1,
    },
    "gan": WIDTHS | {"model.latent_dim": 4},
    "conditional": WIDTHS | {"model.latent_dim": 4, "model.condition": "concatenation"},
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, dict[str, str]]]:
    with Lab(tmp_path_factory.mktemp("drawing") / "runs", executor="thread", tick=0.05) as lab:
        runs = {}
        for name, changes in KINDS.items():
            config = resolve(RunConfig.load({"game": changes.get("game", "gan")}).replace({**COMMON, **changes}))
            runs[name] = lab.submit(config)
            assert lab.wait(runs[name], timeout=60).status == "finished"
        yield lab, runs


def test_examples_are_held_out_pictures_by_the_degradation_of_the_run(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    translator = open_translator(lab.store, runs["scratched"])
    source: Any = load_source(RunConfig.load(lab.store.run(runs["scratched"]).config))
    held, y = translator.held_out(12, seed=3)
    heldout = {picture.tobytes(): int(label) for picture, label in zip(
        source.x[source.heldout_index].numpy(), source.y[source.heldout_index], strict=True
    )}  # fmt: skip
    assert [heldout[picture.tobytes()] for picture in held] == y.tolist()
    examples = translator.examples(12, seed=3)
    np.testing.assert_array_equal(examples, translator.degraded(held, seed=3))
    assert (examples != held).any((1, 2, 3)).all()
    assert not np.array_equal(examples, translator.examples(12, seed=4))
    assert len(translator.examples(10**6)) == len(source.heldout_index)
    with pytest.raises(NothingToPlay, match="picture to picture"):
        open_translator(lab.store, runs["gan"])


def test_of_a_run_without_pairs_there_is_a_translator_each_way(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    back = open_translator(lab.store, runs["unpaired"], back=True)
    game: Any = open_game(lab.store, runs["unpaired"]).game
    theirs = back.examples(6)
    np.testing.assert_array_equal(theirs, held_out_of(mnist5k(), 6)[0])
    made = to_uint8(game.translate_back(to_unit(torch.from_numpy(theirs)))).numpy()
    np.testing.assert_array_equal(api.translate(runs["unpaired"], theirs, back=True, store=lab.store.root), made)
    assert not np.array_equal(open_translator(lab.store, runs["unpaired"])(theirs), made)
    with pytest.raises(NothingToPlay, match="one way only"):
        open_translator(lab.store, runs["scratched"], back=True)


def test_a_translator_stays_as_it_was_at_doubling_rounds(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    kept = {one.round: one.kept_for for one in lab.store.checkpoints(runs["scratched"])}
    assert kept == {1: "on the way", 2: "on the way", 4: "on the way", 8: "on the way", 9: ""}
    assert "on the way" not in {one.kept_for for one in lab.store.checkpoints(runs["gan"])}


def drawing_of(lines: list[list[tuple[float, float]]], width: int, side: int = 280) -> str:
    """A white drawing on black as the page sends it."""
    image = Image.new("L", (side, side))
    for points in lines:
        ImageDraw.Draw(image).line(points, fill=255, width=width, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


SEVEN = [[(70.0, 50.0), (200.0, 50.0), (120.0, 240.0)], [(90.0, 150.0), (190.0, 150.0)]]


def moved(by: float, scale: float) -> list[list[tuple[float, float]]]:
    return [[(scale * x + by, scale * y + by) for x, y in points] for points in SEVEN]


def test_the_same_drawing_elsewhere_and_smaller_gives_the_same_picture() -> None:
    here = picture_of(drawing_of(SEVEN, 20), (1, 28, 28), drawn=True)
    ink = (here > -0.5)[0, 0].nonzero()
    assert int((ink.amax(0) - ink.amin(0)).max()) + 1 == 20, "the longer side has 20 of 28 pixels"
    middle = ((here[0, 0] + 1) * torch.arange(28.0)[:, None]).sum() / (here + 1).sum()
    assert abs(float(middle) - 13.5) <= 0.5
    assert torch.equal(picture_of(drawing_of(moved(36, 1), 20), (1, 28, 28), drawn=True), here)
    smaller = drawing_of(moved(130, 0.5), 10)
    assert float((picture_of(smaller, (1, 28, 28), drawn=True) - here).abs().mean()) < 0.05
    assert float((picture_of(smaller, (1, 28, 28), drawn=False) - here).abs().mean()) > 0.2


@pytest.fixture
def answerer(played: tuple[Lab, dict[str, str]], stand_in: Any) -> tuple[Answerer, dict[int, Any]]:
    said: dict[int, Any] = {}

    def say(id: int, answer: Any) -> None:
        said[id] = json.loads(json.dumps(answer))  # as it travels

    made = Answerer(played[0].store, say)
    for run in played[1].values():
        board = made.board(run)
        board._judges[board.source.name] = stand_in(board.source)
    return made, said


def finish(answerer: Answerer) -> None:
    while answerer.busy:
        answerer.go_on()


def sheet_of(answer: dict[str, Any], side: int = 16) -> np.ndarray:
    """The pictures of a sheet in one row, (n, side, side)."""
    with Image.open(io.BytesIO(base64.b64decode(answer["sheet"]))) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    return np.stack([pixels[:side, (side + 2) * index :][:, :side] for index in range(answer["columns"])])


def test_all_who_draw_are_answered_in_one_batch_as_each_would_be_alone(
    played: tuple[Lab, dict[str, str]], answerer: tuple[Answerer, dict[int, Any]]
) -> None:
    (made, said), runs = answerer, played[1]
    seven = drawing_of(SEVEN, 20)
    asked: list[tuple[str, int | None, dict[str, Any]]] = [
        ("scratched", None, {"do": "drawing", "picture": "h3", "degrade": True, "seed": 5}),
        ("scratched", None, {"do": "drawing", "picture": seven, "drawn": True}),
        ("scratched", None, {"do": "drawing", "picture": "no picture"}),
        ("scratched", 1, {"do": "drawing", "picture": seven, "drawn": True}),
        ("scratched", None, {"do": "drawing", "picture": seven, "drawn": True, "degrade": True, "seed": 5}),
        ("gan", None, {"do": "forge", "picture": seven, "drawn": True}),
        ("gan", None, {"do": "drawing", "picture": seven}),
        ("gan", None, {"do": "grid"}),
        ("scratched", None, {"do": "kept"}),
        ("gan", None, {"do": "board"}),
    ]
    made.heed([(index, f"v{index}", runs[run], at, recipe) for index, (run, at, recipe) in enumerate(asked)])
    together = dict(said)
    for index, (run, at, recipe) in enumerate(asked):
        made.heed([(index, "alone", runs[run], at, recipe)])
        assert said[index] == together[index], recipe
    example, drawn, wrong, early, repaired, forged, no_translator, grid, kept, about = (together[i] for i in range(10))
    translator = open_translator(played[0].store, runs["scratched"])
    held = translator.held_out(500, seed=1)[0][3:4]
    damaged = translator.degraded(held, 5)
    np.testing.assert_array_equal(sheet_of(example), np.concatenate([held, damaged, translator(damaged)])[:, 0])
    given, entered, output = sheet_of(drawn)
    np.testing.assert_array_equal(given, entered)
    np.testing.assert_array_equal(output, translator(given[None, None])[0, 0])
    assert (early["round"], drawn["round"]) == (1, 9)
    assert not np.array_equal(sheet_of(early)[2], output)
    assert not np.array_equal(sheet_of(repaired)[1], given)
    assert drawn["cells"][2].keys() == {"label", "sure"}
    assert all(one["error"].endswith(".") for one in (wrong, no_translator))
    assert len(grid["cells"]) == 64
    assert kept == {"rounds": [1, 2, 4, 8, 9]}
    assert (about["judges"], about["translates"], about["normalised"]) == (True, False, False)
    assert (forged["largest"] > 0, forged["columns"]) == (True, 2)


def test_d_says_of_a_drawing_what_the_game_says_alone(
    played: tuple[Lab, dict[str, str]], answerer: tuple[Answerer, dict[int, Any]]
) -> None:
    (made, said), runs = answerer, played[1]
    for number, name in enumerate(("gan", "conditional")):
        game: Any = open_game(played[0].store, runs[name]).game
        x, y = made.board(runs[name]).held
        for index in (0, 7):
            made.heed([(number, "me", runs[name], None, {"do": "forge", "picture": f"h{index}", "y": 4})])
            given, label = to_unit(torch.from_numpy(x[index : index + 1])), torch.tensor([4])
            assert said[number]["opinion"] == pytest.approx(float(game.judge(given, label if number else None)))
        made.heed([(9, "me", runs[name], None, {"do": "line"})])
        finish(made)
        told = said[9]
        beside = to_unit(torch.from_numpy(x[:200]))
        expected = game.judge(beside, torch.from_numpy(y[:200]) if number else None)
        np.testing.assert_allclose(told["real"], expected, atol=1e-4)
        assert len(told["fake"]) == 200
    assert said[1]["class"] == "4"
    assert said[1]["largest"] is None, "of a game with classes no push is defined"


def test_how_held_out_pictures_are_read_is_counted_by_their_labels(
    played: tuple[Lab, dict[str, str]], answerer: tuple[Answerer, dict[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (made, said), runs = answerer, played[1]
    board = made.board(runs["scratched"])
    board.__dict__["held"] = tuple(part[:60] for part in board.held)
    y = board.held[1]

    def says(x: Any) -> np.ndarray:
        """Sure of class 0 where the picture is a real one, else sure of nothing."""
        real = np.array([(board.held[0] == one).all((1, 2, 3)).any() for one in x.numpy()])
        return np.where(real[:, None], np.eye(10)[0], 0.1)

    judge = SimpleNamespace(probabilities=says, report=SimpleNamespace(class_names=board.class_names))
    monkeypatch.setattr(board, "judge", lambda **_: judge)
    made.heed([(1, "me", runs["scratched"], None, {"do": "figures"})])
    finish(made)
    assert said[1] == {"n": 60, "round": 9, "real": int((y != 0).sum()), "input": 0, "output": 0}
    made.heed([(2, "me", runs["gan"], None, {"do": "figures"})])
    finish(made)
    assert said[2]["error"].endswith(".")


def test_without_pairs_outputs_are_counted_by_the_labels_of_their_inputs(
    played: tuple[Lab, dict[str, str]], answerer: tuple[Answerer, dict[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = answerer
    board = made.board(played[1]["unpaired"])
    y = board.held[1]
    sure_of_3 = SimpleNamespace(
        probabilities=lambda x: np.eye(10)[[3] * len(x)], report=SimpleNamespace(class_names=board.class_names)
    )
    monkeypatch.setattr(board, "judge", lambda *, output=False: sure_of_3 if output else None)
    made.heed([(1, "me", played[1]["unpaired"], None, {"do": "figures"})])
    finish(made)
    wrong = int((y != 3).sum())
    assert said[1] == {"n": len(y), "round": 1, "input": wrong, "output": wrong}
    sure_of_3.report.class_names = ("a", "b")
    made.heed([(2, "me", played[1]["unpaired"], None, {"do": "figures"})])
    finish(made)
    assert "could be counted" in said[2]["error"]


def test_of_pairs_that_were_brought_the_way_to_the_targets_is_measured(
    played: tuple[Lab, dict[str, str]], answerer: tuple[Answerer, dict[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (made, said), run = answerer, played[1]["scratched"]
    board = made.board(run)
    translator, targets = board.translator(None), board.held[0]
    brought = replace(translator, degradation="")  # what pairs that were brought are to it
    inputs = translator.degraded(targets, 5)
    board.__dict__["examples"] = inputs
    monkeypatch.setattr(board, "translator", lambda at: brought)
    monkeypatch.setattr(type(board), "paired", True)
    monkeypatch.setattr(board, "judge", lambda **_: None)
    made.heed([(1, "me", run, None, {"do": "figures"})])
    finish(made)
    expected = {
        name: np.abs(x / 255 - targets / 255).mean() for name, x in (("input", inputs), ("output", brought(inputs)))
    }
    assert said[1]["apart"] == pytest.approx(expected)
    assert set(said[1]) == {"n", "round", "apart"}


def test_data_that_lie_as_those_of_mnist_are_known_by_themselves(played: tuple[Lab, dict[str, str]]) -> None:
    board = Board(played[0].store, played[1]["scratched"])
    x = mnist5k().x[:60].numpy()
    for given, lies in ((x, True), (255 - x, False), (np.roll(x, 4, 2), False), (x.repeat(3, 1), True)):
        board.__dict__.pop("as_mnist", None)
        board.__dict__["held"] = given, np.zeros(len(given), int)
        assert board.as_mnist == lies


def test_without_pairs_a_drawing_is_of_one_kind_and_d_judges_the_other(
    played: tuple[Lab, dict[str, str]], answerer: tuple[Answerer, dict[int, Any]]
) -> None:
    (made, said), run = answerer, played[1]["unpaired"]
    board = made.board(run)
    game: Any = open_game(played[0].store, run).game
    a, b = (source.x[source.heldout_index].numpy() for source in (board.source, mnist5k()))
    assert (a == board.held[0][3]).all((1, 2, 3)).any()
    assert (b == board.real[3]).all((1, 2, 3)).any()
    asked = {"do": "drawing", "picture": "h3"}, {"do": "line"}, {"do": "board"}
    made.heed([(number, "me", run, None, recipe) for number, recipe in enumerate(asked, 1)])
    finish(made)
    assert not said[3]["own"]
    given, entered, _ = sheet_of(said[1], 28)
    np.testing.assert_array_equal(given, board.held[0][3, 0])
    np.testing.assert_array_equal(entered, given)
    real = to_unit(torch.from_numpy(board.real[:200]))
    np.testing.assert_allclose(said[2]["real"], game.judge(real), atol=1e-4)
    outputs = game.translate(to_unit(torch.from_numpy(board.held[0][:200])))
    np.testing.assert_allclose(said[2]["fake"], game.judge(outputs), atol=0.01)  # of pixels in 8 bits
