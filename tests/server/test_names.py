"""Names of browsers: given by the server, few to an address, bounded in memory; whoever has none shares one."""

from __future__ import annotations

from typing import Any

import pytest

from gan_core.server import names
from gan_core.server.names import FORGET_SECONDS, PER_ADDRESS, Names

KEY = bytes(range(32))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_browser_keeps_the_name_that_it_was_given() -> None:
    known = Names(KEY)
    cookie = known.give("10.0.0.1")
    name = known.read(cookie)
    assert len(name) >= 16
    assert known.give("10.0.0.1", cookie) == known.give("10.0.0.2", cookie) == cookie
    assert known.read(cookie) == name


def test_who_has_a_name_keeps_it_where_the_places_of_the_address_are_taken() -> None:
    known = Names(KEY, per_address=1)
    cookie = known.give("10.0.0.1")
    assert known.meet("10.0.0.1", cookie)
    assert known.give("10.0.0.1", cookie) == cookie


@pytest.mark.parametrize("made_up", ["", ".", "ann", "ann.", "ann.AAAA", "~ab.cd", "\udcff.\udcff", "a" * 5000])
def test_a_name_that_the_server_did_not_give_is_none(made_up: str) -> None:
    known = Names(KEY)
    assert known.read(made_up) == ""
    assert known.read(known.give("10.0.0.1", made_up)) not in ("", made_up.partition(".")[0])
    assert known.read(Names(bytes(32)).give("10.0.0.1")) == ""


def test_a_part_of_a_cookie_cannot_be_exchanged() -> None:
    known = Names(KEY)
    (one, _, signature), (other, _, _) = (known.give("10.0.0.1").partition(".") for _ in range(2))
    assert known.read(f"{one}.{signature}") == one
    assert known.read(f"{other}.{signature}") == ""


def test_one_person_cannot_be_a_hundred() -> None:
    known = Names(KEY)
    of_one = {known.read(known.give("10.0.0.66")) for _ in range(1000)}
    assert len(of_one) == PER_ADDRESS + 1  # the last is shared by all who came later
    assert "" not in of_one
    assert known.read(known.give("10.0.0.1")) not in of_one
    assert known.crowded() == ["10.0.0.66"]
    shared = next(name for name in of_one if name.startswith("~"))
    assert known.read(known.give("10.0.0.66", "made up")) == shared


def test_who_shares_gets_a_name_when_more_of_the_address_count() -> None:
    known = Names(KEY, per_address=1)
    known.give("10.0.0.1")
    shared = known.give("10.0.0.1")
    assert known.give("10.0.0.1", shared) == shared
    known.let_count(3)
    assert known.crowded() == []
    own = known.give("10.0.0.1", shared)
    assert own != shared
    assert not known.read(own).startswith("~")


def test_all_names_together_are_bounded_and_the_unseen_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "IN_ALL", 5)
    monkeypatch.setattr(names, "TOLD_ADDRESSES", 3)
    clock = Clock()
    known = Names(KEY, clock=clock)
    first, *_ = [known.give(f"10.0.0.{number}") for number in range(50)]
    assert len(known._known) == 5
    assert len(known.crowded()) == 3
    clock.now = FORGET_SECONDS - 1
    assert known.read(first)
    clock.now = FORGET_SECONDS + 1
    late = known.read(known.give("10.0.1.1"))
    assert not late.startswith("~")
    assert set(known._known) == {known.read(first), late}


def test_a_name_of_an_earlier_start_takes_a_place_if_there_is_one() -> None:
    before, after = Names(KEY, per_address=1), Names(KEY, per_address=1)
    kept, too_many = before.give("10.0.0.1"), before.give("10.0.0.2")
    assert after.read(kept) == ""  # before its browser was met
    assert after.meet("10.0.0.1", kept)
    assert after.read(kept) == before.read(kept)
    assert not after.meet("10.0.0.1", too_many)
    assert after.read(too_many) == ""
    assert after.read(after.give("10.0.0.1", too_many)).startswith("~")


def test_a_browser_that_was_forgotten_takes_its_name_up_again() -> None:
    clock: Any = Clock()
    known = Names(KEY, clock=clock)
    cookie = known.give("10.0.0.1")
    clock.now = 2 * FORGET_SECONDS
    known.give("10.0.0.2")
    assert known.read(cookie) == ""
    assert known.give("10.0.0.1", cookie) == cookie


def test_the_address_that_was_crowded_last_is_told_first() -> None:
    known = Names(KEY, per_address=1)
    for address in ("a", "a", "b", "b", "a"):
        known.give(address)
    assert known.crowded() == ["a", "b"]
