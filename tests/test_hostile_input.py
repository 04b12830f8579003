"""Names, notes, ids and settings in hostile forms: what is taken is cleaned, what is not is one sentence, nothing changes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.hostile import HOSTILE
from gan_core.config import ConfigError, RunConfig
from gan_core.store import RunNotFound, RunStore, StoreError

SURROGATES = st.characters(codec="utf-8") | st.characters(categories=["Cs", "Cc", "Cf"])
TEXTS = st.sampled_from(HOSTILE) | st.text(SURROGATES, max_size=200)


@pytest.fixture(scope="module")
def store() -> Iterator[RunStore]:
    with tempfile.TemporaryDirectory() as folder, RunStore(Path(folder) / "runs") as opened:
        opened.create("a-run", name="A run", config={})
        opened.update("a-run", status="stopped")
        yield opened


@settings(max_examples=60)
@given(TEXTS)
@example("\udced")
def test_an_id_finds_its_run_or_nothing(store: RunStore, text: str) -> None:
    for ask in (
        store.run,
        store.track,
        store.frames,
        store.events,
        store.checkpoints,
        store.delete,
        store.family,
        store.comparison,
    ):
        if text == "a-run":
            continue
        with pytest.raises(RunNotFound) as refused:
            ask(text)
        assert len(str(refused.value)) < 200
    with pytest.raises((RunNotFound, StoreError)):
        store.artefact_path("a-run", text)
    assert {path.name for path in store.root.iterdir()} <= {
        "ganscope.db",
        "ganscope.db-wal",
        "ganscope.db-shm",
        ".reserve",
        "a-run",
    }


@settings(max_examples=60)
@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=5))
def test_names_notes_and_tags_are_kept_as_typed_but_cut_and_cleaned(
    store: RunStore, name: str, note: str, tags: list[str]
) -> None:
    store.update("a-run", name=name, note=note, tags=tags)
    run = store.run("a-run")
    assert len(run.name) <= 120
    assert len(run.note) <= 4000
    assert all(0 < len(tag) <= 40 for tag in run.tags)
    for text in (run.name, run.note, *run.tags):
        text.encode()
        assert "\x00" not in text
    assert run.name == run.name.strip() or name != name.strip()
    store.update("a-run", name=run.name, note=run.note, tags=run.tags)
    assert (store.run("a-run").name, store.run("a-run").note) == (run.name, run.note), "cleaned once is clean"


DEEP = "[" * 50_000 + "]" * 50_000


@settings(max_examples=120)
@given(st.text(max_size=300) | st.binary(max_size=300) | TEXTS.map(lambda text: json.dumps({"data": {"name": text}})))
@example(DEEP)
@example('{"a":' * 20_000)
@example("1e999999")
@example('{"seed": 1, "seed": 2}')
@example(b"\xff\xfe\x00")
@example("x" * 2_000_000)
def test_a_config_file_is_taken_or_refused_in_a_few_lines(text: str | bytes) -> None:
    said = ""
    try:
        RunConfig.from_json(text)
    except ConfigError as refused:
        said = str(refused) or "nothing"
    assert said != "nothing"
    assert len(said) < 2000
