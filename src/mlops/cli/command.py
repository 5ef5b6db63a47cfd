"""What commands on a context share: their declaration, their target, and their output."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mlops.cli.commands import COMMANDS, STACK_VARIABLE, TARGET_HELP
from mlops.context.context import Context, open_context
from mlops.registry.tags import find_reason_problem

# from the arguments and the context to what is printed: a JSON document, and the same as text
type Action = Callable[[argparse.Namespace, Context], tuple[Any, str]]


def add_command(subparsers: Any, name: str, action: Action, *arguments: str) -> argparse.ArgumentParser:
    """Add a command with positional arguments, `--json`, and the arguments that select its target."""
    return add_action(subparsers, name, COMMANDS[name].summary, action, *arguments)


def add_actions(subparsers: Any, name: str, more: str = "") -> Any:
    """Add a command that has actions, described by its summary and `more`; return where to add them."""
    description = f"{COMMANDS[name].description} {more}".rstrip()
    parser: argparse.ArgumentParser = subparsers.add_parser(name, description=description)
    return parser.add_subparsers(required=True, metavar="ACTION")


def add_action(
    actions: Any, name: str, summary: str, action: Action, *arguments: str
) -> argparse.ArgumentParser:
    """Add one action of a command, with what `add_command` gives a command."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    for argument in arguments:
        parser.add_argument(argument)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_target(parser)
    parser.set_defaults(run=lambda parsed: _run(action, parsed))
    return parser


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add the required `--reason`."""
    parser.add_argument("--reason", required=True, type=_reason, help="why; it is kept in the audit log")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that select the target of the command: a stack, or a directory."""
    target = parser.add_argument_group("target", TARGET_HELP)
    target.add_argument(
        "--stack",
        metavar="NAME",
        default=os.environ.get(STACK_VARIABLE),
        help=f"a deployed stack (default: the environment variable {STACK_VARIABLE})",
    )
    target.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        default=Path(),
        help="directory of model-registry/, datasets/, experiment-runs/, ... (default: the current one)",
    )


def context_of(parsed: argparse.Namespace) -> Context:
    """Return the context that the arguments of `add_target` select.

    Raises
    ------
    SettingsError
        If the stack does not exist.
    """
    return open_context(parsed.root, parsed.stack)


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells as lines with aligned columns."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join(lines)


def write_output(parsed: argparse.Namespace, document: Any, text: str) -> None:
    """Print the document with `--json`, and the text without."""
    output = json.dumps(document, indent=2, ensure_ascii=False) if parsed.json else text.rstrip("\n")
    sys.stdout.write(f"{output}\n")


def _reason(text: str) -> str:
    reason = text.strip()
    if problem := find_reason_problem(reason, is_required=True):
        raise argparse.ArgumentTypeError(problem)
    return reason


def _run(action: Action, parsed: argparse.Namespace) -> int:
    write_output(parsed, *action(parsed, context_of(parsed)))
    return 0
