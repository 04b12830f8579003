"""The board's figures of games with a code: numbers of `gan_core.engine.theory` in, a film out. Pure: no Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gan_core.engine.theory import PairGame, best_guess, collapse_nats, expected_error, swapped_pairs
from gan_core.ui import theme
from gan_core.ui.figures import Film, Moving, floats, layout
from gan_core.ui.theory_parts import (
    LARGE,
    axes_of,
    in_words,
    level_at,
    line_of,
    point_of,
    suffix_of,
    two_columns,
)

LOG4 = float(np.log(4.0))
ON, OFF = theme.FUNCTIONS["coder"], theme.UNSURE
INK = [[0, "#000000"], [1, "#ffffff"]]
ERRORS = {"mse": ("MSE", theme.MARK, "solid"), "bce": ("BCE", "#E69F00", "dash"), "l1": ("L1", "#56B4E9", "solid")}
"""Title, colour and dash of each error of a reconstruction."""
_MOST_COST = 1.6  # of a guess that is drawn; the cross-entropy of a certain mistake has no end


def threshold(eigenvalues: np.ndarray, variance: float, betas: np.ndarray) -> Film:
    """The eigenvalues (n,) against the line βσ², and the nats that each dimension of the code has left; a frame per β.

    Traces: dimensions that are on, those that are off, the line, the nats.
    """
    titles = ["dimension of the code", "dimension of the code"], ["variance of the data, λ", "KL (nats)"]
    figure = go.Figure(layout={**two_columns(1, *titles, split=0.54), "barmode": "overlay", "bargap": 0.25})
    places = np.arange(1, len(eigenvalues) + 1, dtype=float)
    lines = betas * variance
    on = np.where(eigenvalues > lines[:, None], eigenvalues, np.nan)
    off = np.where(eigenvalues > lines[:, None], np.nan, eigenvalues)
    nats = np.array([collapse_nats(eigenvalues, float(beta), variance) for beta in betas])
    for values, name, colour, panel in (
        (on[0], "on", ON, 1),
        (off[0], "off", theme.rgba(OFF, 0.55), 1),
        (nats[0], "KL of each dimension", ON, 2),
    ):
        bars = go.Bar(x=floats(places), y=floats(values), name=name, marker={"color": colour, "line": {"width": 0}})
        figure.add_trace(bars.update(hovertemplate="%{x}: %{y:.3g}", showlegend=panel == 1, **axes_of(panel)))
    ends = np.array([0.4, len(places) + 0.6])
    figure.add_trace(line_of(ends, np.repeat(lines[0], 2), "βσ²", theme.MARK))
    least = min(float(eigenvalues[eigenvalues > 0].min()), float(lines.min()))
    most = max(float(eigenvalues.max()), float(lines.max()))
    figure.update_layout(
        xaxis={"range": list(ends)},
        xaxis2={"range": list(ends)},
        yaxis={"type": "log", "dtick": 1, "range": [np.log10(0.6 * least), np.log10(1.6 * most)]},
        yaxis2={"range": [0, 1.08 * float(nats.max()) + 0.05]},
    )
    moving = (
        Moving(0, "frames", on),
        Moving(1, "frames", off),
        Moving(2, "frames", nats),
        Moving(3, "frames", np.repeat(lines[:, None], 2, axis=1)),
    )
    captions = tuple(
        f"β = {in_words(beta, '.3g')} · βσ² = {in_words(line, '.3g')} · {np.isfinite(left).sum()} of {len(places)} dimensions "
        f"are on · KL in total {kl.sum():.2f} nats"
        for beta, line, left, kl in zip(betas, lines, on, nats, strict=True)
    )
    return Film(figure, captions, moving)


def components(
    code_dims: Sequence[int],
    errors: Mapping[str, np.ndarray],
    constants: Mapping[str, float],
    at: int,
    pictures: tuple[np.ndarray, np.ndarray],
) -> Film:
    """The squared error over the length of the code, and originals (n, h, w) above reconstructions by ``at`` components.

    ``errors`` are curves over ``code_dims``, held-out digits first; ``constants`` are levels. One frame.
    """
    figure = go.Figure(
        layout=two_columns(1, ["length of the code, q", ""], ["squared error of a pixel", ""], split=0.5)
    )
    for (name, curve), colour in zip(errors.items(), (theme.G, theme.UNSURE), strict=True):
        dash = "solid" if colour == theme.G else "dot"
        figure.add_trace(line_of(np.array(code_dims), curve, name, colour, dash=dash).update(mode="lines+markers"))
    index = list(code_dims).index(at)
    error = float(next(iter(errors.values()))[index])
    figure.add_trace(point_of(theme.G).update(x=[at], y=[error]))
    for name, value in constants.items():
        level_at(figure, 1, value, f"{name}: {value:.4f}")
    top = 1.12 * max(constants.values())
    figure.update_layout(xaxis={"type": "log", "dtick": "D2"}, yaxis={"range": [0, top]})
    add_pictures(figure, 2, mosaic(*pictures), "held-out digits, and what is left of them")
    caption = f"q = {at} · held-out digits: {error:.4f} a pixel"
    return Film(figure, (caption,), ())


def one_pixel(ps: np.ndarray, digits: np.ndarray, mean: np.ndarray, median: np.ndarray) -> Film:
    """What every guess for one pixel costs on average, with the cheapest; a frame per probability p of white.

    At the right some ``digits`` (n, h, w), and the pictures (h, w) that cost them least. Traces: a curve and a point for each
    error, then three pictures.
    """
    figure = go.Figure(layout=_beside_pictures())
    guesses = np.linspace(0, 1, 101)
    moving = []
    for error, (title, colour, dash) in ERRORS.items():
        costs = np.array([expected_error(error, p, guesses) for p in ps])
        best = np.array([best_guess(error, float(p)) for p in ps])
        least = np.array([expected_error(error, p, guess) for p, guess in zip(ps, best, strict=True)])
        figure.add_trace(line_of(guesses, costs[0], title, colour, dash=dash))
        figure.add_trace(point_of(colour))
        drawn = np.where(costs > _MOST_COST, np.nan, costs)
        moving += [
            Moving(len(figure.data) - 2, "frames", drawn),
            Moving(len(figure.data) - 1, "point", least, best),
        ]
    for panel, (table, title) in enumerate(
        (
            (mosaic(digits), f"{len(digits)} digits"),
            (mean, "MSE and BCE: the mean"),
            (median, "L1: the median"),
        ),
        2,
    ):
        add_pictures(figure, panel, table, title)
    captions = tuple(_cheapest(float(p)) for p in ps)
    return Film(figure, captions, tuple(moving))


def pairs(games: Sequence[PairGame], shares: Sequence[float], *, swapped: bool) -> Film:
    """Which pairs (x, z) come from E, from G and from both, with D* in each cell, and what the game is worth; a frame per
    game.

    ``shares`` are those of right pairs. Traces: cells of E alone, of G alone, of both, the value and its point.
    """
    size = len(games[0].D)
    titles = ["z", "share of pairs that are right"], ["x", "value of the game, V(D*)"]
    figure = go.Figure(layout=two_columns(1, *titles, split=0.44))
    inside = games[0].D[(games[0].D > 0) & (games[0].D < 1)]
    both = "½" if not swapped else f"1/{round(1 / float(inside[0]))}"
    kinds: tuple[tuple[str, str, str, Any], ...] = (
        ("E alone: D* = 1", theme.REAL, "1", lambda D: D == 1),
        ("G alone: D* = 0", theme.FAKE, "0", lambda D: D == 0),
        (f"both: D* = {both}", theme.UNSURE, both, lambda D: (D > 0) & (D < 1)),
    )
    moving = []
    for name, colour, text, chosen in kinds:
        rows, columns = zip(*(_cells(chosen(game.D), size) for game in games), strict=True)
        moving.append(Moving(len(figure.data), "frames", np.array(rows), np.array(columns)))
        mark = {"symbol": "square", "size": 27, "color": colour}
        style = {"mode": "markers+text", "marker": mark, "textfont": {"color": "#ffffff", "size": 14}}
        figure.add_trace(
            go.Scatter(x=columns[0], y=rows[0], name=name, text=[text] * (size * size), hoverinfo="skip", **style)
        )
    values = np.array([game.value for game in games])
    line = np.linspace(0, 1, 2)
    figure.add_trace(line_of(line, -line * LOG4, "−share · log 4", theme.D, legend=False, panel=2))
    figure.add_trace(point_of(theme.D, 2))
    moving.append(Moving(4, "point", values, np.asarray(shares, dtype=float)))
    level_at(figure, 2, 0.0, "0: told apart perfectly")
    level_at(figure, 2, -LOG4, "−log 4 = −1.386: cannot tell", above=False)
    apart = swapped_pairs(size).value
    level_at(figure, 2, apart, f"x beside the code of another: {in_words(apart, '.3f')}", right=True)
    square = {"range": [0.4, size + 0.6], "dtick": 1, "showgrid": False}
    figure.update_layout(
        xaxis={**square, "constrain": "domain"},
        yaxis={**square, "scaleanchor": "x", "constrain": "domain", "autorange": False, "range": [size + 0.6, 0.4]},
        xaxis2={"range": [-0.04, 1.04]},
        yaxis2={"range": [-1.6, 0.2]},
    )
    told = "each x beside the code of another" if swapped else "of {size} pairs {right} are right"
    captions = tuple(
        f"{told.format(size=size, right=round(share * size))} · the game is worth {in_words(value, '.3f')}"
        for share, value in zip(shares, values, strict=True)
    )
    return Film(figure, captions, tuple(moving))


def _cells(chosen: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the chosen cells, counted from 1, filled up with gaps to the same length."""
    places = np.full((2, size * size), np.nan)
    found = np.argwhere(chosen).T + 1
    places[:, : found.shape[1]] = found
    return places[0], places[1]


