"""Break each guard of what is believed nothing and loses nothing, one at a time, and look which test notices.

    nice -n 19 python benchmarks/mutations.py             # what is missing; writes docs/results/mutations.md and .jsonl
    python benchmarks/mutations.py names roles            # these modules alone
    python benchmarks/mutations.py --again names          # also what was tried before
    python benchmarks/mutations.py --render               # only the table, of what has been tried

What a guard is stands in ``benchmarks/mutants.py``. Each mutant is one module in the memory of a child process, which plays the
quick tests that come past the broken line, its own first, until one fails; nothing on disk is touched. Programs that tests
start have the code as it is, so what only they would notice survives. What was tried is kept as it ends, so the command can be
stopped and goes on from there. A module that has changed is tried anew, and what survived is whenever its tests have.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.ledger import Ledger, Row
from benchmarks.mutants import IMPORTED, Mutant, Passing, mutants
from benchmarks.mutants_equal import EQUAL

RESULTS = ROOT / "docs" / "results" / "mutations.md"
KEPT = ROOT / "build" / "mutations"
THIRD_PARTY = (
    *(
        "hypothesis",
        "pandas",
        "plotly.graph_objects",
        "starlette.testclient",
        "streamlit.testing.v1",
        "torch",
        "uvicorn",
    ),
)
ENGINE = ("gan_core.engine", "gan_core.data", "gan_core.training.classifier", "gan_core.training.games")
MOST_SECONDS = 240
"""After which a mutant that hangs is taken for noticed."""
MOST_TESTS, WORTH_SECONDS = 400, 80.0
"""Of the tests that come past a line so many are played, as long as they take no longer together."""
QUICK = ("-m", "not browser and not slow", "-n", "0", "-p", "no:cacheprovider")


class Group(NamedTuple):
    """Modules below ``gan_core`` and the tests of them; ``needed`` is imported once for all, and imports none of them."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    needed: tuple[str, ...] = THIRD_PARTY


def _in(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}{name}.py" for name in names)


