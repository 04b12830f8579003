"""Generative latent optimisation as a game of one: the code of each training picture is learnt like a weight.

A code is a point on the sphere of radius √d, near which draws of N(0, I) lie. What is decoded of a code as it is is a training
picture: the machine that copies on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize as of_length_1

from gan_core.config import Problem
from gan_core.config.games.glo import GloConfig
from gan_core.data import ImageSource, Source
from gan_core.models import ARCHITECTURES, decoder_from
from gan_core.models.blocks import Network
from gan_core.models.conditioning import table
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES, Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.autoencoder import ERRORS
from gan_core.training.games.coding import Turned, coder_knobs, unknown_architectures
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.latent import Latent
from gan_core.training.optimization import Optimization, optimization_of
from gan_core.training.player import Outcome, Player

REACH = "sampling.reach"


class Glo(Turned):
    """min over Dec and the codes of ‖x_i − Dec(z_i)‖ by the named error (Bojanowski et al. 2018, without their pyramid).

    The assembly has the networks ``Codes``, a table with a row for each training picture, and ``Dec``.
    """

    def __init__(
        self, assembly: Assembly, moves: Optimization, columns: Sequence[Column], error: str, reach: float
    ) -> None:
        self.networks: dict[str, nn.Module] = dict(assembly.networks)
        self.Codes, self.Dec = self.networks["Codes"], self.networks["Dec"]
        self.data = assembly.data
        self.streams = assembly.streams
        self.moves, self.error, self.reach = moves, error, reach
        self.memory: Memory = {}
        self.knobs = {}
        self.players = (
            Player(
                "GLO",
                (self.Codes, self.Dec),
                self._objective,
                moves.optimizer,
                terms=names_of(columns, "GLO", "term"),
                clip_gradient=moves.clip_gradient,
            ),
        )

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x̂ (n, *shape) decoded at the code that is nearest to z (n, code_dim), or so far beyond it as the reach says."""
        with evaluated(self.Dec):
            towards = _on_sphere(z)
            codes = self.codes()
            nearest = codes[(towards @ codes.T).argmax(1)]
            x_fake: Tensor = self.Dec(_on_sphere(torch.lerp(nearest, towards, self.reach))).sigmoid() * 2 - 1
            return x_fake

    def codes(self) -> Tensor:
        """The code of each training picture, (n, code_dim)."""
        every: Tensor = self.Codes[0].weight  # type: ignore[index]
        return _on_sphere(every)

    def _turns(self) -> dict[str, Callable[[float], None]]:
        return {**super()._turns(), "sampling.reach": self._set_reach}

    def _set_reach(self, value: float) -> None:
        self.reach = float(value)

    def _objective(self) -> Outcome:
        batch = self.data.next()
        output = self.Dec(_on_sphere(self.Codes(batch.index)))
        return Outcome({"rec": ERRORS[self.error][1](output, batch.x, True)})


def _on_sphere(z: Tensor) -> Tensor:
    return of_length_1(z, dim=1) * z.shape[1] ** 0.5


# --- from settings ---


def _networks(config: GloConfig, source: Source) -> dict[str, nn.Module]:
    model = config.model
    pictures = len(source.train_index) if isinstance(source, ImageSource) else 1
    with torch.device("meta"):
        made = ARCHITECTURES[model.decoder.architecture].generator(
            model.code_dim, source.shape, layers_of(model.decoder)
        )
        networks: dict[str, nn.Module] = {
            "Codes": Network(table(pictures, model.code_dim)),
            "Dec": decoder_from(made, source.shape),
        }
        normalize({"Dec": networks["Dec"]}, {"Dec": model.decoder})
    return networks


def _inputs(config: GloConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    index = torch.zeros(2, dtype=torch.int64, device="meta")
    return {"Codes": (index, None), "Dec": (torch.empty(2, config.model.code_dim, device="meta"), None)}


def _latent(config: GloConfig) -> Latent:
    return Latent(config.model.code_dim)


def _build(config: GloConfig, source: Source) -> Glo:
    made = assemble(config, source, _networks(config, source), (), config.model.initialization)
    moved = nn.ModuleDict(dict(made.networks))
    moves = optimization_of(config.optimizer, moved, steps=1, rounds=config.schedule.rounds)
    return Glo(made, moves, _columns(config), config.reconstruction.error, config.sampling.reach)


def _columns(config: GloConfig) -> tuple[Column, ...]:
    return (
        Column("GLO", "loss", "loss", "total", "losses"),
        Column("GLO", "rec", ERRORS[config.reconstruction.error][0], "term"),
        Column("GLO", "grad_norm", "gradient norm", "total", "gradients"),
    )


def _reading(config: GloConfig) -> Reading:
    error = ERRORS[config.reconstruction.error][0]
    return Reading(
        f"The loss is the {error} of a pixel, black 0 and white 1, of training pictures and of nothing else."
    )


def _knobs(config: GloConfig) -> dict[str, float]:
    return coder_knobs(config, config.optimizer) | {REACH: config.sampling.reach}


def _problems(config: GloConfig, source: Source) -> Iterator[Problem]:
    if not isinstance(source, ImageSource):
        said = "only pictures that are there can have a code each; these samples are drawn anew for every batch"
        yield Problem("data.name", said)
        return
    reason = ARCHITECTURES[config.model.decoder.architecture].fits(source.shape, layers_of(config.model.decoder))
    if reason:
        yield Problem("model.decoder", reason)


GLO = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(LOSSES, GRADIENTS),
    reading=_reading,
    knobs=_knobs,
    abilities=("sample",),
    does={"GLO": "coder"},
    latent=_latent,
    unknown=unknown_architectures,
    problems=_problems,
)
