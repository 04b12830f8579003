"""The command line: what a script may rely on (exit status, last line of stdout, one sentence on stderr)."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.cli import main
from gan_core.cli.parser import parser
from gan_core.config import OBJECTIVES, PRESETS, SETTINGS, preset_config
from gan_core.data import places
from gan_core.engine import Lab
from gan_core.engine.exchange.reproducing import code
from gan_core.store import RunStore

SMALL = {
    "model.generator.widths": [8],
    "model.discriminator.widths": [8],
    "data.batch_size": 16,
    "diagnostics.samples": 16,
    "device": "cpu",
}
PATIENCE = 240.0  # seconds for a process to answer: its cores may be shared
NO_BOUNDS = {
    "objective": "wgan",
    "objective.clip_value": None,
    **{
        f"optimizers.{player}.{key}": value
        for player in ("generator", "discriminator")
        for key, value in (("name", "sgd"), ("lr", 10))
    },
}


def settings(changes):
    return [word for key, value in changes.items() for word in ("--set", f"{key}={json.dumps(value)}")]


@pytest.fixture
def run(capsys):
    """``run("presets", "--json")`` → (exit status, stdout, stderr), in this process."""

    def call(*words):
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def train(run, tmp_path):
    """``train(rounds=20)`` → (exit status, the JSON of the last line), into ``tmp_path / "store"``."""

    def call(*, preset="ring-mlp", rounds=20, store=tmp_path / "store", **changes):
        changes = {**SMALL, "schedule.rounds": rounds, **changes}
        status, out, _ = run("train", "--preset", preset, *settings(changes), "--store", store, "--quiet")
        return status, json.loads(out.splitlines()[-1])

    return call


# -- one run ----------------------------------------------------------------------------------------------------------


def test_a_finished_run_exits_0_and_its_last_line_is_its_result(train, tmp_path):
    status, result = train(rounds=20)
    assert status == 0
    assert list(result) == ["run", "status", "rounds", "seconds", "metrics", "verdict", "state_hash"]
    assert {"state", "onset_round", "evidence"} <= set(result["verdict"])
    assert (result["status"], result["rounds"]) == ("finished", 20)
    assert result["seconds"] > 0
    assert {"modes_covered", "high_quality_share", "kl_to_real"} <= set(result["metrics"])
    assert len(result["state_hash"]) == 64
    with RunStore(tmp_path / "store") as store:
        stored = store.run(result["run"])
        assert (stored.status, stored.rounds) == ("finished", 20)
        assert store.track(result["run"], "turns").rounds.tolist() == list(range(1, 21))


def test_a_table_is_brought_and_trained_on(run, train, tmp_path, monkeypatch):
    file = tmp_path / "measured.csv"
    file.write_bytes("\n".join(["t;Länge;Höhe", *(f"{i};{i % 9},5;-{i % 7}" for i in range(80))]).encode("cp1252"))
    words = ("bring", file, "--store", tmp_path / "store")
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert err == "The table has 3 columns of numbers: t, Länge, Höhe. Say which two are x and y.\n"
    status, out, err = run(*words, "--columns", "Länge", "3")
    told = json.loads(out)
    assert (status, told["points"], told["columns"], told["left_out"]) == (0, 80, ["Länge", "Höhe"], [])
    assert "note: Windows-1252, semicolons between columns, decimal commas" in err
    monkeypatch.setattr(places, "_store", None)  # as another process, which knows the store by its argument alone
    status, result = train(rounds=3, **{"data.name": told["name"], "data.options": {}})
    assert (status, result["status"]) == (0, "finished")
    status, out, err = run("bring", tmp_path / "none.csv", "--store", tmp_path / "store")
    assert (status, err) == (2, f"{tmp_path / 'none.csv'} cannot be read: No such file or directory.\n")


def test_a_folder_of_normal_pictures_and_others_is_brought(run, tmp_path):
    slope = np.linspace(0, 200, 32)[None].repeat(32, 0)
    for number in range(20):
        for name in (f"normal/{number}.png", *([f"test/odd/{number}.png"] if number < 4 else [])):
            path = tmp_path / "parts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((slope + number + 30 * ("odd" in name)).astype(np.uint8)).save(path)
    words = ("bring", tmp_path / "parts", "--size", "16", "--store", tmp_path / "store")
    status, out, err = run(*words)
    told = json.loads(out)
    assert (status, told["pictures"], told["classes"], told["left_out"]) == (0, 24, ["normal", "odd"], [])
    assert told["name"].startswith("own:parts-")
    assert "note: 16 normal pictures to learn from, 8 to be asked about" in err
    status, out, err = run(*words, "--level", "colour")
    assert (status, out) == (2, "")
    assert "has no classes called 'colour'; it has kinds" in err


def test_the_seed_and_nothing_else_decides_the_numbers(train):
    (_, one), (_, same), (_, other) = train(seed=3), train(seed=3), train(seed=4)
    assert one["state_hash"] == same["state_hash"] != other["state_hash"]
    assert one["metrics"] == same["metrics"]
    assert one["run"] != same["run"]


def test_progress_goes_to_stderr_and_the_result_alone_to_stdout(run, tmp_path):
    words = ("train", "--preset", "ring-mlp", *settings({**SMALL, "schedule.rounds": 5}), "--store", tmp_path)
    status, out, err = run(*words)
    assert (status, len(out.splitlines())) == (0, 1)
    assert "/5" in err
    assert run(*words, "--quiet")[2] == ""


def test_a_diverging_run_exits_1_and_names_the_round(train, tmp_path):
    status, result = train(rounds=200, **NO_BOUNDS)
    assert (status, result["status"]) == (1, "diverged")
    assert 1 <= result["rounds"] < 200
    assert str(result["rounds"]) in result["message"]
    assert ".loss" in result["message"]
    with RunStore(tmp_path / "store") as store:
        assert store.run(result["run"]).status == "diverged"
        losses = store.track(result["run"], "turns", ["D.loss"]).values[:, 0]
    assert np.isfinite(losses[:-1]).all()
    assert not np.isfinite(losses[-1])


def test_a_number_that_is_not_finite_is_null(train, monkeypatch):
    monkeypatch.setattr("gan_core.engine.observers.points.high_quality_share", lambda *_: float("nan"))
    status, result = train()
    assert (status, result["metrics"]["high_quality_share"]) == (0, None)
    assert result["metrics"]["entropy"] >= 0


def test_a_failing_run_exits_1_and_says_why(train, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr("gan_core.engine.running.runner.build", broken)
    status, result = train()
    assert (status, result["status"]) == (1, "failed")
    assert "ZeroDivisionError" in result["message"]
    assert "no such luck" in result["message"]


def test_a_run_from_a_file_equals_the_run_from_a_preset(run, train, tmp_path):
    _, first = train(rounds=15, seed=5)
    file = tmp_path / "config.json"
    file.write_text(preset_config("ring-mlp", {**SMALL, "schedule.rounds": 15, "seed": 5}).to_json())
    status, out, _ = run("train", "--config", file, "--store", tmp_path / "other", "--quiet")
    assert status == 0
    assert json.loads(out)["state_hash"] == first["state_hash"]


def test_a_file_can_be_changed_by_set(run, tmp_path):
    file = tmp_path / "config.json"
    file.write_text(preset_config("ring-mlp", {**SMALL, "schedule.rounds": 500}).to_json())
    words = settings({"schedule.rounds": 7, "objective": "ls_gan"})
    _, out, _ = run("train", "--config", file, *words, "--store", tmp_path / "s", "--quiet", "--name", "seven")
    result = json.loads(out)
    assert result["rounds"] == 7
    with RunStore(tmp_path / "s") as store:
        stored = store.run(result["run"])
        assert stored.name == "seven"
        assert stored.config["objective"]["loss"] == "least_squares"


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "rnig-mlp"], ["preset", "'rnig-mlp'", "did you mean 'ring-mlp'"]),
        (["--set", "schedule.rouns=5"], ["schedule", "'rouns'", "did you mean 'rounds'"]),
        (["--set", "schdule.rounds=5"], ["'schdule'", "did you mean 'schedule'"]),
        (["--set", "schedule.rounds=-1"], ["schedule.rounds", "-1", "at least 1"]),
        (["--set", "schedule.rounds=many"], ["schedule.rounds", "'many'", "whole number"]),
        (["--set", "optimizers.generator.lr=NaN"], ["optimizers.generator.lr", "finite"]),
        (["--set", "objective=wagn"], ["'wagn'", "did you mean 'wgan'"]),
        (["--set", "objective.loss=hinged"], ["objective.loss", "'hinged'"]),
        (["--set", "data.name=rign"], ["data.name", "did you mean 'ring'"]),
        (
            ["--set", "data.name=ring", "--set", "data.options.modess=3"],
            ["data.options.modess", "did you mean 'modes'"],
        ),
        (["--set", "device=tpu"], ["device", "'tpu'", "'cpu'"]),
        (["--set", "seed"], ["--set", "'seed'", "key=value"]),
        (["--set", "seed.deep=1"], ["seed", "whole number"]),
        (["--set", "a..b=1"], ["unknown key 'a'"]),
        (["--preset", "ring-mlp", "--set", "model.generator.architecture=dcgan"], ["model.generator", "MLP"]),
        (["--config", "nowhere.json"], ["--config", "nowhere.json", "No such file"]),
        (["--config", "."], ["--config", "directory"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_bad_input_exits_2_with_one_sentence_that_names_it(run, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = run("train", *words, "--store", tmp_path / "store")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    for part in said:
        assert part in err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "group of settings"),
        ('{"seed": 1, "seed": 2}', "'seed' stands there twice"),
        ('{"sed": 1}', "did you mean 'seed'"),
        ('{"seed": 1e400}', "seed"),
    ],
)
def test_a_bad_file_exits_2_with_one_sentence(run, tmp_path, text, said):
    file = tmp_path / "config.json"
    file.write_text(text)
    status, out, err = run("train", "--config", file, "--store", tmp_path / "store")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("command", [["show", "20260101-000000-nowhere"], ["resume", "../../etc"], ["show", ""]])
def test_an_unknown_run_exits_2(run, train, tmp_path, command):
    train(rounds=1)
    status, out, err = run(*command, "--store", tmp_path / "store")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "no run" in err


@pytest.mark.parametrize("command", [["runs"], ["show", "x"], ["resume", "x"]])
def test_looking_into_a_folder_without_a_store_does_not_make_one(run, tmp_path, command):
    status, out, err = run(*command, "--store", tmp_path / "empty")
    assert (status, out) == (2, "")
    assert "no store" in err
    assert not (tmp_path / "empty").exists()


def test_fsck_names_what_is_damaged_and_exits_1(run, train, tmp_path):
    store = tmp_path / "store"
    _, result = train(rounds=1)
    assert run("fsck", "--store", store) == (0, "", "nothing is wrong\n")
    (tensors,) = (store / result["run"] / "checkpoints").glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"?")
    status, out, err = run("fsck", "--store", store)
    assert (status, err) == (1, "1 faults; nothing was changed\n")
    assert out.startswith(f"{result['run']}: {tensors.name} was altered after it was saved")
    assert run("fsck", "--quick", "--store", store)[0] == 0, "the quick part reads no tensors"
    status, out, _ = run("fsck", "--json", "--store", store)
    assert [fault["run"] for fault in json.loads(out)] == [result["run"]]


@pytest.mark.parametrize("words", [["trian"], ["train", "--pre-set", "x"], []])
def test_an_unknown_word_exits_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_word_without_end_is_cut(capsys):
    with pytest.raises(SystemExit):
        main(["runs", "x" * 10_000])
    assert len(capsys.readouterr().err.splitlines()[-1]) < 500


def test_what_should_be_known_of_a_run_stands_on_stderr(run, tmp_path):
    advised = {**SMALL, "objective": "hinge", "objective.penalties.gradient_penalty": 10, "schedule.rounds": 2}
    status, out, err = run("train", "--preset", "ring-mlp", *settings(advised), "--store", tmp_path / "a", "--quiet")
    assert (status, len(out.splitlines())) == (0, 1)
    notes = err.splitlines()
    assert [line.split(": ")[:2] for line in notes] == [
        ["note", "objective.penalties.gradient_penalty"],
        ["note", "model.discriminator.spectral_gain"],
    ]
    assert all(len(line) > 40 for line in notes)


# -- lists ------------------------------------------------------------------------------------------------------------


def test_presets_objectives_and_games_list_the_registries(run):
    registries = {"presets": PRESETS, "objectives": OBJECTIVES, "games": SETTINGS}
    for command, registry in registries.items():
        key = command.removesuffix("s")
        status, out, _ = run(command, "--json")
        assert status == 0
        assert [row[key] for row in json.loads(out)] == list(registry)
        status, out, _ = run(command)
        assert status == 0
        assert [line.split()[0] for line in out.splitlines()] == [key.upper(), *registry]


def test_runs_are_listed_newest_first(run, train, tmp_path):
    (_, first), (_, second) = train(rounds=1), train(rounds=2)
    status, out, _ = run("runs", "--json", "--store", tmp_path / "store")
    rows = json.loads(out)
    assert status == 0
    assert [row["run"] for row in rows] == [second["run"], first["run"]]
    assert rows[0]["status"] == "finished"
    assert rows[0]["rounds"] == 2
    table = run("runs", "--store", tmp_path / "store")[1].splitlines()
    assert table[0].split() == ["RUN", "STATUS", "ROUNDS", "NAME"]
    assert table[1].startswith(second["run"])
    limited = json.loads(run("runs", "--json", "--limit", "1", "--store", tmp_path / "store")[1])
    assert [row["run"] for row in limited] == [second["run"]]


def test_show_tells_what_was_run_and_what_came_of_it(run, train, tmp_path):
    _, result = train(rounds=12, seed=9)
    status, out, _ = run("show", result["run"], "--json", "--store", tmp_path / "store")
    shown = json.loads(out)
    assert status == 0
    for key in ("run", "status", "rounds", "seconds", "metrics", "state_hash"):
        assert shown[key] == result[key]
    assert shown["recorded_rounds"] == 12
    assert shown["changed_from_default"]["seed"] == 9
    assert shown["config"]["seed"] == 9
    assert shown["environment"]["threads"] == 1
    status, out, _ = run("show", result["run"], "--store", tmp_path / "store")
    assert status == 0
    assert out.startswith("run")
    assert result["state_hash"] in out


def test_what_show_prints_can_be_trained_again(run, train, tmp_path):
    _, result = train(rounds=12, seed=9)
    shown = json.loads(run("show", result["run"], "--json", "--store", tmp_path / "store")[1])
    file = tmp_path / "again.json"
    file.write_text(json.dumps(shown["config"]))
    again = json.loads(run("train", "--config", file, "--store", tmp_path / "store", "--quiet")[1])
    assert again["state_hash"] == result["state_hash"]


# -- resume -----------------------------------------------------------------------------------------------------------


def test_a_finished_run_cannot_be_resumed(run, train, tmp_path):
    _, result = train(rounds=3)
    status, out, err = run("resume", result["run"], "--store", tmp_path / "store")
    assert (status, out) == (2, "")
    assert "played all its rounds" in err


def start(tmp_path, *words):
    root = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{os.environ['PYTHONPATH']}"}
    command = [sys.executable, "-m", "gan_core", *map(str, words)]
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def until_round(store, round, process):
    """The id of the store's only run, once it has played so many rounds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if (store / "ganscope.db").exists():
            with RunStore(store) as opened:
                runs = opened.runs()
                if runs and runs[0].rounds == round:
                    return runs[0].id
        time.sleep(0.1)
    raise AssertionError(f"not at round {round} after {PATIENCE:g} s")


