"""Programs of the engine: whether forked or started as interpreters, they are the same to whoever asked for them."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from gan_core.engine import programs
from gan_core.engine.programs import Program, forked, let_go, starting
from gan_core.engine.programs.forked import ForkServer

# What it is told to do by its first argument; every one but `says` says where it is first.
ACTS = """
import json, os, random, sys, threading

def main(act, *rest):
    facts = {
        "arguments": [act, *rest], "argv": sys.argv[1:], "cwd": os.getcwd(), "session": os.getsid(0) == os.getpid(),
        "wish": os.environ.get("A_WISH"), "drawn": random.random(),
        "threads": threading.active_count(),
    }
    print(json.dumps(facts), flush=True)
    print("heard", file=sys.stderr)
    if act == "leaves":
        sys.exit(3)
    if act == "says no":
        sys.exit("no")
    if act == "breaks":
        raise ValueError("broken")
    if act == "computes":
        while True:
            pass
    if act == "repeats":
        print(sys.stdin.readline(), end="", flush=True)

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("acts")
    (made / "acts_of_a_program.py").write_text(ACTS)
    return made


@pytest.fixture(scope="module")
def a_fork_server(place: Path) -> Iterator[ForkServer]:
    made = ForkServer(starting.ROOT, str(place))
    yield made
    made.close()


@pytest.fixture(params=["forked", "interpreter"])
def ways(
    request: pytest.FixtureRequest, place: Path, a_fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setattr(starting, "_server", a_fork_server)
    if request.param == "interpreter":
        monkeypatch.setattr(starting, "FORKS", False)


@pytest.fixture
def errors() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


def begun(*arguments: str, errors: IO[bytes] | None = None) -> tuple[Program, dict[str, Any]]:
    program = programs.start("acts_of_a_program", *arguments, errors=errors)
    assert program.stdout is not None
    return program, json.loads(program.stdout.readline())


@pytest.mark.usefixtures("ways")
def test_a_program_has_the_environment_of_now_and_a_session_of_its_own(
    errors: IO[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_WISH", "fine weather")
    monkeypatch.chdir(tmp_path)
    program, facts = begun("repeats", "now", errors=errors)
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(b"a word\n")
    program.stdin.flush()
    assert program.stdout.readline() == b"a word\n"
    assert program.wait(60) == program.returncode == 0
    drawn, threads = facts.pop("drawn"), facts.pop("threads")
    assert facts == {
        "arguments": ["repeats", "now"],
        "argv": ["repeats", "now"],
        "cwd": str(tmp_path),
        "session": True,
        "wish": "fine weather",
    }
    assert threads == 2, "its own and that which watches the pipe"
    errors.seek(0)
    assert errors.read() == b"heard\n"
    another, others = begun("leaves")
    assert another.wait(60) == 3
    assert drawn != others["drawn"], "forks do not draw the same numbers"
    for one in (program, another):
        let_go(one)


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize(
    ("act", "status", "last"), [("says no", 1, None), ("breaks", 1, "ValueError: broken"), ("killed", -9, "heard")]
)
def test_how_it_ended_is_told(act: str, status: int, last: str | None, errors: IO[bytes]) -> None:
    program, _ = begun("computes" if act == "killed" else act, errors=errors)
    if act == "killed":
        assert program.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(0.01)
        program.kill()
    assert program.wait(60) == status
    assert program.poll() == status
    program.kill()  # as for Popen nothing happens
    errors.seek(0)
    assert last is None or errors.read().decode().splitlines()[-1] == last
    let_go(program)


@pytest.mark.usefixtures("ways")
def test_a_program_ends_when_its_pipe_is_closed_whatever_it_does() -> None:
    (program, _), (later, _) = begun("computes"), begun("computes")
    assert program.stdin is not None
    program.stdin.close()
    assert program.wait(60) == 1
    assert later.poll() is None
    let_go(later)
    let_go(program)


def test_one_that_is_killed_before_it_began_never_begins(
    a_fork_server: ForkServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setattr(starting, "_server", a_fork_server)
    server = psutil.Process(a_fork_server.pid)
    server.suspend()
    program = programs.start("acts_of_a_program", "computes")
    assert program.poll() is None
    program.send_signal(signal.SIGUSR1)  # there is nobody yet to hear it
    assert program.poll() is None
    program.kill()
    assert program.wait(0) == program.poll() == -9
    let_go(program)
    server.resume()
    program, _ = begun("computes")
    assert [child.pid for child in server.children()] == [program.pid], "the first was not forked"
    let_go(program)


def test_one_that_is_given_up_before_it_was_heard_of_is_ended(
    a_fork_server: ForkServer, place: Path, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setattr(starting, "_server", a_fork_server)
    program, _ = begun("computes")

    def nothing_yet(*_: object) -> None:
        raise BlockingIOError

    with monkeypatch.context() as early:
        early.setattr(forked.socket, "recv_fds", nothing_yet)
        program.kill()
        assert program.wait(0) == -9
    until(lambda: not psutil.Process(a_fork_server.pid).children(), "its process is gone")
    let_go(program)


def test_another_search_path_than_the_fork_servers_needs_an_interpreter(
    a_fork_server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acts_of_a_program.py").write_text("import sys\nprint('[]', flush=True)\nsys.exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(starting, "_server", a_fork_server)
    program, _ = begun("computes")
    assert program.wait(60) == 7
    let_go(program)


def test_programs_outlive_their_fork_server_and_another_is_begun(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(place))
    first = ForkServer(starting.ROOT, str(place))
    monkeypatch.setattr(starting, "_server", first)
    server = psutil.Process(first.pid)
    program, _ = begun("computes")
    pid = program.pid
    server.suspend()
    waiting = programs.start("acts_of_a_program", "computes")
    server.kill()
    with pytest.raises(ProcessLookupError):
        assert waiting.pid
    assert waiting.wait(60) == -9, "it went with the fork server"
    assert program.poll() is None
    assert psutil.pid_exists(pid)
    program.kill()
    assert program.wait(60) == -9
    with monkeypatch.context() as broken:
        broken.setattr("sys.executable", "/bin/false")
        unborn = programs.start("acts_of_a_program", "computes")
        assert unborn.wait(60) == 1, "one that cannot import says so by its status"
        starting._server.close()
    with monkeypatch.context() as nowhere:
        nowhere.setattr("sys.executable", "/no/such/python")
        with pytest.raises(FileNotFoundError):
            programs.start("acts_of_a_program", "computes")
    again, _ = begun("leaves")
    assert again.wait(60) == 3
    assert starting._server.pid != first.pid
    starting._server.close()
    for one in (program, waiting, unborn, again):
        let_go(one)
