"""Which is better, and how sure is that?"""

import streamlit as st

from gan_core.store import RunNotFound, StoreError
from gan_core.ui import compare_form, compare_view
from gan_core.ui.pressing import PageEnds
from gan_core.ui.shell import COMPARE, action_button, lab

wanted = st.query_params.get("comparison", "")
if wanted:
    try:
        compare_view.show(lab().store.comparison(wanted))
    except (RunNotFound, StoreError) as error:
        st.error(str(error), icon=":material/error:")
        st.page_link(COMPARE, label="All comparisons", icon=":material/arrow_back:")
    raise PageEnds

st.title("Compare", anchor=False)
st.markdown(
    "Choose what differs and how many seeds. The runs advance together and are judged by what does not depend on the loss."
)
if deleted := st.session_state.get("compare:deleted"):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("The comparison was deleted with its runs.")
        if action_button("edit", "Undo", icon=":material/undo:"):
            lab().store.restore_comparison(st.session_state.pop("compare:deleted"))
            st.rerun()

compare_form.show_form()

if kept := lab().store.comparisons():
    st.subheader("Comparisons", anchor=False)
    st.dataframe(
        [
            {
                "comparison": f"compare?comparison={comparison.id}",
                "name": comparison.name,
                "runs": len(comparison.members),
                "seeds": len({member.seed for member in comparison.members}),
            }
            for comparison in kept
        ],
        hide_index=True,
        column_config={"comparison": st.column_config.LinkColumn("open", display_text="open")},
    )
