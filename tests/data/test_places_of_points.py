"""Points that are kept are standardised by their card; a card from before there was a place opens them as it did."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_core.data import DATASETS, DataMissing, MixtureSource, places, shelf
from gan_core.data.toy import place_of, smoothed_on_one_scale
from gan_core.intake.points import Points

OLD_FINGERPRINT = "dff186946b527c78e51711880ecfc31bd0b85665b0e9ea1d33e444f7cd493cc1"
# As the version before places wrote it: the name that runs of that time have in their configurations.
OLD_NAME = "own:hand-made-{}"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    monkeypatch.setattr(places, "_store", tmp_path)
    return tmp_path


def points() -> Points:
    rng = np.random.default_rng(3)
    return Points(rng.normal([0.5, 40_000], [0.1, 9_000], (80, 2)), (), ("share", "income"), ("UTF-8",), ("look",))


def as_it_was_kept(store: Path) -> str:
    """Make of a kept set what the version before places would have kept; returns its name."""
    card = shelf.keep("hand made", points(), "a table")
    assert card.unplaced is not None
    name = OLD_NAME.format(card.unplaced[:16])
    folder = store / "datasets" / card.fingerprint[:16]
    told = json.loads((folder / "card.json").read_text())
    for later in ("place", "columns", "notes", "warnings", "unplaced", "kept_in"):
        del told[later]
    told |= {"name": name, "fingerprint": card.unplaced}
    (folder / "card.json").write_text(json.dumps(told))
    folder.rename(folder.with_name(card.unplaced[:16]))
    return name


def sampled(name: str) -> torch.Tensor:
    source = DATASETS[name].load()
    assert isinstance(source, MixtureSource)
    return source.sample(500, torch.Generator().manual_seed(0))


def test_the_fingerprint_of_points_without_a_place_is_the_old_one() -> None:
    """Written down from the version before: a name in an old configuration finds its set."""
    given = Points(np.arange(120, dtype=np.float64).reshape(60, 2) ** 2, ())
    assert shelf.keep("x", given, "a table").unplaced == OLD_FINGERPRINT
    source = smoothed_on_one_scale("x", given.points)
    assert (source.scale, source.std[0]) == (8585.010275021355, 325.28142034276823)
    assert source.extent()[0] == (-5609.688522056611, 19533.68852205661)


def test_a_set_from_before_places_opens_with_the_same_bits(store: Path) -> None:
    name = as_it_was_kept(store)
    source = DATASETS[name].load()
    expected = smoothed_on_one_scale(name, points().points)
    assert (source.scale, source.offset, source.units) == (expected.scale, expected.offset, ())
    assert torch.equal(sampled(name), expected.sample(500, torch.Generator().manual_seed(0)))
    np.testing.assert_array_equal(source.std, expected.std)


def test_the_same_points_brought_again_leave_the_old_set_alone(store: Path) -> None:
    old = as_it_was_kept(store)
    before = sampled(old)
    new = shelf.keep("hand made", points(), "a table")
    assert new.name != old
    assert len(shelf.shelf()) == 2
    assert torch.equal(sampled(old), before)
    assert not torch.equal(sampled(new.name), before)


def test_points_of_an_old_name_that_were_deleted_come_back_as_they_were(store: Path) -> None:
    old = as_it_was_kept(store)
    before = sampled(old)
    shelf.delete(old)
    with pytest.raises(DataMissing):
        DATASETS[old].load()
    new = shelf.keep("hand made", points(), "a table")
    assert torch.equal(sampled(old), before)
    assert shelf.find(old).place is None
    assert shelf.find(new.name).place == place_of(points().points)


def test_a_card_keeps_what_was_said_of_the_table() -> None:
    card = shelf.keep("hand made", points(), "a table")
    (found,) = shelf.shelf()
    assert found == card
    assert (found.columns, found.notes, found.warnings) == (("share", "income"), ("UTF-8",), ("look",))
    source = DATASETS[card.name].load()
    assert isinstance(source, MixtureSource)
    assert source.axes == ("share", "income")
    assert (source.offset, source.units) == found.place


def test_another_place_is_another_set(store: Path) -> None:
    """A card whose place was altered does not open: a run never trains on something else by mistake."""
    card = shelf.keep("hand made", points(), "a table")
    file = store / "datasets" / card.fingerprint[:16] / "card.json"
    told = json.loads(file.read_text())
    told["place"][1][0] *= 2
    file.write_text(json.dumps(told))
    with pytest.raises(shelf.DataError, match="damaged"):
        DATASETS[card.name].load()
