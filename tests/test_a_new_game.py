"""A new game is one file: with its settings and its declaration in the two registries, everything takes it.

The game is made here and is in no file of the project: an autoencoder, one player that moves an encoder and a decoder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import torch
from forking import TEXT, begun, said
from holding import Hold
from pydantic import Field
from streamlit.testing.v1 import AppTest
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from waiting import until

from gan_core import fork, train
from gan_core.about import About
from gan_core.cli import main
from gan_core.config import SETTINGS, Comparison, ConfigError, RunConfig, preset_config
from gan_core.config.fields import Network, Optimizer, Part
from gan_core.config.naming import label_of
from gan_core.data import BatchStream, Source
from gan_core.engine import Lab, StepOf, card, catalogue
from gan_core.engine.exchange.reproducing import code
from gan_core.engine.observers import observer_for
from gan_core.engine.programs import let_go
from gan_core.engine.showing.judging import RunJudge
from gan_core.engine.upkeep.footprint import footprint
from gan_core.models import ARCHITECTURES
from gan_core.models.blocks import Network as Layered
from gan_core.store import RunStore
from gan_core.training import ABILITIES, GAMES, Chart, Column, Outcome, Player, load_source, resolve
from gan_core.training.assembly import assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES
from gan_core.training.game import Memory
from gan_core.training.games import Declaration
from gan_core.training.games.declaration import Reading
from gan_core.training.optimization import Optimization, optimization_of

TESTS = Path(__file__).resolve().parent
NAME = "autoencoder_of_the_test"


# --- the settings ---


class Model(Part):
    encoder: Network = Field(default_factory=lambda: Network(widths=(8,)))
    decoder: Network = Field(default_factory=lambda: Network(widths=(8,)))
    code_dim: int = Field(2, ge=1, le=64, description="Length of the code")


class AutoencoderConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="Autoencoder",
        paper="Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks",
        year=2006,
        formula=r"\min_{E, R}\; \mathbb{E}\,\lVert x - R(E(x)) \rVert^2",
        idea="What is kept of a sample is a short code, from which it is made again.",
        watch_for="A code as long as the data can copy it.",
        url="https://doi.org/10.1126/science.1127647",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"E": "model.encoder", "R": "model.decoder"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {"AE": ("optimizer", "")}

    game: Literal["autoencoder_of_the_test"] = NAME
    model: Model = Field(default_factory=Model)
    optimizer: Optimizer = Field(default_factory=lambda: Optimizer(lr=0.01))


# --- the game ---


class Autoencoder:
    """‖x − R(E(x))‖² of each batch."""

    def __init__(
        self, E: nn.Module, R: nn.Module, moves: Optimization, data: BatchStream, streams: dict[str, torch.Generator]
    ) -> None:
        self.networks = {"E": E, "R": R}
        self.moves, self.data, self.streams = moves, data, streams
        self.memory: Memory = {}
        self.knobs: dict[str, float] = {}
        self.players = (Player("AE", (E, R), self._objective, moves.optimizer, ("rec",), ("code",)),)

    def begin_round(self, round: int) -> None:
        self.moves.begin_round(round)

    def set_knob(self, knob: str, value: float) -> None:
        if knob != "optimizer.lr":
            raise ValueError(f"{knob} cannot change while the run trains")
        self.moves.set_rate(value)
        self.knobs[knob] = value

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        return self.networks["E"](x)

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        return self.networks["R"](self.networks["E"](x))

    def _objective(self) -> Outcome:
        x = self.data.next().x
        code = self.networks["E"](x)
        return Outcome({"rec": mse_loss(self.networks["R"](code), x)}, {"code": code.detach().abs().mean()})


def _networks(config: AutoencoderConfig, source: Source) -> dict[str, nn.Module]:
    model, mlp = config.model, ARCHITECTURES["mlp"].generator
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "E": Layered(nn.Flatten(), *mlp(prod(source.shape), (model.code_dim,), layers_of(model.encoder))),
            "R": mlp(model.code_dim, source.shape, layers_of(model.decoder)),
        }
        normalize(networks, config.networks)
    return networks


def _build(config: AutoencoderConfig, source: Source) -> Autoencoder:
    made = assemble(config, source, _networks(config, source), (), "torch")
    moves = optimization_of(config.optimizer, nn.ModuleDict(made.networks), steps=1, rounds=config.schedule.rounds)
    return Autoencoder(made.networks["E"], made.networks["R"], moves, made.data, made.streams)


DECLARATION = Declaration(
    networks=_networks,
    inputs=lambda config, source: {
        "E": (torch.empty(2, *source.shape, device="meta"), None),
        "R": (torch.empty(2, config.model.code_dim, device="meta"), None),
    },
    build=_build,
    columns=lambda config: (
        Column("AE", "loss", "loss", "total", "losses"),
        Column("AE", "rec", "reconstruction error", "term", "losses"),
        Column("AE", "code", "mean size of the code", "reading", "codes", told=True),
        Column("AE", "grad_norm", "gradient norm", "total", "gradients"),
    ),
    charts=(LOSSES, Chart("codes", "The code", "mean size"), GRADIENTS),
    reading=lambda config: Reading("The loss is the mean squared error of a coordinate."),
    knobs=lambda config: {"optimizer.lr": config.optimizer.lr},
    abilities=("encode", "reconstruct"),
)


def enter(setitem: Callable[[dict, str, Any], None]) -> None:
    """The two lines of the two registries."""
    setitem(SETTINGS, NAME, AutoencoderConfig)
    setitem(GAMES, NAME, DECLARATION)


@pytest.fixture(autouse=True)
def entered(monkeypatch: pytest.MonkeyPatch) -> None:
    enter(monkeypatch.setitem)


TINY = {
    "game": NAME,
    "data": {"name": "ring", "batch_size": 16},
    "schedule": {"rounds": 12},
    "diagnostics": {"samples": 32, "every": 4, "budget": 1.0},
    "device": "cpu",
}
AS_TYPED = [
    *("--preset", "ring-mlp", "--set", f"game={NAME}", "--set", "device=cpu", "--set", "diagnostics.samples=32"),
    *("--set", "schedule.rounds=12", "--set", "data.batch_size=16"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with one run that has ended, and the id of the run."""
    with pytest.MonkeyPatch.context() as patch:
        enter(patch.setitem)
        result = train(RunConfig.load(TINY), store=tmp_path_factory.mktemp("store"), name="the first")
    return result.store, result.run


