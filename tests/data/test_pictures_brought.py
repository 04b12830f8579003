"""Pictures that people bring: what is usable is used, each bad file is named with its reason, and nothing does harm."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from benchmarks.hostile import bomb, lying, many_entries, overlapping, picture, zipped
from gan_core.data import DataError
from gan_core.intake.archive import MAX_ENTRIES
from gan_core.intake.decode import Refusal, Shape, decode
from gan_core.intake.pictures import (
    MIN_IMAGES,
    Images,
    folder_below,
    folders_with_images,
    from_folder,
    from_zip,
    plain,
    read_zip,
)

ROOT = Path(__file__).resolve().parents[2]
GREY, RGB = Shape(16, 1), Shape(16, 3)


def filled(value: int | tuple[int, ...], mode: str, kind: str = "PNG", size: int = 16, **extra: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (size, size), value).save(file, kind, **extra)
    return file.getvalue()


def good(n: int = MIN_IMAGES, folder: str = "") -> dict[str, bytes]:
    return {f"{folder}{i:03}.png": picture(i) for i in range(n)}


def reasons(images: Images) -> dict[str, str]:
    return {problem.file: problem.reason for problem in images.problems}


# --- one picture ---


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *((mode, "PNG") for mode in ("L", "RGB", "RGBA", "P", "1", "LA", "I;16")),
        *((mode, "JPEG") for mode in ("L", "RGB", "CMYK")),
        *(
            ("RGB", "WEBP"),
            ("RGB", "BMP"),
            ("P", "GIF"),
            ("RGB", "AVIF"),
            ("L", "TIFF"),
            ("RGB", "TIFF"),
            ("I;16", "TIFF"),
        ),
    ],
)
@pytest.mark.parametrize("shape", [GREY, RGB])
def test_every_kind_of_white_is_white_and_every_black_black(mode: str, kind: str, shape: Shape) -> None:
    channels = len(Image.new(mode, (1, 1)).getbands())
    white: int | tuple[int, ...] = {1: 255, 2: (255, 255), 3: (255,) * 3, 4: (255,) * 4}[channels]
    black: int | tuple[int, ...] = {1: 0, 2: (0, 255), 3: (0,) * 3, 4: (0, 0, 0, 255)}[channels]
    if mode == "CMYK":
        white, black = (0, 0, 0, 0), (0, 0, 0, 255)
    if mode == "I;16":
        white = 65535
    if mode == "P":
        white = (255, 255, 255)  # type: ignore[assignment]
        black = (0, 0, 0)  # type: ignore[assignment]
    x = decode(filled(white, mode, kind), shape)
    assert x.shape == (shape.channels, 16, 16)
    assert x.dtype == np.uint8
    assert x.min() >= 254
    assert decode(filled(black, mode, kind), shape).max() <= 1


def test_sixteen_bits_keep_their_scale() -> None:
    assert decode(filled(0x8080, "I;16"), GREY)[0, 5, 5] == pytest.approx(0x80, abs=1)


def test_transparency_lies_on_white_or_on_what_was_chosen() -> None:
    clear = filled((0, 0, 0, 0), "RGBA")
    assert decode(clear, RGB).min() == 255
    assert decode(clear, Shape(16, 3, background="black")).max() == 0
    assert set(decode(clear, Shape(16, 3, background="grey")).ravel().tolist()) == {128}


def sixteen(top: int, seed: int = 0) -> bytes:
    values = np.random.default_rng(seed).integers(0, top + 1, (16, 16)).astype(np.uint16)
    values[0, 0] = top
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def test_twelve_bits_in_sixteen_are_scaled_by_the_set() -> None:
    """Not each picture by itself: a dark one among bright ones stays dark."""
    files = {f"{i}.png": sixteen(4095 if i else 1000, i) for i in range(MIN_IMAGES)}
    found = from_zip(zipped(files), GREY)
    assert sorted(found.x.max((1, 2, 3)).tolist()) == [62] + [255] * (MIN_IMAGES - 1)
    assert found.notes == ("All pictures have more than 8 bits: the largest value of the set, 4,095, became white.",)


def test_a_set_that_needs_all_sixteen_bits_is_as_it_always_was() -> None:
    files = {f"{i}.png": sixteen(40_000 if i else 1000, i) for i in range(MIN_IMAGES)}
    found = from_zip(zipped(files), GREY)
    assert sorted(found.x.max((1, 2, 3)).tolist()) == [4] + [156] * (MIN_IMAGES - 1)
    assert found.notes == ()


def icons(colour: tuple[int, int, int]) -> io.BytesIO:
    files = {}
    for i in range(MIN_IMAGES):
        image, file = Image.new("RGBA", (16, 16), (0, 0, 0, 0)), io.BytesIO()
        image.paste((*colour, 255), (2, 2, 5 + i // 2, 14 - i % 3))
        image.save(file, "PNG")
        files[f"{i}.png"] = file.getvalue()
    return zipped(files)


def test_white_on_transparency_gets_a_background_on_which_it_is_seen() -> None:
    white, black = (read_zip(icons(colour), RGB) for colour in ((255, 255, 255), (0, 0, 0)))
    assert (white.background, white.transparent, black.background) == ("black", MIN_IMAGES, "white")
    assert np.array_equal(white.chosen().x.min((1, 2, 3)), np.zeros(MIN_IMAGES))
    assert white.notes == (
        "Transparent pictures lie on black: on white next to nothing of most of them would be seen.",
    )
    with pytest.raises(DataError, match="All 16 pictures are the same on white; choose another background"):
        from_zip(icons((255, 255, 255)), Shape(16, 3, background="white"))


def test_equal_pictures_are_refused_and_nearly_empty_ones_said() -> None:
    with pytest.raises(DataError, match="All 20 pictures are the same: there is nothing to learn"):
        from_zip(zipped({f"{i}.png": picture(1) for i in range(20)}), GREY)
    dark = {f"{i}.png": filled(i, "L") for i in range(20)}
    assert (
        from_zip(zipped(dark), GREY)
        .notes[0]
        .startswith("There is little to see: all pixels of all pictures lie between")
    )
    plain_ones = {f"{i}.png": filled(10 * i, "L") for i in range(20)}
    assert "20 of 20 pictures are nearly all of one tone" in from_zip(zipped(plain_ones), GREY).notes[0]


@pytest.mark.parametrize("name", ["IMG_0001", "photo.download", "x.dat"])
def test_a_picture_without_a_known_name_is_known_by_its_content(name: str) -> None:
    found = from_zip(zipped(good() | {name: picture(99)}), RGB)
    assert len(found.x) == MIN_IMAGES + 1


def test_exif_turns_the_picture() -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:8] = 255  # white above
    image, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right: white comes to the right
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    x = decode(file.getvalue(), GREY)[0]
    assert x[:, 12:].min() > 250
    assert x[:, :4].max() < 5


def test_crop_takes_the_middle_and_pad_keeps_all() -> None:
    pixels = np.zeros((16, 48), np.uint8)
    pixels[:, 16:32] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert decode(file.getvalue(), GREY).min() == 255
    padded = decode(file.getvalue(), Shape(48, 1, "pad"))[0]
    assert padded[:15].max() == 0
    assert padded[24].tolist() == pixels[0].tolist()


def test_only_the_first_frame_of_an_animation() -> None:
    file = io.BytesIO()
    frames = [Image.new("L", (16, 16), value) for value in (255, 0, 0)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert decode(file.getvalue(), GREY).min() > 250


BAD = {
    "empty": (b"", "empty"),
    "text": (b"hello" * 100, "not a PNG"),
    "html": (b"<html><script>alert(1)</script></html>" * 10, "not a PNG"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>' * 10, "not a PNG"),
    "a phone's": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "a HEIC picture .*; save it as PNG or JPEG"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a PNG"),
    "fits": (b"SIMPLE  =                    T" + b" " * 3000, "not a PNG"),
    "jpeg 2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\0" * 100, "not a PNG"),
    "half a PNG": (picture(size=(64, 64))[:4000], "damaged"),
    "half a JPEG": (picture(size=(64, 64), kind="JPEG")[:1500], "damaged"),
    "flipped bytes": (
        bytes(b ^ 0xFF if i % 97 == 50 else b for i, b in enumerate(picture(size=(64, 64)))),
        "damaged|not a PNG",
    ),
    "one pixel": (picture(size=(1, 1)), "1 × 1 pixels"),
    "a thread": (picture(size=(500, 2)), "500 × 2 pixels"),
    "too many pixels": (partial(bomb, 9_000, 8_000), "9,000 × 8,000 pixels, more than 64 million"),
    "beyond Pillow's own bound": (partial(bomb, 60_000, 60_000), "million"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_refused_with_its_reason(name: str) -> None:
    made, reason = BAD[name]
    content = made() if callable(made) else made
    started, before = time.thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refusal, match=reason):
        decode(content, RGB)
    assert time.thread_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kB more than before"


@pytest.mark.parametrize("texts", ["text", "packed text", "profile"])
def test_what_a_picture_says_of_itself_may_be_of_any_size(texts: str) -> None:
    info = PngImagePlugin.PngInfo()
    if texts != "profile":
        info.add_text("workflow", "node " * 500_000, zip=texts == "packed text")
    image, file = Image.open(io.BytesIO(picture(3))), io.BytesIO()
    image.save(file, "PNG", pnginfo=info, icc_profile=bytes(1_200_000) if texts == "profile" else None)
    assert np.array_equal(decode(file.getvalue(), RGB), decode(picture(3), RGB))


@pytest.mark.parametrize(
    ("kind", "size", "extra"),
    [
        ("JPEG", (12_000, 9_000), {}),
        ("JPEG", (8_160, 6_120), {"progressive": True}),
        ("MPO", (8_064, 6_048), {}),
        ("PNG", (8_160, 6_120), {"compress_level": 1}),
    ],
)
def test_a_photograph_of_fifty_million_pixels_is_read_in_bounds(
    kind: str, size: tuple[int, int], extra: dict[str, object]
) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, (90, 140, 200)).save(file, kind, **extra)
    code = (
        "import sys; from gan_core.intake.reader import _limit; from gan_core.intake.decode import Shape, decode\n"
        "content = sys.stdin.buffer.read(); _limit(900 * 2**20, 60)\n"
        "print(decode(content, Shape(16, 3)).mean((1, 2)).round().astype(int).tolist())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=file.getvalue(), cwd=ROOT, capture_output=True, check=False)
    red, green, blue = json.loads(done.stdout or done.stderr[-500:])
    assert abs(red - 90) <= 2
    assert abs(green - 140) <= 2
    assert abs(blue - 200) <= 2


def test_a_large_photograph_is_read_fast() -> None:
    photo = picture(size=(4000, 3000), kind="JPEG")
    started = time.thread_time()
    decode(photo, Shape(64, 3))
    assert time.thread_time() - started < 1.5


# --- many pictures ---


def test_every_bad_file_is_listed_and_the_rest_is_used() -> None:
    files = good(143) | {f"bad {name}.png": content for name, (content, _) in list(BAD.items())[:7]}
    found = from_zip(zipped(files), RGB)
    assert found.summary == "143 of 150 usable"
    assert found.x.shape == (143, 3, 16, 16)
    assert found.y is None
    assert list(reasons(found)) == sorted(f"bad {name}.png" for name in list(BAD)[:7])
    assert all(re.search(reason, reasons(found)[f"bad {name}.png"]) for name, (_, reason) in list(BAD.items())[:7])


def test_the_order_is_that_of_the_content_not_of_the_archive() -> None:
    files = good(20)
    first = from_zip(zipped(files), GREY)
    renamed = {f"{99 - i}.png": content for i, content in enumerate(reversed(files.values()))}
    assert np.array_equal(from_zip(zipped(renamed), GREY).x, first.x)


@pytest.mark.parametrize("prefix", ["", "my set/", "archive/train/"])
def test_class_folders_become_labels(prefix: str) -> None:
    files = {f"{prefix}cat/{i}.png": filled(i, "L") for i in range(12)}
    files |= {f"{prefix}dog/{i}.png": filled(200 + i, "L") for i in range(8)}
    found = from_zip(zipped(files), GREY)
    assert found.class_names == ("cat", "dog")
    assert found.y is not None
    assert np.bincount(found.y).tolist() == [12, 8]
    assert ((found.x.mean((1, 2, 3)) > 100) == found.y).all()


def test_labels_are_plain_text_and_stay_apart() -> None:
    hostile = ["<b>x<b>", "[x](javascript:a)", ":red[x]", "$x$", "\u202ex", "x", "x" * 500, "x" * 600, "😀", "=cmd()"]
    files = {f"{folder}/{i}.png": picture(7 * i) for i in range(4) for folder in hostile}
    names = from_zip(zipped(files), GREY).class_names
    assert len(set(names)) == len(hostile)
    assert {"<b>x<b>", "[x](javascript:a)", ":red[x]", "$x$", "x", "x 2", "😀", "=cmd()"} < set(names), "as typed"
    assert all(name and len(name) <= 82 and "\u202e" not in name for name in names)
    assert plain("*a*_b_`c`<d>") == "a b c d"


def test_litter_is_passed_over_in_silence() -> None:
    litter = dict.fromkeys(("__MACOSX/._000.png", "a/.DS_Store", "Thumbs.db", "._1.png"), b"x")
    assert from_zip(zipped(good() | litter), GREY).problems == ()


def test_copies_and_names_that_differ_in_case_are_all_kept() -> None:
    same = picture(1)
    files = {f"{name}.png": same for name in "aAbB"} | good(20)
    assert len(from_zip(zipped(files), GREY).x) == 24


@pytest.mark.parametrize("n", [1, MIN_IMAGES - 1])
def test_too_few_pictures_are_a_sentence(n: int) -> None:
    with pytest.raises(DataError, match=rf"{n} of {n + 1} files are usable.*needs {MIN_IMAGES}.*not a PNG"):
        from_zip(zipped(good(n) | {"a.png": b"hello"}), GREY)


def test_a_set_that_would_not_fit_is_refused_before_it_is_read() -> None:
    with pytest.raises(DataError, match="choose a smaller size"):
        from_zip(zipped(good(20)), Shape(8192, 3))


def test_reading_says_how_far_it_is() -> None:
    seen: list[float] = []
    from_zip(zipped(good(20)), GREY, progress=lambda share, _: seen.append(share))
    assert seen == [pytest.approx((i + 1) / 20) for i in range(20)]


# --- archives built to do harm ---

NAMES = ["../../x.png", "/abs.png", "C:\\x.png", "..\\..\\x.png", "n" * 300 + ".png", "CON", "a\nb.png", "‮gnp.exe"]


def test_no_name_becomes_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = from_zip(zipped(good() | {name: picture(50 + i) for i, name in enumerate(NAMES)}), GREY)
    assert len(found.x) == MIN_IMAGES + len(NAMES)
    assert list(tmp_path.rglob("*")) == []
    bad = from_zip(zipped(good() | dict.fromkeys(NAMES, b"x")), GREY)
    assert all(len(name) < 130 and "\n" not in name and "‮" not in name for name in reasons(bad))


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (overlapping, "overlap"),
        (lambda: many_entries(MAX_ENTRIES + 5), "entries"),
        (lambda: many_entries(1_000_000), "too long|entries"),
        (lambda: io.BytesIO(b""), "not a zip"),
        (lambda: io.BytesIO(b"PK\x05\x06" + b"\xff" * 18), "."),
        (lambda: io.BytesIO(b"x" * 100_000), "not a zip"),
        (lambda: io.BytesIO(picture()), "not a zip"),
        (lambda: io.BytesIO(zipped(good()).getvalue()[:-100]), "not a zip"),
    ],
)
def test_a_zip_built_to_do_harm_is_refused_quickly(build, sentence: str) -> None:
    file = build()
    started, before = time.thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=sentence):
        from_zip(file, GREY)
    assert time.thread_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kB more than before"


@pytest.mark.parametrize("size", [100, 2_000_000, 900_000_000])
def test_a_size_that_lies_costs_one_file(size: int) -> None:
    found = from_zip(lying(size, good()), GREY)
    assert found.summary == f"{MIN_IMAGES} of {MIN_IMAGES + 1} usable"
    assert reasons(found).keys() == {"0.png"}


def test_a_file_that_unpacks_to_hundreds_of_times_its_size_is_not_read() -> None:
    found = from_zip(zipped(good() | {"zeros.bmp": b"\0" * 30_000_000}), GREY)
    assert "times its size" in reasons(found)["zeros.bmp"]


def test_what_is_inside_an_inner_archive_stays_there() -> None:
    inner = zipped(good(50)).getvalue()
    found = from_zip(zipped(good() | {"more.zip": inner, "more.png": inner}), GREY)
    assert len(found.x) == MIN_IMAGES
    assert reasons(found)["more.zip"] == "an archive inside; it is not opened"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound_are_not_used(method: int) -> None:
    with pytest.raises(DataError, match="deflate"):
        from_zip(zipped(good(), method), GREY)


def test_encrypted_files_and_links_are_listed() -> None:
    file = zipped({"locked.png": picture(77)} | good())
    with zipfile.ZipFile(file, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    content = bytearray(file.getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1  # the first file says that it is encrypted
    found = from_zip(io.BytesIO(bytes(content)), GREY)
    assert reasons(found) == {"link.png": "a link, not a file", "locked.png": "encrypted"}


# --- folders ---


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    (root / "set" / "cat").mkdir(parents=True)
    (root / "set" / "dog").mkdir()
    for i in range(10):
        (root / "set" / "cat" / f"{i}.png").write_bytes(picture(i))
        (root / "set" / "dog" / f"{i}.png").write_bytes(picture(100 + i))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.png").write_bytes(picture(999))
    return root


def test_a_folder_is_the_same_set_as_its_zip(root: Path) -> None:
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.png")}
    folder, archive = from_folder(root, "set", RGB), from_zip(zipped(files), RGB)
    assert np.array_equal(folder.x, archive.x)
    assert np.array_equal(folder.y, archive.y)
    assert folder.class_names == ("cat", "dog")
    assert folders_with_images(root) == ["set", "set/cat", "set/dog"]


@pytest.mark.parametrize(
    "folder",
    ["..", "../outside", "/etc", "~", "set/../..", "nothing", "a\0b", "set/cat/0.png", "x" * 5000, "out", "loop"],
)
def test_only_folders_below_the_root(root: Path, folder: str) -> None:
    (root / "out").symlink_to(root.parent / "outside")
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(DataError, match="no folder"):
        folder_below(root, folder)


def test_links_pipes_and_unreadable_files_are_listed(root: Path) -> None:
    (root / "set" / "cat" / "link.png").symlink_to(root.parent / "outside" / "secret.png")
    (root / "set" / "loop").symlink_to(root / "set")
    (root / "set" / "gone.png").symlink_to(root / "nowhere")
    os.mkfifo(root / "set" / "pipe.png")
    found = from_folder(root, "set", RGB)
    assert len(found.x) == 20
    assert set(reasons(found)) == {"cat/link.png", "gone.png", "pipe.png"}
    assert "leads out" in reasons(found)["cat/link.png"]
    assert reasons(found)["pipe.png"] == "not a file"
