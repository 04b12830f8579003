"""The figures of the board: numbers of `gan_core.engine.theory` in, a figure or a film out. Pure: no Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gan_core.engine.theory import Checkerboard, DiracPath, Separation, Sweep
from gan_core.ui import theme
from gan_core.ui.figures import Film, Moving, floats, layout
from gan_core.ui.theory_parts import (
    axes_of,
    density_of,
    held,
    in_words,
    layout_of,
    level_at,
    line_of,
    point_of,
    suffix_of,
    two_columns,
)

LOG2 = float(np.log(2.0))

_PURPLE = "#8C6BD1"
LOSS_STYLES: dict[str, dict[str, str]] = {
    "minimax": {"color": "#E69F00"},
    "non_saturating": {"color": "#56B4E9"},
    "wasserstein": {"color": theme.MARK},
    "least_squares": {"color": theme.UNSURE},
    "hinge": {"color": _PURPLE, "dash": "dash"},
    "relativistic_average": {"color": "#56B4E9", "dash": "dash"},
    "relativistic_average_ls": {"color": theme.UNSURE, "dash": "dash"},
    "relativistic_pairing": {"color": _PURPLE, "dash": "dot"},
}
"""None is a colour of a player or of real data: those keep their meaning."""


# -- gradient saturation ------------------------------------------------------------------------------------------


def saturation(curves: Mapping[str, Mapping[str, np.ndarray]], titles: Mapping[str, str], *, over: str) -> Film:
    """G's loss on the left, the push it gives on the right, by loss; a frame per logit.

    ``curves`` are `loss_curves` over the same logits; ``over`` is the x-axis: ``logit`` or ``probability``. Per loss four
    traces: loss, push, and a point on each.
    """
    x_title = "D(G(z))" if over == "probability" else "D's logit"
    figure = go.Figure(layout=two_columns(1, [x_title] * 2, ["G's loss", "push on the logit, −dL/dlogit"]))
    moving: list[Moving] = []
    at, reaches = np.zeros(0), [[-4.6, 10.6], [-0.15, 2.15]]
    for name, curve in curves.items():
        at = curve[over]
        style, push = {"color": theme.UNSURE, "dash": "solid", **LOSS_STYLES.get(name, {})}, -curve["G_slope"]
        for panel, values in ((1, curve["G"]), (2, push)):
            line = line_of(at, values, titles[name], style["color"], dash=style["dash"], legend=panel == 1, panel=panel)
            figure.add_trace(line.update(legendgroup=name))
            figure.add_trace(point_of(style["color"], panel))
            moving.append(Moving(len(figure.data) - 1, "point", held(values, reaches[panel - 1]), at))
    figure.update_layout(yaxis={"range": reaches[0]}, yaxis2={"range": reaches[1]})
    for axis_name in ("xaxis", "xaxis2"):
        figure.update_layout({axis_name: {"range": [float(at.min()), float(at.max())]}} if len(at) else {})
    any_curve = next(iter(curves.values()))
    captions = tuple(
        f"logit {in_words(t, '+.2f')}, D(G(z)) = {p:.2g} · push: "
        + ", ".join(f"{titles[name]} {in_words(-c['G_slope'][i])}" for name, c in curves.items())
        for i, (t, p) in enumerate(zip(any_curve["logit"], any_curve["probability"], strict=True))
    )
    return Film(figure, captions, tuple(moving))


# -- the best discriminator ---------------------------------------------------------------------------------------


def best_discriminator(pictures: Sequence[Separation], numbers: Sweep, *, critic: bool) -> Film:
    """Densities over D* = p/(p+q), and what the game is worth; a frame per distance.

    Traces: real, generated, D*, the curve of the value and its point, then the best critic if asked for.
    """
    names = ["x", "x", "distance of the two means"]
    figure = go.Figure(layout=two_columns(2, names, ["density", "D*(x)", "value of the game"]))
    first = pictures[0]
    figure.add_trace(density_of(first.xs, first.p, "real, p", theme.REAL))
    figure.add_trace(density_of(first.xs, first.q, "generated, q", theme.FAKE))
    figure.add_trace(line_of(first.xs, first.D, "D* = p/(p+q)", theme.D, panel=2))
    figure.add_trace(line_of(numbers.theta, numbers.value, "2 JS − 2 log 2", theme.D, legend=False, panel=3))
    figure.add_trace(point_of(theme.D, 3))
    moving = [
        Moving(1, "frames", np.array([picture.q for picture in pictures])),
        Moving(2, "frames", np.array([picture.D for picture in pictures])),
        Moving(4, "point", numbers.value, numbers.theta),
    ]
    level_at(figure, 3, 0.0, "0: told apart perfectly")
    level_at(figure, 3, -2 * LOG2, "−2 log 2 = −1.386: cannot tell", above=False)
    level_at(figure, 2, 0.5, "½")
    figure.update_layout(yaxis={"rangemode": "tozero"}, yaxis2={"range": [-0.06, 1.06]}, yaxis3={"range": [-1.6, 0.2]})
    if critic:
        reach = max(float(np.abs(picture.critic).max()) for picture in pictures)
        figure.update_layout(yaxis4={"overlaying": "y2", "anchor": "x2", "range": [-reach, reach], "visible": False})
        line = line_of(first.xs, first.critic, "best critic, own scale", theme.MARK, dash="dash")
        figure.add_trace(line.update(xaxis="x2", yaxis="y4"))
        moving.append(Moving(5, "frames", np.array([picture.critic for picture in pictures])))
    top = max(float(max(picture.p.max(), picture.q.max())) for picture in pictures)
    figure.update_layout(yaxis={"range": [0, 1.08 * top]})
    captions = tuple(
        f"distance {t:.2f} · JS {js:.3f} · the game is worth {in_words(v, '.3f')}"
        for t, js, v in zip(numbers.theta, numbers.js, numbers.value, strict=True)
    )
    return Film(figure, captions, tuple(moving))


# -- JS against Wasserstein ---------------------------------------------------------------------------------------


def divergences(numbers: Sweep, pictures: Sequence[Separation] | None = None) -> Film:
    """The two distributions, JS over Wasserstein, and the push on G; a frame per distance.

    ``pictures`` are the densities of a frame each; without them the two are parallel lines in the plane. Traces: real,
    generated, JS and its point, W₁ and its point, then the three pushes with their points.
    """
    figure = go.Figure(
        layout=_three_columns("x" if pictures else "first coordinate", "density" if pictures else "second")
    )
    theta = numbers.theta
    moving: list[Moving] = []
    if pictures:
        figure.add_trace(density_of(pictures[0].xs, pictures[0].p, "real", theme.REAL))
        figure.add_trace(density_of(pictures[0].xs, pictures[0].q, "generated", theme.FAKE))
        moving.append(Moving(1, "frames", np.array([picture.q for picture in pictures])))
        top = max(float(max(picture.p.max(), picture.q.max())) for picture in pictures)
        figure.update_layout(yaxis={"range": [0, 1.08 * top]})
    else:
        heights = np.array([0.0, 1.0])
        figure.add_trace(line_of(np.zeros(2), heights, "real", theme.REAL, width=5))
        figure.add_trace(line_of(np.zeros(2), heights, "generated", theme.FAKE, width=5))
        moving.append(Moving(1, "frames", np.tile(heights, (len(theta), 1)), np.repeat(theta[:, None], 2, axis=1)))
        ends = [1.1 * float(theta.min()), 1.1 * float(theta.max())]
        figure.update_layout(xaxis={"range": ends}, yaxis={"range": [-0.1, 1.1]})
    js_line = numbers.js if pictures else np.where(theta == 0, np.nan, numbers.js)
    for panel, line, values, name, colour in (
        (2, js_line, numbers.js, "JS", theme.D),
        (3, numbers.wasserstein, numbers.wasserstein, "W₁", theme.MARK),
    ):
        figure.add_trace(line_of(theta, line, name, colour, legend=False, panel=panel))
        figure.add_trace(point_of(colour, panel))
        moving.append(Moving(len(figure.data) - 1, "point", values, theta))
    if not pictures:
        figure.add_trace(line_of(np.zeros(1), np.zeros(1), "JS", theme.D, legend=False, panel=2).update(mode="markers"))
    level_at(figure, 2, LOG2, "log 2")
    reach = [-0.15, 2.5]
    figure.update_layout(yaxis2={"range": [-0.04, 0.82]})
    for name, push in (
        ("minimax", numbers.push_minimax),
        ("non_saturating", numbers.push_non_saturating),
        ("wasserstein", numbers.push_wasserstein),
    ):
        towards = -push * np.sign(theta)
        line = np.where(theta == 0, np.nan, towards) if name == "wasserstein" else towards  # it jumps there
        label = {"minimax": "minimax", "non_saturating": "non-saturating", "wasserstein": "Wasserstein"}[name]
        figure.add_trace(line_of(theta, line, label, LOSS_STYLES[name]["color"], panel=4))
        figure.add_trace(point_of(LOSS_STYLES[name]["color"], 4))
        moving.append(Moving(len(figure.data) - 1, "point", held(towards, reach), theta))
    figure.update_layout(yaxis4={"range": reach})
    return Film(figure, _captions_of_distances(numbers), tuple(moving))


def _captions_of_distances(numbers: Sweep) -> tuple[str, ...]:
    return tuple(
        f"distance {in_words(t, '+.2f')} · JS {js:.3f} · W₁ {w:.2f} · push on G: minimax {in_words(abs(m))}, "
        f"non-saturating {in_words(abs(n))}, Wasserstein {in_words(abs(c))}"
        for t, js, w, m, n, c in zip(
            numbers.theta,
            numbers.js,
            numbers.wasserstein,
            numbers.push_minimax,
            numbers.push_non_saturating,
            numbers.push_wasserstein,
            strict=True,
        )
    )


# -- the Dirac-GAN ------------------------------------------------------------------------------------------------


def dirac(thetas: np.ndarray, psis: np.ndarray, right: np.ndarray, up: np.ndarray, path: DiracPath) -> Film:
    """The field of the game and the way that was played through it; a frame per round, as long as it stays in the field.

    ``right`` and ``up`` are tables (psis, thetas). Traces: arrows, their heads, the equilibrium, the start, the way, where it
    is; then the distance to the equilibrium, as far as it has come.
    """
    x_titles, y_titles = ["θ, where G puts its point", "round"], ["ψ, D's slope", "distance to the equilibrium"]
    figure = go.Figure(layout=two_columns(1, x_titles, y_titles, split=0.44))
    reach = [float(thetas.min()), float(thetas.max())]
    inside = np.maximum(np.abs(path.theta), np.abs(path.psi)) <= reach[1]
    seen = int(inside.argmin()) if not inside.all() else len(inside)
    whole, path = path, DiracPath(path.theta[:seen], path.psi[:seen], path.eigenvalues)
    figure.add_traces(_field(thetas, psis, right, up))
    for x, y, symbol, size, colour, name in (
        (0.0, 0.0, "star", 17, theme.REAL, "equilibrium"),
        (path.theta[0], path.psi[0], "circle-open", 13, theme.G, "start"),
    ):
        mark = {"symbol": symbol, "size": size, "color": colour, "line": {"width": 2.5, "color": colour}}
        figure.add_trace(
            go.Scatter(x=[x], y=[y], mode="markers", marker=mark, name=name, hovertemplate="(%{x:.2f}, %{y:.2f})")
        )
    rounds, distance = np.arange(len(path.theta), dtype=float), path.distance
    figure.add_trace(line_of(path.theta, path.psi, "the way played", theme.G, width=2.2))
    figure.add_trace(point_of(theme.G))
    figure.add_trace(line_of(rounds, distance, "distance", theme.G, legend=False, panel=2))
    figure.update_layout(
        # One scale on both axes: a circle is a circle.
        xaxis={"range": reach, "zeroline": True, "constrain": "domain"},
        yaxis={
            "range": [float(psis.min()), float(psis.max())],
            "zeroline": True,
            "constrain": "domain",
            "scaleanchor": "x",
            "scaleratio": 1,
        },
        xaxis2={"range": [0, max(10, len(rounds) - 1)]},
        yaxis2={"range": [0, 1.1 * float(distance.max())]},
        hovermode="closest",
    )
    moving = (
        Moving(4, "reveal", path.psi, path.theta),
        Moving(5, "point", path.psi, path.theta),
        Moving(6, "reveal", distance, rounds),
    )
    captions = tuple(
        f"round {i} · θ = {in_words(t, '.2f')}, ψ = {in_words(p, '.2f')} · distance {d:.3g}"
        for i, (t, p, d) in enumerate(zip(path.theta, path.psi, distance, strict=True))
    )
    if seen < len(inside):
        left = f" · it leaves the picture; at round {len(whole.theta) - 1} it is {whole.distance[-1]:.3g} away"
        captions = (*captions[:-1], captions[-1] + left)
    return Film(figure, captions, moving)


def _field(thetas: np.ndarray, psis: np.ndarray, right: np.ndarray, up: np.ndarray) -> list[go.Scatter]:
    """Two traces: the shafts of the arrows, and their heads."""
    lines, heads = _arrows(thetas, psis, right, up)
    silent = {"hoverinfo": "skip", "showlegend": False}
    shaft = {"width": 1.5, "color": theme.UNSURE}
    head = {"symbol": "triangle-up", "size": 7, "color": theme.UNSURE, "angle": heads[2]}
    return [
        go.Scatter(x=lines[0], y=lines[1], mode="lines", line=shaft, name="gradient descent", **silent),
        go.Scatter(x=heads[0], y=heads[1], mode="markers", marker=head, **silent),
    ]


def _arrows(
    thetas: np.ndarray, psis: np.ndarray, right: np.ndarray, up: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Shafts as one broken line, heads as (x, y, angle). The length grows with the root of the speed, up to a cell."""
    x, y = (grid.ravel() for grid in np.meshgrid(thetas, psis))
    u, v = right.ravel(), up.ravel()
    speed = np.hypot(u, v)
    cell = 0.8 * float(min(np.diff(thetas).min(), np.diff(psis).min()))
    length = cell * np.sqrt(speed / max(float(np.quantile(speed, 0.95)), 1e-12)).clip(0, 1)
    du, dv = (np.divide(part, speed, out=np.zeros_like(part), where=speed > 0) * length for part in (u, v))
    gap = np.full_like(x, np.nan)
    shafts = tuple(np.stack([at, at + d, gap], axis=1).ravel() for at, d in ((x, du), (y, dv)))
    seen = length > 0.05 * cell
    return (shafts[0], shafts[1]), ((x + du)[seen], (y + dv)[seen], np.degrees(np.arctan2(du, dv))[seen])