# --- what is held ---


def test_the_contracts_of_games_hold(game_of: Callable) -> None:
    config = resolve(RunConfig.load(TINY))
    assert type(config) is AutoencoderConfig
    assert RunConfig.from_json(config.to_json()) == config
    game = game_of(config)
    assert {name for name, ability in ABILITIES.items() if isinstance(game, ability)} == set(DECLARATION.abilities)
    assert [player.name for player in game.players] == list(config.seats)
    assert list(game.networks) == list(config.networks)
    assert config.images_per_round == 16


def test_it_trains_from_python_with_the_columns_that_it_declares(trained: tuple[Path, str]) -> None:
    with RunStore(trained[0]) as store:
        run = store.run(trained[1])
        assert (run.status, run.rounds, run.config["game"]) == ("finished", 12, NAME)
        turns = store.track(run.id, "turns")
        assert turns.columns == ("AE.loss", "AE.rec", "AE.code", "AE.grad_norm", "seconds")
        assert turns.column("AE.loss")[-1] < turns.column("AE.loss")[0]
        told = next(event.data for event in store.events(run.id) if event.kind == "reference")
        assert told["curves"] == {"losses": ["AE.loss", "AE.rec"], "codes": ["AE.code"], "gradients": ["AE.grad_norm"]}
        assert "sliced_wasserstein" in store.track(run.id, "diagnostics").columns
        frame = store.frames(run.id)[-1]
        drawn = json.loads(store.artefact_path(run.id, frame.parts["points"]["file"]).read_bytes())
        assert len(drawn["fake"]) == 32
        assert not {"critic", "pull", "grid"} & set(drawn)


@pytest.mark.parametrize(("data", "part"), [("digits8", "grid"), ("gaussian", "points"), ("stacked", "grid")])
def test_it_is_looked_at_on_data_of_every_kind(data: str, part: str, game_of: Callable) -> None:
    config = resolve(RunConfig.load(TINY | {"data": {"name": data}, "diagnostics": {"samples": 32, "grid": 9}}))
    game = game_of(config)
    looks = [observer_for(config, load_source(config), lambda source: None).look(game, 0) for _ in range(2)]
    (numbers, sight), (again, unchanged) = looks
    assert list(sight.parts) == [part]
    assert numbers == again
    if part == "grid":
        assert sight.parts[part].shape[0] == 9
        assert (sight.parts[part] == unchanged.parts[part]).all()
    else:
        assert "wasserstein" in numbers
        assert set(sight.parts[part]) == {"xs", "fake"}
    assert footprint(config).memory > 0


