"""`mlops retrain GROUP`: a group is trained again on accepted files and on rows whose outcome is known."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.context.files import FilesContext
from mlops.context.retraining import RetrainingContext, planner_of_files
from mlops.infrastructure.clock import utc_now
from mlops.models.errors import TrainingError

if TYPE_CHECKING:  # pandas is slow
    from mlops.intake.retraining.planning import RetrainingPlanner
    from mlops.intake.retraining.training_set import TrainingSet


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "retrain", _retrain, "group")
    parser.add_argument(
        "--dry-run", action="store_true", help="show the rows by source and the cost, and start nothing"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the training set as CSV, and start nothing"
    )


def _retrain(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if parsed.dry_run or parsed.output:
        return _show(parsed.group, context, parsed.output)
    if not isinstance(context, RetrainingContext):
        raise TrainingError(
            "Plain files start no trainings: write the rows with --output FILE, then use `mlops train`."
        )
    requested = context.retraining_requests.request_now(parsed.group, by=context.actor, now=utc_now())
    return requested.to_dict(), (
        f"A retraining of {parsed.group} was requested. Its training set is made now, and the result comes "
        f"by email; `mlops runs list {parsed.group}` shows the training."
    )


def _show(group: str, context: Context, output: Path | None) -> tuple[Any, str]:
    from mlops.intake.retraining.planning import describe_plan

    planner = _planner_of(context)
    with planner.plan(group, utc_now()) as made:
        cost = planner.cost(group, made.report.n_rows)
        message = describe_plan(group, made, cost)
        if output is not None:
            shutil.copyfile(made.path, output)
            message = f"{message}\n\nThe training set was written to {output}."
        return _document(made, cost), message


def _planner_of(context: Context) -> RetrainingPlanner:
    if isinstance(context, FilesContext):
        return planner_of_files(context)
    return context.retraining_planner


def _document(made: TrainingSet, cost: str) -> dict[str, Any]:
    return {
        "n_rows": made.report.n_rows,
        "n_new_rows": made.n_new_rows,
        "n_new_labels": made.n_new_labels,
        "split": made.settings.split,
        "problem": made.problem,
        "cost": cost,
        "lineage": made.lineage.to_dict(),
    }
