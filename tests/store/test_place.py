"""Where a store is; who only wants to look makes none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gan_core.store import RunStore, StoreError, default_root, must_be_there


def test_where_there_is_no_store_none_is_made(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StoreError, match=r"^There is no store in .*\.$"):
            must_be_there(root)
    assert os.listdir(tmp_path) == []
    RunStore(tmp_path).close()
    must_be_there(tmp_path)


def test_the_environment_says_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANSCOPE_STORE", raising=False)
    assert default_root() == Path("runs")
    monkeypatch.setenv("GANSCOPE_STORE", str(tmp_path))
    assert default_root() == tmp_path
