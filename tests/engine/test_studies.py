"""Studies: the same numbers however often they are interrupted, in this process or in one of their own, and what they say."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import waiting
from forking import TEXT, forked

from gan_core import api
from gan_core.config import ConfigError
from gan_core.config.studies import STUDY_SETTINGS, load_study
from gan_core.engine import Lab
from gan_core.engine.studies import augmentation, classified, computing, side_by_side
from gan_core.engine.studies.augmentation import gan_config
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Cell, Row
from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.engine.studies.side_by_side import compute_apart, processes_for
from gan_core.engine.studies.taken import STUDY_EXPORTS
from gan_core.failpoints import EXIT_STATUS, VARIABLE, armed
from gan_core.intake.errors import Cancelled, DataError
from gan_core.store import RunStore, StoreError

ROOT = Path(__file__).parents[2]
TINY = {
    "protocol": "augmentation",
    "data": "digits8",
    "sizes": [2, 4],
    "seeds": [0, 1],
    "steps": 3,
    "batch_size": 8,
    "samples": 2,
    "rounds": 2,
    "gan_batch_size": 8,
}


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with RunStore(tmp_path / "runs") as opened:
        yield opened


def values_of(store: RunStore, study_id: str) -> dict[str, dict[str, Any]]:
    return {row.key: row.values for row in store.studies.rows(study_id)}


def test_the_registries_fit_together() -> None:
    assert list(PROTOCOLS) == list(STUDY_SETTINGS)
    for name, protocol in PROTOCOLS.items():
        settings = load_study({"protocol": name})
        cells = protocol.cells(settings)
        assert protocol.name == name
        assert len({cell.key for cell in cells}) == len(cells) > 0
        seeds = [cell.seed for cell in cells]
        assert seeds == sorted(seeds), "seed after seed: an interrupted study is a smaller one"
        assert all(protocol.work(settings, cell) > 0 for cell in cells)
        empty = protocol.findings(settings, [])  # a study that has just begun
        assert empty.headline is None
        assert empty.comparisons == 0
        assert json.dumps(settings.to_dict())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"protocol": "augmentatoin"}, "did you mean 'augmentation'"),
        ({"protocol": "augmentation", "seeds": [1, 1]}, "the seed 1 stands there twice"),
        ({"protocol": "augmentation", "sizes": []}, "sizes"),
        ({"protocol": "augmentation", "stepz": 3}, "unknown key 'stepz'"),
    ],
)
def test_settings_that_cannot_be_are_a_sentence(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_study(settings)


def test_an_interrupted_study_goes_on_where_it_was_and_ends_the_same(store: RunStore) -> None:
    whole = computing.compute_here(store, computing.begin(store, TINY).id)
    assert (whole.status, whole.done, whole.cells) == ("finished", 20, 20)
    part = computing.begin(store, TINY).id
    with armed("study.cell=interrupt@4x1"), pytest.raises(KeyboardInterrupt):
        computing.compute_here(store, part)
    assert store.studies.read(part).status == "interrupted"
    before = values_of(store, part)
    assert 0 < len(before) < 20
    first = next(iter(before))
    asked = computing.asked(TINY).settings
    again = Bench(store, part, asked)
    cell = next(one for one in computing.asked(TINY).cells if one.key == first)
    assert augmentation.compute(asked, cell, again) == before[first]  # type: ignore[arg-type]
    ended = computing.go_on(store, part, lambda share, sentence: None)
    assert ended.status == "finished"
    assert values_of(store, part) == values_of(store, whole.id)
    assert list(values_of(store, part))[: len(before)] == list(before)  # what is stored is not computed again


def test_after_a_kill_the_study_is_interrupted_with_all_its_rows(store: RunStore) -> None:
    begun = computing.begin(store, TINY)
    program = f"from gan_core import api\napi.resume_study({begun.id!r}, store={str(store.root)!r})"
    store.studies.update(begun.id, status="stopped")
    assert forked(TEXT, program, **{VARIABLE: "study.cell=exit@6"}).returncode == EXIT_STATUS
    killed = store.studies.read(begun.id)
    assert (killed.status, killed.done) == ("interrupted", 5)
    assert computing.go_on(store, begun.id, lambda share, sentence: None).done == 20


def test_two_processes_compute_what_one_does_and_both_are_gone_when_one_is(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = computing.compute_here(store, computing.begin(store, TINY).id)
    begun = computing.begin(store, TINY).id
    monkeypatch.setenv(VARIABLE, "study.cell=exit@3")
    told: list[float] = []
    with pytest.raises(DataError, match="go on with it"):
        compute_apart(store, begun, 2, lambda share, sentence: told.append(share), lambda: False)
    monkeypatch.delenv(VARIABLE)
    part = store.studies.read(begun)
    assert (part.status, 2 <= part.done <= 4) == ("failed", True)
    assert 0 <= told[0] <= told[-1] < 1
    assert computing.go_on(store, begun, lambda share, sentence: None).status == "finished"
    assert values_of(store, begun) == values_of(store, whole.id)


@pytest.mark.parametrize("settings", [TINY, {"protocol": "anomaly"}, {"protocol": "few"}, {"protocol": "copying"}])
def test_parts_have_every_cell_once_and_leave_together_what_is_cheaper_so(settings: dict[str, Any]) -> None:
    one = computing.asked(settings)
    parts = [one.part(place, 2) for place in range(2)]
    assert sorted(cell.key for part in parts for cell in part.cells) == sorted(cell.key for cell in one.cells)
    assert max(part.work for part in parts) < 0.65 * one.work
    apart = [{one.protocol.together(cell) for cell in part.cells} for part in parts]
    assert not apart[0] & apart[1]
    for part in parts:
        assert [cell.seed for cell in part.cells] == sorted(cell.seed for cell in part.cells)


def test_two_processes_where_two_cores_are_free_and_the_study_is_worth_it(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {"protocol": "augmentation"}
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert (processes_for(store, long), processes_for(store, TINY)) == (2, 1)
    assert computing.forecast(store, long, 2)[0] < 0.6 * computing.forecast(store, long)[0]
    monkeypatch.setattr(side_by_side, "training_now", lambda runs: 1)
    assert processes_for(store, long) == 1
    monkeypatch.setattr(side_by_side, "training_now", lambda runs: 5)
    assert processes_for(store, long) == 1


def test_a_lab_computes_studies_in_turn_and_stops_and_resumes_them(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lab.studies.start({**TINY, "seeds": list(range(50))}, key="one click")
    assert lab.studies.start(TINY, key="one click") == first
    second = lab.studies.start({**TINY, "sizes": [2], "seeds": [0]})
    assert lab.studies.progress(second) == (0.0, "waits for 1 before it")
    lab.studies.stop(second)
    assert (lab.store.studies.read(second).status, lab.studies.progress(second)) == ("stopped", None)
    waiting.until(lambda: lab.store.studies.read(first).done, "the first row")
    with pytest.raises(StoreError, match="being computed"):
        lab.studies.resume(first)
    lab.studies.stop(first)
    assert lab.studies.wait(first, 60)
    stopped = lab.store.studies.read(first)
    assert stopped.status == "stopped"
    monkeypatch.setenv(VARIABLE, "study.cell=exit@2")
    lab.studies.resume(first)
    assert lab.studies.wait(first, 60)
    failed = lab.store.studies.read(first)
    assert (failed.status, failed.done) == ("failed", stopped.done + 1)
    assert "ended before it was done" in failed.message
    monkeypatch.delenv(VARIABLE)
    lab.studies.resume(first)
    waiting.until(lambda: lab.store.studies.read(first).done > failed.done, "another row")
    lab.studies.close(60)
    assert lab.store.studies.read(first).status == "interrupted"


def test_what_cannot_be_asked_is_refused_before_anything_is_stored(lab: Lab, small: Any) -> None:
    with pytest.raises(DataError, match="Say which run"):
        lab.studies.start({"protocol": "price"})
    run = lab.submit(small({"schedule.rounds": 1}))
    lab.wait(run)
    with pytest.raises(DataError, match="told the class"):
        lab.studies.start({"protocol": "price", "run": run})
    assert lab.store.studies.listed() == []
    study = lab.studies.start({**TINY, "data": "ring"})
    assert lab.studies.wait(study, 60)
    failed = lab.store.studies.read(study)
    assert (failed.status, failed.message) == ("failed", "A study needs images; 'ring' has none.")


def test_pictures_without_labels_have_no_augmentation(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    study = computing.begin(store, TINY).id
    monkeypatch.setattr(Bench, "source", replace(Bench(store, study, load_study(TINY)).source, y=None))
    with pytest.raises(DataError, match="needs labels"):
        computing.compute_here(store, study)
    assert store.studies.read(study).status == "failed"


def test_no_held_out_picture_is_among_the_few_that_are_learnt_from(store: RunStore) -> None:
    bench = Bench(store, "seen", load_study(TINY))
    marked = bench.source.x.clone()
    marked[bench.source.heldout_index] = 255
    bench.__dict__["source"] = replace(bench.source, x=marked)
    real = classified.real_samples(bench, 100, 0)
    assert len(real) == 1_000
    assert not bool((real.x == 255).flatten(1).all(1).any())


def test_the_gan_sees_its_few_samples_and_nothing_else(store: RunStore) -> None:
    settings = load_study(TINY)
    bench = Bench(store, "seen", settings)
    real = augmentation.real_samples(bench, 2, 0)
    made = augmentation.generated_samples(settings, bench, real, 0)  # type: ignore[arg-type]
    source = bench.source
    spoilt = torch.full_like(source.x, 200)
    spoilt[:] = torch.where(torch.rand(spoilt.shape, generator=torch.Generator().manual_seed(0)) < 0.5, spoilt, 0)
    other = Bench(store, "seen", settings)
    other.__dict__["source"] = replace(source, x=spoilt)
    again = augmentation.generated_samples(settings, other, real, 0)  # type: ignore[arg-type]
    assert torch.equal(made.x, again.x)
    assert made.y.bincount().tolist() == [2] * 10
    more = replace(real, x=255 - real.x)
    assert not torch.equal(augmentation.generated_samples(settings, bench, more, 0).x, made.x)  # type: ignore[arg-type]


def test_the_price_of_a_run_and_what_is_taken_away(lab: Lab) -> None:
    config = gan_config(load_study(TINY), 0)  # type: ignore[arg-type]
    run = lab.submit(config)
    lab.wait(run)
    study = lab.studies.start(
        {"protocol": "price", "run": run, "sizes": [2, 4], "seeds": [0, 1], "steps": 3, "batch_size": 8, "samples": 2}
    )
    assert lab.studies.wait(study, 60)
    record = lab.store.studies.read(study)
    assert (record.status, record.settings["at"], record.settings["data"]) == ("finished", 2, "digits8")
    assert [one.id for one in lab.store.studies.of_run(run)] == [study]
    found = api.read_study(study, store=lab.store.root)
    assert found.sentences[0].startswith("Samples of this G alone teach a classifier as much as")
    assert len(found.table) == 6
    for write in STUDY_EXPORTS.values():
        assert write(lab.store, study) == write(lab.store, study)
    told = json.loads(STUDY_EXPORTS[".json"](lab.store, study))
    assert len(told["rows"]) == 6
    assert told["settings"] == record.settings
    assert STUDY_EXPORTS[".csv"](lab.store, study).splitlines()[0] == b'"key","arm","size","seed","accuracy","held_out"'
    with zipfile.ZipFile(io.BytesIO(STUDY_EXPORTS[".zip"](lab.store, study))) as packed:
        assert {"study.json", "settings.json", "rows.csv", "tables/1.csv"} < set(packed.namelist())


def rows_with(accuracies: dict[tuple[str, int], list[float]]) -> list[Row]:
    return [
        Row(Cell(f"{arm}-{size}-{seed}", arm, size, seed), {"accuracy": value})
        for (arm, size), values in accuracies.items()
        for seed, value in enumerate(values)
    ]


def test_augmentation_says_what_its_rows_carry() -> None:
    settings = load_study({"protocol": "augmentation", "sizes": [5, 20]})
    noise = np.array([0.0, 0.01, -0.01, 0.005, -0.005])
    real = {5: 0.6 + noise, 20: 0.8 + noise}
    accuracies = {
        (arm, size): (real[size] + gain).tolist()
        for size in (5, 20)
        for arm, gain in (("real", 0.0), ("distorted", 0.1 + noise), ("gan", -0.05 + noise), ("both", 0.1 + 2 * noise))
    }
    accuracies["generated", 5], accuracies["generated", 20] = [0.55] * 5, [0.7] * 5
    found = augmentation.findings(settings, rows_with(accuracies))  # type: ignore[arg-type]
    text = [sentence.text for sentence in found.sentences]
    assert text[0] == "With 5 of each class: Shifting and rotating helps by 10.0 ± 1.0 points."
    assert "With 20 of each class: Adding samples of the GAN hurts by 5.0 ± 1.0 points." in text
    assert sum("cannot be told from these 5 seeds" in line for line in text) == 2
    assert any("G was given 20 of each class" in line and "its samples are worth 10:" in line for line in text)
    assert any("G was given 5 of each class" in line and "worth fewer than 5:" in line for line in text)
    assert found.comparisons == 6
    assert found.headline is not None
    assert found.headline.text.endswith("hurts at 5 and 20.")
    one = augmentation.findings(settings, [row for row in rows_with(accuracies) if row.cell.seed == 0])  # type: ignore[arg-type]
    assert one.comparisons == 0
    assert not any("helps" in sentence.text or "hurts" in sentence.text for sentence in one.sentences)


@pytest.mark.slow
def test_arms_that_are_the_same_cannot_be_told_apart(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 studies of five seeds, each with an arm that is ``real`` once more, with other noise."""
    trials, seeds = 200, 5
    settings = load_study({**TINY, "sizes": [5], "seeds": list(range(50)), "steps": 25, "batch_size": 16})
    bench = Bench(store, "null", settings)
    real = classified.real_samples(bench, 5, 0)
    found = np.array(
        [
            classified.arm_accuracy(settings, bench, "real", seed, real, None)  # type: ignore[arg-type]
            for seed in range(2 * trials * seeds)
        ]
    ).reshape(2, trials, seeds)
    calls = [augmentation.effect(arm, beside).call for arm, beside in zip(*found, strict=True)]
    assert calls.count("cannot be told") >= 0.93 * trials


def test_whoever_asks_for_the_end_is_heard_within_a_cell(store: RunStore) -> None:
    study = computing.begin(store, {**TINY, "rounds": 1_000_000}).id
    asked = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 20

    with pytest.raises(Cancelled):
        computing.compute_here(store, study, stopped=stopped)
    assert store.studies.read(study).status == "stopped"
