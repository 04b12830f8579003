"""The table of layers as it is written."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from gan_core.engine import LayerRow
from gan_core.ui.layers import shape, table

ROWS = (LayerRow("Linear, 64 → 1,568", (1568,), 101_920), LayerRow("Reshape", (32, 7, 7), 0), LayerRow("Logit", (), 5))


def test_rows_and_their_total() -> None:
    assert table(ROWS).splitlines() == [
        "| layer | output | parameters |",
        "|:--|--:|--:|",
        "| Linear, 64 → 1,568 | 1568 | 101,920 |",
        "| Reshape | 32×7×7 |  |",
        "| Logit | 1 | 5 |",
        "| **all** | | **101,925** |",
    ]
    assert shape(()) == "1"


def page() -> None:
    from gan_core.engine import LayerRow
    from gan_core.ui.layers import layer_tables

    layer_tables({"G": (LayerRow("tanh", (2,), 0),), "D": (LayerRow("Linear, 2 → 1", (), 3),)})


def test_each_network_has_a_tab() -> None:
    app = AppTest.from_function(page).run(timeout=60)
    assert not app.exception
    assert [tab.label for tab in app.tabs] == ["Generator", "Discriminator"]
    assert "| Linear, 2 → 1 | 1 | 3 |" in app.tabs[1].markdown[0].value
