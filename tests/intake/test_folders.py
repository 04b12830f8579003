"""What one folder means, case by case: a class, a split, a series, the mask of another, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from gan_core.intake.layout import MAX_CLASSES, Layout, is_litter, layout_of, litter_name
from gan_core.intake.names import in_order, parts_of


def layout(names: Iterable[str], **more: int) -> Layout:
    return layout_of([parts_of(name) for name in names], **more)


def numbered(folder: str, numbers: Iterable[int]) -> list[str]:
    return [f"{folder}/{number}.png" for number in numbers]


def classes(names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The key of the level that is taken, and its classes."""
    first = layout(names).levels[0]
    return first.key, first.class_names


@pytest.mark.parametrize(
    ("parts", "by"),
    [
        (("a", "@eaDir", "x.jpg"), "@eaDir"),
        ((".git", "x.png"), ".git"),
        (("a", "Thumbs.db"), "Thumbs.db"),
        (("a", "x.png.crdownload"), "x.png.crdownload"),
    ],
)
def test_litter_is_known_by_the_part_that_is_litter(parts: Sequence[str], by: str) -> None:
    assert is_litter(parts)
    assert litter_name(parts) == by


@pytest.mark.parametrize("parts", [(), ("a", "b.png"), (".5", "x.png"), ("thumbs.db", "x.png"), ("@", "x.png")])
def test_what_people_name_is_no_litter(parts: Sequence[str]) -> None:
    assert not is_litter(parts)


def test_more_folders_than_classes_may_be_are_none() -> None:
    names = [f"kind {number}/x.png" for number in range(MAX_CLASSES)]
    assert len(classes(names)[1]) == MAX_CLASSES
    assert [level.key for level in layout([*names, "one more/x.png"]).levels] == ["none"]


def test_ways_to_tell_that_differ_in_names_or_in_pictures_both_stay() -> None:
    turned = layout([*numbered("a/b", range(9)), *numbered("b/a", range(9))])
    assert [(level.key, level.class_names) for level in turned.levels[:2]] == [
        ("folder:1", ("a", "b")),
        ("folder:2", ("a", "b")),
    ]
    files = [parts_of(name) for name in (*numbered("a", range(9)), *numbered("b", range(9)))]
    told = layout_of(files, {parts: parts[0].upper() for parts in files})
    assert [level.class_names for level in told.levels] == [("A", "B"), ("a", "b"), ()]


def test_labels_of_nothing_tell_nothing() -> None:
    files = [parts_of(name) for name in (*numbered("a", range(9)), *numbered("b", range(9)))]
    assert layout_of(files, {(): "x"}).levels[0].key == "folder:1"
    half = {parts: str(number % 2) for number, parts in enumerate(files[:9])}
    assert layout_of(files, half).levels[0].key == "labels"
    half.popitem()
    assert layout_of(files, half).levels[0].key == "folder:1", "labels of fewer than half"


# --- dates ---


@pytest.mark.parametrize(
    "folders",
    [
        ("2020-01", "2020-02"),
        ("2020-01-05 Rome", "2020-02-11"),
        ("2019/01", "2019/02", "2020/01"),
        ("2019/2019-01", "2020/2020-05"),
        ("album/2019/1", "album/2020/12 Rome"),
        ("2019/01/05", "2019/01/31", "2020/12/05"),
    ],
)
def test_dates_of_photographs_are_no_classes(folders: tuple[str, ...]) -> None:
    assert classes(f"{folder}/{number}.png" for folder in folders for number in range(9))[0] == "none"


@pytest.mark.parametrize(
    "folders", [("1950", "2020"), ("1950/car", "2020/car"), ("1950/car", "2020/01"), ("2020-01", "cat")]
)
def test_years_that_hold_no_months_are_classes(folders: tuple[str, ...]) -> None:
    key, names = classes(f"{folder}/{number}.png" for folder in folders for number in range(9))
    assert (key, names) == ("folder:1", tuple(in_order({folder.partition("/")[0] for folder in folders})))


@pytest.mark.parametrize(
    ("folders", "key", "names"),
    [
        (("2019/01/cat", "2019/02/dog"), "folder:3", ("cat", "dog")),
        (("set/01", "set/02"), "folder:2", ("01", "02")),
        (("2019/01", "2020/02", "set/01"), "folder:1", ("2019", "2020", "set")),
        (("2020-01 trial/1", "2020-02 trial/2"), "folder:2", ("1", "2")),
        (("2020-01/2020/40", "2020-02/2020/2"), "folder:3", ("2", "40")),
    ],
)
def test_classes_below_dates_and_numbers_outside_of_them_stay(
    folders: tuple[str, ...], key: str, names: tuple[str, ...]
) -> None:
    assert classes(f"{folder}/{number}.png" for folder in folders for number in range(9)) == (key, names)


# --- splits, sides, folders around ---


@pytest.mark.parametrize(
    ("folders", "key", "names"),
    [
        (("train/a", "train/b"), "folder:1", ("a", "b")),  # one split alone
        (("train/a", "train/b", "test/a", "test/b", "other/c"), "folder:1", ("a", "b")),
        (("train/a", "test/b", "other/c"), "folder:1", ("other", "test", "train")),
        (("trainA", "trainB", "testA", "testB"), "folder:1", ("A", "B")),
        (("trainA", "trainB", "other"), "folder:1", ("other", "trainA", "trainB")),
        (("trainA", "testA"), "folder:1", ("testA", "trainA")),
        (("images/a", "images/b"), "folder:1", ("a", "b")),
        (("my set/a", "my set/b"), "folder:2", ("a", "b")),
        (("photos", "pictures"), "folder:1", ("photos", "pictures")),
    ],
)
def test_the_class_is_what_splits_and_folders_around_leave(
    folders: tuple[str, ...], key: str, names: tuple[str, ...]
) -> None:
    files = [f"{folder}/{number}.png" for folder in folders for number in range(1 if "other" in folder else 12)]
    assert classes(files) == (key, names)


