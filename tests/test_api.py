"""The engine from Python: same engine, same store, same numbers as the command line."""

import html
import json
import threading

import numpy as np
import pandas as pd
import pytest
import torch

import gan_core
from gan_core import RunConfig, train
from gan_core.api import Result, read_result, resume
from gan_core.cli import main
from gan_core.config import ConfigError, preset_config
from gan_core.engine import Lab, Refused
from gan_core.store import RunNotFound, RunStore, StoreError
from gan_core.training import Streams, build, play, resolve
from gan_core.training.latent import Latent

SMALL = {
    "model.generator.widths": [8],
    "model.discriminator.widths": [8],
    "data.batch_size": 16,
    "diagnostics.samples": 16,
    "device": "cpu",
}


def small(preset="ring-mlp", **changes):
    return preset_config(preset, {**SMALL, "schedule.rounds": 30, **changes})


def same(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    """Equal bit for bit in every column that a clock does not write."""
    assert list(one.columns) == list(two.columns)
    return all(one[name].to_numpy().tobytes() == two[name].to_numpy().tobytes() for name in one if name != "seconds")


def test_the_result_holds_every_round_and_every_measurement(tmp_path):
    seen = []
    result = train(small(), store=tmp_path, name="mine", progress=seen.append)
    assert isinstance(result, Result)
    assert (result.status, result.rounds, result.message) == ("finished", 30, "")
    assert result.scalars["round"].tolist() == list(range(1, 31))
    assert {"round", "D.loss", "G.loss", "D.grad_norm", "G.grad_norm", "seconds"} <= set(result.scalars.columns)
    assert np.isfinite(result.scalars.to_numpy()).all()
    assert result.diagnostics["round"].iloc[0] == 0
    assert result.diagnostics["round"].iloc[-1] == 30
    last = result.diagnostics.iloc[-1]
    assert result.metrics == pytest.approx({name: last[name] for name in result.metrics})
    assert seen
    assert seen[-1]["state"] == "finished"
    with RunStore(tmp_path) as store:
        assert store.run(result.run).name == "mine"


def test_python_and_the_command_line_give_the_same_bits(tmp_path, capsys):
    config = small(seed=4)
    by_python = train(config, store=tmp_path / "python")
    file = tmp_path / "config.json"
    file.write_text(config.to_json())
    assert main(["train", "--config", str(file), "--store", str(tmp_path / "cli"), "--quiet"]) == 0
    by_cli = json.loads(capsys.readouterr().out)
    assert by_cli["state_hash"] == by_python.state_hash
    assert by_cli["metrics"] == by_python.metrics
    with RunStore(tmp_path / "cli") as store:
        stored = read_result(store, store.run(by_cli["run"]))
    assert same(stored.scalars, by_python.scalars)
    assert same(stored.diagnostics, by_python.diagnostics)


def test_a_run_beside_another_has_the_numbers_it_has_alone(tmp_path):
    alone = train(small(seed=1), store=tmp_path / "alone")
    with Lab(tmp_path / "both") as lab:
        ids = [lab.submit(small(seed=seed)) for seed in (1, 2)]
        for run_id in ids:
            lab.wait(run_id, timeout=60)
        beside, other = (read_result(lab.store, lab.store.run(run_id)) for run_id in ids)
    assert beside.state_hash == alone.state_hash != other.state_hash
    assert same(beside.scalars, alone.scalars)


def test_looking_more_often_does_not_change_a_run(tmp_path):
    seldom = train(small(), store=tmp_path)
    often = train(small(**{"diagnostics.every": 2, "diagnostics.budget": 1.0}), store=tmp_path)
    assert len(often.diagnostics) > len(seldom.diagnostics)
    assert often.state_hash == seldom.state_hash
    assert same(often.scalars, seldom.scalars)


def test_a_stopped_run_goes_on_to_where_an_uninterrupted_one_ends(tmp_path, hold):
    hold.at(20)
    config = small(**{"schedule.rounds": 60, "seed": 6})
    with Lab(tmp_path / "stopped") as lab:
        run_id = lab.submit(config)
        while lab.view(run_id).status["round"] != 20:
            threading.Event().wait(0.02)
        lab.command(run_id, "stop")
        stopped = lab.wait(run_id, timeout=60)
    assert (stopped.status, stopped.rounds) == ("stopped", 20)
    hold.let_go()
    resumed = resume(run_id, store=tmp_path / "stopped")
    whole = train(config, store=tmp_path / "whole")
    assert (resumed.run, resumed.status, resumed.rounds) == (run_id, "finished", 60)
    assert resumed.state_hash == whole.state_hash
    assert same(resumed.scalars, whole.scalars)
    assert resumed.seconds > stopped.summary["seconds"]


def test_resume_refuses_what_cannot_go_on(tmp_path):
    finished = train(small(), store=tmp_path)
    with pytest.raises(Refused, match="played all its rounds"):
        resume(finished.run, store=tmp_path)
    with pytest.raises(RunNotFound):
        resume("nowhere", store=tmp_path)


def test_a_diverged_run_is_returned_with_its_round(tmp_path):
    sgd = {
        f"optimizers.{player}.{key}": value
        for player in ("generator", "discriminator")
        for key, value in (("name", "sgd"), ("lr", 10.0))
    }
    result = train(small(objective="wgan", **{"objective.clip_value": None, **sgd}), store=tmp_path)
    assert result.status == "diverged"
    assert result.rounds == len(result.scalars) == result.scalars["round"].iloc[-1]
    assert str(result.rounds) in result.message
    assert not np.isfinite(result.scalars[["D.loss", "G.loss"]].iloc[-1]).all()
    assert result.state_hash is None


def test_a_config_that_cannot_be_built_starts_no_run(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'ring'"):
        train(small(**{"data.name": "rign"}), store=tmp_path)
    with RunStore(tmp_path) as store:
        assert store.runs() == []


def test_samples_are_the_pictures_by_round(tmp_path):
    with RunStore(tmp_path) as store:
        store.create("one", name="", config=RunConfig().to_dict(), tags=(), environment={})
        names = {round: store.save_artefact("one", "grid", "png", bytes([round])) for round in (0, 5)}
        for round, name in names.items():
            store.add_frame("one", round, {"grid": {"file": name}})
        store.add_frame("one", 7, {"histogram": {"counts": [1], "n": 1}})
        store.flush()
        result = read_result(store, store.run("one"))
    assert list(result.samples) == [0, 5]
    assert [result.samples[round].read_bytes() for round in (0, 5)] == [b"\x00", b"\x05"]
    assert len(result.scalars) == len(result.diagnostics) == 0


def test_the_default_store_is_the_environment_s(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_STORE", str(tmp_path / "elsewhere"))
    result = train(small())
    with RunStore(tmp_path / "elsewhere") as store:
        assert store.run(result.run).status == "finished"


def test_the_package_names_its_parts_and_no_others():
    assert {"RunConfig", "Result", "train"} <= set(gan_core.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        gan_core.trian  # noqa: B018


@pytest.mark.slow
def test_digits_are_measured_by_the_frozen_classifier(tmp_path):
    result = train(preset_config("digits-mlp", {"schedule.rounds": 60, "diagnostics.every": 40}), store=tmp_path)
    assert result.status == "finished"
    assert {"modes_covered", "entropy", "kl_to_real", "unsure_share"} <= set(result.metrics)
    assert result.samples[0].read_bytes().startswith(b"\x89PNG")
    assert 0 in result.samples
    assert 60 in result.samples


def test_a_fork_without_changes_is_the_longer_run(tmp_path):
    longer = train(small(seed=6), store=tmp_path)
    first = train(small(seed=6, **{"schedule.rounds": 20}), store=tmp_path)
    forked = gan_core.fork(first.run, {"schedule.rounds": 30}, store=tmp_path, name="longer")
    assert forked.state_hash == longer.state_hash
    assert same(forked.scalars, longer.scalars)
    with RunStore(tmp_path) as store:
        assert store.run(forked.run).name == "longer"


def test_the_generator_of_a_result_is_g_as_the_run_left_it(tmp_path):
    result = train(small(seed=6), store=tmp_path)
    generator = result.generator
    assert (generator.round, generator.latent_dim, generator.conditional) == (30, 64, False)
    game = build(resolve(small(seed=6)), generator.source)
    for turn in play(game):
        if turn.ends_round and turn.round == 30:
            break
    z = torch.as_tensor(generator.noise(7, seed=2))
    expected = generator.source.to_data(game.sample(z).numpy())
    assert np.array_equal(generator(z), expected)
    assert np.array_equal(generator(z.tolist()), expected)
    assert np.array_equal(generator(z[0]), generator.source.to_data(game.sample(z[:1]).numpy()))
    assert np.array_equal(result.sample(7, seed=2), expected)
    assert not np.array_equal(result.sample(7, seed=3), expected)
    with pytest.raises(ValueError, match=r"shape \(n, 64\), not \(2, 3\)"):
        generator(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="told no class"):
        result.sample(2, y=1)


def test_a_conditional_generator_takes_classes_by_index_and_by_name(tmp_path, prepared):
    prepared(tmp_path)
    result = train(
        small("digits-conditional", **{"model.generator.architecture": "mlp", "schedule.rounds": 2,
                                       "model.discriminator.architecture": "mlp"}),
        store=tmp_path,
    )  # fmt: skip
    z = result.generator.noise(3)
    by_index = result.generator(z, y=7)
    assert (by_index.shape, by_index.dtype) == ((3, 1, 28, 28), np.uint8)
    assert np.array_equal(by_index, result.generator(z, y="7"))
    assert np.array_equal(by_index, result.generator(z, y=[7, "7", 7]))
    assert not np.array_equal(by_index, result.generator(z, y=8))
    assert np.array_equal(result.sample(3), result.generator(z, y=[0, 1, 2]))
    for wrong, said in ((10, "0 to 9"), ("ten", "no class is called 'ten'"), ([1, 2], "2 classes for 3 samples")):
        with pytest.raises(ValueError, match=said):
            result.generator(z, y=wrong)


@pytest.mark.parametrize("data", ["ring", "gaussian"])
def test_samples_of_points_are_tables_in_the_units_of_the_data(tmp_path, data):
    result = train(small(**{"data.name": data}), store=tmp_path)
    assert {0, 30} <= set(result.samples)
    table = result.samples[30]
    assert np.isfinite(table).all()
    if data == "ring":
        assert table.shape == (16, 2)
        # what is seen is G at this noise: the same points, rounded for the wire
        evaluation = Latent(64, "normal")(16, Streams(result.generator.config.seed).generator("evaluation"))
        np.testing.assert_allclose(table, result.generator(evaluation), atol=1e-3)
    else:
        xs, density = table.T
        assert (np.diff(xs) > 0).all()
        share_inside = (density * (xs[1] - xs[0])).sum()
        inside = np.abs(result.sample(2000).ravel() - xs.mean()) < (xs[-1] - xs[0]) / 2
        assert share_inside == pytest.approx(inside.mean(), abs=0.15)


def test_plot_draws_losses_samples_and_any_column(tmp_path):
    result = train(small(), store=tmp_path)
    losses = {trace.name: trace for trace in result.plot().data}
    assert list(losses) == ["D loss", "G loss"]
    np.testing.assert_allclose(losses["G loss"].y, result.scalars["G.loss"], rtol=1e-6)
    seen = {trace.name: trace for trace in result.plot("samples").data}
    assert np.array_equal(np.column_stack([seen["generated"].x, seen["generated"].y]), result.samples[30])
    (covered,) = result.plot("modes_captured").data
    assert list(covered.y) == result.diagnostics["modes_captured"].tolist()
    with pytest.raises(ValueError, match=r"no 'modes'; there are losses, samples, .*modes_captured"):
        result.plot("modes")


def test_a_result_in_a_notebook_tells_its_end_and_escapes_its_name(tmp_path):
    result = train(small(), store=tmp_path, name="<script>alert(1)</script>")
    card = result._repr_html_()
    assert "finished after 30 rounds" in card
    assert result.verdict["sentence"] in html.unescape(card)
    assert 'src="data:image/png;base64,' in card
    assert "<script" not in card


def test_a_result_without_a_checkpoint_says_so(tmp_path):
    result = train(small(), store=tmp_path)
    for file in (tmp_path / result.run / "checkpoints").glob("*"):
        file.unlink()
    with pytest.raises(StoreError, match="no checkpoint to take G from; the run has none"):
        result.sample(1)
