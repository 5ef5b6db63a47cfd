"""`mlops pending`, `approve`, `reject`, `remind`, `reopen`, `rotate-key`: requests for approval.

On plain files a decision changes only the registry. On a stack it answers the request for approval, by the
rules of the approval page, and the waiting execution continues.
"""

from __future__ import annotations

import argparse
from typing import Any

from mlops.approval.quorum import describe_progress
from mlops.cli.command import add_command, add_reason, columns
from mlops.cli.descriptions import score_cell
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.models.approval import ApprovalRequest, Choice
from mlops.models.errors import ApprovalError, RegistryError
from mlops.models.registry import WAITING, ModelMetadata, Status


def add_parser(subparsers: Any) -> None:
    """Add the six commands."""
    pending = add_command(subparsers, "pending", _pending)
    pending.add_argument("group", nargs="?", help="default: all groups")
    for name, action in (("approve", _approve), ("reject", _reject), ("reopen", _reopen)):
        parser = add_command(subparsers, name, action, "group", "version")
        add_reason(parser)
    add_command(subparsers, "remind", _remind, "group", "version")
    add_command(subparsers, "rotate-key", _rotate_key)


def _pending(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    groups = [parsed.group] if parsed.group else context.registry.groups()
    models = [m for group in groups for m in context.registry.list_models(group, WAITING)]
    requests = _open_requests(context)
    documents = [
        model.to_dict() | {"request": _describe(requests.get((model.model_group, model.version)))}
        for model in models
    ]
    rows = [_row(model, requests.get((model.model_group, model.version))) for model in models]
    return documents, columns(rows) if rows else "No version waits for a decision."


def _approve(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if isinstance(context, StackContext):
        return _answer(parsed, context, "approved")
    _check_not_pending(parsed, context)
    model = context.registry.approve_model(
        parsed.group, parsed.version, by=context.actor, reason=parsed.reason
    )
    return (
        model.to_dict(),
        f"{_describe_status(model, parsed, context)}; `mlops promote` puts it into service.",
    )


def _reject(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if isinstance(context, StackContext):
        return _answer(parsed, context, "rejected")
    _check_not_pending(parsed, context)
    model = context.registry.reject_model(
        parsed.group, parsed.version, by=context.actor, reason=parsed.reason
    )
    return model.to_dict(), f"{_describe_status(model, parsed, context)}."


def _describe_status(model: ModelMetadata, parsed: argparse.Namespace, context: Context) -> str:
    """Describe the status of a version; also who decided, when it was decided before this command."""
    status = model.status.value.lower()
    if (model.status_changed_by, model.status_reason) == (context.actor, parsed.reason):
        return f"{model.version} is {status}"
    return f"{model.version} was {status} before, by {model.status_changed_by}: {model.status_reason or '-'}"


def _remind(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.approval.administration import resend_email

    stack = _stack(context)
    n_emails = resend_email(stack.approvals, stack.approval_mailer, parsed.group, parsed.version)
    return {"n_mails": n_emails}, f"{n_emails} email(s) were sent; older links keep working."


def _rotate_key(_: argparse.Namespace, context: Context) -> tuple[Any, str]:
    _stack(context).rotate_signing_keys()
    return {"is_rotated": True}, "New keys sign links within a minute; links in use keep working."


def _reopen(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.approval.administration import reopen

    stack = _stack(context)
    execution_arn = reopen(
        stack.approvals,
        stack.variable("TRAIN_MODEL_STATE_MACHINE_ARN"),
        parsed.group,
        parsed.version,
        actor=stack.actor,
        reason=parsed.reason,
        is_in_training=stack.is_in_training,
    )
    message = f"Approval of {parsed.version} is requested again; the approvers get an email."
    return {"execution_arn": execution_arn}, message


def _answer(parsed: argparse.Namespace, stack: StackContext, choice: Choice) -> tuple[Any, str]:
    from mlops.approval.administration import answer_by_command

    request = answer_by_command(
        stack.approvals, parsed.group, parsed.version, choice, actor=stack.actor, reason=parsed.reason
    ).request
    if request.decision is None:
        return _describe(request), f"Your approval is recorded; {describe_progress(request)}."
    return _describe(request), f"{parsed.version} is {request.decision.decision}; its execution continues."


def _stack(context: Context) -> StackContext:
    if isinstance(context, StackContext):
        return context
    raise ApprovalError("Requests for approval exist only on a deployed stack: name one with --stack.")


def _check_not_pending(parsed: argparse.Namespace, context: Context) -> None:
    """Refuse to decide about a version with an approval request: its execution waits for that answer."""
    if context.registry.get_model(parsed.group, parsed.version).status is Status.PENDING_APPROVAL:
        raise RegistryError(
            f"{parsed.version} waits for its approvers; decide through the link in their email."
        )


def _open_requests(context: Context) -> dict[tuple[str, str], ApprovalRequest]:
    if not isinstance(context, StackContext):
        return {}
    from mlops.approval.administration import list_pending

    requests = list_pending(context.approvals)
    return {(request.group, request.version): request for request in requests}


def _describe(request: ApprovalRequest | None) -> dict[str, Any] | None:
    """Return what may be printed of a request: not what is encrypted in it."""
    if request is None:
        return None
    names = ("approvers", "answers", "created_at", "expires_at", "required_approvals", "decision")
    document = request.to_dict()
    return {name: document[name] for name in names}


def _row(model: ModelMetadata, request: ApprovalRequest | None) -> tuple[str, ...]:
    progress = ""
    if request is not None:
        progress = f"{describe_progress(request)}, open until {request.expires_at:%Y-%m-%d %H:%M} UTC"
    score = score_cell(model.metrics.primary_score)
    return (model.model_group, model.version, model.status.value, score, progress)
