"""Anomalies: do scores that have seen normal pictures alone tell which pictures are of another kind, and by what?"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from gan_core.about import About
from gan_core.config.studies import AnomalySettings
from gan_core.engine.studies.anomaly_findings import arm_of, findings, parts_of
from gan_core.engine.studies.anomaly_pictures import board, difference, film, triples, unlike
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.cases import Case, case_of
from gan_core.engine.studies.detectors import FAMILIES, SCORES, SECONDS, Detector, fitted, flat
from gan_core.engine.studies.findings import Cell, Value, Values
from gan_core.metrics import anomaly
from gan_core.metrics.outliers import ink
from gan_core.training import Streams

ABOUT = About(
    title="Anomalies",
    paper="Ruff et al., A Unifying Review of Deep and Shallow Anomaly Detection",
    year=2021,
    formula=r"\mathrm{AUROC} = P\bigl(s(x_\text{anomalous}) > s(x_\text{normal})\bigr)",
    idea="Scores learn what normal pictures look like, and nothing else. Then they are asked about new ones, some of which are "
    "of another kind. Beside every learnt score stand those that need no network, and the ink, which learns nothing.",
    watch_for="Rows that follow the ink from class to class: a residual is large where a picture has many bright pixels, "
    "whatever was learnt. A 1 as the anomaly is the test.",
    url="https://arxiv.org/abs/2009.11732",
)
NOTES = (
    "No score has seen an anomaly, and inside a study no setting, round or threshold is chosen by one. The defaults were "
    "chosen with digits in sight: one neighbour, and the settings of the GAN. What is found here is a kind of picture that "
    "was kept from training, or damaged on purpose; others may be found more often, or not at all.",
    "The threshold is set on normal pictures that were kept apart; so its rate of false alarms is known, and how many "
    "anomalies exceed it is not.",
    "A difference picture shows what a model cannot draw, edges first. It is no map of a defect.",
    "D's output is no probability of being normal: D was taught to tell G's pictures from real ones.",
)
FEWEST = 30  # normal pictures, those for the threshold among them, from which a network is trained
RATES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Shares of false alarms that a threshold can be set for by hand."""
CURVE_POINTS = 80
SHOWN, MOST_UNLIKE = 8, 12  # pictures of a strip


def cells(settings: AnomalySettings) -> tuple[Cell, ...]:
    """Seed after seed, case after case, the scores that are fitted together: an arm is a family and a case."""
    return tuple(
        Cell(f"{family}-{place}-{seed}", arm_of(family, case), 0, seed, f"{_titles(family)} for {case}")
        for seed in settings.seeds
        for place, case in enumerate(settings.cases)
        for family in FAMILIES
        if family in settings.families
    )


def _titles(family: str) -> str:
    return ", ".join(SCORES[score].title for score in FAMILIES[family])


def work(settings: AnomalySettings, cell: Cell) -> float:
    """About the seconds of an idle core, for digits of 28×28."""
    family, _ = parts_of(cell)
    if family == "outliers":
        return 2.0
    size = settings.width / 128
    searching = 0.00008 * settings.search_steps * settings.searched * size if family == "gan" else 0.0
    return SECONDS[family] * settings.rounds * settings.batch_size / 64 * size + searching


def compute(settings: AnomalySettings, cell: Cell, bench: Bench) -> Values:
    """Of each score of a family its areas and what exceeds its threshold; with the first seed also pictures.

    Names are ``<score>.<number>``; where there is nothing to tell a number is not there. ``why`` says why there is none at all.
    """
    family, name = parts_of(cell)
    case = bench.shared((settings.question, name, cell.seed), lambda: case_of(settings, name, bench.source, cell.seed))
    if family != "outliers" and case.normals < FEWEST:
        return {"why": f"{case.normals} normal pictures are too few to train a network on; {FEWEST} are needed."}

    def tick(share: float) -> None:
        bench.check()
        bench.progress(0.9 * share)

    found: dict[str, Value] = {"learnt_from": len(case.source.train_index)}
    strange: dict[str, np.ndarray] = bench.shared(("strange", settings.question, name, cell.seed), dict)
    for score, detector in fitted(family, settings, case.source, cell.seed, tick).items():
        asked = searched(case, settings.searched, cell.seed) if score == "anogan" else case
        began = time.process_time()
        scores = detector.score(asked.x)
        seconds = detector.seconds + time.process_time() - began
        normal = detector.score(asked.normal)
        if asked is case:
            strange[score] = anomaly.stranger_than(normal, scores)
        values: dict[str, Value] = {
            **measured(asked, scores, normal, settings.alarms),
            **pixels(asked, detector),
            "seconds": seconds,
        }
        if cell.seed == settings.seeds[0]:
            values |= {**_pictures(asked, detector, scores, normal, bench), **handle(asked, scores, normal)}
        found |= {f"{score}.{key}": value for key, value in values.items()}
    if cell.seed == settings.seeds[0] and family == cells(settings)[-1].arm.partition(" ")[0]:
        found |= _unlike(settings, case, strange, cell.seed, bench)
    return found


