"""The Library page's parts: what a search finds, the picture of a loss, and the rows of the results."""

from __future__ import annotations

import numpy as np
import pytest

from gan_core.config import OBJECTIVES
from gan_core.engine import catalogue
from gan_core.engine.library.loss_curves import loss_curves
from gan_core.losses import LOSSES
from gan_core.ui.library import KINDS, RESULTS, matching, measured_rows
from gan_core.ui.loss_chart import FLAT, loss_chart, starved

AT = np.linspace(-8, 8, 161)


def curves_of(name: str) -> dict[str, np.ndarray]:
    return loss_curves(name, np.linspace(-2, 0, 41) if LOSSES[name].output == "error" else AT)


def test_every_kind_of_the_catalogue_has_a_tab() -> None:
    assert list(KINDS) == list(catalogue())


def test_without_a_search_a_tab_shows_its_entries_in_their_order() -> None:
    choices = catalogue()
    for kind in KINDS:
        assert list(matching(choices, kind, "  ")) == [f"{kind}:{name}" for name in choices[kind]]


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        ("lipschitz", "losses:wasserstein", "objectives:mm_gan"),
        ("GOODFELLOW minimax", "objectives:mm_gan", "tricks:packing"),
        ("wgan_gp", "objectives:wgan_gp", "losses:hinge"),
        ("packing", "tricks:packing", "losses:minimax"),
        ("metrics precision", "metrics:precision", "objectives:wgan"),
    ],
)
def test_a_search_looks_into_all_kinds_for_all_its_words(text: str, found: str, not_found: str) -> None:
    keys = matching(catalogue(), "architectures", text)
    assert found in keys
    assert not_found not in keys


def test_a_search_for_nothing_finds_nothing() -> None:
    assert matching(catalogue(), "objectives", "qqqqqq") == {}


@pytest.mark.parametrize("name", LOSSES)
def test_the_picture_shows_price_and_gradient_of_all_three(name: str) -> None:
    curves = curves_of(name)
    figure = loss_chart(curves, "logit")
    assert [trace.name for trace in figure.data] == ["G, generated sample", "D, generated sample", "D, real sample"] * 2
    for trace, column in zip(
        figure.data, ("G", "D_fake", "D_real", "G_slope", "D_fake_slope", "D_real_slope"), strict=True
    ):
        np.testing.assert_allclose(trace.y, curves[column], rtol=1e-6)
        assert trace.xaxis == ("x2" if column.endswith("slope") else "x")
    for axis in (figure.layout.yaxis, figure.layout.yaxis2):
        assert axis.range[0] < 0.0 <= axis.range[1]


def test_only_the_minimax_loss_starves_g_where_d_is_sure() -> None:
    assert {name for name in LOSSES if starved(curves_of(name))} == {"minimax"}
    left, right = starved(curves_of("minimax"))
    assert left == AT[0]
    assert right == pytest.approx(np.log(FLAT / (1 - FLAT)), abs=0.1), "σ(t) = FLAT"
    texts = [note.text for note in loss_chart(curves_of("minimax"), "logit").layout.annotations]
    assert any("nothing" in text for text in texts)
    assert not loss_chart(curves_of("non_saturating"), "logit").layout.annotations


def test_the_results_of_one_objective_are_cut_out_of_the_document() -> None:
    document = (
        "# Title\n\n## Ring\n\ntext\n\n| objective | modes | seeds | changed |\n|---|---|---|---|\n| *real* | 8 | | |\n"
        "| `wgan` | 7 | 3 | nothing |\n| `wgan_gp` | 8 | 3 | lr |\n\n## Command\n\n`x`\n"
    )
    table = "| objective | modes |\n|---|---|\n| *real* | 8 |\n| `wgan` | 7 |"
    assert measured_rows(document, "wgan") == {"Ring": f"{table}\n\nseeds: 3, changed: nothing"}
    assert measured_rows(document, "hinge") == {}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_has_its_figures_on_the_ring_and_on_digits(name: str) -> None:
    rows = measured_rows(RESULTS.read_text(), name)
    assert len(rows) == 2
    for table in rows.values():
        assert f"`{name}`" in table
        assert "changed from the recipe: " in table
