"""What a run computes, as a value: RunConfig, the named objectives, tricks, presets, cures and comparisons. No torch."""

from gan_core.config.code_cures import CODE_CURES
from gan_core.config.comparison import (
    BUDGETS,
    Comparison,
    Difference,
    Variant,
    differences,
    differences_of,
    of_a_game,
    parse_budget,
    parse_seeds,
    parse_vary,
)
from gan_core.config.errors import ConfigError, Problem, nearest, unknown_name
from gan_core.config.fields import MOST_ROUNDS
from gan_core.config.games import (
    SETTINGS,
    AaeConfig,
    AutoencoderConfig,
    GanConfig,
    InfoganConfig,
    RegressorConfig,
    VaeConfig,
)
from gan_core.config.gan.causes import CAUSES, Cause
from gan_core.config.gan.cures import BREAKS, CURES, Change, cure_between
from gan_core.config.gan.objectives import OBJECTIVES, Recipe
from gan_core.config.gan.recipes import RECIPES
from gan_core.config.gan.templates import TEMPLATES, Order, Template
from gan_core.config.gan.tricks import TRICKS
from gan_core.config.naming import label_of, short_label_of, story_of, title_of, turned
from gan_core.config.overriding import flatten, read_json
from gan_core.config.preset import Act, Preset
from gan_core.config.presets import PRESETS, preset_config
from gan_core.config.schema import RunConfig, Seat, diff, losses_of, override, settings_of
from gan_core.config.translation_cures import TRANSLATION_CURES

ALL_CURES = CURES | CODE_CURES | TRANSLATION_CURES
"""What a verdict of any kind may name."""

__all__ = [
    "ALL_CURES",
    "BREAKS",
    "BUDGETS",
    "CAUSES",
    "CURES",
    "MOST_ROUNDS",
    "OBJECTIVES",
    "PRESETS",
    "RECIPES",
    "SETTINGS",
    "TEMPLATES",
    "TRICKS",
    "AaeConfig",
    "Act",
    "AutoencoderConfig",
    "Cause",
    "Change",
    "Comparison",
    "ConfigError",
    "Difference",
    "GanConfig",
    "InfoganConfig",
    "Order",
    "Preset",
    "Problem",
    "Recipe",
    "RegressorConfig",
    "RunConfig",
    "Seat",
    "Template",
    "VaeConfig",
    "Variant",
    "cure_between",
    "diff",
    "differences",
    "differences_of",
    "flatten",
    "label_of",
    "losses_of",
    "nearest",
    "of_a_game",
    "override",
    "parse_budget",
    "parse_seeds",
    "parse_vary",
    "preset_config",
    "read_json",
    "settings_of",
    "short_label_of",
    "story_of",
    "title_of",
    "turned",
    "unknown_name",
]
