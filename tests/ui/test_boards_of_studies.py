"""Pictures of a study on the Uses page: of one case, and of one score, at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

import pytest
from streamlit.testing.v1 import AppTest

from gan_core.ui.uses import reading


def page() -> None:
    from types import SimpleNamespace

    from gan_core.engine.studies.findings import Board, Findings
    from gan_core.ui.uses import reading

    boards = tuple(
        Board("Strangest", ((f"{case}-a", f"ink of {case}"), (f"{case}-b", f"pca of {case}")), group=case, choice=True)
        for case in ("7", "1")
    )
    reading._boards(SimpleNamespace(id="study"), Findings(boards=(Board("Alone", (("x", "always"),)), *boards)))  # type: ignore[arg-type]


def gone(*_: object) -> NoReturn:
    raise OSError


def said(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_one_case_and_one_picture_are_seen_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    studies = SimpleNamespace(file=gone)  # of a picture that is gone its caption is said
    monkeypatch.setattr(reading, "lab", lambda: SimpleNamespace(store=SimpleNamespace(studies=studies)))
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert said(app) == ["The picture “always” is gone.", "The picture “ink of 7” is gone."]
    app.button_group[1].set_value("pca of 7").run()
    assert said(app)[1:] == ["The picture “pca of 7” is gone."]
    app.button_group[0].set_value("1").run()
    assert said(app) == ["The picture “always” is gone.", "The picture “ink of 1” is gone."]
