"""`make` on a machine that lacks something."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environments import REPOSITORY

PROGRAMS = ("make", "sh", "grep", "touch", "awk")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make setup` reads, and a folder of programs without any Python."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        program = shutil.which(name)
        assert program is not None, name
        (tmp_path / "bin" / name).symlink_to(program)
    return tmp_path


def make(folder: Path, target: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(folder / "bin"), "HOME": str(folder)}
    command = [str(folder / "bin" / "make"), "SHELL=" + str(folder / "bin" / "sh"), target]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(bool(list(Path("/opt").glob("*/bin/python3.12"))), reason="make finds the Python in /opt")
def test_without_any_python_one_sentence_says_what_to_install(checkout: Path) -> None:
    done = make(checkout, "setup")
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first == "Python 3.12 was not found and could not be fetched: install it and run make again."
    assert all(line.startswith("make") for line in rest)


def test_the_list_of_commands_needs_no_environment(checkout: Path) -> None:
    done = make(checkout, "help")
    assert done.returncode == 0
    assert "make setup" in done.stdout
