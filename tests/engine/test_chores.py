"""Chores: one at a time by key, progress, a sentence for what failed, cancelled when asked."""

from __future__ import annotations

import io
import sys
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.config import ConfigError, RunConfig
from gan_core.data import DATASETS, DataError, DataMissing, places
from gan_core.engine import Chores, Lab, catalogue, data_choice, dataset_facts
from gan_core.engine.exchange.brought import MOST_SEEN
from gan_core.engine.exchange.chores import MAX_BUSY
from gan_core.engine.upkeep.classifiers import Classifiers
from gan_core.intake import apart


@pytest.fixture
def chores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chores:
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    monkeypatch.setattr(places, "_store", None)
    return Chores(tmp_path)


def pictures(n: int = 20) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(n):
            picture = io.BytesIO()
            Image.new("RGB", (20, 20), (i, 2 * i, 255 - i)).save(picture, "PNG")
            archive.writestr(f"{'even' if i % 2 == 0 else 'odd'}/{i}.png", picture.getvalue())
        archive.writestr("notes.txt", "hello")
    file.seek(0)
    return file


def test_a_zip_becomes_a_choice_and_goes_again(chores: Chores) -> None:
    chore = chores.keep_zip("k", pictures(), "stripes", 16, 3, "crop")
    chore.wait(60)
    assert chore.error is None
    assert chore.progress[0] == 1
    name = chore.result
    choice = catalogue()["datasets"][name]
    assert choice.about.title == "stripes"
    assert (choice.kind, choice.counted, choice.missing, choice.options) == ("images", True, None, ())
    assert chores.own(name).problems == ()
    assert chores.own(name).notes[0] == "Passed over: 1 file that is no picture (.txt)."
    chores.forget("k")
    assert chores.get("k") is None
    chores.delete(name)
    assert name not in catalogue()["datasets"]
    assert "not on this machine" in data_choice(name).missing
    assert chores.own(name) is None


def test_what_was_read_is_seen_before_it_is_kept_and_then_kept_as_chosen(chores: Chores) -> None:
    chores.look_at_zip("k", pictures(), "stripes", 16, 3, "crop").wait(20)
    seen = chores.seen("k")
    assert seen is not None
    assert [(level.key, level.class_names, level.counts) for level in seen.brought.levels] == [
        ("folder:1", ("even", "odd"), (10, 10)),
        ("none", (), (20,)),
    ]
    for content in (seen.strip(seen.brought.levels[0], 1), seen.sheet(seen.brought.levels[1])):
        assert Image.open(io.BytesIO(content)).size[0] > 16
    assert [name for name in catalogue()["datasets"] if name.startswith("own:")] == [], "nothing is kept yet"
    kept = chores.keep_seen("k", "plain", "none")
    kept.wait(20)
    assert kept.error is None
    own = chores.own(kept.result)
    assert (own.title, own.class_names, own.count) == ("plain", (), 20)
    assert chores.seen("k") is None
    with pytest.raises(DataError, match="no longer here; read it again"):
        chores.keep_seen("k", "plain")


def test_what_is_seen_and_kept_is_what_is_kept_at_once(chores: Chores) -> None:
    chores.look_at_zip("k", pictures(), "stripes", 16, 3, "crop").wait(20)
    seen, once = chores.keep_seen("k", "stripes"), chores.keep_zip("z", pictures(), "stripes", 16, 3, "crop")
    seen.wait(20)
    once.wait(20)
    assert seen.result == once.result


