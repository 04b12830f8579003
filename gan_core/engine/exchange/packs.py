"""Runs and comparisons as one zip file, to be read by people and by another store.

A pack of the same runs is the same bytes. What it holds::

    ganscope.json                    format, version, runs
    comparison.json                  what was asked for, and which run stands for what
    results.csv                      a row per run: the last measurements
    runs/<id>/run.json, config.json  what is known of the run, and what it computes
    runs/<id>/<track>.csv            the curves; 100,000 rows a file, then <track>.2.csv and so on
    runs/<id>/frames.json, files/    what was seen, round by round
    runs/<id>/histograms.csv         classes of the samples, round by round
    runs/<id>/events.json            what happened
    runs/<id>/checkpoints/           only where they were asked for
"""

from __future__ import annotations

import dataclasses
import json
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import gan_core
from gan_core import checkpoints
from gan_core.config import ConfigError
from gan_core.engine.comparing.standings import last_values, measures, read_standings
from gan_core.engine.comparing.variants import look_up
from gan_core.engine.exchange.reproducing import code
from gan_core.engine.exchange.tables import table, track_tables
from gan_core.engine.library.history import happenings
from gan_core.intake.decode import MAX_BYTES
from gan_core.store import ComparisonRecord, Event, Frame, RunRecord, RunStore, StoreError, Whole

FORMAT = 1
NOT_FINITE = "not_finite"
MANIFEST, COMPARISON = "ganscope.json", "comparison.json"
LEFT_OUT = ("config", "owner", "seq", "deleted_at")  # of a run's record, in run.json

README = """A pack of GANscope {version}: {what}.

runs/<id>/config.json is what a run began with: python -m gan_core train --config config.json
Take all of it into a store of yours: python -m gan_core import FILE, or Import on the Runs page.
CSV cells are numbers, "nan" where there is none; a text that begins like a formula has an apostrophe in front.
"""


def write_pack(store: RunStore, wanted: str, file: IO[bytes], *, with_checkpoints: bool = False) -> None:
    """Write a run, or a comparison and its runs. Raises RunNotFound; StoreError where a file is too large for a pack."""
    comparison, run_ids = look_up(store, wanted)
    what = f"the comparison {comparison.name}" if comparison else f"the run {store.run(wanted).name}"
    manifest = {"format": FORMAT, "version": gan_core.__version__, "runs": run_ids}
    with zipfile.ZipFile(file, "w") as archive:
        _put(archive, MANIFEST, to_json(manifest))
        if comparison is not None:
            _put(archive, COMPARISON, to_json(_comparison(comparison)))
            _put(archive, "results.csv", results(store, comparison.id))
        left_out: list[str] = []
        for run_id in run_ids:
            for name, content in _run_files(store, run_id):
                _put(archive, f"runs/{run_id}/{name}", content)
            for name, content in _checkpoints(store, run_id, left_out) if with_checkpoints else ():
                _put(archive, f"runs/{run_id}/checkpoints/{name}", content)
        _put(archive, "README.txt", _readme(store, wanted, what, run_ids, left_out).encode())


def _readme(store: RunStore, wanted: str, what: str, run_ids: Sequence[str], left_out: Sequence[str]) -> str:
    """What is in the pack and what was left out, what was done to its runs while they trained, and the Python that makes
    them again."""
    parts = [README.format(version=gan_core.__version__, what=what)]
    if left_out:
        parts.append("\n".join(["Left out, for nobody could go on from it:", *(f"  {why}" for why in left_out), ""]))
    for run in map(store.run, run_ids):
        if told := happenings(store, run):
            lines = [f"  after round {one.round:,}: {one.what}" for one in told]
            parts.append("\n".join([f"What was done to {run.name} ({run.id}):", *lines, ""]))
    with suppress(ConfigError):  # settings of a version with other names
        parts.append(
            f"The Python that makes it again, with what was changed while it trained:\n\n{code(store, wanted)}"
        )
    return "\n".join(parts)


def results(store: RunStore, comparison_id: str) -> bytes:
    """The last measurement of every run of a comparison, as CSV."""
    found = read_standings(store, comparison_id)
    names = measures(found)
    rows = [
        {"variant": s.variant, "seed": s.seed, "run": s.run.id, "status": s.run.status, "rounds": s.run.rounds}
        | {name: value for name, value in last_values(s).items() if name in names}
        for s in found
    ]
    return table(rows, ["variant", "seed", "run", "status", "rounds", *names])


