"""What a stored run is asked for: its code, its translations, its scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from gan_core.api.stores import open_store
from gan_core.engine.exchange import blending
from gan_core.engine.exchange.copies import Copies, look_for_copies
from gan_core.engine.exchange.disentangling import disentangle as scores_of
from gan_core.engine.exchange.hiding import Hidden, what_is_hidden
from gan_core.engine.exchange.translating import open_translator, translator_of
from gan_core.engine.latent import taking
from gan_core.engine.latent.space import open_space


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
    with open_store(store) as opened:
        return pd.DataFrame([asdict(row) for row in scores_of(opened, run_id, at, progress)[1]])


def hidden(run_id: str, *, at: int | None = None, store: Path | str | None = None) -> Hidden:
    """What F of a CycleGAN from the framed small digits writes into its outputs for G, and what G makes without it: ``rows``
    with the error and the class kept, and a ``picture``. ``at`` is the round of a checkpoint, None the newest.

    Raises RunNotFound, StoreError where there is no checkpoint, no cycle, or data of which nobody knows what lies outside.
    """
    with open_store(store) as opened:
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
    with open_store(store) as opened:
        return look_for_copies(opened, run_id, at, progress)


def encode(run_id: str, *, at: int | None = None, store: Path | str | None = None) -> pd.DataFrame:
    """The codes of up to 500 held-out samples of a run with an encoder: columns ``label`` (−1 without classes) and z1, z2, ….

    ``at`` is the round of a checkpoint, None the newest. Raises RunNotFound, StoreError where there is none or no encoder.
    """
    with open_store(store) as opened:
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
    with open_store(store) as opened:
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
    with open_store(store) as opened:
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
    with open_store(store) as opened:
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
    with open_store(store) as opened:
        return pd.DataFrame(blending.along(opened, run_id, other, shares, at, other_at))
