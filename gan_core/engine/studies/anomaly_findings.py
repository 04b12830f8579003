"""What the rows of a study of anomalies say: tables of every case with the worst one, and sentences that they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gan_core.config.studies import AnomalySettings
from gan_core.engine.studies.detectors import FAMILIES, SCORES
from gan_core.engine.studies.findings import (
    Board,
    Cell,
    Chart,
    Curve,
    Findings,
    Handle,
    Row,
    Scalar,
    Sentence,
    Table,
    Tone,
)
from gan_core.metrics.outliers import OUTLIERS
from gan_core.metrics.paired import Effect, effect, say
from gan_core.metrics.seeds import student_interval

BESIDE = "nearest"
"""What every learnt score is judged beside."""
TONES: dict[str, Tone] = {"helps": "good", "hurts": "bad", "cannot be told": "unknown"}
ASKED = {
    "leave_one_out": ("the class that was left out", "one class is left out of training and is the anomaly"),
    "one_class": ("the class that is normal", "one class is normal, and all others are anomalies"),
    "kinds": ("what is normal", "normal pictures were learnt from and others are anomalies"),
    "damaged": ("the damage", "pictures are damaged on purpose"),
}
FEWEST_CASES = 4  # of which a correlation is worth saying


def arm_of(family: str, case: str) -> str:
    return f"{family} {case}"


def parts_of(cell: Cell) -> tuple[str, str]:
    """The family of scores and the case of a cell."""
    family, _, case = cell.arm.partition(" ")
    return family, case


class Numbers:
    """The values of all rows, by score: arrays (cases, seeds), NaN where there is none."""

    def __init__(self, settings: AnomalySettings, rows: Sequence[Row]) -> None:
        self.cases, self.seeds = settings.cases, settings.seeds
        self._values = {(*parts_of(row.cell), row.cell.seed): row.values for row in rows}
        self.scores = [
            score
            for family, scores in FAMILIES.items()
            for score in scores
            if any(key[0] == family and f"{score}.n" in values for key, values in self._values.items())
        ]
        self._family = {score: family for family, scores in FAMILIES.items() for score in scores}

    def of(self, score: str, number: str) -> np.ndarray:
        return np.array([[self._value(score, case, seed, number) for seed in self.seeds] for case in self.cases])

    def by_case(self, score: str, number: str) -> np.ndarray:
        """The mean over the seeds that are there, (cases,)."""
        return _mean(self.of(score, number), 1)

    def by_seed(self, score: str, number: str) -> np.ndarray:
        """The mean over the cases, (seeds,); NaN where a case is missing."""
        return np.asarray(self.of(score, number).mean(axis=0))

    @property
    def measured(self) -> list[str]:
        """Of which there is an area: it is known what is anomalous."""
        return [score for score in self.scores if np.isfinite(self.of(score, "auroc")).any()]

    @property
    def learnt(self) -> list[str]:
        return [score for score in self.measured if score not in OUTLIERS]

    def _value(self, score: str, case: str, seed: int, number: str) -> float:
        values = self._values.get((self._family[score], case, seed), {})
        return float(values.get(f"{score}.{number}", np.nan))  # type: ignore[arg-type]


def findings(settings: AnomalySettings, rows: Sequence[Row]) -> Findings:
    """Areas by score and case with the mean and the worst case, what each threshold does, and each learnt score beside the
    nearest neighbour, seed by seed.
    """
    numbers = Numbers(settings, rows)
    effects = {score: _beside(numbers, score) for score in numbers.learnt} if BESIDE in numbers.measured else {}
    judged = {score: found for score, found in effects.items() if found.interval.n > 1}
    tables = [_areas(settings, numbers), _precisions(settings, numbers), _alarms(settings, numbers)]
    if any(np.isfinite(numbers.of(score, "pixel_ap")).any() for score in numbers.scores):
        tables.append(_pixels(numbers))
    sentences = [
        *_of_effects(effects),
        *_of_worst(settings, numbers),
        *_of_ink(numbers),
        *_of_alarms(settings, numbers),
        *_of_called(settings, numbers),
        *(Sentence(str(why)) for why in dict.fromkeys(row.values["why"] for row in rows if "why" in row.values)),
    ]
    return Findings(
        headline=_headline(settings, numbers, judged),
        sentences=tuple(sentences),
        charts=(_by_case(settings, numbers),) if numbers.measured else (),
        tables=tuple(table for table in tables if table.rows),
        boards=_boards(settings, rows),
        handles=_handles(settings, rows),
        comparisons=len(judged),
    )


def _beside(numbers: Numbers, score: str) -> Effect:
    return effect(numbers.by_seed(score, "auroc"), numbers.by_seed(BESIDE, "auroc"))


# --- sentences ---


def _headline(settings: AnomalySettings, numbers: Numbers, judged: Mapping[str, Effect]) -> Sentence | None:
    """How many learnt scores are above the nearest neighbour, and the largest mean; with its kind of anomaly."""
    if not numbers.measured:
        unknown = Sentence("Nobody says which of the pictures are anomalous, so that no score can be rated.", "unknown")
        return unknown if numbers.scores else None
    means = {score: float(_mean(numbers.by_case(score, "auroc"))) for score in numbers.measured}
    best = max(means, key=lambda score: np.nan_to_num(means[score], nan=-1.0))
    places = numbers.by_case(best, "auroc")
    worst = int(np.nanargmin(places))
    told = f"Where {ASKED[settings.question][1]}, {SCORES[best].title} has the largest "
    if len(numbers.cases) > 1:
        told += f"mean AUROC, {means[best]:.3f}; its worst case is {numbers.cases[worst]} with {places[worst]:.3f}."
    else:
        told += f"AUROC, {means[best]:.3f}."
    if not judged:
        return Sentence(told)
    above = [SCORES[score].title for score, found in judged.items() if found.call == "helps"]
    beside = f"the {SCORES[BESIDE].title.lower()}"
    count = f"{len(judged)} learnt score{'s' if len(judged) > 1 else ''}"
    if above:
        return Sentence(f"{told} Above {beside}: {', '.join(above)}, of {count}.", "good")
    return Sentence(f"{told} None of {count} is above {beside} beyond the spread of the seeds.", "bad")


def _of_effects(effects: Mapping[str, Effect]) -> list[Sentence]:
    beside = f"the {SCORES[BESIDE].title.lower()}"
    return [
        Sentence(say(found, f"{SCORES[score].title} in place of {beside}", unit="points of AUROC"), TONES[found.call])
        for score, found in effects.items()
        if found.interval.n
    ]


def _of_worst(settings: AnomalySettings, numbers: Numbers) -> list[Sentence]:
    """Scores that are worse than a coin somewhere."""
    below: dict[str, list[str]] = {}
    for score in numbers.learnt:
        places = numbers.by_case(score, "auroc")
        known = [place for place in np.argsort(places) if places[place] < 0.5]
        if known:
            told = [f"{numbers.cases[place]} ({places[place]:.2f})" for place in known]
            below[SCORES[score].title] = told
    what = ASKED[settings.question][0]
    return [
        Sentence(f"{title} is worse than a coin where {what} is {', '.join(told)}.", "bad")
        for title, told in below.items()
    ]


def _of_ink(numbers: Numbers) -> list[Sentence]:
    """How far scores follow the ink from case to case."""
    if "ink" not in numbers.scores:
        return []
    told = {SCORES[score].title: with_ink(numbers, score) for score in numbers.learnt}
    known = {title: value for title, value in told.items() if np.isfinite(value)}
    if not known:
        return []
    said = ", ".join(f"{title} {value:.2f}" for title, value in known.items())
    return [Sentence(f"Correlation over the cases of an AUROC with that of the ink, which learns nothing: {said}.")]


def with_ink(numbers: Numbers, score: str) -> float:
    """The correlation of the areas of a score with those of the ink over the cases, NaN of fewer than four."""
    a, b = numbers.by_case(score, "auroc"), numbers.by_case("ink", "auroc")
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < FEWEST_CASES or a[known].std() == 0 or b[known].std() == 0:
        return float("nan")
    return float(np.corrcoef(a[known], b[known])[0, 1])


def _of_alarms(settings: AnomalySettings, numbers: Numbers) -> list[Sentence]:
    """What the threshold of each score does, over all cases."""
    sentences = []
    for score in numbers.scores:
        found, alarms = (float(_mean(numbers.by_case(score, number))) for number in ("found", "alarms"))
        if np.isfinite(found) and score in (BESIDE, *numbers.learnt):
            sentences.append(
                Sentence(
                    f"{SCORES[score].title} finds {found:.0%} of the anomalies and raises false alarms on {alarms:.1%} of "
                    f"normal pictures, {settings.alarms:.0%} as set."
                )
            )
    return sentences


def _of_called(settings: AnomalySettings, numbers: Numbers) -> list[Sentence]:
    """Where nobody says what is anomalous: how many exceed the threshold."""
    told = {score: float(_mean(numbers.by_case(score, "called"))) for score in numbers.scores}
    return [
        Sentence(
            f"{SCORES[score].title} calls {share:.1%} of the pictures anomalous; of normal ones it would call "
            f"{settings.alarms:.0%}, as set."
        )
        for score, share in told.items()
        if np.isfinite(share)
    ]


# --- tables ---


def _areas(settings: AnomalySettings, numbers: Numbers) -> Table:
    columns = ("score", *numbers.cases, "mean", "±", "worst", "with ink", "at equal ink", "CPU s")
    rows: list[tuple[Scalar, ...]] = []
    for score in numbers.measured:
        places = numbers.by_case(score, "auroc")
        interval = student_interval(numbers.by_seed(score, "auroc"))
        alike = float(_mean(numbers.by_case(score, "alike")))
        spent = float(_mean(numbers.of(score, "seconds").ravel()))
        with_it = with_ink(numbers, score) if "ink" in numbers.scores and score != "ink" else float("nan")
        more = [_known(float(_mean(places))), _known(interval.half), _worst(numbers, places)]
        rows.append((SCORES[score].title, *map(_known, places), *more, _known(with_it), _known(alike), _known(spent)))
    return Table(
        f"AUROC, by {ASKED[settings.question][0]}",
        columns,
        tuple(rows),
        "½ is a coin. ± is Student's interval of the mean over the seeds, 95 %. “With ink” is the correlation over the cases "
        "with the row of the ink; “at equal ink” counts only pairs of pictures with about as much ink. CPU s are for one case.",
        {name: ".2f" for name in columns if name not in ("score", "worst", "CPU s", "mean", "±")}
        | {"CPU s": ".1f", "mean": ".3f", "±": ".3f"},
    )


def _precisions(settings: AnomalySettings, numbers: Numbers) -> Table:
    columns = ("score", *numbers.cases, "mean", "worst", "floor")
    rows: list[tuple[Scalar, ...]] = []
    for score in numbers.measured:
        places = numbers.by_case(score, "ap")
        floor = float(_mean(numbers.by_case(score, "floor")))
        rows.append(
            (
                SCORES[score].title,
                *map(_known, places),
                _known(float(_mean(places))),
                _worst(numbers, places),
                _known(floor),
            )
        )
    return Table(
        f"Average precision, by {ASKED[settings.question][0]}",
        columns,
        tuple(rows),
        "The floor is the share of anomalies among the pictures that were asked about, which a score that tells nothing has. "
        "AnoGAN is asked about fewer pictures, half of them anomalies.",
        {name: ".2f" for name in columns if name not in ("score", "worst")} | {"mean": ".3f"},
    )


def _alarms(settings: AnomalySettings, numbers: Numbers) -> Table:
    rows: list[tuple[Scalar, ...]] = []
    for score in numbers.measured:
        found, alarms = numbers.by_case(score, "found"), numbers.by_case(score, "alarms")
        if np.isfinite(found).any():
            shares = (100 * float(_mean(found)), 100 * float(_mean(alarms)))
            rows.append((SCORES[score].title, *shares, _worst(numbers, found)))
    return Table(
        f"With a threshold for {settings.alarms:.0%} of false alarms",
        ("score", "% of anomalies found", "% of normal pictures called anomalous", "found least"),
        tuple(rows),
        "The threshold is a quantile of normal pictures that were kept apart from training and from the test.",
        {"% of anomalies found": ".1f", "% of normal pictures called anomalous": ".1f"},
    )


def _pixels(numbers: Numbers) -> Table:
    columns = ["score"]
    for case in numbers.cases:
        columns += [f"{case} AP", f"{case} floor", f"{case} AUROC"]
    rows: list[tuple[Scalar, ...]] = []
    for score in numbers.measured:
        cells = [numbers.by_case(score, number) for number in ("pixel_ap", "pixel_floor", "pixel_auroc")]
        if np.isfinite(cells[0]).any():
            told = (_known(float(value)) for of_case in zip(*cells, strict=True) for value in of_case)
            rows.append((SCORES[score].title, *told))
    return Table(
        "Pixels that were damaged, by the difference to what was made of a picture",
        tuple(columns),
        tuple(rows),
        "AUROC flatters here: most pixels are black, and are told from the damaged ones by anything. Read the average "
        "precision beside its floor, and the pictures.",
        dict.fromkeys(columns[1:], ".2f"),
    )


def _worst(numbers: Numbers, places: np.ndarray) -> str | None:
    if not np.isfinite(places).any():
        return None
    place = int(np.nanargmin(places))
    return f"{numbers.cases[place]}: {places[place]:.2f}"


def _mean(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Of the finite values, NaN of none; numpy's own would warn."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    return np.asarray(np.where(count > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(count, 1), np.nan))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# --- pictures ---


def _by_case(settings: AnomalySettings, numbers: Numbers) -> Chart:
    curves = []
    for score in numbers.measured:
        known = [
            (float(place), float(area)) for place, area in enumerate(numbers.by_case(score, "auroc")) if area == area
        ]
        x, y = zip(*known, strict=True)
        curves.append(Curve(SCORES[score].title, x, y, dashed=score in OUTLIERS))
    names = ", ".join(f"{place} {case}" for place, case in enumerate(numbers.cases) if str(place) != case)
    return Chart(
        f"AUROC, by {ASKED[settings.question][0]}",
        ASKED[settings.question][0],
        "AUROC",
        tuple(curves),
        levels=(("a coin", 0.5),),
        note=f"Mean over the seeds; dashed: without any network.{f' Along the axis: {names}.' if names else ''}",
    )


STRIPS = (
    (
        "board",
        "Least and most normal",
        "Under each picture: than what share of held-out normal ones it is stranger. Framed: anomalies.",
    ),
    (
        "triples",
        "Beside what was made of them",
        "Four normal pictures, then four anomalies, each from the least to the most strange.",
    ),
    (
        "film",
        "G tries to draw them",
        "Four normal pictures, then four anomalies; G has drawn normal ones alone.",
    ),
)

UNLIKE = (
    "Than what share of held-out normal pictures each score finds a picture stranger. AnoGAN is asked about others."
)


def _handles(settings: AnomalySettings, rows: Sequence[Row]) -> tuple[Handle, ...]:
    """The threshold of each score in each case, with the first seed."""
    handles = []
    for row in rows:
        family, case = parts_of(row.cell)
        for score in FAMILIES[family] if row.cell.seed == settings.seeds[0] else ():
            told = {key: row.values.get(f"{score}.{key}") for key in ("curve", "steps", "normals", "anomalies")}
            if told["steps"] and told["curve"]:
                handles.append(_handle(SCORES[score].title, case, told))
    return tuple(handles)


def _handle(title: str, case: str, told: Mapping[str, Any]) -> Handle:
    return Handle(
        title,
        case,
        tuple((float(x), float(y)) for x, y in told["curve"]),
        tuple((float(rate), int(normals), int(anomalies)) for rate, normals, anomalies in told["steps"]),
        int(told["normals"]),
        int(told["anomalies"]),
    )


def _boards(settings: AnomalySettings, rows: Sequence[Row]) -> tuple[Board, ...]:
    """Of each case the boards of all scores, then pictures with what was made of them, then the films."""
    seed = settings.seeds[0]
    boards = []
    for case in settings.cases:
        of_case = [row.values for row in rows if (parts_of(row.cell)[1], row.cell.seed) == (case, seed)]
        values = {key: value for one in of_case for key, value in one.items()}
        if "unlike" in values:
            boards.append(Board("Where scores disagree most", ((str(values["unlike"]), ""),), UNLIKE, case))
        for kind, title, note in STRIPS:
            named = [(f"{score}.{kind}", about.title) for score, about in SCORES.items()]
            files = tuple((str(values[key]), title) for key, title in named if key in values)
            if files:
                boards.append(Board(title, files, note, case, choice=len(files) > 1))
    return tuple(boards)
