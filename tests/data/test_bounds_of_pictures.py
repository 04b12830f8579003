"""Where the bounds of a set of pictures lie, and what is said of files and labels that cannot be read."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.hostile import picture, zipped
from gan_core.data import DataError
from gan_core.intake import archive, pictures
from gan_core.intake.decode import Shape
from gan_core.intake.matching import PAIRS
from gan_core.intake.pictures import MIN_IMAGES, folder_below, folders_with_images, from_folder, from_zip, read_zip

GREY = Shape(16, 1)


def good(n: int = MIN_IMAGES, folder: str = "") -> dict[str, bytes]:
    return {f"{folder}{i:03}.png": picture(i, (16, 16), "L") for i in range(n)}


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("bound", "most", "said"),
    [
        ("MAX_IMAGES", MIN_IMAGES, "17 pictures are more than the 16 that one data set may have"),
        ("MAX_TENSOR", MIN_IMAGES * 3 * 16**2, "17 pictures of 16×16 do not fit into 0 GB; choose a smaller size"),
    ],
)
def test_as_many_pictures_as_the_bound_are_taken(
    bound: str, most: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, bound, most)
    assert len(from_zip(zipped(good()), Shape(16, 3)).x) == MIN_IMAGES
    with pytest.raises(DataError, match=said):
        from_zip(zipped(good(MIN_IMAGES + 1)), Shape(16, 3))


def test_a_level_with_too_few_pictures_is_refused_and_just_enough_taken() -> None:
    files = good(MIN_IMAGES - 1, "a/x/") | {"a/y/z.png": picture(900), "b/1.png": picture(901), "b/2.png": picture(902)}
    brought = read_zip(zipped(files), GREY)
    assert len(brought.chosen("folder:2").x) == MIN_IMAGES
    del files["a/x/000.png"]
    brought = read_zip(zipped(files), GREY)
    with pytest.raises(DataError, match="15 pictures have a class there, and a data set needs 16 at least"):
        brought.chosen("folder:2")


@pytest.mark.parametrize(("pairs", "offered"), [(MIN_IMAGES, True), (MIN_IMAGES - 1, False)])
def test_pairs_are_offered_from_the_least_of_a_set_on(pairs: int, offered: bool) -> None:
    files = {f"{side}/{i}.png": picture(100 * k + i) for k, side in enumerate("ab") for i in range(pairs)}
    assert (PAIRS in {level.key for level in read_zip(zipped(files), GREY).levels}) is offered


@pytest.mark.parametrize(("high", "said"), [(163, True), (164, False)])
def test_little_to_see_begins_below_a_quarter_of_the_tones(high: int, said: bool) -> None:
    rows = np.linspace(100, high, 16).round().astype(np.uint8)[:, None].repeat(16, 1)
    files = {f"{i}.png": png(np.roll(rows, i, axis=0)) for i in range(MIN_IMAGES)}
    notes = from_zip(zipped(files), GREY).notes
    assert any(f"lie between 100 and {high} of 255" in note for note in notes) is said


@pytest.mark.parametrize(("flat", "said"), [(8, False), (9, True)])
def test_more_than_half_of_one_tone_are_said(flat: int, said: bool) -> None:
    files = good(MIN_IMAGES - flat) | {f"flat {i}.png": png(np.full((16, 16), 20 * i, np.uint8)) for i in range(flat)}
    notes = from_zip(zipped(files), GREY).notes
    assert any("nearly all of one tone" in note for note in notes) is said


def test_one_deep_picture_keeps_the_scale_of_the_others() -> None:
    """Of pictures with more than 8 bits one needs all of 16, so none is made lighter; those with 8 bits never are."""
    values = np.random.default_rng(0).integers(0, 1000, (MIN_IMAGES, 16, 16)).astype(np.uint16)
    twelve = {f"{i}.png": png(value) for i, value in enumerate(values)}
    found = from_zip(zipped(twelve | good(4)), GREY)
    assert found.notes == (
        "16 of the pictures have more than 8 bits: the largest value of the set, 999, became white.",
    )
    deep = png(np.full((16, 16), 40_000, np.uint16) - values[0])
    assert from_zip(zipped({**twelve, "deep.png": deep}), GREY).x.max(axis=(1, 2, 3)).min() <= 4


def test_opaque_pictures_are_read_once_where_some_are_transparent() -> None:
    said: list[str] = []
    clear = np.full((16, 16, 4), 255, np.uint8)
    files = {}
    for i in range(MIN_IMAGES):
        clear[..., 3] = 0
        clear[2 : 6 + i // 2, 2:14, 3] = 255
        files[f"clear {i}.png"] = png(clear)
    files |= {f"{i}.png": png(np.full((16, 16), 15 * i, np.uint8)) for i in range(3)}
    found = read_zip(zipped(files), GREY, progress=lambda _, what: said.append(what))
    assert (found.background, found.transparent) == ("black", MIN_IMAGES)
    assert said[-1] == "reading again picture 16 of 16"


def test_half_of_the_transparent_ones_may_be_flat_on_white() -> None:
    files = {}
    for i in range(MIN_IMAGES):
        pixels = np.zeros((16, 16, 4), np.uint8)
        pixels[2 : 6 + i // 2, 2:14] = (*[255 * (i % 2)] * 3, 255)
        files[f"{i}.png"] = png(pixels)
    found = read_zip(zipped(files), GREY)
    assert (found.background, found.notes) == ("white", ())


def test_looking_at_many_names_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SAID_EVERY", 10)
    said: list[str] = []
    read_zip(zipped(good(25)), GREY, progress=lambda _, what: said.append(what))
    assert said[:3] == ["looking at name 10 of 25", "looking at name 20 of 25", "reading picture 1 of 25"]


def test_a_file_of_no_name_that_cannot_be_read_is_passed_over() -> None:
    file = zipped(good())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_BZIP2) as zip_file:
        zip_file.writestr("thing.dat", b"x" * 99)
        zip_file.writestr("dataset.json", b"{}")
    found = from_zip(file, GREY)
    assert len(found.x) == MIN_IMAGES
    assert found.notes == (
        "Passed over: 1 file that is no picture (.dat).",
        "dataset.json holds no labels of a kind that is known, and is passed over.",
    )


# --- labels of a dataset.json ---


def labelled(value: object, name: str = "dataset.json") -> dict[str, bytes]:
    """Half of the pictures of class 7, the others of this one."""
    told = [[file, 7 if i % 2 else value] for i, file in enumerate(good())]
    return good() | {name: json.dumps({"labels": told}).encode()}


@pytest.mark.parametrize(
    ("value", "name"),
    [(3, "3"), (3.0, "3"), ("cat", "cat"), ([0, 0, 1], "2"), ([1], "0"), ([0.0, 1.0, 0.0], "1")],
)
def test_a_label_is_a_number_a_text_or_a_one_among_zeros(value: object, name: str) -> None:
    found = from_zip(zipped(labelled(value)), GREY)
    assert set(found.class_names) == {name, "7"}


@pytest.mark.parametrize("value", [2.5, True, None, {}, [0, 0], [1, 1], [1, 2], [], ["a"], float("inf")])
def test_other_labels_are_said_and_passed_over(value: object) -> None:
    found = from_zip(zipped(labelled(value)), GREY)
    assert found.y is None
    assert found.notes == ("dataset.json holds no labels of a kind that is known, and is passed over.",)


@pytest.mark.parametrize("name", ["__MACOSX/dataset.json", ".git/dataset.json", "labels.json", "._dataset.json"])
def test_labels_in_litter_or_of_another_name_are_not_read(name: str) -> None:
    assert from_zip(zipped(labelled(3, name)), GREY).y is None
    found = from_zip(zipped({name: b"x"} | labelled(3)), GREY)
    assert found.class_names == ("3", "7")
    assert [note for note in found.notes if "no labels" in note] == []


@pytest.mark.parametrize("empty", [b'{"labels": null}', b'{"labels": []}', b'{"labels": [["..", 1], ["", 2]]}'])
def test_empty_labels_leave_the_next_file_its_turn(empty: bytes) -> None:
    files = {"a/dataset.json": empty} | labelled(3)
    found = from_zip(zipped(files), GREY)
    assert (found.y is None) is (b".." in empty)
    assert found.notes == ()


# --- folders ---


@pytest.mark.parametrize(("length", "there"), [(1000, True), (1001, False)])
def test_a_folder_may_be_written_in_a_thousand_signs(tmp_path: Path, length: int, there: bool) -> None:
    (tmp_path / "set").mkdir()
    folder = "./" * 499 + "set" if length == 1001 else "./" * 498 + "set/"
    folder = folder.ljust(length, "/")
    assert len(folder) == length
    if there:
        assert folder_below(tmp_path, folder) == (tmp_path / "set").resolve()
    else:
        with pytest.raises(DataError, match="no folder"):
            folder_below(tmp_path, folder)


@pytest.mark.parametrize("folder", ["a\0b", "\ud800"])
def test_signs_that_no_path_can_have_are_no_folder(tmp_path: Path, folder: str) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        folder_below(tmp_path, folder)


def test_a_link_to_itself_is_listed_as_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name, content in good().items():
        (tmp_path / "set" / name).write_bytes(content)
    (tmp_path / "set" / "ring.png").symlink_to(tmp_path / "set" / "ring.png")
    problems = from_folder(tmp_path, "set", GREY).problems
    assert [problem.file for problem in problems] == ["ring.png"]
    assert problems[0].reason.startswith("cannot be read: ")


def test_a_folder_may_have_as_many_files_as_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", MIN_IMAGES)
    (tmp_path / "set").mkdir()
    for name, content in good().items():
        (tmp_path / "set" / name).write_bytes(content)
    assert len(from_folder(tmp_path, "set", GREY).x) == MIN_IMAGES
    (tmp_path / "set" / "more.txt").touch()
    with pytest.raises(DataError, match="The folder has more than 16 files; split it"):
        from_folder(tmp_path, "set", GREY)


def test_an_empty_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="There is nothing in this folder: it holds no files"):
        from_folder(tmp_path, "set", GREY)


def test_the_list_of_folders_goes_three_deep_and_leaves_out_litter(tmp_path: Path) -> None:
    for name in ("a/b/c/d/x.png", "e/f/g/x.png", ".git/x.png", "@eaDir/x.png", "x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert folders_with_images(tmp_path) == ["e/f", "e/f/g"]


def test_the_list_of_folders_ends_with_the_first_that_fill_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    walk = pictures.os.walk

    def counted(root: Path):  # type: ignore[no-untyped-def]
        for found in walk(root):
            looked.append(found[0])
            yield found

    monkeypatch.setattr(pictures.os, "walk", counted)
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "x.png").touch()
    assert folders_with_images(tmp_path, limit=4) == ["0", "1", "2", "3"]
    assert len(looked) == 5, "the root and four more"
