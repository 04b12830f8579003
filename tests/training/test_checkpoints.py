"""Checkpoints on disk: whole or refused, by name; the newest two stay; what a crash leaves behind is not one."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_core import checkpoints as on_disk
from gan_core.checkpoints import (
    SPARE_BYTES,
    CheckpointUnreadable,
    best_scores,
    glance,
    is_full,
    mark,
    path_of,
    pin,
    purge,
    read,
    retain,
    size_of,
    sweep,
    unmark,
    write,
)
from gan_core.failpoints import armed
from gan_core.training import (
    CheckpointError,
    capture,
    checkpoints,
    keep_checkpoint,
    kept_checkpoints,
    load_checkpoint,
    round_of,
    save_checkpoint,
    state_hash,
)


def state_of(round: int) -> dict[str, Any]:
    """Every kind of value that a state holds."""
    return {
        "round": round,
        "networks": {
            "G": {
                "0.weight": torch.arange(6.0).reshape(2, 3),
                "0.scalar": torch.tensor(3),
                "0.empty": torch.empty(0),
                "0.view": torch.arange(6.0).reshape(2, 3).T,
                "0.odd": torch.tensor([float("nan"), float("inf"), -0.0]),
                "0.flag": torch.tensor([True, False]),
                "0.half": torch.ones(3, dtype=torch.bfloat16),
            }
        },
        "optimizers": {"D": {"state": {}, "param_groups": [{"lr": 1 / 3, "betas": [0.0, 0.9], "params": [0, 1]}]}},
        "streams": {"z": torch.Generator().manual_seed(1).get_state()},
        "data": {"position": 10**12},
        "nothing": None,
    }


def test_round_trip(tmp_path: Path) -> None:
    state = state_of(7)
    path = save_checkpoint(tmp_path / "new folder", state)
    assert path == tmp_path / "new folder" / "round-000000007.json"
    assert round_of(path) == 7
    loaded = load_checkpoint(path)
    assert state_hash(loaded) == state_hash(state)
    assert loaded["optimizers"]["D"]["state"] == {}
    assert loaded["optimizers"]["D"]["param_groups"][0]["lr"] == 1 / 3
    assert loaded["nothing"] is None


def test_a_real_state_makes_the_round_trip(
    tiny: Callable, game_of: Callable, advance: Callable, tmp_path: Path
) -> None:
    for architecture in ("mlp", "dcgan"):
        game = game_of(tiny(architecture, {"model.generator.normalization": "batch"}))
        expected = advance(game, 2)
        assert state_hash(load_checkpoint(save_checkpoint(tmp_path / architecture, capture(game, 2)))) == expected


def test_nothing_is_pickled(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state_of(1))
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".safetensors"]
    json.loads(path.read_text())
    header = int.from_bytes(path.with_suffix(".safetensors").read_bytes()[:8], "little")
    json.loads(path.with_suffix(".safetensors").read_bytes()[8 : 8 + header])


def test_the_newest_two_stay(tmp_path: Path) -> None:
    for round in (1, 2, 9, 10, 100):
        save_checkpoint(tmp_path, state_of(round))
        assert round_of(checkpoints(tmp_path)[-1]) == round
    assert [round_of(path) for path in checkpoints(tmp_path)] == [10, 100]
    assert len(list(tmp_path.iterdir())) == 4
    save_checkpoint(tmp_path, state_of(101), keep=3)
    assert [round_of(path) for path in checkpoints(tmp_path)] == [10, 100, 101]


def test_the_oldest_checkpoints_go_but_neither_the_newest_nor_used_ones(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("old", "busy", "new")]
    for age, folder in enumerate(folders):
        for round in (10, 20, 30):
            path = write(folder, round, bytes(1000), {})
            os.utime(path, (age * 100 + round, age * 100 + round))
    mark(path_of(folders[0], 10), "kept", "before a collapse")
    each = size_of(path_of(folders[2], 10))

    def left() -> list[list[int]]:
        return [[round_of(path) for path in checkpoints(folder)] for folder in folders]

    assert purge(folders, 100 * each) == 0
    given_back = purge(folders, 9 * each - 1, in_use=[folders[1]])
    assert (left(), given_back >= each) == ([[10, 30], [10, 20, 30], [10, 20, 30]], True), "the oldest that nobody kept"
    purge(folders, 1, in_use=[folders[1]])
    assert left() == [[30], [10, 20, 30], [30]]
    retain(folders[1], newest=3, up_to=30, most_bytes=2 * each)
    assert left()[1] == [20, 30], "one run has its own bound"


def test_the_pinned_go_last_the_best_before_them_and_the_newest_never(tmp_path: Path) -> None:
    for round in (10, 20, 30, 40, 50):
        write(tmp_path, round, bytes(1000), {})
    pin(tmp_path, 10)
    mark(path_of(tmp_path, 20), "best", "the best", [1.0])
    mark(path_of(tmp_path, 30), "kept", "before a collapse")
    each = size_of(path_of(tmp_path, 10))
    gone = []
    for most in (4, 3, 2, 1):
        there = {round_of(path) for path in checkpoints(tmp_path)}
        purge([tmp_path], most * each)
        gone.append(there - {round_of(path) for path in checkpoints(tmp_path)})
    assert gone == [{40}, {30}, {20}, {10}]
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {"round-000000050"}, "marks go along"


def test_what_is_pinned_or_best_stays_while_others_go_until_it_is_unpinned(tmp_path: Path) -> None:
    for round in (1, 2):
        save_checkpoint(tmp_path, state_of(round))
    pin(tmp_path, 1)
    keep_checkpoint(tmp_path, state_of(2), "the best", what="best", scores=[8.0, -0.5], most=1)
    for round in (3, 4, 5, 6):
        save_checkpoint(tmp_path, state_of(round))
    assert [round_of(path) for path in checkpoints(tmp_path)] == [1, 2, 5, 6]
    assert kept_checkpoints(tmp_path) == {1: "pinned", 2: "the best"}
    assert (best_scores(tmp_path, up_to=6), best_scores(tmp_path, up_to=1)) == ((8.0, -0.5), ())
    keep_checkpoint(tmp_path, state_of(6), "better", what="best", scores=[9.0, -0.5], most=1)
    unmark(path_of(tmp_path, 1), "pinned")
    for round in (7, 8, 9):
        save_checkpoint(tmp_path, state_of(round))
    assert [round_of(path) for path in checkpoints(tmp_path)] == [6, 8, 9], "there is one best, and nothing is pinned"


def test_only_what_is_there_can_be_pinned(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint of round 7; none has been saved yet\."):
        pin(tmp_path, 7)
    save_checkpoint(tmp_path, state_of(5))
    with pytest.raises(CheckpointError, match=r"no checkpoint of round 7; there are those of round 5\."):
        pin(tmp_path, 7)
    assert not list(tmp_path.glob("*.pinned"))


def test_what_is_dropped_while_it_is_pinned_is_not_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 1, b"tensors", {})

    def dropped_meanwhile(at: Path, what: str, reason: str) -> None:
        mark(at, what, reason)  # type: ignore[arg-type]
        path.unlink()

    monkeypatch.setattr(on_disk, "mark", dropped_meanwhile)
    with pytest.raises(CheckpointError, match="no checkpoint of round 1"):
        pin(tmp_path, 1)
    assert not list(tmp_path.glob("*.pinned"))


def test_what_cannot_be_deleted_does_not_end_anything(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state_of(1))
    path_of(tmp_path, 2).mkdir()
    (path_of(tmp_path, 2) / "in the way").touch()
    for round in (3, 4, 5):
        save_checkpoint(tmp_path, state_of(round))
    assert [round_of(path) for path in checkpoints(tmp_path)] == [2, 4, 5]


def test_saving_other_tensors_under_a_name_never_leaves_it_to_half_of_each(tmp_path: Path) -> None:
    write(tmp_path, 1, b"first", {})
    with armed("save.before_manifest=raise"), pytest.raises(RuntimeError):
        write(tmp_path, 1, b"second", {})
    assert checkpoints(tmp_path) == []


def test_a_disk_with_too_little_room_is_not_filled_to_the_brim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1, b"first", {})
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=SPARE_BYTES + 5))
    write(tmp_path, 2, b"short", {})
    with pytest.raises(OSError, match="No space left") as full:
        write(tmp_path, 3, b"longer", {})
    assert is_full(full.value)
    assert [round_of(path) for path in checkpoints(tmp_path)] == [1, 2]


def test_saving_a_round_again_replaces_it(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state_of(1))
    other = {**state_of(1), "data": {"position": 5}}
    assert load_checkpoint(save_checkpoint(tmp_path, other))["data"] == {"position": 5}


def test_going_on_from_an_earlier_checkpoint_keeps_the_newest_write(tmp_path: Path) -> None:
    """Rounds 200 and 300 were damaged, the run went on from 100: its next checkpoint must survive being written."""
    for round in (100, 200, 300):
        save_checkpoint(tmp_path, state_of(round), keep=3)
    path = save_checkpoint(tmp_path, state_of(150))
    assert load_checkpoint(path)["round"] == 150


def test_left_overs_of_a_crash_are_no_checkpoints(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state_of(3))
    for name in ("round-000000004.json.tmp", "round-000000004.safetensors", "round-000000004.safetensors.tmp"):
        (tmp_path / name).write_bytes(b"half")
    for name in ("round-4.json", "round-00000000x.json", "other.json", "round-000000004.json.bak"):
        (tmp_path / name).write_bytes(b"{}")
    assert checkpoints(tmp_path) == [path]
    assert load_checkpoint(save_checkpoint(tmp_path, state_of(4)))["round"] == 4


@pytest.mark.parametrize(
    "name", ["round-4.json", "other.json", "round-000000004.safetensors", "round-000000004.json.tmp"]
)
def test_the_round_of_what_is_no_checkpoint(name: str) -> None:
    with pytest.raises(CheckpointError, match="not the name of a checkpoint"):
        round_of(Path(name))


def test_no_folder_no_checkpoints(tmp_path: Path) -> None:
    assert checkpoints(tmp_path / "absent") == []
    (tmp_path / "a file").touch()
    assert checkpoints(tmp_path / "a file") == []
    assert checkpoints(tmp_path / "a file" / "below") == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied"),
        (MemoryError(), os.strerror(errno.ENOMEM)),
        (OSError(errno.EIO, "Input/output error"), ""),
    ],
)
def test_what_cannot_be_looked_at_is_kept_and_what_is_lost_is_deleted(
    error: Exception, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, 1, b"first", {})

    def refuse(at: Path) -> bytes:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        if told:
            with pytest.raises(OSError, match=told):
                write(tmp_path, 1, b"second", {})
        else:
            write(tmp_path, 1, b"second", {})
    assert read(path) == (b"first" if told else b"second", {})


def test_a_damaged_name_is_written_anew(tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"first", {})
    path.write_bytes(b"{")
    assert read(write(tmp_path, 1, b"second", {})) == (b"second", {})


@pytest.mark.parametrize("point", ["save.write", "save.before_fsync", "save.before_rename"])
def test_what_the_disk_did_not_take_leaves_the_room_that_it_took(point: str, tmp_path: Path) -> None:
    with armed(f"{point}=enospc"), pytest.raises(OSError, match="No space left") as full:
        write(tmp_path, 1, b"tensors", {})
    assert is_full(full.value)
    assert not is_full(OSError(errno.EIO, "Input/output error"))
    assert list(tmp_path.iterdir()) == []


def test_what_takes_just_the_room_that_there_is_stays(tmp_path: Path) -> None:
    paths = [write(tmp_path, round, b"tensors", {}) for round in (1, 2)]
    in_all = sum(map(size_of, paths))
    assert purge([tmp_path], in_all) == 0
    assert purge([tmp_path], in_all - 1) == size_of(paths[1])
    assert checkpoints(tmp_path) == paths[1:]


class Crash(BaseException):
    """Stands for kill −9: nothing in the code catches it."""


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_one_before_whole(
    call: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, state_of(1))
    before, calls, real = state_hash(state_of(1)), [], getattr(os, call)

    def dying(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == at:
            raise Crash
        return real(*arguments)

    monkeypatch.setattr(os, call, dying)
    crashed = False
    try:
        save_checkpoint(tmp_path, state_of(2))
    except Crash:
        crashed = True
    monkeypatch.undo()
    assert crashed or call == "replace", "two files, each flushed with its folder: four fsyncs, two renames"
    found = [load_checkpoint(path) for path in checkpoints(tmp_path)]
    assert state_hash(found[0]) == before
    assert all(state_hash(state) == state_hash(state_of(state["round"])) for state in found)


# --- damage ---


def saved(folder: Path) -> tuple[Path, Path]:
    path = save_checkpoint(folder, state_of(5))
    return path, path.with_suffix(".safetensors")


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert len(str(caught.value)) < 600
    return str(caught.value)


@pytest.mark.parametrize("which", [0, 1], ids=["json", "safetensors"])
def test_any_flipped_byte_is_found_and_the_file_is_named(which: int, tmp_path: Path) -> None:
    """Every byte of the JSON (the position, the learning rate, the hash itself …) and many of the tensors."""
    path, file = saved(tmp_path)[0], saved(tmp_path)[which]
    data = file.read_bytes()
    stride = 1 if which == 0 else 37
    unseen = []
    for offset in range(0, len(data), stride):
        for bit in (0x01, 0x10):
            flipped = bytearray(data)
            flipped[offset] ^= bit
            file.write_bytes(bytes(flipped))
            try:
                same = state_hash(load_checkpoint(path)) == state_hash(state_of(5))
            except CheckpointError as error:
                same = file.stem in str(error)
            if not same:
                unseen.append((offset, bit, bytes(flipped[max(0, offset - 20) : offset + 5])))
    assert unseen == []


@pytest.mark.parametrize("which", [0, 1], ids=["json", "safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_by_name(which: int, share: float, tmp_path: Path) -> None:
    files = saved(tmp_path)
    data = files[which].read_bytes()
    files[which].write_bytes(data[: int(len(data) * share)])
    assert files[which].name in refusal(files[0])


@pytest.mark.parametrize("which", [0, 1], ids=["json", "safetensors"])
def test_a_missing_file_or_a_folder_in_its_place_is_refused_by_name(which: int, tmp_path: Path) -> None:
    files = saved(tmp_path)
    files[which].unlink()
    assert files[which].name in refusal(files[0])
    files[which].mkdir()
    assert files[which].name in refusal(files[0])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not JSON",
        b"\xff\xfe",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b'{"tensors": 3}',
        b'{"tensors": "round-000000005.safetensors"}',
        b'{"tensors": "../round-000000005.safetensors", "sha256": 0, "values": {}}',
        b"[" * 100_000,
        b'{"values": ' * 50_000,
    ],
)
def test_a_json_of_another_kind_is_refused_by_name(text: bytes, tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    path.write_bytes(text)
    assert path.stem in refusal(path)


@pytest.mark.parametrize(
    "values", [[], 3, None, {"networks": 1}, {"networks/G/0.weight/deeper": 1}, {"round/deeper": 1, "round": 1}]
)
def test_values_of_another_kind_are_refused_even_under_an_honest_hash(values: Any, tmp_path: Path) -> None:
    """Somebody who writes the JSON can write its hash: still a sentence, never another exception."""
    from gan_core import checkpoints as checkpoint

    path, _ = saved(tmp_path)
    manifest = json.loads(path.read_bytes())
    manifest["values"] = values
    path.write_bytes(checkpoint.sealed(manifest))
    refusal(path)


def test_tensors_of_another_checkpoint_are_refused(tmp_path: Path) -> None:
    first = save_checkpoint(tmp_path, state_of(1))
    second = save_checkpoint(tmp_path, {**state_of(2), "extra": torch.ones(1)})
    second.with_suffix(".safetensors").write_bytes(first.with_suffix(".safetensors").read_bytes())
    assert second.with_suffix(".safetensors").name in refusal(second)


def test_a_file_outside_the_folder_is_never_read(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path / "inner", state_of(1))
    path.with_suffix(".safetensors").rename(tmp_path / "outside.safetensors")
    manifest = json.loads(path.read_bytes())
    manifest["tensors"] = "../outside.safetensors"
    path.write_text(json.dumps(manifest))
    refusal(path)


def test_a_checkpoint_of_a_later_format_is_refused(tmp_path: Path) -> None:
    from gan_core import checkpoints as checkpoint

    path, _ = saved(tmp_path)
    path.write_bytes(checkpoint.sealed({**json.loads(path.read_bytes()), "format": 99}))
    assert "format" in refusal(path)


def test_going_on_from_an_earlier_round_leaves_no_later_one(tmp_path: Path) -> None:
    for round in (10, 20, 30):
        save_checkpoint(tmp_path, state_of(round), keep=3)
    save_checkpoint(tmp_path, state_of(15), keep=3)
    assert [round_of(path) for path in checkpoints(tmp_path)] == [10, 15]
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "round-000000010.safetensors",
        "round-000000015.safetensors",
    ]


@pytest.mark.parametrize(
    ("fault", "lost"), [("eio", True), ("emfile", False), ("eacces", False), ("enomem", False), ("enospc", False)]
)
def test_a_checkpoint_unreadable_now_is_told_from_a_lost_one(fault: str, lost: bool, tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    for look in (read, glance):
        with armed(f"checkpoint.read={fault}"), pytest.raises(CheckpointError, match=path.name) as refused:
            look(path)
        assert isinstance(refused.value, CheckpointUnreadable) != lost
    path.unlink()
    with pytest.raises(CheckpointError) as refused:
        read(path)
    assert not isinstance(refused.value, CheckpointUnreadable)


def test_where_there_is_no_memory_for_a_checkpoint_nothing_is_told_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(path: Path) -> bytes:
        raise MemoryError

    path = write(tmp_path, 1, b"tensors", {"round": 1})
    monkeypatch.setattr(Path, "read_bytes", scarce)
    with pytest.raises(CheckpointUnreadable, match="out of memory"):
        read(path)


def test_saving_the_same_again_leaves_what_is_there_until_it_is_done(tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    with armed("save.before_temporary=eio"), pytest.raises(OSError, match="Input/output"):
        write(tmp_path, 1, b"tensors", {"round": 1, "seconds": 2.0})
    assert read(path) == (b"tensors", {"round": 1})


def test_a_glance_sees_that_tensors_are_missing_but_not_what_is_in_them(tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    tensors = path.with_suffix(".safetensors")
    tensors.write_bytes(b"altered")
    glance(path)
    tensors.unlink()
    with pytest.raises(CheckpointError, match=r"round-000000001\.safetensors is missing"):
        glance(path)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"{}", b"[]", b"3", b'{"reason": "a", "scores": 3}', b'{"reason": "a", "scores": ["x"]}'],
)
def test_a_mark_that_cannot_be_read_keeps_its_checkpoint_without_a_reason(text: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    mark(path, "best", "the best", (1.0,))
    assert best_scores(tmp_path, 1) == (1.0,)
    path.with_suffix(".best").write_bytes(text)
    assert kept_checkpoints(tmp_path) == {1: ""}
    assert best_scores(tmp_path, 1) == ()


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), MemoryError()])
def test_a_mark_that_cannot_be_opened_keeps_its_checkpoint_too(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise error

    path = write(tmp_path, 1, b"tensors", {"round": 1})
    mark(path, "best", "the best", (1.0,))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert kept_checkpoints(tmp_path) == {1: ""}
    with pytest.raises(type(error)):
        best_scores(tmp_path, 1)


def test_what_a_crash_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    assert sweep(tmp_path / "nowhere") == 0
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    mark(path, "pinned", "pinned")
    whole = sorted(file.name for file in tmp_path.iterdir())
    for name in ("round-000000002.json.tmp", "round-000000003.safetensors", "round-000000003.best"):
        (tmp_path / name).touch()
    (tmp_path / "notes.txt").touch()
    assert sweep(tmp_path) == 3
    assert sorted(file.name for file in tmp_path.iterdir()) == ["notes.txt", *whole]
