"""One job, alone: what it tells of its life, how it obeys, and that looking at it changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan_core.engine.messages import Note, Rows, Sight, State
from gan_core.engine.observers import PlaneObserver
from gan_core.engine.running import runner, saving
from gan_core.training import (
    Turn,
    build,
    capture,
    checkpoints,
    load_checkpoint,
    load_source,
    play,
    round_of,
    state_hash,
)


def hash_of(path: Path) -> str:
    state = load_checkpoint(path)
    return state_hash({name: part for name, part in state.items() if name not in ("seconds", "measuring")})


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def at(round: int, *commands: str, step: int = 0, player: str = "D") -> Callable[[Turn, Any], None]:
    """A hook that gives commands while a turn of this round is played."""

    def hook(turn: Turn, inbox: Any) -> None:
        if (turn.round, turn.player.name, turn.step) == (round, player, step):
            for command in commands:
                inbox.put(command)

    return hook


# --- its life ---


def test_a_job_tells_every_round_once_and_is_seen_at_both_ends(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    config = small()
    told = play_job(config)
    assert told.end.state == "finished"
    assert told.end.round == 24
    assert told.rounds() == list(range(1, 25))
    assert told.frames == [0, 5, 10, 20, 24]
    assert told.rounds("diagnostics") == told.frames
    assert told.states == ["running"]
    assert set(told.end.summary) == {"seconds", "state_hash", "metrics"}
    assert told.end.summary["metrics"].keys() == told.scalars("diagnostics").keys()
    path = checkpoints(tmp_path / "checkpoints")[-1]
    assert round_of(path) == 24
    assert hash_of(path) == told.end.summary["state_hash"]


def test_the_rows_are_the_numbers_of_the_loop(play_job: Callable, small: Callable) -> None:
    """Last step of each player, bit for bit, in the columns that the players declare."""
    config = small({"objective": "wgan_gp", "schedule.n_critic": 3, "schedule.rounds": 4})
    told = play_job(config)
    game = build(config, load_source(config))
    rows: list[dict[str, float]] = []
    row: dict[str, float] = {}
    for turn in play(game):
        row |= {f"{turn.player.name}.{name}": value.item() for name, value in turn.values.items()}
        if turn.ends_round:
            rows.append(row)
            row = {}
            if turn.round == 4:
                break
    assert list(told.scalars()) == [f"{player.name}.{name}" for player in game.players for name in player.columns]
    for name, column in told.scalars().items():
        assert column.tolist() == [one[name] for one in rows], name
    assert told.end.summary["state_hash"] == state_hash(capture(game, 4))


def test_the_clock_grows_and_does_not_count_measuring_saving_or_waiting(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])

    def taking(seconds: float, work: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*arguments: Any) -> Any:
            now[0] += seconds
            return work(*arguments)

        return slow

    monkeypatch.setattr(saving, "save_checkpoint", taking(1000, saving.save_checkpoint))
    monkeypatch.setattr(PlaneObserver, "look", taking(1000, PlaneObserver.look))

    def hook(turn: Turn, inbox: Any) -> None:
        now[0] += 1.0
        if turn.round == 3 and turn.ends_round:
            for command in ("pause", "checkpoint", "sample", "resume"):
                inbox.put(command)

    told = play_job(small({"schedule.rounds": 12, "schedule.checkpoint_seconds": 5}), hook=hook)
    seconds = np.concatenate([rows.values[:, -1] for rows in told.of(Rows) if rows.track == "turns"])
    assert seconds.tolist() == [2.0 * round for round in range(1, 13)]  # two turns of a second each
    assert told.end.summary["seconds"] == 24.0
    assert len(told.notes("checkpoint")) >= 3


def test_a_run_ends_with_the_round_in_which_its_seconds_are_over(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])

    def hook(turn: Turn, inbox: Any) -> None:
        now[0] += 0.5
        if turn.round == stop_at and turn.ends_round:
            inbox.put("stop")

    stop_at, config = 4, small({"schedule.rounds": 1000, "schedule.seconds": 9.5, "diagnostics.every": 5})
    first = play_job(config, hook=hook)
    assert (first.end.state, first.end.round) == ("stopped", 4)
    stop_at, now[0] = 0, 1000.0
    told = play_job(config, hook=hook, resume_from=checkpoints(tmp_path / "checkpoints")[-1])
    assert (told.end.state, told.end.round, told.end.summary["seconds"]) == ("finished", 10, 10.0)
    assert told.rounds("diagnostics") == [5, 10], "the end is measured once"
    assert (
        told.end.summary["state_hash"] == play_job(small({"schedule.rounds": 10}), folder="b").end.summary["state_hash"]
    )


def test_a_checkpoint_is_written_every_so_many_seconds_of_training(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])

    def hook(turn: Turn, inbox: Any) -> None:
        now[0] += 0.5

    told = play_job(small({"schedule.rounds": 30, "schedule.checkpoint_seconds": 10}), hook=hook)
    assert [note.round for note in told.notes("checkpoint")] == [11, 22, 30]


def test_measuring_keeps_to_its_share_of_the_time(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A measurement that costs as much as 20 rounds comes at the beginning, and then only as often as its budget allows."""
    now = [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])
    real_look = PlaneObserver.look

    def slow_look(*arguments: Any) -> Any:
        now[0] += 20
        return real_look(*arguments)

    monkeypatch.setattr(PlaneObserver, "look", slow_look)

    def hook(turn: Turn, inbox: Any) -> None:
        now[0] += 0.5

    changes = {"schedule.rounds": 400, "diagnostics.every": 4, "diagnostics.budget": 0.5, "diagnostics.samples": 16}
    told = play_job(small(changes), hook=hook)
    assert told.frames[:4] == [0, 1, 2, 4]
    assert told.frames[-1] == 400
    assert told.end.summary["seconds"] == 400.0
    # Half of the time goes into looks of 20 s; the first four are free, and the end is seen twice.
    assert told.frames[4:] == [8, 40, 80, 120, 160, 200, 240, 280, 320, 360, 396, 400]


