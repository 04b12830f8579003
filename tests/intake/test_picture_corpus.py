"""Zip files as programs write them: each is read with the classes that are right, or refused in the sentence that is."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gan_core.intake.decode import Shape
from gan_core.intake.errors import DataError
from gan_core.intake.pictures import from_zip

CORPUS = Path(__file__).parent / "corpus" / "pictures"
RIGHT = json.loads((CORPUS / "manifest.json").read_text("utf-8"))


def _builders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture_corpus", CORPUS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = _builders().CASES


def test_every_file_of_the_corpus_has_what_is_right_written_down() -> None:
    assert BUILD.keys() == RIGHT.keys()
    assert len(RIGHT) >= 25


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_of_a_program_is_read_as_it_was_meant(name: str) -> None:
    content, right = BUILD[name](), RIGHT[name]
    if "refused" in right:
        with pytest.raises(DataError) as refused:
            from_zip(io.BytesIO(content), Shape(16, 3))
        assert str(refused.value) == right["refused"]
        return
    found = from_zip(io.BytesIO(content), Shape(16, 3))
    counts = [len(found.x)] if found.y is None else np.bincount(found.y).tolist()
    assert (list(found.class_names), counts) == (right["classes"], right["counts"])
    assert len(found.problems) == right.get("left_out", 0)
    assert list(found.notes) == right.get("notes", [])