def _unlike(
    settings: AnomalySettings, case: Case, strange: dict[str, np.ndarray], seed: int, bench: Bench
) -> dict[str, float | str]:
    """The name of a file with the pictures on which the scores of all families differ most. ``strange`` has by score what
    share of held-out normal pictures each picture is stranger than; what another process computed is computed again.
    """
    for family in settings.families:
        enough = family == "outliers" or case.normals >= FEWEST
        if enough and not set(FAMILIES[family]) - {"anogan"} <= strange.keys():
            for score, detector in fitted(family, settings, case.source, seed, lambda share: bench.check()).items():
                if score != "anogan":
                    strange[score] = anomaly.stranger_than(detector.score(case.normal), detector.score(case.x))
    known = {SCORES[score].title: strange[score] for score in SCORES if score in strange}
    if len(known) < 2:
        return {}
    chosen = np.argsort(-anomaly.disagreement(list(known.values())), kind="stable")[:MOST_UNLIKE]
    told = {title: shares[chosen] for title, shares in known.items()}
    return {"unlike": bench.save("unlike", "png", unlike(case.x[chosen], case.anomalous[chosen], told))}


def searched(case: Case, count: int, seed: int) -> Case:
    """The same with fewer pictures that are asked about, as many anomalies as others, and fewer that set the threshold."""
    draws = Streams(seed).generator("study", "searched")
    anomalous = torch.from_numpy(case.anomalous)
    chosen = []
    for kind in (~anomalous, anomalous):
        places = kind.nonzero()[:, 0]
        chosen.append(places[torch.randperm(len(places), generator=draws)[: count // 2]])
    index = torch.cat(chosen)
    normal = case.normal[torch.randperm(len(case.normal), generator=draws)[: count // 2]]
    mask = None if case.mask is None else case.mask[index]
    return replace(case, normal=normal, x=case.x[index], anomalous=case.anomalous[index], mask=mask)


def measured(case: Case, scores: np.ndarray, normal: np.ndarray, rate: float) -> dict[str, float]:
    """Areas of ``scores`` (n,) of the pictures that are asked about, and what exceeds the threshold of ``normal`` (m,).

    Where nobody says what is anomalous there are no areas, and ``called`` is what exceeds the threshold.
    """
    limit = anomaly.threshold(normal, rate)
    if not case.told:
        called = {"called": anomaly.exceeding(scores, limit)} if np.isfinite(limit.value) else {}
        return {"n": float(len(scores)), **called}
    found = {
        "auroc": anomaly.auroc(scores, case.anomalous),
        "ap": anomaly.average_precision(scores, case.anomalous),
        "floor": anomaly.floor(case.anomalous),
        "alike": anomaly.auroc_among_alike(scores, case.anomalous, ink(flat(case.x))),
        "n": float(len(scores)),
    }
    if np.isfinite(limit.value):
        found |= {
            "found": anomaly.exceeding(scores[case.anomalous], limit),
            "alarms": anomaly.exceeding(scores[~case.anomalous], limit),
        }
    return {key: value for key, value in found.items() if np.isfinite(value)}


def handle(case: Case, scores: np.ndarray, normal: np.ndarray) -> dict[str, Value]:
    """The curve of ``scores`` (n,), thinned, and what a threshold of ``normal`` (m,) does at each of `RATES`.

    Nothing where nobody says what is anomalous.
    """
    if not case.told:
        return {}
    curve = anomaly.roc(scores, case.anomalous)
    chosen = np.unique(np.linspace(0, len(curve.found) - 1, CURVE_POINTS).round().astype(int))
    points = np.stack([curve.false_alarms[chosen], curve.found[chosen]], axis=1)
    steps = anomaly.at_rates(scores, case.anomalous, normal, RATES)
    return {
        "curve": points.round(4).tolist(),
        "steps": steps.tolist(),
        "normals": float((~case.anomalous).sum()),
        "anomalies": float(case.anomalous.sum()),
    }


def pixels(case: Case, detector: Detector) -> dict[str, float]:
    """Areas over the pixels of the damaged pictures: where they differ from what was made of them, where they are damaged."""
    if case.mask is None or detector.again is None or not case.mask.any():
        return {}
    damaged = np.flatnonzero(case.mask.any(axis=(1, 2)))
    x, mask = case.x[damaged], case.mask[damaged].ravel()
    values = difference(x, detector.again(x)).ravel()
    found = {
        "pixel_auroc": anomaly.auroc(values, mask),
        "pixel_ap": anomaly.average_precision(values, mask),
        "pixel_floor": anomaly.floor(mask),
    }
    return {key: value for key, value in found.items() if np.isfinite(value)}


def _pictures(
    case: Case, detector: Detector, scores: np.ndarray, normal: np.ndarray, bench: Bench
) -> dict[str, float | str]:
    """The names of the files: a board of the strangest, a strip of pictures with what was made of them, a film of a search."""
    order = np.argsort(-scores, kind="stable")
    stranger = anomaly.stranger_than(normal, scores)
    found: dict[str, float | str] = {
        "board": bench.save("board", "png", board(case.x, case.anomalous, stranger, order))
    }
    if detector.again is not None:
        x, mask = _typical(case, order)
        found["triples"] = bench.save("triples", "png", triples(x, detector.again(x), mask))
        if detector.film is not None:
            found["film"] = bench.save("film", "gif", film(x, detector.film(x)))
    return found


def _typical(case: Case, order: np.ndarray) -> tuple[torch.Tensor, np.ndarray | None]:
    """As many normal pictures as anomalies, evenly from the least to the most strange of each."""
    half = SHOWN // 2
    chosen = []
    for kind in (False, True):
        places = order[case.anomalous[order] == kind][::-1]
        chosen.append(places[np.linspace(0, len(places) - 1, min(half, len(places))).round().astype(int)])
    index = np.concatenate(chosen)
    return case.x[index], None if case.mask is None else case.mask[index]


__all__ = ["ABOUT", "NOTES", "cells", "compute", "findings", "work"]
