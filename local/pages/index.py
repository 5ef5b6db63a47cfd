"""The overview page."""

import json
from html import escape

from ministack.services import cloudwatch, lambda_svc, s3, sns, stepfunctions

from local import mailbox
from local.emulator import PINNED_VERSION
from local.pages.layout import page


def index_page() -> str:
    """Return the overview: what can be looked at, and what is deployed."""
    alarms = [alarm["StateValue"] for alarm in cloudwatch._alarms.values()]
    ringing = alarms.count("ALARM")
    tiles = (
        ("/_local/inbox", "Inbox", f"{len(mailbox.newest_first())} mails caught; none leaves this machine."),
        (
            "/_local/dashboard",
            "Dashboards",
            f"{len(list(cloudwatch._dashboards.keys()))} dashboards, {len(alarms)} alarms, {ringing} in ALARM.",
        ),
    )
    cards = "".join(
        f'<a class=card href="{address}"><h2>{name}</h2><p>{escape(text)}</p></a>'
        for address, name, text in tiles
    )
    counts = ", ".join(
        f"{len(list(store.keys()))} {name}"
        for name, store in (
            ("functions", lambda_svc._functions),
            ("state machines", stepfunctions._state_machines),
            ("executions", stepfunctions._executions),
            ("buckets", s3._buckets),
            ("topics", sns._topics),
        )
    )
    urls = json.dumps([api["apiEndpoint"] for api in _apis()])
    return page(
        "Local cloud",
        f"<h1>Local cloud</h1><p class=lead>MiniStack {PINNED_VERSION} with SageMaker jobs, on this machine only.</p>"
        f"<div class=tiles>{cards}<div class=card><h2>Deployed</h2><p>{escape(counts)}</p></div>"
        f"<div class=card><h2>HTTP APIs</h2><p>{escape(', '.join(json.loads(urls)) or 'none')}</p></div></div>",
        "/_local/",
    )


def not_found_page() -> str:
    """Return the page for an address that leads nowhere."""
    return page("Not found", "<h1>Nothing here</h1><p class=lead>Try the links above.</p>")


def _apis() -> list[dict[str, str]]:
    from ministack.services import apigateway  # noqa: PLC0415 - keeps the import list of this module short

    return list(apigateway._apis.values())
