"""What the project is built from is known: bills of materials, and workflows that run what was looked at."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.packaging.environments import REPOSITORY
from tests.packaging.test_release import load_script

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    return load_script(REPOSITORY / "layers" / "sbom.py")


def an_installed_package(folder: Path, name: str, *lines: str) -> None:
    directory = folder / f"{name}-1.0.dist-info"
    directory.mkdir(parents=True)
    (directory / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines])
    )


def test_a_layer_lists_its_packages_with_versions_and_licences(sbom: ModuleType, tmp_path: Path) -> None:
    an_installed_package(tmp_path, "One_Two", "License-Expression: MIT")
    an_installed_package(tmp_path, "old", "Classifier: License :: OSI Approved :: BSD License")
    an_installed_package(tmp_path, "none")
    with zipfile.ZipFile(tmp_path / "wheel-2.0-py3-none-any.whl", "w") as archive:
        archive.writestr("wheel-2.0.dist-info/METADATA", "Name: wheel\nVersion: 2.0\nLicense: Apache-2.0\n")
    output = tmp_path / "sbom.cdx.json"
    assert sbom.main([str(tmp_path), "--output", str(output)]) == 0
    document = yaml.safe_load(output.read_text("utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert [(c["purl"], c.get("licenses")) for c in document["components"]] == [
        ("pkg:pypi/none@1.0", None),
        ("pkg:pypi/old@1.0", [{"license": {"name": "BSD License"}}]),
        ("pkg:pypi/one-two@1.0", [{"expression": "MIT"}]),
        ("pkg:pypi/wheel@2.0", [{"license": {"name": "Apache-2.0"}}]),
    ]
    first = output.read_bytes()
    sbom.main([str(tmp_path), "--output", str(output)])
    assert output.read_bytes() == first


def test_every_layer_with_packages_is_built_with_its_bill_of_materials() -> None:
    makefile = (REPOSITORY / "layers" / "Makefile").read_text("utf-8")
    assert makefile.count("$(call SBOM,") == 2  # what installs packages, and the wheels of a training
    installs = re.findall(r"^\t.*(?:\$\(INSTALL\)|pip download)", makefile, re.MULTILINE)
    assert len(installs) == 2


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_named_by_its_commit_and_a_job_may_do_little(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    for action in re.findall(r"uses: (.*)$", text, re.MULTILINE):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action
    document: dict[str, Any] = yaml.safe_load(text)
    assert "permissions" in document
    assert all("timeout-minutes" in job for job in document["jobs"].values())


def test_an_update_leaves_the_versions_of_the_layers_and_runs_the_gate() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "update.yml").read_text("utf-8")
    layers = {path.parent.name for path in (REPOSITORY / "layers").glob("*/requirements.txt")}
    assert set(re.search(r"layers/\{([\w,]+)\}", text)[1].split(",")) == layers - {"training_source"}  # type: ignore[index]
    assert text.index(".ci/run") < text.index("gh pr create")


def test_a_release_says_which_run_built_each_of_its_files() -> None:
    document = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    job = document["jobs"]["release"]
    assert job["permissions"] == {"contents": "write", "id-token": "write", "attestations": "write"}
    steps = job["steps"]
    (attesting,) = [n for n, step in enumerate(steps) if "attest-build-provenance" in step.get("uses", "")]
    assert steps[attesting]["with"] == {"subject-path": "dist/*"}
    writes = [n for n, step in enumerate(steps) if re.search(r"dist\b", step.get("run", ""))]
    # after everything that makes a file, and before the release that people can download
    assert [n > attesting for n in writes] == [False] * (len(writes) - 1) + [True]
    assert "dist/*" in steps[writes[-1]]["run"]
