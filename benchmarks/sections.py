"""Documents that several benches write: each has a section of its own, and leaves the others alone."""

from __future__ import annotations

import re
from pathlib import Path


def write_section(document: Path, title: str, text: str) -> None:
    """Put ``text`` under the heading ``title`` (second level) in place of what stood there, or at the end."""
    before = document.read_text() if document.exists() else f"# {document.stem.capitalize()}\n"
    section = f"## {title}\n\n{text.strip()}\n"
    parts = re.split(r"(?m)^(?=## )", before)
    places = [number for number, part in enumerate(parts) if part.startswith(f"## {title}\n")]
    if places:
        parts[places[0]] = section
    else:
        parts.append(section)
    document.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts))
