"""The whole state of a game: everything that a bitwise-equal continuation needs, and its hash."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import product
from typing import Any

import torch
from torch import Tensor

from gan_core.training.game import Game, Playable
from gan_core.training.player import Player

Tree = dict[str, Any]


def capture(game: Game, round: int) -> Tree:
    """A nested dict of tensors (cloned, on the CPU) and plain values, taken between two rounds."""
    state = {
        "round": round,
        "networks": {name: _cloned(network.state_dict()) for name, network in game.networks.items()},
        "optimizers": {player.name: _cloned(player.optimizer.state_dict()) for player in game.players},
        "steps": {player.name: player.steps for player in game.players},
        "streams": {name: generator.get_state().clone() for name, generator in game.streams.items()},
        "data": _cloned(game.data.state()),
    }
    memory = {"memory": _cloned(game.memory)} if game.memory else {}
    return state | memory | ({"knobs": dict(game.knobs)} if game.knobs else {})


def restore(game: Game, state: Tree) -> int:
    """Put ``state`` into a freshly built game of the same config; returns the number of rounds already played.

    Raises ValueError when a part is missing or does not fit; the game must not be used then.
    """
    try:
        for knob, value in state.get("knobs", {}).items():
            game.set_knob(knob, value)
        own = capture(game, 0)
        for player in game.players:
            # An optimiser has no moments before its first step, so there is nothing to compare them with here.
            own["optimizers"][player.name]["state"] = state["optimizers"][player.name]["state"]
        _must_fit(own, state)
        load_networks(game, state)
        for player in game.players:
            load_optimizer(player, state["optimizers"][player.name])
            player.steps = state["steps"][player.name]
        game.data.restore(state["data"])
        for part, memory in game.memory.items():
            game.memory[part] = {name: state["memory"][part][name].clone().to(memory[name]) for name in memory}
        for name, generator in game.streams.items():
            generator.set_state(state["streams"][name])
        return state["round"]
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"this state does not fit the game: {error}") from error


def load_networks(game: Playable, state: Tree) -> None:
    """The weights and buffers of every network as they were in ``state``, and nothing else of it."""
    for name, network in game.networks.items():
        network.load_state_dict(state["networks"][name])


def not_finite(state: Tree) -> str | None:
    """The path of the first number in a state, or in a part of one, that is not finite: of a weight, of a moment, of a rate.

    Not recursive: a state that somebody brought may be nested as deep as its reader allowed.
    """
    waiting: list[tuple[str, Any]] = [("", state)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict | list | tuple):
            named = node.items() if isinstance(node, dict) else enumerate(node)
            waiting += reversed([(f"{path}/{name}".lstrip("/"), inner) for name, inner in named])
        elif isinstance(node, Tensor):
            if not node.isfinite().all():
                return path
        elif isinstance(node, float) and not math.isfinite(node):
            return path
    return None


def in_words(path: str) -> str:
    """What of a game lies at a path of its state: ``a weight of G`` at ``networks/G/0.weight``."""
    part, owner, *_ = *path.split("/"), ""
    told = {
        "networks": f"a weight of {owner}",
        "optimizers": f"a moment of the optimiser of {owner}",
        "memory": f"the memory of the {owner}",
    }
    return told.get(part, path)


def state_hash(state: Tree) -> str:
    """SHA-256 over every name, type, shape and byte of a captured state; equal states have equal hashes."""
    tensors, values = flatten(state)
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def flatten(tree: Tree) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the plain values of a nested dict, keyed by path joined with ``/``."""
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, Tensor):
            tensors[path] = node
        elif isinstance(node, dict) and node:
            for key, value in node.items():
                walk(value, f"{path}/{key}" if path else str(key))
        else:
            values[path] = node

    walk(tree, "")
    return tensors, values


def unflatten(tensors: dict[str, Tensor], values: dict[str, Any]) -> Tree:
    """The inverse of ``flatten``; keys come back as text. Raises ValueError for a path that is a value and a group."""
    tree: Tree = {}
    for path, value in [*tensors.items(), *values.items()]:
        *parents, last = path.split("/")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise ValueError(f"{path} lies inside a single value")
        if last in node:
            raise ValueError(f"{path} stands there twice")
        node[last] = value
    return tree


def _cloned(node: Any) -> Any:
    if isinstance(node, Tensor):
        return node.detach().to("cpu", copy=True)
    if isinstance(node, dict):
        return {key: _cloned(value) for key, value in node.items()}
    return list(map(_cloned, node)) if isinstance(node, list | tuple) else node


def _must_fit(own: Any, saved: Any, path: str = "") -> None:
    """Raise ValueError, naming the place, unless ``saved`` has the names, shapes and types of ``own``."""
    if isinstance(own, Tensor) and isinstance(saved, Tensor):
        if (saved.shape, saved.dtype) != (own.shape, own.dtype):
            raise ValueError(
                f"{path} should be {own.dtype} {tuple(own.shape)}, the state has {saved.dtype} {tuple(saved.shape)}"
            )
    elif isinstance(own, dict) and isinstance(saved, dict):
        for name in [*own, *saved]:
            if name not in saved:
                raise ValueError(f"{path}/{name} is missing in the state".lstrip("/"))
            if name not in own:
                raise ValueError(f"{path}/{name} is in the state, but not in the game".lstrip("/"))
            _must_fit(own[name], saved[name], f"{path}/{name}".lstrip("/"))
    elif isinstance(own, list) and isinstance(saved, list) and len(own) == len(saved):
        for index, (mine, theirs) in enumerate(zip(own, saved, strict=True)):
            _must_fit(mine, theirs, f"{path}/{index}")
    elif isinstance(own, Tensor | dict | list) or isinstance(own, int | float) != isinstance(saved, int | float):
        raise ValueError(f"{path or 'the state'} should be like {str(own)[:40]}, the state has {str(saved)[:40]}")


def load_optimizer(player: Player, saved: Tree) -> None:
    """Let the player's optimiser go on with ``saved``. Raises ValueError where it does not fit the parameters."""
    # JSON has no integer keys, optimisers have no others. Cloned: torch would go on in the very tensors of the state.
    moments = {int(key): _cloned(entry) for key, entry in saved["state"].items()}
    parameters = dict(enumerate(player.parameters))
    if moments and set(moments) != set(parameters):
        odd = sorted(set(moments) ^ set(parameters))[0]
        raise ValueError(f"the optimiser of {player.name} and the state disagree about parameter {odd}")
    names = {name for entry in moments.values() for name in entry}
    for index, name in product(moments, sorted(names)):
        value, like = moments[index].get(name), parameters[index]
        if not isinstance(value, Tensor) or (value.dim() and (value.shape, value.dtype) != (like.shape, like.dtype)):
            raise ValueError(f"{name} of parameter {index} of {player.name} should be {like.dtype} {tuple(like.shape)}")
        if value.dim() == 4 and like.is_contiguous(memory_format=torch.channels_last):
            moments[index][name] = value.contiguous(memory_format=torch.channels_last)
    player.optimizer.load_state_dict({**saved, "state": moments})
