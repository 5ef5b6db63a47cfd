"""How the commands that look at a workplace are declared, and how they print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mlops.registry.labels import find_reason_problem
from mlops.workplace import Workplace, add_place

# from the arguments and the place to what is printed: a JSON document, and the same as text
type Action = Callable[[argparse.Namespace, Workplace], tuple[Any, str]]


def add_command(
    subparsers: Any, name: str, told: str, action: Action, *arguments: str
) -> argparse.ArgumentParser:
    """Add a command with positional arguments, `--json`, and the arguments that say where it works."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=told, description=f"{told[0].upper()}{told[1:]}."
    )
    for argument in arguments:
        parser.add_argument(argument)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_place(parser)
    parser.set_defaults(run=lambda parsed: _run(action, parsed))
    return parser


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add `--reason`, which must say something."""
    told = "why; it stands in the audit log for good"
    parser.add_argument("--reason", required=True, type=_reason, help=told)


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells as lines with aligned columns."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join(lines)


def _reason(text: str) -> str:
    reason = text.strip()
    problem = find_reason_problem(reason) if reason else "say why, in a few words"
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return reason


def _run(action: Action, parsed: argparse.Namespace) -> int:
    document, text = action(parsed, Workplace.of(parsed))
    shown = json.dumps(document, indent=2, ensure_ascii=False) if parsed.json else text.rstrip("\n")
    sys.stdout.write(f"{shown}\n")
    return 0
