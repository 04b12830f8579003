"""A run that the store calls ended while its lab still writes down the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Later
from typing import Any

import pytest
from holding import Hold

from gan_core.engine import Lab
from gan_core.engine.running import scheduler


def gone_on(lab: Lab, run_id: str) -> None:
    assert lab.resume(run_id) == 5


def deleted(lab: Lab, run_id: str) -> None:
    lab.delete(run_id)


@pytest.mark.parametrize("act", [gone_on, deleted])
def test_who_read_that_a_run_has_ended_may_go_on_with_it_or_delete_it(
    act: Callable[[Lab, str], None],
    open_lab: Callable,
    small: Callable,
    hold: Hold,
    until: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "END_SECONDS", 60.0)
    hold.at(5)
    lab = open_lab()
    written, announce = threading.Event(), threading.Event()
    flush = lab.store.flush

    def flushed(*of: Any) -> None:
        flush(*of)
        if of == (scheduler.WRITE_SECONDS,):
            written.set()
            assert announce.wait(60)

    monkeypatch.setattr(lab.store, "flush", flushed)
    run_id = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(hold.waits, "round 5")
    lab.command(run_id, "stop")
    assert written.wait(60)
    assert lab.store.run(run_id).status == "stopped"
    with ThreadPoolExecutor(1) as pool:
        asked: Future[None] = pool.submit(act, lab, run_id)
        try:
            with pytest.raises(Later):
                asked.result(0.2)
        finally:
            announce.set()
        asked.result(60)
