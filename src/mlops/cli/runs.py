"""`mlops runs list|show|compare|export`: training runs and their results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from mlops.cli.command import add_actions, add_target, context_of
from mlops.cli.descriptions import failure_line
from mlops.experiment.comparison.comparison import ABSENT, duration_text, metric_text, value_text
from mlops.experiment.comparison.page import render_page
from mlops.experiment.mlflow.export import export_runs
from mlops.experiment.mlflow.server import Credentials, MlflowServer
from mlops.experiment.tracker import ExperimentTracker
from mlops.infrastructure import environment
from mlops.models.experiment import Run
from mlops.models.metrics import metric_definition, metric_name
from mlops.models.training import SCORE_NAMES


def add_parser(subparsers: Any) -> None:
    """Add the command with its four sub-commands; each sets `run`, which returns the exit status."""
    commands = add_actions(subparsers, "runs")
    _add_list(commands)
    _add_show(commands)
    _add_compare(commands)
    _add_export(commands)


def _add_list(commands: Any) -> None:
    parser = commands.add_parser("list", help="list the runs of a group, newest first")
    parser.add_argument("group", nargs="?", help="default: list the groups that have runs")
    _add_selection(parser)
    parser.add_argument("--best", metavar="METRIC", help="show only the run with the greatest value")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")
    parser.set_defaults(run=run_list)


def _add_show(commands: Any) -> None:
    parser = commands.add_parser("show", help="show everything about one run")
    parser.add_argument("group")
    parser.add_argument("run_id")
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="print the run as JSON")
    parser.set_defaults(run=run_show)


def _add_compare(commands: Any) -> None:
    parser = commands.add_parser("compare", help="compare runs in a table")
    parser.add_argument("group")
    parser.add_argument("run_ids", nargs="*", metavar="run_id", help="default: the ten newest")
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write the comparison as a page")
    parser.set_defaults(run=run_compare)


def _add_export(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="copy runs to an MLflow server",
        description="Copy runs to an MLflow server; runs that are there already are not copied again. "
        "Signs in with MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
    )
    parser.add_argument("group")
    parser.add_argument("--to", required=True, metavar="URL", help="for example http://127.0.0.1:5000")
    parser.add_argument("--experiment", help="name of the MLflow experiment; default: the group")
    _add_selection(parser)
    parser.add_argument("--json", action="store_true", help="print the exported runs as JSON")
    parser.set_defaults(run=run_export)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "--where", default="", help="for example \"metrics.roc_auc > 0.7 and status = 'finished'\""
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most N runs, the newest ones")


def run_list(arguments: argparse.Namespace) -> int:
    """Print the runs of a group, or the groups."""
    tracker = _tracker(arguments)
    if arguments.group is None:
        groups = tracker.groups()
        _print(json.dumps(groups) if arguments.json else "\n".join(groups) or "No group has a run yet.")
        return 0
    if arguments.best:
        runs = [tracker.best_run(arguments.group, arguments.best, where=arguments.where)]
    else:
        runs = tracker.list_runs(arguments.group, where=arguments.where, limit=arguments.limit)
    if arguments.json:
        _print(json.dumps([run.to_dict() for run in runs], indent=2, ensure_ascii=False))
    else:
        _print("\n".join(_listing(runs)) if runs else f"No run of {arguments.group} matches.")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print one run."""
    run = _tracker(arguments).get_run(arguments.group, arguments.run_id)
    _print(run.to_json().rstrip() if arguments.json else "\n".join(_description(run)))
    return 0


def run_compare(arguments: argparse.Namespace) -> int:
    """Print the comparison; with `--html` write it as a page, too."""
    tracker = _tracker(arguments)
    comparison = tracker.compare(arguments.group, arguments.run_ids)
    if arguments.html:
        histories = {run.run_id: tracker.history(run.group, run.run_id) for run in comparison.runs}
        arguments.html.write_text(render_page(comparison, histories), encoding="utf-8")
    _print((comparison.to_json() if arguments.json else comparison.render()).rstrip())
    return 0


def run_export(arguments: argparse.Namespace) -> int:
    """Copy the runs and print how many were new."""
    tracker = _tracker(arguments)
    server = MlflowServer(arguments.to, credentials=environment.read(Credentials))
    runs = tracker.list_runs(arguments.group, where=arguments.where, limit=arguments.limit)
    experiment = arguments.experiment or arguments.group
    exported = export_runs(
        runs[::-1], lambda run: tracker.history(run.group, run.run_id), server, experiment=experiment
    )
    if arguments.json:
        _print(json.dumps([asdict(run) for run in exported], indent=2, ensure_ascii=False))
        return 0
    n_written = sum(run.was_written for run in exported)
    _print(
        f"{n_written} of {len(exported)} runs written to the experiment {experiment} at {server.address}, "
        f"{len(exported) - n_written} were there already."
    )
    return 0


def _tracker(arguments: argparse.Namespace) -> ExperimentTracker:
    return context_of(arguments).runs


def _listing(runs: Sequence[Run]) -> Iterator[str]:
    width = max(len(run.run_id) for run in runs)
    yield f"{'run':<{width}}  {'started':<16}  {'duration':>12}  {'status':<9} result"
    for run in runs:
        started = f"{run.started_at:%Y-%m-%d %H:%M}"
        duration = duration_text(run.duration_seconds)
        yield f"{run.run_id:<{width}}  {started}  {duration:>12}  {run.status:<9} {_result(run)}"


def _result(run: Run) -> str:
    """Return the result of a run in one line: the error, or version, gate and the first scores."""
    if run.failure is not None:
        return failure_line(run.failure)
    labels = [run.tags[name] for name in ("model_version", "gate") if name in run.tags]
    primary = run.tags.get("primary_metric", "")
    names = dict.fromkeys(name for name in (primary, *SCORE_NAMES, *run.metrics) if name in run.metrics)
    scores = [f"{metric_name(name)} {metric_text(name, run.metrics[name])}" for name in islice(names, 3)]
    return "  ".join([*labels, *scores]) or ABSENT


def _description(run: Run) -> Iterator[str]:
    yield f"{run.group} {run.run_id}: {run.status}"
    if run.name != run.run_id:
        yield f"  name      {run.name}"
    yield f"  started   {run.started_at:%Y-%m-%d %H:%M:%S %Z}, took {duration_text(run.duration_seconds)}"
    if run.failure is not None:
        yield f"  failed    {run.failure.error_type} {run.failure.message}".rstrip()
    if run.dataset is not None:
        yield f"  dataset   {run.dataset.dataset_id}"
        if run.dataset.digest not in (None, run.dataset.dataset_id):
            yield f"  sha256    {run.dataset.digest}"
    yield f"  code      {run.code_digest or ABSENT}"
    yield from _block("Params", {name: value_text(value) for name, value in run.params.items()})
    metrics = run.metrics.items()
    yield from _block(
        "Metrics", {metric_definition(name).label: metric_text(name, value) for name, value in metrics}
    )
    yield from _block(
        "Tags",
        {name: metric_name(value) if name == "primary_metric" else value for name, value in run.tags.items()},
    )
    yield from _block("Artifacts", {artifact.path: artifact.uri for artifact in run.artifacts})


def _block(title: str, values: Any) -> Iterator[str]:
    if values:
        width = max(map(len, values))
        yield ""
        yield title
        yield from (f"  {name:<{width}}  {value}" for name, value in values.items())


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
