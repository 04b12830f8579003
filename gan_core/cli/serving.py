"""The command that serves the dashboard to a class."""

from __future__ import annotations

import argparse
import os

from gan_core.server.class_mode import class_command


def serve_class(options: argparse.Namespace) -> int:
    command, environment = class_command(
        address=options.address,
        port=options.port,
        hosts=options.host,
        student_runs=options.student_runs,
        store=options.store,
    )
    os.execve(command[0], command, environment)
