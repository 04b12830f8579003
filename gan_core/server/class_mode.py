"""Whether this server is a class's: only on purpose, and then it says so. Bound beyond this machine means class, always."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from gan_core.server.classroom import Classroom
from gan_core.server.names import Names
from gan_core.server.tickets import open_tickets

log = logging.getLogger(__name__)

CLASS, STUDENT_RUNS, TEACHERS, LINK, PER_ADDRESS = (
    f"GANSCOPE_{name}" for name in ("CLASS", "STUDENT_RUNS", "TEACHERS", "CLASS_LINK", "BROWSERS_PER_ADDRESS")
)
"""Environment variables: ``1`` for a class on localhost too (behind a proxy); runs per student; e-mails; the class link; how
many browsers of one address count for themselves (more where a whole class is behind one)."""
LINK_FILE = "teacher-link"

_room: Classroom | None = None


def current_classroom() -> Classroom | None:
    """The class of this server; None on a server that answers on its own machine only."""
    return _room


def begin(*, address: str | None, port: int, root: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Open the class if this server is one, and tell the teacher's link once, to a terminal or to a file of the owner's.

    ``address`` is what the server is bound to; None or "" is every interface.
    """
    global _room
    _room = None
    _forget_link(root)
    if is_loopback(address) and environment.get(CLASS, "") in ("", "0"):
        return
    here = address if address and not _every_interface(address) else lan_address()
    link = environment.get(LINK) or f"http://{f'[{here}]' if ':' in here else here}:{port}/"
    teachers = [mail for mail in environment.get(TEACHERS, "").split(",") if mail.strip()]
    runs, per_address = environment.get(STUDENT_RUNS, "0"), environment.get(PER_ADDRESS, "")
    names = Names(open_tickets(root).derived("names of viewers"))
    if per_address.isdecimal():
        names.let_count(int(per_address))
    _room = Classroom(
        link=link,
        teachers=teachers,
        student_runs=int(runs) if runs.isdecimal() else 0,
        names=names,
        behind_proxy=is_loopback(address),
    )
    announce(_room, root, sys.stdout)


def end(root: Path) -> None:
    """The class is over: its link opens nothing."""
    global _room
    _room = None
    _forget_link(root)


def _forget_link(root: Path) -> None:
    """The link of a class that is over opens nothing: where its file is not there, or cannot be removed, all is well."""
    with contextlib.suppress(OSError):
        (root / LINK_FILE).unlink()


def announce(room: Classroom, root: Path, terminal: TextIO) -> None:
    """Print both links where a person reads them. Where output goes into a log, the secret goes into a file instead."""
    teacher = f"{room.link}class/teacher#{room.key.secret}"
    said = [
        "",
        "  GANscope is open to the network: everyone who can reach this machine can watch.",
        f"  Class link:   {room.link}",
    ]
    if terminal.isatty():
        said.append(f"  Teacher link: {teacher}   (yours alone; new at each start)")
    else:
        path = root / LINK_FILE
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
                file.write(teacher + "\n")
            said.append(f"  Teacher link: in the file {LINK_FILE} of the store, which only you can read")
        except OSError as error:
            said.append(
                f"  Teacher link: the store cannot be written to ({error.strerror}); a terminal would show the link"
            )
    print("\n".join([*said, ""]), file=terminal, flush=True)


def class_command(
    *, address: str, port: int, hosts: Sequence[str], student_runs: int, store: Path
) -> tuple[list[str], dict[str, str]]:
    """What serves a class, as a command and its environment. ``hosts`` are names of this machine besides its address."""
    app = Path(__file__).resolve().parents[2] / "app.py"
    known = ["localhost", "127.0.0.1", "::1", lan_address(), socket.gethostname(), *hosts]
    if not _every_interface(address):
        known.append(address)
    options = {
        "server.address": address,
        "server.port": str(port),
        "client.showErrorDetails": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": hosts[0] if hosts else lan_address(),  # else Streamlit asks another host for ours
    }
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    command += [part for host in dict.fromkeys(known) for part in ("--server.allowedHosts", host)]
    link = {LINK: f"http://{hosts[0]}:{port}/"} if hosts else {}
    settings = {CLASS: "1", STUDENT_RUNS: str(max(0, student_runs)), "GANSCOPE_STORE": str(store), **link}
    return command, {**os.environ, **settings}


def is_loopback(address: str | None) -> bool:
    """Whether a server bound to this address can be reached from its own machine only."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def lan_address() -> str:
    """This machine's address in its network, else localhost. Asks the routing table; nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
        return str(probe.getsockname()[0])
    return "localhost"


def _every_interface(address: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(address).is_unspecified
    return False
