"""The frame around every page: navigation along the top, and in a class its strip at the foot."""

from contextlib import suppress

import streamlit as st

from gan_core.ui.class_bar import class_bar, in_class
from gan_core.ui.page_keys import page_keys
from gan_core.ui.pressing import PageEnds, end_page
from gan_core.ui.shell import CLASS, CLUSTER, HOME, ICON, TOUR, lab, renew_tickets, say_what_is_wrong

st.set_page_config("GANscope", page_icon=ICON, layout="wide")
cluster = [st.Page(CLUSTER, title="Cluster")] if lab().cluster is not None else []
shown = {file: about for file, about in TOUR.items() if file != CLASS or in_class()}
page = st.navigation(
    [*(st.Page(file, title=title, default=file == HOME) for file, (title, _) in shown.items()), *cluster],
    position="top",
)
page_keys()
class_bar()
say_what_is_wrong()
renew_tickets()
with suppress(PageEnds):
    page.run()
end_page()
