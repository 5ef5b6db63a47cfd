"""`mlops promote GROUP VERSION` and `mlops rollback GROUP`: which version is in service."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command, add_reason
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.registry.rollback import roll_back


def add_parser(subparsers: Any) -> None:
    """Add the commands."""
    promote = add_command(
        subparsers, "promote", "put an approved version into service", _promote, "group", "version"
    )
    add_reason(promote)
    rollback = add_command(
        subparsers, "rollback", "put the previous champion back into service", _rollback, "group"
    )
    add_reason(rollback)
    rollback.add_argument(
        "--from",
        dest="only_from",
        metavar="VERSION",
        help="the champion to replace: a repeated command with it does not roll back further",
    )
    rollback.add_argument(
        "--to", metavar="VERSION", help="an archived version other than the previous champion"
    )


def _promote(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if isinstance(context, StackContext):
        return _promote_on_stack(parsed, context)
    promotion = context.registry.promote_model(
        parsed.group, parsed.version, by=context.actor, reason=parsed.reason
    )
    replaces = f"; it replaces {promotion.previous_champion}" if promotion.previous_champion else ""
    return promotion.model.to_dict(), f"{promotion.model.version} is in service{replaces}."


def _promote_on_stack(parsed: argparse.Namespace, stack: StackContext) -> tuple[Any, str]:
    from mlops.approval.administration import promote_by_command  # noqa: PLC0415  brings botocore

    model = promote_by_command(
        stack.completion, parsed.group, parsed.version, actor=stack.actor, reason=parsed.reason
    )
    return model.to_dict(), f"{model.version} is in service."


def _rollback(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    promotion = roll_back(
        parsed.group,
        registry=context.registry,
        notifier=context.notifier,
        reason=parsed.reason,
        by=context.actor,
        only_from=parsed.only_from,
        to=parsed.to,
    )
    document = promotion.model.to_dict() | {"previous_champion": promotion.previous_champion}
    version, replaced = promotion.model.version, promotion.previous_champion
    return document, f"{version} is in service again; it replaces {replaced}."
