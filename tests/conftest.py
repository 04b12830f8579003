"""What every test shares: one thread, reproducible examples, and games small enough to play in milliseconds."""

from __future__ import annotations

import functools
import gc
import logging
import os
import random
import shutil
import signal
import sys

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell's job in the background; programs that tests start heed it
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["OMP_NUM_THREADS"] = "1"  # sub-processes must sum in the same order
os.environ.setdefault("GANSCOPE_EXECUTOR", "thread")  # a process takes seconds to start; some tests ask for it

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

# Programs that are forked find those of the tests.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))

from typing import Any

import pytest
import torch
from holding import Hold
from hypothesis import HealthCheck, settings
from streamlit.components.v2 import manifest_scanner

import gan_core.engine
from gan_core.config import RunConfig
from gan_core.data import mnist5k
from gan_core.engine import Lab
from gan_core.engine.running import runner
from gan_core.exhaustion import IN_LOOPS, Seldom
from gan_core.failpoints import VARIABLE, armed
from gan_core.training import build, capture, load_source, play, resolve, state_hash
from gan_core.training.classifier import classifier_for
from gan_core.training.games import AdversarialGame

torch.set_num_threads(1)
# A server reads the metadata of every installed package once; every page that is opened without one would.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
settings.register_profile(
    "gate", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gate")

ROOT = Path(__file__).resolve().parent.parent

TINY = {
    "mlp": {"data.name": "ring", "model.generator.widths": [6, 5], "model.discriminator.widths": [7, 4]},
    "dcgan": {"data.name": "mnist5k", "model.generator.widths": [4, 3], "model.discriminator.widths": [3, 4]},
    "resnet": {"data.name": "mnist5k", "model.generator.widths": [4, 3], "model.discriminator.widths": [3, 4]},
    "convolutional": {"data.name": "mnist5k", "model.generator.widths": [4, 3], "model.discriminator.widths": [3, 4]},
}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What collecting makes stays to the end: the collector of garbage walks it neither then nor during the tests, and what
    they make less often than by default, which saves 2 to 3 % of their time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(20_000, 25, 25)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What a test draws without a seed of its own is the same whatever was tested before: weights, most of all."""
    random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def everything_is_logged() -> None:
    """A server or a command that an earlier test had in this process may have left it to say the same trouble once a minute."""
    for name in IN_LOOPS:
        log = logging.getLogger(name)
        for seldom in [one for one in log.filters if isinstance(one, Seldom)]:
            log.removeFilter(seldom)


@pytest.fixture
def lab(tmp_path: Path, prepared: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab of its own, which the pages find as theirs; the store has been looked over before a test writes to it."""
    with Lab(prepared(tmp_path / "runs"), tick=0.05) as opened:
        opened.health.wait()
        monkeypatch.setattr(gan_core.engine, "_current", opened)
        yield opened


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """What a page that was drawn leaves as ``__main__`` would be run again by each process that a pool spawns later."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture
def hold(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hold]:
    """``hold.at(30)``: every run of this process, and of those that it starts from now on, waits at round 30."""
    made = Hold(tmp_path_factory.mktemp("hold"))
    monkeypatch.setenv(VARIABLE, made.variable)
    monkeypatch.setattr(runner, "PACE_SECONDS", 0.01)
    with armed(made.wish):
        yield made
        made.let_go()


@pytest.fixture(scope="session")
def digits_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the frozen classifier of MNIST-5k, trained once for all processes that test: it takes ten seconds. Stores
    have copies of it (``prepared``)."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "digits-classifier"
    torch.set_num_threads(1)
    classifier_for(mnist5k(), cache)
    return cache


@pytest.fixture(scope="session")
def prepared(digits_classifier: Path) -> Callable[[Path], Path]:
    """``prepared(root)``: an empty store there that has the frozen classifier of the digits, as `make run` leaves it."""

    def make(root: Path) -> Path:
        shutil.copytree(digits_classifier, root / "cache")
        return root

    return make


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tiny() -> Callable[..., RunConfig]:
    """``tiny("mlp", {"objective": "wgan_gp"})``: a resolved config whose rounds take a few milliseconds."""

    def make(architecture: str = "mlp", changes: dict[str, Any] | None = None) -> RunConfig:
        small = {
            "data.batch_size": 8,
            "model.latent_dim": 3,
            "model.generator.architecture": architecture,
            "model.discriminator.architecture": architecture,
            "device": "cpu",
            "seed": 11,
        }
        return resolve(RunConfig().replace({**small, **TINY[architecture], **(changes or {})}))

    return make


@pytest.fixture(scope="session")
def game_of() -> Callable[[RunConfig], AdversarialGame]:
    return lambda config: build(config, load_source(config))


@pytest.fixture(scope="session")
def advance() -> Callable[..., str]:
    """``advance(game, 3)`` plays three rounds and returns the hash of the whole state after them."""

    def run(game: AdversarialGame, rounds: int, played: int = 0) -> str:
        if rounds:
            for turn in play(game, played):
                if turn.ends_round and turn.round == played + rounds:
                    break
        return state_hash(capture(game, played + rounds))

    return run
