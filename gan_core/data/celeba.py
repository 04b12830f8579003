"""CelebA from a folder of its aligned pictures. It is not downloaded: its licence asks everyone to agree to its terms."""

from __future__ import annotations

import os
import re
import secrets
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from gan_core.data.images import image_source
from gan_core.data.places import data_root
from gan_core.data.sources import ImageSource
from gan_core.exhaustion import cannot_tell
from gan_core.intake.decode import Refusal, Shape, decode
from gan_core.intake.errors import DataError, DataMissing

FOLDER = "celeba/img_align_celeba"
PICTURE = re.compile(r"\d{6}\.(jpg|png)")

_LOADING = threading.Lock()


def missing() -> str | None:
    """One sentence if the folder of pictures is not there."""
    folder = data_root() / FOLDER
    try:
        with os.scandir(folder) as entries:
            if any(PICTURE.fullmatch(entry.name) for entry in entries):
                return None
    except OSError as error:
        if cannot_tell(error):
            return f"Whether CelebA is on this machine cannot be told: {error.strerror} ({folder.resolve()})."
    return (
        "CelebA is not on this machine: unpack img_align_celeba.zip from the CelebA page so that the folder "
        f"{folder.resolve()} holds 000001.jpg and the others."
    )


def celeba(size: int = 64, images: int = 20_000) -> ImageSource:
    """The first ``images`` aligned faces, cropped to a square and resized to ``size``. Raises DataMissing."""
    with _LOADING:
        return _celeba(str(data_root().resolve()), int(size), int(images))


@lru_cache(maxsize=1)
def _celeba(root: str, size: int, images: int) -> ImageSource:
    if reason := missing():
        raise DataMissing(reason)
    folder = Path(root) / FOLDER
    names = sorted(entry.name for entry in os.scandir(folder) if PICTURE.fullmatch(entry.name))[:images]
    kept = folder.parent / f"decoded-{size}-{len(names)}.safetensors"
    try:
        x = load(kept.read_bytes())["x"].numpy()
    except (OSError, SafetensorError, KeyError):
        x = _decode_all(folder, names, size)
        temporary = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}.tmp")
        try:
            temporary.write_bytes(save({"x": torch.from_numpy(x)}))
            os.replace(temporary, kept)
        except OSError:  # a folder that is only to be read: decode again next time
            temporary.unlink(missing_ok=True)
    return image_source("celeba", x, None)


def _decode_all(folder: Path, names: list[str], size: int) -> np.ndarray:
    x = np.empty((len(names), 3, size, size), np.uint8)
    for index, name in enumerate(names):
        try:
            x[index] = decode((folder / name).read_bytes(), Shape(size, 3))
        except (OSError, Refusal) as error:
            raise DataError(f"The CelebA picture {name} cannot be used: {error}.") from error
    return x
