"""What was done to a run while it trained: on record, in words, and in the Python that makes the run again."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest
from forking import TEXT, forked
from holding import Hold

from gan_core import train
from gan_core.config import Comparison, ConfigError
from gan_core.engine import Lab
from gan_core.engine.exchange.reproducing import code
from gan_core.engine.library.history import happenings
from gan_core.engine.messages import Knobs, StepOf, Turned
from gan_core.ui.report import report

LR, STEPS = "optimizers.generator.lr", "schedule.n_critic"
LONG = {"objective": "wgan_gp", "schedule.rounds": 100_000_000, "diagnostics.every": 1000}


def made_again(text: str, root: Path) -> dict[str, str]:
    """The state hashes of what copied Python trains, in a process of its own with an empty store."""
    tell = (
        "\nimport json\nmade = globals().get('results') or {'': result}\n"
        "print(json.dumps({str(which): one.state_hash for which, one in made.items()}))\n"
    )
    done = forked(TEXT, text + tell, GANSCOPE_STORE=str(root), GANSCOPE_FAILPOINTS="")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def steered(open_lab: Callable, small: Callable, hold: Hold, until: Callable) -> tuple[Lab, str, str]:
    """A run with three live changes, one of them amid a round, that was stopped; and its fork, with a change of its own."""
    hold.at(5)
    lab: Lab = open_lab()

    def play_to(run: str, round: int) -> None:
        hold.at(round)
        until(lambda: lab.view(run).status["round"] == round, f"round {round}")

    def turn(run: str, values: dict[str, float]) -> None:
        lab.turn(run, values)
        until(lambda: lab.knobs(run).items() >= values.items(), "the knobs stand where they were put")

    run = lab.submit(small(LONG), name="steered")
    play_to(run, 5)
    turn(run, {LR: 0.05, STEPS: 2})
    play_to(run, 8)
    lab.command(run, StepOf("D"))  # in round 9, which has two turns of D
    until(lambda: "turn 1 of 2 in round 9" in lab.view(run).status["caption"], "a step")
    turn(run, {"objective.penalties.gradient_penalty": 0.5})
    assert lab.view(run).status["round"] == 9
    lab.command(run, "resume")
    play_to(run, 12)
    turn(run, {LR: 0.002})
    child = lab.fork(run, {"optimizers.discriminator.lr": 0.004})
    play_to(run, 15)
    until(lambda: lab.view(child).status["round"] == 15, "the fork keeps pace")
    turn(child, {STEPS: 3})
    play_to(child, 18)
    until(lambda: lab.view(run).status["round"] == 18, "its parent too")
    for one in (run, child):
        lab.command(one, "stop")
        assert lab.wait(one, 60).status == "stopped"
    return lab, run, child


def test_copied_python_makes_a_steered_run_and_its_fork_again(steered: tuple, tmp_path: Path) -> None:
    lab, run, child = steered
    assert [(event.round, event.data["label"]) for event in lab.store.events(child) if event.kind == "knob"] == [
        (5, "G's lr → 0.05, n_critic → 2"),
        (9, "gradient_penalty → 0.5"),
        (12, "G's lr → 0.002"),
        (15, "n_critic → 3"),
    ]
    for one in (run, child):
        text = code(lab.store, one)
        assert run not in text, "it needs nothing that is in the store"
        assert f"<pre>{escape(text)}</pre>" in report(lab.store, one), "a report prints the same"
        (made,) = made_again(text, tmp_path / one).values()
        assert made == lab.store.run(one).summary["state_hash"]
    told = [(one.round, one.what) for one in happenings(lab.store, lab.store.run(child))]
    assert (9, "gradient_penalty → 0.5, from round 10 on") in told
    assert (12, "forked from steered: D's lr 0.004") in told
    own = [(one.round, one.what) for one in happenings(lab.store, lab.store.run(run))]
    assert [(round, what) for round, what in own if "by hand" in what] == [
        (9, "played by hand: 1 × to the end of D's turn")
    ]
    assert own[-1] == (18, "stopped")


def test_a_fork_tells_of_its_past_when_its_parent_is_gone(steered: tuple, tmp_path: Path) -> None:
    lab, run, child = steered
    before = code(lab.store, child)
    lab.delete(run)
    lab.store.purge(run)
    assert code(lab.store, child) == before


def test_a_comparison_whose_knobs_were_turned_is_made_again_run_by_run(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable, tmp_path: Path
) -> None:
    hold.at(4)
    lab: Lab = open_lab()
    variants = [{"name": "it's NS", "changes": {}}, {"name": "LS", "changes": {"objective": "ls_gan"}}]
    made = lab.compare(Comparison.load({"base": small(), "variants": variants, "seeds": [3], "rounds": 9}))
    until(lambda: all(lab.view(run).status["round"] == 4 for run in lab.members(made)), "both at a round")
    lab.turn_all(made, {LR: 0.05}, "LS")
    (turned,) = lab.members(made, "LS")
    until(lambda: lab.knobs(turned)[LR] == 0.05, "the knob stands where it was put")
    hold.let_go()
    records = {member.variant: lab.wait(member.run, 60) for member in lab.store.comparison(made).members}
    again = made_again(code(lab.store, made), tmp_path / "again")
    assert again == {str((name, 3)): run.summary["state_hash"] for name, run in records.items()}


def test_knobs_turned_after_the_last_checkpoint_are_turned_again(
    open_lab: Callable, small: Callable, play_job: Callable
) -> None:
    lab: Lab = open_lab()
    settings = {"objective": "wgan_gp", "schedule.rounds": 12}
    whole = lab.wait(lab.submit(small(settings), knobs={4: {LR: 0.05}, 8: {LR: 0.002}}), 60)
    lab.capacity = 0  # nobody trains: the run is as a crash leaves it
    run = lab.submit(small(settings))
    lab.command(run, "interrupt")
    lab.wait(run, 60)
    for round, value in ((4, 0.05), (8, 0.002)):
        lab.store.add_event(run, round, "knob", {"changes": {LR: value}})
    lab.store.flush()
    lab.capacity = 0
    planned = lab.submit(small(settings), knobs={4: {LR: 0.05}, 8: {LR: 0.002}})
    lab.command(planned, "interrupt")
    lab.wait(planned, 60)
    lab.capacity = 1
    for one in (run, planned):
        assert lab.resume(one) == 0
        assert lab.wait(one, 60).summary["state_hash"] == whole.summary["state_hash"]
        assert [event.round for event in lab.store.events(one) if event.kind == "knob"] == [4, 8]


def test_at_the_round_of_a_checkpoint_a_knob_is_turned_but_not_told_again(
    play_job: Callable, small: Callable, tmp_path: Path
) -> None:
    config = small({"objective": "wgan_gp", "schedule.rounds": 9})

    def save_turn(turn, inbox) -> None:
        if turn.round == 4 and turn.ends_round:
            inbox.put("checkpoint")
            inbox.put(Knobs({LR: 0.05}))

    whole = play_job(config, hook=save_turn, folder="whole")
    saved = next((tmp_path / "whole").glob("*4.json"))
    rest = play_job(config, resume_from=saved, knobs=(Turned(4, {LR: 0.05}, told=True),), folder="rest")
    assert rest.end.summary["state_hash"] == whole.end.summary["state_hash"]
    assert rest.notes("knob") == []


def test_a_plan_stops_where_it_says_and_goes_on_to_the_end(small: Callable, tmp_path: Path) -> None:
    store = tmp_path / "runs"
    settings = {"schedule.rounds": 12, "schedule.seconds": 0.000001}
    result = train(small(settings), store=store, until=5)
    assert (result.status, result.rounds) == ("stopped", 5)
    whole = train(small({"schedule.rounds": 12}), store=store, knobs={7: {STEPS: 3}})
    with Lab(store) as lab:
        first = lab.submit(small({"schedule.rounds": 12}), until=7, knobs={7: {STEPS: 3}})
        assert (lab.wait(first, 60).status, lab.store.run(first).rounds) == ("stopped", 7)
        assert lab.resume(first) == 7
        assert lab.wait(first, 60).summary["state_hash"] == whole.state_hash
        assert [event.round for event in lab.store.events(first) if event.kind == "knob"] == [7]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"until": 25}, "a round from 1 to 24"),
        ({"until": 0}, "a round from 1 to 24"),
        ({"knobs": {25: {LR: 0.1}}}, "round 25 is not one from 0 to 24"),
        ({"knobs": {9: {LR: 0.1}}, "until": 8}, "round 9 is not one from 0 to 8"),
        ({"knobs": {2: {"model.latent_dim": 5}}}, "fork it instead"),
        ({"knobs": {2: {LR: -1.0}}}, "greater than 0"),
    ],
)
def test_a_plan_that_cannot_be_is_a_sentence_and_starts_nothing(
    asked: dict, sentence: str, open_lab: Callable, small: Callable
) -> None:
    lab: Lab = open_lab()
    with pytest.raises(ConfigError, match=sentence):
        lab.submit(small(), **asked)
    assert lab.store.runs() == []
