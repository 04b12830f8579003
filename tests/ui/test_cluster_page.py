"""The page of a cluster, drawn over what a bridge would have told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest
from waiting import until

from gan_core.engine import ClusterSeen, Lab

NODE = {"name": "box", "address": "10.0.0.2", "cpus": 8.0, "gpus": 1.0, "memory": 16 * 2**30}


def test_it_says_what_runs_where_and_what_was_lost(
    lab: Lab, tiny: Callable, hold: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold.at(1)  # type: ignore[attr-defined]
    run = lab.submit(tiny("mlp"), name="a ring")
    until(lambda: lab.view(run).status["round"] == 1, "the run has begun")
    seen = ClusterSeen("head:6379", lost=2, returned=1, places={run: "box (10.0.0.2, aaaaaa)"})
    seen.nodes = [{**NODE, "id": "bbbbbb", "alive": False}, {**NODE, "id": "aaaaaa", "alive": True}]
    monkeypatch.setattr(lab, "cluster", seen)
    page = open_page("cluster")
    assert {metric.label: metric.value for metric in page.metric} == {
        "Nodes": "1",
        "Runs that train": "1",
        "Runs that wait": "0",
        "Runs lost": "2",
        "Of these, back": "1",
    }
    table = page.dataframe[0].value
    assert table["node"].tolist() == ["box (aaaaaa)", "box (bbbbbb)"]
    assert table["state"].tolist() == ["alive", "gone"]
    assert table["runs"].tolist() == [1, 0]
    assert table["memory"].tolist() == ["16 GiB"] * 2
    seen.places.clear()
    waits = open_page("cluster")
    assert [title.value for title in waits.subheader] == ["Waiting"]
    assert "waiting for its turn" in waits.get("page_link")[0].proto.label
    seen.problem = "nothing answers at head:6379"
    (warning,) = open_page("cluster").warning
    assert "No contact with the cluster at head:6379: nothing answers" in warning.value


def test_the_form_offers_parts_of_a_node_where_there_is_a_cluster(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CPUs of a node" not in [box.label for box in open_page("train").selectbox]
    monkeypatch.setattr(lab, "cluster", ClusterSeen("head:6379"))
    page = open_page("train")
    (box,) = [box for box in page.selectbox if box.label == "CPUs of a node"]
    assert box.value == 0.0, "auto"
    (start,) = [button for button in box.set_value(0.5).run().button if button.label == "Start"]
    start.click().run()
    (run,) = lab.store.runs()
    assert lab.store.leases.takes(run.id) == {"cpus": 0.5}


def test_without_a_cluster_it_says_how_to_have_one(lab: Lab, root: Path) -> None:
    page = AppTest.from_file(str(root / "pages" / "cluster.py"), default_timeout=30).run()
    assert not page.exception
    (said,) = page.info
    assert "--ray HOST:PORT" in said.value
