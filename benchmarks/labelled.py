"""The runs that are labelled by eye: what they are, and what is kept of each, its measurements and a few pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from gan_core.config import CURES, OBJECTIVES, RunConfig, preset_config
from gan_core.data import ImageSource, Source
from gan_core.engine.observers import observer_for
from gan_core.engine.showing.judging import RunJudge
from gan_core.metrics.states import Verdict
from gan_core.training import Game, Player, Turn, build, capture, fork, load_source, play, resolve, restore
from gan_core.training.classifier import FrozenClassifier

LOOK_EVERY = 25
SAMPLES = 500  # of a measurement; as many points are drawn
PICTURED = (0.05, 0.3, 1.0)  # of the rounds of a run, in whole measurements
IMAGES_SHOWN = 25

SETTLED, REPORTED = "settled", "reported"
SEEDS = {SETTLED: (1,), REPORTED: (301, 302)}
SEEDS_OF_DIGITS = {SETTLED: (1,), REPORTED: (301,)}


@dataclass(frozen=True)
class Case:
    """A setting: a preset with changes, its budget, and what is changed on the way, if anything: knobs that are turned, as
    (round, values), or a fork that brings a cure, as (round, its name)."""

    name: str
    preset: str
    rounds: int
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    turned: tuple[int, Mapping[str, float]] | None = field(default=None, hash=False)
    forked: tuple[int, str] | None = None

    @property
    def digits(self) -> bool:
        return "digits" in self.name

    def config(self, seed: int) -> RunConfig:
        changes = {
            **self.changes,
            "seed": seed,
            "device": "cpu",
            "schedule.rounds": self.rounds,
            "diagnostics.every": LOOK_EVERY,
            "diagnostics.samples": SAMPLES,
            "diagnostics.grid": IMAGES_SHOWN,
        }
        return resolve(preset_config(self.preset, changes))

    def forked_config(self, seed: int) -> RunConfig:
        """The settings at the end of the run: after its fork, if there is one."""
        config = self.config(seed)
        if self.forked is None:
            return config
        return resolve(config.replace({**CURES[self.forked[1]].changes, "schedule.rounds": self.rounds}))

    @property
    def pictured(self) -> list[int]:
        """The rounds whose picture is labelled; of a fork those after it."""
        first = self.forked[0] if self.forked else 0
        looks = (self.rounds - first) / LOOK_EVERY
        return [first + max(1, round(share * looks)) * LOOK_EVERY for share in PICTURED]


def _lr(g: float, d: float | None = None) -> dict[str, float]:
    return {"optimizers.generator.lr": g, "optimizers.discriminator.lr": g if d is None else d}


_SMALL = {
    "model.generator.widths": [64, 64],
    "model.discriminator.widths": [64, 64],
    "model.latent_dim": 16,
    "data.batch_size": 64,
    "data.options": {"std": 0.1},
}


def _wide(lr: float) -> dict[str, Any]:
    """Modes that are found within seconds, at this learning rate."""
    return {"data.options": {"std": 0.2}, **_lr(lr)}


_WIDE = _wide(2e-3)
_PIXELS = {
    "data": {"name": "digits8", "batch_size": 64},
    "model.generator.widths": [64, 128],
    "model.discriminator.widths": [128, 64],
    "model.latent_dim": 32,
}


def _ring(name: str, rounds: int = 600, turned: Any = None, **changes: Any) -> Case:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return Case(f"ring, {name}", "ring-mlp", rounds, {**_SMALL, **named}, turned)


def _plane(data: str, name: str, rounds: int, options: dict[str, float], **changes: Any) -> Case:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    about = {"data": {"name": data, "batch_size": 64, "options": options}}
    small = {key: value for key, value in _SMALL.items() if not key.startswith("data")}
    return Case(f"{data}, {name}", "ring-mlp", rounds, {**about, **small, **named})


def _digits(name: str, rounds: int, changes: Mapping[str, Any], turned: Any = None) -> Case:
    return Case(f"small digits, {name}", "digits-mlp", rounds, {**_PIXELS, **changes}, turned)


_G_FAST = {"optimizers.generator.lr": 0.05}
_D_STILL = {"optimizers.discriminator.lr": 1e-6}
CASES: tuple[Case, ...] = (
    Case("recipe ring-healthy", "ring-healthy", 250),
    Case("recipe ring-collapse", "ring-collapse", 500),
    Case("recipe ring-rotate", "ring-rotate", 400),
    Case("recipe ring-vanish", "ring-vanish", 300),
    Case("recipe ring-diverge", "ring-diverge", 400),
    Case("recipe grid-collapse", "grid-collapse", 800),
    Case("recipe gaussian-mixture-collapse", "gaussian-mixture-collapse", 500),
    Case("cure r1", "ring-collapse+r1", 250),
    Case("cure wgan_gp", "ring-collapse+wgan_gp", 200),
    Case("cure spectral_norm", "ring-collapse+spectral_norm", 250),
    Case("cure clipping", "ring-collapse+clipping", 250),
    Case("cure packing_2", "ring-collapse+packing_2", 300),
    Case("cure two_time_scales", "ring-rotate+two_time_scales", 400),
    *(_ring(f"objective {name}", 800, objective=name, **_WIDE) for name in OBJECTIVES),
    _ring("sharp after long", 2000, **_WIDE, objective="r1_gan", optimizers__generator__lr_schedule="linear"),
    _ring("narrower modes", 600),
    _ring("short", 100, **_WIDE),
    _ring("thin modes, long", 1000, data__options={"std": 0.05}),
    _ring("rates of 0.05", 300, **_lr(0.05)),
    _ring("rates of 0.01", 500, **_wide(0.01)),
    _ring("G's rate 0.02", 400, **_lr(0.02, 1e-3)),
    _ring("rates of 1e-5", 300, **_lr(1e-5)),
    _ring("D's rate 1e-6", 300, **_lr(1e-3, 1e-6)),
    _ring("one number of noise", 600, **_WIDE, model__latent_dim=1),
    _ring("networks of four", 400, **_WIDE, model__generator__widths=[4], model__discriminator__widths=[4]),
    _ring("G's rate to 0.05 at 700", 900, (700, _G_FAST), **_WIDE, objective="r1_gan"),
    _ring("G's rate to 0.05 at 900", 1100, (900, _G_FAST), **_WIDE),
    _ring("D's rate to 1e-6 at 700", 1000, (700, _D_STILL), **_WIDE),
    _plane("grid", "three by three", 1000, {"side": 3, "std": 0.25}, **_lr(2e-3)),
    _plane("moons", "plain", 1000, {"std": 0.15}, **_lr(2e-3)),
    _plane("moons", "rates of 0.05", 300, {}, **_lr(0.05)),
    _plane("spirals", "one arm", 1000, {"arms": 1, "turns": 0.8, "std": 0.2}, **_lr(2e-3)),
    _plane("lines", "two far apart", 800, {"count": 2, "spacing": 2.0, "std": 0.15}, **_lr(2e-3)),
    _plane("lines", "two far apart, WGAN GP", 300, {"count": 2, "spacing": 2.0, "std": 0.15}, objective="wgan_gp"),
    Case("line, one Gaussian", "gaussian-1d", 800),
    Case("line, one Gaussian, rates of 0.05", "gaussian-1d", 300, _lr(0.05)),
    Case("line, one Gaussian, WGAN GP", "gaussian-1d", 300, {"objective": "wgan_gp"}),
    Case(
        "line, three modes", "gaussian-mixture-collapse", 500, {"optimizers.generator.lr": 1e-3, "objective": "r1_gan"}
    ),
    Case("line, the course example", "gaussian-course", 250),
    Case("fork r1", "ring-collapse", 2000, forked=(1000, "r1")),
    Case("fork wgan_gp", "ring-collapse", 1500, forked=(1000, "wgan_gp")),
    Case("fork spectral_norm", "ring-collapse", 2000, forked=(1000, "spectral_norm")),
    Case("fork packing_4", "ring-collapse", 1500, forked=(1000, "packing_4")),
    Case("card of the ring", "ring-mlp", 6000),
    Case("card of the ring, WGAN GP", "ring-mlp", 1500, {"objective": "wgan_gp"}),
    Case("card of the ring, LS GAN", "ring-mlp", 3000, {"objective": "ls_gan"}),
    _digits("WGAN GP", 400, {"objective": "wgan_gp"}),
    _digits("WGAN GP, short", 150, {"objective": "wgan_gp"}),
    _digits("non-saturating", 500, {"objective": "ns_gan", **_lr(5e-4), "schedule.n_critic": 1}),
    _digits("r3gan", 300, {"objective": "r3gan"}),
    _digits("hinge", 400, {"objective": "hinge"}),
    _digits("rates of 0.02", 300, {"objective": "ns_gan", **_lr(0.02)}),
    _digits("rates of 0.004, D five times", 400, {"objective": "ns_gan", **_lr(4e-3), "schedule.n_critic": 5}),
    _digits("G five times", 300, {"objective": "ns_gan", "schedule.generator_steps": 5, "schedule.n_critic": 1}),
    _digits("G's rate to 0.05 at 300", 400, {"objective": "wgan_gp"}, (300, _G_FAST)),
    Case("recipe digits-healthy", "digits-healthy", 300),
    Case("recipe digits-collapse", "digits-collapse", 300),
    Case("recipe digits-dcgan-collapse", "digits-dcgan-collapse", 150),
)


class Run(NamedTuple):
    """A case with a seed; ``part`` says whether rules may be settled on this run or only reported."""

    part: str
    case: Case
    seed: int

    @property
    def key(self) -> str:
        return f"{self.case.name}/{self.seed}"

    @property
    def path(self) -> Path:
        return Path(f"{self.case.name.replace(', ', '_').replace(' ', '-')}-{self.seed}.npz")


def runs(part: str) -> Iterator[Run]:
    """Seed by seed, so that whatever has been trained when somebody stops is all settings with fewer seeds."""
    for seed in SEEDS[part]:
        for case in CASES:
            if seed in SEEDS_OF_DIGITS[part] or not case.digits:
                yield Run(part, case, seed)


GetClassifier = Callable[[Source], FrozenClassifier | None]


def train(run: Run, path: Path, classifier: GetClassifier) -> None:
    """Train, look every so often, and keep what was measured and a picture at the rounds that are labelled."""
    config = run.case.config(run.seed)
    source = load_source(config)
    observer = observer_for(config, source, lambda _: classifier(source))
    last: dict[str, torch.Tensor] = {}
    turns: list[dict[str, torch.Tensor]] = []
    looks: list[tuple[int, dict[str, float]]] = [(0, observer.look(build(config, source), 0)[0])]
    pictures: dict[str, np.ndarray] = {}
    started = time.process_time()
    for game, step in _played(run, source):
        last |= {f"{step.player.name}.{column}": value for column, value in step.values.items()}
        if not step.ends_round:
            continue
        turns.append({name: last[name] for player in game.players for name in _columns(player)})
        if step.round % LOOK_EVERY == 0:
            numbers, sight = observer.look(game, step.round)
            looks.append((step.round, numbers))
            if step.round in run.case.pictured:
                pictures[f"picture/{step.round}"] = _picture(sight.parts)
            recent = [value for row in turns[-LOOK_EVERY:] for value in row.values()]
            if not bool(torch.stack(recent).isfinite().all()):
                break
        if step.round == run.case.rounds:
            break
    names = sorted({name for _, numbers in looks for name in numbers})
    columns = dict.fromkeys(name for row in turns for name in row)
    kept = {f"turns/{name}": np.array([float(row.get(name, np.nan)) for row in turns], np.float32) for name in columns}
    kept |= {f"diagnostics/{name}": np.array([row.get(name, np.nan) for _, row in looks]) for name in names}
    rounds = {"diagnostics/round": np.array([round for round, _ in looks]), "turns/round": np.arange(1, len(turns) + 1)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **kept, **rounds, **pictures, seconds=np.array(time.process_time() - started))


def _played(run: Run, source: Source) -> Iterator[tuple[Game, Turn]]:
    """The turns of a run, with the game that they belong to: another one after a fork, in which all goes on that fits."""
    config = run.case.config(run.seed)
    game: Game = build(config, source)
    for step in play(game, 0):
        yield game, step
        if not step.ends_round:
            continue
        if run.case.turned and step.round == run.case.turned[0]:
            for knob, value in run.case.turned[1].items():
                game.set_knob(knob, value)
        if run.case.forked and step.round == run.case.forked[0]:
            break
    child = run.case.forked_config(run.seed)
    state = fork(capture(game, step.round), config, child).state
    game = build(child, source)
    for step in play(game, restore(game, state)):
        yield game, step


def _columns(player: Player) -> list[str]:
    return [f"{player.name}.{column}" for column in player.columns]


def _picture(parts: Mapping[str, Any]) -> np.ndarray:
    """Points (n, 2), the bars of a line (2, n), or images (n, h, w[, 3]) of bytes."""
    if "grid" in parts:
        grid = parts["grid"]
        return np.asarray(getattr(grid, "images", grid))[:IMAGES_SHOWN]
    points = parts["points"]
    if "real_density" in points or np.ndim(points["fake"]) == 1:
        return np.array([points["xs"], points["fake"]], float)
    return np.array(points["fake"], float).reshape(-1, 2)


class Kept(NamedTuple):
    """What was kept of a run: columns of both tracks, and pictures by round."""

    turns: dict[str, np.ndarray]
    diagnostics: dict[str, np.ndarray]
    pictures: dict[int, np.ndarray]
    seconds: float

    @classmethod
    def load(cls, path: Path) -> Kept:
        parts: dict[str, dict[str, np.ndarray]] = {"turns": {}, "diagnostics": {}, "picture": {}}
        with np.load(path) as file:
            for name in file.files:
                if "/" in name:
                    part, column = name.split("/", 1)
                    parts[part][column] = file[name]
            seconds = float(file["seconds"])
        pictures = {int(round): picture for round, picture in parts["picture"].items()}
        return cls(parts["turns"], parts["diagnostics"], pictures, seconds)


def is_image(source: Source) -> bool:
    return isinstance(source, ImageSource)


def verdicts(run: Run, kept: Kept, reference: dict[str, Any]) -> dict[int, Verdict]:
    """What the page says of a run at each of its measurements, by their round."""
    config = run.case.forked_config(run.seed)
    judge = RunJudge(config.schedule.rounds, config)
    judge.add_reference(reference)
    turned, forked, after = run.case.turned, run.case.forked, 0
    said: dict[int, Verdict] = {}
    names = [name for name in kept.diagnostics if name != "round"]
    columns = [name for name in kept.turns if name != "round"]
    for at, round in enumerate(kept.diagnostics["round"].tolist()):
        upto = int(np.searchsorted(kept.turns["round"], round, side="right"))
        some = np.stack([kept.turns[name][after:upto] for name in columns], axis=1)
        judge.add_rows("turns", tuple(columns), kept.turns["round"][after:upto], some)
        if turned and after < turned[0] <= upto:
            judge.add_event(turned[0], "knob", {"changes": dict(turned[1])})
        if forked and after < forked[0] <= upto:
            judge.add_event(forked[0], "forked", {"cure": forked[1], "changes": dict(CURES[forked[1]].changes)})
        after = upto
        row = np.array([[kept.diagnostics[name][at] for name in names]])
        judge.add_rows("diagnostics", tuple(names), np.array([round]), row)
        judge.settle()
        said[round] = judge.verdict
    return said
