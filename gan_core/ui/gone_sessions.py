"""Sessions of browsers that are gone: Streamlit keeps each for two minutes, and from then on until somebody comes."""

from __future__ import annotations

from streamlit import runtime


def close_gone_sessions() -> int:
    """Close the sessions whose time is over, and the three file handles that each has; returns how many that were.

    For the thread of the server's event loop. Streamlit reaps them only when a browser comes or leaves: after a class
    that has gone home, its sessions would keep their handles for the night.
    """
    if not runtime.exists():
        return 0
    manager = runtime.get_instance()._session_mgr
    with manager._storage_lock:  # type: ignore[attr-defined]
        expired = manager._session_storage._cache.expire()  # type: ignore[attr-defined]
    for _, info in expired:
        info.session.shutdown()
    return len(expired)
