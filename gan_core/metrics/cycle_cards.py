"""What the columns of ``diagnostics`` mean of games on data without pairs: `CYCLE_METRICS`, part of `METRICS`."""

from __future__ import annotations

from gan_core.about import About
from gan_core.metrics.metric import Metric

_ZHU = "Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"
_URL = "https://arxiv.org/abs/1703.10593"
_UNIT = "of a pixel; of points the distance in data units"


def _lost(title: str, formula: str, way: str) -> Metric:
    return Metric(
        About(
            title=title,
            paper=_ZHU,
            year=2017,
            formula=formula,
            idea=f"How far held-out samples are from what comes back {way}: the mean absolute error of a pixel from 0 to 1, or "
            "the mean distance of points. Doing nothing at all loses nothing.",
            watch_for="Near 0 says that the other translator can undo it, not that the map is right.",
            url=_URL,
        ),
        unit=_UNIT,
        better="lower",
        of="pairs",
    )


def _kept(title: str, formula: str, way: str) -> Metric:
    return Metric(
        About(
            title=title,
            paper=_ZHU,
            year=2017,
            formula=formula,
            idea=f"Share of held-out samples that are of their own class after they went {way}, as the frozen classifier of "
            "the data that they came to reads them. Beside it stands how it reads them untranslated.",
            watch_for="Below the input as it is: the translation costs more than the difference of the two kinds of data.",
            url=_URL,
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
        of="pairs",
    )


CYCLE_METRICS: dict[str, Metric] = {
    "translated_class": _kept("Class kept from A to B", r"\Pr[\arg\max_k p_B(k \mid G(a)) = y_a]", "from A to B"),
    "translated_class_back": _kept("Class kept from B to A", r"\Pr[\arg\max_k p_A(k \mid F(b)) = y_b]", "from B to A"),
    "cycle_error": _lost("Lost from A to B and back", r"\mathbb{E}\,\lVert F(G(a)) - a \rVert_1", "from B"),
    "cycle_error_back": _lost("Lost from B to A and back", r"\mathbb{E}\,\lVert G(F(b)) - b \rVert_1", "from A"),
    "modes_right": Metric(
        About(
            title="Modes that stay in place",
            paper=_ZHU,
            year=2017,
            formula=r"\#\{k : \arg\max_l \Pr[\mathrm{mode}(G(a)) = l \mid \mathrm{mode}(a) = k] = k\}",
            idea="Of two equal mixtures: of how many modes of A most points come within three standard deviations of the mode "
            "of B at the same place. Of a bijection drawn at random one stays on average, however many there are.",
            watch_for="None of them, with nothing lost in the cycle: every bijection of the modes has a perfect cycle.",
            url=_URL,
        ),
        unit="modes",
        better="higher",
        of="pairs",
    ),
    "share_right": Metric(
        About(
            title="Points that keep their mode",
            paper=_ZHU,
            year=2017,
            formula=r"\Pr[\mathrm{mode}(G(a)) = \mathrm{mode}(a)]",
            idea="Of two equal mixtures: the share of points of A that come to the mode of B at the same place.",
            watch_for="Between 0 and 1 while a mode is torn apart; a bijection has whole modes right or wrong.",
            url=_URL,
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
        of="pairs",
    ),
}
