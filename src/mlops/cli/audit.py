"""`mlops audit GROUP`: the audit log of a group, as text, CSV or JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops.cli.command import add_target, columns, context_of
from mlops.models.registry import AuditEntry
from mlops.registry.audit import FORMATS, export


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "audit",
        description="Show or export the audit log of a group, after a check that its entries, replayed, give "
        "the current registry. The exit code is 2 when they do not.",
    )
    parser.add_argument("group")
    parser.add_argument("--format", choices=("text", *FORMATS), default="text", help="default: text")
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file instead of printing")
    add_target(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Print or write the entries, oldest first.

    Raises
    ------
    RegistryError
        If the log does not match the registry, or the group has no version.
    """
    registry = context_of(parsed).registry
    entries = registry.check_audit(parsed.group)
    if not entries:
        raise registry.missing_group(parsed.group)
    text = _table(entries) if parsed.format == "text" else export(entries, parsed.format)
    if parsed.output:
        parsed.output.write_text(text, encoding="utf-8", newline="")
    else:
        sys.stdout.write(text)
    return 0


def _table(entries: Sequence[AuditEntry]) -> str:
    rows = [
        (f"{e.at:%Y-%m-%d %H:%M:%S}", e.version, e.action, f"by {e.by}", e.reason or "-") for e in entries
    ]
    return f"{columns(rows)}\n{len(entries)} entries; replayed, they give the registry as it is now.\n"