def interrupted(hold, tmp_path, changes, ask, *words):
    """The store and the id of a run that was asked to end at round 50, and what was said."""
    hold.at(50)
    store = tmp_path / "interrupted"
    process = start(tmp_path, "train", "--preset", "ring-mlp", *settings(changes), "--store", store, *words)
    run_id = until_round(store, 50, process)
    process.send_signal(ask)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert f"to go on: python -m gan_core resume {run_id} --store {store}" in err
    assert "Traceback" not in err
    with RunStore(store) as opened:
        run = opened.run(run_id)
        assert run.status == "interrupted"
        assert run.rounds == 50
        assert len(opened.track(run_id, "turns")) == run.rounds
    hold.let_go()
    return store, run_id


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_a_run_that_is_asked_to_terminate_is_saved(hold, tmp_path, executor):
    interrupted(hold, tmp_path, {**SMALL, "schedule.rounds": 1_000_000}, signal.SIGTERM, "--executor", executor)


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
def test_who_asks_again_while_it_saves_is_told_the_truth(train, monkeypatch, again):
    """`timeout` asks the program and its group; a person may press Ctrl-C twice."""

    def close(lab, closes=Lab.close):
        closes(lab)
        os.kill(os.getpid(), again)

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the program has it
    try:
        monkeypatch.setattr(Lab, "close", close)
        if again == signal.SIGTERM:
            status, told = train(rounds=3)
            assert (status, told["status"]) == (0, "finished")
            return
        with pytest.raises(SystemExit) as ended:
            train(rounds=3)
        assert ended.value.code == 130
    finally:
        signal.signal(signal.SIGTERM, before)


