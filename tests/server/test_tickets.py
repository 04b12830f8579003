"""Tickets open what they were signed for, until they expire, across restarts, and nothing else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gan_core.server import tickets
from gan_core.server.tickets import WINDOW, Tickets, _read_or_create_key, open_tickets

KEY = bytes(range(32))
NOW = 1_800_000_000.0


def test_a_ticket_opens_its_run_and_no_other() -> None:
    tickets = Tickets(KEY)
    ticket = tickets.mint("run-a", now=NOW)
    assert tickets.valid(ticket, "run-a", now=NOW)
    assert not tickets.valid(ticket, "run-b", now=NOW)
    assert not tickets.valid(ticket, "*", now=NOW)


def test_the_star_opens_every_run() -> None:
    tickets = Tickets(KEY)
    ticket = tickets.mint("*", now=NOW)
    assert tickets.valid(ticket, "run-a", now=NOW)
    assert tickets.valid(ticket, "*", now=NOW)


def test_a_ticket_lives_at_least_one_window_and_at_most_two() -> None:
    tickets = Tickets(KEY)
    ticket = tickets.mint("run-a", now=NOW)
    assert tickets.valid(ticket, "run-a", now=NOW + WINDOW)
    assert not tickets.valid(ticket, "run-a", now=NOW + 2 * WINDOW + 1)
    expiry = int(ticket.partition(".")[0])
    assert tickets.valid(ticket, "run-a", now=expiry - 1)
    assert not tickets.valid(ticket, "run-a", now=expiry)


def test_a_ticket_has_one_spelling() -> None:
    tickets = Tickets(KEY)
    expiry, _, signature = tickets.mint("run-a", now=NOW).partition(".")
    arabic = "".join(chr(0x660 + int(digit)) for digit in expiry)
    assert not tickets.valid(f"{arabic}.{signature}", "run-a", now=NOW)


def test_within_a_window_everyone_gets_the_same_ticket() -> None:
    start = NOW - NOW % WINDOW
    tickets = Tickets(KEY)
    assert tickets.mint("r", now=start) == tickets.mint("r", now=start + WINDOW - 1)
    assert tickets.mint("r", now=start) != tickets.mint("r", now=start + WINDOW)


def test_a_later_expiry_cannot_be_written_into_a_ticket() -> None:
    tickets = Tickets(KEY)
    expiry, _, signature = tickets.mint("run-a", now=NOW).partition(".")
    assert not tickets.valid(f"{int(expiry) + WINDOW}.{signature}", "run-a", now=NOW)


def test_another_key_signs_differently() -> None:
    assert not Tickets(KEY).valid(Tickets(bytes(32)).mint("run-a", now=NOW), "run-a", now=NOW)


@pytest.mark.parametrize(
    "ticket",
    ["", ".", "x.y", "1800000000", "-1.a", "9" * 400 + ".a", "9" * 5000 + ".a", "١٢٣.a", "1e9.a", "\udcff.\udcff"],
)
def test_nonsense_is_refused_and_not_an_error(ticket: str) -> None:
    assert not Tickets(KEY).valid(ticket, "run-a", now=NOW)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tickets(b"short")


def test_the_key_survives_a_restart_and_is_for_the_owner_only(tmp_path: Path) -> None:
    ticket = open_tickets(tmp_path).mint("run-a")
    open_tickets.cache_clear()  # as a new process would
    assert open_tickets(tmp_path).valid(ticket, "run-a")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_readable_key_is_closed_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    key = _read_or_create_key(path)
    path.chmod(0o644)
    assert _read_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["", "not hex", "abcd"])
def test_a_damaged_key_is_replaced(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "secret"
    path.write_text(damage)
    key = _read_or_create_key(path)
    assert len(key) == 32
    assert _read_or_create_key(path) == key


def test_a_key_that_is_gone_once_it_is_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"another process writes over it")
    monkeypatch.setattr(tickets, "_read_key", lambda path: None)
    with pytest.raises(OSError, match="Could not create the ticket key"):
        _read_or_create_key(path)


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: _read_or_create_key(tmp_path / "secret"), range(64)))
    assert len(keys) == 1


def test_two_stores_have_two_keys(tmp_path: Path) -> None:
    assert not open_tickets(tmp_path / "b").valid(open_tickets(tmp_path / "a").mint("r"), "r")


def test_the_length_of_a_window_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_tickets.cache_clear()
    monkeypatch.setenv("GANSCOPE_TICKET_SECONDS", "60")
    tickets = open_tickets(tmp_path)
    assert tickets.look_seconds == 15
    ticket = tickets.mint("r", now=NOW)
    assert tickets.valid(ticket, "r", now=NOW + 60)
    assert not tickets.valid(ticket, "r", now=NOW + 121)
    open_tickets.cache_clear()


@pytest.mark.parametrize("text", ["0", "-3", "soon", "1e3", "43201", "٦٠"])
def test_a_length_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    open_tickets.cache_clear()
    monkeypatch.setenv("GANSCOPE_TICKET_SECONDS", text)
    with pytest.raises(ValueError, match="whole number of seconds"):
        open_tickets(tmp_path)
    monkeypatch.delenv("GANSCOPE_TICKET_SECONDS")


def test_a_page_asks_again_long_before_its_ticket_expires() -> None:
    """Whenever in its window it was drawn: what it has is of the window before at most."""
    tickets = Tickets(KEY)
    start = int(NOW - NOW % WINDOW)
    for drawn in (start, start + WINDOW // 2, start + WINDOW - 1):
        ticket, looks = tickets.mint("r", now=drawn), int(tickets.look_seconds)
        renewed = next(now for now in range(drawn, drawn + 9 * WINDOW, looks) if tickets.mint("r", now=now) != ticket)
        assert tickets.valid(ticket, "r", now=renewed + WINDOW // 2)
