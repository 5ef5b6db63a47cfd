"""The decision log: who was allowed what, and by which statement, as JSON lines in `iam.jsonl`.

AWS shows the same, less directly, in CloudTrail and IAM Access Analyzer; MiniStack logs only denials.
With it a test can prove that every statement of a template is needed: a statement that no decision of the
whole flow names is one too many, and one that is the only match of a decision cannot be removed.

Each line: `at`, `principal`, `role`, `session`, `action`, `resource`, `allowed`, `statements` (every matching
statement of the deciding effect in the role's policies: `policy`, `index`, `sid`), `resource_statements` (the
`sid` of those in the resource's own policy) and `source` ("request": an API call over HTTP,
"service": a service acting under a role, such as a state machine).
"""

import json
import os
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam as iam_service

from local.emulator import wrap
from local.environment import CLOUD_DIRECTORY

LOG_FILE = "iam.jsonl"
_trace: ContextVar[list[dict[str, Any]] | None] = ContextVar("iam_trace", default=None)
_writing = threading.Lock()


def install() -> None:
    """Follow every evaluation from now on."""
    wrap("iam_evaluator._gather_role_policies", _with_statement_names)
    wrap("iam_evaluator.evaluate", _traced)
    wrap("iam_evaluator.enforce", _recorded)


def record(
    principal: str, action: str, resource: str, *, allowed: bool, source: str, trace: list[dict[str, Any]]
) -> None:
    """Append one decision."""
    role, session = _role_and_session(principal)
    deciding = "Deny" if not allowed else "Allow"
    matching = [origin for entry in trace if entry["decision"] == deciding for origin in entry["statements"]]
    line = json.dumps(
        {
            "at": datetime.now(UTC).isoformat(),
            "principal": principal,
            "role": role,
            "session": session,
            "action": action,
            "resource": resource,
            "allowed": allowed,
            "statements": [origin for origin in matching if origin["policy"] is not None],
            "resource_statements": [origin["sid"] for origin in matching if origin["policy"] is None],
            "source": source,
        }
    )
    with _writing, (Path(os.environ[CLOUD_DIRECTORY]) / LOG_FILE).open("a", encoding="utf-8") as log:
        log.write(line + "\n")


def start_trace() -> list[dict[str, Any]]:
    """Start collecting the evaluations of one decision in this context."""
    trace: list[dict[str, Any]] = []
    _trace.set(trace)
    return trace


def stop_trace() -> None:
    """Stop collecting."""
    _trace.set(None)


def _with_statement_names(original: Any) -> Any:
    """Gather the same policies, and leave on each statement where it comes from."""

    def gather(role_name: str, account_id: str) -> list[list[Any]]:
        role = iam_service._roles.get_scoped(account_id, None, role_name) or {}
        documents = list((role.get("InlinePolicies") or {}).items())
        for arn in role.get("AttachedPolicies", []):
            document = iam_evaluator._resolve_managed_policy_document(arn, account_id)
            documents.append((arn, document))
        named = [
            (name, iam_evaluator.parse_policy_document(document)) for name, document in documents if document
        ]
        gathered = original(role_name, account_id)
        for (name, _), statements in zip([pair for pair in named if pair[1]], gathered, strict=True):
            for index, statement in enumerate(statements):
                statement.origin = {"policy": name, "index": index, "sid": statement.sid}
        return list(gathered)

    return gather


def _traced(original: Any) -> Any:
    def evaluate(context: Any, policies: list[list[Any]], *limits: Any) -> Any:
        result = original(context, policies, *limits)
        trace = _trace.get()
        if trace is not None:
            statements = [statement for document in policies for statement in document]
            matching = [
                getattr(statement, "origin", {"policy": None, "index": None, "sid": statement.sid})
                for statement in statements
                if iam_evaluator._first_match(context, [statement], result.decision) is not None
            ]
            trace.append(
                {"principal": context.principal_arn, "decision": result.decision, "statements": matching}
            )
        return result

    return evaluate


def _recorded(original: Any) -> Any:
    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        trace = start_trace()
        try:
            denied = original(access_key_id, iam_action, service, region, resource_arn, service_context)
        finally:
            stop_trace()
        if trace:  # the account's root is never evaluated
            record(
                trace[0]["principal"],
                iam_action,
                resource_arn,
                allowed=denied is None,
                source="request",
                trace=trace,
            )
        return denied

    return enforce


def _role_and_session(principal: str) -> tuple[str | None, str | None]:
    """Split `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`."""
    if ":assumed-role/" not in principal:
        return None, None
    role, _, session = principal.partition(":assumed-role/")[2].partition("/")
    return role, session
