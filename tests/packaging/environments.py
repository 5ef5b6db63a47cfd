"""Builds the wheel of this checkout and installs it into environments without other packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
UV = str(Path(sys.executable).with_name("uv"))
# programs see only the packages of their environment, and no credentials of the person who runs the tests
CLEAN = {
    name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "MLOPS_"))
}


def build_wheel(folder: Path) -> Path:
    """Build the wheel with the hatchling that is installed here, so without network; return its path."""
    run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        REPOSITORY,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


def install(folder: Path, python: str, requirements: list[str]) -> Path:
    """Make an environment with what is required, and return its folder of programs."""
    run([UV, "venv", "--quiet", "--python", python, str(folder)], folder.parent)
    programs = folder / "bin"
    run([UV, "pip", "install", "--quiet", "--python", str(programs / "python"), *requirements], folder.parent)
    return programs


def run(command: list[str], folder: Path, expected_code: int = 0) -> str:
    """Run a program in a folder and return what it printed, after a check of its exit code."""
    done = subprocess.run(command, cwd=folder, env=CLEAN, capture_output=True, text=True, check=False)
    assert done.returncode == expected_code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
