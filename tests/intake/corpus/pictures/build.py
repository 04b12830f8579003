"""Small zip files and pictures as programs write them; what is right for each is in manifest.json, under the same name."""

from __future__ import annotations

import io
import json
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

Files = dict[str, bytes]
RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 160, 60)


def encoded(image: Image.Image, kind: str = "PNG", **extra: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **extra)
    return file.getvalue()


def drawing(seed: int, colour: tuple[int, int, int] = RED, side: int = 24) -> Image.Image:
    noise = np.random.default_rng(seed).integers(-30, 31, (side, side, 3))
    return Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))


def some(folder: str, n: int = 9, colour: tuple[int, int, int] = RED, name: str = "{:03}.png", start: int = 0) -> Files:
    kinds = {
        "png": "PNG",
        "jpg": "JPEG",
        "jpeg": "JPEG",
        "gif": "GIF",
        "webp": "WEBP",
        "bmp": "BMP",
        "tif": "TIFF",
        "avif": "AVIF",
    }
    kind = kinds[name.rpartition(".")[2].lower()]
    seed = zlib.crc32(folder.encode("utf-8", "replace")) % 1000
    return {
        f"{folder}{name.format(start + i)}": encoded(drawing(1000 * seed + start + i, colour), kind) for i in range(n)
    }


def cats_and_dogs(around: str = "", inside: str = "", **options: object) -> Files:
    return some(f"{around}cat/{inside}", colour=RED, **options) | some(f"{around}dog/{inside}", colour=BLUE, **options)  # type: ignore[arg-type]


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def raw_names(files: Files, encoding: str) -> bytes:
    """Names as bytes of an encoding, without the flag that says UTF-8."""
    marks = {f"{i:04}{'_' * (len(name.encode(encoding)) - 4)}": name for i, name in enumerate(files)}
    content = zipped({mark: files[name] for mark, name in marks.items()})
    for mark, name in marks.items():
        content = content.replace(mark.encode(), name.encode(encoding))
    return content


def with_folders(files: Files, mark: str = "/") -> bytes:
    """With an entry for each folder, as most programs write them; ``mark`` stands between the parts of a name."""
    file = io.BytesIO()
    folders = sorted({name[: at + 1] for name in files for at, char in enumerate(name) if char == "/"})
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*((folder, b"") for folder in folders), *files.items()]:
            entry = zipfile.ZipInfo("x")
            entry.filename = name.replace("/", mark)
            entry.external_attr = 0x10 if name.endswith("/") else 0x20
            archive.writestr(entry, content)
    return file.getvalue()


