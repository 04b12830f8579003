"""How the lab and a worker process talk through a pipe: values as JSON, arrays as they lie in memory.

Nothing that is read here can do anything but be a value; floats come out bit for bit as they went in. What is a tuple
inside ``parts`` or ``data`` comes out as a list, as it does on its way to a browser.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from gan_core.cluster import frames
from gan_core.config import RunConfig
from gan_core.engine import messages

SHOW_STACK = signal.SIGUSR1  # a process that gets it writes where its threads stand
_HEADER = frames.HEADER
_KIND = "="
WAITING = "waiting"  # what a process is called that has no run yet
PROCESS = ""  # whom a word is for, or from, that is not about one run
ASK_ANEW = -1  # in place of a round: what was said of how far a run may play holds no more


@dataclass(frozen=True)
class Setup:
    """The first message to a process: the root of the store, and where frozen classifiers are cached. Jobs come after it."""

    store: Path
    cache: Path


@dataclass(frozen=True)
class MayPlayTo:
    """The round up to which a run may play; a run that reaches this round asks again."""

    until: int


@dataclass(frozen=True)
class Abandon:
    """Nobody waits for this run any more."""


@dataclass(frozen=True)
class Ready:
    """The first message of a process: from now on it reads what is sent to it."""


@dataclass(frozen=True)
class Asks:
    """Asks up to which round a run may play that has played so many."""

    played: int


@dataclass(frozen=True)
class WantsClassifier:
    """The cache has no frozen classifier for the images of this name."""

    name: str


@dataclass(frozen=True)
class NoClassifier:
    """No frozen classifier can be had for the images of this name, and why."""

    name: str
    why: str


_KINDS: dict[str, Any] = {
    name: kind for name, kind in (vars(messages) | globals()).items() if isinstance(kind, type) and is_dataclass(kind)
}


def write(stream: IO[bytes], run_id: str, word: Any) -> None:
    """Send a message, a command, or a word of this module, to or from a run; it goes when the stream is flushed.

    Raises OSError when nobody reads any more.
    """
    arrays: list[np.ndarray] = []

    def plain(node: Any) -> Any:
        match node:
            case np.ndarray():
                arrays.append(np.ascontiguousarray(node))
                return {_KIND: "array", "dtype": node.dtype.str, "shape": node.shape}
            case np.generic():
                return node.item()
            case Path():
                return {_KIND: "path", "path": str(node)}
            case RunConfig():
                return {_KIND: "config", "config": node.to_dict()}
        if is_dataclass(node) and type(node).__name__ in _KINDS:
            return {_KIND: type(node).__name__, **{field.name: getattr(node, field.name) for field in fields(node)}}
        raise TypeError(f"a {type(node).__name__} cannot be sent")

    text = json.dumps([run_id, word], default=plain, separators=(",", ":")).encode()
    stream.write(_HEADER.pack(len(text), sum(array.nbytes for array in arrays)) + text)
    for array in arrays:
        stream.write(array.tobytes())


def read(stream: IO[bytes]) -> tuple[str, Any]:
    """What was sent next: the run, and the word.

    Raises EOFError when the other end is gone, ValueError for what cannot have been sent.
    """
    size, behind = _HEADER.unpack(frames.exactly(stream, _HEADER.size))
    if max(size, behind) > frames.MOST_BYTES:
        raise ValueError("a message without end")
    text, blob = frames.exactly(stream, size), frames.exactly(stream, behind)
    offset = 0

    def value(node: dict[str, Any]) -> Any:
        nonlocal offset
        match node.pop(_KIND, None):
            case None:
                return node
            case "array":
                dtype, shape = np.dtype(node["dtype"]), tuple(node["shape"])
                count = int(np.prod(shape, dtype=np.int64))
                array = np.frombuffer(blob, dtype, count, offset).reshape(shape).copy()
                offset += array.nbytes
                return array
            case "path":
                return Path(node["path"])
            case "config":
                return RunConfig.load(node["config"])
            case str() as name if name in _KINDS:
                tuples = {field.name for field in fields(_KINDS[name]) if str(field.type).startswith("tuple")}
                return _KINDS[name](**{name: tuple(part) if name in tuples else part for name, part in node.items()})
        raise ValueError("a message of an unknown kind")

    run_id, word = json.loads(text, object_hook=value)
    return run_id, word
