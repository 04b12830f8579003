"""The code of another commit in a folder of its own, beside the working tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """The folder with the code of a commit, which is removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        then = Path(folder) / "then"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", then, commit], cwd=ROOT, check=True)
        try:
            yield then
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", then], cwd=ROOT, check=True)


def environment_of(code: Path) -> dict[str, str]:
    """The variables of a process that imports the code in a folder and computes in one thread."""
    return os.environ | {"PYTHONPATH": str(code), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
