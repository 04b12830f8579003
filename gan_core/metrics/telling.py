"""What is said of a measurement: how varied and how good the samples are, in words, and the numbers that say so."""

from __future__ import annotations

import numpy as np

from gan_core.metrics.appearance import FRECHET, HIGH, UNSURE, Picture, reading
from gan_core.metrics.course import BACK, BROAD, SHAPELESS, Check, Course
from gan_core.metrics.states import Evidence

AT_EQUILIBRIUM = 0.1  # of D's loss at equilibrium: so near it lies

LABELS = {
    "std_ratio": "spread over that of real data",
    "vendi_score": "Vendi score",
    "effective_modes": "effective modes",
    "class_diversity": "diversity inside the classes",
    "largest_share": "share of the fullest mode",
    "high_quality_share": "share of the samples on a mode",
    "precision": "share of the samples among real ones",
    "density": "density of real samples where they lie",
    "unsure_share": "share of no class",
    "frechet_distance": "Fréchet distance",
    "mmd2": "squared MMD",
}


class Telling:
    """Speaks of the last measurement of a course."""

    def __init__(self, course: Course) -> None:
        self._course = course

    @property
    def _last(self) -> Check:
        return self._course.last

    def looks_like(self, picture: Picture) -> str:
        """The sentence of a picture, with the numbers that say so."""
        far = float(np.linalg.norm(self._last.middle))
        sentences = {
            "beside": f"All samples lie beside the data: their middle is {far:.1f} real standard deviations away.",
            "cloud": f"No part of the data stands out: {self.quality()}.",
            "noise": f"Nothing can be recognised yet: {self.quality()}.",
            "one_point": "All samples lie at one point.",
            "one_picture": "All samples are nearly one and the same picture.",
            "spread": f"Spread over the data, and not sharp yet: {self.variety()}; {self.quality()}.",
            "part": f"Sharp, and a part of the data is missing: {self.variety()}; {self.quality()}.",
        }
        return sentences[picture]

    def looks_balanced(self) -> str:
        """The sentence that a class must read: the losses say equilibrium, the samples say otherwise."""
        facts = self._course.facts
        calm = facts.equilibrium.get(facts.columns.get("judge_loss", ""))
        loss, real = self._course.read(self._last, "judge_loss", "judge_real")
        if calm is None or not abs(loss - calm) < AT_EQUILIBRIUM:
            return ""
        said = (
            f" The losses look like equilibrium and are not: D's loss is {loss:.2f}, as when D cannot tell ({calm:.2f})"
        )
        if facts.output == "probability":
            said += f", and D(x) = {real:.2f}"
        return f"{said}. D is one step behind, wherever G goes."

    def variety(self, *, capital: bool = False) -> str:
        """How varied the samples are, in the number that says it worst."""
        parts = self._last.parts
        worst = self._last.worst
        if worst is None:
            return "There is nothing to measure" if capital else "there is nothing to measure"
        modes = self._last.numbers.get("effective_modes", 0.0)
        most = self._course.had_modes * self._course.facts.floors.get("effective_modes", 0.0)
        missing = parts.get("effective_modes", 1.0) < max(BROAD, BACK * self._course.most_modes)
        if self._course.facts.num_modes and (worst == "effective_modes" or missing):
            had = f", it had {most:.1f}" if most > 1.25 * modes else ""
            shown = self._last.picture not in SHAPELESS
            return f"{'' if shown else 'around '}{modes:.1f} effective modes of {self._course.facts.num_modes}{had}"
        share = min(1.0, parts[worst])
        what = {"std_ratio": "spread", "vendi_score": "variety", "class_diversity": "variety inside the classes"}
        of = parts[worst] / (2 if worst == "class_diversity" else 1)
        return (
            f"{min(1.0, of):.0%} of the {what.get(worst, 'modes')} of real data"
            if share < 1
            else "as varied as real data"
        )

    def quality(self) -> str:
        """How good the samples are, in the measure that says it worst."""
        numbers, quality = self._last.numbers, self._last.sides.quality
        worst = min(quality, key=quality.__getitem__, default="")
        if worst == HIGH:
            on = numbers[HIGH]
            return (
                f"{on:.0%} of the samples are on a mode"
                if on >= 0.5
                else f"{1 - on:.0%} of the samples are off every mode"
            )
        if worst in ("precision", "density"):
            # Samples can lie among real ones, and only where these are few.
            return f"they lie among real ones to {quality[worst]:.0%}"
        if worst == UNSURE:
            return f"{numbers[UNSURE]:.0%} of the samples are of no class"
        if worst == FRECHET:
            times = numbers[FRECHET] / self._course.facts.floors[FRECHET]
            return f"the Fréchet distance is {max(1.0, times):.1f} times that of real samples"
        if worst == "mmd2":
            return f"squared MMD is {numbers['mmd2']:.2g}, of real samples {self._course.facts.floors['mmd2']:.2g}"
        return "how good the samples are is not measured"

    def poor(self, limit: float) -> list[Evidence]:
        """The measures of quality below ``limit``."""
        found = []
        for name, good in self._last.sides.quality.items():
            if good < limit:
                threshold, more = reading(name, limit, self._course.facts.floors)
                value = self._last.numbers[name]
                found.append(Evidence(name, LABELS[name], value, ">" if more else "<", threshold))
        return found

    def low_parts(self, threshold: float) -> list[Evidence]:
        low = [name for name, part in self._last.parts.items() if part < threshold]
        return [self._evidence(name, threshold) for name in sorted(low, key=self._last.parts.__getitem__)]

    def fewer_modes(self, share: float) -> list[Evidence]:
        """Whether there are fewer modes than this share of the most so far."""
        threshold = share * self._course.most_modes
        few = self._last.parts.get("effective_modes", 1.0) < threshold
        return [self._evidence("effective_modes", threshold)] if few else []

    def not_whole(self) -> list[Evidence]:
        return self.low_parts(BROAD) or self.fewer_modes(BACK)

    def _evidence(self, name: str, share: float) -> Evidence:
        scale = 0.5 if name == "class_diversity" else 1.0
        return Evidence(
            name, LABELS[name], self._last.numbers[name], "<", scale * share * self._course.facts.floors[name]
        )
