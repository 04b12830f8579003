"""The engine from Python: ``from gan_core import RunConfig, train``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gan_core.config import Comparison, RunConfig
from gan_core.engine import Lab, advice, default_root, prepare_classifier, use_store
from gan_core.engine.comparing import standings
from gan_core.engine.comparing.headlines import as_sentence, headlines
from gan_core.engine.exchange import blending
from gan_core.engine.exchange.bringing import bring_pictures, bring_table
from gan_core.engine.exchange.copies import Copies, look_for_copies
from gan_core.engine.exchange.disentangling import disentangle as scores_of
from gan_core.engine.exchange.generator import Generator, open_generator
from gan_core.engine.exchange.hiding import Hidden, what_is_hidden
from gan_core.engine.exchange.translating import open_translator, translator_of
from gan_core.engine.latent import taking
from gan_core.engine.latent.space import open_space
from gan_core.engine.library.history import KnobsByRound
from gan_core.engine.showing.live import stored_view
from gan_core.engine.showing.parts import STANDING, first_of
from gan_core.engine.studies import computing
from gan_core.engine.studies.results import StudyResult, read_study_result
from gan_core.store import Deleted, RunRecord, RunStore

if TYPE_CHECKING:
    import plotly.graph_objects as go

Progress = Callable[[dict[str, Any]], None]
ComparisonProgress = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True)
class Result:
    """A run that has ended. ``scalars`` has one row per round, ``diagnostics`` one per measurement, both with a column
    ``round``; ``metrics`` are the last measurements; ``verdict`` says what the run is like (``state``), since when
    (``onset_round``), why (``sentence``, ``evidence``) and what to try (``cures``); ``state_hash`` is the SHA-256 of the whole
    training state, equal for equal runs.

    ``samples`` maps the rounds at which the run was looked at to what was seen: of images the file of a picture, of points on
    a plane a table (n, 2), on a line the density (bins, 2) as columns x and p, both in the units of the data.
    """

    run: str
    status: str
    rounds: int
    seconds: float
    metrics: dict[str, float]
    state_hash: str | None
    scalars: pd.DataFrame
    diagnostics: pd.DataFrame
    samples: Mapping[int, Any]
    store: Path
    message: str = ""
    verdict: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def generator(self) -> Generator:
        """G as the run left it: ``generator(z, y)`` for z (n, ``generator.latent_dim``). Raises StoreError where no
        checkpoint of the run is left.
        """
        with _opened(self.store) as opened:
            return open_generator(opened, self.run)

    def sample(self, n: int, y: int | str | Sequence[int | str] | None = None, seed: int = 0) -> np.ndarray:
        """``n`` samples of G as the run left it: images uint8 (n, C, H, W), points (n, d) in the units of the data.

        ``y``, of a conditional run only, is a class for all or one for each, as an index or a name. Raises ValueError for a
        class that does not fit, StoreError as ``generator``.
        """
        return self.generator.sample(n, y, seed)

    def plot(self, what: str = "losses") -> go.Figure:
        """A Plotly figure: ``"losses"``, ``"samples"`` of the last look, or a column of ``diagnostics`` or ``scalars``.

        Raises ValueError for anything else, StoreError where nothing was seen.
        """
        from gan_core.ui import result_figures

        with _opened(self.store) as opened:
            return result_figures.figure(opened, opened.run(self.run), what)

    def _repr_html_(self) -> str:
        """What a notebook shows of a result: its end, its verdict, its last samples and measurements."""
        from gan_core.ui import result_figures

        with _opened(self.store) as opened:
            return result_figures.card(opened, opened.run(self.run), self.verdict)


class _Seen(Mapping[int, Any]):
    """What was seen by round; the table of a round is read when somebody asks for it."""

    def __init__(self, files: dict[int, Path]) -> None:
        self._files = files

    def __getitem__(self, round: int) -> Any:
        file = self._files[round]
        if file.suffix != ".json":
            return file
        seen = json.loads(file.read_bytes())
        fake = np.array(seen["fake"], dtype=np.float64)
        return fake.reshape(-1, 2) if "ys" in seen else np.column_stack([seen["xs"], fake])

    def __iter__(self) -> Iterator[int]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"<samples of {len(self)} rounds: {', '.join(map(str, list(self)[:5]))}{', …' if len(self) > 5 else ''}>"


def train(
    config: RunConfig | None = None,
    *,
    store: Path | str | None = None,
    name: str = "",
    knobs: KnobsByRound | None = None,
    until: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train one run to its end in this process and return what was recorded.

    The run is kept in ``store`` (default: ``GANSCOPE_STORE`` or ``runs``), where the dashboard shows it. ``knobs`` are
    turned while it trains: ``{120: {"optimizers.generator.lr": 0.05}}`` acts from round 121 on. ``until`` stops it after so
    many rounds, whatever its clock says. A run that was steered by hand is this with what was turned, bit for bit.
    ``progress(status)`` is called about twice a second. Raises ConfigError for a config that cannot be built; a run
    that fails or diverges is returned with that status. Ctrl-C interrupts the run, saves it and is raised again.
    """
    config = RunConfig() if config is None else config
    use_store(Path(default_root() if store is None else store))  # where a data set of one's own is looked for
    advice(config)  # refused before a store is made for it
    with Lab(default_root() if store is None else store) as lab:
        prepare_classifier(lab, config)
        return follow(lab, lab.submit(config, name=name, knobs=knobs, until=until), progress)


