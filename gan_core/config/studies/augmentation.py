"""Settings of the studies that train classifiers: augmentation with generated samples, and the price of a run's samples."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gan_core.config.studies.settings import StudySettings, refuse_twice

Size = Annotated[int, Field(ge=1, le=100_000)]


class _Classified(StudySettings):
    """Classifiers of the same network and the same number of steps, from few real samples of each class."""

    sizes: tuple[Size, ...] = Field((5, 20, 100), min_length=1, max_length=20, description="Real samples of each class")
    steps: int = Field(250, ge=1, le=100_000, description="Steps of each classifier, the same in every arm")
    batch_size: int = Field(32, ge=2, le=1024, description="Samples in each step")
    samples: int = Field(100, ge=1, le=10_000, description="Generated samples of each class, drawn once")

    @model_validator(mode="after")
    def _has_each_size_once(self) -> Self:
        refuse_twice("size", self.sizes)
        return self


class AugmentationSettings(_Classified):
    """Whether samples of a GAN, which was trained on the same few labelled images, help a classifier of them.

    The GAN is a small DCGAN whose D names the class of what it sees (AC-GAN).
    """

    protocol: Literal["augmentation"] = Field("augmentation", description="How it is measured")
    rounds: int = Field(500, ge=1, le=1_000_000, description="Rounds of each GAN")
    gan_batch_size: int = Field(32, ge=2, le=1024, description="Samples in each turn of D")


class PriceSettings(_Classified):
    """How many real samples of each class the samples of a conditional run are worth to a classifier."""

    protocol: Literal["price"] = Field("price", description="How it is measured")
    sizes: tuple[Size, ...] = Field(
        (2, 5, 10, 20, 50, 100), min_length=1, max_length=20, description="Real samples of each class, along the curve"
    )
