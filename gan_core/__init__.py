"""GANscope: a live laboratory for GAN training. ``from gan_core import RunConfig, train``.

Importing the package has no effect: what is named here is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_core.api import (
        ComparisonResult,
        Result,
        StudyResult,
        bring_pictures,
        bring_table,
        compare,
        disentangle,
        fork,
        study,
        train,
    )
    from gan_core.config import Comparison, RunConfig

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "ComparisonResult",
    "Result",
    "RunConfig",
    "StudyResult",
    "bring_pictures",
    "bring_table",
    "compare",
    "disentangle",
    "fork",
    "study",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in ("RunConfig", "Comparison"):
        from gan_core import config

        return getattr(config, name)
    if name in __all__:
        from gan_core import api

        return getattr(api, name)
    raise AttributeError(f"module 'gan_core' has no attribute {name!r}")
