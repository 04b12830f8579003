"""What has to be the same on the server and on a node for a run to be the same bit for bit: Python, torch, GANscope."""

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
