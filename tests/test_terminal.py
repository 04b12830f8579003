"""The terminal as it is: pipes that close, encodings that lack a sign, settings as people type them, light commands."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_core.cli import main, terminal
from gan_core.cli.files import names_a_folder
from gan_core.cli.parser import parser
from gan_core.cli.typed import as_typed, assignment
from gan_core.config import CURES, PRESETS, ConfigError, RunConfig, preset_config
from gan_core.config.errors import closest
from gan_core.store import RunStore

ROOT = Path(__file__).parents[1]
NAME = "lr=0.5/β1=0.9 🙂 → run.v2"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("runs")
    with RunStore(root) as made:
        config = preset_config("ring-mlp", {"model.generator.widths": [8, 8]}).to_dict()
        made.create("a-run", name=NAME, config=config)
        made.update("a-run", status="finished", note="ein „Zitat“")
        made.create("killed", name="killed", config=config)
        made.update("killed", status="running", owner={"pid": 1, "started": 0.0, "boot": "another boot"})
        for number in range(40):  # more than a pipe takes at once, with the ids
            made.create(f"more-{number}", name="x" * 110, config={})
    return root


def answer(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gan_core", *map(str, words)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


# -- who reads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["runs"], ["runs", "--json"], ["show", "a-run"], ["presets"], ["presets", "--json"], ["--help"]]
)
@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_pipe_that_is_closed_ends_a_command_without_a_word(store: Path, words: list[str], unbuffered: str) -> None:
    where = ["--store", str(store)] if words[0] in ("runs", "show") else []
    reading, writing = os.pipe()
    os.close(reading)  # nobody will ever read: the first write fails
    with subprocess.Popen(
        [sys.executable, "-m", "gan_core", *words, *where],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(writing)
        _, errors = process.communicate(timeout=120)
    # argparse passes over it by itself.
    assert (process.returncode, errors) == (0 if words == ["--help"] and unbuffered else terminal.NOBODY_READS, "")


def test_a_disk_without_room_for_what_is_printed_is_a_sentence(store: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gan_core", "runs", "--store", str(store)],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (1, "What was found cannot be written: No space left on device.\n")


def test_training_goes_on_when_nobody_reads_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Closed:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stderr", Closed())
    settings = ["--set", "schedule.rounds=5", "--set", "diagnostics.samples=16"]
    assert main(["train", "--preset", "ring-mlp", *settings, "--store", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "finished"


@pytest.mark.parametrize(
    "terminal_is",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda value: next(iter(value.values())),
)
def test_what_a_terminal_cannot_show_is_written_as_its_number(store: Path, terminal_is: dict[str, str]) -> None:
    for words in (["runs", "--store", store], ["show", "a-run", "--store", store], ["presets"], ["objectives"]):
        done = answer(*words, **terminal_is)
        assert (done.returncode, done.stderr) == (0, ""), words
    listed = answer("runs", "--store", store, PYTHONIOENCODING="ascii").stdout
    assert "lr=0.5/\\u03b21=0.9 \\U0001f642 \\u2192 run.v2" in listed
    assert NAME in answer("runs", "--store", store, PYTHONIOENCODING="utf-8").stdout


def test_the_bar_has_signs_that_the_terminal_has() -> None:
    class Ascii:
        encoding = "ascii"

    assert not terminal._has(Ascii(), "█·")  # type: ignore[arg-type]
    assert terminal._has(sys.stdout, "#.")


def test_a_number_that_is_not_finite_is_null_wherever_it_lies() -> None:
    told = {"one": float("nan"), "row": (1.5, float("inf")), "rows": [(float("nan"),), {"a": float("-inf")}]}
    assert json.loads(terminal.to_json(told)) == {"one": None, "row": [1.5, None], "rows": [[None], {"a": None}]}


# -- light commands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["presets"], ["objectives"], ["runs"], ["show", "a-run"], ["--help"], ["fork", "-h"]]
)
def test_a_command_that_only_looks_is_light(store: Path, words: list[str]) -> None:
    where = ["--store", str(store)] if words[0] in ("runs", "show") else []
    program = (
        "import sys\nfrom gan_core.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('heavy:', sorted({'torch', 'streamlit', 'plotly', 'pandas', 'scipy'} & set(sys.modules)), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", program, *words, *where], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.stderr, bool(done.stdout)) == ("heavy: []\n", True)
    # Twice the promised half second: what a second of a core is worth depends on who else computes on it.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


# -- what is true ----------------------------------------------------------------------------------------------------


def test_after_a_kill_runs_and_show_say_interrupted(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--json", "--store", str(store)]) == 0
    statuses = {row["run"]: row["status"] for row in json.loads(capsys.readouterr().out)}
    assert (statuses["killed"], statuses["more-1"]) == ("interrupted", "queued")
    assert main(["show", "killed", "--json", "--store", str(store)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], "ended before the run did" in shown["message"]) == ("interrupted", True)


# -- what people type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("lr=0.0002", "did you mean 'optimizers.generator.lr' or 'optimizers.discriminator.lr'?"),
        ("LR=0.0002", "did you mean 'optimizers.generator.lr' or 'optimizers.discriminator.lr'?"),
        ("n_critic=5", "did you mean 'schedule.n_critic'?"),
        ("batchsize=32", "did you mean 'data.batch_size'?"),
        ("model.widths=64", "model: unknown key 'widths' — did you mean 'model.generator.widths' or"),
        ("Schedule.rounds=5", "did you mean 'schedule'?"),
        ("schedule.Rounds=5", "did you mean 'rounds'?"),
        ("objective=WGAN-GP", "did you mean 'wgan_gp'?"),
        ("objective=wgangp", "did you mean 'wgan_gp'?"),
        ("data.name=Ring", "did you mean 'ring'?"),
        ("device=CPU", "did you mean 'cpu'?"),
        ('objective.penalties={"gp":10}', "did you mean 'gradient_penalty'?"),
        ("optimizers.generator.lr=0,0002", "did you mean 0.0002?"),
    ],
)
def test_the_nearest_full_name_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, said: str
) -> None:
    assert main(["train", "--preset", "ring-mlp", "--set", setting, "--store", str(tmp_path / "runs")]) == 2
    errors = capsys.readouterr().err
    assert said in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["DCGAN", "digits_dcgan", "Digits-DCGAN"])
def test_a_preset_is_found_in_another_case(name: str) -> None:
    with pytest.raises(ConfigError, match="did you mean 'digits-dcgan'"):
        preset_config(name)


def test_every_known_name_is_the_closest_to_itself_in_any_case() -> None:
    for known in (PRESETS, CURES, RunConfig.model_fields):
        for name in known:
            assert closest(name, known) == closest(name.upper().replace("-", "_"), known) == name


@pytest.mark.parametrize("text", ["64,64", "64 64", "64, 64", "[64,64]", "[64, 64]", " 64;64 "])
def test_a_list_may_be_typed_without_brackets(text: str) -> None:
    assert assignment(f"model.generator.widths={text}") == ("model.generator.widths", [64, 64])
    assert assignment("diagnostics.pause_on=collapsed,diverged")[1] == ["collapsed", "diverged"]
    assert assignment("model.generator.widths = 64") == ("model.generator.widths", [64])


@pytest.mark.parametrize("value", [[64, 64], "wgan", 0.5, True, None, {"r1": 0.1}])
def test_what_is_shown_can_be_typed(value: object) -> None:
    assert assignment(f"objective.x={as_typed(value)}") == ("objective.x", value)
    assert " " not in as_typed(value)


def test_lists_are_shown_as_they_are_typed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", "a-run", "--store", str(store)])
    assert "model.generator.widths=[8,8]\n" in capsys.readouterr().out
    with pytest.raises(ConfigError) as refused:
        RunConfig.load({"model": {"generator": {"widths": "64,64"}}})
    assert str(refused.value) == "model.generator.widths: '64,64' must be a list, as in [64,64]"


def test_the_help_names_what_cures_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    for words, named in (
        (["--help"], "--with r1"),
        (["fork", "--help"], "--with r1"),
        (["train", "--help"], "ring-collapse+r1"),
        (["presets", "--help"], "ring-collapse+r1"),
    ):
        with pytest.raises(SystemExit):
            main(words)
        assert named in " ".join(capsys.readouterr().out.split()).replace("- ", "-")


def test_a_fork_takes_a_cure_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path), "--quiet"]
    small = ["--set", "schedule.rounds=5", "--set", "diagnostics.samples=16"]
    assert main(["train", "--preset", "ring-mlp", *small, *store]) == 0
    run = json.loads(capsys.readouterr().out)["run"]
    assert main(["fork", run, "--with", "r1", *store]) == 0
    child = json.loads(capsys.readouterr().out)["run"]
    with RunStore(tmp_path) as opened:
        assert opened.run(child).config["objective"]["penalties"] == CURES["r1"].changes["objective.penalties"]
    assert main(["fork", run, "--with", "R-1", *store]) == 2
    assert "unknown cure 'R-1' — did you mean 'r1'?" in capsys.readouterr().err


# -- folders and files ------------------------------------------------------------------------------------------------


def test_a_folder_may_have_a_dot_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "existing.gif").mkdir()
    folders = ["logs", "logs/", "tb-2026.11.28", "run.v2", "run.v2/", "my logs/ü", ".", "..", "x.gif/", "existing.gif"]
    files = ["x.gif", "x.ZIP", "a.b/x.html", "x.png", "x.csv", "x.json", "x.exe", "x.pdf"]
    assert [name for name in folders if not names_a_folder(name)] == []
    assert [name for name in files if names_a_folder(name)] == []


def test_every_command_is_run_by_a_function_that_is_there() -> None:
    from importlib import import_module

    choices = next(action.choices for action in parser()._actions if action.choices)
    assert len(choices) > 10
    for name, sub in choices.items():
        module, _, function = sub.get_default("command").partition(":")
        assert callable(getattr(import_module(f"gan_core.cli.{module}"), function)), name
        assert [action.dest for action in parser([name])._actions] == [action.dest for action in parser()._actions]


def test_a_fault_of_the_program_is_not_taken_for_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    from gan_core.cli import looking

    def broken(_: object) -> int:
        raise RuntimeError("a fault")

    monkeypatch.setattr(looking, "presets", broken)
    with pytest.raises(RuntimeError, match="a fault"):
        main(["presets"])


def test_ctrl_c_while_a_command_is_loaded_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gan_core.cli.import_module", interrupted)
    assert main(["presets"]) == terminal.INTERRUPTED
    assert capsys.readouterr().err == "interrupted before a run had begun\n"
