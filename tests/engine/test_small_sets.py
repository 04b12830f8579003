"""Labelled sets of any shape train; what has too few held-out pictures says so, and an old run keeps its split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_core.data import shelf
from gan_core.data.images import HELD_OUT_SHARE, held_out_of_all, image_source
from gan_core.engine import Lab, dataset_facts, prepare_classifier
from gan_core.engine.observers.measuring import TOO_FEW
from gan_core.intake.pictures import Images

SHAPES = {
    "two of each": [2] * 8,
    "one class": [20],
    "26 × 2": [2] * 26,
    "60 × 1": [1] * 60,
    "500 × 2": [2] * 500,
    "one, two and 17": [1, 17, 2],
    "one beside 20": [1, 20],
}


def labels_of(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


def pictures(sizes: list[int]) -> Images:
    """Squares whose grey says the class and whose place the picture."""
    y = labels_of(sizes)
    x = np.random.default_rng(0).integers(0, 40, (len(y), 1, 16, 16), np.uint8)
    for index, label in enumerate(y):
        x[index, 0, index % 8 : index % 8 + 8, 4:12] = 80 + label * 170 // max(1, len(sizes))
    return Images(x, y, tuple(f"class {label:03}" for label in range(len(sizes))), ())


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[int]], str]:
    """Puts a set of classes of these sizes on the shelf; returns its name."""
    monkeypatch.setattr(shelf, "shelf_root", lambda: tmp_path / "data")
    monkeypatch.setattr("gan_core.training.classifier.IMAGES_SEEN", 400)
    return lambda sizes: shelf.keep("a set", pictures(sizes), "zip").name


@pytest.mark.parametrize(
    ("shape", "condition"),
    [*((shape, "none") for shape in SHAPES), *((shape, "concatenation") for shape in SHAPES if shape != "one class")],
)
def test_a_labelled_set_of_any_shape_trains_and_is_measured(
    lab: Lab, digits: Callable, brought: Callable, shape: str, condition: str
) -> None:
    name = brought(SHAPES[shape])
    changes: dict[str, Any] = {"model.condition": condition, "diagnostics.grid": 64, "diagnostics.every": 4}
    config = digits({"data.name": name, "schedule.rounds": 8, **changes})
    prepare_classifier(lab, config)
    run = lab.wait(lab.submit(config), 120)
    lab.store.flush()
    assert (run.status, run.message) == ("finished", "")
    events = lab.store.events(run.id)
    assert not [event.data for event in events if event.kind == "not_measured"]
    assert run.summary["metrics"]
    reference = {key: value for event in events if event.kind == "reference" for key, value in event.data.items()}
    judged = shelf.open_own(name).judged
    few = judged is not None and len(judged.heldout_index) < 10
    assert (reference.get("lacking", {}).get("frechet_distance") == TOO_FEW) == few
    assert ("frechet_distance" in reference["floors"]) == (judged is not None and not few)
    facts = dataset_facts(name, lab.classifiers)
    assert any(TOO_FEW in note.lower() for note in facts.notes) == few


@given(sizes=st.lists(st.integers(1, 12), min_size=2, max_size=40))
def test_what_is_held_out_is_a_share_of_the_whole_set(sizes: list[int]) -> None:
    y = labels_of(sizes)
    chosen = held_out_of_all(y)
    if chosen is None:  # as rounding class by class comes to
        return
    left = np.delete(y, chosen)
    wanted = max(1, round(HELD_OUT_SHARE * len(y)))
    assert len(set(chosen.tolist())) == len(chosen) <= wanted
    if max(sizes) > 1:
        assert set(left) == set(y), "every class keeps a picture to be trained on"
        spare = [size for size in sizes if size > 1]
        assert len(chosen) == wanted or all(np.bincount(y[chosen], minlength=len(sizes))[np.array(sizes) > 1] > 0), (
            spare
        )
    else:
        assert len(chosen) == 1


def test_a_large_set_is_split_as_it_always_was(brought: Callable) -> None:
    assert held_out_of_all(labels_of([180, 178, 183])) is None
    assert "-" in brought([40, 50])[-17:]


def test_a_name_of_before_has_the_split_of_before_also_when_brought_again(brought: Callable) -> None:
    """A stored run goes on with the images that it was trained on; what is held out would else become known to it."""
    sizes = SHAPES["26 × 2"]
    new = brought(sizes)
    before = new.replace("_", "-")
    assert new != before
    old = image_source("", pictures(sizes).x, labels_of(sizes)).heldout_index.tolist()
    assert shelf.open_own(before).heldout_index.tolist() == old == [51]
    assert len(shelf.open_own(new).heldout_index) == 10
    shelf.delete(new)
    brought(sizes)
    assert shelf.open_own(before).heldout_index.tolist() == old


def test_both_splits_of_the_same_pictures_have_a_judge_of_their_own(lab: Lab, brought: Callable) -> None:
    source = shelf.open_own(brought(SHAPES["26 × 2"]))
    other = replace(source, name="other", train_index=source.heldout_index, heldout_index=source.train_index)
    trained = [lab.classifiers.wait(some).report.n_train for some in (source, other)]
    assert trained == [42, 10]


@pytest.mark.parametrize(("n", "held_out"), [(50, 20), (80, 20), (40, 20), (39, 8), (200, 40)])
def test_of_few_pictures_without_classes_twenty_are_held_out(
    brought: Callable, n: int, held_out: int, tmp_path: Path
) -> None:
    few = Images(pictures([n]).x, None, (), ())
    card = shelf.keep("holiday pictures", few, "zip")
    source = shelf.open_own(card.name)
    assert (len(source.train_index), len(source.heldout_index)) == (n - held_out, held_out)
    assert shelf.is_own(card.name)
    assert ("--" in card.name) == (held_out == 20)
    older = shelf.open_own(card.name.replace("--", "-"))
    assert len(older.heldout_index) == round(0.2 * n), "a run that is there keeps its split"
