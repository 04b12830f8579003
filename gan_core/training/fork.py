"""A run goes on as another one: the state of a game, adapted to a changed configuration.

Nothing is interpolated or guessed. A layer goes on with its exact weights where the child has the same layer, otherwise
it begins as in a new run; what begins anew is told. Where both networks have as many layers of a kind, the n-th is the
n-th, so that normalisation put between two layers moves none of them; otherwise the layer at the same place is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from gan_core.config import ConfigError, Problem, RunConfig
from gan_core.models import raw_weight, spectral_norm_of, with_storage
from gan_core.training.build import build, load_source, skeletons
from gan_core.training.game import Game
from gan_core.training.games import GAMES
from gan_core.training.player import Player
from gan_core.training.state import Tree, capture, load_optimizer
from gan_core.training.streams import Streams


@dataclass(frozen=True)
class Fork:
    """``state`` fits the child's game. ``kept`` is the share of each network's parameters that went over, 0 to 1;
    ``anew`` says, one thing a line, what begins as in a new run."""

    state: Tree
    kept: dict[str, float]
    anew: tuple[str, ...]


def fork(state: Tree, parent: RunConfig, child: RunConfig) -> Fork:
    """The state with which ``child`` goes on from ``state``, which a game of ``parent`` was in; both are resolved.

    Weights, buffers, the moments of the optimisers, the moving average, the memory of losses and, for the same seed, the
    random streams go over where they fit. Learning rates, decays and steps per round are the child's. ``state`` stays
    as it is. With an equal configuration the result continues bit for bit as the parent would.
    Raises ConfigError where no layer at all fits, where another game has networks that the run has not, or where one that it
    takes for finished does not fit whole (of which the moving average goes over, if there is one); ValueError where ``state``
    is not one of ``parent``.
    """
    missing = sorted(set(GAMES[child.game].finished or child.networks) - set(parent.networks))
    if missing:
        told = f"a run of the game {parent.game!r} has no network {' and no '.join(missing)}: start a new run instead"
        raise ConfigError([Problem("game", told)])
    game = build(child, load_source(child))
    try:
        return _adapted(game, state, parent, child)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"this state is not one of the run's configuration: {error}") from error


def _adapted(game: Game, state: Tree, parent: RunConfig, child: RunConfig) -> Fork:
    known = _Parent(state, parent)
    kept, anew, finished = _Kept(), list[str](), GAMES[child.game].finished
    for name, network in game.networks.items():
        if name in known.networks:
            sampled = f"{name}_average" if name in finished and f"{name}_average" in known.networks else name
            anew += _transplant(network, known.networks[sampled], Streams(child.seed), name, kept)
        elif (role := name.removesuffix("_average")) in game.networks and role != name:
            network.load_state_dict(game.networks[role].state_dict())
            anew.append(f"the moving average of {role}: it begins with {role}'s present weights")
        else:
            anew.append(f"{name}: all of its layers")
    for role in finished:
        if not {f"{role}/{key}" for key, _ in game.networks[role].named_parameters()} <= set(kept.exactly):
            told = f"{role} is to go on just as the run left it, and it does not fit these settings of it"
            raise ConfigError([Problem("model", told)])
    if not kept.weights:
        raise ConfigError([Problem("model", "no layer of the run fits these networks: start a new run instead")])
    for player in game.players:
        anew += _take_over_moments(player, game, known, kept.exactly)
    saved = state.get("memory", {})
    forgotten = GAMES[child.game].forgets(parent, child) if parent.game == child.game else frozenset(saved)
    anew += _take_over_memory(game, saved, forgotten)
    if parent.seed == child.seed:
        anew += _take_over_streams(game, state)
    else:
        anew.append("the noise and the order of the data: another seed")
    game.begin_round(state["round"])  # rates that follow a schedule stand where the parent's stood
    return Fork(capture(game, state["round"]), _shares(game, kept.weights), tuple(anew))


@dataclass
class _Kept:
    """Parameters by name: whose weights went over; and which are the very same as before, with their name there."""

    weights: set[str] = field(default_factory=set)
    exactly: dict[str, str] = field(default_factory=dict)


class _Parent:
    """The networks of the parent in ``state``, and which parameters each optimiser moved, in its order."""

    def __init__(self, state: Tree, config: RunConfig) -> None:
        bare = skeletons(config)
        self.optimizers: dict[str, Tree] = state["optimizers"]
        self.names = {
            name: [f"{name}/{key}" for key, _ in network.named_parameters()] for name, network in bare.items()
        }
        self.networks: dict[str, nn.Module] = {}
        for name, tensors in state["networks"].items():
            network = skeletons(config)[name.removesuffix("_average")]
            with_storage(network)
            try:
                network.load_state_dict(tensors)
            except RuntimeError as error:
                raise ValueError(f"this state is not one of the run's configuration: {error}") from error
            self.networks[name] = network.eval()


# --- networks ---


@torch.no_grad()
def _transplant(network: nn.Module, parent: nn.Module, streams: Streams, name: str, kept: _Kept) -> list[str]:
    """Copy what fits into ``network`` and note it in ``kept``; returns what begins anew."""
    layers, theirs, same = dict(_layers(network)), dict(_layers(parent)), _same_layers(network, parent)
    anew, normalised = [], None
    for path, layer in layers.items():
        place = same.get(path)
        reason = "the run had no such layer" if place is None else _misfit(layer, theirs[place])
        if place is None or reason:
            anew.append(f"{name}, {_kind(layer)} at {path or 'its top'}: {reason}")
            continue
        other = theirs[place]
        mine, its = _tensors(layer), _tensors(other)
        kept.weights |= {_name(name, path, key) for key in mine}
        if mine.keys() == its.keys():
            for key, tensor in mine.items():
                tensor.copy_(its[key])
            kept.exactly |= {_name(name, path, key): _name(name, place, key) for key in mine}
            continue
        # Only one of the two divides its weight by its size: what goes over is the weight that had an effect.
        raw_weight(layer).copy_(cast(Tensor, other.weight))
        if isinstance(layer.bias, Tensor):
            layer.bias.copy_(other.get_parameter("bias"))
        norm = spectral_norm_of(layer)
        if norm is not None:
            norm.start(raw_weight(layer), streams.generator("fork", name, path, device=norm.u.device))
        normalised = "now" if norm is not None else "no longer"
    if len(anew) == len(layers):
        anew = [f"{name}: all of its layers"]
    if normalised is not None:
        anew.append(f"{name}: what the optimiser remembers, since the weights are {normalised} normalised spectrally")
    return anew


def _same_layers(network: nn.Module, parent: nn.Module) -> dict[str, str]:
    """The place in ``parent`` of each layer of ``network`` that it has."""
    mine, theirs = _by_kind(network), _by_kind(parent)
    same: dict[str, str] = {}
    for kind, paths in mine.items():
        others = theirs.get(kind, [])
        same |= (
            dict(zip(paths, others, strict=True)) if len(paths) == len(others) else {p: p for p in paths if p in others}
        )
    return same


def _by_kind(network: nn.Module) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for path, layer in _layers(network):
        paths.setdefault(_kind(layer), []).append(path)
    return paths


def _kind(layer: nn.Module) -> str:
    return type(layer).__name__.removeprefix("Parametrized")


def _name(network: str, path: str, key: str) -> str:
    """The full name of a parameter, as in ``named_parameters``."""
    return f"{network}/{path}.{key}" if path else f"{network}/{key}"


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that hold parameters or buffers themselves, with their path."""
    for path, module in network.named_modules():
        if "parametrizations" not in path and _tensors(module):
            yield path, module


