"""The board's figures say the numbers they were given, and the page shows every tab by its address."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from opening import open_page

from gan_core.engine import Lab
from gan_core.engine.library.loss_curves import loss_curves
from gan_core.engine.theory import DiracRules, checkerboard, dirac_field, dirac_path, separation, sweep
from gan_core.ui import theory_charts as charts
from gan_core.ui import theory_tabs
from gan_core.ui.figures import Film, Moving
from gan_core.ui.film import _rounded

THETAS = np.linspace(0, 4, 9)
XS = np.linspace(-4, 8, 25)


def moving_of(film: Film, trace: int) -> Moving:
    (part,) = [part for part in film.moving if part.trace == trace]
    return part


def named(film: Film, name: str) -> Any:
    return next(trace for trace in film.figure.data if trace.name == name)


def test_saturation_draws_each_loss_and_its_push_under_the_point() -> None:
    logits = np.linspace(-4, 4, 17)
    curves = {name: loss_curves(name, logits) for name in ("minimax", "hinge")}
    film = charts.saturation(curves, {"minimax": "M", "hinge": "H"}, over="probability")
    assert len(film.figure.data) == 8
    for index, (name, key) in enumerate(
        [("minimax", "G"), ("minimax", "G_slope"), ("hinge", "G"), ("hinge", "G_slope")]
    ):
        line, point = film.figure.data[2 * index], moving_of(film, 2 * index + 1)
        values = curves[name][key] * (-1 if key == "G_slope" else 1)
        assert line.y == pytest.approx(values, abs=1e-5)
        assert point.y == pytest.approx(values)
        assert point.x == pytest.approx(curves[name]["probability"])
    assert "logit −4.00" in film.captions[0]
    assert "M 0.018" in film.captions[0]


@pytest.mark.parametrize("critic", [False, True])
def test_the_best_discriminator_moves_with_the_generated_data(critic: bool) -> None:
    pictures = [separation(theta, 1.0, 0.5, XS) for theta in THETAS]
    numbers = sweep(THETAS, 1.0, 0.5)
    film = charts.best_discriminator(pictures, numbers, critic=critic)
    assert len(film.captions) == len(THETAS)
    for trace, part in ((1, "q"), (2, "D"), *([(5, "critic")] if critic else [])):
        assert moving_of(film, trace).y == pytest.approx(np.array([getattr(picture, part) for picture in pictures]))
    assert named(film, "2 JS − 2 log 2").y == pytest.approx(numbers.value, abs=1e-6)
    assert f"JS {numbers.js[-1]:.3f}" in film.captions[-1]


def test_divergences_of_densities_and_of_lines() -> None:
    thetas = np.linspace(-2, 2, 9)
    numbers = sweep(thetas, 0.5, 0.5)
    film = charts.divergences(numbers, [separation(theta, 0.5, 0.5, XS) for theta in thetas])
    assert named(film, "JS").y == pytest.approx(numbers.js, abs=1e-6)
    assert named(film, "W₁").y == pytest.approx(np.abs(thetas), abs=1e-4)
    push = named(film, "minimax").y
    assert (push[thetas != 0] > 0).all(), "drawn as a push towards the data on both sides"
    lines = charts.divergences(sweep(thetas, 0, 0))
    moved = moving_of(lines, 1)
    assert moved.x is not None
    assert moved.x[:, 0] == pytest.approx(thetas)
    assert np.isnan(named(lines, "JS").y).tolist() == (thetas == 0).tolist()
    assert "non-saturating undefined" in lines.captions[0]


def test_the_field_has_an_arrow_per_point_along_the_gradient() -> None:
    grid = np.linspace(-1, 1, 5)
    rules = DiracRules("wasserstein")
    path = dirac_path(rules, 0.5, 0.5, 10)
    film = charts.dirac(grid, grid, *dirac_field(rules, grid, grid), path)
    shafts = np.array([film.figure.data[0].x, film.figure.data[0].y]).reshape(2, 25, 3)
    x, y = np.meshgrid(grid, grid)
    assert shafts[0, :, 0] == pytest.approx(x.ravel())
    along = (shafts[:, :, 1] - shafts[:, :, 0]).reshape(2, 5, 5)
    assert (np.abs(along[0] * -x - along[1] * y) < 1e-9).all(), "(ψ, −θ), whatever its length"
    assert np.hypot(*along).max() <= 0.8 * 0.5 + 1e-9
    assert moving_of(film, 4).x == pytest.approx(path.theta)
    assert len(film.captions) == 11


@pytest.mark.parametrize("loss", ["wasserstein", "minimax"])
@pytest.mark.parametrize("simultaneous", [True, False])
def test_the_way_is_drawn_to_one_scale_and_never_leaves_the_picture(loss: str, simultaneous: bool) -> None:
    rules = DiracRules(loss, lr=0.5, simultaneous=simultaneous)
    film, path = theory_tabs._dirac(rules, 1.0, 1.0)
    layout = film.figure.layout
    assert (layout.yaxis.scaleanchor, layout.yaxis.scaleratio) == ("x", 1)
    assert layout.xaxis.range == layout.yaxis.range
    way, point = moving_of(film, 4), moving_of(film, 5)
    reach = layout.xaxis.range[1]
    assert np.abs([way.x, way.y, point.x, point.y]).max() <= reach
    gone = bool(np.maximum(np.abs(path.theta), np.abs(path.psi)).max() > reach)
    assert ("leaves the picture" in film.captions[-1]) is gone is (len(film.captions) < len(path.theta))
    assert gone is (simultaneous and loss == "wasserstein")


def test_points_stay_in_view_where_their_curve_leaves() -> None:
    films = [
        theory_tabs._saturation(tuple(charts.LOSS_STYLES), "logit"),
        theory_tabs._divergences("gaussians", 0.1),
        theory_tabs._divergences("lines", 0.0),
        theory_tabs._best_discriminator(0.3, 2.0, True),
    ]
    held = 0
    for film in films:
        for part in film.moving:
            if part.kind != "point":
                continue
            trace = film.figure.data[part.trace]
            low, high = film.figure.layout[(trace.yaxis or "y").replace("y", "yaxis")].range or (-np.inf, np.inf)
            seen = part.y[np.isfinite(part.y)]
            assert (seen >= low).all(), film.captions[0]
            assert (seen <= high).all(), film.captions[0]
            held += int(np.isclose(seen, seen.max()).sum() > 3)
    assert held


def test_checkerboards_share_one_scale() -> None:
    result = checkerboard(3, 2)
    film = charts.checkerboards(result)
    kernel, transposed, upsampled = film.figure.data
    assert np.asarray(transposed.z) == pytest.approx(result.transposed, abs=1e-6)
    assert (transposed.zmin, transposed.zmax) == (upsampled.zmin, upsampled.zmax)
    assert "transposed convolution 133%, upsampling then convolution 0%" in film.captions[0]
    assert np.asarray(kernel.z).tolist() == [[1, 1, 1]] * 3


def test_a_film_needs_a_picture_per_caption() -> None:
    film = charts.checkerboards(checkerboard(3, 2))
    with pytest.raises(ValueError, match="2 frames"):
        Film(film.figure, ("one",), (Moving(0, "frames", np.zeros((2, 3))),))


def test_numbers_travel_short_and_gaps_as_nothing() -> None:
    assert _rounded(np.array([[1 / 3, np.nan], [np.inf, 2.0]])) == [[0.33333, None], [None, 2.0]]
    assert _rounded(None) is None


@pytest.mark.parametrize(
    ("rules", "start", "said"),
    [
        (DiracRules("non_saturating", "r1", 0.5, lr=0.2), (1.0, 1.0), "It arrives"),
        (DiracRules("minimax", lr=0.2), (1.0, 1.0), "It keeps circling"),
        (DiracRules("wasserstein", lr=0.2, simultaneous=True), (1.0, 1.0), "It runs away"),
        (DiracRules("non_saturating", lr=0.2), (1.0, 1.0), "It comes nearer, slowly"),
        (DiracRules("minimax", lr=0.2), (0.0, 0.0), "It begins at the equilibrium"),
    ],
)
def test_the_fate_of_a_path_is_said(rules: DiracRules, start: tuple[float, float], said: str) -> None:
    assert theory_tabs.fate(dirac_path(rules, *start, 150)).startswith(said)


# -- the page -----------------------------------------------------------------------------------------------------


visit = partial(open_page, "theory")


@pytest.mark.parametrize("tab", theory_tabs.TABS)
def test_every_tab_says_what_to_see_and_asks(tab: str, lab: Lab) -> None:
    said = [element.value for element in visit(tab=tab).markdown]
    assert any(text.startswith("**See:**") for text in said)
    assert any(text.startswith("**Ask:**") and "?" in text for text in said)


@pytest.mark.parametrize("tab", theory_tabs.TABS)
def test_every_preset_can_be_pressed(tab: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    theory_tabs._dirac.clear()
    monkeypatch.setattr(theory_tabs, "_DIRAC_ROUNDS", 15)
    app = visit(tab=tab)
    presets = [button.key for button in app.button if str(button.key).startswith("preset:")]
    for key in presets:
        app.button(key=key).click().run()
        assert not app.exception


def test_a_preset_changes_what_is_said(lab: Lab) -> None:
    theory_tabs._dirac.clear()
    app = visit(tab="dirac")
    assert any("keeps circling" in text.value for text in app.markdown)
    app.button(key="preset:R1 arrives").click().run()
    assert any("It arrives" in text.value for text in app.markdown)
    assert app.selectbox(key="cure").value == "r1"


@pytest.mark.parametrize(
    "query", [{"tab": "nonsense"}, {"tab": "divergences", "theta": "nan"}, {"tab": "dirac", "round": "x"}]
)
def test_an_address_that_makes_no_sense_shows_the_page_all_the_same(query: dict[str, str], lab: Lab) -> None:
    assert visit(**query).title[0].value == "Theory"
