"""Taking a pack into a store. A pack is believed in nothing: it may have been made to do harm.

Names in it never become paths, sizes are counted as they come, every text is read strictly and against a model, every
picture is drawn anew, checkpoints are opened by the one reader of sealed checkpoints. What does not fit is refused as a
whole, in one sentence, before anything of it is in the store.
"""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any, Literal, NoReturn, TypeVar

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gan_core.checkpoints import FILE, MARKS
from gan_core.config import Comparison, ConfigError, RunConfig, Variant, read_json
from gan_core.config.comparison import MOST_RUNS, MOST_VARIANTS
from gan_core.engine.comparing.standings import read_floors, read_standings
from gan_core.engine.exchange.packs import COMPARISON, FORMAT, MANIFEST, restored
from gan_core.engine.exchange.tables import read_track
from gan_core.engine.showing.live import stored_view
from gan_core.engine.showing.parts import kept_as
from gan_core.engine.showing.pictures import png
from gan_core.intake import archive
from gan_core.intake.apart import read_apart
from gan_core.intake.decode import MAX_PIXELS, Refusal
from gan_core.intake.errors import DataError
from gan_core.intake.layout import is_litter
from gan_core.intake.names import parts_of, shown
from gan_core.store import (
    ACTIVE,
    STATES,
    ComparisonRecord,
    Event,
    Frame,
    Member,
    RunNotFound,
    RunRecord,
    RunStore,
    StoreError,
    TrackData,
    Whole,
    new_run_id,
)
from gan_core.store.artefacts import ARTEFACT, artefact_name, is_run_id
from gan_core.store.aside import STAGING
from gan_core.training import CheckpointError, load_checkpoint, not_finite, round_of

MOST_ENTRIES = 60_000
MAX_TEXT = 512 * 2**20  # of curves and of what was seen, unpacked
_RUN = r"[a-z0-9-]{1,64}"
_DERIVED = re.compile(rf"README\.txt|results\.csv|runs/{_RUN}/histograms\.csv", re.ASCII)  # told again, not read
_TABLE = re.compile(r"([a-z]{1,32})(?:\.([1-9][0-9]{0,3}))?\.csv", re.ASCII)
_TEXTS = ("run.json", "config.json", "frames.json", "events.json")
T = TypeVar("T")


@dataclass(frozen=True)
class Imported:
    """What came in: the ids in this store, ``comparison`` None for a run alone."""

    comparison: str | None
    runs: tuple[str, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Word = Annotated[str, Field(max_length=200)]
_Round = Annotated[int, Field(ge=0, le=10**12)]
_Id = Annotated[str, Field(pattern=rf"^{_RUN}$")]


class _Manifest(_Strict):
    format: Literal[1]
    version: _Word
    runs: list[_Id] = Field(min_length=1, max_length=MOST_RUNS)


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="allow")
    state: _Word
    title: _Word = ""
    cures: list[_Word] = []


class _Summary(_Strict):
    state_hash: _Word | None = None
    seconds: float = 0.0
    metrics: dict[_Word, float] = {}
    verdict: _Verdict | dict[_Word, None] = {}


class _Run(_Strict):
    id: _Id
    name: _Word
    status: Literal[STATES]  # type: ignore[valid-type]
    created_at: _Time
    started_at: _Time | None
    ended_at: _Time | None
    archived_at: _Time | None = None
    rounds: _Round
    message: str = Field(max_length=2000)
    traceback: str = Field(max_length=20_000)
    tags: list[_Word] = Field(max_length=50)
    note: str = Field(max_length=4000)
    parent: _Id | None
    forked_at: _Round | None
    summary: dict[str, Any]
    environment: dict[_Word, _Word | int | float]


