"""What every page needs: the lab, tickets, links between pages, and errors said in a sentence."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from gan_core.about import About
from gan_core.config import ConfigError, RunConfig, losses_of
from gan_core.engine import DataError, Lab, Refused, current_lab, interrupted, resume_interrupted
from gan_core.server.roles import Action
from gan_core.server.tickets import open_tickets
from gan_core.store import RunNotFound, StoreError
from gan_core.ui.faults import without_paths
from gan_core.ui.pressing import press
from gan_core.ui.rights import guarded, may, pace, why_not

ICON = str(Path(__file__).with_name("icon.png"))
HOME, TRAIN, WATCH, COMPARE, LATENT, DRAW, USES, RUNS, DATA, LIBRARY, THEORY, COLLAPSE, LESSONS, CLASS = (
    f"{name}.py"
    for name in (
        "home",
        "train",
        "watch",
        "compare",
        "latent",
        "draw",
        "uses",
        "runs",
        "data",
        "library",
        "theory",
        "collapse",
        "lessons",
        "classroom",
    )
)
CLUSTER = "cluster.py"  # where there is one
BEGINS = Path(__file__).with_name("begins.css")
"""What keeps the box of Start in sight on a page with a long form."""
LEFT = "left"  # where each page was left that can be come back to
LOOK_SECONDS = 5.0  # between two looks whether the store can be written again

TOUR = {
    HOME: ("Home", ":material/home:"),
    TRAIN: ("Train", ":material/tune:"),
    WATCH: ("Watch", ":material/monitoring:"),
    COMPARE: ("Compare", ":material/compare_arrows:"),
    LATENT: ("Latent", ":material/explore:"),
    DRAW: ("Draw", ":material/draw:"),
    USES: ("Uses", ":material/science:"),
    RUNS: ("Runs", ":material/list:"),
    DATA: ("Data", ":material/dataset:"),
    LIBRARY: ("Library", ":material/menu_book:"),
    COLLAPSE: ("Collapse Lab", ":material/emergency:"),
    THEORY: ("Theory", ":material/school:"),
    LESSONS: ("Lessons", ":material/co_present:"),
    CLASS: ("Class", ":material/groups:"),
}


def lab() -> Lab:
    """The server's lab, which asks for the visitor's right at each action."""
    return guarded(current_lab())


def come_back(page: str) -> None:
    """The page as it was left, for who comes by the navigation, whose links name the page and nothing of it."""
    left = st.session_state.setdefault(LEFT, {})
    if st.query_params.to_dict():
        left[page] = st.query_params.to_dict()
    elif page in left:
        st.query_params.from_dict(left[page])


def say_what_is_wrong() -> None:
    """On every page: why nothing can be written here, or that the server does nothing by itself."""
    if why := lab().store.only_reads:
        # Which other process has the store is for who can end it.
        st.warning(
            why if may("teach") else "For now the runs here can only be looked at.", icon=":material/visibility:"
        )

        @st.fragment(run_every=pace(LOOK_SECONDS))
        def look() -> None:
            if lab().store.only_reads != why:  # the other server is gone, or there is room on the disk
                st.rerun()

        look()
    if lab().safe_mode:
        st.warning(
            "The server ended again and again as soon as it had begun. It has started in safe mode: it did not look the "
            "store over, and resumes nothing by itself. Look at the newest runs before you resume one.",
            icon=":material/healing:",
        )


def offer_to_go_on() -> None:
    """A button that goes on with every run that a crash or a shutdown interrupted, where there is one."""
    can_act = may("teach") and not lab().store.only_reads
    waiting = interrupted(lab().store) if can_act else []
    if not waiting:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        runs = "One run was" if len(waiting) == 1 else f"{len(waiting)} runs were"
        st.markdown(f"{runs} interrupted.")
        if st.button("Resume" if len(waiting) == 1 else "Resume all", icon=":material/play_arrow:", key="resume-all"):
            with said_in_a_sentence():
                resumed = resume_interrupted(lab())
                for run_id, why in resumed.refused.items():
                    say(f"{run_id}: {why}")
                if not resumed.refused:
                    st.rerun()


def give_room() -> None:
    """On a page whose picture carries the lesson: little above it."""
    st.html(Path(__file__).with_name("room.css"))


def ticket(run_id: str = "*") -> str:
    """A ticket for the live routes of one run, or of all; a rerun changes it only when its window is over."""
    return open_tickets(lab().store.root).mint(run_id)


def renew_tickets() -> None:
    """On every page: it runs again before a ticket on it expires, so that one that stays open for days keeps its pictures."""
    tickets = open_tickets(lab().store.root)
    made = tickets.mint()

    @st.fragment(run_every=tickets.look_seconds)
    def look() -> None:
        if tickets.mint() != made:
            st.rerun()

    look()


def watch(run_id: str, *, beside: str = "") -> None:
    """Go to the Watch page of a run, or of two side by side."""
    st.switch_page(WATCH, query_params={"run": run_id} | ({"beside": beside} if beside else {}))


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """Show what was refused, and go on with the page."""
    try:
        yield
    except (ConfigError, DataError, Refused, RunNotFound, StoreError) as error:
        say(error)


def say(error: object, icon: str = ":material/error:") -> None:
    """Show what is wrong as text: a sentence may name what somebody typed, or what stands in an address."""
    st.error(as_typed(without_paths(str(error))), icon=icon)


def action_button(action: Action, label: str, *, runs: Sequence[str] = (), seen: object = None, **options: Any) -> bool:
    """A button that is disabled, with the reason as its help, for a visitor who may not do this to these runs.

    With ``seen``, what the page shows and the press relies on, a press on a page that showed something else does nothing.
    """
    reason = why_not(action, *runs)
    if reason is not None:
        options |= {"disabled": True, "help": reason}
    return st.button(label, **options) if seen is None else press(st.button, label, seen=seen, **options) == "now"


def start_button(label: str, *, key: str, seen: object, action: Action = "start", **options: Any) -> bool:
    """A button that starts something under the ``click_of(key)`` and ends with ``show_started(key, …)``: two clicks are one."""
    if reason := why_not(action):
        options |= {"disabled": True, "help": reason}
    pressed = press(st.button, label, key=key, seen=(seen, click_of(key)), **options)
    if pressed == "again" and (started := st.session_state.get(f"started:{key}")):
        page, query = started
        st.switch_page(page, query_params=query)
    return pressed == "now"


def click_of(key: str) -> str:
    """What the next press of a start button is known by; the same for both halves of a double click."""
    return str(st.session_state.setdefault(f"click:{key}", uuid.uuid4().hex))


def show_started(key: str, page: str, query: dict[str, str]) -> NoReturn:
    """Go to see what a start button has started."""
    del st.session_state[f"click:{key}"]
    st.session_state[f"started:{key}"] = page, query
    st.switch_page(page, query_params=query)


def start(config: RunConfig, *, key: str, name: str = "", takes: Mapping[str, float] | None = None) -> None:
    """Start a run and go to see it; a sentence instead where it cannot be. ``key`` is that of its button, ``takes`` what the
    run is to take of a cluster's node.
    """
    with said_in_a_sentence():
        run_id = lab().submit(config, name=name, key=click_of(key), takes=takes)
        show_started(key, WATCH, {"run": run_id})


def as_typed(text: str) -> str:
    """A text that somebody wrote, for a place that takes Markdown: shown as it is, no picture, colour or formula.

    An address that is written out can still be clicked, and says where it leads.
    """
    return re.sub(r"([\\`*_\[\]<>$:~|#])", r"\\\1", text)


def about_card(about: About) -> None:
    """Formula, idea, what to watch for, and the paper."""
    st.latex(about.formula)
    st.markdown(about.idea)
    st.markdown(f"**Watch for:** {about.watch_for}")
    source = f"[{about.citation}]({about.url})" if about.url else about.citation
    st.caption(source)


def copy_as(config: Mapping[str, Any], changed: Mapping[str, Any], preset: str | None = None) -> None:
    """The same run from a terminal, from Python, and as a file."""
    settings = " ".join(f"--set '{key}={json.dumps(value)}'" for key, value in changed.items())
    base = f"--preset {preset} " if preset else ""
    shell, python, file = st.tabs(["Terminal", "Python", "JSON"])
    with shell:
        st.code(f"python -m gan_core train {base}{settings}".strip(), language="bash", wrap_lines=True)
    with python:
        st.code(
            "from gan_core import RunConfig, train\n\n"
            f"config = RunConfig.from_json('''{json.dumps(config, indent=2)}''')\n"
            f"result = train(config)\nresult.scalars.plot(x='round', y={losses_of(config)})",
            language="python",
            height=320,
        )
    with file:
        st.code(json.dumps(config, indent=2), language="json", height=320)
