"""Each bound of a picture where it stands, and what a decoder raises in a sentence."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from benchmarks.hostile import picture
from gan_core.intake import decode as decoding
from gan_core.intake.decode import Picture, Refusal, Shape, decode
from gan_core.intake.formats import NO_PICTURE, kind_of, may_be_picture, without_texts

RGB = Shape(16, 3)


def refusal(content: bytes, shape: Shape = RGB) -> str:
    with pytest.raises(Refusal) as refused:
        decode(content, shape)
    return str(refused.value)


@pytest.mark.parametrize(
    ("bound", "fits", "refused", "said"),
    [
        ("MAX_BYTES", len(picture()), len(picture()) - 1, "the file has more than 0 MB"),
        ("MAX_OPENED", 320, 319, "20 × 16 pixels, more than 0 million"),
        ("MIN_SIDE", 16, 17, "20 × 16 pixels, less than 17 a side"),
    ],
)
def test_a_picture_may_be_as_large_and_as_small_as_each_bound(
    bound: str, fits: int, refused: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, bound, fits)
    assert decode(picture(), RGB).shape == (3, 16, 16)
    monkeypatch.setattr(decoding, bound, refused)
    assert refusal(picture()) == said


def test_an_empty_file_is_said_to_be_empty() -> None:
    assert refusal(b"") == "the file is empty"


@pytest.mark.parametrize("most", [100, 300], ids=["an error of Pillow", "a warning that is an error"])
def test_a_picture_beyond_the_bound_of_pillow_is_too_large(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusal(picture()) == "more than 200 million pixels"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "too large for the memory of this machine"),
        (SyntaxError("broken PNG file"), "damaged: broken PNG file"),
        (IndexError(), "damaged: IndexError"),
        (Refusal("3 pixels"), "3 pixels"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_a_decoder_raises_is_why_a_picture_is_not_read(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(picture: Image.Image) -> int:
        raise error

    monkeypatch.setattr(decoding, "_check", fails)
    assert refusal(picture()) == said


def test_a_damaged_picture_with_texts_is_refused_for_its_damage() -> None:
    info, file = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text("workflow", "node")
    Image.open(io.BytesIO(picture(size=(64, 64)))).save(file, "PNG", pnginfo=info)
    damaged = file.getvalue()[:4000]
    assert without_texts(damaged) is not None
    assert refusal(damaged).startswith("damaged: ")


def test_a_large_jpeg_is_opened_at_a_part_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    real = JpegImageFile.load

    def noted(image: JpegImageFile) -> Any:
        seen.append(image.size)
        return real(image)

    monkeypatch.setattr(JpegImageFile, "load", noted)
    decode(picture(size=(320, 320), kind="JPEG"), RGB)
    assert seen[0] == (40, 40)


def test_exif_that_cannot_be_read_leaves_a_picture_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = decode(picture(), RGB)

    def fails(image: Image.Image) -> Image.Exif:
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(Image.Image, "getexif", fails)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "getexif", fails)
    assert np.array_equal(decode(picture(), RGB), plain)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_picture_of_values_that_are_no_numbers_is_refused(value: float) -> None:
    values, file = np.ones((16, 16), np.float32), io.BytesIO()
    values[3, 4] = value
    Image.fromarray(values).save(file, "TIFF")
    assert refusal(file.getvalue(), Shape(16, 1)) == "it holds values that are no numbers"


def test_two_pictures_side_by_side_are_wider_than_high() -> None:
    pairs = Shape(16, 3, "pairs")
    assert decode(picture(size=(17, 16)), pairs).shape == (3, 16, 32)
    assert refusal(picture(size=(16, 16)), pairs) == "16 × 16 pixels: no two pictures side by side"


@pytest.mark.parametrize(("step", "flat"), [(0, True), (3, True), (4, False)])
def test_a_picture_nearly_of_one_tone_is_flat(step: int, flat: bool) -> None:
    x = np.full((3, 16, 16), 100, np.uint8)
    x[1, 5, 5] += step
    assert Picture(x).flat == flat


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "a video, "),
        (b"\0\0\0\x18ftypxxxx\0\0\0\0xxxxheic", "a HEIC picture (a phone's), "),
        (b"\0\0\0\x18ftypavif", "an AVIF picture, "),
        (b"8BPS\0\1", "a Photoshop picture, "),
        (bytes(128) + b"DICM", "a DICOM picture, "),
        (b"<?xml?><svg >", "an SVG drawing, "),
        (b"hello", NO_PICTURE),
    ],
)
def test_a_file_that_nobody_reads_is_named_by_its_format(head: bytes, said: str) -> None:
    assert kind_of(head).startswith(said)


@pytest.mark.parametrize(
    ("name", "head", "may"),
    [
        *(("a", head, True) for head in (b"\x89PNG\r\n\x1a\n", b"BM", b"PK\x03\x04", b"Rar!", b"\0\0\0\x18ftypheic")),
        *((f"a{end}", b"x", True) for end in (".zip", ".TAR", ".7z")),
        *(("a.txt", head, False) for head in (b"x", b"", b"\0\0\0\x18ftypisom", b"\0\0\0\x18xxxxheic")),
    ],
)
def test_what_begins_like_a_picture_or_an_archive_may_be_one(name: str, head: bytes, may: bool) -> None:
    assert may_be_picture(name, head) == may


def test_only_of_a_png_texts_are_left_out() -> None:
    text = b"\0\0\0\1tEXta" + bytes(4)
    assert without_texts(b"\x89PNG\r\n\x1a\n" + text) == b"\x89PNG\r\n\x1a\n"
    assert without_texts(b"GIF89a\0\0" + text) is None
    assert without_texts(picture()) is None