def streamed(files: Files) -> bytes:
    """Written to a pipe: sizes after the content, zip64 for every entry."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.content += bytes(data)  # type: ignore[call-overload]
            return len(data)  # type: ignore[arg-type]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)
    return pipe.content


def zip64_end(content: bytes, *, always: bool) -> bytes:
    """The end records of zip64; ``always`` as writers do that fill the old record with 0xff."""
    at = content.rfind(b"PK\x05\x06")
    count = struct.unpack_from("<H", content, at + 10)[0]
    size, offset = struct.unpack_from("<II", content, at + 12)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    end = bytearray(content[at:])
    if always:
        end[8:20] = b"\xff" * 12
    return content[:at] + record + struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1) + bytes(end)


def unicode_path(files: Files) -> bytes:
    """The name once in the code page and once in UTF-8, as Info-ZIP and WinZip write it."""
    file = io.BytesIO()
    marks = {}
    with zipfile.ZipFile(file, "w") as archive:
        for number, (name, content) in enumerate(files.items()):
            raw = name.encode("ascii", "replace").replace(b"?", b"_")
            raw = raw[:-4] + b"%02d\x90" % number + raw[-4:]
            mark = "~" * len(raw)
            mark = f"{number:02}{mark[2:]}"
            marks[mark] = raw
            entry = zipfile.ZipInfo(mark)
            told = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
            entry.extra = struct.pack("<HH", 0x7075, len(told)) + told
            archive.writestr(entry, content)
    made = file.getvalue()
    for mark, raw in marks.items():
        made = made.replace(mark.encode(), raw)
    return made


def labelled_by_json(labels: bool = True, around: str = "") -> Files:
    files = some(f"{around}00000/", 10, RED, "img{:08}.png") | some(f"{around}00001/", 10, BLUE, "img{:08}.png", 10)
    told = [[name.removeprefix(around), index % 2] for index, name in enumerate(files)] if labels else None
    return files | {f"{around}dataset.json": json.dumps({"labels": told}).encode()}


def voc(files: Files) -> Files:
    return files | {f"{name.rpartition('.')[0]}.xml": b"<annotation/>" for name in files}


def icon(seed: int, colour: tuple[int, int, int]) -> bytes:
    image = Image.new("RGBA", (48, 48), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((6 + seed % 7, 6, 38, 30 + seed % 11), outline=(*colour, 255), width=4)
    pen.line((8, 8 + seed, 40, 40 - seed), fill=(*colour, 255), width=3)
    return encoded(image)


def deep(seed: int, top: int) -> bytes:
    y, x = np.mgrid[0:32, 0:32]
    spot = np.exp(-((y - 10 - seed % 12) ** 2 + (x - 16) ** 2) / 60) * top
    return encoded(Image.fromarray(spot.astype(np.uint16)))


def annotated(seed: int, kind: str) -> bytes:
    """A picture with a text or a colour profile that unpacks to more than a megabyte."""
    if kind == "profile":
        return encoded(drawing(seed), icc_profile=bytes(1_200_000))
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", '{"nodes": []}' * 120_000, zip=True)
    return encoded(drawing(seed), pnginfo=info)


def photograph(seed: int, turn: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = turn
    return encoded(drawing(seed, GREEN, 64).resize((1600, 1200)), "JPEG", exif=exif, quality=70)


def macos() -> bytes:
    files = some("Essen/Käse/", colour=RED) | some("Essen/Brötchen/", colour=BLUE)
    litter = {f"__MACOSX/{name.rpartition('/')[0]}/._{name.rpartition('/')[2]}": b"\0\5\x16\7" * 20 for name in files}
    every = files | litter | {"Essen/.DS_Store": b"\0\0\0\1Bud1" * 20}
    return raw_names({unicodedata.normalize("NFD", name): content for name, content in every.items()}, "utf-8")


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)


def splits(**extra: Files) -> Files:
    return (
        cats_and_dogs("train/", n=6)
        | cats_and_dogs("valid/", n=2, start=50)
        | cats_and_dogs("test/", n=1, start=80)
        | {name: content for files in extra.values() for name, content in files.items()}
    )


def running(folder: str, starts: tuple[int, ...], size: int, name: str) -> Files:
    return {
        path: content
        for start in starts
        for path, content in some(f"{folder}{start:05}/", size, name=name, start=start).items()
    }


CASES: dict[str, Callable[[], bytes]] = {
    "macos-archive-utility": macos,
    "windows-explorer-german": lambda: raw_names(some("Käse/") | some("Brötchen/", colour=BLUE), "cp437"),
    "windows-explorer-russian": lambda: raw_names(some("Кошки/") | some("Собаки/", colour=BLUE), "cp866"),
    "windows-explorer-japanese": lambda: raw_names(some("猫/") | some("犬/", colour=BLUE), "cp932"),
    "windows-explorer-polish": lambda: raw_names(some("Żółw/") | some("łódź/", colour=BLUE), "cp852"),
    "seven-zip-chinese": lambda: raw_names(some("苹果/") | some("香蕉/", colour=BLUE), "gbk"),
    "winzip-unicode-path": lambda: unicode_path(some("Ωmega/") | some("Æble/", colour=BLUE)),
    "dotnet-backslashes": lambda: with_folders(cats_and_dogs("Tiere/"), "\\"),
    "java-zip64-always": lambda: zip64_end(zipped(cats_and_dogs()), always=True),
    "go-zip64-end-record": lambda: zip64_end(zipped(cats_and_dogs()), always=False),
    "python-streamed": lambda: streamed(cats_and_dogs("set/")),
    "info-zip-with-folders": lambda: with_folders(cats_and_dogs("set/")),
    "kaggle-archive": lambda: zipped(
        cats_and_dogs("archive/PetImages/", name="{}.jpg")
        | {"archive/readme[1].txt": b"x", "archive/MSR-LA.docx": b"x"}
    ),
    "kaggle-training-set-twice": lambda: zipped(
        cats_and_dogs("training_set/training_set/", n=7) | cats_and_dogs("test_set/test_set/", n=3, start=70)
    ),
    "kaggle-folder-repeated": lambda: zipped(cats_and_dogs("cell_images/") | cats_and_dogs("cell_images/cell_images/")),
    "kaggle-fruits": lambda: zipped(
        cats_and_dogs("fruits/Training/") | cats_and_dogs("fruits/Test/", n=3, start=70) | some("fruits/papers/", 2)
    ),
    "torchvision-image-folder": lambda: zipped(splits()),
    "tiny-imagenet": lambda: zipped(
        cats_and_dogs("tiny/train/", "images/") | some("tiny/val/images/", 4) | {"tiny/train/cat/cat_boxes.txt": b"x"}
    ),
    "jupyter-checkpoints": lambda: zipped(
        cats_and_dogs("pets/") | some("pets/cat/.ipynb_checkpoints/", 3, name="{}-checkpoint.png")
    ),
    "synology-eadir": lambda: zipped(
        cats_and_dogs("pets/")
        | {f"pets/cat/@eaDir/{i}.png/SYNOPHOTO_THUMB_M.jpg": encoded(drawing(i), "JPEG") for i in range(3)}
    ),
    "linux-thumbnails-and-trash": lambda: zipped(
        cats_and_dogs("pets/") | some("pets/.thumbnails/", 3) | some("pets/.Trash-1000/files/", 3)
    ),
    "qnap-recycle": lambda: zipped(cats_and_dogs() | some("@Recycle/dog/", 2) | {"cat/Thumbs.db": b"\xd0\xcf" * 20}),
    "stylegan-labels": lambda: zipped(labelled_by_json()),
    "stylegan-labels-in-a-folder": lambda: zipped(labelled_by_json(around="set/")),
    "stylegan-unlabelled": lambda: zipped(labelled_by_json(labels=False)),
    "ffhq-buckets": lambda: zipped(running("thumbnails128x128/", (0, 1000, 2000), 7, "{:05}.png")),
    "imagenet-class-numbers": lambda: zipped(
        some("00000/", name="00000_{:05}.png") | some("00001/", name="00001_{:05}.png")
    ),
    "google-takeout": lambda: zipped(
        some("Takeout/Google Photos/Photos from 2022/", name="IMG_{:04}.jpg")
        | some("Takeout/Google Photos/Photos from 2023/", name="IMG_{:04}.jpg")
        | {f"Takeout/Google Photos/Photos from 2022/IMG_{i:04}.jpg.json": b"{}" for i in range(9)}
    ),
    "iphone-dcim": lambda: zipped(
        {f"DCIM/{100 + i // 10}APPLE/IMG_{i:04}.JPG": photograph(i, (1, 6, 8)[i % 3]) for i in range(18)}
        | {"DCIM/100APPLE/IMG_0001.MOV": b"\0\0\0\x14ftypqt  ", "DCIM/100APPLE/IMG_0090.HEIC": heic()}
    ),
    "synology-by-date": lambda: zipped(
        some("photo/2023-05-01/", name="P{:04}.jpg") | some("photo/2023-06-11/", name="P{:04}.jpg")
    ),
    "labelimg-voc": lambda: zipped(voc(some("images/", 18, name="{:04}.jpg"))),
    "roboflow-classification": lambda: zipped(splits() | {"README.roboflow.txt": b"x", "README.dataset.txt": b"x"}),
    "roboflow-yolo": lambda: zipped(
        some("train/images/", 12, name="{}.jpg")
        | some("valid/images/", 6, name="{}.jpg")
        | {f"train/labels/{i}.txt": b"0 .5 .5 .1 .1" for i in range(12)}
        | {"data.yaml": b"names: [cat]"}
    ),
    "segmentation-masks": lambda: zipped(
        some("seg/images/", 18, name="{}.jpg") | some("seg/masks/", 18, BLUE, name="{}.png")
    ),
    "segmentation-masks-in-classes": lambda: zipped(
        some("benign/", name="b ({}).png")
        | some("benign/", colour=GREEN, name="b ({})_mask.png")
        | some("malignant/", name="m ({}).png", colour=BLUE)
        | some("malignant/", colour=GREEN, name="m ({})_mask.png")
    ),
    "cyclegan-pairs": lambda: zipped(
        some("trainA/", 8) | some("trainB/", 8, BLUE) | some("testA/", 2, start=70) | some("testB/", 2, BLUE, start=70)
    ),
    "cover-above-the-classes": lambda: zipped(cats_and_dogs("flowers/") | some("flowers/", 1, GREEN, "cover.png")),
    "photo-album-without-classes": lambda: zipped(some("Urlaub/", 18, name="Bild {}.jpg")),
    "white-icons": lambda: zipped({f"{i:02}.png": icon(i, (255, 255, 255)) for i in range(18)}),
    "microscope-12-bits": lambda: zipped({f"{i:02}.png": deep(i, 4095) for i in range(18)}),
    "microscope-tiff": lambda: zipped(some("", 18, name="{}.tif")),
    "avif-and-webp": lambda: zipped(some("a/", name="{}.avif") | some("b/", colour=BLUE, name="{}.webp")),
    "comfyui-workflow": lambda: zipped({f"{i}.png": annotated(i, "text") for i in range(18)}),
    "photoshop-profile": lambda: zipped({f"{i}.png": annotated(i, "profile") for i in range(18)}),
    "empty-zip": lambda: zipped({}),
    "only-folders": lambda: only_folders(),
    "no-pictures": lambda: zipped({f"{i}.xml": b"<a/>" for i in range(30)}),
    "only-heic": lambda: zipped({f"IMG_{i:04}.HEIC": heic() for i in range(20)}),
    "all-equal": lambda: zipped({f"{i}.png": encoded(drawing(1)) for i in range(20)}),
    "signs-and-points": lambda: zipped(
        {name: content for kind in ("-1", "+1", "0.5", "10", "9") for name, content in some(f"s/{kind}/", 4).items()}
    ),
}


def only_folders() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("a/", "a/b/"):
            archive.writestr(zipfile.ZipInfo(name), b"")
    return file.getvalue()