def test_after_ctrl_c_resume_ends_where_an_uninterrupted_run_ends(hold, run, train, tmp_path):
    changes = {**SMALL, "schedule.rounds": 120, "diagnostics.every": 40, "seed": 2}
    store, run_id = interrupted(hold, tmp_path, changes, signal.SIGINT)
    status, out, _ = run("resume", run_id, "--store", store, "--quiet")
    resumed = json.loads(out)
    assert (status, resumed["run"], resumed["status"], resumed["rounds"]) == (0, run_id, "finished", 120)
    status, whole = train(rounds=120, **{"diagnostics.every": 40, "seed": 2})
    assert resumed["state_hash"] == whole["state_hash"]
    assert resumed["metrics"] == whole["metrics"]
    with RunStore(store) as opened, RunStore(tmp_path / "store") as other:
        one, two = opened.track(run_id, "turns"), other.track(whole["run"], "turns")
        assert one.columns == two.columns
        assert one.rounds.tolist() == two.rounds.tolist() == list(range(1, 121))
        for name in one.columns:
            if name != "seconds":
                assert one.column(name).tobytes() == two.column(name).tobytes(), name


def test_knobs_and_a_stop_are_typed_by_round_and_a_bad_one_is_a_sentence(run, train, tmp_path):
    words = [*settings({**SMALL, "schedule.rounds": 12}), "--store", tmp_path / "store", "--quiet"]
    typed = ["--knob", "3:optimizers.generator.lr=0.05", "--knob", "3:schedule.n_critic=2", "--until", "6"]
    status, out, _ = run("train", "--preset", "ring-mlp", *words, *typed)
    first = json.loads(out.splitlines()[-1])
    assert (status, first["status"], first["rounds"]) == (0, "stopped", 6)
    status, out, _ = run("fork", first["run"], "--knob", "8:schedule.n_critic=1", *words[-3:])
    child = json.loads(out.splitlines()[-1])
    with RunStore(tmp_path / "store") as store:
        made = code(store, child["run"])
    knobs = {"optimizers.generator.lr": 0.05, "schedule.n_critic": 2}
    assert f"knobs={{\n    3: {knobs!r},\n}}, until=6" in made
    assert "knobs={\n    8: {'schedule.n_critic': 1},\n}" in made
    for bad in ("schedule.n_critic=2", "x:schedule.n_critic=2", "3:schedule.n_critic=two", "3:schedule.n_critic"):
        status, _, err = run("train", "--preset", "ring-mlp", *words, "--knob", bad)
        assert (status, err.count("\n"), "--knob" in err) == (2, 1, True), bad


