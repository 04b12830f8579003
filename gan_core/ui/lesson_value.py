"""What a lesson of the Collapse Lab knows: a value, kept in the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gan_core.config import PRESETS, Preset
from gan_core.config.preset import Effect
from gan_core.engine.library.lessons import Outcome

STEPS = {"predict": "Predict", "watch": "Watch", "diagnose": "Diagnose", "cure": "Cure", "explain": "Explain"}
LESSONS: dict[str, Preset] = {
    **{name: preset for name, preset in PRESETS.items() if preset.acts},
    **{
        name: preset
        for name, preset in PRESETS.items()
        if preset.kind == "collapse" and "cures" in preset.cures.values()
    },
}
"""First those that are well, and are broken in front of the class; then those that collapse by themselves."""
ANSWERS = tuple("0123456789")


@dataclass(frozen=True)
class Lesson:
    """Where the lesson is. ``guess`` is how many modes the class expects to survive, ``which`` are those it names;
    ``run`` is the run that collapses, ``fixed`` its fork with the change-set ``cure``; ``seen`` is the round at which the
    diagnosis was made, and the round whose modes the lesson counts from then on. In a lesson whose preset has acts ``run`` is
    the fork that breaks ``healthy``."""

    recipe: str
    step: str = "predict"
    guess: int | None = None
    which: tuple[str, ...] = ()
    seed: int = 0
    run: str = ""
    cure: str = ""
    fixed: str = ""
    seen: int | None = None
    healthy: str = ""

    @property
    def preset(self) -> Preset:
        return LESSONS[self.recipe]

    @property
    def breaks(self) -> bool:
        """Whether the lesson begins with a run that is well."""
        return bool(self.preset.acts)

    @property
    def cures(self) -> Mapping[str, Effect]:
        """What may be tried."""
        return cures_of(self.preset)

    @property
    def steps(self) -> list[str]:
        """The steps that can be gone to: beyond the first there must be a run, beyond the second one that may collapse."""
        return list(STEPS) if self.run else ["predict", "watch"] if self.healthy else ["predict"]

    @property
    def runs(self) -> list[str]:
        """The runs of the lesson, as far as there are any."""
        return [run for run in (self.healthy, self.run, self.fixed) if run]

    @property
    def shown(self) -> str:
        """The run that is looked at before there is a cure, if any."""
        return self.run or self.healthy

    @property
    def keys(self) -> list[str]:
        """The keys that do something now; the others stay what they are for whatever has the focus."""
        begins = "b" if self.breaks else "c"
        if not self.shown:
            return [begins, *ANSWERS]
        if self.step == "explain":
            return [begins, *self._fixes, "previous", "next"]
        return ["space", *(["b"] if not self.run else self._fixes), "previous", "next"]

    @property
    def _fixes(self) -> list[str]:
        return [] if self.fixed else ["c" if self.breaks else "f"]

    def turned(self, by: int) -> Lesson:
        """A step on or back, as far as there are any."""
        steps = self.steps
        return replace(self, step=steps[max(0, min(len(steps) - 1, steps.index(self.step) + by))])

    def again(self) -> Lesson:
        """The same lesson from the start, with the next seed: other modes will survive."""
        return Lesson(self.recipe, seed=self.seed + 1)


def read(query: Mapping[str, str]) -> Lesson:
    """The lesson that an address tells of; what makes no sense there is left out."""
    names = list(LESSONS)
    recipe = query.get("recipe", names[0])
    recipe = recipe if recipe in LESSONS else names[0]
    guess, seed, seen = (query.get(name, "") for name in ("guess", "seed", "seen"))
    cure = query.get("cure", "")
    lesson = Lesson(
        recipe,
        guess=int(guess) if guess.isdecimal() and len(guess) < 4 else None,
        which=tuple(part for part in query.get("which", "").split("~") if part),
        seed=int(seed) if seed.isdecimal() and len(seed) < 9 else 0,
        run=query.get("run", ""),
        seen=int(seen) if query.get("run") and seen.isdecimal() and len(seen) < 13 else None,
        cure=cure if cure in cures_of(LESSONS[recipe]) else "",
        fixed=query.get("fixed", "") if query.get("run") else "",
        healthy=query.get("healthy", "") if LESSONS[recipe].acts else "",
    )
    step = query.get("step", "predict")
    return replace(lesson, step=step if step in lesson.steps else "predict")


def write(lesson: Lesson) -> dict[str, str]:
    """The lesson as an address."""
    told = {
        "recipe": lesson.recipe,
        "step": lesson.step,
        "guess": "" if lesson.guess is None else str(lesson.guess),
        "which": "~".join(lesson.which),
        "seed": str(lesson.seed) if lesson.seed else "",
        "run": lesson.run,
        "seen": "" if lesson.seen is None else str(lesson.seen),
        "cure": lesson.cure,
        "fixed": lesson.fixed,
        "healthy": lesson.healthy,
    }
    return {name: value for name, value in told.items() if value}


def cures_of(preset: Preset) -> Mapping[str, Effect]:
    """What may be tried in a lesson on this preset: its cures, or what its last act brings."""
    return preset.cures or {act.change: "cures" for act in preset.acts[-1:]}


def recommended(preset: Preset, advised: tuple[str, ...] = ()) -> str:
    """The cure to try first: one that the verdict advises and that was measured to cure this recipe, else its first."""
    works = [name for name, effect in cures_of(preset).items() if effect == "cures"]
    return next((name for name in advised if name in works), works[0])


def judged(lesson: Lesson, counted: Outcome) -> str:
    """The prediction against what was counted, in a sentence or two."""
    left, names = len(counted.survivors), counted.names
    told = f"{left} of {len(names)} survived: {', '.join(counted.survivors) or 'none'}."
    if lesson.guess is None and not lesson.which:
        return f"{told} Nothing was predicted."
    said = []
    if lesson.guess is not None:
        off = abs(lesson.guess - left)
        said.append(f"Predicted: {lesson.guess}. " + ("Exactly right." if off == 0 else f"Off by {off}."))
    if lesson.which:
        right = [name for name in lesson.which if name in counted.survivors]
        said.append(f"Of the {len(lesson.which)} that were named, {len(right)} survived.")
    return " ".join([told, *said])
