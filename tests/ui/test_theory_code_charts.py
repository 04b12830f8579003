"""The board's figures of games with a code say the numbers that they were given."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gan_core.engine.theory import right_pairs, swapped_pairs
from gan_core.ui import theory_code_charts as charts
from gan_core.ui import theory_code_tabs as tabs
from gan_core.ui.figures import Film


def frames(film: Film, trace: int) -> np.ndarray:
    return next(part.y for part in film.moving if part.trace == trace)


def test_bars_below_the_line_go_dark_and_cost_nothing() -> None:
    eigenvalues, betas = np.array([20.0, 5.0, 0.5]), np.array([0.5, 4.0, 400.0])
    film = charts.threshold(eigenvalues, 0.25, betas)
    on, off, nats, line = (frames(film, trace) for trace in range(4))
    assert line[:, 0] == pytest.approx(0.25 * betas)
    assert np.isfinite(on).sum(1).tolist() == [3, 2, 0]
    assert (np.isfinite(on) ^ np.isfinite(off)).all()
    assert ((nats == 0) == np.isfinite(off)).all()
    assert "2 of 3 dimensions are on" in film.captions[1]
    assert f"{nats[1].sum():.2f} nats" in film.captions[1]


@pytest.mark.parametrize(("fall", "code_dim"), [(1.2, 1), (3.0, 7)])
def test_the_tab_trains_to_probabilistic_pca_wherever_sliders_stand(fall: float, code_dim: int) -> None:
    _, best = tabs._threshold("toy", fall, code_dim)
    trained = tabs._trained(fall, code_dim)
    assert trained.elbo == pytest.approx(best.elbo, abs=1e-2)
    assert trained.elbo <= best.elbo + 1e-6


def test_the_error_of_a_code_stands_beside_guesses_without_one() -> None:
    tabs._components.clear()  # a figure that was kept has its numbers encoded
    film = tabs._components(16)
    heldout = film.figure.data[0]
    assert list(heldout.x) == list(tabs._CODE_DIMS)
    point = film.figure.data[2]
    assert point.y[0] == pytest.approx(heldout.y[tabs._CODE_DIMS.index(16)])
    assert film.captions == (f"q = 16 · held-out digits: {point.y[0]:.4f} a pixel",)
    said = [note.text for note in film.figure.layout.annotations]
    assert any(text.startswith("black: 0.1125") for text in said)
    shown = np.asarray(film.figure.data[3].z)
    assert shown.shape == (4 * 30, 5 * 30)
    originals, kept = shown[:30], shown[30:60]
    assert 0.01 < np.nanmean(np.square(originals - kept)) < 0.06, "reconstructions stand under their originals"


def test_the_points_of_the_three_errors_stand_at_their_cheapest_guesses() -> None:
    film = tabs._blur(3, 6)
    at = int(np.abs(tabs._PS - 0.3).argmin())
    assert "white with probability 0.30" in film.captions[at]
    assert "L1 black" in film.captions[at]
    for trace, best in ((1, 0.3), (3, 0.3), (5, 0.0)):
        (part,) = [part for part in film.moving if part.trace == trace]
        assert part.x is not None
        assert part.x[at] == pytest.approx(best)
        curve = frames(film, trace - 1)[at]
        assert part.y[at] == pytest.approx(np.nanmin(curve), abs=1e-3)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_cells_of_pairs_carry_their_d(swapped: bool) -> None:
    games = [swapped_pairs(4)] if swapped else [right_pairs(4, right) for right in range(5)]
    film = charts.pairs(games, [1.0] if swapped else [right / 4 for right in range(5)], swapped=swapped)
    for trace, wanted in ((0, lambda D: D == 1), (1, lambda D: D == 0), (2, lambda D: (D > 0) & (D < 1))):
        (part,) = [part for part in film.moving if part.trace == trace]
        assert part.x is not None
        for game, rows, columns in zip(games, part.y, part.x, strict=True):
            cells = {(int(r) - 1, int(c) - 1) for r, c in zip(rows, columns, strict=True) if np.isfinite(r)}
            assert cells == {(int(r), int(c)) for r, c in np.argwhere(wanted(game.D))}
    assert frames(film, 4) == pytest.approx([game.value for game in games])
    text = film.figure.data[2].text[0]
    assert text == ("1/5" if swapped else "½")
    assert re.search(r"worth −\d\.\d{3}$", film.captions[-1])


def test_sets_of_pictures_stand_line_under_line() -> None:
    first, second = np.zeros((7, 2, 2)), np.ones((7, 2, 2))
    table = charts.mosaic(first, second, columns=5)
    assert table.shape == (4 * 4, 5 * 4)
    assert [np.nanmean(table[4 * row : 4 * row + 4]) for row in range(4)] == [0, 1, 0, 1]
    assert np.isnan(table[8:, 8:]).all()
