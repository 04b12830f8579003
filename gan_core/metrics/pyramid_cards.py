"""What the columns of ``diagnostics`` mean of games that make pictures level by level: `PYRAMID_METRICS`, part of `METRICS`."""

from __future__ import annotations

from math import inf

from gan_core.about import About
from gan_core.metrics.metric import Metric

_DENTON = "Denton et al., Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks"
_BESIDE = "Beside it stands what the enlargement reads without any details."


def _apart(title: str, size: str, watch_for: str) -> Metric:
    return Metric(
        About(
            title=title,
            paper=_DENTON,
            year=2015,
            formula=r"\lVert \mu_x - \mu_{\tilde x} \rVert_2^2 + \mathrm{Tr}\bigl(\Sigma_x + \Sigma_{\tilde x} - 2(\Sigma_x"
            r" \Sigma_{\tilde x})^{1/2}\bigr)",
            idea=f"How far held-out pictures, made coarse to {size} and given the details that the game makes, look as a set "
            f"from what they were, in the features of the frozen classifier; 0 is the same. {_BESIDE}",
            watch_for=watch_for,
            url="https://arxiv.org/abs/1506.05751",
        ),
        unit="distance",
        better="lower",
        bounds=(0.0, inf),
        of="pairs",
    )


def _kept(title: str, size: str, watch_for: str) -> Metric:
    return Metric(
        About(
            title=title,
            paper=_DENTON,
            year=2015,
            formula=r"\Pr[\arg\max_k p(k \mid \tilde x) = y]",
            idea=f"Share of held-out pictures, made coarse to {size} and given the details that the game makes, that the "
            f"frozen classifier reads as their class. {_BESIDE}",
            watch_for=watch_for,
            url="https://arxiv.org/abs/1506.05751",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
        of="pairs",
    )


_ALONE = "The finest level alone: above what no details read, it spoils what it is given."
_BOTH = "Mistakes of the middle level are made larger by the finest one, which never saw such pictures."

PYRAMID_METRICS: dict[str, Metric] = {
    "from_half_frechet": _apart("Fréchet distance with details from half the size", "half their size", _ALONE),
    "from_quarter_frechet": _apart("Fréchet distance with details from a quarter", "a quarter of their size", _BOTH),
    "from_half_class": _kept("Class kept from half the size", "half their size", _ALONE),
    "from_quarter_class": _kept("Class kept from a quarter of the size", "a quarter of their size", _BOTH),
}
