"""`sam local` finds the deployed functions, and containers find the cloud."""

import json
import shutil
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

from local import LocalCloud, launcher
from local.containers import write_container_template
from local.processes import processes_of, terminate
from local.relay import start_relay

BUILT = """
Resources:
  GreetFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: GreetFunction, Layers: [!Ref WordsLayer]}
  AbsentFunction:
    Type: AWS::Serverless::Function
    Condition: HasNoUse
    Properties: {CodeUri: AbsentFunction}
  WordsLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: WordsLayer}
"""


def test_the_template_has_the_variables_of_the_deployed_functions(
    cloud: LocalCloud, sample: dict[str, str], tmp_path: Path
) -> None:
    built = tmp_path / "template.yaml"
    built.write_text(BUILT)
    path = write_container_template(cloud, built, "sample")
    resources = json.loads(path.read_text())["Resources"]
    function = resources["GreetFunction"]["Properties"]
    variables = function["Environment"]["Variables"]
    assert variables["TABLE"] == sample["TableName"]
    assert variables["AWS_ENDPOINT_URL"].endswith(f":{cloud.port}")
    assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_REGION"]) == ("test", "us-east-1")
    assert function["CodeUri"] == str(tmp_path / "GreetFunction")
    assert function["Layers"] == [{"Ref": "WordsLayer"}]
    assert resources["WordsLayer"]["Properties"]["ContentUri"] == str(tmp_path / "WordsLayer")
    assert "AbsentFunction" not in resources, "its condition is not met, so the stack has no variables for it"
    assert path.name in launcher.OWN_ENTRIES  # `down` removes it


@pytest.mark.skipif(sys.platform != "linux", reason="Docker Desktop needs no relay")
def test_a_relay_passes_requests_on_and_ends_with_its_cloud(cloud: LocalCloud, tmp_path: Path) -> None:
    for _ in range(2):  # as a second `make up` does
        start_relay(tmp_path, "127.0.0.2", cloud.port, ip_network("127.0.0.0/8"))
    try:
        answer = ask_relay(cloud)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout == cloud.request("GET", f"{cloud.endpoint}/_local/ready").text
        assert len(processes_of(tmp_path)) == 1
    finally:
        terminate(processes_of(tmp_path))
    assert processes_of(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Docker Desktop needs no relay")
def test_a_relay_refuses_senders_that_are_not_in_the_network_of_the_containers(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    start_relay(tmp_path, "127.0.0.2", cloud.port, ip_network("192.0.2.0/24"))
    try:
        answer = ask_relay(cloud)
        assert (answer.returncode != 0, answer.stdout) == (True, "")
    finally:
        terminate(processes_of(tmp_path))


def ask_relay(cloud: LocalCloud) -> subprocess.CompletedProcess[str]:
    address = f"http://127.0.0.2:{cloud.port}/_local/ready"
    return subprocess.run(
        ["curl", "-sS", "-H", "Host: localhost", address], capture_output=True, text=True, check=False
    )


def test_without_a_cloud_sam_local_fails_with_what_to_do(tmp_path: Path) -> None:
    shutil.copy(launcher.REPOSITORY_ROOT / "samconfig.toml", tmp_path)
    shutil.copy(launcher.REPOSITORY_ROOT / "template.yaml", tmp_path)
    done = subprocess.run(
        [Path(sys.executable).parent / "sam", "local", "invoke", "CheckDriftFunction"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.count("\n") <= 2
    assert "made-by-make-up" in done.stderr
