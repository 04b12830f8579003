"""Optimisers without the compiler: the same numbers as torch's own, and nothing that trains imports it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_core.training import eager

TRAINS = """
import sys
from gan_core.config import RunConfig, preset_config
from gan_core.engine.library.describe import warm_up
from gan_core.engine import Lab
from gan_core.training import build, load_source, resolve
warm_up()
with Lab(sys.argv[1], executor="thread") as lab:
    for optimizer in ("adam", "rmsprop", "sgd"):
        both = {f"optimizers.{role}.name": optimizer for role in ("generator", "discriminator")}
        run = lab.submit(RunConfig().replace({"data.name": "ring", "schedule.rounds": 3, "device": "cpu", **both}))
        assert lab.wait(run, 60).status == "finished"
for preset, more in (("gaussian-course", {}), ("digits-copied", {}), ("digits-mlp", {"model.condition": "embedding"})):
    config = resolve(preset_config(preset, more))
    build(config, load_source(config))
assert "torch" in sys.modules
print(sorted(name for name in sys.modules if name in ("torch._dynamo", "sympy")))
"""


def test_nothing_that_trains_imports_the_compiler_or_its_algebra(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-c", TRAINS, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "fused": True}),
        ("AdamW", {"lr": 0.1, "weight_decay": 0.1, "fused": True}),
        ("RMSprop", {"lr": 0.1, "momentum": 0.5}),
        ("SGD", {"lr": 0.1, "momentum": 0.5}),
    ],
)
def test_the_numbers_are_those_of_torch(name: str, settings: dict[str, Any]) -> None:
    def five_steps(kind: type[torch.optim.Optimizer]) -> tuple[torch.Tensor, dict[str, Any]]:
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 7))
        optimizer = kind([weight], **settings)
        for _ in range(5):
            optimizer.zero_grad()
            (weight**3).sum().backward()
            optimizer.step()
        saved = optimizer.state_dict()
        optimizer.load_state_dict(saved)
        return weight.detach(), saved

    ours, theirs = five_steps(getattr(eager, name)), five_steps(getattr(torch.optim, name))
    assert torch.equal(ours[0], theirs[0])
    assert ours[1]["param_groups"] == theirs[1]["param_groups"]
    for key, value in theirs[1]["state"][0].items():
        assert torch.equal(ours[1]["state"][0][key], value) if isinstance(value, torch.Tensor) else True
    assert issubclass(getattr(eager, name), getattr(torch.optim, name))