GROUPS = {
    "rights": Group(
        ("ui/rights.py",),
        ("tests/ui/test_rights.py", "--deselect=tests/ui/test_rights.py::test_a_watcher_sees_every_page"),
        (*THIRD_PARTY, *ENGINE),
    ),
    "server": Group(
        _in(
            "server/",
            *(
                "access",
                "names",
                "roles",
                "tickets",
                "classroom",
                "class_routes",
                "class_mode",
                "headers",
                "live",
                "bell",
            ),
            *("assets", "asking", "connections"),
        ),
        _in(
            "tests/server/test_",
            *(
                "access",
                "asking_routes",
                "class_mode",
                "class_routes",
                "classroom_state",
                "connections",
                "lifespan",
                "live_routes",
            ),
            *("names", "roles", "slow_viewers", "tickets"),
        ),
        (*THIRD_PARTY, *ENGINE),
    ),
    "owner": Group(
        _in(
            "store/",
            "owner",
            "orphans",
            "tenancy",
            "place",
            "forks",
            "records",
            "adoption",
            "fields",
            "aside",
            "reserve",
        ),
        ("tests/store", "tests/engine/test_one_server.py"),
    ),
    "checkpoints": Group(
        ("checkpoints.py",),
        (
            *_in("tests/training/test_", "checkpoints", "checkpoint_errors", "state"),
            "tests/engine/test_packed_checkpoints.py",
        ),
    ),
    "state": Group(
        ("training/state.py",), _in("tests/training/test_", "state", "checkpoints", "fork", "compatibility")
    ),
    "store": Group(
        _in(
            "store/",
            *("artefacts", "backup", "bin", "comparisons", "frames", "fsck", "readers", "run_store", "runs", "schema"),
            *("studies", "tracks", "writer"),
        ),
        (
            *("tests/store", "tests/test_deleting.py", "tests/test_exhaustion.py", "tests/test_hostile_input.py"),
            *("tests/ui/test_deleted.py", "tests/ui/test_runs_page.py"),
            *_in(
                "tests/engine/test_", "closing", "comparing", "copies", "damage", "every_fault", "forking", "full_disk"
            ),
            *_in("tests/engine/test_", "lab", "packs", "recorder", "resuming", "studies"),
        ),
    ),
    "intake": Group(
        _in(
            "intake/",
            *("archive", "apart", "decode", "formats", "reader", "text", "tables", "points", "pictures", "kinds"),
            *("matching", "names", "numerals", "dialects", "headings", "layout"),
        ),
        ("tests/intake", "tests/data", "tests/engine/test_read_apart.py", "tests/test_hostile_input.py"),
    ),
}
"""In this order; what forbids something stands first."""


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands out the mutant where the module is imported."""

    def __init__(self, file: str, mutant: Mutant) -> None:
        self.module, self.path = _module(file), ROOT / "gan_core" / file
        self.tree = mutant.tree
        assert self.module not in sys.modules, f"{self.module} is imported already"

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)  # type: ignore[arg-type]

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)

    def get_filename(self, fullname: str) -> str:
        return str(self.path)


def _module(file: str) -> str:
    return "gan_core." + file.removesuffix(".py").replace("/", ".")


class First:
    """A plug-in of pytest that writes down the first test that fails."""

    def __init__(self, said: int) -> None:
        self._said = said

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os.write(self._said, f"{report.nodeid}\n".encode())

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            os.write(self._said, b"the import\n")


def noticed_by(file: str, mutant: Mutant | None, tests: Sequence[str]) -> str:
    """The test that fails on the mutant, in a process of its own; without one, on the code as it is. "" if none does."""
    told, said = os.pipe()
    child = os.fork()
    if child == 0:
        _play(file, mutant, tests, said)
    os.close(said)
    until, ended = time.monotonic() + MOST_SECONDS, 0
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.02)
    if not ended:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(told, "rb") as heard:
        os.set_blocking(told, False)  # a program that a test has left behind may hold the other end
        first = (heard.read() or b"").decode(errors="replace").partition("\n")[0]
    if not ended:
        return f"no end after {MOST_SECONDS} s"
    return first or ("" if os.waitstatus_to_exitcode(status) == 0 else "the import")


def _play(file: str, mutant: Mutant | None, tests: Sequence[str], said: int) -> None:
    """The child's part."""
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    code = 2
    try:
        if mutant is not None:
            sys.meta_path.insert(0, Instead(file, mutant))
        import pytest

        code = int(pytest.main([*QUICK, "-x", "--timeout", str(MOST_SECONDS // 2), *tests], plugins=[First(said)]))
    finally:
        os._exit(code)


# Which tests come past which line


class Known(NamedTuple):
    """Of each module and test the lines that it executes, and the seconds that each test takes."""

    lines: dict[str, dict[str, list[int]]]
    seconds: dict[str, float]

    def tests(self, file: str, line: int) -> list[str]:
        """Those of the module's own that come past a line, then the quickest others; where it runs when the module is imported,
        or none is seen to come past it, of all that come past any. What a server of a test does in a thread of its own is not
        seen."""
        by_test = self.lines[file]
        imported = line in by_test.get(IMPORTED, ())
        every = [test for test in by_test if test != IMPORTED]
        past = every if imported else [test for test in every if line in by_test[test]] or every
        chosen: list[str] = []
        left = WORTH_SECONDS
        for test in sorted(past, key=lambda test: (Path(file).stem not in test, self.seconds.get(test, 0.0))):
            left -= self.seconds.get(test, 0.0)
            if chosen and (left < 0 or len(chosen) == MOST_TESTS):
                break
            chosen.append(test)
        return chosen


def known(name: str) -> Known:
    """What is known of the tests of a group: found once by playing them all, and again when they or the modules change."""
    group = GROUPS[name]
    place = KEPT / f"{name}.json"
    digest = _digest([ROOT / "gan_core" / file for file in group.files] + _test_files(group))
    if place.exists() and (found := json.loads(place.read_text()))["digest"] == digest:
        return Known(found["lines"], found["seconds"])
    KEPT.mkdir(parents=True, exist_ok=True)
    print(f"{name}: which tests come past which line", flush=True)
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = _trace(group, place, digest)
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SystemExit(f"The tests of {name} fail on the code as it is.")
    return known(name)


def _trace(group: Group, place: Path, digest: str) -> int:
    import pytest

    passing = Passing({str(ROOT / "gan_core" / file): file for file in group.files})
    passing.watch()
    code = int(pytest.main([*QUICK, *group.tests], plugins=[passing]))
    lines = {file: {test: sorted(found) for test, found in tests.items()} for file, tests in passing.lines.items()}
    place.write_text(json.dumps({"digest": digest, "lines": lines, "seconds": passing.seconds}))
    return code


def _test_files(group: Group) -> list[Path]:
    paths = [ROOT / test for test in group.tests if not test.startswith("-")]
    return [file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


# All of it


@cache
def _of_file(file: str) -> str:
    return _digest([ROOT / "gan_core" / file])


@cache
def _of_tests(name: str) -> str:
    return _digest(_test_files(GROUPS[name]))


def is_known(row: Row | None, file: str, name: str) -> bool:
    """Whether what was found of a mutant still holds: what was noticed is, as long as the module is what it was."""
    if row is None or row["module"] != _of_file(file):
        return False
    return bool(row["by"]) or row["tests"] == _of_tests(name)


def look_at(name: str, file: str, ledger: Ledger, *, again: bool) -> None:
    """Try every mutant of a module that has not been tried."""
    asked = list(mutants((ROOT / "gan_core" / file).read_text("utf-8")))
    left = [one for one in asked if again or not is_known(ledger.rows.get(f"{file} | {one.key}"), file, name)]
    of_tests = known(name) if left else Known({}, {})
    for mutant in left:
        tests = of_tests.tests(file, mutant.line) if file in of_tests.lines else []
        by = noticed_by(file, mutant, tests) if tests else ""
        row = {"line": mutant.line, "by": by, "past": len(tests), "module": _of_file(file), "tests": _of_tests(name)}
        ledger.add(f"{file} | {mutant.key}", row)
        if not by and (file, mutant.key) not in EQUAL:
            print(f"survives: {file}:{mutant.line} {mutant.text} | {mutant.change} ({len(tests)} tests)", flush=True)
    print(f"{file}: {len(asked)} mutants, {len(left)} tried now", flush=True)


def table(ledger: Ledger) -> str:
    """What docs/results/mutations.md says of what has been tried."""
    lines = [
        *INTRODUCTION,
        "",
        "| module | mutants | tried | noticed | equal | unexplained |",
        "|---|---|---|---|---|---|",
    ]
    left: list[tuple[str, str, str]] = []
    sums = [0] * 5
    for file in (file for group in GROUPS.values() for file in group.files):
        asked = [one.key for one in mutants((ROOT / "gan_core" / file).read_text("utf-8"))]
        rows = {key: row for key in asked if (row := ledger.rows.get(f"{file} | {key}"))}
        survivors = [key for key, row in rows.items() if not row["by"]]
        equal = [key for key in survivors if (file, key) in EQUAL]
        counts = (len(asked), len(rows), len(rows) - len(survivors), len(equal), len(survivors) - len(equal))
        sums = [had + one for had, one in zip(sums, counts, strict=True)]
        lines.append(f"| `{file}` | {' | '.join(map(str, counts))} |")
        left += [(file, key, EQUAL.get((file, key), "**unexplained**")) for key in survivors]
    lines += [f"| all | {' | '.join(map(str, sums))} |", "", "What no test notices:", ""]
    lines += ["| where | what was done | why |", "|---|---|---|"]
    for file, key, why in left:
        text, change = key.split(" | ", 1)
        lines.append(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{file}`: `{text}`", change, why)) + " |"
        )
    return "\n".join([*lines, ""])


INTRODUCTION = [
    "# Guards broken on purpose",
    "",
    "`python benchmarks/mutations.py`. Each guard (a condition under which something is refused, left out or given up, a",
    "`raise`, a handler, a question for a right, a right in a table) is broken in the memory of a process that then plays the",
    "quick tests which come past its line. Programs that tests start have the code as it is. Which test noticed stands in",
    "`mutations.jsonl`.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="names of modules or of groups; all without one")
    parser.add_argument("--again", action="store_true", help="also what was tried before")
    parser.add_argument("--render", action="store_true", help="try nothing, write the table of what is there")
    options = parser.parse_args()
    os.chdir(ROOT)
    for name, group in {} if options.render else GROUPS.items():
        files = [file for file in group.files if not options.modules or {Path(file).stem, name} & set(options.modules)]
        if files and (child := os.fork()) == 0:
            _look_at_all(name, files, again=options.again)
        if files and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise SystemExit(1)
    _publish(Ledger(RESULTS.with_suffix(".jsonl")))  # another process may have tried other modules meanwhile


def _look_at_all(name: str, files: Sequence[str], *, again: bool) -> NoReturn:
    """The child's part: what one group needs has imported modules of the next, whose mutants would find them there."""
    code = 1
    try:
        for needed in GROUPS[name].needed:
            importlib.import_module(needed)
        for file in files:
            look_at(name, file, Ledger(RESULTS.with_suffix(".jsonl")), again=again)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _publish(ledger: Ledger) -> None:
    """The table, and beside it a row for each mutant that there is, in their order."""
    keys = [
        f"{file} | {one.key}"
        for group in GROUPS.values()
        for file in group.files
        for one in mutants((ROOT / "gan_core" / file).read_text("utf-8"))
    ]
    rows = [{"key": key, **ledger.rows[key]} for key in keys if key in ledger.rows]
    RESULTS.with_suffix(".jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    RESULTS.write_text(table(ledger), "utf-8")


if __name__ == "__main__":
    main()
