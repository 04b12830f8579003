"""Few pictures: how far samples stay from pictures that were held out, with and without augmentation of what D sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from gan_core.about import About
from gan_core.config import ConfigError, RunConfig, preset_config
from gan_core.config.studies import FewSettings
from gan_core.data import ImageSource, to_uint8, to_unit
from gan_core.engine.library.suggesting import PRESET, suggested
from gan_core.engine.observers.by_heart import ByHeart
from gan_core.engine.observers.measuring import FEWEST_RANDOM, RANDOM_FIT, RANDOM_POINTS, RandomComparison
from gan_core.engine.showing.pictures import png, tile
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.classified import by_seed
from gan_core.engine.studies.findings import (
    Board,
    Cell,
    Chart,
    Curve,
    Findings,
    Row,
    Scalar,
    Sentence,
    Table,
    Tone,
    Values,
)
from gan_core.intake.errors import DataError
from gan_core.metrics.paired import Effect, effect, signed
from gan_core.metrics.random_cards import COVERAGE, FRECHET, PRECISION, RECALL
from gan_core.metrics.random_features import random_features
from gan_core.metrics.seeds import Interval, student_interval
from gan_core.training import GAMES, Game, Samples, Streams, build, play, resolve

ABOUT = About(
    title="Few pictures",
    paper="Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training",
    year=2020,
    formula=r"\Delta = d_F(P, G_\text{plain}) - d_F(P, G_T),\quad L_D = \ell_1(D(T(x))) + \ell_0(D(T(\hat x)))",
    idea="GANs are trained on 50 pictures, or 200, as somebody has of their own: once as they are, and once with all that D "
    "sees shifted and with a square cut out. What they draw is measured beside pictures that nobody was trained on.",
    watch_for="Whether the gain grows as pictures get fewer, and whether D still knows them by heart: a low r_v and a better "
    "picture need not come together.",
    url="https://arxiv.org/abs/2006.10738",
)
NOTES = (
    "Both arms have the same pictures, first weights, batches and noise for the samples; each training begins as the "
    "suggestion for so many pictures does, and ends after the same number of rounds, whatever it looks like by then.",
    "Distances are of features of a network with fixed random weights, which see colour and contrast sooner than shape. They "
    "can be compared within one set of pictures only.",
    "A gain in a short training is none in a long one, and the other way round: without augmentation D has less time to learn "
    "the pictures by heart here than in the published runs.",
)
PLAIN, AUGMENTED = ARMS = ("plain", "augmented")
TITLES = {PLAIN: "as they are", AUGMENTED: "augmented"}
JUDGED = {
    "distance": ("Fréchet distance", -1.0, "features²"),
    "coverage": ("coverage", 100.0, "points"),
    "r_v": ("r_v", -1.0, ""),
}
"""What is judged by its title, its sign and scale (a larger number is better after it), and its unit."""
NUMBERS = {"distance": FRECHET, "precision": PRECISION, "recall": RECALL, "coverage": COVERAGE}
TONES: dict[str, Tone] = {"helps": "good", "hurts": "bad", "cannot be told": "unknown"}
SECONDS_A_ROUND = 0.028  # of the suggested DCGAN, 32 pictures of 3×32×32 on an idle core
SHOWN = 32
LARGE_BATCH_FROM = 200


def cells(settings: FewSettings) -> tuple[Cell, ...]:
    """Seed after seed, the sizes in order, both arms of each."""
    return tuple(
        Cell(f"{arm}-{size}-{seed}", arm, size, seed, f"{size} pictures, {TITLES[arm]}")
        for seed in settings.seeds
        for size in sorted(settings.sizes)
        for arm in ARMS
    )


def work(settings: FewSettings, cell: Cell) -> float:
    """About the seconds of an idle core, for pictures of 32×32 in colour."""
    batch = 0.5 if cell.size < LARGE_BATCH_FROM else 1.0
    return SECONDS_A_ROUND * settings.rounds * batch * (1.2 if cell.arm == AUGMENTED else 1.0)


def compute(settings: FewSettings, cell: Cell, bench: Bench) -> Values:
    """What samples read after the last round, beside held-out pictures; with the first seed also a picture of some."""
    source = some_of(bench.source, cell.size, cell.seed)
    config = config_of(settings, cell, source)
    beside = bench.shared("beside", lambda: beside_held_out(source))
    game = _trained(config, source, settings, bench)
    latent = GAMES[config.game].latent(config)
    assert latent is not None
    assert isinstance(game, Samples)
    samples = game.sample(latent(settings.samples, Streams(cell.seed).generator("study", "samples")))
    found: dict[str, float | str] = {"floor": beside.floor[FRECHET], "passes": _passes(config, source)}
    if bool(samples.isfinite().all()):
        measured = beside.measure(random_features(samples))
        heart = ByHeart(config, source).measure(game, samples)
        found |= {name: measured[key] for name, key in NUMBERS.items() if key in measured}
        found |= {"r_v": heart["d_overfitting"]} if "d_overfitting" in heart else {}
        found |= {"leaked": heart["leaked_share"]} if "leaked_share" in heart else {}
    if cell.seed == settings.seeds[0]:
        found["picture"] = bench.save("samples", "png", png(tile(to_uint8(samples[:SHOWN]).numpy(), 8)))
    return found


def some_of(source: ImageSource, count: int, seed: int) -> ImageSource:
    """The same with ``count`` training pictures that a seed draws, the first of any larger number, and without labels.

    Raises DataError where there are fewer.
    """
    known = source.train_index
    if count > len(known):
        raise DataError(f"{source.name} has {len(known):,} training pictures; choose sizes up to that.")
    order = torch.randperm(len(known), generator=Streams(seed).generator("study", "few"))
    return replace(source, y=None, class_names=(), train_index=known[order[:count]])


def beside_held_out(source: ImageSource) -> RandomComparison:
    """Half of the held-out pictures span the space, the others are what samples are measured beside. Raises DataError."""
    held = source.heldout_index
    half = min(RANDOM_POINTS, len(held) // 2)
    if half < FEWEST_RANDOM:
        raise DataError(
            f"{source.name} has {len(held)} held-out pictures; {2 * FEWEST_RANDOM} are needed to measure beside, which a set "
            f"of {10 * FEWEST_RANDOM} pictures has."
        )
    order = held[torch.randperm(len(held), generator=Streams(0).generator("study", "beside"))][: half + RANDOM_FIT]
    features = random_features(to_unit(source.x[order]))
    return RandomComparison(features[half:], features[:half])


def config_of(settings: FewSettings, cell: Cell, source: ImageSource) -> RunConfig:
    """What the suggestion for so many pictures begins with, with the augmentation of an arm. Raises DataError."""
    changes = {
        **suggested(source).changes,
        "data.name": settings.data,
        "data.options": dict(settings.options),
        "schedule.rounds": settings.rounds,
        "tricks.augment": settings.policy if cell.arm == AUGMENTED else "off",
        "seed": cell.seed,
        "device": "cpu",
    }
    try:
        return resolve(preset_config(PRESET, changes))
    except ConfigError as error:
        raise DataError(f"The GAN of this study cannot be built for this data: {error}") from error


def _trained(config: RunConfig, source: ImageSource, settings: FewSettings, bench: Bench) -> Game:
    game = build(config, source)
    for turn in play(game):
        if turn.ends_round:
            bench.check()
            bench.progress(0.98 * turn.round / settings.rounds)
            if turn.round == settings.rounds:
                break
    return game


def _passes(config: RunConfig, source: ImageSource) -> float:
    return config.schedule.rounds * config.data.batch_size / len(source.train_index)


# --- findings ---


def findings(settings: FewSettings, rows: Sequence[Row]) -> Findings:
    """The distance, coverage and r_v of both arms by the number of pictures, and the paired differences."""
    sizes = sorted({row.cell.size for row in rows})
    effects = {
        (name, size): effect(
            sign * _of(settings, rows, AUGMENTED, size, name), sign * _of(settings, rows, PLAIN, size, name)
        )
        for name, (_, sign, _) in JUDGED.items()
        for size in sizes
    }
    judged = {key: found for key, found in effects.items() if found.interval.n > 1}
    sentences = [
        Sentence(_told(settings, rows, name, size, effects[name, size]), TONES[effects[name, size].call])
        for name in JUDGED
        for size in sizes
        if (name, size) in judged
    ]
    if not judged and any(found.interval.n for found in effects.values()):
        sentences = [Sentence("One seed has no interval: what differs cannot be told from it.", "unknown")]
    return Findings(
        headline=_headline(effects, sizes),
        sentences=tuple(sentences),
        charts=_charts(settings, rows, sizes),
        tables=(_table(settings, rows, sizes, effects),) if rows else (),
        boards=_boards(rows),
        comparisons=len(judged),
    )


def _of(settings: FewSettings, rows: Sequence[Row], arm: str, size: int, name: str) -> np.ndarray:
    return by_seed([row for row in rows if name in row.values], arm, size, settings.seeds, name)


def _headline(effects: dict[tuple[str, int], Effect], sizes: Sequence[int]) -> Sentence | None:
    """What augmentation did to the distance, at which numbers of pictures."""
    measured = [(size, found) for size in sizes if (found := effects["distance", size]).interval.n > 1]
    if not measured:
        return None
    told = []
    for call in TONES:
        at = [f"{size:,}" for size, found in measured if found.call == call]
        if at:
            told.append(f"{call} with {' and '.join(filter(None, (', '.join(at[:-1]), at[-1])))}")
    tone: Tone = TONES[measured[0][1].call] if len(told) == 1 else "plain"
    return Sentence(f"Augmenting what D sees, by the number of pictures: {'; '.join(told)}.", tone)


def _told(settings: FewSettings, rows: Sequence[Row], name: str, size: int, found: Effect) -> str:
    title, sign, unit = JUDGED[name]
    plain, changed = (abs(sign) * np.nanmean(_of(settings, rows, arm, size, name)) for arm in (PLAIN, AUGMENTED))
    mean, half = np.sign(sign) * found.interval.mean, found.interval.half
    digits = _digits(name)
    by = " ".join(filter(None, (f"{signed(mean, digits)} ± {half:.{digits}f}", unit)))
    moved = f"{by}, from {plain:.{digits}f} to {changed:.{digits}f}"
    if found.call == "cannot be told":
        return f"With {size:,} pictures, {title}: cannot be told from these {found.interval.n} seeds ({moved})."
    return f"With {size:,} pictures augmentation {found.call}: {title} {moved}."


def _charts(settings: FewSettings, rows: Sequence[Row], sizes: Sequence[int]) -> tuple[Chart, ...]:
    floors = [float(row.values["floor"]) for row in rows if "floor" in row.values]  # type: ignore[arg-type]
    told = "Mean over the seeds after the last round, with Student's interval, 95 %."
    return (
        Chart(
            "Distance from held-out pictures",
            "training pictures",
            "Fréchet distance, random features",
            _curves(settings, rows, sizes, "distance"),
            log_x=True,
            levels=(("two real sets", floors[0]),) if floors else (),
            note=told,
        ),
        Chart(
            "Does D know its pictures by heart?",
            "training pictures",
            "r_v",
            _curves(settings, rows, sizes, "r_v"),
            log_x=True,
            levels=(("not at all", 0.0), ("held-out ones are as generated", 1.0)),
            note=f"{told} With augmentation D is asked about pictures as they are, which it never saw so.",
        ),
    )


def _curves(settings: FewSettings, rows: Sequence[Row], sizes: Sequence[int], name: str) -> tuple[Curve, ...]:
    curves = []
    for arm in ARMS:
        intervals = [student_interval(_of(settings, rows, arm, size, name)) for size in sizes]
        shown = [(float(size), interval) for size, interval in zip(sizes, intervals, strict=True) if interval.n]
        mean, low, high = (tuple(getattr(interval, part) for _, interval in shown) for part in ("mean", "low", "high"))
        curves.append(Curve(TITLES[arm], tuple(size for size, _ in shown), mean, low, high, arm == PLAIN))
    return tuple(curves)


def _table(
    settings: FewSettings, rows: Sequence[Row], sizes: Sequence[int], effects: dict[tuple[str, int], Effect]
) -> Table:
    columns, forms = ["pictures", "times seen", "seeds"], {"times seen": ".0f"}
    for name, (title, _, _) in JUDGED.items():
        columns += [f"{title}, {TITLES[arm]}" for arm in ARMS] + [f"{title}: difference"]
        forms |= {f"{title}, {TITLES[arm]}": f".{_digits(name)}f" for arm in ARMS}
    lines: list[tuple[Scalar, ...]] = []
    for size in sizes:
        line: list[Scalar] = [size, _mean(_of(settings, rows, PLAIN, size, "passes"))]
        line.append(effects["distance", size].interval.n)
        for name, (_, sign, _) in JUDGED.items():
            line += [_mean(abs(sign) * _of(settings, rows, arm, size, name)) for arm in ARMS]
            line.append(_difference(effects[name, size].interval, np.sign(sign), _digits(name)))
        lines.append(tuple(line))
    floor = next((f"{float(row.values['floor']):.2f}" for row in rows if "floor" in row.values), "")  # type: ignore[arg-type]
    return Table(
        "What few pictures cost",
        tuple(columns),
        tuple(lines),
        note="The Fréchet distance is in random features; two sets of real pictures of that size read "
        f"{floor}. Coverage is in %. Differences are augmented less plain, with Student's interval at 95 %.",
        forms=forms,
    )


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _difference(interval: Interval, sign: float, digits: int) -> str | None:
    if not interval.n:
        return None
    mean = signed(sign * interval.mean, digits)
    return f"{mean} ± {interval.half:.{digits}f}" if interval.n > 1 else mean


def _digits(name: str) -> int:
    """After the point; r_v is about 0 to 1."""
    return 2 if name == "r_v" else 1


def _boards(rows: Sequence[Row]) -> tuple[Board, ...]:
    files = tuple((str(row.values["picture"]), row.cell.title) for row in rows if "picture" in row.values)
    return (Board("Samples of G after the last round, with the first seed", files),) if files else ()