def _tensors(layer: nn.Module) -> dict[str, Tensor]:
    """The layer's own parameters and buffers, those behind its parametrised weight among them."""
    own = {*dict(layer.named_parameters(recurse=False)), *dict(layer.named_buffers(recurse=False))}
    return {
        key: tensor
        for key, tensor in layer.state_dict(keep_vars=True).items()
        if key in own or key.startswith("parametrizations.")
    }


def _misfit(layer: nn.Module, other: nn.Module) -> str:
    """Why ``layer`` cannot go on with what ``other`` holds; nothing if it can."""
    mine, its = _plain(layer), _plain(other)
    for key in [*mine, *(key for key in its if key not in mine)]:
        shapes = ["×".join(map(str, found[key])) if key in found else "not there" for found in (mine, its)]
        if shapes[0] != shapes[1]:
            return f"its {key} is {shapes[0] or 'one number'} instead of {shapes[1] or 'one number'}"
    return ""


def _plain(layer: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes by name, as they would be without spectral normalisation."""
    shapes = {key: tuple(tensor.shape) for key, tensor in _tensors(layer).items() if "parametrizations" not in key}
    if spectral_norm_of(layer) is not None:
        shapes["weight"] = tuple(raw_weight(layer).shape)
    return shapes


def _shares(game: Game, kept: set[str]) -> dict[str, float]:
    shares = {}
    for name, network in game.networks.items():
        sizes = {f"{name}/{key}": parameter.numel() for key, parameter in network.named_parameters()}
        shares[name] = sum(size for key, size in sizes.items() if key in kept) / max(1, sum(sizes.values()))
    return shares


# --- the rest ---


def _take_over_moments(player: Player, game: Game, parent: _Parent, kept: dict[str, str]) -> list[str]:
    """What the optimiser remembers of each parameter that was kept; of the others it knows nothing yet."""
    saved, own = parent.optimizers.get(player.name), player.optimizer.state_dict()
    moving = [name for network in player.networks for name in game.networks if game.networks[name] is network]
    names = [f"{name}/{key}" for name in moving for key, _ in game.networks[name].named_parameters()]
    before = [key for name in moving for key in parent.names.get(name, [])]
    if saved is None or not any(name in kept for name in names):
        return []
    if not _same_rule(own["param_groups"][0], saved["param_groups"][0]):
        return [f"{player.name}'s optimiser: it follows another rule"]
    entries = {before[int(index)]: entry for index, entry in saved["state"].items()}
    if not entries:
        return []
    like = next(iter(entries.values()))
    moments: dict[int, Any] = {}
    for index, (name, parameter) in enumerate(zip(names, player.parameters, strict=True)):
        moments[index] = entries[kept[name]] if name in kept else _no_moments(like, parameter)
    load_optimizer(player, {**own, "state": moments})
    return []


def _same_rule(mine: Tree, theirs: Tree) -> bool:
    """Whether two optimisers remember the same things, whatever their rates and decays."""
    same_settings = mine.keys() - {"initial_lr"} == theirs.keys() - {"initial_lr"}
    return same_settings and bool(mine.get("momentum")) == bool(theirs.get("momentum"))


def _no_moments(like: Tree, parameter: Tensor) -> Tree:
    """What an optimiser remembers before its first step, in the form that it has after it."""
    return {
        key: torch.zeros_like(parameter, device="cpu") if value.dim() else torch.zeros_like(value)
        for key, value in like.items()
        if isinstance(value, Tensor)
    }


def _take_over_memory(game: Game, saved: Tree, forgotten: frozenset[str]) -> list[str]:
    anew = []
    for part, memory in game.memory.items():
        if part in saved and saved[part].keys() == memory.keys() and part not in forgotten:
            game.memory[part] = {name: saved[part][name].clone().to(memory[name]) for name in memory}
        elif saved:
            anew.append(f"{', '.join(memory)} of the {part}: it begins at its first value")
    return anew


def _take_over_streams(game: Game, state: Tree) -> list[str]:
    for name, generator in game.streams.items():
        saved = state["streams"].get(name)
        if saved is not None and saved.shape == generator.get_state().shape:
            generator.set_state(saved)
    own, theirs = game.data.state(), state["data"]
    if own.keys() == theirs.keys() and all(_alike(own[key], theirs[key]) for key in own):
        game.data.restore(theirs)
        return []
    return ["the order of the data: it is drawn in another way"]


def _alike(mine: Any, theirs: Any) -> bool:
    return type(mine) is type(theirs) and (not isinstance(mine, Tensor) or mine.shape == theirs.shape)
