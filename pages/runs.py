"""What has been run here?"""

import streamlit as st

from gan_core.ui import forking, runs_table, take_away
from gan_core.ui.rights import may, why_not
from gan_core.ui.shell import COMPARE, HOME, action_button, lab, offer_to_go_on, said_in_a_sentence, ticket, watch

st.title("Runs", anchor=False)
records = lab().store.runs()
if not records:
    st.info("No runs yet. Start one from the Home page, and it will be listed here for good.", icon=":material/list:")
    st.page_link(HOME, label="Start a run", icon=":material/play_arrow:")

with st.expander("Import a pack", icon=":material/upload:"):
    take_away.bring_in()
offer_to_go_on()
runs_table.show_faults(lab().health.faults)

deleted: list[str] = st.session_state.get("deleted", [])
if deleted:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{len(deleted)} run(s) deleted.")
        if action_button("edit", "Undo", icon=":material/undo:"):
            for run_id in st.session_state.pop("deleted"):
                lab().store.restore(run_id)
            st.rerun()

if records:
    search, states, data = st.columns([3, 2, 2])
    text = search.text_input(
        "Filter", placeholder="name, tag, note, id, or a setting such as wgan_gp", key="filter", bind="query-params"
    )
    shown_states = states.multiselect("Status", runs_table.states_of(records), placeholder="all")
    shown_data = data.multiselect("Data", runs_table.data_of(records), placeholder="all")
    kept = [run for run in records if runs_table.matches(run, text or "", shown_states, shown_data)]
    st.caption(f"{len(kept)} of {len(records)} runs")
    chosen = runs_table.show(kept, lab(), ticket(), key="runs")

    if chosen:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                if len(chosen) == 1 and st.button("Open", type="primary", icon=":material/monitoring:"):
                    watch(chosen[0].id)
                if len(chosen) > 1 and action_button(
                    "teach", f"Compare {len(chosen)}", icon=":material/compare_arrows:"
                ):
                    with said_in_a_sentence():
                        made = lab().collect([run.id for run in chosen])
                        st.switch_page(COMPARE, query_params={"comparison": made})
                if action_button("edit", f"Delete {len(chosen)}", icon=":material/delete:"):
                    gone = []
                    for run in chosen:
                        with said_in_a_sentence():
                            lab().delete(run.id)
                            gone.append(run.id)
                    if gone:
                        st.session_state["deleted"] = gone
                        st.rerun()
            if len(chosen) == 1 and (tree := forking.family_tree(chosen[0], lab().store.family(chosen[0].id))):
                st.markdown(tree)
            with st.form("tags", border=False):
                first = chosen[0]
                name = st.text_input("Name", first.name, max_chars=120) if len(chosen) == 1 else None
                tags = st.text_input("Tags, separated by commas", ", ".join(first.tags))
                note = st.text_area("Note", first.note, max_chars=4000) if len(chosen) == 1 else None
                if st.form_submit_button("Keep", disabled=not may("edit"), help=why_not("edit")):
                    for run in chosen:
                        lab().store.update(run.id, tags=[tag.strip() for tag in tags.split(",") if tag.strip()])
                    if len(chosen) == 1:
                        lab().store.update(first.id, name=name or first.name, note=note)
                    st.rerun()
