"""`mlops pending`, `approve`, `reject`, `remind`, `reopen`, `rotate-key`: decide, and look after what waits.

On plain files a decision is the registry's alone; on a stack it goes through the request for approval, by the
rules of the page, and the execution that waits hears of it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mlops.commands import add_command, add_reason, columns
from mlops.errors import ApprovalError, RegistryError
from mlops.models.approval import ApprovalRequest, Choice
from mlops.models.registry import ModelMetadata, Status
from mlops.registry.description import score_of
from mlops.workplace import Workplace

if TYPE_CHECKING:  # imported by the commands that need them: botocore is slow
    from mlops.infrastructure.cloudformation import Stack

_UNDECIDED = (Status.REGISTERED, Status.PENDING_APPROVAL, Status.APPROVED)


def add_parser(subparsers: Any) -> None:
    """Add the six commands."""
    pending = add_command(subparsers, "pending", "list the versions that wait for somebody", _pending)
    pending.add_argument("group", nargs="?", help="default: all groups")
    for name, told, action in (
        ("approve", "approve a version; it is named in full, as on the page", _approve),
        ("reject", "reject a version for good", _reject),
        ("reopen", "ask again about a version that has expired", _reopen),
    ):
        parser = add_command(subparsers, name, told, action, "group", "version")
        add_reason(parser)
    add_command(subparsers, "remind", "mail the approvers of a version anew", _remind, "group", "version")
    told = "replace the key that signs links; links go on working until it is replaced once more"
    add_command(subparsers, "rotate-key", told, _rotate_key)


def _pending(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    registry = place.registry()
    groups = [parsed.group] if parsed.group else registry.groups()
    models = [m for group in groups for m in registry.list_models(group) if m.status in _UNDECIDED]
    requests = _open_requests(place)
    documents = [
        model.to_dict() | {"request": _describe(requests.get((model.model_group, model.version)))}
        for model in models
    ]
    rows = [_row(model, requests.get((model.model_group, model.version))) for model in models]
    return documents, columns(rows) if rows else "Nothing waits for a decision."


def _approve(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    if place.stack is not None:
        return _answer(parsed, place, "approved")
    _refuse_waiting(parsed, place)
    model = place.registry().approve_model(
        parsed.group, parsed.version, by=place.actor(), reason=parsed.reason
    )
    return model.to_dict(), f"{_told(model, parsed, place)}; `mlops promote` puts it into service."


def _reject(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    if place.stack is not None:
        return _answer(parsed, place, "rejected")
    _refuse_waiting(parsed, place)
    model = place.registry().reject_model(
        parsed.group, parsed.version, by=place.actor(), reason=parsed.reason
    )
    return model.to_dict(), f"{_told(model, parsed, place)}."


def _told(model: ModelMetadata, parsed: argparse.Namespace, place: Workplace) -> str:
    """Say what was decided, and whose decision it was when that is another than this one."""
    status = model.status.value.lower()
    if (model.status_changed_by, model.status_reason) == (place.actor(), parsed.reason):
        return f"{model.version} is {status}"
    return f"{model.version} was {status} before, by {model.status_changed_by}: {model.status_reason or '-'}"


def _remind(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    from mlops.approval.opening import open_desk, open_postbox  # noqa: PLC0415
    from mlops.approval.operating import mail_again  # noqa: PLC0415

    stack = _stack(place)
    desk = open_desk(stack, place.registry())
    n_mails = mail_again(desk, open_postbox(stack), parsed.group, parsed.version)
    return {"n_mails": n_mails}, f"{n_mails} mail(s) went out; older links go on working."


def _rotate_key(_: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    from mlops.approval.opening import rotate_key  # noqa: PLC0415

    rotate_key(_stack(place))
    return {"is_rotated": True}, "A new key signs links within a minute; those that are out go on working."


def _reopen(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    from mlops.approval.opening import open_desk  # noqa: PLC0415
    from mlops.approval.operating import reopen  # noqa: PLC0415

    stack = _stack(place)
    execution = reopen(
        open_desk(stack, place.registry()),
        stack.train_model_state_machine_arn,
        parsed.group,
        parsed.version,
        actor=place.actor(),
        reason=parsed.reason,
    )
    return {"execution_arn": execution}, f"{parsed.version} is asked about again; the approvers get a mail."


def _answer(parsed: argparse.Namespace, place: Workplace, choice: Choice) -> tuple[Any, str]:
    from mlops.approval.approval_view import describe_progress  # noqa: PLC0415
    from mlops.approval.opening import open_desk  # noqa: PLC0415
    from mlops.approval.operating import answer_by_command  # noqa: PLC0415

    desk = open_desk(_stack(place), place.registry())
    request = answer_by_command(
        desk, parsed.group, parsed.version, choice, actor=place.actor(), reason=parsed.reason
    ).request
    if request.decision is None:
        return _describe(request), f"Your yes is recorded; {describe_progress(request)}."
    told = f"{parsed.version} is {request.decision.decision}; its execution goes on."
    return _describe(request), told


def _stack(place: Workplace) -> Stack:
    if place.stack is None:
        raise ApprovalError("Only on a deployed stack are people asked: name one with --stack.")
    return place.stack


def _refuse_waiting(parsed: argparse.Namespace, place: Workplace) -> None:
    """Leave a version to its approval request: an execution waits for that very answer."""
    if place.registry().get_model(parsed.group, parsed.version).status is Status.PENDING_APPROVAL:
        raise RegistryError(
            f"{parsed.version} waits for its approvers; decide through the link in their mail."
        )


def _open_requests(place: Workplace) -> dict[tuple[str, str], ApprovalRequest]:
    if place.stack is None:
        return {}
    from mlops.approval.opening import open_desk  # noqa: PLC0415
    from mlops.approval.operating import list_pending  # noqa: PLC0415

    requests = list_pending(open_desk(place.stack, place.registry()))
    return {(request.group, request.version): request for request in requests}


def _describe(request: ApprovalRequest | None) -> dict[str, Any] | None:
    """Return what may be printed of a request: not what is sealed in it."""
    if request is None:
        return None
    kept = ("approvers", "answers", "created_at", "expires_at", "required_approvals", "decision")
    document = request.to_dict()
    return {name: document[name] for name in kept}


def _row(model: ModelMetadata, request: ApprovalRequest | None) -> tuple[str, ...]:
    told = (model.model_group, model.version, model.status.value, score_of(model) or "-")
    if request is None:
        return (*told, "")
    from mlops.approval.approval_view import describe_progress  # noqa: PLC0415

    return (*told, f"{describe_progress(request)}, open until {request.expires_at:%Y-%m-%d %H:%M} UTC")