# --- commands ---


def test_pause_waits_for_resume_and_obeys_meanwhile(play_job: Callable, small: Callable) -> None:
    config = small()
    told = play_job(config, hook=at(7, "pause", "pause", "sample", "checkpoint", "resume", "resume"))
    assert told.states == ["running", "paused", "running"]
    assert [state.round for state in told.of(State)] == [0, 7, 7]
    assert [note.round for note in told.notes("checkpoint")] == [7, 24]
    assert 7 in told.frames
    assert told.end.state == "finished"
    assert told.rounds() == list(range(1, 25))


@pytest.mark.parametrize("steps", [(0, "D"), (3, "D"), (4, "D"), (0, "G")])
@pytest.mark.parametrize("commands", [("stop",), ("pause", "stop"), ("sample", "pause", "checkpoint", "stop")])
def test_stop_amid_a_round_ends_between_rounds(
    play_job: Callable, small: Callable, tmp_path: Path, steps: tuple[int, str], commands: tuple[str, ...]
) -> None:
    config = small({"schedule.n_critic": 5})
    told = play_job(config, hook=at(6, *commands, step=steps[0], player=steps[1]))
    assert told.end.state == "stopped"
    assert told.end.round == 6
    assert told.rounds() == list(range(1, 7))
    assert told.frames[-1] == 6
    path = checkpoints(tmp_path / "checkpoints")[-1]
    assert round_of(path) == 6
    game = build(config, load_source(config))
    for turn in play(game):
        if turn.ends_round and turn.round == 6:
            break
    assert hash_of(path) == told.end.summary["state_hash"] == state_hash(capture(game, 6))


