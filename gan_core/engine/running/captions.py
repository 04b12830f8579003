"""What just happened, in a sentence with this turn's numbers: for a run that is played turn by turn."""

from __future__ import annotations

from collections.abc import Sequence

from gan_core.said import said
from gan_core.training import Column, SameBatch, Turn


def caption(played: Sequence[Turn], seen: SameBatch | None, columns: Sequence[Column]) -> str:
    """What the last of the turns played did, on one batch:

    ``D's turn 3 of 5 in round 12: on the same batch D's loss 0.71 → 0.66, G's loss by that 0.92 → 1.01; D(x) 0.55 → 0.58``.
    ``columns`` are those of the game. Where nobody could look back (``seen`` is None), the numbers are those before the step.
    """
    turn = played[-1]
    name = turn.player.name
    what = f"{name}'s turn" + (f" {turn.step + 1} of {turn.player.steps}" if turn.player.steps > 1 else "")
    earlier = f" (after {len(played) - 1} more)" if len(played) > 1 else ""
    start = f"{what} in round {turn.round:,}{earlier}: "
    shown = {column.name: column.label for column in columns if column.told and column.player == name}
    if seen is None:
        read = [f"{label} {said(turn.values[column].item())}" for column, label in shown.items()]
        return start + ", ".join([f"loss before the step {said(turn.values['loss'].item())}", *read])
    losses = [_change(seen, name, "loss", f"{name}'s loss")]
    losses += [_change(seen, other, "loss", f"{other}'s loss by that") for other in seen.before if other != name]
    read = [_change(seen, name, column, label) for column, label in shown.items()]
    return f"{start}on the same batch {', '.join(losses)}" + (f"; {', '.join(read)}" if read else "")


def _change(seen: SameBatch, player: str, column: str, label: str) -> str:
    before, after = (said(read[player][column]) for read in (seen.before, seen.after))
    return f"{label} stays {before}" if before == after else f"{label} {before} → {after}"
