"""InfoGAN as a game of two: the bound on the information in its code, its columns, and how it is built from settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gan_core.config import InfoganConfig, Problem
from gan_core.config.games.infogan import Terms
from gan_core.data import Source
from gan_core.losses import LOSSES as ADVERSARIAL
from gan_core.losses import opinion
from gan_core.models import ARCHITECTURES, Network, encoder_from
from gan_core.regularizers import PENALTIES
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.coding import unknown_architectures
from gan_core.training.games.declaration import Declaration, Reading, Values
from gan_core.training.games.gan import READ_BY_VERDICT, reference_lines
from gan_core.training.latent import CodedLatent, Latent
from gan_core.training.optimization import Optimization, optimizations_of, rates_of
from gan_core.training.player import Outcome, Player

LOSS = ADVERSARIAL["non_saturating"]
LOG_VARIANCE = (-6.0, 4.0)
"""The log σ² of Q is kept between these: the bound of a continuous code grows without limit as σ falls."""


# --- the bound ---


def categorical_bound(logits: Tensor, category: Tensor) -> Tensor:
    """L_I = H(c) + E log Q(c|x) in nats, for logits (n, K) of Q and the categories (n,) that G was given; log K at most."""
    return math.log(logits.shape[1]) - cross_entropy(logits, category)


def continuous_bound(mean: Tensor, log_variance: Tensor, code: Tensor) -> Tensor:
    """The same summed over codes (n, d) of U(−1, 1), with Q = N(mean, σ²): d log 2 + E log Q. It has no ceiling."""
    if mean.shape != code.shape or log_variance.shape != code.shape:
        raise ValueError(f"Q says {tuple(mean.shape)} of codes {tuple(code.shape)}")
    clamped = log_variance.clamp(*LOG_VARIANCE)
    log_likely = -0.5 * ((code - mean).square() / clamped.exp() + clamped + math.log(2 * math.pi))
    return code.shape[1] * math.log(2) + log_likely.sum(1).mean()


# --- the game ---


class InfoGan:
    """D with Q, and G: each minimises its adversarial loss − λ L_I (Chen et al. 2016), as in the authors' code.

    ``assembly`` has the networks G, D and Q and the streams ``z`` and ``penalties``; ``moves`` is the optimization of each
    player. Q reads the features of D and moves with it.
    """

    packing = 1

    def __init__(
        self, assembly: Assembly, moves: Mapping[str, Optimization], config: InfoganConfig, latent: CodedLatent
    ) -> None:
        G, D, Q = (assembly.networks[role] for role in ("G", "D", "Q"))
        assert isinstance(D, Network)
        self.G, self.D, self.Q = G, D, Q
        self.networks: dict[str, nn.Module] = {"G": G, "D": D, "Q": Q}
        self.data, self.streams = assembly.data, assembly.streams
        self.moves, self.latent = moves, latent
        self.terms: Terms = config.terms
        self.batch_size = config.data.batch_size
        self.memory: Memory = {}
        self.knobs: dict[str, float] = {}
        columns = _columns(config)
        self.players = tuple(
            Player(
                name,
                networks,
                objective,
                moves[name].optimizer,
                terms=names_of(columns, name, "term"),
                readings=names_of(columns, name, "reading"),
                steps=moves[name].steps,
                clip_gradient=moves[name].clip_gradient,
            )
            for name, networks, objective in (("D", (D, Q), self._discriminate), ("G", (G,), self._generate))
        )

    def begin_round(self, round: int) -> None:
        for move in self.moves.values():
            move.begin_round(round)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x̂ (n, *shape) for z (n, dim) of the prior; leaves G as it was."""
        with evaluated(self.G):
            made: Tensor = self.G(z)
            return made

    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D's probability that x is real, (n,); leaves D as it was."""
        with evaluated(self.D):
            return opinion(LOSS, self.D(x))

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.judge(x, y)

    def encode(self, x: Tensor) -> Tensor:
        """What Q says of x, (n, categories + continuous): the probability of each category, then the mean of each
        continuous code. Leaves D and Q as they were."""
        with evaluated(self.D, self.Q):
            logits, mean, _ = self._read(self.D.features(x))
            return torch.cat([logits.softmax(1), mean], dim=1)

    def categorise(self, x: Tensor) -> Tensor:
        """The probability of each category, (n, categories), as Q says."""
        return self.encode(x)[:, : self.latent.categories]

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        turn = self._turns().get(knob)
        if turn is None:
            raise ValueError(f"{knob} cannot change while the run trains")
        turn(value)
        self.knobs[knob] = value

    def _turns(self) -> dict[str, Callable[[float], None]]:
        """What each knob does."""
        turns: dict[str, Callable[[float], None]] = {
            "optimizers.discriminator.lr": self.moves["D"].set_rate,
            "optimizers.generator.lr": self.moves["G"].set_rate,
            "schedule.n_critic": partial(self._set_steps, 0),
            "schedule.generator_steps": partial(self._set_steps, 1),
            "data.batch_size": self._set_batch_size,
        }
        weights = [name for name in Terms.model_fields if name != "r1" or self.terms.r1 or "terms.r1" in self.knobs]
        return turns | {f"terms.{name}": partial(self._set_weight, name) for name in weights}

    def _set_steps(self, player: int, value: float) -> None:
        self.players[player].steps = int(value)

    def _set_batch_size(self, value: float) -> None:
        self.batch_size = self.data.batch_size = int(value)

    def _set_weight(self, name: str, value: float) -> None:
        self.terms = self.terms.model_copy(update={name: float(value)})

    # --- a turn ---

    def _discriminate(self) -> Outcome:
        x, z = self.data.next().x, self._drawn()
        with torch.no_grad():
            x_fake = self.G(z)
        features = self.D.features(x_fake)
        real, fake = self.D(x), self.D.judged(features)
        weighted, told = self._information(features, z)
        terms = {"adv": LOSS.d_loss(real, fake), "weighted_info": weighted}
        if "r1" in self.players[0].terms:
            terms["r1"] = self.terms.r1 * PENALTIES["r1"].measure(self.D, x, x_fake, self.streams["penalties"])
        real, fake = real.detach(), fake.detach()
        seen = {
            "real": opinion(LOSS, real).mean(),
            "fake": opinion(LOSS, fake).mean(),
            "accuracy_real": (real > 0).float().mean(),
            "accuracy_fake": (fake <= 0).float().mean(),
        }
        return Outcome(terms, seen | told)

    def _generate(self) -> Outcome:
        z = self._drawn()
        features = self.D.features(self.G(z))
        fake = self.D.judged(features)
        weighted, told = self._information(features, z)
        terms = {"adv": LOSS.g_loss(fake.new_empty(0), fake), "weighted_info": weighted}
        return Outcome(terms, {"fake": opinion(LOSS, fake.detach()).mean()} | told)

    def _drawn(self) -> Tensor:
        """The z of a turn of either player: both have their codes from here."""
        return self.latent(self.batch_size, self.streams["z"])

    def _information(self, features: Tensor, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """−λ L_I for the features of samples and the z they were made of, and the bounds by their columns."""
        logits, mean, log_variance = self._read(features)
        category, code = self.latent.code_of(z)
        weighted, told = features.new_zeros(()), {}
        if self.latent.categories:
            bound = categorical_bound(logits, category)
            weighted, told["info"] = weighted - bound, bound.detach()
        if self.latent.continuous:
            bound = continuous_bound(mean, log_variance, code)
            weighted, told["info_continuous"] = weighted - self.terms.lambda_continuous * bound, bound.detach()
        return self.terms.lambda_info * weighted, told

    def _read(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What Q says of features: logits of the categories, mean and log σ² of the continuous codes."""
        said: Tensor = self.Q(features)
        logits, mean, log_variance = said.split(
            [self.latent.categories, self.latent.continuous, self.latent.continuous], dim=1
        )
        return logits, mean, log_variance


# --- how it is built ---


def _networks(config: InfoganConfig, source: Source) -> dict[str, nn.Module]:
    model, code = config.model, config.code
    builders = ARCHITECTURES[model.generator.architecture], ARCHITECTURES[model.discriminator.architecture]
    with torch.device("meta"):
        D = builders[1].discriminator(source.shape, layers_of(model.discriminator))
        q = ARCHITECTURES["mlp"].discriminator((_features_of(D),), layers_of(model.recognition))
        networks: dict[str, nn.Module] = {
            "G": builders[0].generator(_latent(config).dim, source.shape, layers_of(model.generator)),
            "D": D,
            "Q": encoder_from(q, code.categories + 2 * code.continuous),
        }
        normalize(networks, config.networks)
    return networks


def _features_of(D: nn.Module) -> int:
    """How many numbers the head of a discriminator sees."""
    assert isinstance(D, Network)
    head = D[len(D) - D.head]
    assert isinstance(head, nn.Linear)
    return head.in_features


def _inputs(config: InfoganConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    with torch.device("meta"):
        discriminator = config.model.discriminator
        D = ARCHITECTURES[discriminator.architecture].discriminator(source.shape, layers_of(discriminator))
    shapes = {"G": (_latent(config).dim,), "D": source.shape, "Q": (_features_of(D),)}
    return {role: (torch.empty(2, *shape, device="meta"), None) for role, shape in shapes.items()}


def _build(config: InfoganConfig, source: Source) -> InfoGan:
    networks = _networks(config, source)
    made = assemble(config, source, networks, ("z", "penalties"), config.model.initialization)
    moved = {"D": nn.ModuleDict({"D": made.networks["D"], "Q": made.networks["Q"]}), "G": made.networks["G"]}
    moves = optimizations_of(config, moved)
    return InfoGan(made, moves, config, _latent(config))


def _latent(config: InfoganConfig) -> CodedLatent:
    model, code = config.model, config.code
    return CodedLatent(Latent(model.latent_dim, model.latent), code.categories, code.category_scale, code.continuous)


# --- what is said of it ---


def _columns(config: InfoganConfig) -> tuple[Column, ...]:
    return (*_of_d(config), *_of_g(config))


def _of_d(config: InfoganConfig) -> Iterator[Column]:
    yield Column("D", "loss", "D loss", "total", "losses")
    yield Column("D", "adv", "D adversarial term", "term", "losses", _lines("D"))
    yield Column("D", "weighted_info", "D −λ L_I", "term")
    if config.terms.r1:
        yield Column("D", "r1", "D R1", "term", "losses")
    yield Column("D", "real", "D(x)", "reading", "scores", told=True, of="real")
    yield Column("D", "fake", "D(G(z))", "reading", "scores", told=True, of="generated")
    yield Column("D", "accuracy_real", "right on real", "reading", "accuracy", of="real")
    yield Column("D", "accuracy_fake", "right on generated", "reading", "accuracy", of="generated")
    yield from _of_code("D", config)
    yield Column("D", "grad_norm", "D gradient norm", "total", "gradients")


def _of_g(config: InfoganConfig) -> Iterator[Column]:
    yield Column("G", "loss", "G loss", "total", "losses")
    yield Column("G", "adv", "G adversarial term", "term", "losses", _lines("G"))
    yield Column("G", "weighted_info", "G −λ L_I", "term")
    yield Column("G", "fake", "D(G(z)) in G's turn", "reading", told=True)
    yield from _of_code("G", config)
    yield Column("G", "grad_norm", "G gradient norm", "total", "gradients")


def _of_code(player: str, config: InfoganConfig) -> Iterator[Column]:
    """What Q can read, in the turns of a player; a ceiling has the bound of the categorical code alone."""
    K = config.code.categories
    if K:
        ceiling = ((math.log(K), f"log {K} = {math.log(K):.3f}"),) if player == "D" else ()
        yield Column(
            player, "info", f"L_I of the category, {player}'s turn", "reading", "information", ceiling, told=True
        )
    if config.code.continuous:
        label = f"L_I of the continuous codes, {player}'s turn"
        yield Column(player, "info_continuous", label, "reading", "continuous", told=not K)


def _lines(player: str) -> tuple[tuple[float, str], ...]:
    return tuple((value, label) for who, value, label in reference_lines(LOSS) if who == player)


def _reading(config: InfoganConfig) -> Reading:
    K = config.code.categories
    ceiling = f", at most log {K} = {math.log(K):.3f} for the category" if K else ""
    said = (
        "Each loss is the adversarial term less λ times L_I, a lower bound on the information that samples have of their "
        f"code{ceiling}. It says how well Q reads the code, not what the code means."
    )
    return Reading(said, "probability", 0.5)


def _knobs(config: InfoganConfig) -> dict[str, float]:
    knobs: dict[str, float] = {
        **rates_of(config),
        **{seat.steps_key: seat.steps for seat in config.seats.values()},
        "data.batch_size": config.data.batch_size,
        "terms.lambda_info": config.terms.lambda_info,
        "terms.lambda_continuous": config.terms.lambda_continuous,
    }
    return knobs | ({"terms.r1": config.terms.r1} if config.terms.r1 else {})


def _kept(config: InfoganConfig, values: Values) -> int:
    return (2 + bool(config.terms.r1)) * (values["G"] + 2 * values["D"] + values["Q"])


def _unknown(config: InfoganConfig) -> Iterator[Problem]:
    return unknown_architectures(config, but="Q")


def _problems(config: InfoganConfig, source: Source) -> Iterator[Problem]:
    model, code = config.model, config.code
    for part, network, shape in (
        ("generator", model.generator, source.shape),
        ("discriminator", model.discriminator, source.shape),
        ("recognition", model.recognition, (1,)),
    ):
        if part == "recognition" and network.architecture != "mlp":
            said = "Q reads the features of D, which are a list of numbers; choose mlp"
            yield Problem("model.recognition.architecture", said)
        elif reason := ARCHITECTURES[network.architecture].fits(shape, layers_of(network)):
            yield Problem(f"model.{part}", reason)
    if code.categories == 1:
        yield Problem("code.categories", "a category out of one says nothing; choose 2 or more, or 0 for none")
    if not code.categories and not code.continuous:
        yield Problem("code.categories", "there is no code to be read; choose categories or continuous codes")
    yield from _about_batches(config)


def _about_batches(config: InfoganConfig) -> Iterator[Problem]:
    D, Q = config.model.discriminator, config.model.recognition
    if config.terms.r1 and D.normalization == "batch":
        yield Problem(
            "model.discriminator.normalization",
            "R1 is per sample, but batch normalisation lets samples see each other; choose layer normalisation or none",
        )
    for part, network in (("discriminator", D), ("recognition", Q)):
        if network.normalization == "batch":
            yield Problem(
                f"model.{part}.normalization",
                "each batch is all real or all generated, so that Q may read the code off samples and fail on real data, "
                "where the statistics are others",
                fatal=False,
            )


INFOGAN = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("information", "Information of the category", "nats"),
        Chart("continuous", "Information of the continuous codes", "nats"),
        Chart("scores", "What D says", ""),
        Chart("accuracy", "Accuracy", "share", drawn=False),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=_knobs,
    abilities=("sample", "judge", "encode", "categorise"),
    verdict="adversarial",
    reads=READ_BY_VERDICT,
    does={"D": "judge", "G": "maker"},
    latent=_latent,
    unknown=_unknown,
    problems=_problems,
    kept=_kept,
)
