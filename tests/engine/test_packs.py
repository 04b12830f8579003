"""Packs: what comes out of one is what went in, bit for bit; what was made to do harm stays outside."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gan_core.checkpoints import tensors_of
from gan_core.config import Comparison, RunConfig
from gan_core.engine import Lab
from gan_core.engine.comparing.standings import read_standings, verdicts
from gan_core.engine.comparing.variants import NothingFound
from gan_core.engine.exchange import unpacking
from gan_core.engine.exchange.packs import restored, write_pack
from gan_core.engine.exchange.packs import to_json as strict_json
from gan_core.engine.exchange.tables import cell, read_track, table, track_tables
from gan_core.engine.exchange.unpacking import Imported, read_pack
from gan_core.engine.showing.pictures import png
from gan_core.intake.apart import Reading
from gan_core.intake.errors import DataError
from gan_core.store import RunStore, StoreError, TrackData, Whole, fsck
from gan_core.training import load_checkpoint, save_checkpoint

BASE = {
    "data": {"name": "ring", "batch_size": 8},
    "model": {"latent_dim": 3, "generator": {"widths": [4]}, "discriminator": {"widths": [4]}},
    "diagnostics": {"samples": 16},
    "device": "cpu",
}
TWO = [{"name": "NS", "changes": {}}, {"name": "=LS()", "changes": {"objective": "ls_gan"}}]


@pytest.fixture(scope="module")
def duel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunStore, str]]:
    """A comparison that has ended, in a store that only reads."""
    with Lab(tmp_path_factory.mktemp("duel"), tick=0.05, executor="thread") as lab:
        asked = Comparison.load({"base": BASE, "variants": TWO, "seeds": [0, 1], "rounds": 6})
        made = lab.compare(asked, name="the duel")
        for member in lab.store.comparison(made).members:
            assert lab.wait(member.run, 60).status == "finished"
        run = lab.store.comparison(made).members[0].run
        lab.store.update(run, tags=["a", "ü"], note="two\nlines", archived_at=12.5)
        odd = np.array([[np.inf, -0.0], [-np.nan, 1e-45]], np.float32)
        lab.store.append(run, "diagnostics", ["modes_covered", "mean"], np.array([7, 8]), odd)
        lab.store.add_event(run, 6, "odd", {"value": float("nan"), "low": float("-inf")})
        lab.store.flush()
        yield lab.store, made


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "empty") as store:
        yield store


def packed(store: RunStore, wanted: str, **options: bool) -> io.BytesIO:
    file = io.BytesIO()
    write_pack(store, wanted, file, **options)
    return file


def assert_same(one: Whole, two: Whole) -> None:
    for name in ("id", "name", "config", "status", "created_at", "started_at", "ended_at", "rounds", "message", "tags"):
        assert getattr(one.run, name) == getattr(two.run, name), name
    for name in ("note", "parent", "forked_at", "summary", "environment", "archived_at"):
        assert getattr(one.run, name) == getattr(two.run, name), name
    assert list(one.tracks) == list(two.tracks)
    for name, track in one.tracks.items():
        other = two.tracks[name]
        assert track.columns == other.columns
        assert track.rounds.tobytes() == other.rounds.tobytes()
        missing = np.isnan(track.values) & ~np.signbit(track.values)
        assert np.array_equal(missing, np.isnan(other.values) & ~np.signbit(other.values))
        assert track.values[~missing].tobytes() == other.values[~missing].tobytes()
    assert one.frames == two.frames
    plain = [[(e.round, e.at, e.kind, repr(e.data)) for e in whole.events] for whole in (one, two)]
    assert plain[0] == plain[1]


def test_a_comparison_comes_back_bit_for_bit(duel: tuple[RunStore, str], empty: RunStore) -> None:
    store, made = duel
    record = store.comparison(made)
    came = read_pack(empty, packed(store, made, with_checkpoints=True))
    assert came == Imported(made, tuple(member.run for member in record.members))
    assert (
        packed(empty, made, with_checkpoints=True).getvalue() == packed(store, made, with_checkpoints=True).getvalue()
    )
    other = empty.comparison(made)
    kept = ("id", "name", "spec", "collected", "created_at", "members")
    assert [getattr(other, name) for name in kept] == [getattr(record, name) for name in kept]
    for member in record.members:
        assert_same(store.whole(member.run), empty.whole(member.run))
        for frame in store.frames(member.run):
            for part in frame.parts.values():
                if "file" in part:
                    paths = [s.artefact_path(member.run, part["file"]) for s in (store, empty)]
                    assert paths[0].read_bytes() == paths[1].read_bytes()
        folders = [s.checkpoint_dir(member.run) for s in (store, empty)]
        names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
        assert names[0] == names[1] != []
        assert load_checkpoint(folders[1] / "round-000000006.json")["round"] == 6
    one, two = (verdicts(read_standings(s, made), "modes_covered", 8.0) for s in (store, empty))
    assert one == two
    assert fsck(empty.root) == []
    assert not [path for path in empty.root.iterdir() if path.name.startswith(".import")]


def test_the_same_runs_make_the_same_pack(duel: tuple[RunStore, str]) -> None:
    store, made = duel
    assert packed(store, made).getvalue() == packed(store, made).getvalue()


def test_what_is_in_a_pack_can_be_read_by_anybody(duel: tuple[RunStore, str]) -> None:
    store, made = duel
    member = store.comparison(made).members[0]
    with zipfile.ZipFile(packed(store, made)) as archive:
        config = RunConfig.from_json(archive.read(f"runs/{member.run}/config.json"))
        turns = pd.read_csv(archive.open(f"runs/{member.run}/turns.csv"))
        results = pd.read_csv(archive.open("results.csv"))
        histograms = pd.read_csv(archive.open(f"runs/{member.run}/histograms.csv"))
        for name in archive.namelist():
            if name.endswith(".json"):
                json.loads(archive.read(name), parse_constant=pytest.fail)
    track = store.track(member.run)
    assert config.to_dict() == store.run(member.run).config
    assert turns.columns.tolist() == ["round", *track.columns]
    assert (turns[list(track.columns)].to_numpy(np.float32) == track.values).all()
    assert results["variant"].tolist() == ["NS", "'=LS()", "NS", "'=LS()"]  # no formula for a spreadsheet
    frame = store.frames(member.run)[-1]
    assert histograms.iloc[-1, 2:].tolist() == frame.parts["histogram"]["counts"]


def test_a_run_alone_and_its_copy(duel: tuple[RunStore, str], empty: RunStore) -> None:
    store, made = duel
    run = store.comparison(made).members[0].run
    pack = packed(store, run)
    assert read_pack(empty, pack) == Imported(None, (run,))
    with pytest.raises(StoreError, match="This run is in this store already"):
        read_pack(empty, pack)
    (copy,) = read_pack(empty, pack, copies=True).runs
    assert copy != run
    assert {entry.id for entry in empty.runs()} == {run, copy}
    assert empty.run(copy).config == empty.run(run).config
    with pytest.raises(NothingFound, match="no run and no comparison 'nobody'"):
        write_pack(store, "nobody", io.BytesIO())


def test_a_run_that_trains_is_interrupted_in_another_store(store: RunStore, empty: RunStore) -> None:
    store.create("alive", name="alive", config=RunConfig().to_dict())
    store.update("alive", status="running", rounds=4)
    read_pack(empty, packed(store, "alive"))
    assert empty.run("alive").status == "interrupted"
    assert store.run("alive").status == "running"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs") as store:
        yield store


def test_a_collected_comparison_comes_back(duel: tuple[RunStore, str], empty: RunStore, tmp_path: Path) -> None:
    store, made = duel
    with Lab(tmp_path / "collector", tick=0.05) as lab:
        read_pack(lab.store, packed(store, made))
        mine = lab.collect([member.run for member in lab.store.comparison(made).members])
        read_pack(empty, packed(lab.store, mine))
        assert empty.comparison(mine).members == lab.store.comparison(mine).members
        assert empty.comparison(mine).collected


# -- what was made to do harm ---------------------------------------------------------------------------------------


Change = Callable[[dict[str, bytes]], None]


def with_changes(pack: io.BytesIO, change: Change) -> io.BytesIO:
    with zipfile.ZipFile(pack) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made


def put(name: str, content: bytes) -> Change:
    return lambda files: files.__setitem__(name, content)


def edit(ending: str, change: Callable[[object], object]) -> Change:
    def apply(files: dict[str, bytes]) -> None:
        name = next(name for name in files if name.endswith(ending))
        files[name] = json.dumps(change(json.loads(files[name]))).encode()

    return apply


def patch(ending: str, **fields: object) -> Change:
    return edit(ending, lambda told: told | fields)  # type: ignore[operator]


def replace_text(ending: str, before: bytes, after: bytes) -> Change:
    def apply(files: dict[str, bytes]) -> None:
        name = next(name for name in files if name.endswith(ending))
        assert before in files[name]
        files[name] = files[name].replace(before, after, 1)

    return apply


def drop(ending: str) -> Change:
    return lambda files: files.pop(next(name for name in files if name.endswith(ending))) and None


def swap_picture(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.endswith(".png"))
    files[name] = png(np.zeros((8, 8), np.uint8))


HARM = {
    "a path out": (put("../../evil.json", b"{}"), "does not belong"),
    "an absolute path": (put("/etc/passwd", b"x"), "does not belong"),
    "a backslash": (put("runs\\..\\evil.csv", b"x"), "does not belong"),
    "a file too many": (put("runs/x/run.exe", b"x"), "does not belong"),
    "an archive inside": (put("inner.zip", b"PK"), "does not belong"),
    "a run nobody named": (put("runs/other/run.json", b"{}"), "are not those"),
    "no manifest": (drop("ganscope.json"), "is no pack"),
    "a later format": (patch("ganscope.json", format=99), "reads format 1"),
    "no config": (drop("config.json"), "has no config.json"),
    "a bad config": (patch("config.json", schedule={"rounds": -1}), "cannot be used"),
    "a key twice": (replace_text("run.json", b"{", b'{"id": "x", '), "stands there twice"),
    "a field too many": (patch("run.json", evil=1), "evil: Extra inputs"),
    "an odd status": (patch("run.json", status="winning"), "status"),
    "a name that is a list": (patch("run.json", name=["x"]), "name"),
    "a summary of another shape": (patch("run.json", summary={"metrics": [1]}), "cannot be used"),
    "NaN in JSON": (replace_text("run.json", b'"rounds": 6', b'"rounds": NaN'), "no number of JSON"),
    "curves that are words": (replace_text("turns.csv", b"\n1,", b"\n1,x"), "a cell is not a number"),
    "half a round": (replace_text("turns.csv", b"\n1,", b"\n1.5,"), "not a whole number"),
    "a column with a formula": (replace_text("turns.csv", b"round,D.loss", b"round,=1+1"), "strange name"),
    "another picture": (swap_picture, "was altered"),
    "a file that is gone": (drop(".png"), "a file that is not in the pack"),
    "a file that is a list": (
        edit("frames.json", lambda told: [{"round": 1, "parts": {"grid": {"file": ["x"]}}}]),
        "a file that is not in the pack",
    ),
    "an event of another shape": (edit("events.json", lambda told: [{"kind": 3}]), "cannot be used"),
    "references that are text": (
        edit(
            "events.json",
            lambda told: [*told, {"round": 0, "at": 1.0, "kind": "reference", "data": {"floors": "high"}}],
        ),
        "does not fit together",
    ),
    "a comparison of strangers": (
        edit("comparison.json", lambda told: told | {"members": [{"run": "x", "variant": "NS", "seed": 0}]}),
        "not in the pack",
    ),
    "a spec that is none": (patch("comparison.json", spec={"base": 3}), "cannot be used"),
}


@contextmanager
def read_here(what: str, file: io.BytesIO) -> Iterator[Reading]:
    """As ``read_apart``, without the process: what the server itself says of a pack that does nobody any harm."""
    yield Reading(None, Path(), file)


@pytest.mark.parametrize("harm", HARM)
def test_a_pack_that_does_harm_is_one_sentence_and_nothing_else(
    harm: str, duel: tuple[RunStore, str], empty: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "read_apart", read_here)
    change, said = HARM[harm]
    pack = with_changes(packed(*duel), change)
    with pytest.raises(DataError) as refused:
        read_pack(empty, pack)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert empty.runs() == []
    assert empty.comparisons() == []
    assert {path.name for path in empty.root.iterdir()} <= {
        "ganscope.db",
        "ganscope.db-wal",
        "ganscope.db-shm",
        ".reserve",
    }


def test_a_checkpoint_is_opened_by_its_seal_alone(duel: tuple[RunStore, str], empty: RunStore) -> None:
    pack = packed(*duel, with_checkpoints=True)
    with pytest.raises(DataError, match="altered after it was saved"):
        read_pack(empty, with_changes(pack, replace_text("000006.json", b'"round": 6', b'"round": 7')))
    with pytest.raises(DataError, match="is alone"):
        read_pack(empty, with_changes(pack, drop("000006.json")))
    with pytest.raises(DataError, match=r"cannot be read: round-000000006.safetensors: No such file") as refused:
        read_pack(empty, with_changes(pack, drop("000006.safetensors")))
    assert str(empty.root) not in str(refused.value)
    assert empty.runs() == []


def a_weight(state: dict[str, Any]) -> None:
    state["networks"]["D"]["1.bias"][0] = float("nan")


def a_first_moment(state: dict[str, Any]) -> None:
    state["optimizers"]["G"]["state"]["0"]["exp_avg"][0, 0] = float("nan")


def a_second_moment(state: dict[str, Any]) -> None:
    state["optimizers"]["D"]["state"]["1"]["exp_avg_sq"][0] = float("inf")


def a_rate(state: dict[str, Any]) -> None:
    state["optimizers"]["D"]["param_groups"][0]["lr"] = float("nan")


def a_decay(state: dict[str, Any]) -> None:
    state["optimizers"]["D"]["param_groups"][0]["betas"][1] = float("-inf")


def a_memory(state: dict[str, Any]) -> None:
    state["memory"] = {"loss": {"k": torch.tensor(float("nan"))}}


def a_knob(state: dict[str, Any]) -> None:
    state["knobs"] = {"optimizers.generator.lr": float("nan")}


def a_clock(state: dict[str, Any]) -> None:
    state["seconds"] = float("inf")


BROKEN = {
    a_weight: r"networks/D/1\.bias",
    a_first_moment: "optimizers/G/state/0/exp_avg",
    a_second_moment: "optimizers/D/state/1/exp_avg_sq",
    a_rate: "optimizers/D/param_groups/0/lr",
    a_decay: "optimizers/D/param_groups/0/betas/1",
    a_memory: "memory/loss/k",
    a_knob: r"knobs/optimizers\.generator\.lr",
    a_clock: "seconds",
}


def with_a_checkpoint(store: RunStore, run: str, change: Callable[[dict[str, Any]], None], folder: Path) -> io.BytesIO:
    """A pack of the run with another checkpoint under an honest seal: who makes the file can seal it."""
    state = load_checkpoint(store.checkpoint_dir(run) / "round-000000006.json")
    change(state)
    sealed = save_checkpoint(folder, state)

    def swap(files: dict[str, bytes]) -> None:
        for path in (sealed, tensors_of(sealed)):
            files[f"runs/{run}/checkpoints/{path.name}"] = path.read_bytes()

    return with_changes(packed(store, run, with_checkpoints=True), swap)


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_a_checkpoint_with_a_number_that_is_none_is_refused_by_its_place(
    change: Callable[[dict[str, Any]], None],
    duel: tuple[RunStore, str],
    empty: RunStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unpacking, "read_apart", read_here)
    store, made = duel
    pack = with_a_checkpoint(store, store.comparison(made).members[0].run, change, tmp_path)
    place = f"{BROKEN[change]} in round-000000006.json holds a number that is not finite"
    with pytest.raises(DataError, match=f"cannot be used: {place}"):
        read_pack(empty, pack)
    assert empty.runs() == []


MISSHAPEN: dict[str, tuple[str, Any]] = {
    "no networks": ("networks", None),
    "a network that is a number": ("networks", {"D": 1}),
    "no optimisers": ("optimizers", None),
    "no streams": ("streams", None),
    "no order of the data": ("data", 3),
    "steps that are words": ("steps", {"D": "many"}),
    "steps below none": ("steps", {"D": -1}),
    "a knob that is a word": ("knobs", {"optimizers.generator.lr": "fast"}),
    "a clock that runs backwards": ("seconds", -1.0),
    "a clock that is a word": ("measuring", "long"),
    "a part that no state has": ("code", "print()"),
}


@pytest.mark.parametrize("shape", MISSHAPEN)
def test_a_checkpoint_that_is_shaped_like_none_is_refused_by_its_part(
    shape: str, duel: tuple[RunStore, str], empty: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "read_apart", read_here)
    part, value = MISSHAPEN[shape]
    store, made = duel
    run = store.comparison(made).members[0].run
    pack = with_a_checkpoint(store, run, lambda state: state.update({part: value}), tmp_path)
    with pytest.raises(DataError, match=rf"round-000000006\.json cannot be used: {part}"):
        read_pack(empty, pack)
    assert empty.runs() == []


def an_odd_type(state: dict[str, Any]) -> None:
    state["networks"]["D"]["1.bias"] = torch.zeros(2).to(torch.float8_e4m3fn)


def test_a_checkpoint_of_a_type_that_nothing_computes_in_is_a_sentence(
    duel: tuple[RunStore, str],
    empty: RunStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unpacking, "read_apart", read_here)
    store, made = duel
    with pytest.raises(DataError, match="A checkpoint of the pack cannot be used"):
        read_pack(empty, with_a_checkpoint(store, store.comparison(made).members[0].run, an_odd_type, tmp_path))
    assert empty.runs() == []


def repacked(pack: io.BytesIO, rename: Callable[[str], str], *litter: str) -> io.BytesIO:
    """As a file manager writes what was unpacked: an entry for each folder, other names, files of its system."""
    made = io.BytesIO()
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        files = {rename(name): old.read(name) for name in old.namelist()} | dict.fromkeys(litter, b"x")
        mark = "\\" if any("\\" in name for name in files) else "/"
        folders = {name[: at + 1] for name in files for at, char in enumerate(name) if char == mark}
        for name in [*sorted(folders), *sorted(files, reverse=True)]:
            entry = zipfile.ZipInfo("x")
            entry.filename, entry.external_attr = name, 0x10 if name in folders else 0x20
            new.writestr(entry, files.get(name, b""))
    return made


@pytest.mark.parametrize(
    ("rename", "litter"),
    [
        (lambda name: name, ("__MACOSX/._ganscope.json", ".DS_Store", "runs/.DS_Store")),
        (lambda name: f"my pack/{name}", ("__MACOSX/my pack/._ganscope.json", "my pack/.DS_Store")),
        (lambda name: f"a/b/{name}", ("a/Thumbs.db", "a/b/runs/desktop.ini")),
        (lambda name: f"pack\\{name}".replace("/", "\\"), ()),
        (lambda name: f"Päckchen/{name}", ("Päckchen/@eaDir/ganscope.json/x",)),
    ],
    ids=["a Mac", "a Mac's folder", "Windows, two folders", ".NET", "a NAS"],
)
def test_a_pack_that_was_unpacked_and_packed_again_is_the_same(
    rename: Callable[[str], str], litter: tuple[str, ...], duel: tuple[RunStore, str], empty: RunStore
) -> None:
    store, made = duel
    pack = packed(store, made, with_checkpoints=True)
    assert read_pack(empty, repacked(pack, rename, *litter)).comparison == made
    with zipfile.ZipFile(pack) as one, zipfile.ZipFile(packed(empty, made, with_checkpoints=True)) as two:
        assert {name: one.read(name) for name in one.namelist()} == {name: two.read(name) for name in two.namelist()}


def test_what_lies_beside_the_folder_of_a_pack_is_refused(duel: tuple[RunStore, str], empty: RunStore) -> None:
    pack = with_changes(packed(*duel), lambda files: None)
    with pytest.raises(DataError, match="does not belong"):
        read_pack(empty, repacked(pack, lambda name: f"my pack/{name}", "other.txt"))
    with pytest.raises(DataError, match="is no pack of GANscope: it has no ganscope"):
        read_pack(empty, with_changes(pack, dict.clear))
    assert empty.runs() == []


def test_a_link_an_encrypted_file_and_a_bomb_stay_outside(duel: tuple[RunStore, str], empty: RunStore) -> None:
    def rewritten(change: Callable[[zipfile.ZipInfo], bytes | None]) -> io.BytesIO:
        made = io.BytesIO()
        with zipfile.ZipFile(packed(*duel)) as pack, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in pack.infolist():
                content = pack.read(entry)
                archive.writestr(entry, change(entry) or content)
        return made

    def link(entry: zipfile.ZipInfo) -> None:
        if entry.filename.endswith("run.json"):
            entry.external_attr = 0o120777 << 16

    def bomb(entry: zipfile.ZipInfo) -> bytes | None:
        return b"round,a\n" + b" " * 2**24 if entry.filename.endswith("turns.csv") else None

    with pytest.raises(DataError, match="a link, not a file"):
        read_pack(empty, rewritten(link))
    with pytest.raises(DataError, match="times its size"):
        read_pack(empty, rewritten(bomb))
    with pytest.raises(DataError, match="not a zip file"):
        read_pack(empty, io.BytesIO(b"PK nothing"))
    assert empty.runs() == []


def test_too_many_curves_are_refused_before_they_are_unpacked(
    duel: tuple[RunStore, str], empty: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_TEXT", 1000)
    with pytest.raises(DataError, match="MB of curves"):
        read_pack(empty, packed(*duel))


# -- tables ---------------------------------------------------------------------------------------------------------


def test_every_float32_comes_back_from_its_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 30_000, dtype=np.uint32)
    values = bits.view(np.float32).reshape(-1, 3)
    values = np.where(np.isnan(values), np.float32("nan"), values)
    monkeypatch.setattr("gan_core.engine.exchange.tables.ROWS_IN_A_FILE", 4000)
    track = TrackData(np.arange(len(values)) * 7, values, ("D.loss", "b", "c"))
    parts = list(track_tables(track))
    assert len(parts) == 3
    back = read_track(parts)
    assert back.values.tobytes() == values.tobytes()
    assert back.rounds.tolist() == track.rounds.tolist()


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "x;=1+1",
    'x;"=1+1"',
    "x,+1",
    "x\n-1",
    "x|@a",
    "a\t=1",
]
WIDE = ["\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20a", "\u22121", "\ufeff=1", "x;\u200b\uff1d1"]


@pytest.mark.parametrize("text", FORMULAS + WIDE)
@pytest.mark.parametrize("separator", ",;\t|")
def test_no_spreadsheet_reads_a_text_as_a_formula(text: str, separator: str) -> None:
    told = table([{"n": -1.5, "a": text, "b": "c"}], ["n", "a", "b"]).decode()
    for line in told.splitlines():
        for piece in line.split(separator):  # as a spreadsheet that does not heed quotes
            seen = "".join(c for c in unicodedata.normalize("NFKC", piece) if c.isprintable()).strip(' "')
            assert not seen.startswith(("=", "+", "@", "\u2212")), piece
            assert not seen.startswith("-") or seen.startswith("-1.5"), piece


def test_every_text_of_a_table_is_in_quotes_and_a_number_is_not() -> None:
    assert table([{"a": "x", "b": -1.5, "c": 3}], ["a", "b", "c", "d"]) == b'"a","b","c","d"\n"x",-1.5,3,""\n'
    assert cell(-1.5) == -1.5
    assert cell("it's 3 - 1 = 2, and; a-b") == "it's 3 - 1 = 2, and; a-b"
    assert [cell(name) for name in ("+1", "-0.5")] == ["+1", "-0.5"], "classes that are numbers, as they were typed"


@pytest.mark.parametrize(
    "table", [b"", b"round,a\n", b"x,a\n1,2\n", b"round,a,a\n1,2,3\n", b"round,a\n1\n", b"\xff\n1"]
)
def test_a_table_that_is_none_is_a_sentence(table: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_track([table])


def test_what_is_not_finite_survives_strict_json() -> None:
    told = {"a": [float("nan"), float("inf"), -0.0], "b": {"c": float("-inf")}}
    assert repr(restored(json.loads(strict_json(told), parse_constant=pytest.fail))) == repr(told)
