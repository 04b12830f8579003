"""A browser that is gone takes its session's handles with it, though nobody else comes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from gan_core.ui import gone_sessions


def test_handles_of_a_gone_browser_are_given_back_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, files, now = MemorySessionStorage(), MemoryUploadedFileManager("/upload"), 0.0
    storage._cache._timer = lambda: now  # type: ignore[attr-defined]
    manager = WebsocketSessionManager(storage, files, ScriptCache(), lambda: None)
    (tmp_path / "page.py").write_text("")

    async def scene() -> None:
        nonlocal now
        sessions = [
            AppSession(ScriptData(str(tmp_path / "page.py"), False), files, ScriptCache(), lambda: None, {})
            for _ in range(10)
        ]
        with_all = len(os.listdir("/proc/self/fd"))
        for session in sessions:
            storage.save(SessionInfo(None, session))
        assert gone_sessions.close_gone_sessions() == 0, "nobody's server runs here"
        monkeypatch.setattr(gone_sessions.runtime, "exists", lambda: True)
        stub = SimpleNamespace(_session_mgr=manager)
        monkeypatch.setattr(gone_sessions.runtime, "get_instance", lambda: stub)
        now = 119.0
        assert gone_sessions.close_gone_sessions() == 0, "it may still come back"
        assert storage.get(sessions[0].id) is not None
        monkeypatch.setattr("streamlit.runtime.app_session.runtime.exists", lambda: False)
        monkeypatch.setattr(gone_sessions, "runtime", SimpleNamespace(exists=lambda: True, get_instance=lambda: stub))
        now = 121.0
        assert gone_sessions.close_gone_sessions() == 10
        assert len(os.listdir("/proc/self/fd")) == with_all - 30
        assert gone_sessions.close_gone_sessions() == 0

    asyncio.run(scene())
