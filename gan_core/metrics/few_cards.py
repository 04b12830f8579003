"""The columns of the ``diagnostics`` track of runs on few pictures: `FEW_METRICS`, part of `METRICS`."""

from __future__ import annotations

from math import inf

from gan_core.about import About
from gan_core.metrics.metric import Metric

FEW_METRICS: dict[str, Metric] = {
    "d_overfitting": Metric(
        About(
            title="D knows its pictures by heart, r_v",
            paper="Karras et al., Training Generative Adversarial Networks with Limited Data, equation 1",
            year=2020,
            formula=r"r_v = \frac{\mathbb{E}\,D(x_{\text{train}}) - \mathbb{E}\,D(x_{\text{new}})}"
            r"{\mathbb{E}\,D(x_{\text{train}}) - \mathbb{E}\,D(\hat x)}",
            idea="How much of the way from training pictures to generated ones D puts between training pictures and held-out "
            "ones: 0 where it has learnt what such pictures look like, 1 where it has learnt these pictures.",
            watch_for="Above a half for three looks D knows the pictures by heart, and what it tells G is no longer about how "
            "pictures look: augment, or take more pictures. With twenty held out it moves by a tenth by chance.",
            url="https://arxiv.org/abs/2006.06676",
        ),
        unit="share",
        better="lower",
        bounds=(-inf, inf),
        floor_of="a D that tells them alike",
    ),
    "leaked_share": Metric(
        About(
            title="Samples with traces of augmentation",
            paper="Measured for GANscope: after the leaks in Karras et al. 2020, section 2.2",
            year=2026,
            formula=r"\Pr[\exists\,\text{border or square}:\; \overline{\lvert \hat x \rvert} < 0.05]",
            idea="Share of samples that have a border, or a square of half the side, in the middle grey with which shifts and "
            "cut squares are filled.",
            watch_for="Above that of real pictures G draws what was only done to what D sees: lower the share augmented.",
        ),
        unit="share",
        better="lower",
        bounds=(0.0, 1.0),
    ),
}
