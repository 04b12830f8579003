"""What has to be the same on the server and on a node for a run to be the same bit for bit: Python, torch, GANscope, data."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
COMPARED = {"python": "Python", "torch": "torch", "ganscope": "GANscope"}


@lru_cache(maxsize=1)
def here() -> dict[str, str]:
    """The versions of this process; of GANscope a hash of its code, since two working copies may share a number."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    try:
        torch = metadata.version("torch").split("+")[0]  # a build for GPUs computes the same on a CPU
    except metadata.PackageNotFoundError:
        torch = "none"
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, "torch": torch, "ganscope": digest.hexdigest()[:12]}


def differences(head: dict[str, str], node: dict[str, str], name: str) -> str:
    """A sentence that says why a node cannot train for this server; "" where it can."""
    told = [
        f"{title} {node.get(key, 'none')} there and {head[key]} here"
        for key, title in COMPARED.items()
        if node.get(key) != head[key]
    ]
    if not told:
        return ""
    return f"The node {name} cannot train for this server: {', '.join(told)}. Install the same on both and try again."


def of_file(path: Path, name: str) -> dict[str, str]:
    """What tells a file of data from another one of its name. Raises OSError."""
    stat = path.stat()
    return {"name": name, "sha256": _digest(path, stat.st_size, stat.st_mtime_ns)}


@lru_cache(maxsize=100)
def _digest(path: Path, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compared(files: list[dict[str, str]], folder: Path) -> tuple[list[str], list[str]]:
    """The names of those that are not in this folder, and of those that are others there."""
    lacking, others = [], []
    for wanted in files:
        try:
            if of_file(folder / wanted["name"], wanted["name"]) != wanted:
                others.append(wanted["name"])
        except OSError:
            lacking.append(wanted["name"])
    return lacking, others


def other_data(others: list[str], name: str) -> str:
    """A sentence that says why a node cannot train on the data that it has; "" where it can."""
    if not others:
        return ""
    more = f" and {len(others) - 1} more files" if len(others) > 1 else ""
    return (
        f"The node {name} has other data than this server: {others[0]}{more} there (GANSCOPE_DATA). Copy it from here."
    )