def test_it_trains_from_the_terminal_and_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", "--json"]) == 0
    assert NAME in [row["game"] for row in json.loads(capsys.readouterr().out)]
    assert main(["train", *AS_TYPED, "--store", str(tmp_path), "--quiet", "--name", "typed"]) == 0
    capsys.readouterr()
    assert main(["runs", "--json", "--store", str(tmp_path)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["rounds"], row["name"]) == ("finished", 12, "typed")
    assert main(["show", row["run"], "--store", str(tmp_path)]) == 0
    assert NAME in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model.code_dim": 0}, "model.code_dim: 0 must be at least 1"),
        ({"objective": "wgan"}, "unknown key 'objective'"),
        ({"schedule.n_critic": 2}, "unknown key 'n_critic'"),
        ({"game": "autoencoders"}, "unknown game 'autoencoders'"),
    ],
)
def test_a_wrong_setting_is_a_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig.load(TINY).replace(changes)
    assert said in str(caught.value)


def test_naming_it_drops_what_it_does_not_have() -> None:
    config = preset_config("ring-mlp", {"game": NAME})
    assert config.to_dict().keys() == {
        "game",
        "data",
        "model",
        "optimizer",
        "schedule",
        "diagnostics",
        "seed",
        "device",
    }
    assert (config.data.name, config.model.code_dim) == ("ring", 2)
    back = config.replace({"game": "gan"})
    assert back.objective.name == "ns_gan"


