"""What a run computes, as a value: RunConfig, the named objectives, tricks and presets. No torch."""

from gan_core.config.errors import ConfigError, Problem, nearest
from gan_core.config.objectives import OBJECTIVES, Recipe
from gan_core.config.presets import PRESETS, Preset, preset_config
from gan_core.config.schema import RunConfig, diff, flatten, override
from gan_core.config.tricks import TRICKS

__all__ = [
    "OBJECTIVES",
    "PRESETS",
    "TRICKS",
    "ConfigError",
    "Preset",
    "Problem",
    "Recipe",
    "RunConfig",
    "diff",
    "flatten",
    "nearest",
    "override",
    "preset_config",
]