def to_json(value: Any) -> bytes:
    """Strict JSON, in which ``{"not_finite": "nan"}`` stands for a number that JSON does not have."""
    return json.dumps(_said(value), indent=None if isinstance(value, list) else 1, allow_nan=False).encode()


def restored(node: Any) -> Any:
    """The same with the numbers that ``to_json`` had to write in words."""
    if isinstance(node, dict):
        if node.keys() == {NOT_FINITE} and node[NOT_FINITE] in ("nan", "inf", "-inf"):
            return float(node[NOT_FINITE])
        return {key: restored(value) for key, value in node.items()}
    return list(map(restored, node)) if isinstance(node, list) else node


def class_names(events: list[Event]) -> list[str]:
    """What the classes of a run are called, as it told; none if it did not."""
    told = [event.data.get("class_names") for event in events if event.kind == "reference"]
    return next((list(map(str, names)) for names in reversed(told) if names), [])


def _run_files(store: RunStore, run_id: str) -> Iterator[tuple[str, bytes]]:
    whole = store.whole(run_id)
    frames, files = _with_files(store, run_id, whole)
    yield "run.json", to_json(_record(whole.run))
    yield "config.json", to_json(whole.run.config)
    for track, data in whole.tracks.items():
        for number, part in enumerate(track_tables(data), start=1):
            yield f"{track}.csv" if number == 1 else f"{track}.{number}.csv", part
    yield "frames.json", to_json(frames)
    if histograms := _histograms(whole):
        yield "histograms.csv", histograms
    yield (
        "events.json",
        to_json([{"round": e.round, "at": e.at, "kind": e.kind, "data": e.data} for e in whole.events]),
    )
    for name, path in files.items():
        yield f"files/{name}", path.read_bytes()


def _checkpoints(store: RunStore, run_id: str, left_out: list[str]) -> Iterator[tuple[str, bytes]]:
    """The files of each checkpoint that is whole. A pack with another one could not be taken in."""
    for path in checkpoints.checkpoints(store.checkpoint_dir(run_id)):
        try:
            yield from sorted(checkpoints.files(path).items())
        except checkpoints.CheckpointUnreadable as error:
            raise StoreError(f"{error}.") from error
        except checkpoints.CheckpointError as error:
            if path.exists():  # else it was dropped meanwhile, for a newer one
                left_out.append(f"{error}.")


def _with_files(store: RunStore, run_id: str, whole: Whole) -> tuple[list[dict[str, Any]], dict[str, Path]]:
    """The frames, and the files they show; a part whose file is gone is left out."""
    frames, files = [], {}
    for frame in whole.frames:
        parts = {}
        for name, part in frame.parts.items():
            if isinstance(part, dict) and "file" in part:
                try:
                    files[part["file"]] = store.artefact_path(run_id, part["file"])
                except StoreError:
                    continue
            parts[name] = part
        frames.append({"round": frame.round, "parts": parts})
    return frames, files


def _histograms(whole: Whole) -> bytes:
    shown: list[tuple[Frame, dict[str, Any]]] = [
        (frame, frame.parts["histogram"]) for frame in whole.frames if "histogram" in frame.parts
    ]
    if not shown:
        return b""
    bins = max(len(part["counts"]) for _, part in shown)
    names = [*class_names(list(whole.events)), "unsure"]
    names = names if len(names) == bins and len(set(names)) == bins else [f"bin {index}" for index in range(bins)]
    rows = [
        {"round": frame.round, "n": part["n"], **dict(zip(names, part["counts"], strict=False))}
        for frame, part in shown
    ]
    return table(rows, ["round", "n", *names])


def _record(run: RunRecord) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(run).items() if name not in LEFT_OUT}


def _comparison(comparison: ComparisonRecord) -> dict[str, Any]:
    kept = ("id", "name", "collected", "created_at", "members", "spec")
    return {name: value for name, value in dataclasses.asdict(comparison).items() if name in kept}


def _said(node: Any) -> Any:
    if isinstance(node, float) and not math.isfinite(node):
        return {NOT_FINITE: str(node)}
    if isinstance(node, dict):
        return {key: _said(value) for key, value in node.items()}
    return [_said(item) for item in node] if isinstance(node, list | tuple) else node


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise StoreError(f"{name} has more than {MAX_BYTES // 2**20} MB, too much for a pack.")
    entry = zipfile.ZipInfo(name)  # of 1980: the same runs make the same pack
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    packed_already = name.endswith((".png", ".safetensors"))
    entry.compress_type = zipfile.ZIP_STORED if packed_already else zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
