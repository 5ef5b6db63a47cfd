"""`mlops pending`, `approve`, `reject`, `promote`: decide about versions that no execution waits for."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.commands import add_command, columns
from mlops.errors import RegistryError
from mlops.models.registry import Status
from mlops.registry.description import score_of
from mlops.workplace import Workplace

_UNDECIDED = (Status.REGISTERED, Status.PENDING_APPROVAL, Status.APPROVED)


def add_parser(subparsers: Any) -> None:
    """Add the four commands."""
    pending = add_command(subparsers, "pending", "list the versions that wait for somebody", _pending)
    pending.add_argument("group", nargs="?", help="default: all groups")
    for name, told, action in (
        ("approve", "approve a version", _approve),
        ("reject", "reject a version for good", _reject),
        ("promote", "put an approved version into service", _promote),
    ):
        parser = add_command(subparsers, name, told, action, "group", "version")
        parser.add_argument("--reason", required=True, help="why; it stands in the audit log for good")


def _pending(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    registry = place.registry()
    groups = [parsed.group] if parsed.group else registry.groups()
    models = [m for group in groups for m in registry.list_models(group) if m.status in _UNDECIDED]
    rows = [(m.model_group, m.version, m.status.value, score_of(m) or "-") for m in models]
    return [model.to_dict() for model in models], columns(rows) if rows else "Nothing waits for a decision."


def _approve(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    _refuse_waiting(parsed, place)
    model = place.registry().approve_model(
        parsed.group, parsed.version, by=place.actor(), reason=parsed.reason
    )
    return model.to_dict(), f"{model.version} is approved; `mlops promote` puts it into service."


def _reject(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    _refuse_waiting(parsed, place)
    model = place.registry().reject_model(
        parsed.group, parsed.version, by=place.actor(), reason=parsed.reason
    )
    return model.to_dict(), f"{model.version} is rejected."


def _promote(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    if place.stack is not None:
        raise RegistryError(
            "On a stack its execution promotes what was approved; if that has failed, redrive the execution."
        )
    promotion = place.registry().promote_model(
        parsed.group, parsed.version, by=place.actor(), reason=parsed.reason
    )
    instead = f" in place of {promotion.previous_champion}" if promotion.previous_champion else ""
    return promotion.model.to_dict(), f"{promotion.model.version} is in service{instead}."


def _refuse_waiting(parsed: argparse.Namespace, place: Workplace) -> None:
    """Leave a version to its approval request: an execution waits for that very answer."""
    if place.registry().get_model(parsed.group, parsed.version).status is Status.PENDING_APPROVAL:
        raise RegistryError(
            f"{parsed.version} waits for its approvers; decide through the link in their mail."
        )
