"""CycleGAN as a game of three (Zhu et al. 2017): D_A, D_B, and the translators G: A → B and F: B → A together.

Least squares; each discriminator's loss is halved, and every loss is a mean over patches, pixels or coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from gan_core.config import Problem, unknown_name
from gan_core.config.fields import Network
from gan_core.config.games.cyclegan import Cycle, CycleganConfig
from gan_core.data import DATASETS, BatchStream, Source
from gan_core.models import halvings, mlp_discriminator, mlp_generator, patch_discriminator, unet
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column, names_of
from gan_core.training.domains import BothStreams, bad_options, domains, open_both
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.declaration import Declaration, Reading, Values
from gan_core.training.games.pix2pix import of_bottom, of_patches
from gan_core.training.optimization import Optimization, optimizations_of, rates_of
from gan_core.training.player import Outcome, Player
from gan_core.training.pool import empty_pool, pooled

REAL, FAKE = 1.0, 0.0
"""What each discriminator is to answer."""
MIDDLE = 0.5
FAR = 0.25
"""Half of what least squares read where D answers the middle to everything."""


def discriminate(real: Tensor, fake: Tensor) -> Tensor:
    """Half the least squares of answers of D; ¼ where it cannot tell."""
    return ((real - REAL).square().mean() + (fake - FAKE).square().mean()) / 2


class CycleGan:
    """The players D_A, D_B and GF. The assembly has all four networks and the stream ``pool``; ``moves`` is by player.

    ``shapes`` are those of A and of B.
    """

    packing = 1

    def __init__(
        self,
        assembly: Assembly,
        data: BothStreams,
        moves: Mapping[str, Optimization],
        columns: Sequence[Column],
        cycle: Cycle,
        shapes: tuple[tuple[int, ...], tuple[int, ...]],
    ) -> None:
        self.networks: dict[str, nn.Module] = dict(assembly.networks)
        self.G, self.F, self.D_A, self.D_B = (self.networks[role] for role in ("G", "F", "D_A", "D_B"))
        self.both = data
        self.data: BatchStream = data
        self.streams = assembly.streams
        self.moves, self.cycle = moves, cycle
        device = next(self.G.parameters()).device
        of = dict(zip(("pool_a", "pool_b"), shapes, strict=True)) if cycle.pool else {}
        self.memory: Memory = {part: empty_pool(cycle.pool, shape, device) for part, shape in of.items()}
        self.knobs: dict[str, float] = {}
        turns = {
            "D_A": ((self.D_A,), self._discriminate_a),
            "D_B": ((self.D_B,), self._discriminate_b),
            "GF": ((self.G, self.F), self._generate),
        }
        self.players = tuple(
            Player(
                name,
                networks,
                objective,
                moves[name].optimizer,
                terms=names_of(columns, name, "term"),
                readings=names_of(columns, name, "reading"),
                clip_gradient=moves[name].clip_gradient,
            )
            for name, (networks, objective) in turns.items()
        )
        self._heed_d()

    def begin_round(self, round: int) -> None:
        for optimization in self.moves.values():
            optimization.begin_round(round)

    def translate(self, x: Tensor) -> Tensor:
        """G(a), (n, *shape of B), for a (n, *shape of A); leaves G as it was."""
        with evaluated(self.G):
            made: Tensor = self.G(x)
            return made

    def translate_back(self, x: Tensor) -> Tensor:
        """F(b), (n, *shape of A), for b (n, *shape of B); leaves F as it was."""
        with evaluated(self.F):
            made: Tensor = self.F(x)
            return made

    def reconstruct(self, x: Tensor) -> Tensor:
        """F(G(a)), (n, *shape of A); leaves both as they were."""
        return self.translate_back(self.translate(x))

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """What D_B answers to b (n, *shape of B), the mean of its patches, (n,): 1 is real; leaves D_B as it was."""
        with evaluated(self.D_B):
            answers: Tensor = self.D_B(x).reshape(len(x), -1).mean(1)
            return answers

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.judge(x, y)

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        match knob:
            case "optimizers.discriminator.lr":
                for player in ("D_A", "D_B"):
                    self.moves[player].set_rate(value)
            case "optimizers.generator.lr":
                self.moves["GF"].set_rate(value)
            case "data.batch_size":
                self.data.batch_size = int(value)
            case "cycle.cycle_weight" | "cycle.identity_weight" | "cycle.adversarial_weight":
                self.cycle = self.cycle.model_copy(update={knob.rpartition(".")[2]: float(value)})
                self._heed_d()
            case _:
                raise ValueError(f"{knob} cannot change while the run trains")
        self.knobs[knob] = value

    def _heed_d(self) -> None:
        for player in self.players[:2]:
            player.moves = self.cycle.adversarial_weight > 0

    def _discriminate_a(self) -> Outcome:
        a, b = self.both.next_both()
        with torch.no_grad():
            made = self.F(b)
        return self._discriminate(self.D_A, a, made, "pool_a")

    def _discriminate_b(self) -> Outcome:
        a, b = self.both.next_both()
        with torch.no_grad():
            made = self.G(a)
        return self._discriminate(self.D_B, b, made, "pool_b")

    def _discriminate(self, D: nn.Module, x: Tensor, made: Tensor, pool: str) -> Outcome:
        if pool in self.memory:
            made = pooled(self.memory[pool], made, self.streams["pool"])
        real, fake = D(x), D(made)
        readings = {
            "accuracy_real": (real > MIDDLE).float().mean(),
            "accuracy_fake": (fake <= MIDDLE).float().mean(),
        }
        return Outcome({"adv": discriminate(real, fake)}, readings)

    def _generate(self) -> Outcome:
        (a, b), weights = self.both.next_both(), self.cycle
        made_a, made_b = self.F(b), self.G(a)
        adversarial = (self.D_B(made_b) - REAL).square().mean() + (self.D_A(made_a) - REAL).square().mean()
        if weights.cycle_weight:
            again_a, again_b = self.F(made_b), self.G(made_a)
        else:  # only looked at, so that no normalisation hears of it
            again_a, again_b = self.translate_back(made_b), self.translate(made_a)
        cycle_a, cycle_b = l1_loss(again_a, a), l1_loss(again_b, b)
        terms = {
            "weighted_adv": weights.adversarial_weight * adversarial,
            "weighted_cycle": weights.cycle_weight * (cycle_a + cycle_b),
            "weighted_identity": self._identity(a, b),
        }
        readings = {"adv": adversarial.detach(), "cycle_a": cycle_a.detach(), "cycle_b": cycle_b.detach()}
        return Outcome(terms, readings)

    def _identity(self, a: Tensor, b: Tensor) -> Tensor:
        """λ λ_id (‖G(b) − b‖ + ‖F(a) − a‖), each a mean."""
        weight = self.cycle.cycle_weight * self.cycle.identity_weight
        if not weight:
            return torch.zeros((), device=a.device)
        return weight * (l1_loss(self.G(b), b) + l1_loss(self.F(a), a))


# --- from settings ---


def _networks(config: CycleganConfig, source: Source) -> dict[str, nn.Module]:
    a, b = (one.shape for one in domains(config, source))
    generator, discriminator = config.model.generator, config.model.discriminator
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": _translator(generator, a, b),
            "F": _translator(generator, b, a),
            "D_A": _judge(discriminator, a),
            "D_B": _judge(discriminator, b),
        }
        normalize(networks, config.networks)
    return networks


def _translator(settings: Network, given: tuple[int, ...], made: tuple[int, ...]) -> nn.Module:
    if settings.architecture == "mlp":
        return mlp_generator(given[0], made, layers_of(settings))
    return unet(given, layers_of(settings), made[0])


def _judge(settings: Network, shape: tuple[int, ...]) -> nn.Module:
    layers = layers_of(settings)
    if settings.architecture == "mlp":
        return mlp_discriminator(shape, layers)
    return patch_discriminator(shape, layers, conditional=False)


def _inputs(config: CycleganConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    a, b = (torch.empty(2, *one.shape, device="meta") for one in domains(config, source))
    return {"G": (a, None), "F": (b, None), "D_A": (a, None), "D_B": (b, None)}


def _build(config: CycleganConfig, source: Source) -> CycleGan:
    a, b = domains(config, source)
    made = assemble(config, a, _networks(config, source), ("pool",), config.model.initialization)
    moved = {
        "D_A": made.networks["D_A"],
        "D_B": made.networks["D_B"],
        "GF": nn.ModuleDict({role: made.networks[role] for role in ("G", "F")}),
    }
    moves = optimizations_of(config, moved)
    data = open_both(made.data, b, config)
    return CycleGan(made, data, moves, _columns(config), config.cycle, (a.shape, b.shape))


def _columns(config: CycleganConfig) -> tuple[Column, ...]:
    return (*_of_d("A", "F(b)"), *_of_d("B", "G(a)"), *_of_gf())


def _of_d(of: str, made: str) -> Iterator[Column]:
    name, line = f"D_{of}", ((FAR, "¼: D cannot tell"),)
    yield Column(name, "loss", f"{name} loss", "total", "adversary", line)
    yield Column(name, "adv", f"{name} adversarial term", "term")
    yield Column(name, "accuracy_real", f"{name} right on {of}", "reading", "accuracy", told=True, of="real")
    yield Column(name, "accuracy_fake", f"{name} right on {made}", "reading", "accuracy", told=True, of="generated")
    yield Column(name, "grad_norm", f"{name} gradient norm", "total", "gradients")


def _of_gf() -> Iterator[Column]:
    yield Column("GF", "loss", "G and F loss", "total", "losses")
    yield Column("GF", "weighted_adv", "weighted adversarial terms", "term", "losses")
    yield Column("GF", "weighted_cycle", "λ · cycle", "term", "losses")
    yield Column("GF", "weighted_identity", "λ λ_id · identity", "term", "losses")
    yield Column("GF", "adv", "adversarial terms of G and F", "reading", "adversary")
    yield Column("GF", "cycle_a", "lost from a to F(G(a))", "reading", "cycle", told=True)
    yield Column("GF", "cycle_b", "lost from b to G(F(b))", "reading", "cycle", told=True)
    yield Column("GF", "grad_norm", "G and F gradient norm", "total", "gradients")


def _reading(config: CycleganConfig) -> Reading:
    told = (
        "D_A and D_B answer 1 to real samples and 0 to translated ones; ¼ is the loss of one that cannot tell. The cycle is "
        "the mean absolute error of what comes back, from −1 to 1. A cycle that loses nothing need not be the right map."
    )
    if not config.cycle.adversarial_weight:
        told = "Nobody heeds D_A and D_B, which stand still: a translator that does nothing loses nothing in the cycle."
    return Reading(told, score_line=MIDDLE)


def _knobs(config: CycleganConfig) -> dict[str, float]:
    return {
        **rates_of(config),
        "data.batch_size": config.data.batch_size,
        "cycle.cycle_weight": config.cycle.cycle_weight,
        "cycle.identity_weight": config.cycle.identity_weight,
        "cycle.adversarial_weight": config.cycle.adversarial_weight,
    }


def _unknown(config: CycleganConfig) -> Iterator[Problem]:
    other = config.domain_b
    if other.name not in DATASETS:
        yield unknown_name("domain_b.name", other.name, DATASETS)
    else:
        yield from bad_options(other.name, other.options, "domain_b.options")


def _problems(config: CycleganConfig, source: Source) -> Iterator[Problem]:
    a, b = (one.shape for one in domains(config, source))
    if len(a) != len(b) or a[1:] != b[1:]:
        sizes = ["×".join(map(str, (shape[1:] or shape))) for shape in (a, b)]
        said = f"samples of A are {sizes[0]} and those of B {sizes[1]}: choose two data sets of one size"
        yield Problem("domain_b.name", said)
        return
    cycle, model = config.cycle, config.model
    if a != b and cycle.identity_weight:
        said = f"λ_id asks G to leave a b as it is, but A has {a[0]} channels and B has {b[0]}: choose 0"
        yield Problem("cycle.identity_weight", said)
    if not cycle.cycle_weight and not cycle.adversarial_weight:
        yield Problem("cycle.cycle_weight", "with both weights at 0 nobody learns anything; choose one above 0")
    if cycle.identity_weight and not cycle.cycle_weight:
        said = "λ_id is in units of λ: with λ = 0 nothing asks for the identity"
        yield Problem("cycle.identity_weight", said, fatal=False)
    if not cycle.cycle_weight and cycle.adversarial_weight:
        said = "without λ nothing ties an output to its input: any b will do for an a"
        yield Problem("cycle.cycle_weight", said, fatal=False)
    for field, network in (("generator", model.generator), ("discriminator", model.discriminator)):
        yield from _of_network(f"model.{field}", network, a)
    if model.discriminator.architecture == "patchgan" and len(a) == 3:
        yield from of_patches(min(a[1:]), halvings(model.discriminator.widths))


def _of_network(field: str, network: Network, shape: tuple[int, ...]) -> Iterator[Problem]:
    points = len(shape) == 1
    if points != (network.architecture == "mlp"):
        said = (
            "points are translated and judged by MLPs"
            if points
            else "an MLP has no idea of pictures here; choose the other"
        )
        yield Problem(f"{field}.architecture", said)
        return
    if points and network.normalization == "instance":
        yield Problem(f"{field}.normalization", "instance normalisation needs feature maps, and these are points")
    if network.attention:
        yield Problem(f"{field}.attention", "no network of this game has self-attention")
    if network.architecture == "unet":
        yield from of_bottom(field, network, max(shape[1:]))


def _defaults(config: CycleganConfig) -> dict[str, object]:
    return {"domain_b.options": {**DATASETS[config.domain_b.name].options, **config.domain_b.options}}


def _forgets(before: CycleganConfig, after: CycleganConfig) -> frozenset[str]:
    same = before.cycle.pool == after.cycle.pool and same_data(before, after)
    return frozenset() if same else frozenset({"pool_a", "pool_b"})


def same_data(before: CycleganConfig, after: CycleganConfig) -> bool:
    """Whether both runs have the same A and the same B."""
    return (before.data.name, before.data.options, before.domain_b) == (
        after.data.name,
        after.data.options,
        after.domain_b,
    )


def _kept(config: CycleganConfig, values: Values) -> int:
    # Each translator sees what comes, what the other made of it and, for the identity, what is of its own kind already.
    translators = 3 if config.cycle.identity_weight else 2
    return 2 * (translators * (values["G"] + values["F"]) + 3 * (values["D_A"] + values["D_B"]))


CYCLEGAN = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("cycle", "What a cycle loses", "absolute error"),
        Chart("adversary", "D_A and D_B, and what G and F hear of them", "loss"),
        Chart("accuracy", "Accuracy of D_A and D_B", "share"),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=_knobs,
    abilities=("judge", "reconstruct", "translate", "translate_back"),
    unknown=_unknown,
    problems=_problems,
    defaults=_defaults,
    forgets=_forgets,
    verdict="cycle",
    does={"D_A": "judge", "D_B": "judge of B", "GF": "maker"},
    kept=_kept,
)
