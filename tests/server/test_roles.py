"""Who is the teacher: the key of this start, tried a few times a minute, or a verified e-mail on the list."""

from __future__ import annotations

from typing import Any

import pytest

from gan_core.server.roles import TRIES, TRIES_IN_ALL, TRY_SECONDS, NotAllowed, RateLimit, TeacherKey, teaches


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_key_opens_a_session_and_is_not_the_session() -> None:
    key = TeacherKey()
    session = key.exchange(key.secret, "10.0.0.1")
    assert key.opens(session)
    assert key.secret not in session
    assert not key.opens(key.secret)
    key.end(session)
    assert not key.opens(session)


def test_each_start_has_a_key_of_its_own() -> None:
    one, other = TeacherKey(), TeacherKey()
    assert len(one.secret) >= 32
    assert one.secret != other.secret
    assert not other.opens(one.exchange(one.secret, "a"))
    with pytest.raises(NotAllowed, match="not the teacher's link"):
        other.exchange(one.secret, "a")


@pytest.mark.parametrize("given", ["", "x", "\udcff", "ä" * 5000])
def test_a_wrong_key_is_a_sentence(given: str) -> None:
    with pytest.raises(NotAllowed, match="not the teacher's link"):
        TeacherKey().exchange(given, "a")


def answers(key: TeacherKey, addresses: list[str]) -> list[str]:
    told = []
    for address in addresses:
        with pytest.raises(NotAllowed) as refused:
            key.exchange("a guess", address)
        told.append(str(refused.value))
    return told


def test_wrong_keys_of_an_address_are_soon_no_longer_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    key = TeacherKey(clock)
    told = answers(key, ["10.0.0.66"] * 100)
    assert sum("not the teacher's link" in text for text in told) == TRIES
    assert "Too many" in told[-1]
    assert len(caplog.records) == 1
    assert key.secret not in caplog.text
    assert "not the teacher's link" in answers(key, ["10.0.0.1"])[0]
    clock.now = TRY_SECONDS + 1
    assert "not the teacher's link" in answers(key, ["10.0.0.66"])[0]


def test_who_says_another_address_each_time_is_slowed_down_too() -> None:
    told = answers(TeacherKey(Clock()), [f"10.0.{n // 256}.{n % 256}" for n in range(300)])
    assert sum("not the teacher's link" in text for text in told) == TRIES_IN_ALL


def test_wrong_keys_never_lock_the_right_one_out() -> None:
    key = TeacherKey(Clock())
    answers(key, ["10.0.0.1"] * 1000)
    assert key.opens(key.exchange(key.secret, "10.0.0.1"))
    assert key.opens(key.exchange(key.secret, "10.0.0.2"))


def test_a_limit_forgets_old_events_and_the_longest_unseen_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_core.server.roles.MOST_KEYS", 3)
    clock = Clock()
    limit = RateLimit(2, 10.0, clock)
    assert [limit.take("a") for _ in range(3)] == [True, True, False]
    clock.now = 10.0
    assert limit.take("a")
    for key in "bcde":
        limit.take(key)
    assert len(limit._times) == 3


def test_a_key_that_is_asked_of_is_not_the_longest_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_core.server.roles.MOST_KEYS", 3)
    limit = RateLimit(1, 10.0, Clock())
    assert [limit.take(key) for key in "abcad"] == [True, True, True, False, True]
    assert not limit.take("a"), "the last to be forgotten was b"


def test_a_voucher_opens_for_its_browser_until_it_is_withdrawn() -> None:
    key = TeacherKey()
    voucher = key.vouch("ann")
    assert key.vouched("ann", voucher)
    assert not key.vouched("ann", "")
    assert not key.vouched("eve", voucher)
    assert not key.vouched("eve", ""), "no voucher is not an empty one"
    assert key.vouch("") == ""
    key.withdraw("ann")
    assert not key.vouched("ann", voucher)


TEACHERS = ["Ada@School.example"]
ADA = {"is_logged_in": True, "email": "ada@school.example", "email_verified": True}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"email": " ADA@SCHOOL.EXAMPLE "}, True),
        ({"is_logged_in": False}, False),
        ({"email_verified": False}, False),
        ({"email_verified": None}, False),
        ({"email_verified": "true"}, False),
        ({"email": "eve@school.example"}, False),
        ({"email": ["ada@school.example"]}, False),
        ({"email": None}, False),
    ],
)
def test_a_teacher_by_mail_is_logged_in_verified_and_listed(changes: dict[str, Any], expected: bool) -> None:
    assert teaches(ADA | changes, TEACHERS) is expected
    assert not teaches({}, TEACHERS)
    assert not teaches(ADA | changes, [])
