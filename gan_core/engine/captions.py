"""What just happened, in a sentence with this turn's numbers: for a run that is played turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from gan_core.training import Turn


def caption(played: Sequence[Turn], before: Mapping[str, Mapping[str, Tensor]], labels: Mapping[str, str]) -> str:
    """``D's turn 3 of 5 in round 12: loss 1.21 → 1.18, D(x) 0.71, D(G(z)) 0.33``, of the last of the turns played.

    ``before`` holds the values of each player's turn before that one, if there was one; ``labels`` name the columns.
    """
    turn = played[-1]
    name = turn.player.name
    what = f"{name}'s turn" + (f" {turn.step + 1} of {turn.player.steps}" if turn.player.steps > 1 else "")
    loss = f"loss {_short(turn.values['loss'])}"
    if name in before:
        loss = f"loss {_short(before[name]['loss'])} → {_short(turn.values['loss'])}"
    readings = [
        f"{labels.get(f'{name}.{column}', column)} {_short(turn.values[column])}"
        for column in ("real", "fake")
        if column in turn.values
    ]
    earlier = f" (after {len(played) - 1} more)" if len(played) > 1 else ""
    return f"{what} in round {turn.round:,}{earlier}: {', '.join([loss, *readings])}"


def _short(value: Tensor) -> str:
    return f"{value.item():.3g}".replace("-", "−")
