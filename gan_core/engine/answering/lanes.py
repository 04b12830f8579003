"""Which lane a recipe takes: everybody waits for the quick ones, the slow ones are done in between."""

from __future__ import annotations

from gan_core.engine.drawing import recipes as drawing
from gan_core.engine.latent import recipes as latent
from gan_core.engine.latent.recipes import Recipe, Wrong

LANES = {**latent.LANES, **drawing.LANES}


def lane(recipe: Recipe) -> str:
    """Which of the two lanes a recipe takes. Raises Wrong for one that asks for nothing known."""
    asked = recipe.get("do")
    if not isinstance(asked, str) or asked not in LANES:
        raise Wrong(f"What can be asked for is {', '.join(LANES)}.")
    return LANES[asked]
