"""The verdict of a run with a code: what its code does, in one word, with the round at which that began.

A code has three duties: to tell the decoder something, to make reconstructions those of their x, and, where there is a prior,
to lie where the prior draws. The rules ask for measures by name (`gan_core.metrics.code_cards`), never for a game: what a run
does not have is not asked for. The thresholds come from digits: autoencoders, VAEs with a β from 1 to 20, adversarial
autoencoders with D on and off, BiGANs with right and swapped pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from gan_core.metrics.codes import ACTIVE
from gan_core.metrics.course import AGREE, MOSTLY_UNSURE, Facts
from gan_core.metrics.measured_verdict import Check, MeasuredJudge
from gan_core.metrics.states import Verdict

IGNORES, STAYS_IGNORING, HEEDS = 0.9, 0.8, 0.7  # of the error as another x
OFF, STAYS_OFF, ON = 0.12, 0.08, 0.06  # squared MMD: a shift by half a standard deviation of the prior reads .13
FALLS = 0.9  # of the least squared MMD so far: a code that still comes nearer
LEFT, BACK = 0.5, 0.7  # of the most dimensions in use so far
BY_HEART, STAYS_BY_HEART = 2.0, 1.6  # held-out error over that of training samples
AS_LINEAR, OF_MEAN = (
    1.05,
    0.1,
)  # an error that is well: times that of the best linear code, or this much of that of the mean
KEEPS = 0.85  # share of classes kept, that is well whatever the error
PATIENT_OF_KL = (250, 2000)  # of a posterior that collapsed from the beginning, which shows at once
NAMED = 8  # dimensions that a sentence names


def dimensions(check: Check) -> dict[int, float]:
    """The KL of each dimension in nats, by its number from 1; empty where it was not measured."""
    mark = "code_kl_"
    return {int(name[len(mark) :]): value for name, value in check.numbers.items() if name.startswith(mark)}


class CodeJudge(MeasuredJudge):
    """The verdict of a run with a code."""

    LABELS: ClassVar = {
        "active_dimensions": "dimensions in use",
        "rec_ratio": "error over that of another x",
        "code_mmd2": "squared MMD of codes and prior",
        "rec_gap": "held-out over training error",
    }
    _fine, _learner = "Nothing is wrong with the code", "The code"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._most = 0.0  # dimensions that were in use in two measurements in a row
        self._heeded = self._met = False  # whether reconstructions were those of x once, and codes at the prior

    def _remember(self, recent: list[Check]) -> None:
        if len(recent) < AGREE:
            return
        self._most = max(self._most, min(check.numbers.get("active_dimensions", 0.0) for check in recent))
        self._heeded = self._heeded or all(check.get("rec_ratio") < HEEDS for check in recent)
        self._met = self._met or all(check.get("code_mmd2") < ON for check in recent)

    def _rules(self) -> tuple[Callable[[], Verdict | None], ...]:
        return self._collapsed, self._ignored, self._off_prior, self._by_heart

    def _collapsed(self) -> Verdict | None:
        """Dimensions that told something tell nothing, or none ever told anything."""
        least = LEFT * self._most

        def dark(check: Check) -> bool:
            active = check.get("active_dimensions")
            return active == 0 or (self._most >= 2 and active <= least)

        def back(check: Check) -> bool:
            active = check.get("active_dimensions")
            return active > 0 and active >= BACK * self._most

        ill, late = self._run_of(dark), self._is_late(PATIENT_OF_KL)
        if not self._holds(ill, "posterior_collapsed", back, had=self._most > 0, late=late):
            return None
        if not ill:
            return self._still()
        active, kls = self._last.get("active_dimensions"), dimensions(self._last)
        evidence = [self._evidence("active_dimensions", active, "<", max(1.0, least))]
        gone = [name for name, kl in kls.items() if kl <= ACTIVE]
        if active == 0:
            largest = f", the largest {max(kls.values()):.2g}" if kls else ""
            sentence = (
                f"No dimension of the code tells the decoder anything: the KL of each is below {ACTIVE:g} nats{largest}, so "
                "all reconstructions are alike."
            )
        else:
            which = f" Dark are {_names(gone)}." if gone else ""
            carry = "dimension carries" if active == 1 else "dimensions carry"
            sentence = f"{active:.0f} {carry} information where {self._most:.0f} did.{which}"
        return self._verdict("posterior_collapsed", ill, sentence, evidence)

    def _ignored(self) -> Verdict | None:
        """Reconstructions are no more of their own x than of another."""
        ill = self._run_of(lambda check: check.get("rec_ratio") >= IGNORES)
        well = lambda check: not check.get("rec_ratio") >= STAYS_IGNORING  # noqa: E731
        if not self._holds(ill, "code_ignored", well, had=self._heeded, late=self._is_late()):
            return None
        if not ill:
            return self._still()
        ratio = self._last.get("rec_ratio")
        sentence = (
            f"Reconstructions hardly depend on x: as x they are off by {ratio:.0%} of what they are off as another x."
        )
        back = self._last.get("code_correlation")
        if back < 0.3:
            sentence += f" Nor is z found again in what is made of it: E(G(z)) correlates with z by {back:.2f}."
        return self._verdict("code_ignored", ill, sentence, [self._evidence("rec_ratio", ratio, ">", IGNORES)])

    def _off_prior(self) -> Verdict | None:
        """Codes of the data lie where the prior does not draw, and do not come nearer."""
        ill = self._run_of(lambda check: check.get("code_mmd2") > OFF)
        well = lambda check: not check.get("code_mmd2") > STAYS_OFF  # noqa: E731
        late = self._is_late() and not self._comes_nearer()
        if not self._holds(ill, "off_prior", well, had=self._met, late=late):
            return None
        if not ill:
            return self._still()
        read, least, most = (
            self._last.get(name) for name in ("code_mmd2", "code_variance_least", "code_variance_most")
        )
        floor = self.facts.floors.get("code_mmd2", float("nan"))
        beside = f", two draws of the prior {floor:.1g}" if np.isfinite(floor) else ""
        wide = f"; variances from {least:.2g} to {most:.2g}" if np.isfinite(least) else ""
        sentence = (
            f"Codes of the data lie beside the prior: squared MMD {read:.2g}{beside}{wide}. What is decoded of the prior comes "
            "from where no code is."
        )
        return self._verdict("off_prior", ill, sentence, [self._evidence("code_mmd2", read, ">", OFF)])

    def _comes_nearer(self) -> bool:
        read = [check.get("code_mmd2") for check in self._checks]
        return min(read[-2:]) < FALLS * min(read[:-2], default=np.inf)

    def _by_heart(self) -> Verdict | None:
        """Training samples come back far better than held-out ones."""
        ill = self._run_of(lambda check: check.get("rec_gap") > BY_HEART)
        well = lambda check: not check.get("rec_gap") > STAYS_BY_HEART  # noqa: E731
        if not self._holds(ill, "memorising", well, had=True, late=False):
            return None
        if not ill:
            return self._still()
        gap = self._last.get("rec_gap")
        sentence = f"Held-out samples come back with {gap:.1f} times the error of those that it was trained on."
        return self._verdict("memorising", ill, sentence, [self._evidence("rec_gap", gap, ">", BY_HEART)])

    # --- what is said ---

    def _lacks(self, check: Check) -> str:
        error, kept = check.get("rec_error"), check.get("class_kept")
        beside = self.facts.beside.get("rec_error", {})
        linear = next(((name, value) for name, value in beside.items() if "component" in name), ("", float("nan")))
        mean = max(beside.values(), default=float("nan"))
        enough = error <= max(AS_LINEAR * linear[1], OF_MEAN * mean) if linear[0] else check.get("rec_ratio") < HEEDS
        if np.isfinite(error) and not (enough or kept >= KEEPS):
            classes = f", and {kept:.0%} of the classes are kept" if np.isfinite(kept) else ""
            if linear[0]:
                return f"its error is {error:.2g} where that of {linear[0]} is {linear[1]:.2g}{classes}"
            return f"the error is {check.get('rec_ratio'):.0%} of that as another x{classes}"
        if check.get("code_mmd2") > OFF:
            return f"codes are not at the prior, squared MMD {check.get('code_mmd2'):.2g}"
        if check.get("active_dimensions") == 0:
            return f"no dimension tells more than {ACTIVE:g} nats"
        return ""

    def _told(self, check: Check) -> str:
        said = []
        if np.isfinite(check.get("class_kept")):
            said.append(f"{check.get('class_kept'):.0%} of the classes are kept")
        elif np.isfinite(check.get("rec_ratio")):
            said.append(f"the error is {check.get('rec_ratio'):.0%} of that as another x")
        active, whole = check.get("active_dimensions"), self.facts.beside.get("active_dimensions", {})
        if np.isfinite(active):
            of = f" of {max(whole.values()):.0f}" if whole else ""
            said.append(f"{active:.0f}{of} dimensions carry information")
        if np.isfinite(check.get("code_mmd2")):
            said.append("codes lie where the prior draws")
        unsure = check.get("unsure_share")
        unlike = np.isfinite(check.get("code_mmd2")) and unsure > MOSTLY_UNSURE
        return ", ".join(said) + (f", but {unsure:.0%} of the samples are of no class" if unlike else "")


def _names(dimensions: list[int]) -> str:
    named = ", ".join(map(str, dimensions[:NAMED]))
    return named + (f" and {len(dimensions) - NAMED} more" if len(dimensions) > NAMED else "")
