"""Players, the loop, games, and what it takes to stop and go on exactly."""

from gan_core.training.abilities import (
    ABILITIES,
    Categorises,
    Encodes,
    Judges,
    Pushes,
    Reconstructs,
    Samples,
    Translates,
    TranslatesBack,
)
from gan_core.training.build import build, count_parameters, layer_tables, load_source, resolve
from gan_core.training.checkpoint import (
    CheckpointError,
    CheckpointUnreadable,
    checkpoints,
    keep_checkpoint,
    kept_checkpoints,
    load_checkpoint,
    round_of,
    save_checkpoint,
)
from gan_core.training.columns import Chart, Column
from gan_core.training.compatibility import explain
from gan_core.training.fork import Fork, fork
from gan_core.training.game import Game, Playable
from gan_core.training.games import GAMES, reference_lines
from gan_core.training.knobs import check, knobs_of
from gan_core.training.loop import Turn, play, take_turn
from gan_core.training.player import Outcome, Player
from gan_core.training.same_batch import SameBatch, look_back, moment_of
from gan_core.training.state import capture, in_words, load_networks, not_finite, restore, state_hash
from gan_core.training.streams import Streams

__all__ = [
    "ABILITIES",
    "GAMES",
    "Categorises",
    "Chart",
    "CheckpointError",
    "CheckpointUnreadable",
    "Column",
    "Encodes",
    "Fork",
    "Game",
    "Judges",
    "Outcome",
    "Playable",
    "Player",
    "Pushes",
    "Reconstructs",
    "SameBatch",
    "Samples",
    "Streams",
    "Translates",
    "TranslatesBack",
    "Turn",
    "build",
    "capture",
    "check",
    "checkpoints",
    "count_parameters",
    "explain",
    "fork",
    "in_words",
    "keep_checkpoint",
    "kept_checkpoints",
    "knobs_of",
    "layer_tables",
    "load_checkpoint",
    "load_networks",
    "load_source",
    "look_back",
    "moment_of",
    "not_finite",
    "play",
    "reference_lines",
    "resolve",
    "restore",
    "round_of",
    "save_checkpoint",
    "state_hash",
    "take_turn",
]