def test_an_interrupted_job_saves_and_does_not_stop_to_measure(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    told = play_job(small(), hook=at(4, "interrupt"))
    assert told.end.state == "interrupted"
    assert "metrics" not in told.end.summary
    assert told.frames == [0]
    assert [round_of(path) for path in checkpoints(tmp_path / "checkpoints")] == [4]


def test_a_stop_that_came_before_the_first_round_plays_none(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    told = play_job(small(), before=("stop",))
    assert told.end.state == "stopped"
    assert told.end.round == 0
    assert told.rounds() == []
    assert told.frames == [0]
    assert [round_of(path) for path in checkpoints(tmp_path / "checkpoints")] == [0]


def test_a_round_is_measured_once_however_often_it_is_asked_for(play_job: Callable, small: Callable) -> None:
    told = play_job(small(), hook=at(10, "sample", "pause", "sample", "sample", "stop"))
    assert told.rounds("diagnostics") == [0, 5, 10]
    assert told.frames == [0, 5, 10]
    last = {name: np.float32(value) for name, value in told.end.summary["metrics"].items()}
    assert last == {name: column[-1] for name, column in told.scalars("diagnostics").items()}


def test_a_measurement_on_record_is_not_recorded_again(play_job: Callable, small: Callable, tmp_path: Path) -> None:
    config = small()
    play_job(config, hook=at(10, "stop"))
    path = checkpoints(tmp_path / "checkpoints")[-1]
    again = play_job(config, before=("stop",), resume_from=path, measured_at=10)
    assert again.end.state == "stopped", again.end
    assert again.rounds("diagnostics") == []
    assert again.end.summary["metrics"]


def test_an_abandoned_job_ends_in_its_turn_without_half_a_checkpoint(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    def hook(turn: Turn, inbox: Any) -> None:
        if (turn.round, turn.step) == (3, 2):
            inbox.abandon()

    told = play_job(small({"schedule.n_critic": 100}), hook=hook)
    assert told.end.state == "interrupted"
    assert told.end.round == 2
    assert told.rounds() == [1, 2]
    assert checkpoints(tmp_path / "checkpoints") == []


# --- the same numbers ---


def test_looking_does_not_change_a_run(play_job: Callable, small: Callable) -> None:
    changes = {
        "model.generator.normalization": "batch",
        "model.generator.dropout": 0.3,
        "model.discriminator.dropout": 0.3,
        "objective": "wgan_gp",
    }
    never = {"diagnostics.every": 1_000_000, "diagnostics.budget": 0.0}
    plain = play_job(small(changes | never))
    assert plain.frames == [0, 24]

    def nosy(turn: Turn, inbox: Any) -> None:
        if turn.ends_round and turn.round % 3 == 0:
            for command in ("sample", "checkpoint", "pause", "sample", "resume"):
                inbox.put(command)

    for config, hook in ((small(changes | {"diagnostics.every": 3}), None), (small(changes), nosy)):
        other = play_job(config, hook=hook)
        assert len(other.frames) > 4
        assert same(other.scalars(), plain.scalars())
        assert other.end.summary["state_hash"] == plain.end.summary["state_hash"]


def test_the_global_generators_are_left_alone(play_job: Callable, small: Callable) -> None:
    before = torch.random.get_rng_state().clone(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    play_job(small({"model.discriminator.dropout": 0.5, "schedule.rounds": 3}))
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002
    assert before[2] == random.getstate()


@pytest.mark.parametrize("seed", range(3))
def test_a_chain_of_resumptions_equals_the_uninterrupted_run(
    play_job: Callable, small: Callable, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    config = small(
        {
            "schedule.rounds": 40,
            "objective": dice.choice(["ns_gan", "wgan", "wgan_gp"]),
            "schedule.n_critic": 2,
            "model.generator.normalization": "batch",
            "model.discriminator.dropout": 0.2,
        }
    )
    whole = play_job(config, folder="whole")
    cuts = sorted(dice.sample(range(1, 40), 3))
    parts, path = [], None
    for cut in [*cuts, None]:
        ways = (at(cut, dice.choice(["stop", "interrupt"]), player="G"),) if cut else (None,)
        parts.append(play_job(config, hook=ways[0], resume_from=path, folder="parts"))
        path = checkpoints(tmp_path / "parts")[-1]
    assert [told.end.round for told in parts] == [*cuts, 40]
    assert [round for told in parts for round in told.rounds()] == whole.rounds()
    for name, column in whole.scalars().items():
        pieces = np.concatenate([told.scalars()[name] for told in parts])
        assert pieces.tobytes() == column.tobytes(), name
    assert parts[-1].end.summary["state_hash"] == whole.end.summary["state_hash"]
    seconds = [told.end.summary["seconds"] for told in parts]
    assert seconds == sorted(seconds), "the clock goes on where it stood"


# --- divergence ---

SGD = {"name": "sgd", "lr": 0.3, "momentum": 0.9}
WILD = {"optimizers.generator": SGD, "optimizers.discriminator": SGD, "objective.loss": "least_squares"}


def first_bad_round(config: Any) -> int:
    """Recomputed with the bare loop."""
    game = build(config, load_source(config))
    for turn in play(game):
        if not torch.isfinite(turn.values["loss"]):
            return turn.round
        assert turn.round < 100
    raise AssertionError


@pytest.mark.parametrize("wild", [{}, {"schedule.n_critic": 3}, {"objective.loss": "wasserstein"}])
def test_divergence_ends_at_the_first_bad_round_and_no_bad_state_is_saved(
    play_job: Callable, small: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wild: dict[str, Any]
) -> None:
    config = small({**WILD, "schedule.rounds": 100, **wild})
    bad = first_bad_round(config)
    assert bad > 2
    now = [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])

    def hook(turn: Turn, inbox: Any) -> None:
        now[0] += 1.0  # a checkpoint is due after every round
        if turn.round >= bad - 1:
            inbox.put("checkpoint")

    told = play_job(config.replace({"schedule.checkpoint_seconds": 1}), hook=hook)
    assert told.end.state == "diverged"
    assert told.end.round == bad
    assert ".loss is not finite" in told.end.message
    assert told.rounds() == list(range(1, bad + 1))
    losses = np.column_stack([told.scalars()["D.loss"], told.scalars()["G.loss"]])
    assert np.isfinite(losses[:-1]).all()
    assert not np.isfinite(losses[-1]).all()
    kept = checkpoints(tmp_path / "checkpoints")
    assert kept, "the last good state is there"
    for path in kept:
        assert round_of(path) < bad
        for tensors in load_checkpoint(path)["networks"].values():
            assert all(tensor.isfinite().all() for tensor in tensors.values())


def poison(turn: Turn) -> None:
    """A weight of the player's network is lost in its last step; no loss has shown it yet."""
    with torch.no_grad():
        turn.player.parameters[0][0] = float("nan")


@pytest.mark.parametrize("command", ["stop", "interrupt", None])
def test_a_state_that_is_not_finite_is_a_divergence_whatever_the_loss(
    play_job: Callable, small: Callable, tmp_path: Path, command: str | None
) -> None:
    def hook(turn: Turn, inbox: Any) -> None:
        if turn.round == 5 and turn.ends_round:
            inbox.put("checkpoint")
        if turn.round == 9 and turn.ends_round:
            poison(turn)
            if command:
                inbox.put("checkpoint")
                inbox.put(command)

    told = play_job(small({"schedule.rounds": 9 if command is None else 24}), hook=hook)
    assert told.end.state == "diverged"
    assert told.end.round == 9
    assert "weight of G" in told.end.message
    assert told.rounds() == list(range(1, 10))
    assert [round_of(path) for path in checkpoints(tmp_path / "checkpoints")] == [5]


@pytest.mark.parametrize("command", ["checkpoint", "stop", None])
def test_a_moment_that_has_overflown_is_a_divergence_and_never_saved(
    play_job: Callable, small: Callable, tmp_path: Path, command: str | None
) -> None:
    """No loss and no weight shows it: the weight just stands still."""

    def hook(turn: Turn, inbox: Any) -> None:
        if turn.round == 5 and turn.ends_round:
            inbox.put("checkpoint")
        if turn.round == 9 and turn.ends_round:
            turn.player.optimizer.state[turn.player.parameters[0]]["exp_avg_sq"].fill_(float("inf"))
            if command:
                inbox.put(command)

    told = play_job(small({"schedule.rounds": 24}), hook=hook)
    assert told.end.state == "diverged"
    assert told.end.round == (9 if command else 24)
    assert f"a moment of the optimiser of G is not finite at round {told.end.round}" in told.end.message
    assert [round_of(path) for path in checkpoints(tmp_path / "checkpoints")] == [5]


def test_where_checks_are_rare_the_round_is_still_exact(
    play_job: Callable, small: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an accelerator: looked at every 32 rounds, told as the first bad one, saved and shown never."""
    monkeypatch.setitem(runner.FINITE_CHECK_EVERY, "cpu", 32)
    monkeypatch.setattr(runner, "ROWS_EVERY_SECONDS", 1e9)
    for commands in ((), ("checkpoint",), ("sample",), ("stop",), ("pause", "stop")):

        def hook(turn: Turn, inbox: Any, commands: tuple[str, ...] = commands) -> None:
            if turn.round == 12 and turn.ends_round:
                poison(turn)
            if turn.round == 15 and turn.ends_round:
                for command in commands:
                    inbox.put(command)

        told = play_job(small({"schedule.rounds": 64, "diagnostics.every": 1_000_000}), hook=hook, folder=str(commands))
        assert told.end.state == "diverged"
        assert told.end.round == 13
        assert told.rounds() == list(range(1, 14))
        assert told.frames == [0]
        assert checkpoints(tmp_path / str(commands)) == []


# --- failures ---


class Bang(Exception):
    pass


def fail(error: BaseException) -> Callable[..., Any]:
    def raising(*arguments: Any, **named: Any) -> Any:
        raise error

    return raising


ERRORS = [Bang("bang"), SystemExit(3), KeyboardInterrupt(), StopIteration("stop"), GeneratorExit(), MemoryError()]
PLACES = {
    "loading the data": ("gan_core.engine.running.runner.load_source", None),
    "building the networks": ("gan_core.engine.running.runner.build", None),
    "training": ("gan_core.training.games.adversarial.AdversarialGame._discriminate", 0),
    "saving a checkpoint": ("gan_core.engine.running.saving.save_checkpoint", 24),
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("phase", PLACES)
def test_whatever_is_raised_ends_the_job_as_failed_with_its_phase(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, phase: str, error: BaseException
) -> None:
    place, played = PLACES[phase]
    monkeypatch.setattr(place, fail(error))
    told = play_job(small())
    assert told.end.state == "failed"
    assert f"while {phase}" in told.end.message
    # Python itself turns a StopIteration that leaves a generator into a RuntimeError.
    assert type(error).__name__ in told.end.message or isinstance(error, StopIteration)
    assert type(error).__name__ in told.end.traceback
    assert told.rounds() == list(range(1, (played or 0) + 1))


@pytest.mark.parametrize(
    "place",
    [
        "gan_core.models.blocks.Network.forward",
        "torch.Tensor.backward",
        "gan_core.training.eager.Adam.step",
        "gan_core.data.stream.SampledStream.next",
    ],
)
def test_a_failure_amid_training_keeps_the_rows_before_it(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def hook(turn: Turn, inbox: Any) -> None:
        if turn.round == 7 and turn.ends_round:
            monkeypatch.setattr(place, fail(Bang("bang")))

    told = play_job(small({"diagnostics.every": 1_000_000}), hook=hook)
    assert told.end.state == "failed"
    assert told.end.round == 7
    assert told.end.message == "Bang while training: bang"
    assert "Bang: bang" in told.end.traceback
    assert told.rounds() == list(range(1, 8))
    assert told.end.summary.keys() == {"seconds"}


def test_a_game_that_ends_by_itself_is_a_failure_and_no_endless_loop(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = play_job(small(), hook=None)
    assert told.end.state == "finished"
    monkeypatch.setattr("gan_core.training.loop.count", lambda start: iter(range(start, start + 3)))
    told = play_job(small())
    assert told.end.state == "failed"
    assert told.rounds() == [1, 2, 3]


def test_a_disk_that_fails_for_a_while_does_not_end_training(
    play_job: Callable, small: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(runner.time, "perf_counter", lambda: now[0])
    real = saving.save_checkpoint

    def save(folder: Path, state: dict[str, Any]) -> Path:
        if 15 < state["round"] < 60:
            raise OSError(5, "Input/output error")
        return real(folder, state)

    monkeypatch.setattr(saving, "save_checkpoint", save)

    def hook(turn: Turn, inbox: Any) -> None:
        now[0] += 0.5

    told = play_job(small({"schedule.rounds": 70, "schedule.checkpoint_seconds": 9}), hook=hook)
    assert told.end.state == "finished"
    assert [note.round for note in told.notes("checkpoint")] == [10, 70]
    # Tried again before the next one is due, then twice as late each time.
    assert [note.round for note in told.notes("not_saved")] == [20, 26, 37, 58]
    assert "Input/output error" in told.notes("not_saved")[0].data["message"]


def test_the_last_checkpoint_gets_a_moment_of_patience_and_then_fails(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "SAVE_RETRIES", (0.0, 0.0))
    real, left = saving.save_checkpoint, [2]

    def save(*arguments: Any) -> Path:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(5, "Input/output error")
        return real(*arguments)

    monkeypatch.setattr(saving, "save_checkpoint", save)
    assert play_job(small({"schedule.rounds": 3})).end.state == "finished"
    left[0] = 3
    told = play_job(small({"schedule.rounds": 3}), folder="other")
    assert told.end.state == "failed"
    assert told.end.message.startswith("OSError while saving a checkpoint")


def test_a_checkpoint_that_cannot_be_read_is_a_failure_at_its_round(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    path = tmp_path / "round-000000017.json"
    path.write_text("{}")
    told = play_job(small(), resume_from=path)
    assert told.end.state == "failed"
    assert told.end.round == 17
    assert "restoring round-000000017.json" in told.end.message


# --- images ---


def test_images_are_shown_before_the_classifier_is_there_to_measure(
    play_job: Callable, digits: Callable, stand_in: Callable
) -> None:
    ready = []
    told = play_job(
        digits(),
        classifier=lambda source: stand_in(source) if ready else None,
        hook=lambda turn, inbox: ready.append(1) if turn.round == 7 else None,
    )
    assert told.end.state == "finished"
    assert told.frames == [0, 5, 10, 20, 24]
    assert told.rounds("diagnostics") == [10, 20, 24]
    parts = [set(sight.parts) for sight in told.of(Sight)]
    assert parts == [{"grid", "push"}] * 2 + [{"grid", "push", "histogram"}] * 3
    assert [note.round for note in told.of(Note) if "real_share" in note.data] == [10]
    grid = told.of(Sight)[0].parts["grid"]
    assert grid.shape == (4, 1, 28, 28)
    assert grid.dtype == np.uint8
