"""What the settings of every protocol have in common."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gan_core.config.fields import OptionValue, Part

MOST_SEEDS = 50
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class StudySettings(Part):
    """Settings of a study. A protocol narrows ``protocol`` to its name and adds its own.

    ``run`` is the stored run that is asked, "" for none, and ``at`` the round of its checkpoint; None becomes the newest
    one's when the study begins, so that all cells ask the same networks.
    """

    protocol: str = Field(max_length=40, description="How it is measured")
    data: str = Field("mnist5k", max_length=80, description="The labelled data set")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="What this data set lets you choose")
    seeds: tuple[Seed, ...] = Field(
        (0, 1, 2, 3, 4), min_length=1, max_length=MOST_SEEDS, description="One repetition each"
    )
    run: str = Field("", max_length=64, description="The run that is asked")
    at: int | None = Field(None, ge=0, description="Round of its checkpoint; none: the newest")

    @model_validator(mode="after")
    def _has_each_seed_once(self) -> Self:
        refuse_twice("seed", self.seeds)
        return self

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def refuse_twice(what: str, entries: tuple[Any, ...]) -> None:
    """Raises PydanticCustomError where an entry stands twice."""
    for entry in entries:
        if entries.count(entry) > 1:
            raise PydanticCustomError("twice", "{text}", {"text": f"the {what} {entry!r} stands there twice"})
