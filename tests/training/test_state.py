"""The whole state: nothing is left out, its hash sees every bit, and resuming is exact in a new process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forking import TEXT, forked

from gan_core.config import OBJECTIVES, TRICKS
from gan_core.config import flatten as dotted
from gan_core.training import capture, in_words, load_checkpoint, not_finite, restore, save_checkpoint, state_hash
from gan_core.training.state import flatten, unflatten

NOT_ON = {
    "mlp": ("diffaugment", "adaptive_augmentation"),  # of pictures, and these play on points
    "dcgan": ("unrolled", "minibatch_discrimination"),
}
WITH_STATE = {
    "model.generator.normalization": "batch",
    "model.generator.dropout": 0.2,
    "model.discriminator.dropout": 0.2,
    "schedule.n_critic": 2,
}
# Everything that a state holds is used by this game: it is what dropping a part is tried on.
USES_EVERYTHING = {"objective": "wgan_gp", **WITH_STATE}

CHILD = """
import json, sys
import torch
from pathlib import Path
from gan_core.config import RunConfig
from gan_core.training import build, capture, load_checkpoint, load_source, play, restore, state_hash

torch.set_num_threads(1)
hashes = []
for job in json.loads(Path(sys.argv[1]).read_text()):
    config = RunConfig.from_json(job["config"])
    game = build(config, load_source(config))
    hashes.append(state_hash(capture(game, 0)))
    played = restore(game, load_checkpoint(Path(job["checkpoint"])))
    for turn in play(game, played):
        if turn.ends_round:
            hashes.append(state_hash(capture(game, turn.round)))
            if turn.round == job["rounds"]:
                break
