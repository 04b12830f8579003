"""What is measured of games with an encoder, each number beside what makes it readable."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import ndtri
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import ImageSource, Source, mnist5k, to_uint8
from gan_core.engine.messages import Sheet, Sight
from gan_core.engine.observers import EncodedObserver, observer_for
from gan_core.engine.observers.code_pictures import CodePictures
from gan_core.engine.observers.encoded import CodeMeasures
from gan_core.engine.observers.held import samples_of
from gan_core.engine.running.wire import read, write
from gan_core.metrics import METRICS
from gan_core.training import build, capture, load_source, resolve, state_hash

TINY = {"widths": [8]}


def config_of(game: str, data: str, **more: Any) -> RunConfig:
    tree = {
        "game": game,
        "data": {"name": data},
        "model": {"code_dim": 2, "encoder": TINY, "decoder": TINY},
        "diagnostics": {"samples": 64},
        "device": "cpu",
    }
    return resolve(RunConfig.load(tree | more))


class Copier:
    """A game whose code is x itself, moved and stretched, and whose reconstructions are told."""

    def __init__(self, source: Source, again: str = "x") -> None:
        self.source, self.again = source, again

    def encode(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def reconstruct(self, x: Tensor) -> Tensor:
        other = {"x": x, "another": x.flip(0), "one": x.mean(0, keepdim=True).expand_as(x), "none": x * float("nan")}
        return other[self.again]


def measures_of(config: RunConfig) -> tuple[CodeMeasures, Source]:
    source = load_source(config)
    return CodeMeasures(config, source, lambda images: None), source


def test_a_few_held_out_digits_are_of_every_class() -> None:
    """The set is sorted by class: its first sixty are zeros."""
    few = samples_of(mnist5k(), 60, heldout=True)
    assert few.y is not None
    assert len(np.unique(few.y)) == 10


def test_a_perfect_code_reads_its_floors_and_one_that_ignores_x_does_not() -> None:
    measures, source = measures_of(config_of("autoencoder", "ring"))
    reference = measures.reference()
    perfect = measures.measure(Copier(source))  # type: ignore[arg-type]
    assert perfect["rec_error"] == perfect["rec_ratio"] == 0
    assert perfect["class_kept"] == reference["floors"]["class_kept"] == 1
    assert perfect["knn_accuracy"] == reference["beside"]["knn_accuracy"]["coordinates"] > 0.9
    another = measures.measure(Copier(source, "another"))  # type: ignore[arg-type]
    assert another["rec_ratio"] == pytest.approx(1, abs=0.1)
    assert another["class_kept"] < 0.3, "one in eight"
    one = measures.measure(Copier(source, "one"))  # type: ignore[arg-type]
    assert one["rec_error"] == pytest.approx(reference["beside"]["rec_error"]["mean of the data"], rel=0.05)
    assert one["rec_ratio"] == pytest.approx(1, abs=0.01)
    assert measures.measure(Copier(source, "none")) == {}  # type: ignore[arg-type]


def test_of_images_blur_is_measured_and_labels_are_those_of_the_picture() -> None:
    config = config_of("autoencoder", "digits8")
    measures, source = measures_of(config)
    assert isinstance(source, ImageSource)
    assert source.y is not None
    numbers, reference = measures.measure(Copier(source)), measures.reference()  # type: ignore[arg-type]
    for name in ("grey_share", "laplacian_variance"):
        assert numbers[name] == reference["floors"][name] > 0
    assert "class_kept" not in numbers, "there is no classifier yet"
    held = samples_of(source, 50, heldout=True)
    for picture, label in zip(held.x, held.y, strict=True):  # type: ignore[arg-type]
        places = (source.x[source.heldout_index].float() / 127.5 - 1 - picture).abs().amax((1, 2, 3)) < 1e-5
        assert label in source.y[source.heldout_index][places]
    assert numbers["knn_accuracy"] == reference["beside"]["knn_accuracy"]["raw pixels"]


def test_a_vae_is_measured_beside_its_prior_and_its_untrained_encoder() -> None:
    config = config_of("vae", "ring")
    source = load_source(config)
    game = build(config, source)
    observer = observer_for(config, source, lambda images: None)
    assert isinstance(observer, EncodedObserver)
    before = state_hash(capture(game, 0))
    numbers, _ = observer.look(game, 0)
    reference = observer.reference()
    assert reference is not None
    assert state_hash(capture(game, 0)) == before, "looking changes nothing"
    assert numbers == observer.look(game, 1)[0], "and sees the same again"
    assert numbers["knn_accuracy"] == reference["beside"]["knn_accuracy"]["untrained encoder"]
    assert numbers["code_kl_1"] > 0
    assert numbers["active_dimensions"] in (0, 1, 2)
    assert abs(numbers["code_mmd2"]) < 0.2, "a draw of an untrained posterior is nearly one of the prior"
    assert 0 < reference["floors"]["code_mmd2"] < 0.05
    for name in ("code_variance_least", "code_variance_most"):
        assert reference["floors"][name] == pytest.approx(1, abs=0.15)
    assert -1 <= numbers["code_correlation"] <= 1
    shown = set(METRICS) & set(numbers)
    assert {"rec_error", "code_mmd2", "code_correlation", "sliced_wasserstein"} <= shown
    assert all(np.isfinite(value) for value in numbers.values())
    assert "code_mmd2" not in observer_for_autoencoder()


def observer_for_autoencoder() -> dict[str, float]:
    config = config_of("autoencoder", "ring")
    source = load_source(config)
    return observer_for(config, source, lambda images: None).look(build(config, source), 0)[0]


def test_a_few_held_out_pictures_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("autoencoder", "digits8")
    source = load_source(config)
    assert isinstance(source, ImageSource)
    few = CodeMeasures(config, _with_held_out(source, 5), lambda images: None)
    assert few.measure(Copier(source)) == {}  # type: ignore[arg-type]
    assert set(few.reference()) == {"lacking"}


def _with_held_out(source: ImageSource, n: int) -> ImageSource:
    return replace(source, heldout_index=source.heldout_index[:n])


def test_codes_are_pushed_about_in_units_of_their_own() -> None:
    config = config_of("vae", "digits8")
    source = load_source(config)
    game = build(config, source)
    drawn = CodePictures(config, source).draw(game)
    sheet, plane = drawn["perturbed"], drawn["manifold"]
    assert sheet.images.shape == (6, 6, 1, 16, 16)
    assert plane.images.shape == (15, 15, 1, 16, 16)
    held = samples_of(source, 300, heldout=True)
    codes = game.encode(held.x)
    sigma = float(codes.std(0).mean())
    assert f"{10 / sigma:.2g} σ" in sheet.note
    first = [np.flatnonzero(held.y == label)[0] for label in np.unique(held.y)]  # type: ignore[arg-type]
    places = sorted(first)[:6]
    np.testing.assert_array_equal(sheet.images[:, 0], to_uint8(held.x[places]).numpy())
    np.testing.assert_array_equal(sheet.images[:, 1], to_uint8(game.reconstruct(held.x[places])).numpy())
    moved = [np.abs(sheet.images[:, at].astype(int) - sheet.images[:, 1].astype(int)).mean() for at in range(2, 6)]
    assert 0 < moved[0] < moved[-1], "the more noise, the farther"
    corner = torch.tensor([[ndtri(0.03), ndtri(0.97)]], dtype=torch.float32)
    np.testing.assert_array_equal(plane.images[0, 0], to_uint8(game.sample(corner))[0].numpy())
    assert len(drawn["codes"]["codes"]) == len(drawn["codes"]["classes"]) == 300
    flat = config_of("autoencoder", "digits8")
    assert set(CodePictures(flat, source).draw(build(flat, source))) == {"perturbed"}, "it has no prior"
    ring = config_of("vae", "ring")
    assert CodePictures(ring, load_source(ring)).draw(build(ring, load_source(ring))) == {}


def test_a_sheet_becomes_a_picture_with_its_heads(open_lab: Callable) -> None:
    lab = open_lab()
    run = lab.wait(lab.submit(config_of("vae", "digits8", schedule={"rounds": 1})), 120).id
    (*_, last) = lab.store.frames(run)
    assert last.parts["perturbed"]["heads"] == ["x", "0", "½ σ", "1 σ", "2 σ", "3 σ"]
    assert last.parts["perturbed"]["columns"] == 6
    assert last.parts["manifold"]["count"] == 225
    assert {part["file"].split(".")[-1] for name, part in last.parts.items() if name in ("perturbed", "manifold")} == {
        "png"
    }
    assert last.parts["codes"]["file"].endswith(".json")


def test_a_sheet_crosses_the_border_of_a_process() -> None:
    pipe = io.BytesIO()
    sheet = Sheet(np.arange(12, dtype=np.uint8).reshape(1, 2, 1, 2, 3), ("a", "b"), "said")
    write(pipe, "run", Sight(3, {"perturbed": sheet}))
    pipe.seek(0)
    _, sight = read(pipe)
    back = sight.parts["perturbed"]
    np.testing.assert_array_equal(back.images, sheet.images)
    assert (back.heads, back.note) == (sheet.heads, sheet.note)
