"""The frame around every page: navigation along the top."""

import streamlit as st

from gan_core.ui.shell import HOME, ICON, TOUR, say_what_is_wrong

st.set_page_config("GANscope", page_icon=ICON, layout="wide")
page = st.navigation(
    [st.Page(file, title=title, icon=icon, default=file == HOME) for file, (title, icon) in TOUR.items()],
    position="top",
)
say_what_is_wrong()
page.run()
