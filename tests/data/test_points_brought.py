"""Points that people bring or paint, and the shelf that keeps what was brought."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_core.data import DATASETS, DataError, DataMissing, ImageSource, MixtureSource, places, shelf
from gan_core.data.toy import smoothed
from gan_core.intake.pictures import Images, Problem
from gan_core.intake.points import MAX_POINTS, PAINTED_EXTENT, from_csv, from_painting


def table(n: int = 60, separator: str = ",") -> str:
    return "\n".join(f"{i / 7:.4f}{separator}{-i}" for i in range(n))


EXPECTED = np.array([[round(i / 7, 4), -i] for i in range(60)])


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", ", "  "])
@pytest.mark.parametrize("head", ["", "x{0}y\n", "\ufefflength{0}width\n", "\n\n"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_tables_as_people_write_them(separator: str, head: str, ending: str) -> None:
    found = from_csv((head.format(separator) + table(separator=separator)).replace("\n", ending).encode())
    np.testing.assert_allclose(found.points, EXPECTED)
    assert found.problems == ()


def test_decimal_commas_between_semicolons() -> None:
    np.testing.assert_allclose(from_csv(table(separator=";").replace(".", ",").encode()).points, EXPECTED)


def test_each_bad_row_is_listed_with_its_line() -> None:
    rows = [*table().split("\n"), "1,nan", "inf,2", "1", "1,2,3", "a,2", "1,", "1e300,2", '"1,2']
    found = from_csv("\n".join(rows).encode())
    assert len(found.points) == 60
    assert [(p.file, p.reason) for p in found.problems] == [
        ("line 61", "nan is not a finite number"),
        ("line 62", "inf is not a finite number"),
        ("line 63", "a value is missing"),
        ("line 64", "3 value(s), not 2"),
        ("line 65", "'a' is not a number"),
        ("line 66", "a value is missing"),
        ("line 67", "1e300 is too large"),
        ("line 68", "'1,2' is not a number"),
    ]
    assert found.summary == "60 of 68 usable"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"x,y\n", "no column of numbers.*line 1: 'x' is not a number"),
        (table(49).encode(), "49 of 49 rows .* needs 50"),
        (b"\xff\xfe1,2\n" * 60 + b"\n", "UTF-16 and is damaged"),
        (b"\0\0" * 60, "not a text"),
        (b"1,2\n" * 60, "one place"),
        (b"1,2\n" * (MAX_POINTS - 5) + table(60).encode(), f"more than {MAX_POINTS:,}"),
        (b"1" * 9_000_000, "MB"),
    ],
)
def test_a_table_that_is_none_is_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        from_csv(content)


def test_painted_points_follow_the_paint() -> None:
    cells = np.zeros((10, 20))
    cells[0, 0], cells[9, 19] = 3, 1  # above left three times as dense as below right
    points = from_painting(cells).points
    assert np.array_equal(points, from_painting(cells * 7).points), "always the same, whatever the unit"
    upper = points[:, 1] > 0
    assert upper.mean() == pytest.approx(0.75, abs=0.04)
    assert points[upper, 0].max() <= -PAINTED_EXTENT * 0.9
    assert points[upper, 1].min() >= PAINTED_EXTENT * 0.8
    assert points[~upper, 0].min() >= PAINTED_EXTENT * 0.9


@pytest.mark.parametrize(
    "cells", [np.zeros((8, 8)), np.full((8, 8), np.nan), -np.ones((8, 8)), np.ones(8), np.ones((9, 999))]
)
def test_a_painting_that_is_none_is_a_sentence(cells: np.ndarray) -> None:
    with pytest.raises(DataError):
        from_painting(cells)


def test_given_points_are_standardised_and_keep_their_units() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal([500, -3], [40, 4], (400, 2))
    source = smoothed("mine", points)
    x = source.sample(5000, torch.Generator().manual_seed(0)).numpy()
    assert np.abs(x.mean(0)).max() < 0.05
    np.testing.assert_allclose(x.std(0), 0.5, rtol=0.1)
    np.testing.assert_allclose(source.to_data(x).mean(0), points.mean(0), rtol=0.05, atol=2)
    np.testing.assert_allclose(source.to_network(source.to_data(x)), x, atol=1e-6)


# --- the shelf ---


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    monkeypatch.setattr(places, "_store", tmp_path)
    return tmp_path


def pictures(seed: int = 0, labelled: bool = True) -> Images:
    x = np.random.default_rng(seed).integers(0, 256, (30, 3, 16, 16), np.uint8)
    y = np.arange(30) % 3 if labelled else None
    return Images(x, y, ("a", "b", "c") if labelled else (), (Problem("bad.png", "damaged: truncated"),))


@pytest.mark.parametrize("labelled", [True, False])
def test_what_was_kept_comes_back(labelled: bool) -> None:
    given = pictures(labelled=labelled)
    card = shelf.keep("My <b>cats</b> & dogs", given, "a zip file")
    assert card.title == "My b cats b dogs"
    assert card.name.startswith("own:my-b-cats-b-dogs-")
    assert card.summary == "30 of 31 usable"
    assert shelf.shelf() == [card]
    assert card.name in DATASETS
    assert card.name not in list(DATASETS)
    dataset = DATASETS[card.name]
    assert dataset.options == {}
    assert dataset.missing() is None
    source = dataset.load()
    assert isinstance(source, ImageSource)
    assert np.array_equal(source.x.numpy(), given.x)
    assert source.name == card.name
    assert source.class_names == given.class_names
    assert (source.judged is source) == labelled
    assert len(source.heldout_index) == 6
    assert not set(source.heldout_index.tolist()) & set(source.train_index.tolist())


def test_points_come_back_as_a_smooth_density() -> None:
    points = from_csv(table().encode())
    source = DATASETS[shelf.keep("table", points, "a table").name].load()
    assert isinstance(source, MixtureSource)
    np.testing.assert_array_equal(source.centers, points.points)
    assert source.num_modes == 0


def test_the_name_is_bound_to_the_content() -> None:
    first, again, other = (shelf.keep("cats", pictures(seed), "a zip file") for seed in (0, 0, 1))
    assert first.name == again.name != other.name
    assert len(shelf.shelf()) == 2


def test_deleting_is_for_good_and_the_same_upload_brings_it_back(store: Path) -> None:
    card = shelf.keep("cats", pictures(), "a zip file")
    DATASETS[card.name].load()
    shelf.delete(card.name)
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert card.name in DATASETS
    assert "not on this machine" in DATASETS[card.name].missing()
    with pytest.raises(DataMissing, match=card.name):
        DATASETS[card.name].load()
    with pytest.raises(DataMissing):
        shelf.delete(card.name)
    shelf.keep("cats", pictures(), "a zip file")
    assert len(DATASETS[card.name].load().x) == 30


@pytest.mark.parametrize(
    "name",
    [
        "own:",
        "own:../../etc",
        "own:x",
        "own:cats-ABCDEF0123456789",
        "own:a/b-0123456789abcdef",
        "own:\0",
        "own:" + "x" * 999,
    ],
)
def test_a_name_that_no_set_can_have_is_not_one(name: str) -> None:
    assert name not in DATASETS
    with pytest.raises(KeyError):
        DATASETS[name]


def test_damage_is_a_sentence_and_spares_the_others(store: Path) -> None:
    good, bad, worse = (
        shelf.keep(title, pictures(i), "a zip file") for i, title in enumerate(("good", "bad", "worse"))
    )
    file = next((store / "datasets").glob(f"{bad.fingerprint[:16]}/*.safetensors"))
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="damaged; delete it"):
        DATASETS[bad.name].load()
    card = store / "datasets" / worse.fingerprint[:16] / "card.json"
    card.write_text(json.dumps({"name": 3}))
    (store / "datasets" / "stray").mkdir()
    assert {own.name for own in shelf.shelf()} == {good.name, bad.name}
    assert len(DATASETS[good.name].load().x) == 30
    shelf.delete(bad.name)


def test_millions_of_short_lines_are_refused_before_they_take_memory() -> None:
    tracemalloc.start()
    with pytest.raises(DataError, match="more than 100,000 lines"):
        from_csv(b"x\n" * 4_000_000)
    assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    tracemalloc.stop()
