"""`mlops promote GROUP VERSION` and `mlops rollback GROUP`: which version is in service."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command, add_reason
from mlops.context.context import Context
from mlops.models.errors import RegistryError
from mlops.registry.rollback import roll_back


def add_parser(subparsers: Any) -> None:
    """Add the commands."""
    parser = add_command(
        subparsers, "promote", "put an approved version into service", _promote, "group", "version"
    )
    add_reason(parser)
    _add_rollback(subparsers)


def _promote(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if context.stack is not None:
        raise RegistryError(
            "On a stack its execution promotes what was approved; if that has failed, redrive the execution."
        )
    promotion = context.registry().promote_model(
        parsed.group, parsed.version, by=context.actor(), reason=parsed.reason
    )
    instead = f" in place of {promotion.previous_champion}" if promotion.previous_champion else ""
    return promotion.model.to_dict(), f"{promotion.model.version} is in service{instead}."


def _add_rollback(subparsers: Any) -> None:
    parser = add_command(
        subparsers, "rollback", "put the previous champion back into service", _rollback, "group"
    )
    add_reason(parser)
    parser.add_argument(
        "--from",
        dest="only_from",
        metavar="VERSION",
        help="the champion that is to leave: repeated with it, the command rolls back no further",
    )
    parser.add_argument(
        "--to", metavar="VERSION", help="an archived version other than the previous champion"
    )


def _rollback(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    promotion = roll_back(
        parsed.group,
        registry=context.registry(),
        notifier=context.notifier(),
        reason=parsed.reason,
        by=context.actor(),
        only_from=parsed.only_from,
        to=parsed.to,
    )
    document = promotion.model.to_dict() | {"previous_champion": promotion.previous_champion}
    return (
        document,
        f"{promotion.model.version} is in service again in place of {promotion.previous_champion}.",
    )
