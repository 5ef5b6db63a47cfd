"""`mlops promote`, `rollback` and `snooze`: the version in service, and the emails about its drift."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from mlops.cli.command import add_command, add_reason
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.infrastructure.clock import utc_now
from mlops.models.registry import MAX_SNOOZE_DAYS
from mlops.registry.rollback import roll_back


def add_parser(subparsers: Any) -> None:
    """Add the commands."""
    promote = add_command(subparsers, "promote", _promote, "group", "version")
    add_reason(promote)
    rollback = add_command(subparsers, "rollback", _rollback, "group")
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
    snooze = add_command(
        subparsers,
        "snooze",
        _snooze,
        "group",
    )
    snooze.add_argument(
        "--days", type=_days, default=7, metavar="N", help="how long (default 7); 0 ends a snooze"
    )
    snooze.add_argument("--reason", default="", help="why; it is kept in the audit log")


def _snooze(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    until = utc_now().date() + timedelta(days=parsed.days) if parsed.days else None
    champion = context.registry.snooze_drift(parsed.group, until, by=context.actor, reason=parsed.reason)
    document = {"group": parsed.group, "version": champion.version, "until": until and until.isoformat()}
    if until is None:
        return document, f"Drift of {parsed.group} is announced again."
    return document, (
        f"No emails and no alarm about drift of {parsed.group} until the end of {until} (UTC), "
        f"or until another version replaces {champion.version}. The nightly reports continue."
    )


def _days(text: str) -> int:
    days = int(text) if text.isdecimal() else -1
    if not 0 <= days <= MAX_SNOOZE_DAYS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number of days from 0 to {MAX_SNOOZE_DAYS}"
        )
    return days


def _promote(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if isinstance(context, StackContext):
        return _promote_on_stack(parsed, context)
    promotion = context.registry.promote_model(
        parsed.group, parsed.version, by=context.actor, reason=parsed.reason
    )
    replaces = f"; it replaces {promotion.previous_champion}" if promotion.previous_champion else ""
    return promotion.model.to_dict(), f"{promotion.model.version} is in service{replaces}."


def _promote_on_stack(parsed: argparse.Namespace, stack: StackContext) -> tuple[Any, str]:
    from mlops.approval.administration import promote_by_command

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
