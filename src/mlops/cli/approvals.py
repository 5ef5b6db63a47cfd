"""`mlops pending`, `approve`, `reject`, `remind`, `reopen`, `rotate-key`: decide, and look after what waits.

On plain files a decision is the registry's alone; on a stack it goes through the request for approval, by the
rules of the page, and the execution that waits hears of it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_command, add_reason, columns
from mlops.cli.descriptions import score_of
from mlops.context.context import Context
from mlops.models.approval import ApprovalRequest, Choice
from mlops.models.errors import ApprovalError, RegistryError
from mlops.models.registry import ModelMetadata, Status

if TYPE_CHECKING:  # imported by the commands that need them: botocore is slow
    from mlops.infrastructure.aws.cloudformation import Stack

_UNDECIDED = (Status.REGISTERED, Status.PENDING_APPROVAL, Status.APPROVED)


def add_parser(subparsers: Any) -> None:
    """Add the six commands."""
    pending = add_command(subparsers, "pending", "list the versions that wait for somebody", _pending)
    pending.add_argument("group", nargs="?", help="default: all groups")
    for name, message, action in (
        ("approve", "approve a version; it is named in full, as on the page", _approve),
        ("reject", "reject a version for good", _reject),
        ("reopen", "ask again about a version that has expired", _reopen),
    ):
        parser = add_command(subparsers, name, message, action, "group", "version")
        add_reason(parser)
    add_command(subparsers, "remind", "mail the approvers of a version anew", _remind, "group", "version")
    message = "replace the key that signs links; links go on working until it is replaced once more"
    add_command(subparsers, "rotate-key", message, _rotate_key)


def _pending(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    registry = context.registry()
    groups = [parsed.group] if parsed.group else registry.groups()
    models = [m for group in groups for m in registry.list_models(group) if m.status in _UNDECIDED]
    requests = _open_requests(context)
    documents = [
        model.to_dict() | {"request": _describe(requests.get((model.model_group, model.version)))}
        for model in models
    ]
    rows = [_row(model, requests.get((model.model_group, model.version))) for model in models]
    return documents, columns(rows) if rows else "Nothing waits for a decision."


def _approve(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if context.stack is not None:
        return _answer(parsed, context, "approved")
    _refuse_waiting(parsed, context)
    model = context.registry().approve_model(
        parsed.group, parsed.version, by=context.actor(), reason=parsed.reason
    )
    return model.to_dict(), f"{_message(model, parsed, context)}; `mlops promote` puts it into service."


def _reject(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if context.stack is not None:
        return _answer(parsed, context, "rejected")
    _refuse_waiting(parsed, context)
    model = context.registry().reject_model(
        parsed.group, parsed.version, by=context.actor(), reason=parsed.reason
    )
    return model.to_dict(), f"{_message(model, parsed, context)}."


def _message(model: ModelMetadata, parsed: argparse.Namespace, context: Context) -> str:
    """Say what was decided, and whose decision it was when that is another than this one."""
    status = model.status.value.lower()
    if (model.status_changed_by, model.status_reason) == (context.actor(), parsed.reason):
        return f"{model.version} is {status}"
    return f"{model.version} was {status} before, by {model.status_changed_by}: {model.status_reason or '-'}"


def _remind(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.approval.factory import open_mailer, open_service  # noqa: PLC0415
    from mlops.approval.operations import resend_email  # noqa: PLC0415

    stack = _stack(context)
    service = open_service(stack, context.registry())
    n_mails = resend_email(service, open_mailer(stack), parsed.group, parsed.version)
    return {"n_mails": n_mails}, f"{n_mails} mail(s) went out; older links go on working."


def _rotate_key(_: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.approval.factory import rotate_key  # noqa: PLC0415

    rotate_key(_stack(context))
    return {"is_rotated": True}, "A new key signs links within a minute; those that are out go on working."


def _reopen(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.approval.factory import open_service  # noqa: PLC0415
    from mlops.approval.operations import reopen  # noqa: PLC0415

    stack = _stack(context)
    execution = reopen(
        open_service(stack, context.registry()),
        stack.train_model_state_machine_arn,
        parsed.group,
        parsed.version,
        actor=context.actor(),
        reason=parsed.reason,
    )
    return {"execution_arn": execution}, f"{parsed.version} is asked about again; the approvers get a mail."


def _answer(parsed: argparse.Namespace, context: Context, choice: Choice) -> tuple[Any, str]:
    from mlops.approval.factory import open_service  # noqa: PLC0415
    from mlops.approval.operations import answer_by_command  # noqa: PLC0415
    from mlops.approval.pages.approval_view import describe_progress  # noqa: PLC0415

    service = open_service(_stack(context), context.registry())
    request = answer_by_command(
        service, parsed.group, parsed.version, choice, actor=context.actor(), reason=parsed.reason
    ).request
    if request.decision is None:
        return _describe(request), f"Your yes is recorded; {describe_progress(request)}."
    message = f"{parsed.version} is {request.decision.decision}; its execution goes on."
    return _describe(request), message


def _stack(context: Context) -> Stack:
    if context.stack is None:
        raise ApprovalError("Only on a deployed stack are people asked: name one with --stack.")
    return context.stack


def _refuse_waiting(parsed: argparse.Namespace, context: Context) -> None:
    """Leave a version to its approval request: an execution waits for that very answer."""
    if context.registry().get_model(parsed.group, parsed.version).status is Status.PENDING_APPROVAL:
        raise RegistryError(
            f"{parsed.version} waits for its approvers; decide through the link in their mail."
        )


def _open_requests(context: Context) -> dict[tuple[str, str], ApprovalRequest]:
    if context.stack is None:
        return {}
    from mlops.approval.factory import open_service  # noqa: PLC0415
    from mlops.approval.operations import list_pending  # noqa: PLC0415

    requests = list_pending(open_service(context.stack, context.registry()))
    return {(request.group, request.version): request for request in requests}


def _describe(request: ApprovalRequest | None) -> dict[str, Any] | None:
    """Return what may be printed of a request: not what is sealed in it."""
    if request is None:
        return None
    kept = ("approvers", "answers", "created_at", "expires_at", "required_approvals", "decision")
    document = request.to_dict()
    return {name: document[name] for name in kept}


def _row(model: ModelMetadata, request: ApprovalRequest | None) -> tuple[str, ...]:
    message = (model.model_group, model.version, model.status.value, score_of(model) or "-")
    if request is None:
        return (*message, "")
    from mlops.approval.pages.approval_view import describe_progress  # noqa: PLC0415

    return (*message, f"{describe_progress(request)}, open until {request.expires_at:%Y-%m-%d %H:%M} UTC")
