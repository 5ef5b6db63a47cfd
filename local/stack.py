"""The deployed application as its users see it: drop a file, read the email, answer on the page."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.cloud import HttpAnswer, LocalCloud
from local.deploy import deploy, outputs
from local.errors import LocalCloudError
from local.launcher import REPOSITORY_ROOT
from mlops.infrastructure.upload_events import PURPOSES
from mlops.intake.placement.placement import SETTINGS_FILE

STACK_NAME = "mlops-local"
APPROVER = "approver@example.com"
PARAMETERS = {"ApproverEmail": APPROVER, "ApprovalTimeoutSeconds": "86400", "LogRetentionDays": "7"}
POLL_SECONDS = 0.2


class WaitError(LocalCloudError):
    """What was expected did not happen in time; the message says what was seen last."""


@dataclass(frozen=True, slots=True)
class Step:
    """One state that an execution entered."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The application in a local cloud."""

    cloud: LocalCloud
    outputs: Mapping[str, str]

    @property
    def dashboard_url(self) -> str:
        """The address of the dashboard on the pages of the local cloud."""
        name = self.outputs["DashboardUrl"].rpartition("name=")[2]
        return f"{self.cloud.endpoint}/_local/dashboard?{urlencode({'name': name})}"

    def drop_for(self, group: str, name: str, content: bytes, folder: str) -> str:
        """Put a file into a folder of a group, its settings beside the folders; return its address.

        Raises
        ------
        LocalCloudError
            If the group or the folder has no such name.
        """
        if folder not in PURPOSES or not group or "/" in group:
            raise LocalCloudError(f"A group's name has no slash, and its folders are {', '.join(PURPOSES)}.")
        parts = [group, name] if name == SETTINGS_FILE else [group, folder, name]
        key = "/".join(parts)
        self.drop(content, key)
        return f"s3://{self.outputs['DataBucketName']}/{key}"

    def drop(self, source: Path | bytes, key: str) -> str:
        """Put a file (or bytes) into the data bucket and return its version id."""
        content = source if isinstance(source, bytes) else source.read_bytes()
        answer = self.cloud.client("s3").put_object(
            Bucket=self.outputs["DataBucketName"], Key=key, Body=content
        )
        return str(answer["VersionId"])

    def read(self, key: str) -> bytes:
        """Return an object of the artifact bucket."""
        answer = self.cloud.client("s3").get_object(Bucket=self.outputs["ArtifactBucketName"], Key=key)
        return bytes(answer["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the artifact bucket under a prefix."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        listing = pages.paginate(Bucket=self.outputs["ArtifactBucketName"], Prefix=prefix)
        return [entry["Key"] for page in listing for entry in page.get("Contents", ())]

    def executions(self, machine: str) -> list[str]:
        """Return the execution ARNs of `TrainModel` or `RunInference`, newest first."""
        arn = self.outputs[f"{machine}StateMachineArn"]
        entries = self.cloud.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
        return [e["executionArn"] for e in sorted(entries, key=lambda e: e["startDate"], reverse=True)]

    def wait_for_execution(self, machine: str, earlier: list[str], timeout_seconds: float = 60) -> str:
        """Return the first execution that is not in `known`."""
        return wait(
            lambda: next((arn for arn in self.executions(machine) if arn not in earlier), None),
            f"a new execution of {machine}",
            timeout_seconds,
        )

    def batch_folder(self, group: str, batch_id: str) -> str:
        """Return the folder of the artifact bucket with the results of a scored file."""
        manifests = [key for key in self.keys(f"predictions/{group}/") if key.endswith("/manifest.json")]
        folders = [key.removesuffix("/manifest.json") for key in manifests]
        return next(folder for folder in folders if folder.endswith(f"-{batch_id[:12]}"))

    def steps(self, execution_arn: str, timeout_seconds: float = 300) -> Iterator[Step]:
        """Yield every state as the execution enters it, until it ends or waits for an approval."""
        seen = 0
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            entered = self._entered(execution_arn)
            yield from entered[seen:]
            seen = max(seen, len(entered))
            if self.status(execution_arn) != "RUNNING":
                yield from self._entered(execution_arn)[seen:]
                return
            time.sleep(POLL_SECONDS)
        raise WaitError(f"{execution_arn} still runs after {timeout_seconds:.0f} s; states: {entered}")

    def status(self, execution_arn: str) -> str:
        """Return RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        answer = self.cloud.client("stepfunctions").describe_execution(executionArn=execution_arn)
        return str(answer["status"])

    def _entered(self, execution_arn: str) -> list[Step]:
        pages = self.cloud.client("stepfunctions").get_paginator("get_execution_history")
        events = [event for page in pages.paginate(executionArn=execution_arn) for event in page["events"]]
        return [
            Step(event["stateEnteredEventDetails"]["name"], event["type"].removesuffix("StateEntered"))
            for event in events
            if "stateEnteredEventDetails" in event
        ]

    def finish(self, execution_arn: str, timeout_seconds: float = 300) -> list[str]:
        """Wait for the end and return the names of the states that were entered."""
        return [step.name for step in self.steps(execution_arn, timeout_seconds)]

    def wait_for_email(
        self, matches: Callable[[dict[str, Any]], bool], what: str, timeout_seconds: float = 60
    ) -> dict[str, Any]:
        """Return the newest email that matches."""
        try:
            return wait(
                lambda: next((email for email in self.cloud.emails() if matches(email)), None),
                f"an email ({what})",
                timeout_seconds,
            )
        except WaitError as error:
            seen = [email["subject"] for email in self.cloud.emails()]
            raise WaitError(f"{error} Subjects seen: {seen}") from None

    def wait_for_approval_link(
        self, group: str, timeout_seconds: float = 180, *, after: int = 0
    ) -> tuple[dict[str, Any], str]:
        """Return the approval email for a group that came after the email of that id, and the link in it."""
        email = self.wait_for_email(
            lambda m: m["id"] > after and group in m["subject"] and approval_link(m) is not None,
            f"approval of {group}",
            timeout_seconds,
        )
        return email, approval_link(email) or ""

    def decide(self, link: str, version: str, decision: str, reason: str = "") -> HttpAnswer:
        """Open the page behind an approval link and answer (`approved`, `rejected`) through its form.

        Raises
        ------
        LocalCloudError
            If the page does not open or offers no such decision.
        """
        page = self.cloud.request("GET", link)
        if page.status != 200:
            raise LocalCloudError(f"The approval page answered {page.status}: {page.text[:300]}")
        form = read_form(page.text)
        if decision not in form.choices:
            raise LocalCloudError(f"The page offers {sorted(form.choices)}, not {decision!r}.")
        return self.post_form(
            link, {**form.hidden, "decision": decision, "version": version, "reason": reason}
        )

    def post_form(self, link: str, fields: Mapping[str, str]) -> HttpAnswer:
        """Send a form to the page behind a link."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.cloud.request("POST", link, urlencode(fields).encode(), headers)

    def check_drift(self, days_ahead: int = 0) -> dict[str, Any]:
        """Run the nightly check as it will run today (or some days ahead) and return its answer."""
        return self.run_scheduled("CheckDrift", datetime.now(UTC) + timedelta(days=days_ahead))

    def run_scheduled(self, function: str, at: datetime) -> dict[str, Any]:
        """Run a scheduled function (`CheckDrift`, `RecoverUploads`) as its schedule would at that time.

        Raises
        ------
        LocalCloudError
            If the function fails.
        """
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.outputs[f"{function}FunctionName"],
            Payload=json.dumps({"scheduled_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}),
        )
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise LocalCloudError(f"{function} failed: {payload.get('errorMessage', payload)}")
        return payload


def find_application(cloud: LocalCloud) -> DeployedStack:
    """Return the application that was deployed into a cloud.

    Raises
    ------
    LocalCloudError
        If it is not deployed.
    """
    stacks = (
        cloud.client("cloudformation")
        .get_paginator("list_stacks")
        .paginate(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
    )
    if STACK_NAME not in {stack["StackName"] for page in stacks for stack in page["StackSummaries"]}:
        raise LocalCloudError("The application is not deployed yet: run `make up`.")
    return DeployedStack(cloud, outputs(cloud, STACK_NAME))


def deploy_application(cloud: LocalCloud, **overrides: str) -> DeployedStack:
    """Build and deploy template.yaml, and confirm the email subscriptions as their owners would."""
    deployed = deploy(cloud, REPOSITORY_ROOT / "template.yaml", STACK_NAME, {**PARAMETERS, **overrides})
    cloud.confirm_subscriptions()
    return DeployedStack(cloud, deployed)


def wait[T](look: Callable[[], T | None], what: str, timeout_seconds: float) -> T:
    """Return what `look` finds, polling until it is not None."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen is not None:
            return seen
        time.sleep(POLL_SECONDS)
    raise WaitError(f"After {timeout_seconds:.0f} s there was still no sign of {what}.")


def approval_link(email: Mapping[str, Any]) -> str | None:
    """Return the link to the approval page in an email, or None."""
    return next((link for link in email["links"] if "/approvals/" in link), None)


def version_in(text: str) -> str:
    """Return the model version (`v1.0.0`) that a subject names."""
    return re.search(r"\bv\d+\.\d+\.\d+\b", text)[0]  # type: ignore[index]


@dataclass(frozen=True, slots=True)
class Form:
    """The hidden fields of a form, and its choices."""

    hidden: Mapping[str, str]
    choices: frozenset[str]


def read_form(html: str) -> Form:
    """Return the hidden fields and the choices of all forms of a page."""
    reader = _FormReader()
    reader.feed(html)
    return Form(reader.hidden, frozenset(reader.choices))


class _FormReader(HTMLParser):
    """Collects the fields of the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.choices: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note hidden fields and radio buttons."""
        values = {name: value or "" for name, value in attrs}
        if tag == "input" and values.get("type") == "hidden":
            self.hidden[values["name"]] = values.get("value", "")
        elif tag == "input" and values.get("type") == "radio":
            self.choices.append(values["value"])
