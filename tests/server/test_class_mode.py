"""Whether a server is a class's, what it tells its teacher, and how `ganscope class` opens it."""

from __future__ import annotations

import errno
import io
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gan_core.server import class_mode
from gan_core.server.class_mode import (
    CLASS,
    LINK_FILE,
    PER_ADDRESS,
    STUDENT_RUNS,
    TEACHERS,
    announce,
    class_command,
    is_loopback,
)
from gan_core.server.classroom import Classroom


@pytest.fixture
def room() -> Classroom:
    return Classroom(link="http://class.example:8501/")


@pytest.mark.parametrize(
    ("address", "alone"),
    [
        *[(address, True) for address in ("127.0.0.1", "localhost", "::1")],
        *[(address, False) for address in ("", None, "0.0.0.0", "::", "192.168.1.5", "class.example")],
    ],
)
def test_a_server_that_others_can_reach_is_a_class(
    address: str | None, alone: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_loopback(address) is alone
    (tmp_path / LINK_FILE).write_text("of an earlier start")
    class_mode.begin(address=address, port=8501, root=tmp_path, environment={})
    try:
        room = class_mode.current_classroom()
        assert (room is None) is alone
        assert (tmp_path / LINK_FILE).exists() is not alone
        assert room is None or room.key.secret in (tmp_path / LINK_FILE).read_text()
        assert ("open to the network" in capsys.readouterr().out) is not alone
    finally:
        class_mode.end(tmp_path)
    assert not (tmp_path / LINK_FILE).exists()


def test_the_environment_asks_for_a_class_behind_a_proxy(tmp_path: Path) -> None:
    asked = {
        CLASS: "1",
        STUDENT_RUNS: "3",
        TEACHERS: "a@b.example, c@d.example, ,",
        PER_ADDRESS: "35",
        class_mode.LINK: "https://gan.example/",
    }
    class_mode.begin(address="127.0.0.1", port=8501, root=tmp_path, environment=asked)
    try:
        room = class_mode.current_classroom()
        assert room is not None
        assert (room.link, room.student_runs, room.names.per_address) == ("https://gan.example/", 3, 35)
        assert [mail.strip() for mail in room.teachers] == ["a@b.example", "c@d.example"]
    finally:
        class_mode.end(tmp_path)


def test_the_link_is_told_to_a_terminal_or_kept_in_a_file_of_the_owner(tmp_path: Path, room: Classroom) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, log = Terminal(), io.StringIO()
    announce(room, tmp_path, terminal)
    assert terminal.getvalue().count(room.key.secret) == 1
    assert not (tmp_path / LINK_FILE).exists()
    announce(room, tmp_path, log)
    assert room.key.secret not in log.getvalue()
    assert f"in the file {LINK_FILE} of the store" in log.getvalue()
    kept = tmp_path / LINK_FILE
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.read_text() == f"http://class.example:8501/class/teacher#{room.key.secret}\n"


def test_a_store_that_is_read_only_keeps_no_server_from_starting(
    tmp_path: Path, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "unlink", refuses)
    monkeypatch.setattr(os, "open", refuses)
    class_mode.begin(address="127.0.0.1", port=8501, root=tmp_path, environment={})
    class_mode.end(tmp_path)
    log = io.StringIO()
    announce(room, tmp_path, log)
    assert "cannot be written to (Read-only file system)" in log.getvalue()
    assert room.key.secret not in log.getvalue()


def test_the_command_opens_the_network_on_purpose_and_closes_what_leaks(tmp_path: Path) -> None:
    command, environment = class_command(
        address="0.0.0.0", port=8600, hosts=["gan.example"], student_runs=2, store=tmp_path
    )
    told = dict(zip(command[5::2], command[6::2], strict=True))
    assert told["--server.address"] == "0.0.0.0"
    assert told["--client.showErrorDetails"] == "none"
    assert told["--browser.gatherUsageStats"] == "false"
    hosts = [value for name, value in pairwise(command) if name == "--server.allowedHosts"]
    assert {"localhost", "gan.example"} <= set(hosts)
    assert not {"*", "0.0.0.0"} & set(hosts)
    assert (environment[CLASS], environment[STUDENT_RUNS]) == ("1", "2")
    assert environment["GANSCOPE_STORE"] == str(tmp_path)
    command, _ = class_command(address="192.0.2.5", port=8600, hosts=[], student_runs=0, store=tmp_path)
    assert ("--server.allowedHosts", "192.0.2.5") in pairwise(command)
