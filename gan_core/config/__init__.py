"""What a run computes, as a value: RunConfig, the named objectives, tricks, presets and comparisons. No torch."""

from gan_core.config.comparison import (
    TEMPLATES,
    Comparison,
    Difference,
    Template,
    Variant,
    differences,
    differences_of,
    parse_seeds,
    parse_vary,
)
from gan_core.config.errors import ConfigError, Problem, nearest
from gan_core.config.objectives import OBJECTIVES, Recipe
from gan_core.config.presets import PRESETS, Preset, preset_config
from gan_core.config.schema import RunConfig, diff, flatten, override, story_of
from gan_core.config.tricks import TRICKS

__all__ = [
    "OBJECTIVES",
    "PRESETS",
    "TEMPLATES",
    "TRICKS",
    "Comparison",
    "ConfigError",
    "Difference",
    "Preset",
    "Problem",
    "Recipe",
    "RunConfig",
    "Template",
    "Variant",
    "diff",
    "differences",
    "differences_of",
    "flatten",
    "nearest",
    "override",
    "parse_seeds",
    "parse_vary",
    "preset_config",
    "story_of",
]
