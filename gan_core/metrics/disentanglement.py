"""Disentanglement: how far each factor that images were made of stands in one number of a code, by four scores.

Pure functions of codes (n, D) and factors (n, F), values 0 … size − 1. No score tells by itself: a rotation of the true
factors costs most of the MIG and hardly any of the FactorVAE score, and a code that holds all factors in one number keeps much
of its MIG. Locatello et al. (2019, https://arxiv.org/abs/1811.12359) compare them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 20
ACTIVE_SHARE = 0.05
"""Of the largest variance of a dimension: what varies less is not in use."""
TREES, DEPTH, LEAF = 20, 12, 4
FITTED, JUDGED = 4_000, 1_500  # images that a forest of DCI sees, and others that it is judged by
BATCH, VOTES, TESTS = 64, 800, 400

Codes = NDArray[np.float64]
Table = NDArray[np.int64]


class Dci(NamedTuple):
    """1 is best: each number of the code says of one factor alone, each factor stands in one number alone, all is told."""

    disentanglement: float
    completeness: float
    informativeness: float


# --- mutual information ---


def in_bins(codes: ArrayLike, bins: int = BINS) -> Table:
    """Each column of ``codes`` (n, D) in so many equal bins from its least to its largest value, 0 … bins − 1."""
    values = np.asarray(codes, np.float64)
    low, high = values.min(axis=0), values.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    return np.minimum(((values - low) / width * bins).astype(np.int64), bins - 1)


def entropy(values: ArrayLike) -> float:
    """−Σ p log p of the values (n,) that occur, in nats, as they were counted."""
    shares = np.unique(np.asarray(values), return_counts=True)[1] / np.asarray(values).size
    return float(-(shares * np.log(shares)).sum())


def mutual_information(first: ArrayLike, second: ArrayLike) -> float:
    """I(a; b) in nats of two columns (n,) of whole numbers, as they were counted."""
    a, b = (np.unique(np.asarray(column), return_inverse=True)[1] for column in (first, second))
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1 / len(a))
    apart = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True)
    there = table > 0
    return float((table[there] * np.log(table[there] / apart[there])).sum())


def mig(codes: ArrayLike, factors: ArrayLike) -> float:
    """Mutual information gap (Chen et al. 2018): for each factor the information of the best number of the code less that of
    the second best, over the entropy of the factor; their mean. The true factors read 1, noise 0."""
    return float(np.mean(mutual_information_gaps(codes, factors)))


def mutual_information_gaps(codes: ArrayLike, factors: ArrayLike) -> NDArray[np.float64]:
    """The gap of each factor, (F,). A code of one number has nothing that is second best."""
    binned, known = in_bins(codes), _table(factors)
    gaps = []
    for factor in known.T:
        shared = sorted((mutual_information(column, factor) for column in binned.T), reverse=True)
        gaps.append((shared[0] - (shared[1] if len(shared) > 1 else 0.0)) / entropy(factor))
    return np.array(gaps)


# --- separated attribute predictability ---


def sap(codes: ArrayLike, factors: ArrayLike, unordered: Sequence[bool]) -> float:
    """Separated attribute predictability (Kumar et al. 2018): how much of each factor the best number of the code explains,
    less what the second best does; the mean. R² of a line where values are ordered, the correlation ratio η² where they are
    not, since a line sees no circle."""
    return float(np.mean(predictability_gaps(codes, factors, unordered)))


def predictability_gaps(codes: ArrayLike, factors: ArrayLike, unordered: Sequence[bool]) -> NDArray[np.float64]:
    """The same of each factor, (F,)."""
    values, known = np.asarray(codes, np.float64), _table(factors)
    gaps = []
    for factor, kind in zip(known.T, unordered, strict=True):
        explained = sorted(_ratio(values, factor) if kind else _r_squared(values, factor), reverse=True)
        gaps.append(explained[0] - (explained[1] if len(explained) > 1 else 0.0))
    return np.array(gaps)


def _r_squared(values: Codes, factor: NDArray[np.int64]) -> NDArray[np.float64]:
    """The squared correlation of each column with a factor, (D,); 0 for a column that is constant."""
    x, y = values - values.mean(axis=0), factor - factor.mean()
    norms = (x**2).sum(axis=0) * (y**2).sum()
    return np.divide((x * y[:, None]).sum(axis=0) ** 2, norms, out=np.zeros(values.shape[1]), where=norms > 0)


def _ratio(values: Codes, factor: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each column's variance that lies between the values of a factor, (D,)."""
    index, counts = np.unique(factor, return_inverse=True, return_counts=True)[1:]
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, index, values)
    middle = values.mean(axis=0)
    between = (counts[:, None] * (sums / counts[:, None] - middle) ** 2).sum(axis=0)
    whole = ((values - middle) ** 2).sum(axis=0)
    return np.divide(between, whole, out=np.zeros(values.shape[1]), where=whole > 0)


