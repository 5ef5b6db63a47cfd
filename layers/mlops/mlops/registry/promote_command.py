"""`mlops promote GROUP VERSION`: an approved version into service."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.commands import add_command, add_reason
from mlops.errors import RegistryError
from mlops.workplace import Workplace


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "promote", "put an approved version into service", _promote, "group", "version"
    )
    add_reason(parser)


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
