"""What is a class: the same pictures have the same classes, however a person or a program has laid them out."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import zipfile
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile import picture, zipped
from gan_core.intake.decode import Shape
from gan_core.intake.errors import DataError
from gan_core.intake.layout import is_litter, layout_of
from gan_core.intake.names import class_name, in_order, names_in_zip, parts_of
from gan_core.intake.pictures import Images, from_folder, from_zip, read_zip

SHAPE = Shape(16, 3)
Files = dict[str, bytes]
Place = Callable[[str, int, int], str]  # of a picture by its class, its number in the class, its number in the set

PICTURES = [picture(seed, (16, 16)) for seed in range(60)]
OTHERS = [picture(1000 + seed, (16, 16)) for seed in range(60)]


def laid_out(classes: Sequence[str], each: int, place: Place) -> Files:
    every = [(name, number) for name in classes for number in range(each)]
    return {place(name, number, index): PICTURES[index] for index, (name, number) in enumerate(every)}


def beside(files: Files, rename: Callable[[str], str], content: Callable[[int], bytes]) -> Files:
    """The files, and one more for each."""
    return files | {rename(name): content(index) for index, name in enumerate(files)}


LAYOUTS: dict[str, Callable[[Sequence[str], int], Files]] = {
    "flat classes": lambda c, n: laid_out(c, n, lambda name, i, _: f"{name}/{i}.png"),
    "a folder around": lambda c, n: laid_out(c, n, lambda name, i, _: f"my set/{name}/{i}.png"),
    "two folders around": lambda c, n: laid_out(c, n, lambda name, i, _: f"archive/my set/{name}/{i}.png"),
    "the folder around twice": lambda c, n: laid_out(c, n, lambda name, i, _: f"my set/my set/{name}/{i}.png"),
    "train and test": lambda c, n: laid_out(c, n, lambda name, i, _: f"{('train', 'test')[i % 2]}/{name}/{i}.png"),
    "train, class, images": lambda c, n: laid_out(c, n, lambda name, i, _: f"x/train/{name}/images/{i}.png"),
    "images around the classes": lambda c, n: laid_out(c, n, lambda name, i, _: f"x/images/{name}/{i}.png"),
    "pictures of a Mac": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"{name}/{i}.png"),
        lambda name: f"__MACOSX/{name.replace('/', '/._')}",
        lambda _: b"\0\5\x16\7" * 9,
    ),
    "pictures of a NAS": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"{name}/{i}.png"),
        lambda name: f"{name.rpartition('/')[0]}/@eaDir/{name.rpartition('/')[2]}/SYNOPHOTO_THUMB_M.jpg",
        lambda index: OTHERS[index],
    ),
    "a notebook's checkpoints": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"{name}/{i}.png"),
        lambda name: name.replace("/", "/.ipynb_checkpoints/"),
        lambda index: OTHERS[index],
    ),
    "backslashes": lambda c, n: laid_out(c, n, lambda name, i, _: f"x\\{name}\\{i}.png"),
    "decomposed names": lambda c, n: laid_out(
        c, n, lambda name, i, _: unicodedata.normalize("NFD", f"x/{name}/{i}.png")
    ),
    "images beside masks": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"images/{name}/{i}.png"),
        lambda name: name.replace("images", "masks"),
        lambda index: OTHERS[index],
    ),
    "masks in every class": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"{name}/images/{i}.png"),
        lambda name: name.replace("/images/", "/masks/"),
        lambda index: OTHERS[index],
    ),
    "masks among the pictures": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"{name}/{i}.png"),
        lambda name: name.replace(".png", "_mask.png"),
        lambda index: OTHERS[index],
    ),
    "running numbers in every class": lambda c, n: laid_out(
        c, n, lambda name, i, _: f"{name}/{i // 2:05}/img{i:08}.png"
    ),
    "a text beside each picture": lambda c, n: beside(
        laid_out(c, n, lambda name, i, _: f"{name}/{i}.png"),
        lambda name: name.replace(".png", ".xml"),
        lambda _: b"<annotation/>",
    ),
    "a cover above": lambda c, n: laid_out(c, n, lambda name, i, _: f"x/{name}/{i}.png") | {"x/cover.png": OTHERS[0]},
}
TYPED = (
    "-1",
    "+1",
    "0",
    "0.5",
    "10",
    "9",
    "A",
    "A+",
    "A-",
    "C#",
    "C++",
    "10-20",
    "snake_case",
    "Käse",
    "猫",
    "😀",
    "(x)",
)


def _plain(name: str) -> bool:
    return name == name.strip() and not is_litter((name,)) and name not in (".", "..")


NAMES = st.one_of(
    st.sampled_from(TYPED),
    st.text("abcdefgäöéñßΩжкот猫犬0123456789+-#&!()' ", min_size=1, max_size=8)
    .filter(_plain)
    .map(lambda name: f"k{name}"),
)
CLASSES = st.lists(NAMES, min_size=2, max_size=4, unique_by=lambda name: unicodedata.normalize("NFC", name))


def told(found: Images) -> dict[bytes, str]:
    """The class of each picture, by its pixels."""
    assert found.y is not None, "no classes"
    return {x.tobytes(): found.class_names[label] for x, label in zip(found.x, found.y, strict=True)}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=12)
@given(classes=CLASSES, each=st.integers(8, 12))
def test_the_same_pictures_have_the_same_classes_in_every_layout(layout: str, classes: list[str], each: int) -> None:
    right = told(from_zip(zipped(LAYOUTS["flat classes"](classes, each)), SHAPE))
    assert set(right.values()) == set(classes)
    assert len(right) == each * len(classes)
    assert told(from_zip(zipped(LAYOUTS[layout](classes, each)), SHAPE)) == right


@settings(max_examples=12)
@given(classes=CLASSES, each=st.integers(8, 12), around=st.sampled_from(["", "set/"]))
def test_labels_of_stylegan_part_the_pictures_as_folders_do(classes: list[str], each: int, around: str) -> None:
    right = told(from_zip(zipped(LAYOUTS["flat classes"](classes, each)), SHAPE))
    files = laid_out(classes, each, lambda _name, _number, index: f"{around}{index // 10:05}/img{index:08}.png")
    labels = [[name.removeprefix(around), index // each] for index, name in enumerate(files)]
    files[f"{around}dataset.json"] = json.dumps({"labels": labels}).encode()
    found = told(from_zip(zipped(files), SHAPE))
    assert {pixels: classes[int(name)] for pixels, name in found.items()} == right


@settings(max_examples=8)
@given(classes=CLASSES)
def test_a_folder_has_the_classes_of_its_zip(classes: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    files, root = LAYOUTS["pictures of a NAS"](classes, 8), tmp_path_factory.mktemp("data")
    for name, content in files.items():
        (root / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "set" / name).write_bytes(content)
    assert told(from_folder(root, "set", SHAPE)) == told(from_zip(zipped(files), SHAPE))


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ([f"{i // 10:05}/img{i:08}.png" for i in range(30)], "of ten"),
        ([f"{i // 8:03}/{i:05}.png" for i in range(30)], "of eight"),
        ([f"{i // 10 * 1000:05}/{i // 10 * 1000 + i % 10:05}.png" for i in range(30)], "by their first number"),
        ([f"{i // 10 * 10}-{i // 10 * 10 + 9}/{i}.png" for i in range(30)], "ranges"),
        ([f"part{i // 10}/{i % 10}.png" for i in range(30)], "parts"),
        ([f"{100 + i // 10}CANON/IMG_{i}.JPG" for i in range(30)], "of a camera"),
        ([f"{i % 3:x}/{i % 3:x}{i:031x}.png" for i in range(30)], "by the first digit of a hash"),
    ],
)
def test_folders_that_only_count_are_no_classes(files: list[str], folders: str) -> None:
    layout = layout_of([parts_of(name) for name in files])
    assert layout.levels[0].key == "none", folders
    assert layout.levels[1].key == "path:1", "and can be chosen"
    assert "are no classes" in layout.notes[0]


@pytest.mark.parametrize("beside", [[], ["a.png"]])
def test_dates_are_no_classes_though_a_picture_lies_in_none(beside: list[str]) -> None:
    files = [*beside, *(f"2019-01-{i // 10 + 10}/{i}.png" for i in range(30))]
    assert layout_of([parts_of(name) for name in files]).levels[0].key == "none"


def test_folders_by_two_parts_of_a_hash_are_no_classes_wherever_they_lie() -> None:
    hashes = [hashlib.sha256(bytes([i])).hexdigest() for i in range(60)]
    layout = layout_of([parts_of(f"pictures/all/{name[:1]}/{name[1:2]}/{name}.png") for name in hashes])
    assert layout.levels[0].key == "none"
    assert "are no classes" in layout.notes[0]


@pytest.mark.parametrize(
    "names", [("0", "1", "2"), ("00000", "00001", "00002"), ("10-20", "20-30", "5-10"), ("001", "002", "010")]
)
def test_numbers_whose_files_begin_anew_are_classes(names: tuple[str, ...]) -> None:
    layout = layout_of([(name, f"{i:05}.png") for name in names for i in range(9)])
    assert layout.levels[0].class_names == tuple(in_order(names))


def test_the_outer_of_two_levels_is_the_class_and_the_inner_can_be_chosen() -> None:
    files = {f"{who}/day{1 + i % 2}/{i}.png": PICTURES[8 * k + i] for k, who in enumerate("ab") for i in range(8)}
    brought = read_zip(zipped(files), SHAPE)
    assert [level.key for level in brought.levels] == ["folder:1", "folder:2", "none"]
    assert brought.chosen().class_names == ("a", "b")
    assert brought.chosen("folder:2").class_names == ("day1", "day2")
    assert brought.chosen("none").y is None
    with pytest.raises(DataError, match="no classes called 'folder:7'; it has folder:1, folder:2, none"):
        brought.chosen("folder:7")


def test_pictures_without_a_class_are_named_and_never_lost_in_silence() -> None:
    files = LAYOUTS["flat classes"](("a", "b"), 12) | {"x.png": OTHERS[0]}
    found = from_zip(zipped(files), SHAPE)
    assert [(problem.file, problem.reason) for problem in found.problems] == [("x.png", "in no class folder")]
    assert found.notes == ("1 picture is in no class folder and left out (x.png).",)
    many = LAYOUTS["flat classes"](("a", "b"), 12) | {f"{i}.png": OTHERS[i] for i in range(9)}
    assert from_zip(zipped(many), SHAPE).y is None, "of so many that lie above, the folders are no classes"


def test_few_pictures_keep_their_masks_rather_than_be_refused() -> None:
    files = beside(
        {f"images/{i}.png": PICTURES[i] for i in range(12)}, lambda n: n.replace("images", "masks"), OTHERS.__getitem__
    )
    found = from_zip(zipped(files), SHAPE)
    assert (len(found.x), found.y) == (24, None)
    assert "so they stay" in found.notes[0]


@pytest.mark.parametrize(
    "names", [("train", "bus", "car"), ("with_mask", "without_mask"), ("image", "text"), (".5", ".25")]
)
def test_a_word_of_a_layout_may_be_the_name_of_a_class(names: tuple[str, ...]) -> None:
    layout = layout_of([(name, f"{i}.png") for name in names for i in range(9)])
    assert layout.levels[0].class_names == tuple(in_order(names))


# --- names ---

PAGES = {
    "cp437": ("Käse", "Brötchen"),
    "cp850": ("smørrebrød", "kød"),
    "cp852": ("Żółw", "łódź"),
    "cp1252": ("été", "forêt"),
    "cp866": ("кот", "пёс"),
    "cp1251": ("Кошки", "Собаки"),
    "cp737": ("γάτα", "σκύλος"),
    "cp874": ("แมว", "หมา"),
    "cp932": ("猫", "犬"),
    "gbk": ("苹果", "香蕉"),
    "cp949": ("고양이", "강아지"),
    "cp950": ("蘋果", "香蕉"),
    "utf-8": ("猫", "犬"),
}


@pytest.mark.parametrize("page", PAGES)
def test_names_without_the_flag_are_what_was_typed(page: str) -> None:
    entries = []
    for name in PAGES[page]:
        entry = zipfile.ZipInfo("x")
        entry.orig_filename = entry.filename = f"{name}/1.png".encode(page).decode("cp437")
        entries.append(entry)
    assert tuple(name.removesuffix("/1.png") for name in names_in_zip(entries)) == PAGES[page]


def test_classes_are_in_the_order_of_people() -> None:
    assert in_order(["10", "9", "-1", "+1", "0.5", "−2"]) == ["−2", "-1", "0.5", "+1", "9", "10"]
    assert in_order(["day 10", "day 2", "b", "a"]) == ["a", "b", "day 2", "day 10"]


def test_a_class_keeps_its_name_less_what_confuses_its_neighbours() -> None:
    assert class_name("Cafe\u0301 (C++) <b> #1") == "Café (C++) <b> #1"
    assert class_name("\u202egnp\x07x") == "gnpx"
    assert len(class_name("x" * 500)) == 80


# --- no zip file accuses anybody ---


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "There is nothing in this zip file: it holds no files."),
        ({"a.txt": b"x", ".DS_Store": b"x"}, "There are no pictures in this zip file; it holds 1 file of systems"),
    ],
)
def test_a_zip_without_pictures_is_refused_in_a_sentence_about_the_zip(files: Files, sentence: str) -> None:
    with pytest.raises(DataError) as refused:
        from_zip(zipped(files), SHAPE)
    assert str(refused.value).startswith(sentence)


def test_labels_that_nobody_understands_are_said_and_passed_over() -> None:
    for content in (
        b"[",
        b"{}",
        b'{"labels": 3}',
        b'{"labels": [["0.png", {}]]}',
        b"[" * 9999,
        b'{"labels": [[1, 2]]}',
    ):
        files = {f"{i}.png": PICTURES[i] for i in range(16)} | {"dataset.json": content}
        found = from_zip(zipped(files), SHAPE)
        assert found.y is None
        assert found.notes == ("dataset.json holds no labels of a kind that is known, and is passed over.",)


def test_every_way_to_tell_classes_is_of_all_pictures() -> None:
    brought = read_zip(zipped(LAYOUTS["masks in every class"](("a", "b"), 10)), SHAPE)
    assert all(len(level.y) == len(brought.x) == 40 for level in brought.levels)
    assert [(level.key, level.total) for level in brought.levels] == [
        ("folder:1", 20),
        ("path:1", 40),
        ("path:2", 40),
        ("none", 20),
        ("pairs", 40),
    ]
