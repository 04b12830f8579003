"""``python -m gan_core study``: what a script may rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gan_core import api
from gan_core.cli import main
from gan_core.failpoints import armed

TINY = ["--data", "digits8", "--sizes", "2,4", "--seeds", "0-1", *("--set", "steps=3", "--set", "batch_size=8")]
TINY += ["--set", "samples=2", "--set", "rounds=2", "--set", "gan_batch_size=8", "--quiet"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """``run("list")`` → (exit status, stdout, stderr), over one store."""

    def call(*words: object) -> tuple[int, str, str]:
        status = main(["study", *map(str, words), "--store", str(tmp_path / "runs")])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_a_study_is_computed_listed_shown_and_exported(run: Any, tmp_path: Path) -> None:
    status, out, _ = run("augmentation", *TINY)
    told = json.loads(out.splitlines()[-1])
    assert (status, told["status"], told["done"], len(told["rows"])) == (0, "finished", 20, 20)
    assert "12 differences" not in out
    assert "6 differences were judged" in out
    assert run("list", "--json")[1].count(told["study"]) == 1
    assert told["findings"]["sentences"][0]["text"] in run("show", told["study"])[1]
    file = tmp_path / "taken.csv"
    assert run("export", told["study"], "--to", file)[0] == 0
    assert len(file.read_text().splitlines()) == 21
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(told["settings"]))
    again = json.loads(run("augmentation", "--config", settings, "--quiet")[1].splitlines()[-1])
    assert again["rows"] == told["rows"]
    assert api.read_study(told["study"], store=tmp_path / "runs").status == "finished"


def test_ctrl_c_keeps_what_was_computed_and_resume_goes_on(run: Any) -> None:
    with armed("study.cell=interrupt@3x1"):
        status, _, err = run("augmentation", *TINY)
    assert status == 130
    study = err.strip().split()[-1]
    assert json.loads(run("list", "--json")[1])[0]["status"] == "interrupted"
    assert json.loads(run("resume", study)[1].splitlines()[-1])["done"] == 20
    assert run("resume", study)[0] == 0  # nothing is left to do


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["augmentatoin"], "did you mean 'augmentation'"),
        (["augmentation", "--sizes", "two"], "no whole number"),
        (["augmentation", "--set", "stepz=3"], "unknown key 'stepz'"),
        (["price"], "Say which run"),
        (["show"], "say which study"),
        (["show", "nobody"], "There is no study"),
    ],
)
def test_bad_input_exits_2_with_a_sentence(run: Any, words: list[str], told: str) -> None:
    run("augmentation", *TINY)
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert told in err
