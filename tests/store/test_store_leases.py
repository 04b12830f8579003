"""Of any two starts of a run the later has the larger number, whoever made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_core.store import RunStore, StoreError


def test_a_start_has_a_larger_number_than_any_before_it(tmp_path: Path) -> None:
    with RunStore(tmp_path / "runs") as store:
        for run in ("one", "other"):
            store.create(run, name=run, config={})
        assert [store.leases.next("one"), store.leases.next("one"), store.leases.next("other")] == [1, 2, 1]
        with RunStore(tmp_path / "runs") as another:  # as one would see it that starts after this one was killed
            assert another.leases.next("one") == 3
        with pytest.raises(StoreError, match="no run 'nobody'"):
            store.leases.next("nobody")


def test_what_a_run_takes_of_a_node_is_kept_beside_its_number(tmp_path: Path) -> None:
    with RunStore(tmp_path / "runs") as store:
        store.create("one", name="one", config={})
        assert store.leases.takes("one") == {}
        store.leases.take("one", {"cpus": 0.5})
        store.leases.next("one")
        store.leases.take("one", {"cpus": 2, "gpus": 0.25})
        assert (store.leases.takes("one"), store.leases.next("one")) == ({"cpus": 2.0, "gpus": 0.25}, 2)
