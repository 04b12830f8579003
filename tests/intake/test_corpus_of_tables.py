"""Small tables in the dialects of programs: each reads as the manifest says, or is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core.intake.errors import DataError
from gan_core.intake.points import from_csv

CORPUS = Path(__file__).parent / "corpus" / "tables"
MANIFEST = json.loads((CORPUS / "manifest.json").read_text("utf-8"))


@pytest.mark.parametrize("entry", MANIFEST["files"], ids=lambda entry: entry["file"])
def test_a_file_of_a_program_reads_as_it_was_written(entry: dict[str, Any]) -> None:
    content = (CORPUS / entry["file"]).read_bytes()
    if "refused" in entry:
        with pytest.raises(DataError, match=entry["refused"]):
            from_csv(content, entry.get("columns"))
        return
    found = from_csv(content, entry.get("columns"))
    np.testing.assert_allclose(found.points, MANIFEST["sets"][entry["points"]], rtol=1e-12, atol=1e-12)
    assert list(found.columns) == entry["names"]
    assert len(found.problems) == entry.get("left_out", 0)
    assert found.warnings == ()


def test_every_file_of_the_corpus_is_in_the_manifest() -> None:
    assert {entry["file"] for entry in MANIFEST["files"]} == {path.name for path in CORPUS.iterdir()} - {
        "manifest.json"
    }
    assert len(MANIFEST["files"]) >= 35
    assert len({entry["program"].partition(",")[0].partition(" ")[0] for entry in MANIFEST["files"]}) >= 10
