"""Two digits side by side: the halves are digits of the right kind, and some numbers are never dealt in training."""

from __future__ import annotations

import torch

from gan_core.data import DATASETS, SideBySideSource, open_stream
from gan_core.data.images import NEVER_SHOWN
from gan_core.engine.observers.base import FixedNoise
from gan_core.training import GAMES, Streams


def source() -> SideBySideSource:
    made = DATASETS["two_digits"].load()
    assert isinstance(made, SideBySideSource)
    return made


def test_a_number_is_its_two_digits_from_left_to_right() -> None:
    two = source()
    assert two.shape == (1, 8, 16)
    assert (two.class_names[0], two.class_names[37], two.class_names[99]) == ("00", "37", "99")
    known = {image.numpy().tobytes(): int(y) for image, y in zip(two.base.x, two.base.y, strict=True)}  # type: ignore[arg-type]
    kinds = {}
    for heldout in (False, True):
        x, y = two.sample(400, torch.Generator().manual_seed(1), heldout=heldout)
        left, right = ([half.contiguous().numpy().tobytes() for half in part] for part in (x[..., :8], x[..., 8:]))
        assert [10 * known[a] + known[b] for a, b in zip(left, right, strict=True)] == y.tolist()
        assert torch.equal(two.together(two.apart(x)), x)
        kinds[heldout] = {*left, *right}
    assert not kinds[False] & kinds[True], "no digit is in training and held out"


def test_labels_never_shown_are_not_trained_on_but_asked_and_held_out() -> None:
    two, never = source(), {int(name) for name in NEVER_SHOWN}
    stream = open_stream(two, 500, Streams(3).generator, torch.device("cpu"))
    dealt = torch.cat([stream.next().y for _ in range(20)])  # type: ignore[misc]
    to_g = stream.labels(10_000, Streams(3).generator("labels"))
    shown = set(range(100)) - never
    assert set(dealt.tolist()) == set(to_g.tolist()) == shown
    held = two.sample(10_000, torch.Generator().manual_seed(1), heldout=True)[1]
    asked = two.asked(10_000, torch.Generator().manual_seed(1))
    assert set(held.tolist()) == set(asked.tolist()) == shown | never
    for place in (0, 1):
        assert sorted(name[place] for name in NEVER_SHOWN) == list("0123456789"), "each digit is shown on either side"


def test_a_run_is_measured_by_all_numbers(tiny) -> None:  # type: ignore[no-untyped-def]
    config = tiny("mlp", {"data.name": "two_digits", "data.options": {}, "model.condition": "spelled"})
    config = config.replace({"diagnostics.samples": 5_000})
    noise = FixedNoise(config, GAMES[config.game].latent(config), source())  # type: ignore[arg-type]
    assert noise.y is not None
    assert noise.y.unique().tolist() == list(range(100))
