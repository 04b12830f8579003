"""What is seen and measured of outputs beside their targets, and the same run from a terminal and from Python."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gan_core import api
from gan_core.cli import main
from gan_core.config import RunConfig
from gan_core.data import to_uint8
from gan_core.engine import DataError, Lab
from gan_core.engine.observers import TranslatedObserver, observer_for
from gan_core.engine.observers.held import HELD
from gan_core.engine.observers.translated import HEADS, SHOWN, HeldPairs
from gan_core.store import RunStore, StoreError
from gan_core.training import build, load_source, resolve
from gan_core.training.games.pix2pix import degraded
from gan_core.ui.watching import panels_for

SMALL = {
    "model.generator.widths": [4],
    "model.discriminator.widths": [4, 4],
    "data.name": "digits8",
    "data.batch_size": 8,
    "translation.degradation": "half_size",
    "diagnostics.samples": 32,
    "schedule.rounds": 2,
}


def config_of(changes: dict[str, Any] | None = None) -> Any:
    return resolve(RunConfig.load({"game": "pix2pix", "device": "cpu"}).replace({**SMALL, **(changes or {})}))


class Judge:
    """Reads class 3 in what is as light as the pictures that it knows, else class 0."""

    report = SimpleNamespace(accuracy=1.0, n_heldout=1)

    def probabilities(self, x: Tensor) -> np.ndarray:
        light = x.mean((1, 2, 3)).numpy() > 0
        return np.eye(10)[np.where(light, 3, 0)]

    def features(self, x: Tensor) -> np.ndarray:
        return torch.stack([x.mean((1, 2, 3)), x.std((1, 2, 3))], dim=1).double().numpy()

    def judge(self, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
        return self.probabilities(x), self.features(x)


class Says:
    """A translator of one answer for each input."""

    def __init__(self, answers: Tensor) -> None:
        self.answers = answers

    def translate(self, x: Tensor) -> Tensor:
        return self.answers[: len(x)]


def pairs_of(changes: dict[str, Any] | None = None) -> HeldPairs:
    config = config_of(changes)
    return HeldPairs(config, load_source(config), lambda _: Judge())  # type: ignore[arg-type,return-value]


def test_rows_show_what_stands_beside_what_and_never_change() -> None:
    pairs, again = (
        pairs_of({"translation.degradation": "scratched"}),
        pairs_of({"translation.degradation": "scratched"}),
    )
    assert torch.equal(pairs.inputs, again.inputs)
    assert torch.equal(pairs.inputs, degraded(pairs.targets, "scratched"))
    outputs = pairs.outputs(Says(-pairs.targets))
    sheet = pairs.rows(outputs)
    assert (sheet.images.shape, sheet.heads) == ((SHOWN // 2, 2 * len(HEADS), 1, 16, 16), HEADS * 2)
    in_pairs = sheet.images.reshape(SHOWN, len(HEADS), 1, 16, 16)
    shown = dict(zip(HEADS, in_pairs.transpose(1, 0, 2, 3, 4), strict=True))
    for head, pictures in (("input", pairs.inputs), ("output", -pairs.targets), ("target", pairs.targets)):
        np.testing.assert_array_equal(shown[head], to_uint8(pictures[:SHOWN]).numpy())
    source = load_source(config_of())
    known = {picture.numpy().tobytes() for picture in source.x[source.train_index]}
    assert all(picture.tobytes() in known for picture in shown["nearest"]), "it is a training picture"


def test_a_sheet_shows_an_output_as_dark_as_it_is() -> None:
    """Stretched between its own extremes an output that fades would look like its target."""
    pairs = pairs_of()
    sheet = pairs.rows(0.1 * pairs.targets - 0.5)
    shown = sheet.images.reshape(SHOWN, len(HEADS), 1, 16, 16)[:, HEADS.index("output")]
    np.testing.assert_array_equal(shown, to_uint8(0.1 * pairs.targets[:SHOWN] - 0.5).numpy())


def test_outputs_are_measured_like_what_they_are_beside() -> None:
    pairs = pairs_of()
    reference = pairs.reference()
    beside = reference["beside"]
    assert set(beside["psnr"]) == {"input as it is", "mean target", "nearest training picture", "bicubic"}
    assert set(beside["target_class"]) == {*beside["psnr"], "target itself"}
    for column, rivals in beside.items():
        assert pairs.measure(pairs.inputs)[column] == rivals["input as it is"]
    perfect = pairs.measure(pairs.targets)
    assert (perfect["absolute_error"], perfect["psnr"], perfect["ssim"]) == (0, 100, pytest.approx(1))
    assert perfect["target_class"] == beside["target_class"]["target itself"]
    assert perfect["target_frechet"] == pytest.approx(0, abs=1e-6)
    assert pairs.measure(-pairs.targets)["target_frechet"] > 0.1
    assert beside["consistency"]["input as it is"] == pytest.approx(0, abs=1e-6)
    assert perfect["consistency"] == pytest.approx(0, abs=1e-6), "shrunk, a target is its input"
    assert pairs.measure(-pairs.targets)["consistency"] > 0.1
    assert "consistency" not in pairs_of({"translation.degradation": "half"}).reference()["beside"]
    paler = pairs.measure(pairs.targets * 0.8)["absolute_error"]
    assert paler == pytest.approx(float(pairs.targets.abs().mean()) / 10), "a pixel counts from 0 to 1"
    assert set(reference["sizes"].values()) == {HELD}
    assert pairs.measure(pairs.targets * float("nan")) == {}


def test_classes_are_those_of_the_targets() -> None:
    pairs = pairs_of()
    of_three = float((pairs._labels == 3).mean())
    light, dark = torch.ones_like(pairs.targets), -torch.ones_like(pairs.targets)
    assert pairs.measure(light)["target_class"] == pytest.approx(of_three)
    assert pairs.measure(dark)["target_class"] == pytest.approx(float((pairs._labels == 0).mean()))


def test_looking_changes_no_bit_of_the_game() -> None:
    config = config_of()
    source = load_source(config)
    observer = observer_for(config, source, lambda _: None)
    assert isinstance(observer, TranslatedObserver)
    game = build(config, source)
    before = {name: value.clone() for name, value in game.networks["G"].state_dict().items()}
    state = game.streams["degradation"].get_state()
    _, sight = observer.look(game, 1)
    assert set(sight.parts) == {"grid", "translated"}
    assert torch.equal(game.streams["degradation"].get_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in game.networks["G"].state_dict().items())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store, a run from picture to picture in it, and a GAN of points."""
    store = tmp_path_factory.mktemp("pairs") / "runs"
    gan = RunConfig().replace({"schedule.rounds": 2, "model.generator.widths": [8], "device": "cpu"})
    with Lab(store, executor="thread", tick=0.05) as lab:
        runs = [lab.submit(config) for config in (config_of(), gan)]
        assert all(lab.wait(run, 60).status == "finished" for run in runs)
    return store, runs[0], runs[1]