def test_it_pauses_steps_and_its_knob_turns(lab: Lab, hold: Hold) -> None:
    hold.at(3)
    run = lab.submit(RunConfig.load(TINY))
    until(hold.waits)
    assert lab.knobs(run) == {"optimizer.lr": 0.01}
    lab.turn(run, {"optimizer.lr": 0.02})
    with pytest.raises(ConfigError, match=r"fork it instead — did you mean 'optimizer.lr'"):
        lab.turn(run, {"optimizer.lrr": 0.02})
    lab.command(run, "pause")
    until(lambda: lab.view(run).status["state"] == "paused")
    hold.let_go()
    lab.command(run, StepOf("AE"))
    until(lambda: lab.view(run).status["caption"].startswith("AE's turn in round 4: on the same batch AE's loss"))
    assert "mean size of the code" in lab.view(run).status["caption"]
    lab.command(run, "resume")
    assert lab.wait(run, 60).status == "finished"
    (turned,) = [event for event in lab.store.events(run) if event.kind == "knob"]
    assert turned.data["changes"] == {"optimizer.lr": 0.02}
    snapshot = json.loads(lab.view(run).snapshot())
    assert set(snapshot["tracks"]["turns"]) == {"AE.loss", "AE.rec", "AE.code", "AE.grad_norm"}


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
import test_a_new_game as new
from gan_core.engine.messages import State
new.enter(lambda registry, name, entry: registry.__setitem__(name, entry))
lab = new.Lab({store!r}, tick=0.05, executor="thread")
run = lab.submit(new.RunConfig.load(new.TINY))
new.until(lambda: lab.view(run).status["round"] == 6)
lab.command(run, "checkpoint")
new.until(lambda: 6 in lab.kept_rounds(run))
new.until(lambda: 6 in lab.store.track(run, "turns", []).rounds)  # or the state before it is gone on from
lab.store.flush()
print("saved", flush=True)
time.sleep(600)
"""


def test_killed_and_resumed_it_is_the_same_bit_for_bit(tmp_path: Path, hold: Hold) -> None:
    hold.at(6)
    code = KILLED.format(tests=str(TESTS), store=str(tmp_path))
    process = begun(TEXT, code)
    try:
        assert said(process) == "saved\n"
    finally:
        let_go(process)
        hold.let_go()
    with Lab(tmp_path, tick=0.05, executor="thread") as lab:
        (run,) = lab.store.runs()
        assert run.status == "interrupted"
        assert lab.resume(run.id) == 6
        whole = lab.submit(RunConfig.load(TINY))
        resumed, played = (lab.wait(one, 60) for one in (run.id, whole))
        assert (resumed.status, resumed.rounds) == ("finished", 12)
        assert resumed.summary["state_hash"] == played.summary["state_hash"]


def test_it_is_forked_but_not_into_a_game_with_other_networks(trained: tuple[Path, str]) -> None:
    store, run = trained
    child = fork(run, {"optimizer.lr": 0.001, "schedule.rounds": 15}, store=store, name="slower")
    assert (child.status, child.rounds) == ("finished", 15)
    with pytest.raises(ConfigError, match="has no network D and no G: start a new run instead"):
        fork(run, {"game": "gan"}, store=store)


def test_it_is_compared(lab: Lab) -> None:
    variants = [{"name": f"code of {dim}", "changes": {"model.code_dim": dim}} for dim in (1, 2)]
    comparison = lab.compare(Comparison.load({"base": TINY, "variants": variants, "seeds": [0]}))
    for run in lab.members(comparison):
        assert lab.wait(run, 60).status == "finished"
    spec = lab.store.comparison(comparison).spec
    assert Comparison.load(spec).config("code of 1", 0).model.code_dim == 1


@pytest.mark.parametrize("ending", ["zip", "html", "gif", ""])
def test_it_is_exported(trained: tuple[Path, str], ending: str, tmp_path: Path) -> None:
    store, run = trained
    to = tmp_path / (f"taken.{ending}" if ending else "taken")
    assert main(["export", run, "--to", f"{to}" if ending else f"{to}/", "--store", str(store)]) == 0
    assert to.exists()
    if ending == "html":
        assert "reconstruction error" in to.read_text() or "AE.loss" in to.read_text()
    if ending == "zip":
        assert main(["import", str(to), "--store", str(tmp_path / "other")]) == 0
        with RunStore(tmp_path / "other") as other, RunStore(store) as mine:
            assert other.run(run).config == mine.run(run).config
            assert len(other.frames(run)) == len(mine.frames(run))


def test_its_python_makes_it_again(trained: tuple[Path, str]) -> None:
    with RunStore(trained[0]) as store:
        text = code(store, trained[1])
    assert f"'game': '{NAME}'" in text
    assert "AE.loss" in text


def shown(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(TESTS.parent / "pages" / "router.py"), default_timeout=60)
    app.switch_page(page)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert [error.message for error in app.exception] == []
    assert not app.error
    return app


def test_the_library_has_its_card(lab: Lab) -> None:
    about = AutoencoderConfig.ABOUT
    assert catalogue()["games"][NAME].about is about
    assert "def _build" in card("games", NAME).code[0].text
    app = shown("library.py", part=f"games:{NAME}")
    assert about.title in [heading.value for heading in app.subheader]


def test_the_page_trains_it_and_draws_the_curves_that_it_declares(lab: Lab) -> None:
    app = shown("train.py", preset="ring-mlp", game=NAME)
    assert AutoencoderConfig.ABOUT.title in [heading.value for heading in app.subheader]
    assert [title.value for title in app.title] == ["Train: Autoencoder"]
    dims = next(field for field in app.number_input if str(field.key).endswith("model.code_dim"))
    dims.set_value(1).run()
    assert not app.error
    next(field for field in app.number_input if str(field.key).endswith("schedule.rounds")).set_value(5).run()
    next(button for button in app.button if button.label == "Start").click().run()
    (run,) = lab.store.runs()
    assert lab.wait(run.id, 60).status == "finished"
    assert (run.config["game"], run.config["model"]["code_dim"]) == (NAME, 1)
    assert run.name == f"ring · {NAME}"
    from gan_core.ui.watching import buttons_for, panels_for, players_of

    panels = {panel["slot"]: panel for panel in panels_for(lab.store.run(run.id))}
    drawn = [trace["column"] for panel in panels.values() for trace in panel["traces"]]
    assert {"AE.loss", "AE.rec", "AE.code", "AE.grad_norm"} <= set(drawn)
    assert "points" in panels
    assert "AE turn" in [button.label for button in buttons_for("paused", players_of(run))]
    shown("watch.py", run=run.id)
    for text, found in (("model.code_dim=1", 1), (f"game={NAME}", 1), ("code_dim=2", 0)):
        captions = [caption.value for caption in shown("runs.py", filter=text).caption]
        assert f"{found} of 1 runs" in captions


def test_the_dialog_forks_it(lab: Lab) -> None:
    run = lab.submit(RunConfig.load(TINY))
    assert lab.wait(run, 60).status == "finished"
    app = shown("watch.py", run=run)
    app.button(key=f"fork:{run}").click().run()
    rate = next(field for field in app.number_input if str(field.key).endswith("optimizer.lr"))
    rate.set_value(0.005).run()
    assert not app.error
    assert "Changes: optimizer.lr = 0.005" in [caption.value for caption in app.caption]
    assert f"fork:cure:{run}" not in [group.key for group in app.button_group], "no cure of a GAN fits it"


def test_its_verdict_names_no_cure_of_a_gan() -> None:
    judges = [RunJudge(12, resolve(config)) for config in (RunConfig.load(TINY), preset_config("ring-mlp"))]
    assert [judge.told()["state"] for judge in judges] == ["unjudged", "starting"]
    for judge in judges:
        judge.set_diverged(5, "a loss is not finite")
    of_mine, of_a_gan = (judge.told() for judge in judges)
    assert (of_mine["state"], of_mine["cures"]) == ("diverged", [])
    assert of_a_gan["cures"]


def test_its_knob_has_a_name_on_the_page() -> None:
    assert label_of("optimizer.lr") == "learning rate"


def test_without_the_entries_nothing_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SETTINGS, NAME)
    monkeypatch.delitem(GAMES, NAME)
    assert NAME not in catalogue()["games"]
    with pytest.raises(ConfigError, match="unknown game"):
        RunConfig.load(TINY)
