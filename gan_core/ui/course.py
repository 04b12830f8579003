"""The lessons of docs/classroom as steps. The Markdown files are the only copy of their text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl

from gan_core.config import PRESETS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "classroom"

_STEP = re.compile(r"^\d+\. ", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_PAGE = re.compile(r" ?\(?`/(\w+)(?:\?([\w=&.~:-]+))?`\)?")
_CODE = re.compile(r"`([\w-]+)`")
_SHELL = re.compile(r"^```sh\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_ASK = re.compile(r"\*Ask(?: [\w ]+)?:\*")
_ANSWER = "*Answer:*"


@dataclass(frozen=True)
class Question:
    """What to ask the class; ``answer`` is empty where what is seen answers."""

    ask: str
    answer: str


@dataclass(frozen=True)
class Command:
    """A command of the terminal as a page can do it: ``kind`` is ``train`` or ``compare``; the rest are its options."""

    kind: str
    base: str = ""
    template: str = ""
    seeds: str = ""
    settings: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One thing to do and to ask: its section's title, its Markdown without its questions, these, and what it names in
    order: presets, places as a page and its query, and commands. A question and its answer end with their paragraph.
    """

    section: str
    text: str
    questions: tuple[Question, ...]
    presets: tuple[str, ...]
    places: tuple[tuple[str, dict[str, str]], ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True)
class Course:
    """A lesson of the classroom: the name that stands in an address, its title and its steps."""

    name: str
    title: str
    steps: tuple[Step, ...]


@lru_cache(maxsize=1)
def courses() -> dict[str, Course]:
    """The lessons in their order, by name (``1`` to ``10``)."""
    files = {path.name.partition("-")[0]: path for path in FOLDER.glob("[0-9]*-*.md")}
    return {name: read_course(name, files[name].read_text("utf-8")) for name in sorted(files, key=int)}


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
    commands = tuple(
        read_command(line) for found in _SHELL.findall(item) for line in found.splitlines() if line.strip()
    )
    item = _SHELL.sub("", item)
    named = tuple(dict.fromkeys(name for name in _CODE.findall(item) if name in PRESETS))
    places = tuple((found[1], dict(parse_qsl(found[2] or ""))) for found in _PAGE.finditer(item))
    told, *asked = _ASK.split(linked(item))
    parts = [part.partition("\n\n") for part in asked]
    pairs = [question.partition(_ANSWER) for question, _, _ in parts]
    texts = [told.strip(), *(rest.strip() for _, _, rest in parts)]
    questions = tuple(Question(ask.strip(), answer.strip()) for ask, _, answer in pairs)
    return Step(section, "\n\n".join(filter(None, texts)), questions, named, places, commands)


def read_command(line: str) -> Command:
    """``python -m gan_core train …`` or ``… compare …``. Raises ValueError for any other command, or an option unknown here."""
    words = shlex.split(line)
    if words[:3] != ["python", "-m", "gan_core"] or words[3:4] not in (["train"], ["compare"]) or len(words) % 2:
        raise ValueError(f"no page does {line!r}")
    told: dict[str, list[str]] = {}
    for option, value in zip(words[4::2], words[5::2], strict=True):
        if option not in ("--preset", "--base", "--template", "--seeds", "--set", "--vary"):
            raise ValueError(f"no page has {option!r}")
        told.setdefault(option, []).append(value)
    one = {option: values[-1] for option, values in told.items()}
    base = one.get("--base", one.get("--preset", ""))
    settings, vary = (tuple(told.get(option, ())) for option in ("--set", "--vary"))
    return Command(words[3], base, one.get("--template", ""), one.get("--seeds", ""), settings, vary)


def linked(text: str) -> str:
    """The Markdown with links to other lessons; other files, and pages, which get buttons, are named only."""

    def link(found: re.Match[str]) -> str:
        label, target = found.groups()
        if re.match(r"https?://", target):
            return found.group()
        lesson = re.match(r"(\d+)-[\w-]+\.md", target)
        return f"[{label}](lessons?lesson={lesson[1]})" if lesson else f"{label}"

    return _PAGE.sub("", _LINK.sub(link, text))
