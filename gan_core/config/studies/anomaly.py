"""Settings of the study of anomalies: what is normal, which scores, and what their networks may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gan_core.config.studies.settings import Seed, StudySettings, refuse_twice


def _as_text(name: Any) -> Any:
    """Classes that are digits come as numbers out of a form, a terminal or a JSON file."""
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


Name = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=80)]
Family = Literal["outliers", "autoencoder", "vae", "bigan", "gan"]
Question = Literal["leave_one_out", "one_class", "damaged", "kinds"]
DIGITS = tuple("0123456789")
NORMAL = "normal"
"""The class of normal pictures in a set that was brought as normal pictures and others."""


class AnomalySettings(StudySettings):
    """Which pictures are unlike those that are normal, told by scores that have seen normal ones alone.

    Every learnt score has fully connected networks of the same widths, the same length of code and as many rounds.
    """

    protocol: Literal["anomaly"] = Field("anomaly", description="How it is measured")
    seeds: tuple[Seed, ...] = Field((0, 1), min_length=1, max_length=50, description="One repetition each")
    question: Question = Field(
        "leave_one_out",
        description="Anomalies are one class in turn; all but one class in turn; damaged pictures of any class; or, of a set "
        "that was brought as normal pictures and others, the others: what is asked of one's own set if nothing is said",
    )
    classes: tuple[Name, ...] = Field(
        DIGITS,
        min_length=1,
        max_length=100,
        description="The classes that are left out in turn, or that are normal in turn",
    )
    damages: tuple[Name, ...] = Field(
        ("scratched", "half", "noisy"),
        min_length=1,
        max_length=20,
        description="Degradations that damage pictures, where the question is of these",
    )
    families: tuple[Family, ...] = Field(
        ("outliers", "autoencoder", "gan"),
        min_length=1,
        description="Which scores: without networks, of an autoencoder, a VAE, a BiGAN, a GAN (D alone, AnoGAN, f-AnoGAN)",
    )
    code_dim: int = Field(16, ge=1, le=512, description="Length of the code, and of z")
    width: int = Field(
        128, ge=1, le=2048, description="Units of the narrower hidden layer; the other has twice as many"
    )
    rounds: int = Field(300, ge=1, le=1_000_000, description="Rounds of each network")
    batch_size: int = Field(64, ge=2, le=4096, description="Samples per batch")
    search_steps: int = Field(60, ge=1, le=10_000, description="AnoGAN: steps of the search in z for each picture")
    searched: int = Field(
        200, ge=20, le=100_000, description="AnoGAN: so many test pictures are searched for, half of them anomalies"
    )
    alarms: float = Field(0.05, gt=0, lt=1, description="Share of normal pictures that may be called anomalous")

    @model_validator(mode="before")
    @classmethod
    def _ask_own_data_for_its_kinds(cls, values: Any) -> Any:
        """A set of one's own has other classes than the digits of the default, which a form fills in."""
        if not isinstance(values, Mapping) or not str(values.get("data", "")).startswith("own:"):
            return values
        classes = values.get("classes", DIGITS)
        untouched = values.get("question", "leave_one_out") == "leave_one_out" and isinstance(classes, list | tuple)
        untouched = untouched and tuple(map(str, classes)) == DIGITS
        return {**values, "question": "kinds"} if untouched else values

    @model_validator(mode="after")
    def _has_each_once(self) -> Self:
        refuse_twice("class", self.classes)
        refuse_twice("damage", self.damages)
        refuse_twice("score", self.families)
        return self

    @property
    def cases(self) -> tuple[str, ...]:
        """What is asked about in turn: the names of classes, or of damages."""
        if self.question == "kinds":
            return (NORMAL,)
        return self.damages if self.question == "damaged" else self.classes