def test_a_run_makes_a_picture_of_a_file_and_of_an_array(
    kept: tuple[Path, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, run, gan = kept
    drawn, made = tmp_path / "drawn.png", tmp_path / "made.png"
    source = load_source(config_of())
    x = source.x[:1].numpy()
    Image.fromarray(x[0, 0]).save(drawn)
    expected = api.translate(run, x, store=store)
    assert (expected.shape, expected.dtype) == (x.shape, np.uint8)
    np.testing.assert_array_equal(api.translate(run, drawn, store=store), expected[0])
    assert main(["translate", run, "--image", str(drawn), "--to", str(made), "--store", str(store)]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == made.stat().st_size
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(made.read_bytes()))), expected[0, 0])
    assert not np.array_equal(api.translate(run, x, degrade=True, store=store), expected)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    for image, to, what in ((broken, made, run), (tmp_path / "none.png", made, run), (drawn, made, gan)):
        assert main(["translate", what, "--image", str(image), "--to", str(to), "--store", str(store)]) == 2
        assert capsys.readouterr().err.endswith(".\n")
    with pytest.raises(ValueError, match="needs pictures"):
        api.translate(run, x[:, :, 1:], store=store)
    with pytest.raises(StoreError):
        api.translate(gan, x, store=store)
    with pytest.raises(DataError):
        api.translate(run, broken, store=store)


def test_the_page_shows_the_rows_beside_the_curves(kept: tuple[Path, str, str]) -> None:
    with RunStore(kept[0]) as store:
        slots = [panel["slot"] for panel in panels_for(store.run(kept[1]))]
        other = [panel["slot"] for panel in panels_for(store.run(kept[2]))]
    assert {"translated", "pair-numbers", "distance-chart"} <= set(slots)
    assert not {"translated", "pair-numbers"} & set(other)
