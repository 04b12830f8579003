"""The adversarial game of two: D tells real from generated, G is judged by D. Every named objective plays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gan_core.config.games.gan import Tricks
from gan_core.data import Batch
from gan_core.losses import AdversarialLoss, opinion
from gan_core.models import pack
from gan_core.regularizers import PENALTIES, Penalty, clip_weights
from gan_core.training.assembly import Assembly
from gan_core.training.augmenting import EVERY, augmented, next_share
from gan_core.training.averaging import average_of, follow
from gan_core.training.columns import Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.latent import Prior
from gan_core.training.optimization import Optimization
from gan_core.training.player import Outcome, Player
from gan_core.training.timetable import instance_noise, warmed_up
from gan_core.training.unroll import look_ahead

ADAPTIVE, LAZY = "augment", "lazy"
"""Parts of the memory of tricks, beside those of a loss and of penalties."""
Judge = Callable[..., Any]
"""D, or D looked ahead: called with x and y."""


@dataclass(frozen=True)
class Settings:
    """What the two play for, and by which tricks.

    ``penalties`` are pairs of a Penalty and its weight. ``clip_value`` clips D's weights after each of its steps.
    ``latent`` draws z (n, latent_dim) from a generator. ``columns`` name the numbers of the turns. ``packing`` samples are
    judged as one, by what ``summary`` tells of them. A ``conditional`` game tells G and D the class y of each sample;
    ``class_weight`` is that of the classification error which the D of an AC-GAN adds, 0 without.
    """

    loss: AdversarialLoss
    penalties: tuple[tuple[Penalty, float], ...]
    clip_value: float | None
    batch_size: int
    latent: Prior
    columns: Sequence[Column]
    packing: int = 1
    summary: str = "none"
    tricks: Tricks = field(default_factory=Tricks)
    conditional: bool = False
    class_weight: float = 0.0


class AdversarialGame:
    """GAN, DCGAN, LSGAN, WGAN, WGAN-GP, BEGAN …: the players D and G, in this order.

    ``assembly`` has the networks G and D, and the streams ``z``, ``penalties``, if the tricks draw ``tricks``, and if
    there are classes ``labels``; ``moves`` is the optimization of each player.
    """

    def __init__(self, assembly: Assembly, moves: Mapping[str, Optimization], settings: Settings) -> None:
        self.G, self.D = G, D = assembly.networks["G"], assembly.networks["D"]
        self.data, self.streams = assembly.data, assembly.streams
        discriminator, generator = moves["D"], moves["G"]
        self.optimization = (discriminator, generator)
        self.loss, self.penalties = settings.loss, settings.penalties
        self.clip_value = settings.clip_value
        self.batch_size = settings.batch_size
        self.latent = settings.latent
        self.packing, self.summary = settings.packing, settings.summary
        self.tricks = settings.tricks
        self.conditional, self.class_weight = settings.conditional, settings.class_weight
        self.noise, self.ema_decay = self.tricks.instance_noise, self.tricks.ema_decay
        self.G_average = average_of(G, self.tricks.ema_decay)
        self.memory: Memory = self._first_memory()
        self.knobs: dict[str, float] = {}
        self.players = (
            Player(
                "D",
                (D,),
                self._discriminate,
                discriminator.optimizer,
                terms=names_of(settings.columns, "D", "term"),
                readings=names_of(settings.columns, "D", "reading"),
                steps=discriminator.steps,
                after_step=None if settings.clip_value is None else self._clip,
                clip_gradient=discriminator.clip_gradient,
            ),
            Player(
                "G",
                (G,),
                self._generate,
                generator.optimizer,
                terms=names_of(settings.columns, "G", "term"),
                readings=names_of(settings.columns, "G", "reading"),
                steps=generator.steps,
                after_step=None if self.G_average is None else self._average,
                clip_gradient=generator.clip_gradient,
            ),
        )

    @property
    def networks(self) -> dict[str, nn.Module]:
        average = {} if self.G_average is None else {"G_average": self.G_average}
        return {"G": self.G, "D": self.D, **average}

    def begin_round(self, round: int) -> None:
        self.noise = instance_noise(self.tricks.instance_noise, round, self.tricks.instance_noise_rounds)
        if self.tricks.ema_warm_up:
            self.ema_decay = warmed_up(self.tricks.ema_decay, round)
        for optimization in self.optimization:
            optimization.begin_round(round)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x̂ (n, *shape) for z (n, latent_dim), from G or its moving average in evaluation mode; leaves it as it was."""
        network = self.G if self.G_average is None else self.G_average
        with evaluated(network):
            return network(z, y)

    @torch.no_grad()
    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D's opinion of x, (n,): a probability of being real, or a score, as the loss defines; leaves D as it was.

        A D that judges packs is shown packs of equal samples.
        """
        return self.judge_packs(x.repeat_interleave(self.packing, 0), y)

    def judge_packs(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D's opinion of packs: samples in a row (n · packing, …) to (n,); leaves D as it was."""
        with evaluated(self.D):
            return opinion(self.loss, self.D(pack(x, self.packing, self.summary), y))

    def pull(self, x_fake: Tensor, x_real: Tensor) -> Tensor | None:
        """−∂L_G/∂x̂ for each sample, (n, *shape): where G's adversarial loss pushes it. Leaves D as it was.

        As in ``judge``, D is in evaluation mode and a pack holds equal samples. ``x_real`` (n, *shape) is for losses that
        compare. None for a game with classes.
        """
        if self.conditional:
            return None
        with evaluated(self.D), torch.enable_grad():
            x = x_fake.detach().clone().requires_grad_(True)
            fake_logits, real_logits = (
                self.D(pack(some.repeat_interleave(self.packing, 0), self.packing, self.summary))
                for some in (x, x_real)
            )
            (gradient,) = torch.autograd.grad(self.loss.g_loss(real_logits.detach(), fake_logits), x)
        return -len(x) * gradient

    def _discriminate(self) -> Outcome:
        batch = self.data.next()
        real, y = self._seen(batch.x), self._labels(batch)
        with torch.no_grad():
            x_fake = self._seen(self.G(self._noise(self.batch_size), y))
        terms, real_logits, fake_logits = self._d_terms(self.D, real, x_fake, y)
        self._remember(real_logits.detach(), fake_logits.detach())
        return Outcome(terms, self._judgement(real_logits.detach(), fake_logits.detach()))

    def _d_terms(
        self, critic: Judge, x: Tensor, x_fake: Tensor, y: Tensor | None
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """What D minimises, and its logits; ``critic`` is D itself, or D looked ahead.

        x and x̂ have the same labels, so that whatever compares the two of a pair, or looks between them, stays in one class.
        """
        real_logits, real_classes = self._judged(critic, x, y)
        fake_logits, fake_classes = self._judged(critic, x_fake, y)
        terms = {"adv": self._d_adversarial(real_logits, fake_logits)}
        if self.class_weight:
            terms["class"] = self._class_error(real_classes, y) + self._class_error(fake_classes, y)
        if y is not None:
            critic = partial(critic, y=y)
        due = self._penalty_factor()
        for penalty, weight in self.penalties:
            known = self.memory.get(penalty.term, {})
            terms[penalty.term] = (
                due * weight * penalty.measure(critic, x, x_fake, self.streams["penalties"], **known)
                if due
                else real_logits.new_zeros(())
            )
        return terms, real_logits, fake_logits

    def _d_adversarial(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        if self.tricks.label_flipping:
            draw = torch.rand(real_logits.shape, generator=self.streams["tricks"], device=real_logits.device)
            flipped = draw < self.tricks.label_flipping
            real_logits, fake_logits = (
                torch.where(flipped, fake_logits, real_logits),
                torch.where(flipped, real_logits, fake_logits),
            )
        adv = self.loss.d_loss(real_logits, fake_logits, **self.memory.get("loss", {}))
        if self.tricks.label_smoothing and self.loss.labels is not None:
            as_real, as_fake = self.loss.labels
            adv = adv + self.tricks.label_smoothing * (as_fake(real_logits) - as_real(real_logits))
        return adv

    def _generate(self) -> Outcome:
        matching, steps = self.tricks.feature_matching, self.tricks.unrolled_steps
        needs_real = self.loss.g_sees_real or matching != "off" or steps > 0
        batch = self.data.next() if needs_real else None
        y = self._labels(batch)
        x_fake = self._seen(self.G(self._noise(self.batch_size), y))
        # A part that looks at reals without saying so sees none here, and its mean is NaN: the mistake shows at once.
        real = x_fake.new_empty(0) if batch is None else self._seen(batch.x)
        critic: Judge = self.D
        if steps:
            critic = look_ahead(self.D, self.players[0], self._d_loss_on(real, x_fake, y), steps, self.clip_value)
        fake_logits, fake_classes = self._judged(critic, x_fake, y)
        terms = {}
        if matching != "instead":
            real_logits = self._judged(critic, real, y)[0] if self.loss.g_sees_real else fake_logits.new_empty(0)
            terms["adv"] = self.loss.g_loss(real_logits, fake_logits)
        if self.class_weight:
            terms["class"] = self._class_error(fake_classes, y)
        if matching != "off":
            terms["features"] = self._feature_distance(real, x_fake, y)
        return Outcome(terms, {"fake": opinion(self.loss, fake_logits.detach()).mean()})

    def _d_loss_on(self, x: Tensor, x_fake: Tensor, y: Tensor | None) -> Callable[[Judge], Tensor]:
        return lambda critic: torch.stack(tuple(self._d_terms(critic, x, x_fake, y)[0].values())).sum()

    def _feature_distance(self, x: Tensor, x_fake: Tensor, y: Tensor | None) -> Tensor:
        """‖E f(x) − E f(x̂)‖₂², with f what D's last layer sees."""
        with torch.no_grad():
            real = self.D.features(x, y).flatten(1).mean(0)  # type: ignore[operator]
        fake = self.D.features(x_fake, y).flatten(1).mean(0)  # type: ignore[operator]
        return (real - fake).square().sum()

    def _labels(self, batch: Batch | None) -> Tensor | None:
        """The labels of a turn: those of its batch, or fresh ones that are as frequent; None without classes."""
        if not self.conditional:
            return None
        return self.data.labels(self.batch_size, self.streams["labels"]) if batch is None else batch.y

    def _judged(self, critic: Judge, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Logits (N,), and in an AC-GAN the logits of the classes (N, K) from the same pass."""
        if self.class_weight:
            logits, classes = critic(x, y, classes=True)
            return logits, classes
        return (critic(x) if y is None else critic(x, y)), None

    def _class_error(self, classes: Tensor | None, y: Tensor | None) -> Tensor:
        """−E log P(class = y | x), weighted (Odena et al. 2017)."""
        assert classes is not None
        assert y is not None
        return self.class_weight * cross_entropy(classes, y)

    def _seen(self, x: Tensor) -> Tensor:
        """x as D sees it: augmented, with the instance noise of the round, in packs."""
        if self.tricks.augment != "off":
            x = augmented(x, self.tricks.augment, self.streams["augment"], self._augment_share())
        if self.noise > 0:
            draw = torch.randn(x.shape, generator=self.streams["tricks"], device=x.device, dtype=x.dtype)
            x = x + self.noise * draw
        return pack(x, self.packing, self.summary)

    def _augment_share(self) -> float | Tensor:
        return self.memory[ADAPTIVE]["share"] if ADAPTIVE in self.memory else self.tricks.augment_share

    def _penalty_factor(self) -> int:
        """By how much penalties count in this step of D: once, or in every k-th step k times."""
        interval = self.tricks.penalty_interval
        return 0 if LAZY in self.memory and int(self.memory[LAZY]["step"]) else interval

    def _noise(self, n: int) -> Tensor:
        return self.latent(n, self.streams["z"])

    def _clip(self) -> None:
        if self.clip_value is not None:
            clip_weights((self.D,), self.clip_value)

    def _average(self) -> None:
        if self.G_average is not None:
            follow(self.G_average, self.G, self.ema_decay)

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        match knob.split("."):
            case ["optimizers", "generator" | "discriminator" as who, "lr"]:
                self.optimization[who == "generator"].set_rate(float(value))
            case ["schedule", "n_critic"]:
                self.players[0].steps = int(value)
            case ["schedule", "generator_steps"]:
                self.players[1].steps = int(value)
            case ["data", "batch_size"]:
                self.batch_size = self.data.batch_size = int(value)
            case ["objective", "penalties", name] if any(PENALTIES.get(name) is known for known, _ in self.penalties):
                self.penalties = tuple(
                    (penalty, float(value) if penalty is PENALTIES[name] else weight)
                    for penalty, weight in self.penalties
                )
            case ["objective", "clip_value"] if self.clip_value is not None:
                self.clip_value = float(value)
            case ["tricks", "augment_share"] if self.tricks.augment != "off" and ADAPTIVE not in self.memory:
                self.tricks = self.tricks.model_copy(update={"augment_share": float(value)})
            case ["tricks", "instance_noise"] if self.tricks.instance_noise or knob in self.knobs:
                self.tricks = self.tricks.model_copy(update={"instance_noise": float(value)})
            case _:
                raise ValueError(f"{knob} cannot change while the run trains")
        self.knobs[knob] = value

    # --- what is carried from turn to turn ---

    def _first_memory(self) -> Memory:
        parts = {"loss": self.loss.memory, **{penalty.term: penalty.memory for penalty, _ in self.penalties}}
        if self.tricks.augment != "off" and self.tricks.augment_target:
            parts[ADAPTIVE] = {"share": 0.0, "sign": 0.0, "turns": 0.0}
        if self.penalties and self.tricks.penalty_interval > 1:
            parts[LAZY] = {"step": 0.0}
        device = self.streams["z"].device
        return {
            part: {name: torch.tensor(float(value), device=device) for name, value in memory.items()}
            for part, memory in parts.items()
            if memory
        }

    @torch.no_grad()
    def _remember(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        parts = {"loss": self.loss.remember, **{penalty.term: penalty.remember for penalty, _ in self.penalties}}
        for part, known in self.memory.items():
            remember = parts.get(part)
            if remember is not None:
                self.memory[part] = remember(real_logits, fake_logits, **known)
        if LAZY in self.memory:
            self.memory[LAZY]["step"] = (self.memory[LAZY]["step"] + 1) % self.tricks.penalty_interval
        if ADAPTIVE in self.memory:
            self._adapt(torch.sign(real_logits - self.loss.boundary).mean())  # type: ignore[operator]

    def _adapt(self, sign: Tensor) -> None:
        """Gather r_t, and after a few turns move the share of augmented pictures towards its target."""
        known = self.memory[ADAPTIVE]
        known["sign"] += sign
        known["turns"] += 1
        if int(known["turns"]) == EVERY:
            r_t, tricks = known["sign"] / EVERY, self.tricks
            share = next_share(known["share"], r_t, tricks.augment_target, tricks.augment_images, self.batch_size)
            self.memory[ADAPTIVE] = {"share": share, **{name: torch.zeros_like(sign) for name in ("sign", "turns")}}

    def _carried(self) -> list[tuple[str, Tensor]]:
        """What is in memory, by the name of its reading: ``k``, ``lecam_real``."""
        return [
            (name if part == "loss" else f"{part}_{name}", value)
            for part, memory in self.memory.items()
            if part not in (ADAPTIVE, LAZY)
            for name, value in memory.items()
        ]

    @torch.no_grad()
    def _judgement(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        seen = {"real": opinion(self.loss, real_logits).mean(), "fake": opinion(self.loss, fake_logits).mean()}
        if self.loss.boundary is not None:
            seen["accuracy_real"] = (real_logits > self.loss.boundary).float().mean()
            seen["accuracy_fake"] = (fake_logits <= self.loss.boundary).float().mean()
        if self.tricks.instance_noise:
            seen["noise"] = real_logits.new_tensor(self.noise)
        if ADAPTIVE in self.memory:
            seen["augment"] = self.memory[ADAPTIVE]["share"]
        seen |= {name: measure(real_logits, fake_logits) for name, measure in self.loss.measures.items()}
        return {**seen, **dict(self._carried())}
