"""What is drawn for a translator and for a discriminator: examples, normalisation, and the process that answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.exchange.generator import NothingToPlay
from gan_core.engine.exchange.translating import open_translator
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


def test_a_translator_stays_as_it_was_at_doubling_rounds(played: tuple[Lab, dict[str, str]]) -> None:
    lab, runs = played
    kept = {one.round: one.kept_for for one in lab.store.checkpoints(runs["scratched"])}
    assert kept == {1: "on the way", 2: "on the way", 4: "on the way", 8: "on the way", 9: ""}
    assert "on the way" not in {one.kept_for for one in lab.store.checkpoints(runs["gan"])}
