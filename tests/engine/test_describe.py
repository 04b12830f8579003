"""What is said of a configuration before it trains: the columns it will have, and how long it will take."""

from __future__ import annotations

import io
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_core.config import OBJECTIVES, PRESETS, SETTINGS, TRICKS, ConfigError, RunConfig, preset_config
from gan_core.data import DATASETS, ImageSource, places
from gan_core.engine import catalogue, dataset_facts, describe, forecast
from gan_core.engine.showing.pictures import GAP, png, tile
from gan_core.engine.upkeep import classifiers as classifiers_module
from gan_core.engine.upkeep.classifiers import Classifiers
from gan_core.losses import LOSSES
from gan_core.metrics import METRICS
from gan_core.models import ARCHITECTURES
from gan_core.regularizers import PENALTIES
from gan_core.training import build, count_parameters, load_source, play, resolve

SMALL_NETWORKS = {"model.generator.widths": [8], "model.discriminator.widths": [8], "device": "cpu"}


# --- describe ---


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("preset", [name for name in PRESETS if preset_config(name).game == "gan"])
def test_what_is_described_are_the_columns_that_the_game_declares(preset: str, objective: str) -> None:
    changes = {"objective": objective, "device": "cpu", "model.discriminator.normalization": "none"}
    config = resolve(preset_config(preset, changes))
    told = describe(config)
    json.dumps(told, allow_nan=False)
    game = build(config, load_source(config))
    declared = {f"{player.name}.{column}" for player in game.players for column in player.columns}
    assert set(told["labels"]) == declared
    drawn = [column for columns in told["curves"].values() for column in columns]
    assert set(drawn) <= declared
    assert set(told["lines"]) <= declared
    assert len(set(told["labels"].values())) == len(declared), "no two curves of one name"
    assert told["reading"]
    assert told["score_line"] in (None, 0.5)


def test_a_column_that_a_game_adds_would_be_noticed(small: Callable) -> None:
    config = small({"objective": "wgan_gp"})
    told = describe(config)
    assert "D.gp" in told["labels"]
    assert "D.gp" in told["curves"]["losses"]
    assert "D.gp" not in describe(small())["labels"]
    assert describe(small())["lines"]["D.loss"] == [[2 * math.log(2), "2 log 2 = 1.386"]]


