"""`mlops doctor`: what a person must do for a stack to work."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command, context_of, write_output
from mlops.cli.exit_codes import ExitCode
from mlops.context.stack import StackContext
from mlops.models.errors import SettingsError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "doctor", _examine)
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    """Print the diagnoses and return the exit code: 1 when something needs a person."""
    document, text = _examine(parsed, context_of(parsed))
    write_output(parsed, document, text)
    return ExitCode.NOT_PASSED if any(entry["is_fault"] for entry in document) else ExitCode.OK


def _examine(parsed: argparse.Namespace, context: object) -> tuple[list[dict[str, Any]], str]:
    if not isinstance(context, StackContext):
        raise SettingsError("Plain files need no doctor; name a stack with --stack.")
    from mlops.cli.operations.stack_examination import describe, examine_stack

    diagnoses = examine_stack(parsed.stack, context)
    return [diagnosis.to_dict() for diagnosis in diagnoses], "\n".join(map(describe, diagnoses))
