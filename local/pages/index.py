"""The overview page."""

from typing import Any

from ministack.services import apigateway, cloudwatch, lambda_svc, s3, sns, stepfunctions

from local import mailbox
from local.emulator import PINNED_VERSION
from local.pages.layout import page, short_name
from mlops.pages.number_format import counted

_SHOWN_EXECUTIONS = 12


def index_page() -> str:
    """Return the overview: what can be looked at, what is deployed, and what the state machines do."""
    alarms = [alarm["StateValue"] for alarm in cloudwatch._alarms.values()]
    emails = counted(len(mailbox.newest_first()), "email")
    dashboards = counted(len(list(cloudwatch._dashboards.keys())), "dashboard")
    ringing = f"{counted(len(alarms), 'alarm')}, {alarms.count('ALARM')} ringing"
    newest = sorted(stepfunctions._executions.values(), key=lambda entry: entry["startDate"], reverse=True)
    return page(
        "overview",
        "Local cloud",
        "/_local/",
        refresh_seconds=5,
        version=PINNED_VERSION,
        addresses=sorted(str(api["apiEndpoint"]) for api in apigateway._apis.values()),
        tiles=(
            ("/_local/inbox", "Inbox", f"{emails}; none leaves this machine"),
            ("/_local/dashboard", "Dashboards", f"{dashboards}, {ringing}"),
            ("", "Deployed", _deployed()),
        ),
        executions=[_execution(execution) for execution in newest[:_SHOWN_EXECUTIONS]],
    )


def not_found_page() -> str:
    """Return the page for an address that has no page."""
    return page("notice", "Not found", heading="Nothing here", text="Try the links above.")


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
    return {
        "machine": short_name(str(execution["stateMachineArn"]).rpartition(":")[2]),
        "name": str(execution["name"]),
        "state": entered[-1] if entered else "",
        "status": str(execution["status"]),
        "started": str(execution["startDate"])[11:19],
    }
