"""Whether a run copies its training pictures, as a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gan_core.config.studies.settings import StudySettings, refuse_twice

Share = Annotated[float, Field(gt=0, le=1)]


class CopyingSettings(StudySettings):
    """The exact test for copies on samples of a run, a seed of noise each, beside the same samples with copies among them."""

    protocol: Literal["copying"] = Field("copying", description="How it is measured")
    samples: int = Field(1_000, ge=50, le=10_000, description="Samples in each test")
    copies: tuple[Share, ...] = Field(
        (0.1, 0.25, 0.5),
        max_length=10,
        description="Shares of the samples that are replaced by training pictures, as a control",
    )

    @model_validator(mode="after")
    def _has_each_share_once(self) -> CopyingSettings:
        refuse_twice("share", self.copies)
        return self
