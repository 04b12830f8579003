"""The lessons of docs/classroom as steps. The Markdown files are the only copy of their text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gan_core.config import PRESETS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "classroom"

_STEP = re.compile(r"^\d+\. ", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_PAGE = re.compile(r"`/(\w+)(\?[\w=&.~-]+)?`")
_CODE = re.compile(r"`([\w-]+)`")


@dataclass(frozen=True)
class Step:
    """One thing to do or to ask: its section's title, its Markdown, and the presets that it names, in order."""

    section: str
    text: str
    presets: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """A lesson of the classroom: the name that stands in an address, its title and its steps."""

    name: str
    title: str
    steps: tuple[Step, ...]


@lru_cache(maxsize=1)
def courses() -> dict[str, Course]:
    """The lessons in their order, by name (``1`` to ``5``)."""
    files = sorted(FOLDER.glob("[0-9]-*.md"))
    return {path.name[0]: read_course(path.name[0], path.read_text("utf-8")) for path in files}


def read_course(name: str, text: str) -> Course:
    """A lesson from its Markdown: what stands before the first ``##`` is the first step, then each numbered item is one."""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, opening = head.strip().partition("\n")
    steps = [_step("", opening)] if opening.strip() else []
    for section in sections:
        about, _, body = section.partition("\n")
        steps += [_step(about.strip(), part) for part in _parts(body)]
    return Course(name, title.removeprefix("# ").strip(), tuple(steps))


def _parts(body: str) -> Iterator[str]:
    """A section in pieces: what stands before its list, its items, and what stands after it with the last of them."""
    starts = [found.start() for found in _STEP.finditer(body)]
    for begin, end in zip([0, *starts], [*starts, len(body)], strict=True):
        if body[begin:end].strip():
            yield body[begin:end]


def _step(section: str, text: str) -> Step:
    item = re.sub(r"^ {2,3}", "", _STEP.sub("", text.strip("\n"), count=1), flags=re.MULTILINE)
    named = tuple(dict.fromkeys(name for name in _CODE.findall(item) if name in PRESETS))
    return Step(section, linked(item.strip()), named)


def linked(text: str) -> str:
    """The Markdown with links of the application: to its pages, to other lessons; other files are named only."""

    def link(found: re.Match[str]) -> str:
        label, target = found.groups()
        if re.match(r"https?://", target):
            return found.group()
        lesson = re.match(r"(\d)-[\w-]+\.md", target)
        return f"[{label}](lessons?lesson={lesson[1]})" if lesson else f"{label}"

    return _PAGE.sub(lambda found: f"[open](<{found[1]}{found[2] or ''}>)", _LINK.sub(link, text))
