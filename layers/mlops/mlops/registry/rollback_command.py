"""`mlops rollback GROUP`: the previous champion back into service."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.commands import add_command, add_reason
from mlops.registry.rollback import roll_back
from mlops.workplace import Workplace


def add_parser(subparsers: Any) -> None:
    """Add the command."""
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


def _rollback(parsed: argparse.Namespace, place: Workplace) -> tuple[Any, str]:
    promotion = roll_back(
        parsed.group,
        registry=place.registry(),
        announcer=place.announcer(),
        reason=parsed.reason,
        by=place.actor(),
        only_from=parsed.only_from,
        to=parsed.to,
    )
    document = promotion.model.to_dict() | {"previous_champion": promotion.previous_champion}
    return (
        document,
        f"{promotion.model.version} is in service again in place of {promotion.previous_champion}.",
    )