def test_as_a_module_it_answers_like_the_function(tmp_path, train):
    changes = {**SMALL, "schedule.rounds": 10}
    process = start(tmp_path, "train", "--preset", "ring-mlp", *settings(changes), "--store", tmp_path / "module")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["state_hash"] == train(rounds=10)[1]["state_hash"]
    process = start(tmp_path, "train", "--preset", "gausian-1d")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert err == "preset: unknown preset 'gausian-1d' — did you mean 'gaussian-1d'?\n"
    assert not (tmp_path / "runs").exists()


def test_every_command_in_the_readme_is_one(root):
    prefix = "python -m gan_core "
    lines = (root / "README.md").read_text().splitlines()
    commands = [shlex.split(line[len(prefix) :], comments=True) for line in lines if line.startswith(prefix)]
    assert {words[0] for words in commands} >= {"train", "presets", "runs", "show", "resume"}
    for words in commands:
        options = parser().parse_args(words)
        if words[0] == "train" and options.config is None:
            preset_config(options.preset, dict(text.partition("=")[::2] for text in options.set))


# -- fork -------------------------------------------------------------------------------------------------------------


def test_a_fork_goes_on_as_another_run_and_says_what_begins_anew(run, train, tmp_path):
    _, parent = train(rounds=4)
    store = tmp_path / "store"
    changes = {"model.discriminator.packing": 2, "schedule.rounds": 7}
    status, out, err = run("fork", parent["run"], "--at", 4, *settings(changes), "--store", store, "--quiet")
    result = json.loads(out)
    assert (status, result["status"], result["rounds"]) == (0, "finished", 7)
    assert err.splitlines()[0] == f"{result['run']} goes on from round 4 of {parent['run']}"
    assert err.splitlines()[1:] == ["begins anew: D, Linear at 1: its weight is 8×4 instead of 8×2"]
    with RunStore(store) as opened:
        record = opened.run(result["run"])
        assert (record.parent, record.forked_at) == (parent["run"], 4)
        assert opened.track(record.id).rounds.tolist() == list(range(1, 8))


