"""What a study asks, as a value: one model of settings for each protocol. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gan_core.config.errors import ConfigError, Problem, nearest, problems_of
from gan_core.config.studies.anomaly import AnomalySettings
from gan_core.config.studies.augmentation import AugmentationSettings, PriceSettings
from gan_core.config.studies.copying import CopyingSettings
from gan_core.config.studies.few import FewSettings
from gan_core.config.studies.settings import StudySettings

STUDY_SETTINGS: dict[str, type[StudySettings]] = {
    "augmentation": AugmentationSettings,
    "price": PriceSettings,
    "anomaly": AnomalySettings,
    "copying": CopyingSettings,
    "few": FewSettings,
}


def load_study(settings: Mapping[str, Any]) -> StudySettings:
    """The settings of the protocol that they name. Raises ConfigError: each problem names its field."""
    protocol = str(settings.get("protocol", ""))[:80]
    if protocol not in STUDY_SETTINGS:
        text = f"unknown protocol {protocol!r}{nearest(protocol, STUDY_SETTINGS)}"
        raise ConfigError([Problem("protocol", text)])
    try:
        return STUDY_SETTINGS[protocol].model_validate(settings)
    except ValidationError as error:
        raise ConfigError(problems_of(error)) from None


__all__ = [
    "STUDY_SETTINGS",
    "AnomalySettings",
    "AugmentationSettings",
    "CopyingSettings",
    "FewSettings",
    "PriceSettings",
    "StudySettings",
    "load_study",
]
