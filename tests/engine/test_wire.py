"""What goes through the pipe comes out as it went in, and nothing else does."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core.config import RunConfig
from gan_core.engine.messages import (
    COMMANDS,
    ClassGrid,
    Ended,
    Job,
    Keep,
    Knobs,
    Moment,
    Note,
    Rows,
    Sight,
    State,
    Turned,
)
from gan_core.engine.running import wire


def sent(value: Any) -> Any:
    pipe = io.BytesIO()
    wire.write(pipe, "a-run", value)
    pipe.seek(0)
    run_id, word = wire.read(pipe)
    assert run_id == "a-run"
    return word


@pytest.mark.parametrize(
    "value",
    [
        Job("a-run", RunConfig.load({"seed": 5}), Path("runs/a-run"), Path("round-7.json"), 7),
        Job("a-run", RunConfig(), Path("/tmp")),
        Job(
            "a-run", RunConfig(), Path("/tmp"), knobs=(Turned(3, {"lr": 0.1}, told=True), Turned(4, {"n": 2})), until=9
        ),
        Note(3, "knob", {"changes": {"lr": 0.1 + 0.2}, "none": None, "label": "ℓ"}),
        State("paused", 12),
        Moment("D’s turn"),
        Ended("failed", 4, "no", "Traceback", {"state_hash": "ab", "metrics": {"kl": math.pi}}),
        Keep(100, "before"),
        Knobs({"lr": 1e-300}),
        wire.Setup(Path("store"), Path("cache")),
        wire.MayPlayTo(2**62),
        wire.Asks(8),
        wire.Abandon(),
        wire.Ready(),
        wire.WantsClassifier("digits8"),
        *COMMANDS,
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_words_come_out_equal(value: Any) -> None:
    assert sent(value) == value


def test_arrays_come_out_bit_for_bit() -> None:
    values = np.array([[1.1, np.nan, np.inf], [-0.0, -np.inf, 5e-45]], dtype=np.float32)
    rows = sent(Rows("turns", ("D.loss", "G.loss", "seconds"), np.array([1, 2]), values))
    assert rows.columns == ("D.loss", "G.loss", "seconds")
    assert (rows.rounds.dtype, rows.rounds.tolist()) == (np.int64, [1, 2])
    assert rows.values.dtype == np.float32
    assert rows.values.tobytes() == values.tobytes()
    rows.values[0, 0] = 3.0  # it is its reader's own

    images = np.random.default_rng(0).integers(0, 256, (2, 3, 1, 4, 5), dtype=np.uint8)
    points = {"fake": [[0.1, math.nan]], "n": np.int64(4), "share": np.float32(0.5)}
    sight = sent(Sight(9, {"grid": ClassGrid(images[:, ::2], (0, 7)), "wide": images[0].T, "points": points}, 0.25))
    assert (sight.round, sight.measuring, sight.parts["grid"].classes) == (9, 0.25, (0, 7))
    assert np.array_equal(sight.parts["grid"].images, images[:, ::2])
    assert np.array_equal(sight.parts["wide"], images[0].T)
    assert sight.parts["points"]["fake"][0][0] == 0.1
    assert math.isnan(sight.parts["points"]["fake"][0][1])
    assert (sight.parts["points"]["n"], sight.parts["points"]["share"]) == (4, 0.5)


def test_what_was_cut_off_is_the_end_and_what_nobody_sends_is_refused() -> None:
    pipe = io.BytesIO()
    wire.write(pipe, "a-run", Rows("turns", ("a",), np.array([1]), np.array([[2.0]], dtype=np.float32)))
    whole = pipe.getvalue()
    for length in range(len(whole)):
        with pytest.raises(EOFError):
            wire.read(io.BytesIO(whole[:length]))
    for text in (b'{"=": "Popen", "args": "ls"}', b'{"=": "array", "dtype": "O", "shape": [1]}', b"{", b'{"=": 5}'):
        text = b'["a-run",' + text + b"]"
        with pytest.raises((ValueError, TypeError)):
            wire.read(io.BytesIO(len(text).to_bytes(4, "big") + bytes(8) + text))
    with pytest.raises(TypeError, match="cannot be sent"):
        wire.write(io.BytesIO(), "a-run", Note(1, "x", {"y": {1, 2}}))