def test_a_fork_of_a_round_that_was_not_kept_exits_2(run, train, tmp_path):
    _, parent = train(rounds=4)
    status, out, err = run("fork", parent["run"], "--at", 3, "--store", tmp_path / "store")
    assert (status, out, err) == (2, "", "No checkpoint of round 3 was kept; there are those of round 4.\n")


def test_a_checkpoint_is_pinned_and_unpinned(run, train, tmp_path):
    _, result = train(rounds=4)

    def checkpoints(*words):
        return run("checkpoints", result["run"], "--store", tmp_path / "store", "--json", *words)

    status, out, _ = checkpoints("--pin", 4)
    (saved,) = json.loads(out)
    assert (status, saved["round"], saved["pinned"]) == (0, 4, True)
    assert "pinned" in saved["kept_for"]
    assert [saved["pinned"] for saved in json.loads(checkpoints("--unpin", 4)[1])] == [False]
    said = "There is no checkpoint of round 3; there are those of round 4.\n"
    assert checkpoints("--pin", 3) == (2, "", said)


# -- export -----------------------------------------------------------------------------------------------------------


def test_a_run_is_exported_as_the_name_of_the_file_says(run, train, tmp_path):
    _, result = train(rounds=3)
    begins = {"gif": b"GIF89a", "zip": b"PK", "html": b"<!doctype html>"}
    for ending, begin in begins.items():
        file = tmp_path / f"mine.{ending}"
        status, out, _ = run("export", result["run"], "--to", file, "--store", tmp_path / "store")
        assert status == 0
        assert json.loads(out) == {"file": str(file), "bytes": file.stat().st_size, "runs": [result["run"]]}
        assert file.read_bytes().startswith(begin)
    for wrong in (tmp_path / "mine.exe", tmp_path / "nowhere" / "mine.gif"):
        status, out, err = run("export", result["run"], "--to", wrong, "--store", tmp_path / "store")
        assert (status, out, len(err.splitlines())) == (2, "", 1)


