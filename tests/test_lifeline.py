"""A process that ends with whoever started it, whatever it is busy with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]
# As a worker that imports: it takes no notice of its pipe, and would go on for ever.
BUSY = "import os, sys\nprint(os.getpid(), sys.argv[1:], __name__, flush=True)\nwhile True:\n    pass\n"
SERVER = """
import subprocess, sys
command = [sys.executable, "-P", "-m", "gan_core.lifeline", "busy", "a label"]
child = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
input()
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "busy.py").write_text(BUSY)
    return os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}


def test_a_process_that_only_computes_goes_with_a_server_that_is_killed(environment: dict[str, str]) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    pid, _, said = server.stdout.readline().partition(" ")
    child = psutil.Process(int(pid))
    try:
        assert said == "['a label'] __main__\n"
        server.send_signal(signal.SIGKILL)
        server.wait()
        child.wait(60)  # raises where it still runs
    finally:
        if child.is_running():
            child.kill()
        server.communicate()


def test_what_is_written_to_it_is_left_to_the_module(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "reads.py").write_text("import sys\nprint(sys.stdin.readline().upper(), end='', flush=True)\ninput()\n")
    with subprocess.Popen(
        [sys.executable, "-m", "gan_core.lifeline", "reads"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("a word\n")
        process.stdin.flush()
        assert process.stdout.readline() == "A WORD\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(60) == 1


def test_it_is_there_before_anything_heavy_is_imported() -> None:
    code = "import gan_core.lifeline, sys; print(sorted({'torch', 'numpy', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