def _cheapest(p: float) -> str:
    l1 = best_guess("l1", p)
    drops = "any guess" if np.isnan(l1) else "black" if l1 == 0 else "white"
    return f"white with probability {p:.2f} · cheapest guess: MSE {p:.2f}, BCE {p:.2f}, L1 {drops}"


# -- pictures -----------------------------------------------------------------------------------------------------


def mosaic(*rows: np.ndarray, columns: int = 5) -> np.ndarray:
    """Pictures (n, h, w) as one, ``columns`` beside each other; of several sets each line of the first stands above that of
    the others. Pictures are a pixel apart; what stays empty is NaN."""
    lines = []
    for start in range(0, len(rows[0]), columns):
        for pictures in rows:
            line = [np.pad(picture, 1, constant_values=np.nan) for picture in pictures[start : start + columns]]
            line += [np.full_like(line[0], np.nan)] * (min(columns, len(rows[0])) - len(line))
            lines.append(np.concatenate(line, axis=1))
    return np.concatenate(lines)


def add_pictures(figure: go.Figure, panel: int, table: np.ndarray, title: str) -> None:
    """A table of shares of white in a panel of the layout, with square pixels and a title above."""
    look = {"colorscale": INK, "zmin": 0, "zmax": 1, "showscale": False, "hoverinfo": "skip"}
    figure.add_trace(go.Heatmap(z=floats(table), **look, **axes_of(panel)))
    suffix = suffix_of(panel)
    plain = {"visible": False, "constrain": "domain"}
    square = {"scaleanchor": f"x{suffix}", "autorange": "reversed", "constraintoward": "top"}
    figure.update_layout({f"xaxis{suffix}": plain, f"yaxis{suffix}": {**plain, **square}})
    x, y = figure.layout[f"xaxis{suffix}"].domain, figure.layout[f"yaxis{suffix}"].domain
    place = {"x": (x[0] + x[1]) / 2, "y": y[1], "xref": "paper", "yref": "paper", "xanchor": "center"}
    figure.add_annotation(text=title, showarrow=False, yanchor="bottom", font=LARGE, yshift=2, **place)


def _beside_pictures() -> dict[str, Any]:
    """One chart at the left, three pictures at the right: one above two."""
    made = {**layout("", ""), **two_columns(1, ["what is guessed", ""], ["what it costs on average", ""], split=0.48)}
    made["xaxis"] |= {"range": [-0.02, 1.02]}
    made["yaxis"] |= {"range": [0, _MOST_COST]}
    for panel, (x, y) in enumerate(
        (((0.55, 1.0), (0.5, 0.94)), ((0.55, 0.76), (0.0, 0.4)), ((0.79, 1.0), (0.0, 0.4))), 2
    ):
        made[f"xaxis{panel}"] = {"domain": list(x), "anchor": f"y{panel}"}
        made[f"yaxis{panel}"] = {"domain": list(y), "anchor": f"x{panel}"}
    return made