def test_a_name_without_an_ending_is_a_folder_for_tensorboard(run, train, tmp_path):
    _, result = train(rounds=3)
    status, out, _ = run("export", result["run"], "--to", tmp_path / "logs", "--store", tmp_path / "store")
    (file,) = json.loads(out)["files"]
    assert status == 0
    assert "tfevents" in file
    assert b"turns/D.loss" in (tmp_path / "logs" / file).read_bytes()


def test_a_pack_is_imported_once_or_as_a_copy(run, train, tmp_path):
    _, result = train(rounds=3)
    file, store = tmp_path / "mine.zip", ("--store", tmp_path / "other")
    run("export", result["run"], "--to", file, "--checkpoints", "--store", tmp_path / "store")
    assert json.loads(run("import", file, *store)[1]) == {"comparison": None, "runs": [result["run"]]}
    status, out, err = run("import", file, *store)
    assert (status, out) == (2, "")
    assert err == "This run is in this store already (perhaps deleted); import as a copy to have it twice.\n"
    status, out, _ = run("import", file, "--copies", *store)
    (copy,) = json.loads(out)["runs"]
    with RunStore(tmp_path / "other") as other:
        assert {record.id for record in other.runs()} == {result["run"], copy}
        assert other.run(copy).summary["state_hash"] == result["state_hash"]
    assert run("import", tmp_path / "nothing.zip", *store)[0] == 2


