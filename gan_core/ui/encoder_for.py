"""An encoder for the generator of a run that has none: its fork into the latent regressor, from the Watch page."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from gan_core.config import ConfigError, RunConfig
from gan_core.engine import DataError, advice, traits
from gan_core.store import RunRecord
from gan_core.ui.shell import WATCH, click_of, lab, said_in_a_sentence, show_started, start_button

AS_REGRESSOR: dict[str, Any] = {"game": "regressor"}
ENDED = ("finished", "stopped")


def can_have_one(config: RunConfig) -> bool:
    """Whether a run of these settings samples what it cannot encode, by a generator that a regressor takes over as it is."""
    game = traits(config)
    if "sample" not in game.abilities or "encode" in game.abilities or game.conditional:
        return False
    with suppress(ConfigError, DataError):
        child = config.replace(AS_REGRESSOR)
        advice(child)  # raises where it cannot be built
        return child.networks.get("G") == config.networks.get("G")
    return False


def show(run: RunRecord, config: RunConfig) -> None:
    """The button, of a run that waits or has ended and whose state can be forked."""
    state = lab().view(run.id).status["state"]
    if not (state == "paused" or (state in ENDED and lab().kept_rounds(run.id))) or not can_have_one(config):
        return
    key = f"encoder:{run.id}"
    help = "A fork in which G stays as it is and E learns of which z it makes what: then real data have a code too"
    label = "Train an encoder for this generator"
    if start_button(label, key=key, seen=state, action="teach", icon=":material/input:", help=help, type="tertiary"):
        with said_in_a_sentence():
            child = lab().fork(run.id, AS_REGRESSOR, key=click_of(key))
            show_started(key, WATCH, {"run": child})
