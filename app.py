"""GANscope's entry point: `streamlit run app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from gan_core.server.headers import SecurityHeaders
from gan_core.server.lifespan import lifespan
from gan_core.server.live import routes


def allowed_hosts() -> list[str]:
    """Host names besides localhost: those of Streamlit's own option, and the address that the server is bound to."""
    address = st.get_option("server.address")
    return [*st.get_option("server.allowedHosts"), *([address] if address else [])]


app = st.App(
    Path(__file__).resolve().parent / "pages" / "router.py",
    lifespan=lifespan(),
    routes=routes(allowed_hosts=allowed_hosts),
    middleware=[Middleware(SecurityHeaders)],
)
