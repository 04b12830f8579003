"""Names as people typed them: out of the bytes of a zip file or a disk, for classes, and in the order of numbers."""

from __future__ import annotations

import os
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

MAX_NAME = 80
UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075
# In the order in which they are taken where two read the names equally well: Windows writes its OEM code page into zip files.
CODE_PAGES = (
    *("cp437", "cp850", "cp852", "cp857", "cp1252", "cp1250", "cp866", "cp1251", "cp737", "cp1253", "cp874"),
    *("cp932", "gbk", "cp949", "cp950"),
)
SAMPLE = 4000  # bytes of names that tell one code page from another
_NUMBER = re.compile(r"[+\-−]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_DROPPED = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # part of emoji and of several scripts


def names_in_zip(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The name of each entry, ``/`` between its parts.

    Names are UTF-8 where the entry says so or where they can be, else of the code page in which they make words.
    """
    told = [_told(entry) for entry in entries]
    return [name.replace("\\", "/") for name in _typed(told)]


def names_on_disk(names: Sequence[str]) -> list[str]:
    """The same for names that the system gave: where they are no UTF-8, their bytes are in it as surrogates."""
    return _typed([name if name.isprintable() else _bytes_or_text(name) for name in names])


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a path in a zip file: composed characters (NFC), no drive, no ``.`` and ``..``."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = [part for part in plain.split("/") if part.strip() not in ("", ".", "..")]
    return tuple(parts[1:] if parts and re.fullmatch("[A-Za-z]:", parts[0]) else parts)


def class_name(text: str, limit: int = MAX_NAME) -> str:
    """A class as it was typed, without control and direction marks, which would change what stands beside it; may be empty."""
    composed = unicodedata.normalize("NFC", text[: 10 * limit])
    kept = "".join(char for char in composed if char in _JOINERS or unicodedata.category(char) not in _DROPPED)
    kept = re.sub(r"\s+", " ", kept).strip()
    return kept if len(kept) <= limit else f"{kept[: limit - 1].strip()}…"


def in_order(names: Iterable[str]) -> list[str]:
    """Names in the order of people: numbers by their value, also inside names (``day 2`` before ``day 10``)."""
    return sorted(names, key=_place)


def shown(name: str, limit: int = 120) -> str:
    """A file's name as text for a table: no control or direction marks, its end kept if it is long."""
    text = "".join(char for char in name if unicodedata.category(char) not in _DROPPED)
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-limit // 2 :]}"


def number_in(name: str) -> float | None:
    """The number that the whole of a name is, with its sign; None for every other name."""
    if not _NUMBER.fullmatch(name):
        return None
    return float(name.replace("−", "-").replace(",", "."))


def _place(name: str) -> tuple[object, ...]:
    number = number_in(name)
    if number is not None:
        return (0, number, name)
    parts = re.split(r"(\d{1,18})", name)
    return (1, tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts), name)


def _told(entry: zipfile.ZipInfo) -> str | bytes:
    """The name as the archive has it: text where that is certain, else bytes."""
    if entry.flag_bits & UTF8_FLAG or entry.orig_filename.isascii():
        return entry.filename
    try:
        raw = entry.orig_filename.encode("cp437")  # as which the standard library has read it
    except UnicodeEncodeError:
        return entry.filename
    return _unicode_path(entry.extra, raw) or raw


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in UTF-8 that Info-ZIP, 7-Zip and WinZip add, if it is of this very name."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == UNICODE_PATH and len(field) > 5 and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
            try:
                return field[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


def _bytes_or_text(name: str) -> str | bytes:
    try:
        return os.fsencode(name) if any("\udc80" <= char <= "\udcff" for char in name) else name
    except UnicodeEncodeError:
        return name


def _typed(told: Sequence[str | bytes]) -> list[str]:
    unknown = [name for name in told if isinstance(name, bytes) and not _is_utf8(name)]
    page = _code_page(unknown) if unknown else "utf-8"
    return [
        name if isinstance(name, str) else name.decode("utf-8" if _is_utf8(name) else page, "replace") for name in told
    ]


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _code_page(names: Sequence[bytes]) -> str:
    """The code page in which the names make words."""
    words = list(
        dict.fromkeys(word for name in names for word in re.split(rb"[\x00-\x40\\]", name) if not word.isascii())
    )
    sample, size = [], 0
    for word in words:
        sample.append(word)
        size += len(word)
        if size > SAMPLE:
            break
    return max(CODE_PAGES, key=lambda page: (_sense(sample, page), -CODE_PAGES.index(page)))


def _sense(words: Sequence[bytes], page: str) -> float:
    """How much of the words makes sense in a code page, at most 1."""
    try:
        texts = [word.decode(page) for word in words]
    except UnicodeDecodeError:
        return -10.0
    # Two Chinese characters may be two Korean ones; of many, some would lie outside the Korean ones.
    many = page == "cp949" and sum(map(len, texts)) >= 6
    return sum(_sense_of(text, page) for text in texts) / max(1, len(texts)) + 0.02 * many


def _sense_of(text: str, page: str) -> float:
    letters = [char for char in text if char.isalpha() or unicodedata.category(char) == "Mn"]
    foreign = [char for char in letters if not char.isascii()]
    scripts = {unicodedata.name(char, "?").split(" ")[0] for char in letters}
    value = sum(_common(char, page) for char in text if not char.isascii()) / max(1, sum(not c.isascii() for c in text))
    if len(scripts - {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"}) + bool(scripts & {"CJK", "HIRAGANA"}) > 1:
        value -= 0.5  # no word is of two scripts
    if scripts == {"LATIN"} and 2 * len(foreign) > len(letters) - (len(letters) < 4):
        value -= 0.5  # most letters of Latin words have no mark
    if any(first.islower() and second.isupper() for first, second in pairwise(text)):
        value -= 0.2
    if scripts <= {"CYRILLIC", "GREEK", "THAI"} and len(letters) < 3:
        value -= 0.2
    return value


def _common(char: str, page: str) -> float:
    """1 for a letter that words of the language are made of, less for one that is rare, −1 for a sign."""
    if not (char.isalpha() or unicodedata.category(char) == "Mn"):
        return -1.0
    script = unicodedata.name(char, "?").split(" ")[0]
    if script == "LATIN":
        return 1.0 if "\u00c0" <= char <= "\u017f" else -0.5
    raw = char.encode(page, "replace")
    if len(raw) < 2:
        # Else half-width katakana, say: what other code pages look like in that of Japan.
        return 1.0 if len(raw) == 1 and script in ("CYRILLIC", "GREEK", "THAI") else -0.5
    lead, second = raw[0], raw[1]
    match page:
        case "cp932":  # kana, and the first level of JIS
            return 1.0 if lead in (0x82, 0x83) or 0x88 <= lead <= 0x98 else 0.2
        case "gbk":  # the first level of GB 2312, then its second
            return (0.95 if lead <= 0xD7 else 0.6) if 0xB0 <= lead <= 0xF7 and second >= 0xA1 else -0.2
        case "cp949":
            return 0.94 if 0xB0 <= lead <= 0xC8 and second >= 0xA1 else 0.1
        case _:
            return 0.9 if 0xA4 <= lead <= 0xC6 else 0.1
