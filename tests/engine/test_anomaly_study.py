"""The study of anomalies: who has seen what, scores that hang on their picture alone, oracles of searches, and what is said."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gan_core.config import ConfigError
from gan_core.config.studies import AnomalySettings, load_study
from gan_core.data import DATASETS, ImageSource, to_unit
from gan_core.data.images import image_source
from gan_core.engine.studies import anomaly
from gan_core.engine.studies import detectors as learning
from gan_core.engine.studies.anomaly_findings import Numbers, findings, with_ink
from gan_core.engine.studies.anomaly_pictures import HEAT, difference, film, heat, triples
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.cases import Case, case_of
from gan_core.engine.studies.detectors import FAMILIES, SCORES, Detector, by_critic, by_residual, by_search, fitted
from gan_core.engine.studies.findings import Cell, Row
from gan_core.intake.errors import DataError
from gan_core.store import RunStore
from gan_core.training import state_hash

ALL = ("outliers", "autoencoder", "vae", "bigan", "gan")
SMALL = {
    "data": "digits8",
    "options": {"size": 8},
    "classes": ("1", "4"),
    "families": ALL,
    "seeds": (0, 1),
    "rounds": 2,
    "width": 8,
    "code_dim": 4,
    "search_steps": 3,
    "searched": 20,
}


def settings(**changes: object) -> AnomalySettings:
    return AnomalySettings(**{**SMALL, **changes})


@cache
def digits() -> ImageSource:
    source = DATASETS["digits8"].load(size=8)
    assert isinstance(source, ImageSource)
    return source


@cache
def detectors(family: str) -> dict[str, Detector]:
    return fitted(family, settings(rounds=40), case_of(settings(), "4", digits(), 0).source, 0)


EACH = [(family, score) for family, scores in FAMILIES.items() for score in scores]


# --- who has seen what ---


@pytest.mark.parametrize("question", ["leave_one_out", "one_class"])
def test_scores_learn_from_no_anomaly_and_from_nothing_asked_about(question: str) -> None:
    source, name = digits(), "4"
    case = case_of(settings(question=question), name, source, 3)
    assert source.y is not None
    is_four = source.y == 4
    normal = ~is_four if question == "leave_one_out" else is_four
    learnt, apart, asked = (
        set(index.tolist()) for index in (case.source.train_index, case.source.heldout_index, source.heldout_index)
    )
    assert all(normal[list(seen)].all() for seen in (learnt, apart))
    assert len(learnt | apart | asked) == len(learnt) + len(apart) + len(asked)
    assert learnt | apart == set(source.train_index[normal[source.train_index]].tolist())
    assert (case.anomalous == ~normal[source.heldout_index].numpy()).all()
    assert 0 < case.anomalous.sum() < len(case.x) == len(source.heldout_index)


@pytest.mark.parametrize("family", ALL)
def test_a_score_hangs_on_no_picture_but_those_that_are_learnt_from(family: str) -> None:
    source = case_of(settings(), "4", digits(), 0).source
    others = torch.full_like(source.x, 77)
    others[source.train_index] = source.x[source.train_index]
    seen = to_unit(digits().x[digits().heldout_index[:10]])
    for score, detector in fitted(family, settings(), replace(source, x=others), 0).items():
        np.testing.assert_array_equal(detector.score(seen), fitted(family, settings(), source, 0)[score].score(seen))


def test_a_damage_is_where_pixels_changed_and_pictures_stay_apart() -> None:
    case = case_of(settings(question="damaged", damages=("half",)), "half", digits(), 0)
    assert case.mask is not None
    assert not case.mask[~case.anomalous].any()
    assert case.mask[case.anomalous].any(axis=(1, 2)).all()
    assert not case.mask[:, : case.mask.shape[1] // 2].any(), "only the lower half is hidden"
    known = {picture.numpy().tobytes() for picture in to_unit(digits().x[case.source.train_index])}
    assert not any(picture.numpy().tobytes() in known for picture in case.x[~case.anomalous])


def test_a_picture_that_a_damage_leaves_as_it_was_is_no_anomaly() -> None:
    source = digits()
    x = source.x.clone()
    x[source.heldout_index[::2]] = 0  # of a black picture the lower half can be hidden without a change
    blank = replace(source, x=x)
    case = case_of(settings(question="damaged", damages=("half",)), "half", blank, 0)
    assert case.mask is not None
    assert 0 < case.anomalous.sum() < len(source.heldout_index) // 2
    assert case.mask[case.anomalous].any(axis=(1, 2)).all()


def test_what_cannot_be_asked_is_a_sentence() -> None:
    with pytest.raises(DataError, match="no class 'four'"):
        case_of(settings(), "four", digits(), 0)
    with pytest.raises(DataError, match="did you mean 'scratched'"):
        case_of(settings(question="damaged"), "scratch", digits(), 0)
    alone = image_source("alone", digits().x[:40].numpy(), np.zeros(40, np.int64), ("all",))
    with pytest.raises(DataError, match="no anomaly to be found"):
        case_of(settings(question="one_class"), "all", alone, 0)
    with pytest.raises(ConfigError, match="stands there twice"):
        load_study({"protocol": "anomaly", "classes": ["1", "1"]})
    assert load_study({"protocol": "anomaly", "classes": [1, "7"]}) == AnomalySettings(classes=("1", "7"))
    own = "own:parts-0123456789abcdef"
    assert AnomalySettings(data=own).cases == ("normal",)
    filled_in = AnomalySettings().to_dict() | {"data": own}
    assert load_study(filled_in).cases == ("normal",)  # type: ignore[attr-defined]
    assert AnomalySettings(data=own, classes=("a", "b")).cases == ("a", "b")
    for classes in ([], None, 7):
        with pytest.raises(ConfigError, match="classes"):
            load_study({"protocol": "anomaly", "data": own, "classes": classes})


# --- scores ---


def test_there_is_a_card_for_each_score_of_each_family() -> None:
    assert [score for scores in FAMILIES.values() for score in scores] == list(SCORES)
    for family in ALL:
        assert tuple(detectors(family)) == FAMILIES[family]


@pytest.mark.parametrize(("family", "score"), EACH)
def test_a_picture_scores_alone_what_it_scores_beside_others(family: str, score: str) -> None:
    """Also with batch normalisation, which BiGAN has: networks that are left in training mode would learn from the test."""
    detector, x = detectors(family)[score], to_unit(digits().x[digits().heldout_index[:12]])
    together = detector.score(x)
    alone = np.concatenate([detector.score(one[None]) for one in x])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(detector.score(x.flip(0)), together[::-1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("family", "score"), [(f, s) for f, s in EACH if s != "d_alone"])
def test_noise_is_stranger_than_what_was_learnt_from(family: str, score: str) -> None:
    case = case_of(settings(), "4", digits(), 0)
    noise = torch.randint(2, (20, 1, 8, 8), generator=torch.Generator().manual_seed(0)).float()
    known = to_unit(case.source.x[case.source.train_index[:20]])
    if score == "ink":
        noise = torch.ones(20, 1, 8, 8)  # it knows no other
    detector = detectors(family)[score]
    assert detector.score(known).mean() < detector.score(2 * noise - 1).mean()


def test_what_d_takes_for_real_is_not_strange() -> None:
    class Believes:
        packing = 1

        def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
            return x.flatten(1).mean(1)  # white is real

    scores = by_critic(Believes()).score(torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4))  # type: ignore[arg-type]
    np.testing.assert_allclose(scores, [1, -1])


def test_the_encoder_of_f_anogan_learns_to_invert_its_g(monkeypatch: pytest.MonkeyPatch) -> None:
    games = []
    train = learning.trained

    def kept(*asked: Any) -> Any:
        games.append(train(*asked))
        return games[-1]

    monkeypatch.setattr(learning, "trained", kept)
    fitted("gan", settings(), case_of(settings(), "4", digits(), 0).source, 0)
    finished, undone = (state_hash(game.networks["G"].state_dict()) for game in games)
    assert finished == undone


def linear(seed: int = 0) -> tuple[Tensor, Tensor]:
    """A linear G from 3 numbers to 4×4 pixels, and pictures of which it can make none exactly."""
    draws = torch.Generator().manual_seed(seed)
    return 0.2 * torch.randn(16, 3, generator=draws), torch.rand(6, 1, 4, 4, generator=draws) - 0.5


def test_an_encoder_that_undoes_g_leaves_nothing() -> None:
    A, _ = linear()
    x = (torch.randn(5, 3, generator=torch.Generator().manual_seed(1)) @ A.T).reshape(5, 1, 4, 4)
    again = by_residual(lambda x: (x.flatten(1) @ torch.linalg.pinv(A).T @ A.T).reshape(x.shape))
    np.testing.assert_allclose(again.score(x), 0, atol=1e-12)
    np.testing.assert_allclose(again.score(x + 2), again.score(x + 2)[0], rtol=1e-3)  # as far from all of its pictures


def test_the_search_reaches_the_least_squares_residual_of_a_linear_g() -> None:
    A, x = linear()
    detector = by_search(lambda z: (z @ A.T).reshape(len(z), 1, 4, 4), 3, 800, 0)
    best = (torch.eye(16) - A @ torch.linalg.pinv(A)) @ x.flatten(1).T
    np.testing.assert_allclose(detector.score(x), (best.square().mean(0) / 4).numpy(), rtol=1e-3)
    few = by_search(lambda z: (z @ A.T).reshape(len(z), 1, 4, 4), 3, 10, 0)
    assert (few.score(x) > detector.score(x) + 1e-4).any(), "ten steps are not enough, or nothing was searched for"


def test_the_film_ends_where_the_search_does_and_never_gets_worse() -> None:
    A, x = linear()
    detector = by_search(lambda z: (z @ A.T).reshape(len(z), 1, 4, 4), 3, 20, 0)
    assert detector.film is not None
    assert detector.again is not None
    seen = list(detector.film(x))
    assert [step for step, _ in seen] == list(range(21))
    assert torch.equal(seen[-1][1], detector.again(x))
    errors = torch.stack([(made - x).square().flatten(1).mean(1) for _, made in seen])
    assert (errors.diff(dim=0) <= 1e-9).all()


# --- a study ---


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    store = RunStore(tmp_path)
    asked = settings()
    store.studies.create("study", name="study", settings=asked.to_dict(), cells=len(anomaly.cells(asked)))
    yield Bench(store, "study", asked)
    store.close()


def test_cells_come_seed_after_seed_and_are_the_same_twice(bench: Bench) -> None:
    cells = anomaly.cells(settings())
    assert [cell.seed for cell in cells] == sorted(cell.seed for cell in cells)
    assert len({cell.key for cell in cells}) == len(cells) == 2 * 2 * len(ALL)
    rows = [Row(cell, anomaly.compute(settings(), cell, bench)) for cell in cells[:5]]
    again = Bench(bench.store, "study", settings())
    for row in reversed(rows):
        values = anomaly.compute(settings(), row.cell, again)
        changed = {key for key, value in values.items() if row.values[key] != value}
        assert all(key.endswith(".seconds") for key in changed)
    found = findings(settings(), rows)
    assert found.tables[0].title == "AUROC, by the class that was left out"
    assert len(found.tables[0].rows) == len(SCORES)
    assert {board.group for board in found.boards} == {"1"}
    assert [len(board.files) for board in found.boards] == [1, 10, 7, 1]
    assert all(bench.store.studies.file("study", name).exists() for board in found.boards for name, _ in board.files)
    assert found.comparisons == 0, "one seed judges nothing"


def test_stopping_is_heard_amid_the_training(bench: Bench) -> None:
    seen: list[float] = []
    bench.progress = seen.append
    bench.stopped = lambda: len(seen) > 0
    with pytest.raises(Exception, match="Stopped"):
        anomaly.compute(settings(rounds=1000), Cell("gan-0-0", "gan 1", 0, 0), bench)
    assert len(seen) == 1


def test_too_few_normal_pictures_train_no_network(bench: Bench) -> None:
    few = image_source("few", digits().x[:60].numpy(), np.repeat([0, 1], 30), ("good", "bad"))
    bench.source = few
    asked = settings(question="one_class", classes=("good",))
    assert "too few to train a network" in anomaly.compute(asked, Cell("vae-0-0", "vae good", 0, 0), bench)["why"]
    assert "pca.auroc" in anomaly.compute(asked, Cell("outliers-0-0", "outliers good", 0, 0), bench)


# --- what is said ---


def rows_of(areas: dict[str, list[list[float]]], asked: AnomalySettings) -> list[Row]:
    """Rows with given areas by score, case and seed."""
    rows = []
    for family, scores in FAMILIES.items():
        for case in range(len(asked.cases)):
            for place, seed in enumerate(asked.seeds):
                values = {
                    f"{score}.{key}": value
                    for score in scores
                    if score in areas
                    for key, value in (
                        ("n", 100.0),
                        ("auroc", areas[score][case][place]),
                        ("ap", 0.2),
                        ("floor", 0.1),
                        ("found", 0.3),
                        ("alarms", 0.05),
                    )
                }
                rows.append(Row(Cell(f"{family}-{case}-{seed}", f"{family} {asked.cases[case]}", 0, seed), values))
    return rows


def test_the_worst_case_and_the_ink_stand_beside_every_mean() -> None:
    asked = settings(classes=("0", "1", "2", "3"))
    ink = [[0.8, 0.8], [0.1, 0.1], [0.6, 0.6], [0.5, 0.5]]
    areas = {
        "ink": ink,
        "nearest": [[0.95, 0.96], [0.6, 0.6], [0.9, 0.9], [0.9, 0.91]],
        "f_anogan": [[v + 0.1 for v in row] for row in ink],
    }
    found = findings(asked, rows_of(areas, asked))
    table = found.tables[0]
    row = dict(zip(table.columns, next(row for row in table.rows if row[0] == "f-AnoGAN"), strict=True))
    assert row["worst"] == "1: 0.20"
    assert row["with ink"] == pytest.approx(1.0)
    assert row["mean"] == pytest.approx(0.6)
    assert [row[0] for row in table.rows] == ["Ink", "Nearest neighbour", "f-AnoGAN"]
    told = " ".join(sentence.text for sentence in found.sentences)
    assert "f-AnoGAN is worse than a coin where the class that was left out is 1 (0.20)." in told
    assert "f-AnoGAN in place of the nearest neighbour hurts by" in told
    assert found.headline is not None
    assert "None of 1 learnt score is above the nearest neighbour" in found.headline.text
    assert found.comparisons == 1
    assert "finds 30% of the anomalies and raises false alarms on 5.0% of normal pictures, 5% as set" in told


def test_one_seed_and_a_missing_case_carry_no_comparison() -> None:
    asked = settings(seeds=(0,))
    areas = {"nearest": [[0.9], [0.8]], "vae": [[0.5], [0.4]]}
    found = findings(asked, rows_of(areas, asked))
    assert found.comparisons == 0
    assert any("cannot be told from this one seed" in sentence.text for sentence in found.sentences)
    only_one = [
        row
        for row in rows_of({"nearest": [[0.9, 0.9]] * 2, "vae": [[0.5, 0.5]] * 2}, settings())
        if row.cell.arm.endswith(" 1")
    ]
    found = findings(settings(), only_one)
    assert found.comparisons == 0
    assert found.tables[0].rows[0][1:3] == (0.9, None)
    assert findings(settings(), []).headline is None


def test_a_correlation_needs_four_cases() -> None:
    asked = settings(classes=("0", "1", "2"))
    areas = {"ink": [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]], "vae": [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]}
    assert np.isnan(with_ink(Numbers(asked, rows_of(areas, asked)), "vae"))


# --- pictures ---


def test_a_changed_pixel_has_the_greatest_heat_on_a_fixed_scale() -> None:
    x = torch.zeros(2, 3, 6, 6)
    x[1, :, 2, 4] = 0.5
    far = difference(x, torch.zeros(2, 3, 6, 6))
    assert np.unravel_index(far[1].argmax(), far[1].shape) == (2, 4)
    assert far[1].max() == pytest.approx(0.25)
    assert (heat(far)[0] == HEAT[0][1]).all()
    assert (heat(far)[1, 2, 4] == HEAT[1][1]).all(), "no picture has a scale of its own"
    assert (heat(np.full((1, 2, 2), 7.0)) == HEAT[-1][1]).all()


def test_a_film_is_a_gif_whose_last_picture_is_the_end() -> None:
    x = torch.zeros(3, 1, 8, 8)
    made = [(step, torch.full((3, 1, 8, 8), step / 50)) for step in range(51)]
    with Image.open(io.BytesIO(film(x, iter(made)))) as picture:
        assert 5 < picture.n_frames <= 30
        first = np.asarray(picture.convert("RGB"))
        picture.seek(picture.n_frames - 1)
        assert (np.asarray(picture.convert("RGB")) != first).any()


def test_masks_have_a_row_of_their_own() -> None:
    x = torch.zeros(2, 1, 8, 8)
    with (
        Image.open(io.BytesIO(triples(x, x))) as plain,
        Image.open(io.BytesIO(triples(x, x, np.zeros((2, 8, 8), bool)))) as more,
    ):
        assert more.height > plain.height


def test_the_threshold_is_of_held_out_normal_pictures_alone() -> None:
    normal = np.arange(100.0)
    x = torch.zeros(40, 1, 8, 8)
    told = []
    for anomalies in (10, 30):
        case = Case("some", digits(), x, x, np.repeat([False, True], [40 - anomalies, anomalies]))
        scores = np.concatenate([np.full(40 - anomalies, 50.0), np.full(anomalies, 99.5)])
        told.append(
            {key: value for key, value in anomaly.measured(case, scores, normal, 0.05).items() if key != "floor"}
        )
    assert told[0]["alarms"] == told[1]["alarms"] == 0.0
    assert told[0]["found"] == told[1]["found"] == 1.0


def test_pixels_are_judged_where_the_damage_is_known() -> None:
    x = -torch.ones(4, 1, 4, 4)
    mask = np.zeros((4, 4, 4), bool)
    x[2:, :, 1, 1] = 1
    mask[2:, 1, 1] = True
    case = Case("dot", digits(), x, x, np.array([False, False, True, True]), mask)
    blind, sharp = by_residual(lambda x: x), by_residual(lambda x: -torch.ones_like(x))
    assert anomaly.pixels(case, sharp)["pixel_ap"] == 1.0
    assert (
        anomaly.pixels(case, blind)["pixel_ap"] == anomaly.pixels(case, blind)["pixel_floor"] == pytest.approx(1 / 16)
    )
    assert anomaly.pixels(replace(case, mask=None), sharp) == {}
