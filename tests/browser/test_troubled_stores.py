"""The real application over a store that another server has, on a read-only disk or a newer one, and as the clock jumps."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, start_server
from driving import faults_of, is_in_state, settled, shows_round, start_card, stop
from playwright.sync_api import BrowserContext, Page, expect

from gan_core.store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.slow]
A_DAY = 86_400
# What tells the time of day jumps, as where a clock is set; libfaketime 0.9.10 also breaks the sleep of Python 3.11.
CLOCK = """
import pathlib, time
right = time.time
time.time = lambda: right() + float(pathlib.Path({clock!r}).read_text() or 0)
"""


@pytest.fixture
def tab(profile: BrowserContext) -> Iterator[Page]:
    """A tab of no server, without script errors and without requests to other hosts."""
    page = profile.new_page()
    faults = faults_of(page)
    yield page
    page.close()
    assert faults == []


def test_two_servers_on_one_store_and_the_second_takes_over(tab: Page, own_server: Any) -> None:
    own_server.hold.at(30)
    run = start_card(tab, own_server.url)
    shows_round(tab, run, 30)
    second = own_server.start_again()
    try:
        warning = tab.get_by_text(f"another server, process {own_server.process.pid}")
        for page in ("", "runs", f"watch?run={run}"):
            tab.goto(f"{second.url}/{page}")
            settled(tab)
            expect(warning.first).to_be_visible()
        shows_round(tab, run, 30)
        own_server.process.kill()
        own_server.process.wait(60)
        expect(warning).to_have_count(0)  # the page that is open notices
        is_in_state(tab, "interrupted")
        second.hold.at(40)
        tab.get_by_role("button", name="Continue").click()
        shows_round(tab, run, 40)
        stop(tab)
    finally:
        second.stop()
    with RunStore(own_server.store) as store:
        assert store.track(run).rounds.tolist() == list(range(1, 41)), "every round once"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """``read_only(store)``: the same store on a disk that cannot be written to."""
    view = tmp_path / "view"

    def make(store: Path) -> Path:
        view.mkdir()
        subprocess.run(["mount", "--bind", str(store), str(view)], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", str(view)], check=True)
        return view

    yield make
    subprocess.run(["umount", "-l", str(view)], check=True)


def test_a_store_on_a_disk_that_is_read_only_is_shown(
    tab: Page, own_server: Any, read_only: Callable[[Path], Path]
) -> None:
    own_server.hold.at(30)
    run = start_card(tab, own_server.url)
    shows_round(tab, run, 30)
    stop(tab)
    own_server.stop()
    looking = start_server(read_only(own_server.store), forked=False)
    try:
        for page in ("", "runs", f"watch?run={run}"):
            tab.goto(f"{looking.url}/{page}")
            settled(tab)
            expect(tab.get_by_text("cannot be written to").first).to_be_visible()
        shows_round(tab, run, 30)
    finally:
        looking.stop()


def test_a_store_of_a_newer_version_is_refused_at_the_start(own_server: Any) -> None:
    """As `make run` begins: with a sentence. The application itself ends with the same one."""
    own_server.stop()
    database = own_server.store / "ganscope.db"
    with closing(sqlite3.connect(database)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version + 1}")
    before = database.read_bytes()
    command = [sys.executable, "-m", "gan_core", "prepare", "--store", str(own_server.store)]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert first.returncode != 0
    assert "newer version of GANscope" in first.stderr.strip().splitlines()[-1]
    assert "Traceback" not in first.stderr
    with pytest.raises(AssertionError, match="newer version of GANscope"):
        own_server.start_again()
    assert database.read_bytes() == before


def test_a_clock_that_is_set_back_a_day_changes_nothing_that_is_shown(
    tab: Page, own_server: Any, tmp_path: Path
) -> None:
    own_server.stop()
    clock = tmp_path / "clock"
    clock.write_text("0")
    server = start_server(own_server.store, first=CLOCK.format(clock=str(clock)), executor="thread")
    try:
        server.hold.at(30)
        first = start_card(tab, server.url)
        shows_round(tab, first, 30)
        clock.write_text(f"-{A_DAY}")
        server.hold.at(60)
        shows_round(tab, first, 60)
        is_in_state(tab, "running")
        tab.reload()
        shows_round(tab, first, 60)
        stop(tab)
        server.hold.at(30)
        second = start_card(tab, server.url)
        shows_round(tab, second, 30)
        stop(tab)
    finally:
        server.stop()
    with RunStore(own_server.store) as store:
        runs = store.runs()
        assert [run.id for run in runs] == [second, first], "the newest first"
        assert runs[1].created_at - runs[0].created_at > A_DAY / 2, "by its clock it is the older"
        assert store.track(first).rounds.tolist() == list(range(1, 61))
