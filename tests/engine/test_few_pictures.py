"""The study of few pictures: arms that differ in the augmentation alone, and pictures that nobody was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gan_core.config.studies import FewSettings, load_study
from gan_core.data import DATASETS, ImageSource
from gan_core.engine.library import suggesting
from gan_core.engine.studies import computing, few
from gan_core.engine.studies.findings import Cell, Row
from gan_core.intake.errors import DataError
from gan_core.store import RunStore

TINY = {
    "protocol": "few",
    "data": "few_digits",
    "options": {"pictures": 60},
    "seeds": [0, 1],
    "sizes": [20, 50],
    "rounds": 2,
    "samples": 60,
}


def settings_of(**changes: Any) -> FewSettings:
    loaded = load_study({**TINY, **changes})
    assert isinstance(loaded, FewSettings)
    return loaded


def digits() -> ImageSource:
    source = DATASETS["few_digits"].load(pictures=60)
    assert isinstance(source, ImageSource)
    return source


def row(settings: FewSettings, arm: str, size: int, seed: int, **values: float) -> Row:
    (cell,) = (c for c in few.cells(settings) if (c.arm, c.size, c.seed) == (arm, size, seed))
    return Row(cell, {"floor": 1.2, "passes": 80.0, **values})


def test_pictures_are_nested_and_none_is_held_out() -> None:
    source = digits()
    few_of_them, more = (few.some_of(source, count, 3) for count in (20, 50))
    assert few_of_them.train_index.tolist() == more.train_index[:20].tolist()
    assert few_of_them.train_index.tolist() != few.some_of(source, 20, 4).train_index.tolist()
    assert not set(more.train_index.tolist()) & set(source.heldout_index.tolist())
    assert more.y is None
    with pytest.raises(DataError, match="has 60 training pictures"):
        few.some_of(source, 61, 0)
    with pytest.raises(DataError, match="60 are needed to measure beside"):
        few.beside_held_out(few.replace(source, heldout_index=source.heldout_index[:59]))


def test_the_arms_differ_in_what_d_sees_and_in_nothing_else() -> None:
    settings, source = settings_of(), few.some_of(digits(), 50, 0)
    plain, changed = (few.config_of(settings, cell, source) for cell in few.cells(settings)[2:4])
    assert plain.replace({"tricks.augment": settings.policy}) == changed
    assert plain.tricks.augment == "off"  # type: ignore[attr-defined]
    told = suggesting.suggested(source).changes
    assert changed.data.batch_size == told["data.batch_size"]
    assert list(changed.model.generator.widths) == told["model.generator.widths"]  # type: ignore[attr-defined]


def test_a_study_is_computed_and_told(tmp_path: Path) -> None:
    with RunStore(tmp_path / "runs") as store:
        study = computing.compute_here(store, computing.begin(store, TINY).id)
        found = computing.findings_of(store, study)
        rows = store.studies.rows(study.id)
    assert study.done == study.cells == 8
    assert {"distance", "coverage", "r_v", "floor"} <= set(rows[0].values)
    assert [caption for _, caption in found.boards[0].files] == [cell.title for cell in few.cells(settings_of())[:4]]
    assert found.comparisons == 6
    again = few.compute(settings_of(), few.cells(settings_of())[0], _bench(tmp_path))
    assert again["distance"] == rows[0].values["distance"]


def _bench(folder: Path) -> Any:
    from gan_core.engine.studies.bench import Bench

    return Bench(RunStore(folder / "runs", only_reads="It is only looked at."), "again", settings_of(seeds=[5]))


def test_a_shorter_distance_helps_and_a_larger_r_v_hurts() -> None:
    settings = settings_of(seeds=[0, 1, 2], sizes=[50])
    distances = {"plain": (9.0, 8.0, 10.0), "augmented": (6.0, 5.5, 6.5)}
    rows = [
        row(settings, arm, 50, seed, distance=value, r_v=0.1 if arm == "plain" else 0.5 + 0.01 * seed, coverage=0.5)
        for arm, values in distances.items()
        for seed, value in enumerate(values)
    ]
    found = few.findings(settings, rows)
    assert found.headline is not None
    assert found.headline.text == "Augmenting what D sees, by the number of pictures: helps with 50."
    said = [sentence.text for sentence in found.sentences]
    assert said[0] == "With 50 pictures augmentation helps: Fréchet distance −3.0 ± 1.2 features², from 9.0 to 6.0."
    assert said[1].startswith("With 50 pictures, coverage: cannot be told from these 3 seeds (+0.0 ± 0.0 points")
    assert said[2] == "With 50 pictures augmentation hurts: r_v +0.41 ± 0.02, from 0.10 to 0.51."
    line = dict(zip(found.tables[0].columns, found.tables[0].rows[0], strict=True))
    assert line["Fréchet distance: difference"] == "−3.0 ± 1.2"
    assert (line["pictures"], line["seeds"], line["times seen"]) == (50, 3, 80.0)


def test_one_seed_has_no_interval_nor_has_an_unmeasured_row() -> None:
    settings = settings_of(sizes=[50])
    one = few.findings(settings, [row(settings, arm, 50, 0, distance=3.0) for arm in few.ARMS])
    assert one.headline is None
    assert [sentence.tone for sentence in one.sentences] == ["unknown"]
    assert one.comparisons == 0
    assert few.findings(settings, [row(settings, "plain", 50, 0)]).tables[0].rows[0][3] is None


def test_the_same_pictures_are_measured_beside_whatever_is_trained_on() -> None:
    few_of_them, more = (few.some_of(digits(), count, 0) for count in (20, 50))
    samples = torch.randn(60, 576, generator=torch.Generator().manual_seed(0)).numpy()
    assert few.beside_held_out(few_of_them).measure(samples) == few.beside_held_out(more).measure(samples)


def test_cells_are_called_by_what_they_train() -> None:
    cells = few.cells(settings_of())
    assert cells[1] == Cell("augmented-20-0", "augmented", 20, 0, "20 pictures, augmented")
