"""Put each classic defect of public code into a copy of this code, one at a time, and look which test notices first; write
what came of it.

    nice -n 19 python benchmarks/defects.py                     # all of them, then docs/results/defects.md
    nice -n 19 python benchmarks/defects.py --of translation    # one group, then its table alone
    python benchmarks/defects.py softmax slerp                  # those with a word in their name alone, and only print

A defect is a text in place of another one. What is no longer found in the code is an error: then its row is to be written
anew. The working tree is never touched.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.code_defects import CODE_DEFECTS
from benchmarks.defect import Defect
from benchmarks.sections import write_section
from benchmarks.translation_defects import TRANSLATION_DEFECTS
from benchmarks.uses_defects import USES_DEFECTS

RESULTS = ROOT / "docs" / "results" / "defects.md"
PACKAGE = "gan_core"
SECONDS = 300  # after which tests that hang have noticed
GROUPS: dict[str, tuple[str, tuple[Defect, ...]]] = {
    "codes": ("Games with a code", CODE_DEFECTS),
    "translation": ("From picture to picture", TRANSLATION_DEFECTS),
    "uses": ("What GANs are used for", USES_DEFECTS),
}
"""By the name of a group: the title of its table, and its defects."""
HEAD = (
    "# Classic defects\n\n"
    "Made by `python benchmarks/defects.py`: each defect is put into a copy of this code, one at a time, and the tests\n"
    "beside it are run until the first that fails. A defect that no test notices fails the command.\n"
)


def copied(folder: Path) -> Path:
    """The code and its tests in a folder of their own."""
    for part in (PACKAGE, "tests", "benchmarks", "pages", "docs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "app.py", "README.md"):
        shutil.copy2(ROOT / file, folder / file)
    return folder


def noticed(copy: Path, defect: Defect) -> str:
    """The first test that fails with the defect put in, if any. Raises SystemExit where its text is not in the code once."""
    file = copy / PACKAGE / defect.file
    whole = broken = file.read_text()
    for before, after in defect.texts:
        if broken.count(before) != 1:
            raise SystemExit(f"{defect.name}: {before!r} stands {broken.count(before)} times in {defect.file}")
        broken = broken.replace(before, after)
    file.write_text(broken)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not browser",
    ]
    try:
        told = subprocess.run(
            [*command, "--tb=no", "-rfE", defect.tests],
            cwd=copy,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        ).stdout
    except subprocess.TimeoutExpired:
        return "one that hangs"
    finally:
        file.write_text(whole)
    if not re.search(r"\d+ (passed|failed|error)", told):
        raise SystemExit(f"{defect.name}: no test was run:\n{told}")
    found = re.search(r"(?m)^(?:FAILED|ERROR) \S+?::(\w+)", told)
    return found[1] if found else ""


def table(rows: list[tuple[Defect, str]]) -> str:
    lines = ["| defect | where it was seen | what notices |", "|---|---|---|"]
    for defect, test in rows:
        told = f"`{defect.tests.partition('::')[0].removeprefix('tests/')}`, `{test}`" if test else "**nothing**"
        lines.append(f"| {defect.name} | {defect.seen} | {told} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only defects with one of these in their name, and nothing is written")
    parser.add_argument("--of", choices=GROUPS, help="a group (default: all)")
    options = parser.parse_args()
    words = [word.lower() for word in options.words]
    unnoticed = []
    with tempfile.TemporaryDirectory(prefix="defects-") as folder:
        copy = copied(Path(folder) / "copy")
        for group in [options.of] if options.of else GROUPS:
            title, defects = GROUPS[group]
            rows = []
            for defect in defects:
                if words and not any(word in defect.name.lower() for word in words):
                    continue
                rows.append((defect, noticed(copy, defect)))
                print(f"{defect.name}: {rows[-1][1] or 'NOBODY NOTICES'}", flush=True)
            if not words:
                if not RESULTS.exists():
                    RESULTS.write_text(HEAD)
                write_section(RESULTS, title, table(rows))
            unnoticed += [defect.name for defect, test in rows if not test]
    if unnoticed:
        raise SystemExit(f"nobody notices: {'; '.join(unnoticed)}")


if __name__ == "__main__":
    main()
