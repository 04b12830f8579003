"""What benches write: the command that was called, and a section of a document that several of them share."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def command_line(*left_out: str) -> str:
    """How this bench was called, but for these words, for whoever runs it again."""
    words = (word for word in sys.argv[1:] if word not in left_out)
    return " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])


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