class _Frame(_Strict):
    round: _Round
    parts: dict[Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")], Any] = Field(max_length=50)


class _Histogram(_Strict):
    counts: list[int] = Field(max_length=2000)
    n: int = Field(ge=0)


class _Marked(_Strict):
    reason: _Word
    scores: list[Annotated[float, Field(allow_inf_nan=False)]] = Field([], max_length=8)


class _Checkpoint(_Strict):
    """What a checkpoint holds, but for what only the game that goes on with it can tell."""

    round: _Round
    networks: dict[_Word, dict[str, Any]]
    optimizers: dict[_Word, dict[str, Any]]
    steps: dict[_Word, Annotated[int, Field(ge=0)]]
    streams: dict[_Word, Any]
    data: dict[str, Any]
    memory: dict[_Word, dict[str, Any]] = {}
    knobs: dict[_Word, float] = {}
    seconds: _Time = 0.0
    measuring: _Time = 0.0


class _Event(_Strict):
    round: _Round
    at: float = Field(allow_inf_nan=False)
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    data: dict[str, Any]


class _Member(_Strict):
    run: _Id
    variant: Annotated[str, Field(min_length=1, max_length=60)]
    seed: int


class _Comparison(_Strict):
    id: _Id
    name: _Word
    collected: bool
    created_at: _Time
    members: list[_Member] = Field(max_length=MOST_RUNS)
    spec: dict[str, Any]


class _Collected(_Strict):
    variants: list[Variant] = Field(max_length=MOST_VARIANTS)


def read_pack(store: RunStore, file: IO[bytes], *, copies: bool = False) -> Imported:
    """Take all of a pack into ``store``, with its ids; as ``copies`` under new ones, so that what is there may stay.

    Raises DataError for what is no pack, or not whole; StoreError where a run of it is in the store already.
    """
    with read_apart("pack", file) as reading:
        return _take(store, reading.file, copies)


def _take(store: RunStore, file: IO[bytes], copies: bool) -> Imported:
    pack = _Pack(file)
    runs = pack.manifest.runs
    if not copies and (known := [run_id for run_id in runs if _is_there(store, run_id)]):
        told = "This run is" if len(runs) == 1 else f"{len(known)} of these {len(runs)} runs are"
        raise StoreError(f"{told} in this store already (perhaps deleted); import as a copy to have it twice.")
    names = {run_id: new_run_id() if copies else run_id for run_id in runs}
    staging = store.root / f"{STAGING}{secrets.token_hex(8)}"
    try:
        files = staging / "files"
        wholes = [pack.run(run_id, files / names[run_id], names) for run_id in runs]
        comparison = pack.comparison(names, new_run_id() if copies else None)
        _try_on(staging / "trial", wholes, comparison)
        store.adopt(wholes, files, comparison)
    except OSError as error:
        raise StoreError(f"The pack cannot be kept: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Imported(comparison.id if comparison else None, tuple(names.values()))


def _is_there(store: RunStore, run_id: str) -> bool:
    try:
        store.run(run_id)
    except RunNotFound:
        return False
    except StoreError:  # damaged, and there
        pass
    return True


def _try_on(root: Path, runs: Sequence[Whole], comparison: ComparisonRecord | None) -> None:
    """Look at it all in a store of its own, as a page would: what cannot be looked at does not come in."""
    try:
        with RunStore(root) as trial:
            trial.adopt(runs, root / "nothing", comparison)
            for whole in runs:
                stored_view(trial, whole.run).snapshot()
            if comparison is not None:
                read_floors(trial, read_standings(trial, comparison.id))
    except Exception as error:
        raise DataError(f"What the pack tells of its runs does not fit together: {str(error)[:120]}.") from error


@dataclass
class _Contents:
    """The files of one run by what they are."""

    texts: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    tables: dict[str, dict[int, zipfile.ZipInfo]] = field(default_factory=dict)
    files: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    checkpoints: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def take(self, name: str, entry: zipfile.ZipInfo) -> bool:
        """Keep the entry under what its name says it is; whether it says anything."""
        folder, _, last = name.rpartition("/")
        if not folder and name in _TEXTS:
            self.texts[name] = entry
        elif not folder and (found := _TABLE.fullmatch(name)):
            self.tables.setdefault(found[1], {})[int(found[2] or 1)] = entry
        elif folder == "files" and ARTEFACT.fullmatch(last) and last.endswith((".png", ".json")):
            self.files[last] = entry
        elif folder == "checkpoints" and FILE.fullmatch(last):
            self.checkpoints[last] = entry
        else:
            return False
        return True


class _Pack:
    def __init__(self, file: IO[bytes]) -> None:
        """Sort the entries by their names. Raises DataError where one has no business in a pack."""
        entries = _without_wrapping(archive.entries(file, MOST_ENTRIES))
        self._archive = zipfile.ZipFile(file)
        self._runs: dict[str, _Contents] = {}
        self._top: dict[str, zipfile.ZipInfo] = {}
        for name, count in Counter(entry.filename for entry in entries).items():
            if count > 1:
                raise DataError(f"{shown(name)} is in the pack {count} times.")
        for entry in entries:
            self._take(entry)
        text = sum(entry.file_size for entry in entries if entry.filename.endswith((".csv", ".json")))
        if text > MAX_TEXT:
            raise DataError(f"The pack holds more than {MAX_TEXT // 2**20} MB of curves.")
        if MANIFEST not in self._top:
            raise DataError(f"This zip file is no pack of GANscope: it has no {MANIFEST}.")
        told = self._json(self._top[MANIFEST])
        if isinstance(told, dict) and isinstance(told.get("format"), int) and told["format"] > FORMAT:
            raise DataError(f"The pack has format {told['format']}; this version of GANscope reads format {FORMAT}.")
        self.manifest = _checked(_Manifest, told, MANIFEST)
        if sorted(self.manifest.runs) != sorted(self._runs) or not all(map(is_run_id, self.manifest.runs)):
            raise DataError(f"The runs in the pack are not those that {MANIFEST} names.")

    def _take(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        if name in (MANIFEST, COMPARISON):
            self._top[name] = entry
            return
        run, _, rest = name.removeprefix("runs/").partition("/")
        known = name.startswith("runs/") and re.fullmatch(_RUN, run, re.ASCII)
        if _DERIVED.fullmatch(name) or (known and self._runs.setdefault(run, _Contents()).take(rest, entry)):
            return
        raise DataError(f"{shown(name)!r} does not belong into a pack of GANscope.")

    def run(self, run_id: str, folder: Path, names: Mapping[str, str]) -> Whole:
        """One run, its files put into ``folder``; ``names`` says under which ids runs come in."""
        contents = self._runs[run_id]
        if missing := [name for name in _TEXTS if name not in contents.texts]:
            raise DataError(f"The run {run_id} has no {missing[0]}.")
        run = _checked(_Run, restored(self._json(contents.texts["run.json"])), f"run.json of {run_id}")
        if run.id != run_id:
            raise DataError(f"run.json of {run_id} tells of another run.")
        renamed = self._files(contents, folder)
        frames = self._list(_Frame, contents.texts["frames.json"], f"frames.json of {run_id}")
        events = self._list(_Event, contents.texts["events.json"], f"events.json of {run_id}")
        tracks = {name: self._track(run_id, name, parts) for name, parts in contents.tables.items()}
        self._checkpoints(contents, folder / "checkpoints")
        _checked(_Summary, run.summary, f"run.json of {run_id}")
        active = run.status in ACTIVE
        fields = run.model_dump() | {
            "id": names[run_id],
            "seq": 0,
            "config": self._config(contents.texts["config.json"], run_id),
            "tags": tuple(run.tags),
            "parent": names.get(run.parent, run.parent) if run.parent else None,
            "owner": {},
            "deleted_at": None,
            "status": "interrupted" if active else run.status,
            "message": "It was still training when it was packed." if active else run.message,
        }
        return Whole(
            RunRecord(**fields),
            tracks,
            [Frame(frame.round, _parts(frame, renamed)) for frame in frames],
            [Event(number, event.round, event.at, event.kind, event.data) for number, event in enumerate(events)],
        )

    def comparison(self, names: Mapping[str, str], new_id: str | None) -> ComparisonRecord | None:
        """The comparison of a pack that has one."""
        if COMPARISON not in self._top:
            return None
        told = _checked(_Comparison, restored(self._json(self._top[COMPARISON])), COMPARISON)
        if any(member.run not in names for member in told.members):
            raise DataError(f"{COMPARISON} names a run that is not in the pack.")
        try:
            if told.collected:
                _Collected.model_validate(told.spec, strict=False)
            else:
                Comparison.load(told.spec)
        except (ConfigError, ValidationError) as error:
            raise DataError(f"{COMPARISON} cannot be used: {_first_line(error)}.") from error
        members = tuple(Member(names[member.run], member.variant, member.seed) for member in told.members)
        wanted = new_id or told.id
        return ComparisonRecord(wanted, 0, told.name, told.spec, told.collected, told.created_at, None, members)

    def _config(self, entry: zipfile.ZipInfo, run_id: str) -> dict[str, Any]:
        try:
            return RunConfig.from_json(self._bytes(entry)).to_dict()
        except ConfigError as error:
            raise DataError(f"The settings of run {run_id} cannot be used: {error}.") from error

    def _track(self, run_id: str, name: str, parts: Mapping[int, zipfile.ZipInfo]) -> TrackData:
        if sorted(parts) != list(range(1, len(parts) + 1)):
            raise DataError(f"A part of {name}.csv of run {run_id} is missing.")
        try:
            return read_track([self._bytes(parts[number]) for number in sorted(parts)])
        except ValueError as error:
            raise DataError(f"{name}.csv of run {run_id} cannot be read: {error}.") from error

    def _files(self, contents: _Contents, folder: Path) -> dict[str, str]:
        """Put the artefacts into ``folder``; returns the name that each has now."""
        renamed = {}
        for name, entry in contents.files.items():
            content = self._bytes(entry)
            kind, suffix = name.partition("-")[0], name.rpartition(".")[2]
            if artefact_name(kind, suffix, content) != name:
                raise DataError(f"{shown(entry.filename)} was altered after it was saved.")
            made = _drawn_anew(content, entry) if suffix == "png" else self._numbers(entry)
            renamed[name] = artefact_name(kind, suffix, made)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / renamed[name]).write_bytes(made)
        return renamed

    def _numbers(self, entry: zipfile.ZipInfo) -> bytes:
        """A file of points: a group of lists of numbers and nothing else."""
        told = self._json(entry)
        if not isinstance(told, dict) or not all(map(_only_numbers, told.values())):
            raise DataError(f"{shown(entry.filename)} holds something else than numbers.")
        return json.dumps(told, separators=(",", ":")).encode()

    def _checkpoints(self, contents: _Contents, folder: Path) -> None:
        for name, entry in contents.checkpoints.items():
            content = self._bytes(entry)
            if name.rpartition(".")[2] in MARKS:
                told = _checked(_Marked, self._json(entry), shown(entry.filename))
                content = json.dumps(told.model_dump()).encode()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        for path in sorted(folder.glob("*.json")):
            try:
                state = load_checkpoint(path)
                if state["round"] != round_of(path):
                    raise CheckpointError(f"{path.name} is of another round")
                if broken := not_finite(state):
                    raise CheckpointError(f"{shown(broken)} in {path.name} holds a number that is not finite")
                _checked(_Checkpoint, state, path.name)
            except (CheckpointError, KeyError, RuntimeError) as error:  # RuntimeError: a type that torch only stores
                raise DataError(f"A checkpoint of the pack cannot be used: {error}.") from error
        stems = {path.stem for path in folder.glob("*.json")}
        for path in [path for path in folder.glob("*") if path.stem not in stems]:
            raise DataError(f"A checkpoint of the pack is not whole: {path.name} is alone.")

    def _list(self, model: type[T], entry: zipfile.ZipInfo, what: str) -> list[T]:
        return _checked(list[model], restored(self._json(entry)), what)  # type: ignore[valid-type]

    def _json(self, entry: zipfile.ZipInfo) -> Any:
        try:
            return read_json(self._bytes(entry).decode("utf-8"), finite=True)
        except (ConfigError, UnicodeDecodeError) as error:
            raise DataError(f"{shown(entry.filename)} cannot be read: {_first_line(error)}.") from error

    def _bytes(self, entry: zipfile.ZipInfo) -> bytes:
        try:
            return archive.read(self._archive, entry)
        except Refusal as refusal:
            raise DataError(f"{shown(entry.filename)} in the pack is not read: {refusal}.") from refusal


def _without_wrapping(entries: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The files of a pack that was unpacked and packed again: without the folder around them, and what systems leave."""
    kept = [entry for entry in entries if not is_litter(parts_of(entry.filename))]
    manifests = [entry.filename for entry in kept if entry.filename.rpartition("/")[2] == MANIFEST]
    around = min(manifests, key=len, default=MANIFEST).removesuffix(MANIFEST)
    if all(entry.filename.startswith(around) for entry in kept):
        for entry in kept:
            entry.filename = entry.filename.removeprefix(around)
    return kept


def _drawn_anew(content: bytes, entry: zipfile.ZipInfo) -> bytes:
    """The picture as this program saves it: whatever else was in the file is gone."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                _refuse_picture(entry, f"more than {MAX_PIXELS // 10**6} million pixels")
            if picture.mode not in ("L", "RGB", "RGBA"):
                _refuse_picture(entry, f"its colours are {picture.mode}")
            return png(np.asarray(picture))
    except DataError:
        raise
    except Exception as error:  # decoders raise whatever a damaged file makes them
        _refuse_picture(entry, str(error)[:80] or type(error).__name__)


def _refuse_picture(entry: zipfile.ZipInfo, why: str) -> NoReturn:
    raise DataError(f"The picture {shown(entry.filename)} cannot be used: {why}.")


def _parts(frame: _Frame, renamed: Mapping[str, str]) -> dict[str, Any]:
    parts = {}
    for name, part in frame.parts.items():
        if name == "histogram":
            _checked(_Histogram, part, "A histogram")
        if isinstance(part, dict) and "file" in part:
            if not isinstance(part["file"], str) or part["file"] not in renamed:
                raise DataError(f"Round {frame.round:,} shows a file that is not in the pack.")
            part = part | {"file": renamed[part["file"]]}
        elif kept_as(name):
            raise DataError(f"Round {frame.round:,} has a {name} without a file.")
        parts[name] = part
    return parts


def _only_numbers(node: Any, depth: int = 3) -> bool:
    if isinstance(node, list):
        return depth > 0 and all(_only_numbers(item, depth - 1) for item in node)
    return node is None or (isinstance(node, int | float) and not isinstance(node, bool))


def _checked(model: Any, told: Any, what: str) -> Any:
    try:
        return TypeAdapter(model).validate_python(told)
    except ValidationError as error:
        raise DataError(f"{what} cannot be used: {_first_line(error)}.") from error


def _first_line(error: Exception) -> str:
    """What is wrong, and where, without what was given: it may be as long as the file."""
    if isinstance(error, ValidationError):
        (first, *_) = error.errors(include_input=False, include_url=False)
        place = ".".join(map(str, first["loc"]))[:80]
        return f"{place}: {first['msg'][:120]}" if place else str(first["msg"])[:120]
    return str(error).splitlines()[0][:200].rstrip(".")
