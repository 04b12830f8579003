"""GANscope's entry point: `streamlit run app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from gan_core.loading import for_good

with for_good():
    from gan_core import engine
    from gan_core.server import class_mode
    from gan_core.server.access import OurSite
    from gan_core.server.asking import asking_routes, close_guides
    from gan_core.server.assets import script_routes
    from gan_core.server.class_routes import ClassCookies, class_routes, teaches_here
    from gan_core.server.connections import KeepRoom
    from gan_core.server.first_page import first_page_routes
    from gan_core.server.headers import SecurityHeaders
    from gan_core.server.lifespan import lifespan, open_lab_for_visitors
    from gan_core.server.live import routes
    from gan_core.ui import first_page, scripts
    from gan_core.ui.faults import tell_fault
    from gan_core.ui.gone_sessions import close_gone_sessions


def allowed_hosts() -> list[str]:
    """Host names besides localhost: those of Streamlit's own option, and the address that the server is bound to."""
    address = st.get_option("server.address")
    return [*st.get_option("server.allowedHosts"), *([address] if address else [])]


def open_lab() -> engine.Lab:
    """The lab, and the class if this server is one."""
    lab = open_lab_for_visitors()
    class_mode.begin(
        address=st.get_option("server.address"), port=st.get_option("server.port"), root=Path(lab.store.root)
    )
    return lab


def close_lab(timeout: float) -> None:
    """The end of both."""
    class_mode.end(engine.default_root())
    close_guides()
    engine.close_lab(timeout)


app = st.App(
    Path(__file__).resolve().parent / "pages" / "router.py",
    lifespan=lifespan(open_lab, close_lab, tend=close_gone_sessions),
    routes=[
        *class_routes(class_mode.current_classroom),
        *script_routes(scripts.prefix(), scripts.modules()),
        *routes(),
        *asking_routes(),
        *first_page_routes(first_page.PATHS, first_page.PLAIN, first_page.STYLE, first_page.SCRIPT),
    ],
    middleware=[
        Middleware(KeepRoom, teaches=lambda scope: teaches_here(class_mode.current_classroom(), scope)),
        Middleware(OurSite, allowed_hosts=allowed_hosts),
        Middleware(SecurityHeaders),
        Middleware(ClassCookies, room_getter=class_mode.current_classroom),
    ],
    on_script_error=tell_fault,
)
