"""How far a code that nobody named agrees with classes: the best naming of its categories, and what chance would read."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHUFFLES = 20


def contingency(categories: ArrayLike, classes: ArrayLike, num_categories: int, num_classes: int) -> NDArray[np.int64]:
    """Counts (num_categories, num_classes) of pairs of a category (n,) and a class (n,); any other class, such as one for
    samples that nobody can place, is left out. Raises ValueError where the two are not as many."""
    category, label = np.asarray(categories, np.int64), np.asarray(classes, np.int64)
    if category.shape != label.shape or category.ndim != 1:
        raise ValueError(f"a category and a class for each sample are needed, got {category.shape} and {label.shape}")
    placed = (label >= 0) & (label < num_classes)
    table = np.zeros((num_categories, num_classes), np.int64)
    np.add.at(table, (category[placed], label[placed]), 1)
    return table


def code_agreement(categories: ArrayLike, classes: ArrayLike, num_categories: int, num_classes: int) -> float:
    """Share of the n samples that are of the class of their category, under the best naming of each category by a class of
    its own (Kuhn 1955). A sample of no class is wrong. Floor: `code_by_chance`. Raises ValueError for no samples."""
    table = contingency(categories, classes, num_categories, num_classes)
    if not len(np.asarray(categories)):
        raise ValueError("an agreement is of samples")
    from scipy.optimize import linear_sum_assignment  # a tenth of a second to import in every process, for few runs

    named = linear_sum_assignment(table, maximize=True)
    return float(table[named].sum() / len(np.asarray(categories)))


def code_by_chance(categories: ArrayLike, classes: ArrayLike, num_categories: int, num_classes: int) -> float:
    """What `code_agreement` reads on average where the categories are dealt anew: more than 1/K, since the naming is the best
    one after the fact."""
    draw = np.random.default_rng(0)
    dealt = [draw.permutation(np.asarray(categories)) for _ in range(SHUFFLES)]
    return float(np.mean([code_agreement(one, classes, num_categories, num_classes) for one in dealt]))
