"""`mlops replay`: give events that no try could handle another one."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.models.errors import SettingsError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    message = "hand the events in the dead-letter queues to their functions again, each once"
    parser = add_command(subparsers, "replay", message, _replay)
    parser.add_argument("queue", nargs="?", help="logical id of one queue (default: all of the stack)")


def _replay(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if context.stack is None:
        raise SettingsError("Plain files have no dead letters; name a stack with --stack.")
    from mlops.infrastructure.aws.dead_letters import dead_letter_queues, replay  # noqa: PLC0415  brings boto3

    queues = dead_letter_queues(parsed.stack)
    if parsed.queue and parsed.queue not in queues:
        raise SettingsError(f"The stack has no dead-letter queue {parsed.queue}; it has {', '.join(queues)}.")
    wanted = [parsed.queue] if parsed.queue else list(queues)
    letters = [letter for name in wanted for letter in replay(name, queues[name])]
    lines = [f"{name}: {_message([x.function for x in letters if x.queue == name])}" for name in wanted]
    return [letter.to_dict() for letter in letters], "\n".join(lines)


def _message(functions: list[str | None]) -> str:
    n_unknown = functions.count(None)
    unknown = f", {n_unknown} left because nobody knows whose they were" if n_unknown else ""
    n_sent = len(functions) - n_unknown
    return f"{n_sent} handed on{unknown}" if functions else "empty"
