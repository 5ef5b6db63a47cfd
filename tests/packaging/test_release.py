"""What a tag needs to become a release."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import mlops
from tests.packaging.environments import REPOSITORY

SCRIPT = REPOSITORY / ".ci" / "release_notes.py"
CHANGELOG = """# Changelog

## Unreleased

- Not out yet.

## 1.3.0 (2026-12-01)

- New: a third thing.
- Better: a second one.

## 1.2.0 (2026-11-01)

- The first thing.
"""


@pytest.fixture(scope="module")
def script() -> types.ModuleType:
    return load_script(SCRIPT)


def load_script(path: Path) -> types.ModuleType:
    """Return a script that is in no package as a module."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "notes"),
    [("1.3.0", "- New: a third thing.\n- Better: a second one."), ("1.2.0", "- The first thing.")],
)
def test_the_notes_are_the_section_of_the_version(script: types.ModuleType, version: str, notes: str) -> None:
    assert script.release_notes(f"v{version}", version, CHANGELOG) == notes


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        ("v1.3.0", "1.4.0", "the tag is v1.3.0, but the package has the version 1.4.0"),
        ("1.3.0", "1.3.0", "the tag is 1.3.0, but the package has the version 1.3.0"),
        ("v1.4.0", "1.4.0", "CHANGELOG.md has no section '## 1.4.0 (YYYY-MM-DD)'"),
        ("v1.3", "1.3", "CHANGELOG.md has no section '## 1.3 (YYYY-MM-DD)'"),
    ],
)
def test_a_tag_without_its_version_or_section_is_refused(
    script: types.ModuleType, tag: str, version: str, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        script.release_notes(tag, version, CHANGELOG)


def test_the_version_is_read_as_python_reads_it(script: types.ModuleType) -> None:
    source = (REPOSITORY / "src" / "mlops" / "__init__.py").read_text(encoding="utf-8")
    assert script.package_version(source) == mlops.__version__


def test_the_tag_of_the_current_version_is_printed_on_request() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--tag"], capture_output=True, text=True, check=True)
    assert done.stdout == f"v{mlops.__version__}\n"


def test_every_command_of_the_workflow_exists() -> None:
    workflow = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"make (\w+)", workflow)) <= set(targets)
    for script in re.findall(r"\.ci/[\w.]+", workflow):
        assert (REPOSITORY / script).is_file(), script


def test_a_wrong_tag_ends_the_program_with_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "v0.0.1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert (
        done.stderr
        == f"No release: the tag is v0.0.1, but the package has the version {mlops.__version__}.\n"
    )