# --- forecast ---


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The turns played since: on the only clock that there is, one of D takes 30 ms, one of G 5 ms, and nothing else any."""
    real, played, now = play, list[str](), [0.0]

    def timed(game: Any, before: int = 0, **named: Any) -> Any:
        for turn in real(game, named.get("played", before)):
            played.append(turn.player.name)
            now[0] += {"D": 0.03, "G": 0.005}[turn.player.name]
            yield turn

    for module in ("library.describe", "running.runner"):
        monkeypatch.setattr(sys.modules[f"gan_core.engine.{module}"], "play", timed)
    for clock in ("perf_counter", "thread_time"):
        monkeypatch.setattr(time, clock, lambda: now[0])
    return played


def test_a_forecast_is_what_a_run_takes(turns: list[str], play_job: Callable, small: Callable) -> None:
    config = small({"schedule.rounds": 20, "schedule.n_critic": 3, "diagnostics.every": 1_000_000})
    said = forecast(config, budget_seconds=0.3)
    assert said.parameters == count_parameters(config)
    assert said.device == "cpu"
    took = play_job(config).end.summary["seconds"] / 20 * 1000
    assert took == pytest.approx(1000 * (3 * 0.03 + 0.005))
    assert said.seconds_per_1000_rounds == pytest.approx(took)


def test_a_forecast_keeps_to_its_budget_and_counts_every_step(turns: list[str], small: Callable) -> None:
    """A thousand D steps of 30 ms make a round of half a minute: it is not played, but said."""
    said = forecast(small({"schedule.n_critic": 1000, "schedule.generator_steps": 100}), budget_seconds=0.1)
    assert len(turns) < 50
    assert said.seconds_per_1000_rounds == pytest.approx(1000 * (1000 * 0.03 + 100 * 0.005), rel=0.5)


def test_a_forecast_of_what_cannot_be_built_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="rings"):
        forecast(RunConfig().replace({"data.name": "rings"}))


# --- catalogue ---


def test_the_catalogue_holds_every_entry_in_the_order_of_its_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_store", tmp_path)  # nobody has brought anything here
    registries: dict[str, Any] = {
        "objectives": OBJECTIVES,
        "losses": LOSSES,
        "regularizers": {**PENALTIES, "weight_clipping": None},
        "architectures": ARCHITECTURES,
        "datasets": DATASETS,
        "metrics": METRICS,
        "tricks": TRICKS,
        "games": SETTINGS,
    }
    shown = catalogue()
    assert {kind: list(choices) for kind, choices in shown.items()} == {
        kind: list(entries) for kind, entries in registries.items()
    }
    for choices in shown.values():
        for name, choice in choices.items():
            assert choice.name == name
            assert choice.about.title
            for option in choice.options:
                assert option.least <= option.default <= option.most
    for name, dataset in DATASETS.items():
        assert {option.name: option.default for option in shown["datasets"][name].options} == dataset.options


# --- data sets ---


def facts_of(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stand_in: Callable, **options: Any) -> Any:
    monkeypatch.setattr(classifiers_module, "classifier_for", lambda source, folder, **named: stand_in(source))
    return dataset_facts(name, Classifiers(tmp_path), **options)


def test_the_facts_of_every_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stand_in: Callable) -> None:
    for name, dataset in DATASETS.items():
        if dataset.missing() or name in (
            "stacked",
            "two_digits",
        ):  # no files here; what is put together has tests of its own
            continue
        facts = facts_of(name, tmp_path, monkeypatch, stand_in)
        source = dataset.load()
        assert facts.name == name
        assert facts.shape == source.shape
        if isinstance(source, ImageSource):
            assert facts.kind == "images"
            assert sum(facts.counts) == len(source.x) == facts.n_train + facts.n_heldout
            assert facts.class_names == source.class_names
            assert (facts.classifier is None) == (source.judged is None)
            assert facts.classifier is None or facts.classifier.n_heldout == 1
            picture = Image.open(io.BytesIO(facts.samples))
            height, width = source.shape[1:]
            rows = len(facts.counts) if source.y is not None else 6  # without classes of any kind
            assert picture.size == (12 * (width + GAP) - GAP, rows * (height + GAP) - GAP)
            assert -1 < facts.pixel_mean < 1
        else:
            assert facts.points.shape == (2000, *source.shape)
            assert (facts.kind == "line") == (source.shape == (1,))
            if facts.kind == "line":
                assert np.trapezoid(facts.density, facts.xs) == pytest.approx(1, abs=1e-3)


def test_classes_with_few_images_keep_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stand_in: Callable
) -> None:
    labels = np.array([0] * 3 + [1] * 20 + [2])
    images = np.zeros((24, 1, 4, 4), np.uint8) + (80 * (labels + 1)).astype(np.uint8)[:, None, None, None]
    source = ImageSource(
        "few",
        torch.from_numpy(images),
        torch.from_numpy(labels),
        ("a", "b", "c"),
        torch.arange(20),
        torch.arange(20, 24),
        "fingerprint",
    )
    monkeypatch.setitem(DATASETS, "few", SimpleNamespace(load=lambda: source))
    facts = facts_of("few", tmp_path, monkeypatch, stand_in)
    picture = np.array(Image.open(io.BytesIO(facts.samples)))
    rows = [picture[6 * row + 1, 1 : 72 : 4 + GAP] for row in range(3)]
    assert [sorted(set(row.tolist())) for row in rows] == [[0, 80], [160], [0, 240]]
    assert facts.counts == (3, 20, 1)


def test_an_unknown_data_set_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'ring'"):
        dataset_facts("rinng", Classifiers(tmp_path))


# --- classifiers ---


@pytest.fixture
def source() -> ImageSource:
    return DATASETS["mnist5k"].load()  # type: ignore[return-value]


def test_a_classifier_is_prepared_once_while_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: ImageSource, until: Callable
) -> None:
    import threading

    go, calls = threading.Event(), []

    def train(source: ImageSource, folder: Path, *, progress: Any, cancel: Any) -> str:
        calls.append(folder)
        progress(0.25, "a quarter")
        go.wait(60)
        return "a classifier"

    monkeypatch.setattr(classifiers_module, "classifier_for", train)
    monkeypatch.setattr(classifiers_module, "PATIENCE_SECONDS", 0.05)
    classifiers = Classifiers(tmp_path)
    assert classifiers.progress("mnist5k") is None
    assert [classifiers.get(source) for _ in range(3)] == [None] * 3
    assert classifiers.progress("mnist5k") == (0.25, "a quarter")
    assert classifiers.progress("ring") is None
    heard: list[Any] = []
    waiter = threading.Thread(target=lambda: heard.append(classifiers.wait(source, lambda *said: heard.append(said))))
    waiter.start()
    until(lambda: heard)
    go.set()
    waiter.join(60)
    assert heard[0] == (0.25, "a quarter")
    assert heard[-1] == classifiers.get(source) == classifiers.wait(source) == "a classifier"
    assert classifiers.progress("mnist5k") is None
    assert calls == [tmp_path]


@pytest.mark.parametrize("error", [RuntimeError("no memory"), SystemExit(1)])
def test_a_classifier_that_cannot_be_trained_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: ImageSource, error: BaseException, trouble: list[str]
) -> None:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise error

    monkeypatch.setattr(classifiers_module, "classifier_for", fail)
    classifiers = Classifiers(tmp_path)
    assert classifiers.get(source) is None
    assert "could not be trained" in classifiers.progress("mnist5k")[1]
    with pytest.raises(RuntimeError, match="could not be trained"):
        classifiers.wait(source)
    assert trouble == ["the frozen classifier of mnist5k could not be trained"]
    trouble.clear()


def test_closing_ends_a_training_soon(tmp_path: Path, source: ImageSource) -> None:
    classifiers = Classifiers(tmp_path)
    classifiers.cancel()
    assert classifiers.get(source) is None
    classifiers.close()
    assert not any(job.thread.is_alive() for job in classifiers._jobs.values())
    assert list(tmp_path.iterdir()) == []


# --- pictures ---


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("n", "columns", "shape"), [(1, None, (1, 1)), (5, None, (2, 3)), (64, 8, (8, 8)), (3, 5, (1, 5))]
)
def test_tiles_stand_row_by_row_with_gaps(channels: int, n: int, columns: int | None, shape: tuple[int, int]) -> None:
    x = np.random.default_rng(n).integers(1, 256, (n, channels, 4, 6), dtype=np.uint8)
    picture = tile(x, columns)
    rows, wide = shape
    assert picture.shape == (rows * (4 + GAP) - GAP, wide * (6 + GAP) - GAP) + ((3,) if channels == 3 else ())
    assert picture.dtype == np.uint8
    seen = np.zeros(picture.shape[:2], bool)
    for i, image in enumerate(x):
        row, column = divmod(i, wide)
        place = np.s_[row * (4 + GAP) : row * (4 + GAP) + 4, column * (6 + GAP) : column * (6 + GAP) + 6]
        assert (picture[place] == (image[0] if channels == 1 else image.transpose(1, 2, 0))).all()
        seen[place] = True
    assert not picture[~seen].any(), "what is between is black"
    back = Image.open(io.BytesIO(png(picture)))
    assert back.mode == ("L" if channels == 1 else "RGB")
    assert (np.array(back) == picture).all()
