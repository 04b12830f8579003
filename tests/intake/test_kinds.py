"""Normal pictures and others, as people and MVTec lay them out: from a zip file to a study of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.config.studies import AnomalySettings
from gan_core.data import DATASETS, ImageSource, shelf
from gan_core.data.places import use_store
from gan_core.engine.studies import anomaly
from gan_core.engine.studies.anomaly_findings import findings
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.cases import case_of
from gan_core.engine.studies.findings import Cell, Row
from gan_core.intake.decode import Shape
from gan_core.intake.kinds import KINDS, NORMAL, UNTOLD, kinds_of
from gan_core.intake.pictures import Images, read_zip
from gan_core.store import RunStore

SHAPE = Shape(16, 1, "crop")


@pytest.mark.parametrize(
    "names",
    [
        ("normal/a.png", "normal/b.png", "test/crack/a.png", "test/normal/c.png", "masks/crack/a.png"),
        (
            "bottle/train/good/a.png",
            "bottle/train/good/b.png",
            "bottle/test/crack/a.png",
            "bottle/test/good/c.png",
            "bottle/ground_truth/crack/a_mask.png",
        ),
        ("Train/a.jpg", "Train/b.jpg", "Test/Crack/a.jpg", "Test/OK/c.jpg", "GT/crack/A.png"),
    ],
)
def test_the_layouts_of_people_mean_the_same(names: tuple[str, ...]) -> None:
    found = kinds_of(names)
    assert found is not None
    assert (found.learnt, found.asked, found.masks) == ((0, 1), (2, 3), {2: 4})
    assert [kind.lower() for kind in found.kind] == ["crack", NORMAL]
    assert found.names[0] == NORMAL


@pytest.mark.parametrize(
    "names",
    [
        ("train/cat/a.png", "train/dog/b.png", "test/cat/c.png", "test/dog/d.png"),  # classes to be told apart
        ("train/a.png", "train/b.png", "test/good/c.png"),  # nothing but normal ones
        ("cats/a.png", "dogs/b.png"),
        ("test/crack/a.png", "masks/crack/a.png"),
        (),
    ],
)
def test_other_folders_are_not_taken_for_it(names: tuple[str, ...]) -> None:
    assert kinds_of(names) is None


def test_pictures_without_a_kind_are_asked_about_all_the_same() -> None:
    found = kinds_of(("normal/a.png", "test/b.png"))
    assert found is not None
    assert found.kind == (UNTOLD,)


def picture(seed: int, *, spot: bool = False) -> np.ndarray:
    """A grey slope with some noise; with a white spot of 4×4 at the top left."""
    x = np.linspace(40, 120, 16)[None].repeat(16, 0) + np.random.default_rng(seed).normal(0, 6, (16, 16))
    if spot:
        x[2:6, 2:6] = 255
    return x.clip(0, 255).astype(np.uint8)


def packed(files: dict[str, np.ndarray]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, pixels in files.items():
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, format="PNG")
            archive.writestr(name, content.getvalue())
    buffer.seek(0)
    return buffer


def mask() -> np.ndarray:
    x = np.zeros((16, 16), np.uint8)
    x[2:6, 2:6] = 255
    return x


def brought(*, normals_in_test: bool = True) -> Images:
    files = {f"normal/{n}.png": picture(n) for n in range(60)}
    files |= {f"test/spot/{n}.png": picture(100 + n, spot=True) for n in range(8)}
    files |= {f"masks/spot/{n}_mask.png": mask() for n in range(8)}
    if normals_in_test:
        files |= {f"test/normal/{n}.png": picture(200 + n) for n in range(12)}
    seen = read_zip(packed(files), SHAPE)
    assert seen.levels[0].key == KINDS
    return seen.chosen()


def test_what_is_asked_about_is_held_out_with_its_masks() -> None:
    found = brought()
    assert found.class_names == (NORMAL, "spot")
    assert found.y is not None
    assert found.heldout is not None
    assert found.masks is not None
    assert len(found.x) == 80, "masks are no pictures"
    assert np.bincount(found.y[found.heldout]).tolist() == [12, 8]
    damaged = found.masks.any(axis=(1, 2))
    assert (damaged == (found.y == 1)).all()
    assert (found.masks[damaged] == (mask() > 0)).all()
    assert (found.x[damaged][:, 0, 2:6, 2:6] > 240).all(), "each mask is that of its picture"
    assert "60 normal pictures to learn from, 20 to be asked about, 8 of these with a mask." in found.notes


def test_without_normal_test_pictures_some_are_held_out() -> None:
    found = brought(normals_in_test=False)
    assert found.heldout is not None
    assert found.y is not None
    assert np.bincount(found.y[found.heldout]).tolist() == [12, 8]
    assert any("12 of the others are held out" in note for note in found.notes)
    files = {f"normal/{n}.png": picture(n) for n in range(20)} | {"test/odd/x.png": picture(3)}
    seen = read_zip(packed(files), SHAPE).chosen()
    assert any("1 of the pictures to be asked about are among those to learn from" in note for note in seen.notes)


@pytest.fixture
def own(tmp_path: Path) -> str:
    use_store(tmp_path)
    return shelf.keep("spots", brought(), "zip").name


def test_a_kept_set_learns_from_its_normal_pictures_alone(own: str) -> None:
    source = DATASETS[own].load()
    assert isinstance(source, ImageSource)
    assert source.y is not None
    assert source.masks is not None
    assert not source.y[source.train_index].any()
    assert source.judged is None, "no classifier learns a class that is never shown"
    case = case_of(AnomalySettings(data=own), NORMAL, source, 0)
    assert case.mask is not None
    assert (case.anomalous == case.mask.any(axis=(1, 2))).all()


def test_a_study_of_a_kept_set_finds_the_spots_and_where_they_are(own: str, tmp_path: Path) -> None:
    asked = AnomalySettings(
        data=own,
        question="one_class",
        classes=(NORMAL,),
        families=("outliers", "autoencoder"),
        seeds=(0,),
        rounds=3,
        width=8,
    )
    store = RunStore(tmp_path)
    store.studies.create("study", name="study", settings=asked.to_dict(), cells=2)
    try:
        bench = Bench(store, "study", asked)
        rows = [Row(cell, anomaly.compute(asked, cell, bench)) for cell in anomaly.cells(asked)]
    finally:
        store.close()
    assert "autoencoder.auroc" in rows[1].values
    assert rows[0].values["nearest.auroc"] == 1.0
    assert rows[0].values["nearest.pixel_ap"] > 0.99 > rows[0].values["nearest.pixel_floor"]
    assert any(table.title.startswith("Pixels that were damaged") for table in findings(asked, rows).tables)


def test_pictures_without_kinds_have_a_board_and_no_area(tmp_path: Path) -> None:
    use_store(tmp_path)
    files = {f"normal/{n}.png": picture(n) for n in range(60)}
    files |= {f"test/{n}.png": picture(100 + n, spot=n < 5) for n in range(10)}
    name = shelf.keep("untold", read_zip(packed(files), SHAPE).chosen(), "zip").name
    asked = AnomalySettings(data=name, question="kinds", families=("outliers",), seeds=(0,))
    store = RunStore(tmp_path)
    store.studies.create("study", name="study", settings=asked.to_dict(), cells=1)
    try:
        values = anomaly.compute(asked, anomaly.cells(asked)[0], Bench(store, "study", asked))
    finally:
        store.close()
    assert not any(key.endswith((".auroc", ".ap", ".found")) for key in values)
    assert "nearest.board" in values
    assert float(values["nearest.called"]) >= 0.22  # the five spots of 22: ten, and the twelve that are held out
    found = findings(asked, [Row(Cell("outliers-0-0", "outliers normal", 0, 0), values)])
    assert found.headline is not None
    assert "Nobody says" in found.headline.text
    assert not found.tables
    assert any("Nearest neighbour calls" in sentence.text for sentence in found.sentences)