print(json.dumps(hashes))
"""

_CLASSES = {"data.name": "digits8", "objective": "wgan_gp"}

CASES: dict[str, tuple[str, dict[str, Any], int, int]] = {
    **{
        f"{objective}-{architecture}": (architecture, {"objective": objective, **WITH_STATE}, 3, 5)
        for objective in OBJECTIVES
        for architecture in ("mlp", "dcgan")
    },
    **{
        f"{trick}-{architecture}": (architecture, {**WITH_STATE, **dotted(TRICKS[trick].settings)}, 3, 5)
        for trick in TRICKS
        for architecture in ("mlp", "dcgan")
        if trick not in NOT_ON[architecture]
    },
    "many tricks at once": (
        "mlp",
        {
            "objective": "r3gan",
            "objective.penalties.lecam": 0.1,
            "model.discriminator.packing": 2,
            "model.discriminator.spectral_norm": True,
            "model.discriminator.minibatch_stddev": 4,
            "tricks.instance_noise": 0.2,
            "tricks.instance_noise_rounds": 4,
            "tricks.ema_decay": 0.9,
            "tricks.unrolled_steps": 1,
            "tricks.feature_matching": "added",
            "optimizers.discriminator.lr_schedule": "linear",
            "schedule.rounds": 6,
        },
        3,
        5,
    ),
    **{
        f"told the class by {kind}": ("mlp", {**WITH_STATE, **_CLASSES, "model.condition": kind}, 3, 5)
        for kind in ("concatenation", "embedding", "projection", "ac_gan")
    },
    "told the parts of a class": (
        "mlp",
        {**WITH_STATE, "data.name": "two_digits", "data.options": {}, "model.condition": "spelled"},
        3,
        5,
    ),
    "residual blocks with attention": (
        "resnet",
        {
            **WITH_STATE,
            "objective": "hinge",
            "model.generator.attention": True,
            "model.discriminator.attention": True,
        },
        3,
        5,
    ),
    "began, k on its way": ("mlp", {"objective": "began", "objective.options": {"lambda_k": 0.2}}, 3, 5),
    "before the first round": ("mlp", USES_EVERYTHING, 0, 2),
    "in the first epoch's last batch": ("mlp", {"data.name": "mnist5k", "data.batch_size": 1500}, 2, 4),
    "in the next epoch": ("mlp", {"data.name": "mnist5k", "data.batch_size": 1500}, 3, 4),
    "sgd with momentum": (
        "mlp",
        {"optimizers.generator": {"name": "sgd", "momentum": 0.9}, "optimizers.discriminator": {"name": "sgd"}},
        3,
        5,
    ),
    "rmsprop with momentum": ("mlp", {"optimizers.generator": {"name": "rmsprop", "momentum": 0.9}}, 3, 5),
    "uniform noise, layer norm": (
        "mlp",
        {"model.latent": "uniform", "model.discriminator.normalization": "layer", "model.initialization": "orthogonal"},
        3,
        5,
    ),
    "three G steps, steps changed by hand": ("mlp", {"schedule.generator_steps": 3}, 3, 5),
}


def test_a_resumed_run_equals_the_uninterrupted_one_in_a_new_process(
    tiny: Callable, game_of: Callable, advance: Callable, tmp_path: Path
) -> None:
    jobs, expected = [], {}
    for name, (architecture, changes, played, rounds) in CASES.items():
        config = tiny(architecture, changes)
        game, folder = game_of(config), tmp_path / str(len(jobs))
        expected[name, "built"] = advance(game, 0)
        advance(game, played)
        if "by hand" in name:
            game.players[0].steps = 4
            for group in game.players[1].optimizer.param_groups:
                group["lr"] *= 3
        checkpoint = save_checkpoint(folder, capture(game, played))
        for now in range(played, rounds):
            expected[name, now + 1] = advance(game, 1, now)
        jobs.append({"config": config.to_json(), "checkpoint": str(checkpoint), "rounds": rounds})
    (tmp_path / "jobs").write_text(json.dumps(jobs))
    done = forked(TEXT, CHILD, tmp_path / "jobs", seconds=280)
    assert done.returncode == 0, done.stderr
    resumed = dict(zip(expected, json.loads(done.stdout), strict=True))
    assert [case for case in expected if resumed[case] != expected[case]] == []


def test_a_chain_of_resumes_equals_the_uninterrupted_run(
    tiny: Callable, game_of: Callable, advance: Callable, tmp_path: Path
) -> None:
    config = tiny("mlp", USES_EVERYTHING)
    expected, played = advance(game_of(config), 12), 0
    while played < 12:
        game = game_of(config)
        if played:
            assert restore(game, load_checkpoint(tmp_path / f"round-{played:09d}.json")) == played
        resumed = advance(game, 3, played)
        played += 3
        save_checkpoint(tmp_path, capture(game, played))
    assert resumed == expected


# --- the hash ---


@pytest.fixture(scope="module")
def state(tiny: Callable, game_of: Callable, advance: Callable) -> dict[str, Any]:
    game = game_of(tiny("mlp", USES_EVERYTHING))
    advance(game, 3)
    return capture(game, 3)


def copy_of(state: dict[str, Any]) -> dict[str, Any]:
    tensors, values = flatten(state)
    return unflatten({name: tensor.clone() for name, tensor in tensors.items()}, dict(values))


def bump(value: Any) -> Any:
    """The smallest change of one value."""
    if isinstance(value, torch.Tensor):
        changed = value.clone().reshape(-1)
        raw = changed[-1:].view(torch.uint8)
        raw[0] ^= 1
        return changed.reshape(value.shape)
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [*value[:-1], bump(value[-1])]
    if isinstance(value, dict):
        return {**value, "lr": bump(value["lr"])}
    return 1 if value is None else value + 1e-9 if isinstance(value, float) else value + 1


def test_the_hash_sees_one_bit_of_every_part(state: dict[str, Any]) -> None:
    tensors, values = flatten(state)
    original = state_hash(state)
    assert state_hash(copy_of(state)) == original
    hashes = {original}
    for name, tensor in tensors.items():
        hashes.add(state_hash(unflatten({**tensors, name: bump(tensor)}, values)))
    for name, value in values.items():
        hashes.add(state_hash(unflatten(tensors, {**values, name: bump(value)})))
    assert len(hashes) == 1 + len(tensors) + len(values)


def test_the_hash_sees_a_missing_part_a_shape_a_type_and_a_name(state: dict[str, Any]) -> None:
    tensors, values = flatten(state)
    hashes = {state_hash(state)}
    for name, tensor in tensors.items():
        hashes.add(state_hash(unflatten({k: v for k, v in tensors.items() if k != name}, values)))
        if tensor.dim() == 2 and tensor.shape[0] != tensor.shape[1]:
            hashes.add(state_hash(unflatten({**tensors, name: tensor.reshape(tensor.shape[::-1])}, values)))
    for name in values:
        hashes.add(state_hash(unflatten(tensors, {k: v for k, v in values.items() if k != name})))
    reshaped = sum(t.dim() == 2 and t.shape[0] != t.shape[1] for t in tensors.values())
    assert len(hashes) == 1 + len(tensors) + len(values) + reshaped
    one = torch.ones(2)
    assert state_hash({"a": one}) != state_hash({"b": one})
    assert state_hash({"a": one}) != state_hash({"a": one.view(torch.int32)})


def test_the_order_of_the_parts_does_not_matter(state: dict[str, Any]) -> None:
    assert state_hash(dict(reversed(list(state.items())))) == state_hash(state)


def test_what_is_captured_is_a_copy(tiny: Callable, game_of: Callable, advance: Callable) -> None:
    game = game_of(tiny("mlp", USES_EVERYTHING))
    advance(game, 1)
    taken = capture(game, 1)
    before = state_hash(taken)
    advance(game, 3, 1)
    assert state_hash(taken) == before
    assert all(not t.requires_grad and t.device.type == "cpu" for t in flatten(taken)[0].values())


def test_what_is_restored_is_a_copy(
    state: dict[str, Any], tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    game, before = game_of(tiny("mlp", USES_EVERYTHING)), state_hash(state)
    restore(game, state)
    advance(game, 2, 3)
    assert state_hash(state) == before


@pytest.mark.parametrize(
    ("tensors", "values", "told"),
    [
        ({}, {"data": 1, "data/position": 2}, "data/position lies inside a single value"),
        ({"data/position": torch.ones(1)}, {"data": 1}, "data stands there twice"),
        ({"data": torch.ones(1)}, {"data": 1}, "data stands there twice"),
    ],
)
def test_a_path_that_is_a_value_and_a_group_is_refused(tensors: dict, values: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        unflatten(tensors, values)


# --- dropping or altering a part shows ---

PARTS = [
    *("networks/G", "networks/D", "optimizers/G/state", "optimizers/D/state", "optimizers/G/param_groups"),
    *("steps/D", "steps/G", "streams/z", "streams/penalties", "streams/dropout.G", "streams/dropout.D"),
    *("data/generator", "round"),
]


def test_the_parts_are_all_there_is(state: dict[str, Any]) -> None:
    tensors, values = flatten(state)
    rest = [p for p in [*tensors, *values] if not any(p == part or p.startswith(f"{part}/") for part in PARTS)]
    assert rest == ["optimizers/D/param_groups"]


def of_another_run(
    part: str, state: dict[str, Any], tiny: Callable, game_of: Callable, advance: Callable
) -> dict[str, Any]:
    """``state`` with one part as it is in another run, or as it would be if it had never been saved."""
    settings = {**USES_EVERYTHING, "seed": 77, "optimizers.generator.lr": 0.01, "schedule.generator_steps": 2}
    other = game_of(tiny("mlp", {**settings, "schedule.n_critic": 1}))
    advance(other, 4)
    theirs, mixed = capture(other, 4), copy_of(state)
    *parents, last = part.split("/")
    source, target = theirs, mixed
    for name in parents:
        source, target = source[name], target[name]
    target[last] = source[last]
    return mixed


@pytest.mark.parametrize("part", PARTS)
def test_an_altered_part_changes_the_continuation(
    part: str, state: dict[str, Any], tiny: Callable, game_of: Callable, advance: Callable
) -> None:
    """So the test of resuming would notice a part that is captured wrongly, or not restored."""
    hashes = []
    for each in (state, state, of_another_run(part, state, tiny, game_of, advance)):
        game = game_of(tiny("mlp", USES_EVERYTHING))
        played = restore(game, each)
        hashes.append(advance(game, 2, played))
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_the_position_in_images_changes_the_continuation(tiny: Callable, game_of: Callable, advance: Callable) -> None:
    config = tiny("dcgan")
    game = game_of(config)
    advance(game, 2)
    taken, hashes = capture(game, 2), set()
    for position in (taken["data"]["position"], 0, taken["data"]["position"] + 8):
        game = game_of(config)
        restore(game, {**taken, "data": {"position": position}})
        advance(game, 1, 2)
        game.data.restore({"position": 0})  # so that the weights, not the position itself, tell them apart
        hashes.add(state_hash(capture(game, 3)))
    assert len(hashes) == 3


# --- refusals ---


def without(path: str) -> Callable[[dict], None]:
    def drop(state: dict) -> None:
        *parents, last = path.split("/")
        for name in parents:
            state = state[name]
        del state[last]

    return drop


def changed(path: str, change: Callable[[Any], Any]) -> Callable[[dict], None]:
    def alter(state: dict) -> None:
        *parents, last = path.split("/")
        for name in parents:
            state = state[name]
        state[last] = change(state.get(last))

    return alter


WHOLE = ["networks", "optimizers", "steps", "streams", "data"]
MOMENT = "optimizers/D/state/0/exp_avg"
DAMAGES: dict[str, tuple[Callable[[dict], None], str]] = {
    **{f"no {part}": (without(part), part.split("/")[-1]) for part in [*WHOLE, *PARTS]},
    "no weight": (without("networks/G/0.weight"), "networks/G/0.weight is missing in the state"),
    "extra weight": (
        changed("networks/G/99.weight", lambda _: torch.ones(1)),
        "networks/G/99.weight is in the state, but not in the game",
    ),
    "extra network": (changed("networks/E", lambda _: {}), "E"),
    "extra optimiser": (changed("optimizers/E", lambda _: {}), "E"),
    "extra stream": (changed("streams/extra", lambda _: torch.zeros(3)), "extra"),
    "extra part": (changed("ema", lambda _: {}), "ema is in the state, but not in the game"),
    "wrong shape": (changed("networks/D/1.weight", lambda t: t[:-1]), "1.weight"),
    "wrong dtype": (changed("networks/D/1.weight", lambda t: t.double()), "float64"),
    "whole numbers": (changed("networks/D/1.weight", lambda t: t.long()), "int64"),
    "complex": (changed("networks/D/1.weight", lambda t: t.to(torch.complex64)), "complex64"),
    "no tensor": (changed("networks/D/1.weight", lambda t: 3), "1.weight"),
    "a word": (changed("networks/D/1.weight", lambda t: "x"), "networks/D/1.weight should be like tensor("),
    "not a group": (changed("networks/D", lambda t: 3), "D"),
    "state of no parameter": (changed("optimizers/D/state/99", lambda _: {}), "99"),
    "state of one parameter missing": (without("optimizers/D/state/0"), "0"),
    "moment missing": (without(MOMENT), "exp_avg"),
    "moment of wrong shape": (changed(MOMENT, lambda t: t[:-1]), "exp_avg"),
    "moment of wrong dtype": (changed(MOMENT, lambda t: t.double()), "exp_avg"),
    "moment that is a number": (changed(MOMENT, lambda t: 1.0), "exp_avg"),
    "optimiser state is a list": (changed("optimizers/D/state", lambda _: []), ""),
    "optimiser state has words for numbers": (changed("optimizers/D/state", lambda s: {"x": s["0"]}), "x"),
    "another optimiser's settings": (
        changed("optimizers/D/param_groups", lambda groups: [{"lr": 0.1, "params": groups[0]["params"]}]),
        "",
    ),
    "no settings": (
        changed("optimizers/D/param_groups", lambda groups: []),
        "optimizers/D/param_groups should be like [{",
    ),
    "settings of fewer parameters": (
        changed("optimizers/D/param_groups", lambda groups: [{**groups[0], "params": groups[0]["params"][:-1]}]),
        "",
    ),
    "steps are text": (changed("steps/D", lambda _: "many"), ""),
    "round is a list": (changed("round", lambda _: []), ""),
    "stream of wrong size": (changed("streams/z", lambda t: t[:-3]), ""),
    "stream of wrong dtype": (changed("streams/z", lambda t: t.float()), ""),
    "stream of no generator": (changed("streams/z", torch.zeros_like), "does not fit the game"),
    "optimisers in a list": (changed("optimizers", lambda _: []), "does not fit the game"),
    "knobs in a list": (changed("knobs", lambda _: [1.0]), "does not fit the game"),
    "knob that does not turn": (changed("knobs", lambda _: {"seed": 1.0}), "seed cannot change"),
    "data of another kind": (changed("data", lambda _: {"position": 3}), "generator"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_refused_with_a_sentence(
    damage: str, state: dict[str, Any], tiny: Callable, game_of: Callable
) -> None:
    damaged = copy_of(state)
    do, names = DAMAGES[damage]
    do(damaged)
    with pytest.raises(ValueError, match=r"\w+ \w+") as caught:
        restore(game_of(tiny("mlp", USES_EVERYTHING)), damaged)
    assert names in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "changes",
    [
        {"model.generator.widths": [6, 6]},
        {"model.discriminator.widths": [7]},
        {"model.generator.normalization": "none"},
        {"model.latent_dim": 4},
        {"objective": "wgan"},
        {"optimizers.generator.name": "sgd"},
        {"data.name": "gaussian"},
    ],
)
def test_a_state_of_another_config_is_refused(
    changes: dict, state: dict[str, Any], tiny: Callable, game_of: Callable
) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        restore(game_of(tiny("mlp", {**USES_EVERYTHING, **changes})), copy_of(state))


def test_knobs_are_where_they_were_turned_to(tiny: Callable, game_of: Callable) -> None:
    game, fresh = game_of(tiny("mlp")), game_of(tiny("mlp"))
    game.set_knob("data.batch_size", 6)
    restore(fresh, capture(game, 0))
    assert (fresh.knobs, fresh.data.batch_size) == ({"data.batch_size": 6}, 6)


def test_numbers_that_are_not_finite_survive(tiny: Callable, game_of: Callable, tmp_path: Path) -> None:
    """A diverged run is saved as it is."""
    game = game_of(tiny("mlp"))
    with torch.no_grad():
        game.G[0].weight[0, :3] = torch.tensor([float("nan"), float("inf"), -0.0])
    game.players[0].optimizer.param_groups[0]["lr"] = float("inf")
    taken = capture(game, 1)
    fresh = game_of(tiny("mlp"))
    restore(fresh, load_checkpoint(save_checkpoint(tmp_path, taken)))
    assert state_hash(capture(fresh, 1)) == state_hash(taken)


PLACES = {
    "networks/G/a.weight": "a weight of G",
    "networks/D/b": "a weight of D",
    "optimizers/D/state/0/exp_avg": "a moment of the optimiser of D",
    "memory/loss/k": "the memory of the loss",
    "knobs/optimizers.generator.lr": "knobs/optimizers.generator.lr",
    "seconds": "seconds",
}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", ["tensor", "number", "in a list", "in a tuple"])
@pytest.mark.parametrize("place", PLACES)
def test_a_number_that_is_not_finite_is_found_wherever_it_stands(place: str, kind: str, value: float) -> None:
    good = dict.fromkeys(PLACES, 1.0) | {"round": 10**400, "name": "nan", "rest": None, "some": torch.arange(3)}
    assert not_finite(unflatten({}, good)) is None
    bad = {"tensor": torch.tensor([0.0, value]), "number": value, "in a list": [1, [value]], "in a tuple": (value,)}[
        kind
    ]
    found = not_finite(unflatten({}, good | {place: bad}))
    assert found == place + {"in a list": "/1/0", "in a tuple": "/0"}.get(kind, "")
    assert in_words(place) == PLACES[place]


def test_the_first_that_is_not_finite_is_told_and_depth_is_no_matter() -> None:
    deep: Any = float("nan")
    for _ in range(10_000):
        deep = [deep]
    assert not_finite({"a": 1.0, "b": {"x": float("nan")}, "c": deep}) == "b/x"
    assert (not_finite({"c": deep}) or "").startswith("c/0/0")
