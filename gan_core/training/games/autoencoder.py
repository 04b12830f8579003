"""The autoencoder as a game of one: its errors, its columns, and how it is built from settings.

An error is a mean over the numbers of x and over the batch, as courses print it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor, nn

from gan_core.config import AutoencoderConfig, Problem
from gan_core.data import Source
from gan_core.training.assembly import Assembly, assemble
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column
from gan_core.training.games.coding import (
    CodeGame,
    bernoulli,
    coder_inputs,
    coder_knobs,
    coder_networks,
    coder_problems,
    difference,
    grey_share,
    moves_of,
    of_images,
    points_are_not_shares,
    shares,
    unknown_architectures,
)
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.optimization import Optimization
from gan_core.training.player import Outcome

ErrorOf = Callable[[Tensor, Tensor, bool], Tensor]

ERRORS: dict[str, tuple[str, ErrorOf]] = {
    "mse": ("mean squared error", lambda output, x, images: difference(output, x, images).square().mean()),
    "bce": ("binary cross-entropy", lambda output, x, images: bernoulli(output, x).mean()),
    "l1": ("mean absolute error", lambda output, x, images: difference(output, x, images).abs().mean()),
}
"""By the name in the settings: what it is called, and the error of what is decoded (n, *shape) as x (n, *shape)."""


class Autoencoder(CodeGame):
    """min ‖x − Dec(E(x))‖ by the named error (Hinton and Salakhutdinov 2006)."""

    def __init__(
        self, assembly: Assembly, moves: Optimization, columns: Sequence[Column], error: str, *, images: bool
    ) -> None:
        super().__init__(assembly, moves, columns, images=images)
        self.error = error

    def _objective(self) -> Outcome:
        x = self.data.next().x
        code = self._encoded(x)
        output = self.Dec(code)
        readings = {"code_std": code.detach().std(0).mean()}
        if self.error != "mse":
            readings["mse"] = ERRORS["mse"][1](output.detach(), x, self.images)
        if self.images:
            readings["grey_real"] = grey_share(shares(x))
            readings["grey_fake"] = grey_share(output.detach().sigmoid())
        return Outcome({"rec": ERRORS[self.error][1](output, x, self.images)}, readings)


def _networks(config: AutoencoderConfig, source: Source) -> dict[str, nn.Module]:
    return coder_networks(config.model, source, config.model.code_dim)


def _build(config: AutoencoderConfig, source: Source) -> Autoencoder:
    made = assemble(config, source, _networks(config, source), (), config.model.initialization)
    moves, error = moves_of(config, config.optimizer, made), config.reconstruction.error
    return Autoencoder(made, moves, _columns(config), error, images=len(source.shape) == 3)


def _columns(config: AutoencoderConfig) -> tuple[Column, ...]:
    return tuple(_each(ERRORS[config.reconstruction.error][0], config))


def _each(called: str, config: AutoencoderConfig) -> Iterator[Column]:
    yield Column("AE", "loss", "loss", "total", "losses")
    yield Column("AE", "rec", called, "term")
    yield Column("AE", "code_std", "standard deviation of a number of the code", "reading", "code", told=True)
    if config.reconstruction.error != "mse":
        yield Column("AE", "mse", ERRORS["mse"][0], "reading", "losses")
    if of_images(config):
        yield Column("AE", "grey_real", "grey pixels of x", "reading", "grey", told=True, of="real")
        yield Column(
            "AE", "grey_fake", "grey pixels of the reconstruction", "reading", "grey", told=True, of="generated"
        )
    yield Column("AE", "grad_norm", "gradient norm", "total", "gradients")


def _reading(config: AutoencoderConfig) -> Reading:
    what = "pixel, black 0 and white 1" if of_images(config) else "coordinate, in units of the networks"
    more = " Grey pixels are between ¼ and ¾: more of them than in x is blur." if of_images(config) else ""
    return Reading(f"The loss is the {ERRORS[config.reconstruction.error][0]} of a {what}, over the batch.{more}")


def _problems(config: AutoencoderConfig, source: Source) -> Iterator[Problem]:
    yield from coder_problems(config, source)
    if config.reconstruction.error == "bce":
        yield from points_are_not_shares("reconstruction.error", source)


AUTOENCODER = Declaration(
    networks=_networks,
    inputs=coder_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("grey", "Grey pixels", "share"),
        Chart("code", "The code", "standard deviation"),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=lambda config: coder_knobs(config, config.optimizer),
    abilities=("encode", "reconstruct"),
    unknown=unknown_architectures,
    problems=_problems,
    verdict="code",
    does={"AE": "coder"},
)
