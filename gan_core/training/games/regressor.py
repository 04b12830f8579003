"""The latent regressor as a game of one: E learns of which z a finished G makes what E sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from gan_core.config import Problem, RegressorConfig
from gan_core.data import Source
from gan_core.models import ARCHITECTURES, encoder_from
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES, Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.coding import Turned, coder_knobs, unknown_architectures
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.latent import Latent, Prior
from gan_core.training.optimization import Optimization, optimization_of
from gan_core.training.player import Outcome, Player


class Regressor(Turned):
    """min ‖z − E(G(z))‖² over E alone (Donahue et al. 2017, section 4). The assembly has G and E, and the stream ``z``.

    With ``of_data`` it is min ‖x − G(E(x))‖² over data x (Schlegl et al. 2019, "izi").
    """

    def __init__(
        self,
        assembly: Assembly,
        moves: Optimization,
        columns: Sequence[Column],
        latent: Prior,
        *,
        of_data: bool = False,
    ) -> None:
        self.networks: dict[str, nn.Module] = dict(assembly.networks)
        self.G, self.E = self.networks["G"].requires_grad_(False), self.networks["E"]
        self.data = assembly.data
        self.streams = assembly.streams
        self.moves, self.latent, self.of_data = moves, latent, of_data
        self.memory: Memory = {}
        self.knobs = {}
        self.players = (
            Player(
                "E",
                (self.E,),
                self._objective,
                moves.optimizer,
                terms=names_of(columns, "E", "term"),
                clip_gradient=moves.clip_gradient,
            ),
        )

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z), (n, *shape), for z (n, latent_dim), by running means where G normalises; leaves G as it was."""
        with evaluated(self.G):
            x_fake: Tensor = self.G(z)
            return x_fake

    def encode(self, x: Tensor) -> Tensor:
        """E(x), (n, latent_dim); leaves E as it was."""
        with evaluated(self.E):
            code: Tensor = self.E(x)
            return code

    def reconstruct(self, x: Tensor) -> Tensor:
        """G(E(x)), (n, *shape); leaves both as they were."""
        return self.sample(self.encode(x))

    def _objective(self) -> Outcome:
        if self.of_data:
            x = self.data.next().x
            return Outcome({"rec": mse_loss(self._made(self.E(x)), x)})
        z = self.latent(self.data.batch_size, self.streams["z"])
        return Outcome({"rec": mse_loss(self.E(self.sample(z)), z)})

    def _made(self, z: Tensor) -> Tensor:
        """G(z) as ``sample`` makes it, with a graph back to z."""
        training = self.G.training
        x_fake: Tensor = self.G.eval()(z)
        self.G.train(training)
        return x_fake


# --- from settings ---


def _networks(config: RegressorConfig, source: Source) -> dict[str, nn.Module]:
    model = config.model
    of = {role: ARCHITECTURES[network.architecture] for role, network in config.networks.items()}
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": of["G"].generator(model.latent_dim, source.shape, layers_of(model.generator)),
            "E": encoder_from(of["E"].discriminator(source.shape, layers_of(model.encoder)), model.latent_dim),
        }
        normalize(networks, config.networks)
    return networks


def _inputs(config: RegressorConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    shapes = {"G": (config.model.latent_dim,), "E": source.shape}
    return {role: (torch.empty(2, *shape, device="meta"), None) for role, shape in shapes.items()}


def _latent(config: RegressorConfig) -> Latent:
    return Latent(config.model.latent_dim, config.model.latent)


def _build(config: RegressorConfig, source: Source) -> Regressor:
    made = assemble(config, source, _networks(config, source), ("z",), config.model.initialization)
    moves = optimization_of(config.optimizer, made.networks["E"], steps=1, rounds=config.schedule.rounds)
    of_data = config.model.learns_from == "data"
    return Regressor(made, moves, _columns(config), _latent(config), of_data=of_data)


def _columns(config: RegressorConfig) -> tuple[Column, ...]:
    if config.model.learns_from == "data":
        return (
            Column("E", "loss", "loss", "total", "losses"),
            Column("E", "rec", "mean squared error of a number of x", "term"),
            Column("E", "grad_norm", "gradient norm", "total", "gradients"),
        )
    variance = 1.0 if config.model.latent == "normal" else 1 / 3
    return (
        Column("E", "loss", "loss", "total", "losses", ((variance, "without a look at x"),)),
        Column("E", "rec", "mean squared error of a number of z", "term"),
        Column("E", "grad_norm", "gradient norm", "total", "gradients"),
    )


def _reading(config: RegressorConfig) -> Reading:
    if config.model.learns_from == "data":
        return Reading("The loss is the mean squared error of a number of x, in units of the networks, −1 to 1.")
    return Reading(
        "The loss is the mean squared error of a number of z; who says 0 whatever x is has the variance of z."
    )


def _problems(config: RegressorConfig, source: Source) -> Iterator[Problem]:
    for role, network in config.networks.items():
        reason = ARCHITECTURES[network.architecture].fits(source.shape, layers_of(network))
        if reason:
            yield Problem(config.ROLES[role], reason)
    said = "G stays as the run left it that this one is forked from; in a new run it has learnt nothing"
    yield Problem("game", said, fatal=False)


REGRESSOR = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(LOSSES, GRADIENTS),
    reading=_reading,
    knobs=lambda config: coder_knobs(config, config.optimizer),
    abilities=("sample", "encode", "reconstruct"),
    verdict="code",
    does={"E": "encoder"},
    latent=_latent,
    unknown=unknown_architectures,
    problems=_problems,
    finished=("G",),
)
