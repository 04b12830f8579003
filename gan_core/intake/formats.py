"""What a file is by its first bytes, for those that are no picture that can be read; and pictures without what is not shown."""

from __future__ import annotations

import struct

READ = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")
# Pictures too, though they are not read: somebody who brings them hears of it.
NAMED = (
    *(".heic", ".heif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".exr", ".dcm"),
    *(".dng", ".nef", ".cr2", ".cr3", ".arw", ".raf", ".orf", ".rw2", ".jpe", ".jfif", ".mpo", ".apng", ".dib", ".ico"),
)
NO_PICTURE = "not a PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF picture"
_SAVE_AS = "which is not read here; save it as PNG or JPEG"
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC picture (a phone's)"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
}
_STARTS = {
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"8BPS": "a Photoshop picture",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"SIMPLE  =": "a FITS picture",
    b"\x76\x2f\x31\x01": "an OpenEXR picture",
    b"\x89HDF": "an HDF5 file",
    b"FUJIFILMCCD-RAW": "a raw photograph of a camera",
    **{bytes((80, digit)): "a PGM or PPM picture" for digit in b"123456"},
}
_ARCHIVES = {
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ": "xz",
}
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
_PICTURES = (_PNG, b"\xff\xd8\xff", b"BM", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")


def kind_of(content: bytes) -> str:
    """Why a file that no reader knows is not read: by the name of its format, if it has one."""
    if content[4:8] == b"ftyp":
        brands = [content[8:12], *(content[at : at + 4] for at in range(16, min(len(content), 64), 4))]
        kind = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "a video")
        return f"{kind}, {_SAVE_AS}"
    kind = next((name for start, name in _STARTS.items() if content.startswith(start)), "")
    if not kind and (b"<svg" in content[:1000] or content[128:132] == b"DICM"):
        kind = "a DICOM picture" if content[128:132] == b"DICM" else "an SVG drawing"
    return f"{kind}, {_SAVE_AS} ({NO_PICTURE})" if kind else NO_PICTURE


def may_be_picture(name: str, head: bytes) -> bool:
    """Whether a file whose name does not say that it is a picture begins like one, or like an archive with some."""
    return (
        head.startswith((*_PICTURES, *_ARCHIVES))
        or (head[4:8] == b"ftyp" and head[8:12] in _BRANDS)
        or name.lower().endswith(ARCHIVES)
    )


def is_picture(name: str) -> bool:
    """Whether a name is that of a picture."""
    return name.lower().endswith((*SUFFIXES, *NAMED))


def without_texts(content: bytes) -> bytes | None:
    """A PNG without texts and colour profile, which may be of any size and are not shown; None if it is no PNG, or has none."""
    if not content.startswith(_PNG):
        return None
    kept, at, view = [_PNG], len(_PNG), memoryview(content)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = min(at + 12 + length, len(content))
        if kind not in _TEXTS:
            kept.append(view[at:end])  # type: ignore[arg-type]
        at = end
    bare = b"".join(kept)
    return bare if len(bare) < len(content) else None
