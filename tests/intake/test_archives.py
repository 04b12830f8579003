"""What a zip file says of itself is checked before it is believed: each bound where it is, each damage in a sentence."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from benchmarks.hostile import zipped
from gan_core.intake import archive
from gan_core.intake.decode import Refusal
from gan_core.intake.errors import DataError

NO_ZIP = "This is not a zip file that can be read."


def refused(file: io.BytesIO, most: int = archive.MAX_ENTRIES) -> str:
    with pytest.raises(DataError) as said:
        archive.entries(file, most)
    return str(said.value)


def first_of(file: io.BytesIO) -> bytes:
    """The bytes of the first file in a zip file."""
    with zipfile.ZipFile(file) as opened:
        return archive.read(opened, archive.entries(file)[0])


def commented(length: int) -> io.BytesIO:
    """A zip file whose directory is one entry of so many bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        entry = zipfile.ZipInfo("a")
        entry.comment = b"." * (length - 46 - 1)
        opened.writestr(entry, b"")
    return file


def only_a_directory() -> io.BytesIO:
    """A zip file that begins with its directory, which names a file that is not there."""
    content = zipped({"a": b""}).getvalue()
    at, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    return io.BytesIO(content[at:end] + content[end : end + 16] + bytes(4) + content[end + 20 :])


@pytest.mark.parametrize(
    "error",
    [zipfile.BadZipFile("bad"), ValueError("seek"), NotImplementedError("version"), struct.error("short"), OSError(5)],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_directory_makes_of_its_reader_is_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: zipfile.ZipFile) -> None:
        raise error

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", fails)
    assert refused(zipped({"a.png": b"x"})) == NO_ZIP


@pytest.mark.parametrize(
    "error",
    [
        *(zipfile.BadZipFile("bad"), zlib.error("bits"), EOFError(), OSError(5), ValueError("closed")),
        *(NotImplementedError("method"), RuntimeError("password"), struct.error("short")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_damaged_entry_raises_is_said_of_that_entry(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(stream: zipfile.ZipExtFile, most: int) -> bytes:
        raise error

    monkeypatch.setattr(zipfile.ZipExtFile, "read", fails)
    with pytest.raises(Refusal, match=r"^damaged inside the zip file$"):
        first_of(zipped({"a.png": b"x"}))


def test_an_empty_zip_file_holds_nothing() -> None:
    assert archive.entries(zipped({})) == []


@pytest.mark.parametrize("kept", [4, 15, 16, 21])
def test_an_end_that_is_cut_off_is_no_zip_file(kept: int) -> None:
    content = zipped({"a.png": b"x" * 100}).getvalue()
    assert refused(io.BytesIO(content[: kept - 22])) == NO_ZIP


def test_what_ends_like_a_zip_file_but_lacks_its_end_is_none() -> None:
    assert refused(io.BytesIO(bytes(200))) == NO_ZIP


def test_a_zip_file_may_be_as_large_as_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped({"a.png": b"x"})
    monkeypatch.setattr(archive, "MAX_ARCHIVE", len(file.getvalue()))
    assert len(archive.entries(file)) == 1
    monkeypatch.setattr(archive, "MAX_ARCHIVE", len(file.getvalue()) - 1)
    assert refused(file) == "The zip file has more than 0 MB."


def test_a_zip_file_may_unpack_to_as_much_as_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped({"a.png": bytes(600), "b.png": bytes(400)})
    monkeypatch.setattr(archive, "MAX_TOTAL", 1000)
    assert len(archive.entries(file)) == 2
    monkeypatch.setattr(archive, "MAX_TOTAL", 999)
    assert refused(file) == "The zip file unpacks to more than 0 GB."


def test_a_zip_file_may_have_as_many_entries_as_the_bound() -> None:
    file = zipped({f"{number}.png": b"" for number in range(3)})
    assert len(archive.entries(file, 3)) == 3
    assert refused(file, 2) == "The zip file has more than 2 entries; split it."


def test_the_directory_may_be_as_long_as_its_entries_allow() -> None:
    assert len(archive.entries(commented(400), 1)) == 1
    assert refused(commented(401), 1) == "The directory of the zip file is damaged or too long."


def test_a_directory_may_begin_where_the_file_does_but_not_before() -> None:
    assert (
        refused(only_a_directory()) == "Entries of the zip file overlap: it is built to unpack to more than it holds."
    )
    content = zipped({"a": b""}).getvalue()
    assert "damaged" in refused(io.BytesIO(content[content.index(b"PK\x01\x02") + 1 :]))


def test_entries_are_counted_across_the_blocks_of_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_BLOCK", 70)
    file = zipped({f"{number:03}{'n' * (number % 9)}.png": b"" for number in range(40)})
    assert len(archive.entries(file, 40)) == 40
    assert "more than 39 entries" in refused(file, 39)


def test_a_directory_of_no_entries_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    class Noted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(size or 0)
            return super().read(size)

    monkeypatch.setattr(archive, "_BLOCK", 1000)
    content = bytes(100_000)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(content), 0, 0)
    assert refused(Noted(content + end)) == NO_ZIP
    assert 1 <= reads.count(1000) <= 4


@pytest.mark.parametrize(("size", "bound"), [(1000, 1000), (1000, 999)])
def test_only_large_files_are_asked_how_well_they_are_packed(
    size: int, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "RATIO_FROM", bound)
    monkeypatch.setattr(archive, "MAX_RATIO", 2)
    file = zipped({"a.png": bytes(size)})
    if size > bound:
        with pytest.raises(Refusal, match=r"times its size$"):
            first_of(file)
    else:
        assert first_of(file) == bytes(size)


def test_a_large_file_may_unpack_to_as_much_as_the_ratio_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "RATIO_FROM", 0)
    monkeypatch.setattr(archive, "MAX_RATIO", 1)
    assert first_of(zipped({"a.png": b"abc"}, zipfile.ZIP_STORED)) == b"abc"


def test_a_file_in_a_zip_file_may_be_as_large_as_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10)
    assert first_of(zipped({"a.png": bytes(10)})) == bytes(10)
    with pytest.raises(Refusal, match="the file has more than 0 MB"):
        first_of(zipped({"a.png": bytes(11)}))


def test_folders_are_known_by_their_name_or_by_the_mark_of_dos() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, mark, content in (("a/", 0, b""), ("b", 0x10, b""), ("c.png", 0x10, b"x"), ("d.png", 0, b"")):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mark
            opened.writestr(entry, content)
    assert [entry.filename for entry in archive.entries(file)] == ["c.png", "d.png"]
