"""Settings of the study of few pictures: how many there are, and how what D sees of them is changed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gan_core.config.studies.settings import Seed, StudySettings, refuse_twice

Count = Annotated[int, Field(ge=20, le=100_000)]


class FewSettings(StudySettings):
    """What few pictures cost a GAN, with and without augmentation of what D sees.

    Each training begins as the suggestion for so many pictures does, but for the rounds, which are the same for all.
    """

    protocol: Literal["few"] = Field("few", description="How it is measured")
    data: str = Field(
        "coloured", max_length=80, description="The pictures, of which so many are taken; labels are ignored"
    )
    seeds: tuple[Seed, ...] = Field((0, 1, 2), min_length=1, max_length=50, description="One repetition each")
    sizes: tuple[Count, ...] = Field((50, 200), min_length=1, max_length=20, description="Training pictures")
    rounds: int = Field(1_000, ge=1, le=1_000_000, description="Rounds of each training")
    policy: Literal["translation", "translation+cutout", "colour+translation+cutout"] = Field(
        "translation+cutout", description="How what D sees is changed in the arm with augmentation"
    )
    samples: int = Field(500, ge=60, le=10_000, description="Samples that are measured at the end")

    @model_validator(mode="after")
    def _has_each_size_once(self) -> Self:
        refuse_twice("size", self.sizes)
        return self
