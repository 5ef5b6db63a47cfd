"""`mlops retry GROUP`: a failed training of a stack is started again."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.infrastructure.clock import utc_now
from mlops.models.errors import TrainingError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "retry", _retry, "group")
    parser.add_argument(
        "--training",
        metavar="ID",
        default="",
        help="the training or the beginning of its id (default: the last)",
    )


def _retry(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if not isinstance(context, StackContext):
        raise TrainingError(
            "Plain files have no trainings to start again: run `mlops train`, or name --stack."
        )
    failure = context.retries.find(parsed.group, parsed.training)
    training = context.retries.retry(failure, by=context.actor, now=utc_now())
    message = (
        f"Attempt {training.attempt} of the training {training.training_id} was started; its result comes by "
        f"email. The attempt before failed with {failure.error}: {failure.reason}"
    )
    return training.to_dict(), message
