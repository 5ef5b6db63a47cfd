"""The overview page."""

from html import escape
from typing import Any

from ministack.services import apigateway, cloudwatch, lambda_svc, s3, sns, stepfunctions

from local import mailbox
from local.emulator import PINNED_VERSION
from local.pages.layout import page, short_name

_SHOWN_EXECUTIONS = 12


def index_page() -> str:
    """Return the overview: what can be looked at, what is deployed, and what the state machines do."""
    alarms = [alarm["StateValue"] for alarm in cloudwatch._alarms.values()]
    mails = _count(len(mailbox.newest_first()), "mail")
    dashboards = _count(len(list(cloudwatch._dashboards.keys())), "dashboard")
    ringing = f"{_count(len(alarms), 'alarm')}, {alarms.count('ALARM')} ringing"
    tiles = [
        _tile("/_local/inbox", "Inbox", f"{mails}; none leaves this machine"),
        _tile("/_local/dashboard", "Dashboards", f"{dashboards}, {ringing}"),
        _tile(None, "Deployed", _deployed()),
    ]
    return page(
        "Local cloud",
        f"<h1>Local cloud</h1><p class=lead>MiniStack {PINNED_VERSION} with SageMaker jobs, "
        f"on this machine only.{_api_addresses()}</p><div class=tiles>{''.join(tiles)}</div>"
        f'<h2>Executions</h2><div class="card rows">{_executions()}</div>',
        "/_local/",
        refresh_seconds=5,
    )


def not_found_page() -> str:
    """Return the page for an address that leads nowhere."""
    return page("Not found", "<h1>Nothing here</h1><p class=lead>Try the links above.</p>")


def _tile(address: str | None, name: str, text: str) -> str:
    inner = f"<h2>{escape(name)}</h2><p>{escape(text)}</p>"
    if address is None:
        return f"<div class=card>{inner}</div>"
    return f'<a class=card href="{address}">{inner}</a>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _deployed() -> str:
    stores = {
        "function": lambda_svc._functions,
        "state machine": stepfunctions._state_machines,
        "bucket": s3._buckets,
        "topic": sns._topics,
    }
    return ", ".join(_count(len(list(store.keys())), noun) for noun, store in stores.items())


def _api_addresses() -> str:
    addresses = sorted(str(api["apiEndpoint"]) for api in apigateway._apis.values())
    return f" HTTP APIs: {escape(', '.join(addresses))}" if addresses else ""


def _executions() -> str:
    newest = sorted(stepfunctions._executions.values(), key=lambda entry: entry["startDate"], reverse=True)
    rows = [_execution(execution) for execution in newest[:_SHOWN_EXECUTIONS]]
    return "".join(rows) or "<div class=empty>None yet.</div>"


def _execution(execution: dict[str, Any]) -> str:
    machine = short_name(str(execution["stateMachineArn"]).rpartition(":")[2])
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in execution.get("events", [])
        if "stateEnteredEventDetails" in event
    ]
    status = escape(str(execution["status"]))
    return (
        f"<div class=row><span>{escape(machine)} <i>{escape(str(execution['name']))}</i></span>"
        f"<span>{escape(entered[-1] if entered else '')}</span>"
        f'<span><b class="state {status}">{status.replace("_", " ").lower()}</b></span>'
        f'<span class="when">{escape(str(execution["startDate"])[11:19])}</span></div>'
    )
