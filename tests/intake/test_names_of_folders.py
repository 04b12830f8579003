"""Names as archives and disks have them: the bytes that were typed, and the order of people."""

from __future__ import annotations

import struct
import zipfile
import zlib

import pytest

from gan_core.intake.kinds import kinds_level, kinds_of
from gan_core.intake.matching import pairs_of
from gan_core.intake.names import in_order, names_in_zip, names_on_disk, number_in, parts_of, shown


def entry(name: str, *, flag: int = 0, extra: bytes = b"") -> zipfile.ZipInfo:
    """An entry whose name the standard library has read as this."""
    found = zipfile.ZipInfo("x")
    found.orig_filename = found.filename = name
    found.flag_bits, found.extra = flag, extra
    return found


def unicode_path(name: bytes, of: bytes) -> bytes:
    """The field in which Info-ZIP, 7-Zip and WinZip write a name in UTF-8."""
    return struct.pack("<HHBI", 0x7075, len(name) + 5, 1, zlib.crc32(of)) + name


TYPED = "кот.png".encode("cp866")
READ = TYPED.decode("cp437")


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (entry("plain.png"), "plain.png"),
        (entry("Käse.png", flag=0x800), "Käse.png"),
        (entry("├ñ.png", flag=0x800), "├ñ.png"),  # though the bytes of these signs would be UTF-8 for another
        (entry("├ñ.png"), "ä.png"),
        (entry("猫.png"), "猫.png"),  # no name of code page 437: a program made the entry
        (entry("Käse".encode().decode("cp437")), "Käse"),
        (entry(READ, extra=unicode_path("Кот.png".encode(), TYPED)), "Кот.png"),
        (entry(READ, extra=b"\1\0\2\0ab" + unicode_path("Кот.png".encode(), TYPED)), "Кот.png"),
        (entry(READ, extra=unicode_path("Кот.png".encode(), b"another")), "кот.png"),
        (entry(READ, extra=unicode_path(b"\xff\xfe", TYPED)), "кот.png"),  # not UTF-8
        (entry(READ, extra=unicode_path(b"", TYPED)), "кот.png"),
        (entry(READ, extra=b"\x75\x70\xff\xff\1"), "кот.png"),  # cut short
        (entry(READ, extra=b"\x75\x70"), "кот.png"),
    ],
)
def test_a_name_in_a_zip_is_what_its_entry_tells(found: zipfile.ZipInfo, name: str) -> None:
    assert names_in_zip([found]) == [name]


def test_a_name_of_ascii_ends_where_the_library_ends_it() -> None:
    found = entry("a.png\0b.exe")
    found.filename = "a.png"
    assert names_in_zip([found]) == ["a.png"]


def test_names_on_a_disk_may_be_of_a_code_page_or_of_none() -> None:
    assert names_on_disk(["a.png", "Käse"]) == ["a.png", "Käse"]
    assert names_on_disk([TYPED.decode("utf-8", "surrogateescape")]) == ["кот.png"]
    assert names_on_disk(["\udc80\ud800"]) == ["\udc80\ud800"], "no bytes of a disk are read so"
    assert names_on_disk(["a\u202eb"]) == ["a\u202eb"]


@pytest.mark.parametrize(("page", "name"), [("gbk", "train/狗"), ("cp932", "IMG_鳥.png")])
def test_words_and_letters_of_ascii_tell_no_code_page(page: str, name: str) -> None:
    assert names_in_zip([entry(name.encode(page).decode("cp437"))]) == [name]


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("cp874", "ตัวที่"),
        ("cp932", "カメラ_x"),
        ("cp1252", "ação"),
    ],  # vowels above letters, a sign beside them, marks on two of four
)
def test_a_word_tells_its_code_page_by_its_letters(page: str, name: str) -> None:
    assert names_in_zip([entry(name.encode(page).decode("cp437"))]) == [name]


@pytest.mark.parametrize(("sample", "read"), [(4, "кошка"), (5, "ςχϋςι")])
def test_a_sample_of_the_words_tells_the_code_page(sample: int, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_core.intake.names.SAMPLE", sample)
    words = ["кошка".encode("cp866"), "γάτα".encode("cp737")]
    assert names_in_zip([entry(word.decode("cp437")) for word in words])[0] == read


def test_a_name_in_utf8_beside_one_of_a_code_page_stays() -> None:
    utf8 = entry("Żółw".encode().decode("cp437"))
    assert names_in_zip([utf8, entry(READ)]) == ["Żółw", "кот.png"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a//b/./../c.png", ("a", "b", "c.png")),
        ("C:\\x\\y.png", ("x", "y.png")),
        (" / .. /x", ("x",)),
        ("C:x/y", ("C:x", "y")),
        ("..", ()),
    ],
)
def test_no_part_of_a_name_leads_upwards(name: str, parts: tuple[str, ...]) -> None:
    assert parts_of(name) == parts


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("−2", -2),
        ("1" * 5000, float("inf")),
        ("١٢", 12),
        ("1.e2", 100),
        ("5²", None),
        ("1,5", 1.5),
        ("1e3", 1000),
        (".5", 0.5),
        ("1.5.2", None),
        ("nan", None),
        ("1_0", None),
        ("", None),
    ],
)
def test_a_number_is_the_whole_of_a_name(name: str, number: float | None) -> None:
    assert number_in(name) == number


def test_numbers_stand_before_words_and_inside_words_count_by_value() -> None:
    assert in_order(["a", "a10b", "a9", "10", "9", "a9b"]) == ["9", "10", "a", "a9", "a9b", "a10b"]
    assert in_order(["x" + "9" * 30, "x" + "1" * 5000]) == ["x" + "1" * 5000, "x" + "9" * 30]


def test_a_long_name_is_shown_without_marks_and_with_its_end() -> None:
    assert shown("a\u202e\nb") == "ab"
    assert shown("x" * 120) == "x" * 120
    assert shown("a" * 100 + "z" * 100, 10) == "aaaaa…zzzzz"


# --- pairs and kinds, by names alone ---


def test_pairs_are_of_files_at_the_level_of_their_folders() -> None:
    assert pairs_of(("a/1.png", "b/1.png", "2.png")) == ([0], [1])
    assert pairs_of(("a/1.png", "a/1.jpg", "b/1.png", "a/2.png", "b/2.png")) == ([3], [4])
    assert pairs_of(("a/x/1.png", "b/y/1.png")) == ([], [])


def test_files_in_other_folders_have_no_kind() -> None:
    found = kinds_of(("normal/a.png", "test/crack/b.png", "other/c.png", "d.png", ""))
    assert found is not None
    assert (found.learnt, found.asked, found.masks) == ((0,), (1,), {})


@pytest.mark.parametrize(("least", "levels"), [(2, 1), (3, 0)])
def test_kinds_are_a_level_from_the_least_of_a_set_on(least: int, levels: int) -> None:
    assert len(kinds_level(("normal/a.png", "test/crack/b.png", "x.png"), least)) == levels
    assert kinds_level(("a/b.png",), 0) == ()


@pytest.mark.parametrize("folder", ["", "good/", "OK/"])
def test_what_is_learnt_may_lie_in_a_folder_of_normal_ones(folder: str) -> None:
    found = kinds_of((f"train/{folder}a.png", "train/b.png", "test/crack/c.png"))
    assert found is not None
    assert found.learnt == (0, 1)


def test_all_words_for_normal_ones_may_stand_side_by_side() -> None:
    found = kinds_of(("train/a.png", "train/normal/b.png", "train/good/c.png", "train/ok/d.png", "test/crack/e.png"))
    assert found is not None
    assert found.learnt == (0, 1, 2, 3)
