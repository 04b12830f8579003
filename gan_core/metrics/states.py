"""What a verdict is: the states that a run can be in, what they are called, and what cures them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any, Literal, get_args

from gan_core.alarms import Alarm
from gan_core.metrics.appearance import Picture
from gan_core.metrics.course import LiveChange

State = Literal[
    "unjudged",
    "starting",
    "learning",
    "beside",
    "cloud",
    "noise",
    "one_point",
    "one_picture",
    "spread",
    "part",
    "varied",
    "healthy",
    "recovered",
    Alarm,
]
AlarmTone = Literal["warning", "alarm"]
Tone = Literal["quiet", "fair", "good", AlarmTone]

_ALARM_TITLES: dict[Alarm, tuple[str, AlarmTone]] = {
    "narrowing": ("Narrowing", "warning"),
    "collapsed": ("Collapsed", "alarm"),
    "broken": ("Broken", "alarm"),
    "d_too_strong": ("D too strong", "alarm"),
    "vanishing_gradient": ("G's gradient vanishes", "alarm"),
    "oscillating": ("Oscillating", "warning"),
    "memorising": ("Memorising", "warning"),
    "blurred": ("Blurred", "warning"),
    "off_prior": ("Code off the prior", "warning"),
    "code_ignored": ("Code ignored", "alarm"),
    "input_ignored": ("Input ignored", "alarm"),
    "class_lost": ("Class lost", "alarm"),
    "exchanged": ("Modes exchanged", "alarm"),
    "posterior_collapsed": ("Posterior collapsed", "alarm"),
    "diverged": ("Diverged", "alarm"),
}
TITLES: dict[State, tuple[str, Tone]] = {
    "unjudged": ("No verdict", "quiet"),
    "starting": ("Starting", "quiet"),
    "learning": ("Learning", "fair"),
    "beside": ("Beside the data", "fair"),
    "cloud": ("A cloud", "fair"),
    "noise": ("Not recognisable", "fair"),
    "one_point": ("One point", "fair"),
    "one_picture": ("One picture", "fair"),
    "spread": ("Spread, not sharp yet", "fair"),
    "part": ("Sharp, a part missing", "fair"),
    "varied": ("Varied", "fair"),
    "healthy": ("Healthy", "good"),
    "recovered": ("Recovered", "good"),
    **dict(_ALARM_TITLES.items()),
}
STATES: dict[State, str] = {state: title for state, (title, _) in TITLES.items()}
"""Every state with its title, from the first that a run can be in to the worst, after that of a game without a verdict."""

ALARMS: frozenset[State] = frozenset(get_args(Alarm))
BEGINNING: tuple[State, ...] = tuple(takewhile(lambda state: state != "varied", TITLES))
"""No news, for every run begins so."""
LOSSES: tuple[State, ...] = ("narrowing", "collapsed", "broken")

CURES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "collapsed": (("r1", "wgan_gp", "minibatch_stddev", "packing_4"), ("wgan_gp_10", "spectral_norm")),
    "rotating": (("two_time_scales", "unrolled_10"), ("wgan_gp_10",)),
    "vanishing": (("non_saturating", "wgan_gp"), ("non_saturating", "wgan_gp_10")),
    "d_too_strong": (("r1", "wgan_gp"), ("wgan_gp_10",)),
    "oscillating": (("r1", "wgan_gp"), ("wgan_gp_10",)),
    "broken": (("r1", "wgan_gp"), ("wgan_gp_10", "spectral_norm")),
    "diverged": (("wgan_gp", "clipping"), ("wgan_gp_10",)),
}
"""What to try, by cause: named change-sets of the configuration, first for points, then for images. The most likely first."""

CODE_CURES: dict[str, tuple[str, ...]] = {
    "posterior_collapsed": ("beta_1",),
    "code_ignored": ("pairs_right", "cycle_2", "beta_1"),
    "off_prior": ("adversary_on", "beta_1", "cycle_2"),
    "memorising": (),
}
"""The same for games with a code; of these a run is told those whose settings it has."""

TRANSLATION_CURES: dict[str, tuple[str, ...]] = {
    "input_ignored": ("sees_input", "distance_100"),
    "blurred": ("adversarial_term",),
}
"""The same for games from picture to picture."""

CYCLE_CURES: dict[str, tuple[str, ...]] = {
    "class_lost": ("cycle_10",),
    "exchanged": ("identity_five", "identity_half"),
}
"""The same for games on data without pairs."""


@dataclass(frozen=True)
class Evidence:
    """One number that crossed a threshold: ``name`` is its column, ``relation`` how it stands to the threshold."""

    name: str
    label: str
    value: float
    relation: Literal["<", ">"]
    threshold: float


@dataclass(frozen=True)
class Verdict:
    """What a run is like at ``round``.

    ``onset_round`` is when the state began, known only afterwards; None before there is one. ``first_sign`` is when the
    breadth began to fall, at or before the onset. ``causes`` names what the cures are chosen by. ``picture`` is what the
    samples look like at ``round``, whatever else is wrong; ``suspect`` is a live change shortly before the onset, and its
    undo the first cure.
    """

    state: State
    round: int
    onset_round: int | None = None
    first_sign: int | None = None
    sentence: str = ""
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[str, ...] = ()
    picture: Picture = "unknown"
    suspect: LiveChange | None = None

    @property
    def title(self) -> str:
        return STATES[self.state]

    @property
    def alarming(self) -> bool:
        return self.state in ALARMS

    def cures(self, *, images: bool) -> tuple[str, ...]:
        """The names of the change-sets to try, the most likely first; none where nothing is wrong."""
        of_all = CODE_CURES | TRANSLATION_CURES | CYCLE_CURES
        named = (of_all[cause] if cause in of_all else CURES[cause][images] for cause in self.causes)
        return tuple(dict.fromkeys(name for names in named for name in names))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        told = {"title": self.title, "tone": TITLES[self.state][1]}
        return {**asdict(self), **told, "alarming": self.alarming}