# -- checkerboards ------------------------------------------------------------------------------------------------


def checkerboards(result: Checkerboard) -> Film:
    """The kernel, then what both ways make of an image of ones, on one scale around 1. Traces 0 to 2, one frame."""
    spread = max(0.05, float(np.abs(result.transposed - 1).max()), float(np.abs(result.upsampled - 1).max()))
    kernel = result.kernel
    labels = np.round(kernel, 2) if len(kernel) <= 5 else None
    figure = go.Figure(layout={**layout("", ""), "hovermode": "closest", "showlegend": False})
    cells = {"xgap": 2, "ygap": 2, "text": labels, "texttemplate": "" if labels is None else "%{text:.2~g}"}
    images = {"zmin": 1 - spread, "zmax": 1 + spread}
    bar = {"thickness": 12, "outlinewidth": 0, "tickfont": {"size": 13}, "title": {"text": "output"}}
    panels: tuple[tuple[np.ndarray, str, tuple[float, float], dict[str, Any]], ...] = (
        (kernel, "the kernel", (0.0, 0.17), {"zmin": 0, "zmax": max(1.0, float(kernel.max())), **cells}),
        (result.transposed, "transposed convolution", (0.2, 0.59), images),
        (result.upsampled, "upsampling, then convolution", (0.61, 1.0), {**images, "showscale": True, "colorbar": bar}),
    )
    for number, (table, title, (left, end), style) in enumerate(panels, 1):
        look = {"colorscale": theme.SEQUENTIAL, "showscale": False, "hovertemplate": "%{z:.3g}<extra></extra>", **style}
        figure.add_trace(go.Heatmap(z=floats(table), **look, **axes_of(number)))
        suffix = suffix_of(number)
        plain = {"visible": False, "constrain": "domain"}
        square = {"scaleanchor": f"x{suffix}", "autorange": "reversed", "domain": [0, 0.92], "anchor": f"x{suffix}"}
        figure.update_layout({f"xaxis{suffix}": {**plain, "domain": [left, end], "anchor": f"y{suffix}"}})
        figure.update_layout({f"yaxis{suffix}": {**plain, **square}})
        place = {"x": (left + end) / 2, "y": 0.97, "xref": "paper", "yref": "paper", "xanchor": "center"}
        figure.add_annotation(text=title, showarrow=False, yanchor="middle", font={"size": 16}, **place)
    uneven, even = result.unevenness
    caption = (
        f"unevenness, (max − min) / mean: transposed convolution {uneven:.0%}, upsampling then convolution {even:.0%}"
    )
    return Film(figure, (caption,), ())


def _three_columns(x_title: str, y_title: str) -> dict[str, Any]:
    whole, upper, lower = {"domain": [0.0, 1.0]}, {"domain": [0.57, 1.0]}, {"domain": [0.0, 0.43]}
    left, middle, right = ({"domain": list(ends)} for ends in ((0.0, 0.28), (0.37, 0.64), (0.73, 1.0)))
    return layout_of(
        [(left, whole), (middle, upper), (middle, lower), (right, whole)],
        [x_title, "distance θ", "distance θ", "distance θ"],
        [y_title, "JS (nats)", "W₁", "push towards the data"],
    )
