"""`mlops replay`: start functions again with the events that failed every attempt."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.models.errors import SettingsError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "replay", _replay)
    parser.add_argument("queue", nargs="?", help="logical id of one queue (default: all of the stack)")


def _replay(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if not isinstance(context, StackContext):
        raise SettingsError("Plain files have no dead letters; name a stack with --stack.")
    from mlops.infrastructure.aws.sqs import dead_letter_queues, replay

    queues = dead_letter_queues(parsed.stack)
    if parsed.queue and parsed.queue not in queues:
        raise SettingsError(f"The stack has no dead-letter queue {parsed.queue}; it has {', '.join(queues)}.")
    names = [parsed.queue] if parsed.queue else list(queues)
    letters = [letter for name in names for letter in replay(name, queues[name])]
    lines = [f"{name}: {_describe([x.function for x in letters if x.queue == name])}" for name in names]
    return [letter.to_dict() for letter in letters], "\n".join(lines)


def _describe(functions: list[str | None]) -> str:
    """Describe what was done with the events of one queue; None is an event of an unknown function."""
    n_unknown = functions.count(None)
    unknown = f", {n_unknown} left because their function is not known" if n_unknown else ""
    n_replayed = len(functions) - n_unknown
    return f"{n_replayed} replayed{unknown}" if functions else "empty"
