"""Deployments are repeated only when something changed, and fail with the message of sam."""

import time
from pathlib import Path

import pytest

from local import LocalCloud
from local.deploy import deploy, source_digest
from local.errors import DeployError

BROKEN = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Thing: {Type: AWS::Nothing::AtAll}
"""


def test_an_unchanged_application_is_not_deployed_again(
    cloud: LocalCloud, sample: dict[str, str], tmp_path: Path
) -> None:
    template = Path(__file__).parent / "sample" / "template.yaml"
    started = time.monotonic()
    assert deploy(cloud, template, "sample", build_directory=tmp_path / "build") == sample
    assert time.monotonic() - started < 2
    assert not (tmp_path / "build").exists()


def test_a_deployment_that_fails_says_why(cloud: LocalCloud, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(BROKEN)
    with pytest.raises(DeployError, match="AWS::Nothing::AtAll"):
        deploy(cloud, template, "broken", build_directory=tmp_path / ".aws-sam" / "build")


def test_the_digest_follows_names_and_contents_of_sources_only(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {}")
    (tmp_path / "functions").mkdir()
    digests = [source_digest(template, ["functions", "lock"])]
    (tmp_path / "functions" / "app.py").write_text("1")
    digests.append(source_digest(template, ["functions", "lock"]))
    (tmp_path / "functions" / "app.py").rename(tmp_path / "functions" / "b.py")
    digests.append(source_digest(template, ["functions", "lock"]))
    (tmp_path / "lock").write_text("x")
    digests.append(source_digest(template, ["functions", "lock"]))
    assert len(set(digests)) == 4
    (tmp_path / "functions" / "__pycache__").mkdir()
    (tmp_path / "functions" / "__pycache__" / "b.pyc").write_text("compiled")
    (tmp_path / "elsewhere.txt").write_text("y")
    assert source_digest(template, ["functions", "lock"]) == digests[-1]
