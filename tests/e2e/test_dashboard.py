"""The dashboard and the pages of the local cloud on the deployed stack."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.__main__ import main
from local.cloud import HttpAnswer
from local.stack import DeployedStack, wait
from tests.accessibility import violations
from tests.e2e.walks import GROUP, Walk

pytestmark = pytest.mark.e2e


def test_the_dashboard_is_drawn_by_the_function_of_the_stack(
    stack: DeployedStack, dashboard: HttpAnswer, champion: Walk
) -> None:
    page = dashboard.text
    assert dashboard.status == 200
    assert "The function of this widget failed" not in page
    assert re.search(rf'<th scope="row">{GROUP}</th>\s*<td>{champion.version}<small>for ', page)
    assert re.search(r"alarms? to look at, \d+ OK", page)
    assert re.search(rf"<h3>{GROUP}</h3>.*index \(PSI\)", page, re.DOTALL)
    assert f"<td>training {champion.version}</td>" in page
    assert "Latency, 95th percentile in seconds" in page


def test_the_alarms_about_missing_runs_are_off_from_the_creation_of_the_stack(stack: DeployedStack) -> None:
    alarms = stack.cloud.client("cloudwatch")

    def states() -> dict[str, str]:
        described = alarms.describe_alarms()["MetricAlarms"]
        return {a["AlarmName"].split("-")[-2]: a["StateValue"] for a in described}

    for name in ("DriftCheckMissingAlarm", "UploadSweepMissingAlarm", "ApprovalWatchMissingAlarm"):
        wait(lambda name=name: states()[name] == "OK" or None, f"{name} in OK, not {states()[name]}", 60)


def test_a_file_that_is_dropped_on_the_page_is_in_the_data_bucket(stack: DeployedStack) -> None:
    form = (
        '--b\r\nContent-Disposition: form-data; name="group"\r\n\r\npaged\r\n'
        '--b\r\nContent-Disposition: form-data; name="folder"\r\n\r\ninference\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="notes.md"\r\n\r\n# x\r\n\r\n--b--\r\n'
    )
    address, origin = f"{stack.cloud.endpoint}/_local/drop", {"Origin": stack.cloud.endpoint}
    headers = {"Content-Type": "multipart/form-data; boundary=b", **origin}
    answer = stack.cloud.request("POST", address, form.encode(), headers)
    assert answer.status == 200
    assert f"s3://{stack.outputs['DataBucketName']}/paged/inference/notes.md" in answer.text
    client = stack.cloud.client("s3")
    stored = client.get_object(Bucket=stack.outputs["DataBucketName"], Key="paged/inference/notes.md")
    assert stored["Body"].read() == b"# x\r\n"


def test_the_commands_drop_a_file_and_run_the_drift_check(
    stack: DeployedStack, checked_for_drift: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.md").write_text("# notes")
    here = ["--directory", str(stack.cloud.directory)]
    assert main(["drop", str(tmp_path / "notes.md"), "commanded", "--folder", "labels", *here]) == 0
    assert f"{stack.outputs['DataBucketName']}/commanded/labels/notes.md" in capsys.readouterr().out
    assert main(["drop", str(tmp_path / "absent.csv"), "commanded", *here]) == 1
    assert "There is no file" in capsys.readouterr().err
    assert main(["drop", str(tmp_path / "notes.md"), "a/b", *here]) == 1
    assert main(["check-drift", *here]) == 0
    printed = capsys.readouterr().out
    line = re.search(rf"^{GROUP}: \w+, [\d,]+ rows, report: (\S+)$", printed, re.MULTILINE)
    assert line is not None
    assert "Nightly drift check" in stack.cloud.request("GET", line[1]).text


def visit(window: Any, address: str) -> None:
    window.goto(address)


@pytest.mark.browser
def test_no_page_of_the_local_cloud_has_a_violation(
    stack: DeployedStack, dashboard: HttpAnswer, chromium: Any
) -> None:
    mail = stack.cloud.emails()[-1]["id"]
    paths = ("", "executions", "inbox", f"inbox/{mail}", "dashboard", "nothing-here")
    addresses = [f"{stack.cloud.endpoint}/_local/{path}" for path in paths] + [stack.dashboard_url]
    pages = {address: partial(visit, address=address) for address in addresses}
    assert violations(chromium, pages) == []
