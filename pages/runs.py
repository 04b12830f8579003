"""What has been run here?"""

import time

import streamlit as st

from gan_core.ui import deleted, forking, runs_table, take_away
from gan_core.ui.pressing import press
from gan_core.ui.rights import may, why_not
from gan_core.ui.shell import (
    COMPARE,
    HOME,
    action_button,
    as_typed,
    lab,
    offer_to_go_on,
    said_in_a_sentence,
    ticket,
    watch,
)

st.title("Runs", anchor=False)
records = lab().store.runs()
if not records:
    st.info("No runs yet. Start one from the Home page, and it will be listed here for good.", icon=":material/list:")
    st.page_link(HOME, label="Start a run", icon=":material/play_arrow:")

offer_to_go_on()
runs_table.show_faults(lab().health.faults)

deleted.offer_undo()

if records:
    archive = {run.id for run in records if getattr(run, "archived_at", None) is not None}
    search, states, data, labels = st.columns([4, 2, 2, 2])
    text = search.text_input(
        "Filter",
        placeholder="a name, note or word, or rounds>=2000 objective=wgan_gp",
        help="Words of the name, tag, note, id or settings; and conditions such as n_critic>1, modes_covered<8, seed!=0",
        key="filter",
        bind="query-params",
    )
    shown_states = states.multiselect("Status", runs_table.states_of(records), placeholder="all")
    shown_data = data.multiselect("Data", runs_table.data_of(records), placeholder="all")
    shown_tags = labels.multiselect("Tags", runs_table.tags_of(records), placeholder="all")
    kept = [run for run in records if runs_table.matches(run, text or "", shown_states, shown_data, shown_tags)]
    with st.container(horizontal=True, vertical_alignment="center"):
        group = st.selectbox(
            "Group by",
            runs_table.groupings(kept),
            index=None,
            placeholder="group by",
            label_visibility="collapsed",
            key="group",
            bind="query-params",
            width=260,
        )
        with st.popover("Columns", icon=":material/view_column:"):
            columns = st.multiselect(
                "Columns",
                runs_table.columns_of(records),
                list(runs_table.USUAL),
                format_func=runs_table.title_of,
                key="columns",
                bind="query-params",
                help="The usual ones, the settings in which these runs differ, and their last measurements",
            )
        archived = st.toggle("Archived", key="archived", bind="query-params") if archive else False
        kept = [run for run in kept if (run.id in archive) == archived]
        st.caption(f"{len(kept)} of {len(records)} runs", width="content")
    baseline = runs_table.baseline_of(records, st.query_params.get("baseline", ""))
    if baseline is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/keep: Baseline: **{as_typed(baseline.name)}**", width="content")
            if st.button("Unpin", type="tertiary", icon=":material/keep_off:"):
                del st.query_params["baseline"]
                st.rerun()
    if group:
        groups = runs_table.grouped(kept, group)
        kept = [run for members in groups.values() for run in members]
        st.dataframe(runs_table.summary(groups, group), hide_index=True)
    chosen = runs_table.show(kept, lab(), ticket(), key="runs", group=group or "", baseline=baseline, columns=columns)

    if chosen:
        seen = [run.id for run in chosen]
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                if len(chosen) == 1 and st.button("Open", type="primary", icon=":material/monitoring:"):
                    watch(chosen[0].id)
                if len(chosen) > 1 and action_button(
                    "teach", f"Compare {len(chosen)}", icon=":material/compare_arrows:", key="compare", seen=seen
                ):
                    with said_in_a_sentence():
                        made = lab().collect([run.id for run in chosen])
                        st.switch_page(COMPARE, query_params={"comparison": made})
                delete = f"Delete {len(chosen)}"
                if action_button("edit", delete, icon=":material/delete:", key="delete", seen=seen):
                    with said_in_a_sentence():
                        lab().delete(*(run.id for run in chosen))
                        st.rerun()
                for label, then, icon in (
                    ("Archive", time.time(), "archive"),
                    ("Take out of the archive", None, "unarchive"),
                ):
                    those = [run for run in chosen if (run.archived_at is None) == (then is not None)]
                    label, shown = f"{label} {len(those)}", [run.id for run in those]
                    if those and action_button("edit", label, icon=f":material/{icon}:", key=icon, seen=shown):
                        for run in those:
                            lab().store.update(run.id, archived_at=then)
                        st.rerun()
                if (
                    len(chosen) == 1
                    and baseline != chosen[0]
                    and st.button("Pin as the baseline", icon=":material/keep:")
                ):
                    st.query_params["baseline"] = chosen[0].id
                    st.rerun()
            if baseline is not None and len(chosen) == 1 and chosen[0].id != baseline.id:
                found = runs_table.differences_to(baseline, chosen[0])
                st.dataframe(
                    [{"setting": f, "baseline": str(old), "this run": str(new)} for f, (old, new) in found.items()],
                    hide_index=True,
                )
            if len(chosen) == 1 and (tree := forking.family_tree(chosen[0], lab().store.family(chosen[0].id))):
                st.markdown(tree)
            with st.form("tags", border=False):
                first = chosen[0]
                name = st.text_input("Name", first.name, max_chars=120) if len(chosen) == 1 else None
                tags = st.text_input("Tags, separated by commas", ", ".join(first.tags))
                note = st.text_area("Note", first.note, max_chars=4000) if len(chosen) == 1 else None
                lock = {"disabled": not may("edit"), "help": why_not("edit")}
                if press(st.form_submit_button, "Keep", key="keep", seen=seen, **lock) == "now":
                    for run in chosen:
                        lab().store.update(run.id, tags=[tag.strip() for tag in tags.split(",") if tag.strip()])
                    if len(chosen) == 1:
                        lab().store.update(first.id, name=name or first.name, note=note)
                    st.rerun()

with st.expander("Import a pack", icon=":material/upload:"):
    take_away.bring_in()

deleted.show_bin()
