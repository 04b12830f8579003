"""Everything that was interrupted goes on at once: by the lab, by a button, from a terminal."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from holding import Hold
from opening import open_page

import gan_core.engine
from gan_core.cli import main
from gan_core.config import Comparison
from gan_core.engine import Lab, Refused, interrupted, resume_interrupted


@pytest.fixture
def after_a_crash(open_lab: Callable, small: Callable, hold: Hold, until: Callable, tmp_path: Path) -> list[str]:
    """A store with a run that finished, three that were interrupted, and one of those that cannot go on."""
    lab: Lab = open_lab(capacity=2)
    done = lab.submit(small({"schedule.rounds": 2}))
    lab.wait(done, 60)
    hold.at(5)
    runs = [lab.submit(small({"schedule.rounds": 60, "seed": seed})) for seed in range(2)]
    comparison = Comparison.load(
        {
            "base": small({"schedule.rounds": 60}).to_dict(),
            "variants": [{"name": "a", "changes": {}}, {"name": "b", "changes": {"objective": "ls_gan"}}],
            "seeds": [1],
        }
    )
    members = lab.members(lab.compare(comparison))
    until(lambda: lab.view(runs[0]).status["round"] == 5)
    lab.close()
    hold.let_go()
    return [*runs, *members]


def test_all_go_on_and_one_that_cannot_holds_up_no_other(after_a_crash: list[str], open_lab: Callable) -> None:
    lab: Lab = open_lab(capacity=2)
    lab.store.create("broken", name="broken", config={"data": "nonsense"})
    lab.store.update("broken", status="interrupted")
    assert [run.id for run in interrupted(lab.store)] == [*after_a_crash, "broken"]
    resumed = resume_interrupted(lab)
    assert resumed.gone_on == after_a_crash
    assert resumed.refused.keys() == {"broken"}
    assert lab.company(after_a_crash[2]) == frozenset(after_a_crash[2:]), "a comparison keeps pace, as before"
    assert {lab.wait(run, 120).status for run in after_a_crash} == {"finished"}


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES])
def test_a_folder_that_cannot_be_listed_now_loses_no_record(
    number: int, open_lab: Callable, small: Callable, hold: Hold, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To take it for empty would begin anew, and cut the record."""

    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    hold.at(8)
    lab: Lab = open_lab()
    run = lab.submit(small())
    until(lambda: lab.view(run).status["round"] == 8)
    lab.command(run, "stop")
    lab.wait(run, 60)
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        with pytest.raises(Refused, match=f"cannot be read now, and is left as it is: {os.strerror(number)}"):
            lab.resume(run)
    assert lab.store.track(run, "turns", []).rounds.tolist() == list(range(1, 9))
    hold.let_go()
    assert lab.resume(run) == 8
    assert lab.wait(run, 60).status == "finished"


def test_by_a_button(after_a_crash: list[str], open_lab: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    lab: Lab = open_lab(capacity=2)
    monkeypatch.setattr(gan_core.engine, "_current", lab)
    for page in ("home", "runs"):
        app = open_page(page)
        assert "4 runs were interrupted." in [text.value for text in app.markdown]
    app.button(key="resume-all").click().run()
    assert [error.message for error in app.exception] == []
    assert all(lab.is_active(run) or lab.store.run(run).status == "finished" for run in after_a_crash)
    assert not [button for button in app.button if button.key == "resume-all"]


def test_from_a_terminal(after_a_crash: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", "--all", "--store", str(tmp_path)]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["run"] for row in printed] == after_a_crash
    assert {row["status"] for row in printed} == {"finished"}
    assert main(["resume", "--all", "--store", str(tmp_path)]) == 0, "nothing is left to go on with"
    for odd in ([], ["--all", after_a_crash[0]]):
        assert main(["resume", *odd, "--store", str(tmp_path)]) == 2
        assert "--all" in capsys.readouterr().err
