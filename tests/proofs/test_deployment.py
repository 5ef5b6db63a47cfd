"""`make deploy` as the README says it, into a local cloud: every configuration, first time and upgrade."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud, local_cloud

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running:
        yield running


def make_deploy(cloud: LocalCloud, *variables: str) -> str:
    done = subprocess.run(
        ["make", "deploy", *variables],
        cwd=REPOSITORY,
        env=cloud.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def parameters(cloud: LocalCloud, stack_name: str) -> dict[str, str]:
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack["Parameters"]}


def changed_files() -> str:
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("config", "stack_name", "days"),
    [("", "mlops", "90"), ("dev", "mlops-dev", "14"), ("prod", "mlops-prod", "365")],
)
def test_the_command_deploys_and_upgrades_without_a_question(
    cloud: LocalCloud, config: str, stack_name: str, days: str
) -> None:
    before = changed_files()
    variables = [f"CONFIG={config}"] if config else []
    make_deploy(cloud, "APPROVER=me@example.com", *variables)
    first = parameters(cloud, stack_name)
    assert (first["ApproverEmail"], first["LogRetentionDays"]) == ("me@example.com", days)
    make_deploy(cloud, 'PARAMETERS=MinRows=80 DriftCheckSchedule="cron(0 3 * * ? *)"', *variables)
    changes = {"MinRows": "80", "DriftCheckSchedule": "cron(0 3 * * ? *)"}
    assert parameters(cloud, stack_name) == {**first, **changes}
    assert changed_files() == before  # no address and no setting in a tracked file
