"""The adversarial game of two: D tells real from generated, G is judged by D. Every named objective plays it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from gan_core.data import BatchStream
from gan_core.losses import AdversarialLoss, opinion
from gan_core.regularizers import Penalty, clip_weights
from gan_core.training.latent import Latent
from gan_core.training.player import Outcome, Player


@dataclass(frozen=True)
class Optimization:
    """How one player moves: its optimiser over its own parameters, and its steps per round."""

    optimizer: torch.optim.Optimizer
    steps: int


class AdversarialGame:
    """GAN, DCGAN, LSGAN, WGAN, WGAN-GP …: the players D and G, in this order.

    ``penalties`` are pairs of a Penalty and its weight. ``clip_value`` clips D's weights after each of its steps.
    ``latent`` draws z (n, latent_dim) from a generator. ``streams`` holds the run's generators ``z`` and ``penalties``.
    """

    def __init__(
        self,
        *,
        G: nn.Module,
        D: nn.Module,
        loss: AdversarialLoss,
        penalties: tuple[tuple[Penalty, float], ...],
        clip_value: float | None,
        generator: Optimization,
        discriminator: Optimization,
        data: BatchStream,
        batch_size: int,
        latent: Latent,
        streams: dict[str, torch.Generator],
    ) -> None:
        self.G, self.D = G, D
        self.loss = loss
        self.penalties = penalties
        self.data = data
        self.batch_size = batch_size
        self.latent = latent
        self.streams = streams
        judged = ("real", "fake") if loss.boundary is None else ("real", "fake", "accuracy_real", "accuracy_fake")
        self.players = (
            Player(
                "D",
                (D,),
                self._discriminate,
                discriminator.optimizer,
                terms=("adv", *(penalty.term for penalty, _ in penalties)),
                readings=judged,
                steps=discriminator.steps,
                project=None if clip_value is None else partial(clip_weights, (D,), clip_value),
            ),
            Player("G", (G,), self._generate, generator.optimizer, ("adv",), ("fake",), generator.steps),
        )

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"G": self.G, "D": self.D}

    @torch.no_grad()
    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x̂ (n, *shape) for z (n, latent_dim), with G in evaluation mode; leaves G as it was."""
        training = self.G.training
        self.G.eval()
        try:
            return self.G(z, y)
        finally:
            self.G.train(training)

    @torch.no_grad()
    def judge(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D's opinion of x, (n,): a probability of being real, or a score, as the loss defines; leaves D as it was."""
        training = self.D.training
        self.D.eval()
        try:
            return opinion(self.loss, self.D(x, y))
        finally:
            self.D.train(training)

    def _discriminate(self) -> Outcome:
        real = self.data.next()
        with torch.no_grad():
            x_fake = self.G(self._noise(len(real.x)))
        real_logits, fake_logits = self.D(real.x), self.D(x_fake)
        terms = {"adv": self.loss.d_loss(real_logits, fake_logits)}
        for penalty, weight in self.penalties:
            terms[penalty.term] = weight * penalty.measure(self.D, real.x, x_fake, self.streams["penalties"])
        return Outcome(terms, self._judgement(real_logits, fake_logits))

    def _generate(self) -> Outcome:
        fake_logits = self.D(self.G(self._noise(self.batch_size)))
        # A loss that looks at reals without saying so sees none here, and its mean is NaN: the mistake shows at once.
        real_logits = self.D(self.data.next().x) if self.loss.g_sees_real else fake_logits.new_empty(0)
        adv = self.loss.g_loss(real_logits, fake_logits)
        return Outcome({"adv": adv}, {"fake": opinion(self.loss, fake_logits.detach()).mean()})

    def _noise(self, n: int) -> Tensor:
        return self.latent(n, self.streams["z"])

    @torch.no_grad()
    def _judgement(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        seen = {"real": opinion(self.loss, real_logits).mean(), "fake": opinion(self.loss, fake_logits).mean()}
        if self.loss.boundary is not None:
            seen["accuracy_real"] = (real_logits > self.loss.boundary).float().mean()
            seen["accuracy_fake"] = (fake_logits <= self.loss.boundary).float().mean()
        return seen