# --- series ---

SERIES = {
    "in any order": [name for k in range(12) for name in numbered(f"{k * 100:05}", range(k * 100, k * 100 + 9))],
    "not from zero": [*numbered("01000", range(1000, 1009)), *numbered("02000", range(2000, 2009))],
    "hashes in two levels": [f"set/{k % 4 // 2}/{k % 2}/{k % 4 // 2}{k % 2}{k:030x}.png" for k in range(32)],
    "of files without a suffix": [f"{k // 8:03}/{k:05}" for k in range(32)],
}


@pytest.mark.parametrize("name", SERIES)
def test_more_folders_that_only_count_are_no_classes(name: str) -> None:
    found = layout(SERIES[name])
    assert found.levels[0].key == "none"
    assert "are no classes" in found.notes[0]


NO_SERIES = {
    "ranges that share a number": [*numbered("10-20", range(10, 21)), *numbered("20-30", range(20, 31))],
    "files out of their range": [*numbered("0-9", range(13)), *numbered("20-29", range(20, 26))],
    "files before their first number": [*numbered("010", range(5, 10)), *numbered("020", range(15, 20))],
    "files behind the next number": [*numbered("000", range(0, 151, 10)), *numbered("100", range(160, 169))],
    "files up to the next number": [*numbered("000", range(0, 101, 10)), *numbered("100", range(101, 110))],
    "a file without a number": [*(f"{k // 8:03}/{k:05}.png" for k in range(24)), "000/cover.png"],
    "words of hexadecimal digits": [f"{word}/{word}{k:016}.png" for word in ("cafe", "face") for k in range(9)],
    "letters before running numbers": [f"{word}/{word}{k}.png" for word in "ab" for k in range(9)],
    "hashes of other folders": [f"{word}/{k:032x}.png" for word in "ab" for k in range(9)],
}


@pytest.mark.parametrize("name", NO_SERIES)
def test_folders_whose_files_tell_otherwise_are_classes(name: str) -> None:
    found = layout(NO_SERIES[name])
    assert found.levels[0].key == "folder:1"
    assert found.notes == ()


@pytest.mark.parametrize(("around", "key"), [("00000", "folder:1"), ("100", "folder:2")])
def test_one_folder_around_counts_only_from_zero(around: str, key: str) -> None:
    found = layout(f"{around}/{word}/{200 + k}.png" for word in ("cat", "dog") for k in range(9))
    assert (found.levels[0].key, len(found.notes)) == (key, int(around == "00000"))


# --- masks ---

MASKS = {
    "of other suffixes": (
        [*numbered("images", range(9)), *(f"masks/{k}.gif" for k in range(9))],
        "9 pictures in “masks” are masks of the ones beside them, and left out.",
    ),
    "without suffixes": (
        [f"{folder}/x{k}" for folder in ("images", "masks") for k in range(9)],
        "9 pictures in “masks” are masks of the ones beside them, and left out.",
    ),
    "beside a split": (
        [*numbered("train", range(9)), *numbered("masks", range(9))],
        "9 pictures in “masks” are masks of the ones beside them, and left out.",
    ),
    "half of known names": (
        [*numbered("images", range(9)), *numbered("masks", range(4)), *numbered("masks", range(90, 94))],
        "8 pictures in “masks” are masks of the ones beside them, and left out.",
    ),
    "in no folder": (
        [f"{k}{end}.png" for k in range(9) for end in ("", "_mask")],
        "9 pictures are masks of the ones beside them, and left out.",
    ),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_are_known_by_the_pictures_they_belong_to(name: str) -> None:
    files, said = MASKS[name]
    found = layout(files)
    assert found.notes == (said,)
    assert found.levels[0].key == "none"
    assert found.levels[0].total == sum("mask" not in file for file in files)


NO_MASKS = {
    "a class beside another": [*numbered("faces", range(9)), *numbered("masks", range(9))],
    "pictures right above": [*numbered("set", range(9)), *numbered("set/masks", range(9))],
    "pictures of another set": [
        *numbered("a/masks", range(9)),
        *numbered("a/faces", range(50, 59)),
        *numbered("b/images", range(9)),
    ],
    "a class of the same names in both splits": [
        *(name for split in ("train", "test") for name in numbered(f"{split}/masks", range(9))),
        *numbered("train/faces", range(50, 59)),
        *numbered("test/faces", range(60, 69)),
    ],
    "fewer than half of known names": [*numbered("images", range(4)), *numbered("masks", range(9))],
}


@pytest.mark.parametrize("name", NO_MASKS)
def test_what_is_called_masks_may_be_pictures_all_the_same(name: str) -> None:
    found = layout(NO_MASKS[name])
    assert not any("are masks" in note for note in found.notes)
    assert next(level for level in found.levels if level.key == "none").total == len(NO_MASKS[name])


@pytest.mark.parametrize(("least", "said", "total"), [(9, "and left out.", 9), (10, "so they stay.", 18)])
def test_masks_stay_where_without_them_too_few_would_be_left(least: int, said: str, total: int) -> None:
    found = layout([*numbered("images", range(9)), *numbered("masks", range(9))], least=least)
    assert found.notes[0].endswith(said)
    assert next(level for level in found.levels if level.key == "none").total == total
