"""The two queues between a job and the lab."""

from __future__ import annotations

import threading
from collections import deque

from gan_core.engine.messages import CommandKind, Message


class Outbox:
    """Messages of one job, appended by its thread and drained by the recorder; neither ever waits for the other."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()

    def put(self, message: Message) -> None:
        self._messages.append(message)

    def drain(self) -> list[Message]:
        drained = []
        while self._messages:
            drained.append(self._messages.popleft())
        return drained


class Inbox:
    """Commands for one job, read between its turns."""

    def __init__(self) -> None:
        self._commands: deque[CommandKind] = deque()
        self._arrived = threading.Event()

    def put(self, command: CommandKind) -> None:
        self._commands.append(command)
        self._arrived.set()

    def take(self) -> CommandKind | None:
        """The oldest command, or None; costs next to nothing when there is none."""
        return self._commands.popleft() if self._commands else None

    def wait(self) -> CommandKind:
        """The oldest command, waiting for one to arrive."""
        while True:
            self._arrived.wait()
            self._arrived.clear()
            command = self.take()
            if command is not None:
                if self._commands:
                    self._arrived.set()
                return command