def test_another_background_reads_again_and_what_nobody_keeps_is_gone(chores: Chores, tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(20):
            icon, content = Image.new("RGBA", (20, 20), (0, 0, 0, 0)), io.BytesIO()
            icon.paste((255, 255, 255, 255), (2, 2, 4 + i % 7, 6 + i))
            icon.save(content, "PNG")
            archive.writestr(f"{i}.png", content.getvalue())
    chores.look_at_zip("k", file, "icons", 16, 3, "crop").wait(20)
    first = chores.seen("k")
    assert (first.brought.background, first.brought.transparent) == ("black", 20)
    chores.look_again("k", "grey").wait(20)
    again = chores.seen("k")
    assert again.brought.background == "grey"
    assert first.brought.x.min() == 0
    assert again.brought.x.min() > 90, "grey, and what resizing adds at edges"
    refused = chores.look_again("k", "white")
    refused.wait(20)
    assert "choose another background" in refused.error
    assert chores.seen("k") is again, "a background on which nothing is seen changes nothing"
    chores.leave("k")
    assert chores.seen("k") is None
    assert file.closed


def test_of_many_that_wait_only_the_last_are_held(chores: Chores) -> None:
    for key in range(MOST_SEEN + 1):
        chores.look_at_zip(str(key), pictures(), "x", 16, 3, "crop").wait(20)
    assert [chores.seen(str(key)) is None for key in range(MOST_SEEN + 1)] == [True] + [False] * MOST_SEEN
    chores.close()
    assert chores.seen("1") is None


def test_an_empty_zip_is_a_sentence(chores: Chores) -> None:
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    chore = chores.look_at_zip("k", file, "x", 16, 3, "crop")
    chore.wait(20)
    assert chore.error == "There is nothing in this zip file: it holds no files."
    assert file.closed


def test_a_bad_upload_is_a_sentence(chores: Chores) -> None:
    chore = chores.keep_zip("k", io.BytesIO(b"nonsense"), "x", 16, 3, "crop")
    chore.wait(60)
    assert (chore.result, chore.error) == (None, "This is not a zip file that can be read.")


def test_a_folder_by_name_only_below_the_data_folder(chores: Chores, tmp_path: Path) -> None:
    place = tmp_path / "data" / "mine"
    place.mkdir(parents=True)
    zipfile.ZipFile(pictures()).extractall(place)
    assert chores.folders() == ["mine", "mine/even", "mine/odd"]
    good, bad = (chores.keep_folder(name, name, name, 16, 1, "pad") for name in ("mine", "../.."))
    good.wait(60)
    bad.wait(60)
    assert chores.own(good.result).class_names == ("even", "odd")
    assert "no folder" in bad.error


def test_one_at_a_time_by_key_and_few_in_all(chores: Chores, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def refuse_at_last(*_: object, **__: object) -> None:
        release.wait(60)
        raise DataError("Nothing usable.")

    monkeypatch.setattr("gan_core.engine.exchange.brought.read_apart", refuse_at_last)
    first = chores.keep_zip("0", pictures(), "x", 16, 3, "crop")
    assert chores.keep_zip("0", pictures(), "x", 16, 3, "crop") is first
    for key in range(1, MAX_BUSY):
        chores.keep_zip(str(key), pictures(), "x", 16, 3, "crop")
    with pytest.raises(DataError, match="try again"):
        chores.keep_zip("one more", pictures(), "x", 16, 3, "crop")
    chores.forget("0")
    assert chores.get("0") is first, "busy ones are not forgotten"
    release.set()
    for key in range(MAX_BUSY):
        chore = chores.get(str(key))
        assert chore is not None
        chore.wait(60)
    assert first.error


def test_a_chore_can_be_cancelled(chores: Chores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "READER", [sys.executable, "-c", "import time; time.sleep(60)"])
    chore = chores.keep_zip("k", pictures(), "x", 16, 3, "crop")
    chore.cancel()
    chore.wait(60)
    assert chore.error == "Cancelled; nothing was kept."
    assert not list(chores.folders())


def test_tables_and_paintings_are_kept(chores: Chores) -> None:
    table = chores.keep_table("\n".join(f"{i},{i * i}" for i in range(60)).encode(), "parabola")
    painting = chores.keep_painting(np.eye(64, dtype=np.uint8), "diagonal")
    assert [data_choice(own.name).kind for own in (table, painting)] == ["points", "points"]
    with pytest.raises(DataError, match="Nothing is painted"):
        chores.keep_painting(np.zeros((64, 64)), "empty")


def test_a_table_is_looked_at_before_it_is_taken(chores: Chores) -> None:
    rows = "\n".join(["Zeit;Länge (mm);Höhe;Gruppe", *(f"{i},5;{i % 7},25;-{i},75;{'ab'[i % 2]}" for i in range(60))])
    view = chores.look_at_table(rows.encode("cp1252"))
    assert [(column.name, column.holds, column.numbers) for column in view.columns] == [
        ("Zeit", "numbers", 60),
        ("Länge (mm)", "numbers", 60),
        ("Höhe", "numbers", 60),
        ("Gruppe", "2 labels", 0),
    ]
    assert view.columns[2].first[:2] == ("-0,75", "-1,75")
    assert (view.rows, view.suggested) == (60, None)
    with pytest.raises(DataError, match="3 columns of numbers: Zeit, Länge"):
        chores.keep_table(rows.encode("cp1252"), "x")
    own = chores.keep_table(rows.encode("cp1252"), "x", ["Länge (mm)", "Höhe"])
    assert own.columns == ("Länge (mm)", "Höhe")
    assert chores.own(own.name) == own
    two = chores.look_at_table("\n".join(f"{i} {i % 7}" for i in range(60)).encode())
    assert two.suggested == ("column 1", "column 2")


def test_facts_of_what_was_brought(chores: Chores, tmp_path: Path) -> None:
    chore = chores.keep_zip("k", pictures(), "stripes", 16, 3, "crop")
    chore.wait(60)
    with closing(Classifiers(tmp_path / "cache")) as classifiers:
        facts = dataset_facts(chore.result, classifiers)
        with pytest.raises(ConfigError, match="unknown name"):
            dataset_facts("ringg", classifiers)
        with pytest.raises(DataMissing):
            dataset_facts("cifar10", classifiers)
    assert (facts.shape, facts.counts, facts.counts_train) == ((3, 16, 16), (10, 10), (8, 8))
    pixels = np.array([[i, 2 * i, 255 - i] for i in range(20)]) / 127.5 - 1
    assert facts.pixel_mean == pytest.approx(pixels.mean(), abs=1e-9)
    assert facts.pixel_std == pytest.approx(pixels.std(), abs=1e-9)
    assert sum(facts.pixel_histogram) == 20 * 3 * 16 * 16
    assert facts.judged


def test_a_run_needs_no_upload_again_and_says_what_is_missing(tmp_path: Path) -> None:
    with Lab(tmp_path / "runs", tick=0.05) as lab:
        own = lab.chores.keep_table("\n".join(f"{i % 17},{i % 5}" for i in range(80)).encode(), "points")
        config = RunConfig().replace(
            {
                "data.name": own.name,
                "data.batch_size": 8,
                "model.generator.widths": [4],
                "model.discriminator.widths": [4],
                "schedule.rounds": 100_000_000,
                "diagnostics.samples": 50,
                "device": "cpu",
            }
        )
        run = lab.submit(config)
        lab.command(run, "pause")
        while lab.view(run).status["state"] != "paused":
            time.sleep(0.01)
        lab.command(run, "stop")
        record = lab.wait(run, timeout=60)
        assert record.status == "stopped"
        assert record.summary["metrics"].keys() >= {"sliced_wasserstein", "recall"}
    with Lab(tmp_path / "runs", tick=0.05) as lab:
        again = lab.submit(config.replace({"schedule.rounds": 5}))
        assert lab.wait(again, timeout=60).status == "finished", "another process, and no upload"
        lab.chores.delete(own.name)
        with pytest.raises((DataMissing, ConfigError), match=f"{own.name} is not on this machine"):
            lab.resume(run)
        assert lab.store.run(run).status == "stopped"
        with pytest.raises((DataMissing, ConfigError), match="is not on this machine"):
            lab.submit(config)
    assert DATASETS[own.name].missing()
