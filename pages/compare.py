"""Which is better, and how sure is that?"""

import streamlit as st

from gan_core.store import RunNotFound, StoreError
from gan_core.ui import compare_form, compare_view, deleted
from gan_core.ui.pressing import PageEnds
from gan_core.ui.shell import COMPARE, as_typed, lab, say

wanted = st.query_params.get("comparison", "")
if wanted:
    try:
        comparison = lab().store.comparison(wanted)
        if deleted.say_deleted(comparison):
            st.title(as_typed(comparison.name), anchor=False)
        else:
            compare_view.show(comparison)
    except (RunNotFound, StoreError) as error:
        say(error)
        st.page_link(COMPARE, label="All comparisons", icon=":material/arrow_back:")
    raise PageEnds

st.title("Compare", anchor=False)
st.markdown(
    "Choose what differs and how many seeds. The runs advance together and are judged by what does not depend on the loss."
)
deleted.offer_undo()

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
