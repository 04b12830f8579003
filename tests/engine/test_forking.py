"""Forks in a lab: a run goes on as another, with its parent's past, and both live on their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from holding import Hold

from gan_core.config import MOST_ROUNDS, ConfigError, RunConfig
from gan_core.engine import Lab, Refused
from gan_core.store import RunNotFound, fsck
from gan_core.training import checkpoints


def scalars(lab: Lab, run_id: str, columns: list[str] | None = None) -> dict[str, bytes]:
    track = lab.store.track(run_id, "turns", columns)
    return {name: track.column(name).tobytes() for name in track.columns if name != "seconds"}


@pytest.fixture
def half(open_lab: Callable, small: Callable) -> tuple[Lab, str]:
    """A run of 12 rounds that has finished; its only checkpoint is its last."""
    lab = open_lab()
    run_id = lab.submit(small({"schedule.rounds": 12}), name="parent")
    assert lab.wait(run_id, 60).status == "finished"
    return lab, run_id


def test_a_fork_that_changes_nothing_is_the_uninterrupted_run(half: Any, small: Callable) -> None:
    lab, parent = half
    whole = lab.submit(small())
    child = lab.fork(parent, {"schedule.rounds": 24})
    records = [lab.wait(run, 60) for run in (whole, child)]
    assert [record.status for record in records] == ["finished", "finished"]
    assert records[0].summary["state_hash"] == records[1].summary["state_hash"]
    assert scalars(lab, child) == scalars(lab, whole)  # the parent's rounds, and its own
    assert lab.store.track(child).rounds.tolist() == list(range(1, 25))
    assert (records[1].parent, records[1].forked_at) == (parent, 12)


def test_a_fork_has_its_parents_past_and_can_do_without_it(half: Any) -> None:
    lab, parent = half
    child = lab.fork(parent, {"objective": "wgan_gp", "objective.penalties.gradient_penalty": 0.1})
    record = lab.wait(child, 60)
    assert record.name == "parent → wgan_gp, gradient_penalty 0.1"
    config = RunConfig.load(record.config)
    assert (config.objective.name, config.objective.penalties) == ("wgan_gp", {"gradient_penalty": 0.1})
    assert config.schedule.rounds == record.rounds == 24  # as many again
    track = lab.store.track(child)
    assert track.rounds.tolist() == list(range(1, 25))
    assert "D.gp" in track.columns
    before = scalars(lab, parent, ["D.loss", "G.loss"])
    assert {name: data[: 12 * 4] for name, data in scalars(lab, child, ["D.loss", "G.loss"]).items()} == before
    seconds = track.column("seconds")
    assert (seconds[1:] >= seconds[:-1]).all()  # the clock goes on

    inherited = [frame for frame in lab.store.frames(child) if frame.round <= 12]
    assert [frame.parts for frame in inherited] == [frame.parts for frame in lab.store.frames(parent)]
    events = lab.store.events(child)
    (told,) = [event for event in events if event.kind == "forked"]
    assert (told.round, told.data["parent"], told.data["anew"]) == (12, parent, [])
    assert told.data["kept"] == {"G": 1.0, "D": 1.0}
    kinds = [event.kind for event in events]
    assert kinds[kinds.index("forked") :].count("started") == 1
    assert "resumed" not in kinds

    lab.delete(parent)
    lab.store.purge(parent)
    for frame in inherited:
        assert lab.store.artefact_path(child, frame.parts["points"]["file"]).is_file()
    assert [run.id for run in lab.store.family(child)] == [child]


def test_the_parent_says_where_it_was_left(half: Any) -> None:
    lab, parent = half
    lab.view(parent)  # kept by the gallery, which must not show what was
    child = lab.fork(parent, {"schedule.n_critic": 2})
    (left,) = [event for event in lab.store.events(parent) if event.kind == "fork"]
    assert (left.round, left.data) == (12, {"child": child, "label": "fork: n_critic 2"})
    assert b'"fork: n_critic 2"' in lab.view(parent).snapshot()
    lab.wait(child, 60)
    grandchild = lab.fork(child, {"schedule.n_critic": 1})
    assert [run.id for run in lab.store.family(child)] == [parent, child, grandchild]
    assert lab.store.family(parent) == lab.store.family(grandchild)
    assert [event.kind for event in lab.store.events(grandchild)].count("forked") == 2  # its own and its parent's
    assert lab.wait(grandchild, 60).status == "finished"


def test_what_begins_anew_is_told(half: Any) -> None:
    lab, parent = half
    child = lab.fork(parent, {"model.discriminator.packing": 2, "optimizers.generator": {"name": "sgd", "lr": 0.01}})
    assert lab.wait(child, 60).status == "finished"
    (told,) = [event for event in lab.store.events(child) if event.kind == "forked"]
    assert [line.split(":")[0] for line in told.data["anew"]] == ["D, Linear at 1", "G's optimiser"]
    assert told.data["kept"]["D"] < 1


def test_a_running_parent_is_forked_where_it_is_and_goes_on(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(5)
    lab = open_lab()
    parent = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(parent).status["round"] == 5, "five rounds")
    child = lab.fork(parent, {"objective": "ls_gan"})
    forked_at = lab.store.run(child).forked_at
    assert forked_at == 5
    assert lab.store.track(child).rounds.tolist()[:forked_at] == list(range(1, forked_at + 1))
    hold.at(9)
    for run in (child, parent):
        until(lambda run=run: lab.view(run).status["round"] == 9, "both go on")
    for run in (child, parent):
        lab.command(run, "stop")
        assert lab.wait(run, 60).status == "stopped"
    track = lab.store.track(child)
    assert track.rounds.tolist() == list(range(1, len(track.rounds) + 1))
    assert (
        track.column("D.loss")[:forked_at].tobytes() == lab.store.track(parent).column("D.loss")[:forked_at].tobytes()
    )


def test_a_fork_interrupted_before_its_first_round_begins_at_the_fork(
    half: Any, open_lab: Callable, small: Callable
) -> None:
    lab, parent = half
    lab.capacity = 0  # nobody trains
    child = lab.fork(parent, {"schedule.rounds": 24})
    lab.close()
    lab = open_lab()
    assert lab.store.run(child).status == "interrupted"
    assert lab.resume(child) == 12
    record, whole = lab.wait(child, 60), lab.submit(small())
    assert record.summary["state_hash"] == lab.wait(whole, 60).summary["state_hash"]
    assert lab.view(child).status["message"] == ""


def test_a_fork_without_a_readable_checkpoint_is_not_begun_from_nothing(half: Any) -> None:
    lab, parent = half
    child = lab.fork(parent, {"schedule.rounds": 100_000_000})
    lab.command(child, "stop")
    lab.wait(child, 60)
    for path in checkpoints(lab.store.checkpoint_dir(child)):
        path.write_text("{")
    with pytest.raises(Refused, match="fork again"):
        lab.resume(child)
    assert len(lab.store.track(child).rounds) >= 12


def test_what_cannot_be_forked_is_refused_and_leaves_nothing_behind(half: Any, small: Callable) -> None:
    lab, parent = half
    count = len(lab.store.runs())
    assert lab.kept_rounds(parent)[-1] == 12
    with pytest.raises(Refused, match=r"round 7 was kept; there are those of round .*12\."):
        lab.fork(parent, at=7)
    with pytest.raises(ConfigError, match="did you mean 'wgan_gp'"):
        lab.fork(parent, {"objective": "wgan-gp"})
    with pytest.raises(ConfigError, match="choose more"):
        lab.fork(parent, {"schedule.rounds": 12})
    with pytest.raises(ConfigError, match="start a new run"):
        lab.fork(parent, {"model.latent_dim": 2, "model.generator.widths": [3], "model.discriminator.widths": [3]})
    with pytest.raises(RunNotFound):
        lab.fork("no-such-run")
    path = checkpoints(lab.store.checkpoint_dir(parent))[-1]
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(Refused, match="cannot be read"):
        lab.fork(parent)
    path.write_bytes(whole)
    lab.delete(parent)
    with pytest.raises(Refused, match="deleted"):
        lab.fork(parent)
    assert len(lab.store.runs(include_deleted=True)) == count
    lab.capacity = 0
    waiting = lab.submit(small())
    with pytest.raises(Refused, match="No checkpoint"):
        lab.fork(waiting)


def test_a_double_click_is_one_fork(half: Any) -> None:
    lab, parent = half
    assert lab.fork(parent, {"seed": 4}, key="click") == lab.fork(parent, {"seed": 4}, key="click")
    assert len(lab.store.runs()) == 2


def test_a_fork_of_a_run_that_has_trained_its_seconds_gets_as_many_again(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    parent = lab.submit(small({"schedule.seconds": 0.05, "schedule.rounds": MOST_ROUNDS}))
    record = lab.wait(parent, 60)
    assert (record.status, record.rounds > 0) == ("finished", True)
    status = lab.view(parent).status
    assert (status["rounds"], status["seconds"], status["share"]) == (0, 0.05, 1.0)
    child = lab.wait(lab.fork(parent), 60)
    assert child.config["schedule"]["seconds"] == pytest.approx(record.summary["seconds"] + 0.05, abs=1e-3)
    assert child.rounds > record.rounds


def test_rounds_that_were_lost_with_their_process_are_passed_over_or_said(open_lab: Callable, small: Callable) -> None:
    lab = open_lab()
    parent = lab.submit(small({"schedule.rounds": 12}))
    assert lab.wait(parent, 60).status == "finished"
    earlier, last = lab.kept_rounds(parent)[-2:]
    assert last == 12
    lab.store.truncate(parent, 11)  # as if the process had been killed before it told of its last round
    assert lab.store.run(lab.fork(parent, {"schedule.rounds": 24})).forked_at == earlier
    child = lab.fork(parent, {"schedule.rounds": 24}, at=last)
    assert lab.wait(child, 60).status == "finished"
    said = [event.data["message"] for event in lab.store.events(child) if event.kind == "not_recorded"]
    assert said == ["Rounds 12 to 12 were played, but not recorded."]
    assert fsck(lab.store.root) == []


@pytest.mark.parametrize("kind", ["not_recorded", "not_the_same"])
def test_a_fork_says_of_its_past_what_its_parent_said(kind: str, open_lab: Callable, small: Callable) -> None:
    """Rounds that are missing are missing in its curves too."""
    lab = open_lab()
    parent = lab.submit(small({"schedule.rounds": 12}))
    assert lab.wait(parent, 60).status == "finished"
    turns = lab.store.track(parent, "turns")
    lab.store.truncate(parent, 5)
    lab.store.add_event(parent, 8, kind, {"message": "Rounds 6 to 8 were played, but not recorded."})
    lab.store.append(parent, "turns", turns.columns, turns.rounds[8:], turns.values[8:])
    lab.store.flush()
    assert fsck(lab.store.root) == []
    child = lab.fork(parent, {"schedule.rounds": 24}, at=12)
    grandchild = lab.fork(child, {"schedule.rounds": 24})
    for fork in (child, grandchild):
        lab.wait(fork, 60)
        said = [event.data["message"] for event in lab.store.events(fork) if event.kind == kind]
        assert said == ["Rounds 6 to 8 were played, but not recorded."]
    assert fsck(lab.store.root) == []
