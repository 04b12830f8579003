"""What is happening in this run?"""

import streamlit as st

from gan_core.config import RunConfig
from gan_core.engine.library.lessons import next_act
from gan_core.store import ACTIVE, RunNotFound, RunRecord, StoreError
from gan_core.ui import (
    checkpoints,
    collapse_strip,
    deleted,
    draw_page,
    encoder_for,
    forking,
    hand_in,
    knobs,
    on_request,
    run_buttons,
    run_settings,
    side_by_side,
    take_away,
    watching,
)
from gan_core.ui.latent_page import has_space
from gan_core.ui.live_view import live_view
from gan_core.ui.pressing import PageEnds
from gan_core.ui.rights import may, pace
from gan_core.ui.run_cards import run_cards
from gan_core.ui.shell import (
    HOME,
    LATENT,
    WATCH,
    as_typed,
    give_room,
    lab,
    said_in_a_sentence,
    say,
    ticket,
)

LAST = "watch:last"  # the run that was looked at last, and its name
run_id = st.query_params.get("run", "")
if not run_id:
    st.title("Watch a run", anchor=False)
    if last := st.session_state.get(LAST):
        st.page_link(WATCH, label=f"Back to {last[1]}", icon=":material/arrow_back:", query_params={"run": last[0]})
    st.info("Choose a run, or start one from the Home page.", icon=":material/monitoring:")
    run_cards(ticket(), key="choose")
    raise PageEnds

give_room()
try:
    run: RunRecord = lab().store.run(run_id)
except (RunNotFound, StoreError) as error:
    say(error)
    st.page_link(HOME, label="Back to the beginning", icon=":material/home:")
    raise PageEnds from None

st.session_state[LAST] = run.id, as_typed(run.name)
if beside := st.query_params.get("beside"):
    with said_in_a_sentence():
        side_by_side.show(run, lab().store.run(beside))
    raise PageEnds

if deleted.say_deleted(run):
    st.title(as_typed(run.name), anchor=False)
    live_view(run_id, ticket(run_id), watching.panels_for(run), key=f"live:{run_id}", epoch=str(run.started_at or ""))
    raise PageEnds

title, actions = st.columns([1, 3], vertical_alignment="center")
title.title(as_typed(run.name), anchor=False)
act = next_act(run)
players = watching.players_of(run)


def status_now() -> str:
    return str(lab().view(run_id).status["state"])


steers = may("steer", run_id)
turns = steers and knobs.is_open(run_id) and status_now() in ("running", "paused")


@st.fragment(run_every=pace(2.0) if status_now() in ACTIVE else None)
def controls() -> None:
    """The buttons that make sense now; a run that begins or ends by itself refreshes the page once."""
    state, before = status_now(), st.session_state.get(f"state:{run_id}")
    st.session_state[f"state:{run_id}"] = state
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"):
        if state in ("running", "paused"):
            knobs.ask(run_id, shown=turns)
        forking.act_button(run, act)
        run_buttons.show(run_id, state, players)
    # Only now: a button that was pressed at the same time has been obeyed.
    if before in ACTIVE and before != state and (before == "queued" or state not in ACTIVE):
        st.rerun()


with actions:
    if steers:
        controls()
    else:  # nothing to press, so nothing that ticks: thirty pages that do would cost more than all they see
        with st.container(horizontal=True, horizontal_alignment="right"):
            run_buttons.again(run_id)
strip = st.container()  # always there: what stands below keeps its place in the page, and its charts
if turns:
    with strip:
        knobs.show(run_id)

forking.show_fork_dialog(run)
if origin := forking.origin(run, lab().store.events(run_id) if run.parent else ()):
    st.caption(origin)

if run.traceback:
    say(run.message)
    if may("teach"):
        with st.expander("Traceback", icon=":material/bug_report:"):
            st.code(run.traceback, language=None)

live_view(run_id, ticket(run_id), watching.panels_for(run), key=f"live:{run_id}", epoch=str(run.started_at or ""))

collapse_strip.offer(run)
if has_space(run):
    label = "Walk through its latent space"
    st.page_link(LATENT, label=label, icon=":material/explore:", query_params={"run": run_id})
draw_page.link(run)
config = RunConfig.load(run.config)
encoder_for.show(run, config)
if tree := forking.family_tree(run, lab().store.family(run_id)):
    with st.expander("Family of forks", icon=":material/account_tree:"):
        st.markdown(tree)
checkpoints.show(run_id)
on_request.show(run, config)
take_away.show(run_id)
hand_in.show(run)
run_settings.show(run, config)
