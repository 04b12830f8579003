"""What can be asked of a board: what G makes of a drawing, what D says of it, and what is told beside both."""

from __future__ import annotations

LANES = {
    **dict.fromkeys(("kept", "board", "drawing", "forge"), "quick"),
    **dict.fromkeys(("figures", "line"), "slow"),
}
"""By the ``do`` of a recipe; a recipe that draws has ``picture``, ``h17`` for a held-out one or a picture file in base64,
``drawn`` to have it put where MNIST would, ``degrade`` to have it degraded first, and ``seed`` for what is random in that."""
