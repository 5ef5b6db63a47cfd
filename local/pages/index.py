"""The overview page, and the executions that it shows."""

import json
import re
from typing import Any

from ministack.services import apigateway, cloudwatch, lambda_svc, s3, sns, stepfunctions

from local import mailbox
from local.cloud import link_to
from local.emulator import PINNED_VERSION
from local.pages.layout import RELOAD_SECONDS, page, short_name
from mlops.infrastructure.upload_events import PURPOSES
from mlops.pages.number_format import counted

_SHOWN_EXECUTIONS = 12
_TITLES = ("Training data", "Rows to score", "Labels: what came true")
_FOLDERS = tuple(zip(PURPOSES, _TITLES, strict=True))


def index_page() -> str:
    """Return the overview: drop a file, what can be looked at, what is deployed and what runs."""
    alarms = [alarm["StateValue"] for alarm in cloudwatch._alarms.values()]
    emails = counted(len(mailbox.newest_first()), "email")
    dashboards = counted(len(list(cloudwatch._dashboards.keys())), "dashboard")
    states = f"{counted(len(alarms), 'alarm')}, {alarms.count('ALARM')} in alarm"
    return page(
        "overview",
        "Local cloud",
        "/_local/",
        version=PINNED_VERSION,
        addresses=sorted(str(api["apiEndpoint"]) for api in apigateway._apis.values()),
        tiles=(
            ("/_local/inbox", "Inbox", f"{emails}; none leaves this machine"),
            ("/_local/dashboard", "Dashboards", f"{dashboards}, {states}"),
            ("", "Deployed", _deployed()),
        ),
        buckets=[(name, link_to(f"s3://{name}/")) for name in sorted(s3._buckets.keys())],
        groups=sorted(
            {group for entry in stepfunctions._executions.values() if (group := _input(entry).get("group"))}
        ),
        folders=_FOLDERS,
    )


def executions_page(*, watch: bool) -> str:
    """Return the newest executions, by group and file; on request it loads itself again."""
    newest = sorted(stepfunctions._executions.values(), key=lambda entry: entry["startDate"], reverse=True)
    shown = [_execution(execution) for execution in newest[:_SHOWN_EXECUTIONS]]
    seconds = RELOAD_SECONDS if watch else None
    return page("executions", "Executions", refresh_seconds=seconds, executions=shown)


def notice_page(heading: str, text: str) -> str:
    """Return a page that only says something."""
    return page("notice", heading, heading=heading, text=text)


def _deployed() -> str:
    stores = {
        "function": lambda_svc._functions,
        "state machine": stepfunctions._state_machines,
        "bucket": s3._buckets,
        "topic": sns._topics,
    }
    return ", ".join(counted(len(list(store.keys())), unit) for unit, store in stores.items())


def _execution(execution: dict[str, Any]) -> dict[str, str]:
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in execution.get("events", [])
        if "stateEnteredEventDetails" in event
    ]
    request = _input(execution)
    return {
        "group": str(request.get("group", "")),
        "file": _file(request),
        "work": work_of(str(execution["stateMachineArn"])),
        "name": str(execution["name"]),
        "state": entered[-1] if entered else "",
        "status": str(execution["status"]),
        "started": str(execution["startDate"])[11:19],
        "results": _results(request),
    }


def work_of(state_machine_arn: str) -> str:
    """Return what a state machine does, by its name in the template: `TrainModelStateMachine` trains."""
    name = short_name(state_machine_arn.rpartition(":")[2]).rpartition("-")[2].removesuffix("StateMachine")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _input(execution: dict[str, Any]) -> dict[str, Any]:
    """Return what an execution was started with: its input, or the detail of the event that started it."""
    try:
        request = json.loads(execution.get("input") or "{}")
    except ValueError:
        return {}
    if isinstance(request, dict) and "detail-type" in request:
        request = request.get("detail")
    return request if isinstance(request, dict) else {}


def _file(request: dict[str, Any]) -> str:
    """Return the name of the dropped file that an execution works on."""
    upload = request.get("upload")
    return str(upload.get("key", "")).rpartition("/")[2] if isinstance(upload, dict) else ""


def _results(request: dict[str, Any]) -> str:
    """Return the link to what an execution leaves: predictions of a batch, versions of a group."""
    model, dataset = request.get("model"), request.get("dataset")
    if isinstance(model, dict) and "folder" in request:
        bucket = str(model.get("artifact", {}).get("uri", "")).removeprefix("s3://").partition("/")[0]
        return link_to(f"s3://{bucket}/{request['folder']}/") if bucket else ""
    if isinstance(dataset, dict) and "group" in request:
        return link_to(f"s3://{dataset.get('bucket')}/models/{request['group']}/")
    return ""