def resume(run_id: str, *, store: Path | str | None = None, progress: Progress | None = None) -> Result:
    """Go on with a run that did not finish, exactly where its newest checkpoint left it. Raises RunNotFound, Refused."""
    with Lab(default_root() if store is None else store) as lab:
        lab.resume(run_id)
        return follow(lab, run_id, progress)


def disentangle(
    run_id: str,
    *,
    at: int | None = None,
    store: Path | str | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> pd.DataFrame:
    """How far the code of a run tells the known factors of its data apart: MIG, SAP, DCI and the FactorVAE score.

    Of its code, of the true factors, of these rotated, of noise and of the main components of the pixels, a row each over
    all factors and one without those that come round. ``at`` is the round of a checkpoint, None the newest;
    ``progress(share, sentence)`` is called now and then.

    Raises RunNotFound, StoreError where there is no checkpoint, no code, or data whose factors nobody knows.
    """
    with _opened(store) as opened:
        return pd.DataFrame([asdict(row) for row in scores_of(opened, run_id, at, progress)[1]])


def hidden(run_id: str, *, at: int | None = None, store: Path | str | None = None) -> Hidden:
    """What F of a CycleGAN from the framed small digits writes into its outputs for G, and what G makes without it: ``rows``
    with the error and the class kept, and a ``picture``. ``at`` is the round of a checkpoint, None the newest.

    Raises RunNotFound, StoreError where there is no checkpoint, no cycle, or data of which nobody knows what lies outside.
    """
    with _opened(store) as opened:
        return what_is_hidden(opened, run_id, at)


def copying(
    run_id: str,
    *,
    at: int | None = None,
    store: Path | str | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Copies:
    """Whether G copies its training pictures: ``found.verdict`` is "copies", "no sign of copying" or "cannot be told", with its
    ``sentence``, and the twelve ``pairs`` that come closest stand in ``picture`` (pairs, 3, C, H, W) beside their nearest
    training and held-out picture. ``at`` is the round of a checkpoint, None the newest.

    Raises RunNotFound, StoreError where there is no checkpoint, nothing drawn from noise, or no pictures to compare with.
    """
    with _opened(store) as opened:
        return look_for_copies(opened, run_id, at, progress)


def delete(*whats: str, store: Path | str | None = None) -> None:
    """Put runs and comparisons into the bin, all of them or none. Raises RunNotFound, StoreError while one is active."""
    with _opened(store) as opened:
        opened.bin.delete(whats)


def deleted(*, store: Path | str | None = None) -> list[Deleted]:
    """What is in the bin, the last deleted first."""
    with _opened(store) as opened:
        return opened.bin.listed()


def restore_run(what: str, *, store: Path | str | None = None) -> None:
    """Take a run or a comparison back from the bin. Raises RunNotFound."""
    with _opened(store) as opened:
        opened.bin.restore(what)


def purge(what: str, *, store: Path | str | None = None) -> None:
    """Remove a run or a comparison that is in the bin for good. Raises RunNotFound, StoreError for one that is not there."""
    with _opened(store) as opened:
        opened.bin.purge(what)


def _opened(store: Path | str | None) -> RunStore:
    return RunStore(default_root() if store is None else store)


def fork(
    run_id: str,
    changes: Mapping[str, Any] | None = None,
    *,
    at: int | None = None,
    store: Path | str | None = None,
    name: str = "",
    knobs: KnobsByRound | None = None,
    until: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Go on from a checkpoint of a run as another run, with dotted settings changed, and train that one to its end.

    ``at`` is the round of the checkpoint; None is the newest. ``knobs`` and ``until`` are those of `train`, in the rounds of
    the fork, which go on counting. ``scalars`` of the result begin with the parent's rounds.
    Raises RunNotFound, Refused where there is no such checkpoint, ConfigError where the changed run cannot be built.
    """
    with Lab(default_root() if store is None else store) as lab:
        child = lab.fork(run_id, changes, at=at, name=name, knobs=knobs, until=until)
        return follow(lab, child, progress)


def encode(run_id: str, *, at: int | None = None, store: Path | str | None = None) -> pd.DataFrame:
    """The codes of up to 500 held-out samples of a run with an encoder: columns ``label`` (−1 without classes) and z1, z2, ….

    ``at`` is the round of a checkpoint, None the newest. Raises RunNotFound, StoreError where there is none or no encoder.
    """
    with _opened(store) as opened:
        codes, labels = taking.held_out_codes(open_space(opened, run_id, at))
    table = pd.DataFrame(codes, columns=[f"z{index}" for index in range(1, codes.shape[1] + 1)])
    table.insert(0, "label", labels)
    return table


def interpolate(
    run_id: str,
    points: Sequence[str] = ("0", "1"),
    *,
    steps: int = 11,
    straight: bool = False,
    seed: int = 0,
    at: int | None = None,
    store: Path | str | None = None,
) -> np.ndarray:
    """Samples on the way through two to four points of a run's latent space, on the sphere or ``straight``: images uint8
    (steps, C, H, W), points (steps, d) in the units of the data.

    A point is ``"12"``, one of 64 draws by ``seed``; ``"s3"``, the mean z of class 3 on the shell, ``"c3"`` where it lies;
    ``"h17"``, the code of a held-out sample. Raises ValueError for another, else as `encode`.
    """
    with _opened(store) as opened:
        return taking.way(open_space(opened, run_id, at), points, steps, straight=straight, seed=seed)


def traverse(
    run_id: str,
    kind: str = "sefa",
    index: int = 0,
    *,
    base: str = "0",
    reach: float = 3.0,
    steps: int = 9,
    seed: int = 0,
    at: int | None = None,
    store: Path | str | None = None,
) -> np.ndarray:
    """Samples of a point moved by −``reach`` to ``reach`` along a direction: ``sefa``, ``dim``, ``class``, ``logistic`` or
    ``pca:LAYER``, the ``index``-th of it. Returns and raises as `interpolate`.
    """
    with _opened(store) as opened:
        return taking.line(open_space(opened, run_id, at), base, kind, index, reach, steps, seed=seed)


def translate(
    run_id: str,
    image: Path | str | np.ndarray,
    *,
    degrade: bool = False,
    at: int | None = None,
    between: str | None = None,
    share: float = 0.5,
    back: bool = False,
    store: Path | str | None = None,
) -> np.ndarray:
    """What a run from picture to picture makes of the picture in a file, uint8 (C, H, W), or of an array of such pictures,
    uint8 (n, C, H, W). With ``degrade`` they are targets, which are degraded first as the run's own were. With ``between``,
    another run, its weights are those at ``share`` of the way to that one's newest. With ``back`` a run without pairs goes from
    B to A, by its F.

    Raises RunNotFound, StoreError where there is no checkpoint, another game, or nothing between the two, DataError for a file
    that is no picture, OSError for one that cannot be opened, ValueError for an array or a share that does not fit.
    """
    with _opened(store) as opened:
        translator = (
            open_translator(opened, run_id, at, back=back)
            if between is None
            else translator_of(blending.open_blend(opened, run_id, between, share, at), back=back)
        )
    if isinstance(image, np.ndarray):
        return translator(image, degrade=degrade)
    made: np.ndarray = translator(translator.picture(Path(image).read_bytes(), str(image))[None], degrade=degrade)[0]
    return made


def along(
    run_id: str,
    other: str,
    shares: Sequence[float] = blending.SHARES,
    *,
    at: int | None = None,
    other_at: int | None = None,
    store: Path | str | None = None,
) -> pd.DataFrame:
    """What held-out outputs read with the weights at each share of the way from a run to another, which went on from it: a row
    each, ``share`` and the measures of pairs, those of a classifier where the store has one. Raises as `translate`.
    """
    with _opened(store) as opened:
        return pd.DataFrame(blending.along(opened, run_id, other, shares, at, other_at))


def study(
    protocol: str,
    settings: Mapping[str, Any] | None = None,
    *,
    store: Path | str | None = None,
    name: str = "",
    progress: Callable[[float, str], None] | None = None,
) -> StudyResult:
    """Compute a study in this process and return what it found: ``study("augmentation", {"sizes": [5, 20]})``, with settings as
    in `gan_core.config.studies`. ``progress(share, sentence)`` is called now and then. Ctrl-C keeps what was computed.

    Raises ConfigError for settings that the protocol does not have, DataError and RunNotFound for what cannot be asked.
    """
    with _opened(store) as opened:
        begun = computing.begin(opened, {**(settings or {}), "protocol": protocol}, name=name)
        computing.compute_here(opened, begun.id, progress or (lambda share, sentence: None))
        return read_study_result(opened, begun.id)


def resume_study(
    study_id: str, *, store: Path | str | None = None, progress: Callable[[float, str], None] | None = None
) -> StudyResult:
    """Go on with a study that did not finish, where it was. Raises RunNotFound, StoreError while it is computed elsewhere."""
    with _opened(store) as opened:
        computing.go_on(opened, study_id, progress or (lambda share, sentence: None))
        return read_study_result(opened, study_id)


def read_study(study_id: str, *, store: Path | str | None = None) -> StudyResult:
    """What a stored study has found until now. Raises RunNotFound."""
    with _opened(store) as opened:
        return read_study_result(opened, study_id)


@dataclass(frozen=True)
class ComparisonResult:
    """A comparison whose runs have ended. ``runs`` by variant and seed; ``table`` has a row per variant, measure and seed;
    ``metrics``, ``sentences`` and ``floors`` are what `gan_core.engine.comparing.standings.to_json` tells, ``headlines`` who is
    sharpest and who covers most, a sentence each.
    """

    comparison: str
    runs: dict[tuple[str, int], Result]
    table: pd.DataFrame
    metrics: dict[str, Any]
    sentences: dict[str, list[str]]
    floors: dict[str, float]
    headlines: list[str] = field(default_factory=list)


def compare(
    comparison: Comparison,
    *,
    store: Path | str | None = None,
    name: str = "",
    progress: ComparisonProgress | None = None,
) -> ComparisonResult:
    """Train every run of a comparison, all of them together, and return where the variants stand.

    ``progress(statuses)`` is called about twice a second with the status of each run. Raises ConfigError, before anything
    is trained, where one of them cannot be built.
    """
    use_store(Path(default_root() if store is None else store))
    for config in comparison.configs().values():
        advice(config)
    with Lab(default_root() if store is None else store) as lab:
        prepare_classifier(lab, comparison.base)
        return follow_comparison(lab, lab.compare(comparison, name=name), progress)


def follow_comparison(lab: Lab, comparison_id: str, progress: ComparisonProgress | None = None) -> ComparisonResult:
    """Wait for the runs of a comparison of this lab to end."""
    members = lab.store.comparison(comparison_id).members
    views = [lab.view(member.run) for member in members]
    while training := [member.run for member in members if lab.is_active(member.run)]:
        lab.wait(training[0], timeout=0.5)
        if progress is not None:
            progress([view.status for view in views])
    found = standings.read_standings(lab.store, comparison_id)
    told = standings.to_json(found, floors := standings.read_floors(lab.store, found))
    rows = [
        {"variant": variant, "metric": metric, "seed": int(seed), "value": value}
        for metric, by_variant in told["metrics"].items()
        for variant, entry in by_variant.items()
        for seed, value in entry["values"].items()
    ]
    return ComparisonResult(
        comparison_id,
        {(standing.variant, standing.seed): read_result(lab.store, standing.run) for standing in found},
        pd.DataFrame(rows, columns=["variant", "metric", "seed", "value"]),
        told["metrics"],
        told["sentences"],
        told["floors"],
        [as_sentence(headline) for headline in headlines(found, floors)],
    )


def read_result(store: RunStore, run: RunRecord) -> Result:
    """What the store holds of a run, also of one that still trains."""
    frames = store.frames(run.id)
    return Result(
        run=run.id,
        status=run.status,
        rounds=run.rounds,
        seconds=float(run.summary.get("seconds", 0.0)),
        metrics=dict(run.summary.get("metrics", {})),
        state_hash=run.summary.get("state_hash"),
        scalars=store.track(run.id, "turns").frame(),
        diagnostics=store.track(run.id, "diagnostics").frame(),
        samples=_Seen(
            {
                frame.round: store.artefact_path(run.id, frame.parts[part]["file"])
                for frame in frames
                if (part := first_of(STANDING, frame.parts))
            }
        ),
        store=store.root,
        message=run.message,
        verdict=run.summary.get("verdict") or stored_view(store, run).status["verdict"],
    )


def follow(lab: Lab, run_id: str, progress: Progress | None = None) -> Result:
    """Wait for a run of this lab to end."""
    view = lab.view(run_id)
    while lab.is_active(run_id):
        lab.wait(run_id, timeout=0.5)
        if progress is not None:
            progress(view.status)
    return read_result(lab.store, lab.store.run(run_id))


__all__ = [
    "ComparisonResult",
    "Result",
    "StudyResult",
    "along",
    "bring_pictures",
    "bring_table",
    "compare",
    "copying",
    "delete",
    "deleted",
    "disentangle",
    "encode",
    "follow",
    "follow_comparison",
    "fork",
    "hidden",
    "interpolate",
    "purge",
    "read_result",
    "read_study",
    "restore_run",
    "resume",
    "resume_study",
    "study",
    "train",
    "translate",
    "traverse",
]
