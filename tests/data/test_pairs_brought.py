"""Pairs that people bring, side by side in one file or by equal names in two folders, as data of pix2pix."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.hostile import zipped
from gan_core.config import RunConfig
from gan_core.data import ImageSource, shelf, to_unit
from gan_core.data.places import use_store
from gan_core.engine import Lab
from gan_core.engine.library.datasets import dataset_facts
from gan_core.engine.observers import observer_for
from gan_core.engine.upkeep.classifiers import Classifiers
from gan_core.intake.decode import Shape
from gan_core.intake.matching import PAIRS, pairs_of
from gan_core.intake.pictures import MIN_IMAGES, DataError, Images, from_zip, read_zip
from gan_core.training import build, explain, load_source, resolve

N = 40
GREY = Shape(16, 1)


def light(value: int, size: tuple[int, int] = (16, 16)) -> Image.Image:
    """A picture of one tone in the middle, so that no two are the same and each half tells whose it is."""
    picture = Image.new("L", size, 0)
    picture.paste(value, (2, 2, size[0] - 2, size[1] - 2))
    return picture


def as_bytes(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def beside(left: Image.Image, right: Image.Image) -> bytes:
    wide = Image.new("L", (left.width + right.width, left.height))
    wide.paste(left, (0, 0))
    wide.paste(right, (left.width, 0))
    return as_bytes(wide)


def tones(n: int = N) -> list[tuple[int, int]]:
    """Of input and target: the target is as much lighter as can be told of each by itself."""
    return [(20 + 2 * i, 130 + 3 * i) for i in range(n)]


def in_one_file(n: int = N) -> dict[str, bytes]:
    return {f"{i:03}.png": beside(light(a), light(b)) for i, (a, b) in enumerate(tones(n))}


def in_two_folders(n: int = N) -> dict[str, bytes]:
    files = {f"set/photo/{i:03}.png": as_bytes(light(b)) for i, (_, b) in enumerate(tones(n))}
    return files | {f"set/drawing/{i:03}.PNG": as_bytes(light(a)) for i, (a, _) in enumerate(tones(n))}


def matched(x: np.ndarray, inputs: np.ndarray) -> bool:
    """Whether each input is that of its target."""
    of = {b: a for a, b in tones()}
    return all(of[int(target[0, 8, 8])] == int(given[0, 8, 8]) for target, given in zip(x, inputs, strict=True))


def read(files: dict[str, bytes], shape: Shape, level: str | None = None) -> Images:
    return from_zip(zipped(files), shape, level=level)


@pytest.mark.parametrize("of", ["one file", "two folders"])
def test_both_ways_to_bring_pairs_give_the_same_pairs(of: str) -> None:
    found = read(in_one_file(), replace(GREY, fit="pairs")) if of == "one file" else read(in_two_folders(), GREY, PAIRS)
    assert found.inputs is not None
    assert found.x.shape == found.inputs.shape == (N, 1, 16, 16)
    assert matched(found.x, found.inputs)
    assert found.y is None


def test_equal_names_in_two_folders_are_pairs_and_the_rest_is_listed() -> None:
    names = ("b/2.PNG", "b/1.png", "a/1.jpg", "a/2.png", "b/3.png", "a/9.png", "a/9.jpg", "b/9.png")
    given, targets = pairs_of(names)
    assert [(names[a], names[b]) for a, b in zip(given, targets, strict=True)] == [
        ("a/1.jpg", "b/1.png"),
        ("a/2.png", "b/2.PNG"),
    ]
    split = ("train/x/1.png", "train/y/1.png", "test/x/1.png", "test/y/1.png", "test/x/2.png")
    assert len(pairs_of(split)[0]) == 2
    assert pairs_of(("1.png", "2.png")) == pairs_of(("a/1.png", "b/1.png", "c/1.png")) == ([], [])
    files = {**in_two_folders(), "set/photo/alone.png": as_bytes(light(7))}
    found = read(files, GREY, PAIRS)
    assert [(problem.file, problem.reason) for problem in found.problems] == [
        ("set/photo/alone.png", "no other of its name")
    ]


def test_two_folders_stay_classes_unless_pairs_are_asked_for() -> None:
    brought = read_zip(zipped(in_two_folders()), GREY)
    assert [level.key for level in brought.levels][-1] == PAIRS
    assert brought.chosen().inputs is None
    assert brought.chosen().class_names == ("drawing", "photo")
    few = {name: content for name, content in in_two_folders().items() if not name.endswith(".PNG") or "00" in name}
    assert PAIRS not in {level.key for level in read_zip(zipped(few), GREY).levels}


def test_what_is_no_wider_than_high_is_no_pair() -> None:
    files = {**in_one_file(), "square.png": as_bytes(light(9))}
    found = read(files, replace(GREY, fit="pairs"))
    assert [problem.file for problem in found.problems] == ["square.png"]
    assert "no two pictures side by side" in found.problems[0].reason
    with pytest.raises(DataError, match=f"needs {MIN_IMAGES} at least"):
        read({f"{i}.png": as_bytes(light(i)) for i in range(N)}, replace(GREY, fit="pairs"))


@pytest.fixture
def kept(tmp_path: Path) -> str:
    use_store(tmp_path)
    return shelf.keep("my pairs", read(in_one_file(), replace(GREY, fit="pairs")), "zip").name


def config_of(name: str, changes: dict[str, Any] | None = None) -> Any:
    small = {
        "data.name": name,
        "data.batch_size": 4,
        "model.generator.widths": [4],
        "model.discriminator.widths": [4, 4],
    }
    return resolve(RunConfig.load({"game": "pix2pix", "device": "cpu"}).replace({**small, **(changes or {})}))


def test_a_run_is_dealt_and_shown_the_pairs_that_were_brought(kept: str) -> None:
    config = config_of(kept)
    source = load_source(config)
    assert isinstance(source, ImageSource)
    assert source.inputs is not None
    game: Any = build(config, source)
    given, target = game._pair()
    pixels = [((x + 1) * 127.5).round().numpy() for x in (target, given)]
    assert matched(*pixels)
    told = [problem for problem in explain(config) if problem.field == "translation.degradation"]
    assert [problem.fatal for problem in told] == [False]
    observer: Any = observer_for(config, source, lambda _: None)
    assert matched(*[((x + 1) * 127.5).round().numpy() for x in (observer._pairs.targets, observer._pairs.inputs)])
    assert not {*map(float, observer._pairs.targets[:, 0, 8, 8])} & {
        *map(float, to_unit(source.x[source.train_index])[:, 0, 8, 8])
    }, "held out"

    class Same:
        def translate(self, x: torch.Tensor) -> torch.Tensor:
            return x

    _, sight = observer.look(Same(), 0)
    assert {int(one) for one in sight.parts["grid"][:, 0, 8, 8]} <= {a for a, _ in tones()}, "made of inputs"


def test_a_run_on_own_pairs_finishes_and_its_card_says_what_they_are(kept: str, tmp_path: Path) -> None:
    assert shelf.find(kept).paired
    with Lab(tmp_path, executor="thread") as lab:
        run = lab.submit(config_of(kept, {"schedule.rounds": 2, "diagnostics.samples": 16}))
        lab.wait(run, 60)
        assert lab.store.run(run).status == "finished"
        assert "translated" in lab.store.frames(run)[-1].parts


def test_the_data_page_shows_each_input_beside_its_target(kept: str, tmp_path: Path) -> None:
    classifiers = Classifiers(tmp_path)
    facts = dataset_facts(kept, classifiers)
    classifiers.close()
    sheet = np.asarray(Image.open(io.BytesIO(facts.samples or b"")).convert("L"))
    shown = {(int(sheet[8, left + 8]), int(sheet[8, left + 24])) for left in range(0, sheet.shape[1], 34)}
    assert shown <= set(tones())
    assert facts.notes == ("Each picture is a pair, the input to the left of its target.",)


def test_other_inputs_make_another_set_and_no_inputs_the_old_name(tmp_path: Path) -> None:
    use_store(tmp_path)
    pairs = read(in_one_file(), replace(GREY, fit="pairs"))
    assert pairs.inputs is not None
    names = {
        shelf.keep("one", some, "zip").name
        for some in (pairs, replace(pairs, inputs=pairs.inputs[::-1].copy()), replace(pairs, inputs=None))
    }
    assert len(names) == 3