# --- disentanglement, completeness, informativeness ---


def dci(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> Dci:
    """Disentanglement, completeness and informativeness (Eastwood and Williams 2018), from what a random forest of all
    numbers of the code takes each factor by, and how often it is right on images that it has not seen.
    """
    return of_forests(*forests(codes, factors, seed))


def forests(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The importances (D, F), and the share of other images of which each factor is told right, (F,).

    A forest that sees a random choice of the numbers at each split, as is its custom, would use others beside the right one.
    """
    from sklearn.ensemble import RandomForestClassifier  # takes a second to import

    values, known = np.asarray(codes, np.float64), _table(factors)
    order = np.random.default_rng(seed).permutation(len(values))
    judged = order[: min(JUDGED, len(order) // 4)]
    fitted = order[len(judged) :][:FITTED]
    importance, right = [], []
    for factor in known.T:
        forest = RandomForestClassifier(
            TREES, max_depth=DEPTH, min_samples_leaf=LEAF, max_features=None, random_state=seed, n_jobs=1
        )
        forest.fit(values[fitted], factor[fitted])
        importance.append(forest.feature_importances_)
        right.append(forest.score(values[judged], factor[judged]))
    return np.stack(importance, axis=1), np.array(right)


def of_forests(importance: ArrayLike, right: ArrayLike) -> Dci:
    """The three scores from importances (D, F) and the shares that are right (F,)."""
    return Dci(
        disentanglement_of(importance), completeness_of(importance), float(np.mean(np.asarray(right, np.float64)))
    )


def disentanglement_of(importance: ArrayLike) -> float:
    """Σ_i ρ_i (1 − H_F(P_i·)) for importances (D, F): the rows by their weight, entropies to the base of the factors."""
    R = np.asarray(importance, np.float64)
    weights = R.sum(axis=1)
    return float((weights * _certainty(R)).sum() / weights.sum()) if weights.sum() > 0 else 0.0


def completeness_of(importance: ArrayLike) -> float:
    """Σ_j w_j (1 − H_D(P·j)): the same of the columns, entropies to the base of the numbers of the code."""
    return disentanglement_of(np.asarray(importance, np.float64).T)


def _certainty(R: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 − the entropy of each row as shares, over the largest there can be; 1 where there is one column."""
    if R.shape[1] == 1:
        return np.ones(len(R))
    sums = R.sum(axis=1, keepdims=True)
    shares = np.divide(R, sums, out=np.full_like(R, 1 / R.shape[1]), where=sums > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return 1 + (shares * logs).sum(axis=1) / np.log(R.shape[1])


# --- the FactorVAE score ---


def active(codes: ArrayLike) -> NDArray[np.bool_]:
    """Which numbers of the code are in use, (D,): those whose variance is more than a share of the largest."""
    variance = np.asarray(codes, np.float64).var(axis=0)
    return variance > ACTIVE_SHARE * variance.max()


def factor_vae_score(codes: ArrayLike, factors: ArrayLike, seed: int = 0) -> float:
    """Share of right votes (Kim and Mnih 2018): of images that agree in one factor, which is it? The number of the code that
    varies least among them, over its variance at large, votes for the factor that it most often stood for.

    True factors read 1, noise 1/F. Dimensions that are not in use have no vote.
    """
    values, known = np.asarray(codes, np.float64), _table(factors)
    used = active(values)
    if not used.any():
        return 1 / known.shape[1]
    scaled = values[:, used] / values[:, used].std(axis=0)
    draw = np.random.default_rng(seed)
    members = [[np.flatnonzero(factor == value) for value in np.unique(factor)] for factor in known.T]

    def vote() -> tuple[int, int]:
        fixed = int(draw.integers(known.shape[1]))
        same = members[fixed][int(draw.integers(len(members[fixed])))]
        return int(scaled[draw.choice(same, BATCH)].var(axis=0).argmin()), fixed

    counted = np.zeros((int(used.sum()), known.shape[1]))
    np.add.at(counted, tuple(np.array([vote() for _ in range(VOTES)]).T), 1)
    stands_for = counted.argmax(axis=1)
    return float(np.mean([stands_for[least] == fixed for least, fixed in (vote() for _ in range(TESTS))]))


def _table(factors: ArrayLike) -> Table:
    table = np.asarray(factors, np.int64)
    if table.ndim != 2:
        raise ValueError(f"factors have shape (n, F), got {table.shape}")
    return table
