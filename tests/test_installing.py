"""The package as pip installs it, without a network: into an environment of its own, that finds its libraries in this one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

BUILT_FROM = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE")


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """A copy of what an installation reads: a build writes beside it."""
    copy = tmp_path / "checkout"
    shutil.copytree(root / "gan_core", copy / "gan_core", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_FROM:
        shutil.copy(root / name, copy / name)
    return copy


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter of an empty environment, which sees the libraries of this one but none of its programs."""
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    found = home / "bin" / "python"
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([found, "-c", purelib], check=True, capture_output=True, text=True).stdout.strip()
    (Path(packages) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return found


def _pip(python: Path, *arguments: str) -> None:
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "--python", str(python), *arguments, *offline]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_pip_installs_the_checkout_in_place_and_the_program_runs_anywhere(
    checkout: Path, python: Path, tmp_path: Path
) -> None:
    _pip(python, "install", "-e", str(checkout))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def run(*command: str | Path) -> str:
        return subprocess.run(command, cwd=elsewhere, check=True, capture_output=True, text=True).stdout

    told = (
        "import gan_core, json, importlib.metadata as m; print(json.dumps([gan_core.__file__, m.version('ganscope')]))"
    )
    file, version = json.loads(run(python, "-c", told))
    assert Path(file) == checkout / "gan_core" / "__init__.py"
    assert version == "0.1.0"
    needs = run(python, "-c", "import importlib.metadata as m; print('\\n'.join(m.requires('ganscope')))").splitlines()
    asked = [line.partition("#")[0].strip() for line in (checkout / "requirements.txt").read_text().splitlines()]
    assert needs == [line for line in asked if line]
    assert "ring-mlp" in run(python.with_name("ganscope"), "presets")


@pytest.mark.slow
def test_a_wheel_holds_every_file_of_the_package(checkout: Path, python: Path, tmp_path: Path) -> None:
    _pip(python, "wheel", str(checkout), "-w", str(tmp_path / "wheels"))
    (wheel,) = (tmp_path / "wheels").glob("ganscope-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("gan_core/")}
    files = {path.relative_to(checkout).as_posix() for path in (checkout / "gan_core").rglob("*") if path.is_file()}
    assert held == files
    assert "gan_core/ui/live/view.js" in held
