"""Whatever a measurement raises, it is said once, and the run goes on as if nobody had looked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_core.engine import Lab, prepare_classifier
from gan_core.engine.messages import Sight
from gan_core.engine.observers import images
from gan_core.failpoints import armed

RAISED = [ValueError("bang"), MemoryError(), SystemExit(3), KeyboardInterrupt(), StopIteration("stop")]
POINTS = {
    "the observer is made": "gan_core.engine.running.runner.observer_for",
    "the reference": "gan_core.engine.observers.PlaneObserver.reference",
    "the whole look": "gan_core.engine.observers.PlaneObserver.look",
    "one number": "gan_core.engine.observers.measuring.mmd2",
    "amid the game": "gan_core.training.games.adversarial.AdversarialGame.pull",
    "how good it is": "gan_core.engine.running.runner.judged",
}


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", POINTS)
def test_what_a_measurement_raises_changes_no_bit_of_the_run(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, place: str, error: BaseException
) -> None:
    alone = play_job(small(), folder="alone")
    monkeypatch.setattr(POINTS[place], failing(error))
    told = play_job(small(), folder="looked at")
    assert told.end.state == "finished"
    assert told.end.summary["state_hash"] == alone.end.summary["state_hash"]
    assert told.rounds() == alone.rounds()
    (note,) = told.notes("not_measured")
    assert type(error).__name__ in note.data["message"]
    assert type(error).__name__ in note.data["traceback"]


def test_a_failpoint_while_samples_are_measured_is_said_once(play_job: Callable, small: Callable) -> None:
    with armed("sample=raise"):
        told = play_job(small())
    assert told.end.state == "finished"
    assert [note.data["message"] for note in told.notes("not_measured")] == ["RuntimeError: failpoint sample"]


def test_pictures_are_shown_where_their_measurement_raises(
    play_job: Callable, digits: Callable, stand_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "class_histogram", failing(ValueError("bang")))
    told = play_job(digits(), classifier=stand_in)
    assert told.end.state == "finished"
    assert len(told.notes("not_measured")) == 1
    assert told.rounds("diagnostics") == []
    assert all("grid" in sight.parts for sight in told.of(Sight))


def test_the_network_is_left_as_it_was_where_a_look_raises(
    play_job: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch norm in evaluation mode would train on as something else."""
    changes = {"model.generator.normalization": "batch", "model.discriminator.normalization": "batch"}
    alone = play_job(small(changes), folder="alone")
    forward = torch.nn.Module.__call__

    def raises_in_evaluation(self: torch.nn.Module, *arguments: Any, **options: Any) -> Any:
        if not self.training and isinstance(self, torch.nn.Linear):
            raise RuntimeError("bang")
        return forward(self, *arguments, **options)

    monkeypatch.setattr(torch.nn.Linear, "__call__", raises_in_evaluation)
    told = play_job(small(changes), folder="looked at")
    assert told.notes("not_measured")
    assert told.end.summary["state_hash"] == alone.end.summary["state_hash"]


def test_viewers_get_the_sentence_and_the_log_the_traceback(
    lab: Lab, small: Callable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: list[str]
) -> None:
    monkeypatch.setattr(POINTS["the whole look"], failing(ValueError("bang")))
    with caplog.at_level(logging.ERROR):
        run = lab.wait(lab.submit(small()), 60)
    lab.store.flush()
    assert run.status == "finished"
    (event,) = [event for event in lab.store.events(run.id) if event.kind == "not_measured"]
    assert event.data == {"message": "ValueError: bang"}
    assert "Traceback" in caplog.text
    assert "ValueError: bang" in caplog.text
    trouble.clear()


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_a_classifier_that_cannot_be_trained_ends_no_run(
    tmp_path: Path,
    digits: Callable,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    executor: str,
    trouble: list[str],
) -> None:
    """Its runs, in whatever they train, are told; the pictures stay."""
    monkeypatch.setattr("gan_core.engine.upkeep.classifiers.classifier_for", failing(RuntimeError("no such kernel")))
    # Far more rounds than are played until the news has come: the test ends it.
    config = digits({"schedule.rounds": 1_000_000, "diagnostics.every": 5})
    with Lab(tmp_path, executor=executor) as lab:
        prepare_classifier(lab, config)
        run_id = lab.submit(config)
        view = lab.view(run_id)
        while not any(event["kind"] == "not_measured" for event in json.loads(view.snapshot())["events"]):
            assert lab.is_active(run_id)
            lab.wait(run_id, 0.1)
        lab.command(run_id, "stop")
        run = lab.wait(run_id, 60)
        assert run.status == "stopped"
        lab.store.flush()
        (event,) = [event for event in lab.store.events(run_id) if event.kind == "not_measured"]
        assert "the frozen classifier could not be trained: no such kernel" in event.data["message"]
        assert lab.store.latest_frame(run_id, "grid") is not None
    assert "Traceback" in caplog.text
    trouble.clear()