# -- comparisons ------------------------------------------------------------------------------------------------------


def test_compare_prints_a_table_and_ends_with_one_json_object(run, tmp_path):
    words = ["--base", "ring-mlp", "--vary", "objective=ns_gan,wgan_gp", "--seeds", "0-1", "--budget", "images=480"]
    status, out, err = run("compare", *words, *settings(SMALL), "--store", tmp_path / "store")
    assert status == 0
    assert "schedule.n_critic differs as well: 1 in ns_gan, 5 in wgan_gp" in err
    table, result = out.splitlines()[:4], json.loads(out.splitlines()[-1])
    assert [line.split()[0] for line in table] == ["VARIANT", "ns_gan", "wgan_gp", "real"]
    assert [(r["variant"], r["seed"]) for r in result["runs"]] == [
        (variant, seed) for seed in (0, 1) for variant in ("ns_gan", "wgan_gp")
    ]
    assert {r["status"] for r in result["runs"]} == {"finished"}
    assert {(r["variant"], r["rounds"]) for r in result["runs"]} == {
        ("ns_gan", 30),
        ("wgan_gp", 6),
    }  # of 16 images a step
    cell = result["metrics"]["modes_covered"]["ns_gan"]
    with RunStore(tmp_path / "store") as store:
        assert store.comparisons()[0].id == result["comparison"]
        runs = [store.run(r["run"]) for r in result["runs"] if r["variant"] == "ns_gan"]
    assert list(cell["values"].values()) == [r.summary["metrics"]["modes_covered"] for r in runs]
    assert cell["mean"] == np.mean(list(cell["values"].values()))
    assert 6 < result["floors"]["modes_covered"] <= 8  # sixteen real points do not always hit all eight


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "say what to compare"),
        (["--vary", "objective=wgn,ns_gan"], "did you mean 'wgan'"),
        (["--vary", "objective=ns_gan"], "at least 2"),
        (["--vary", "objective=ns_gan,wgan", "--budget", "minutes=3"], "rounds=N, images=N, seconds=N"),
        (["--vary", "objective"], "key=value"),
        (["--template", "table1"], "did you mean 'table-1'"),
        (["--vary", "objective=ns_gan,wgan", "--seeds", "x"], "neither a seed nor a range"),
        (["--base", "ring", "--vary", "objective=ns_gan,wgan"], "did you mean 'ring-mlp'"),
    ],
)
def test_a_comparison_that_cannot_be_is_one_sentence(words, sentence, run, tmp_path):
    status, out, err = run("compare", *words, "--store", tmp_path / "store")
    assert (status, out) == (2, "")
    assert sentence in err
    assert not (tmp_path / "store").exists()
