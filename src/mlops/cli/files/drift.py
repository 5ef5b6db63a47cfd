"""`mlops drift`: compare a CSV file with a model's training data, or show the last nightly check."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_target, context_of
from mlops.cli.exit_codes import ExitCode
from mlops.cli.files.paths import local_path
from mlops.cli.files.progress import begin_stage, showing_progress
from mlops.context.stack import StackContext
from mlops.infrastructure.clock import utc_now
from mlops.models.dataset import Contract
from mlops.models.drift import BaselineStatistics, DriftReport, DriftVerdict, PredictionChange
from mlops.models.errors import DriftError, MlopsError
from mlops.models.settings.group import GroupSettings

if TYPE_CHECKING:
    import pandas as pd

    from mlops.monitoring.drift_detector import DriftDetector

EXIT_CODES: Mapping[DriftVerdict, ExitCode] = MappingProxyType(
    {
        "OK": ExitCode.OK,
        "ALERT": ExitCode.DRIFT_ALERT,
        "WARN": ExitCode.DRIFT_WARN,
        "INSUFFICIENT_DATA": ExitCode.DRIFT_UNKNOWN,
    }
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to the `mlops` command line; the parsed arguments carry it as `run`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "drift",
        description="Compare a CSV file with the training data of a model; without a file, show the report "
        "of the last nightly check of a group. The exit code is that of the verdict.",
    )
    parser.add_argument(
        "baseline",
        help="baseline_statistics.json, a model directory that contains it, or a model group: its champion's",
    )
    parser.add_argument("file", type=local_path, nargs="?", help="the CSV file; may be left out for a group")
    parser.add_argument("--threshold", type=float, default=0.1, help="effect size that warns (default 0.1)")
    parser.add_argument(
        "--alert-threshold",
        type=float,
        default=None,
        help="effect size that alerts (default: twice the threshold)",
    )
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write the report as a page")
    add_target(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the report and return the exit code of its verdict.

    Raises
    ------
    DriftError
        If the baseline cannot be read, or there was no nightly check yet.
    DatasetError
        If the file cannot be read as a table.
    """
    # pandas is slow: only this command loads it, not `mlops --help`
    from mlops.monitoring.report.report import render, render_text  # noqa: PLC0415

    if arguments.file is None:
        report, title = _last_night(arguments), "Nightly drift check"
    else:
        with showing_progress():
            report, title = _compare(arguments), f"Drift of {arguments.file.name}"
    if arguments.html:
        arguments.html.write_text(render(report, title=title), encoding="utf-8")
    sys.stdout.write(report.to_json() if arguments.json else render_text(report))
    return EXIT_CODES[report.verdict]


def _compare(arguments: argparse.Namespace) -> DriftReport:
    from mlops.dataset.validation.reading import read_table  # noqa: PLC0415
    from mlops.monitoring.drift_detector import DriftDetector  # noqa: PLC0415

    baseline, settings = _baseline(arguments)
    detector = DriftDetector(baseline, arguments.threshold, alert_threshold=arguments.alert_threshold)
    contract = _contract_beside(baseline) if isinstance(baseline, Path) else None
    features = detector.baseline.features.values()
    categories = {feature.name: "category" for feature in features if feature.kind == "categorical"}
    begin_stage("Read the rows")
    frame = read_table(arguments.file, contract or categories, settings)
    begin_stage("Compare them with the training data")
    report = detector.detect_drift(frame, created_at=utc_now())
    if isinstance(baseline, Path) and baseline.is_dir():
        return replace(report, prediction_change=_prediction_change(baseline, frame, detector))
    return report


def _prediction_change(
    directory: Path, frame: pd.DataFrame, detector: DriftDetector
) -> PredictionChange | None:
    """Ask the model of a directory what changed its predictions; say so where it cannot."""
    import numpy as np  # noqa: PLC0415

    from mlops.pipelines.artifacts.artifacts import MANIFEST, load_model  # noqa: PLC0415
    from mlops.pipelines.scoring.prediction_change import explain_prediction_change  # noqa: PLC0415

    if not (directory / MANIFEST).is_file():
        return None
    try:
        model, _ = load_model(directory)
        return explain_prediction_change(model, frame, detector.baseline, rng=np.random.default_rng(0))
    except MlopsError as error:
        sys.stderr.write(f"What changed the predictions is not known: {error}\n")
        return None


def _contract_beside(baseline: Path) -> Contract | None:
    """Return the contract of the model directory that a baseline is in; None outside of one."""
    from mlops.pipelines.artifacts.artifacts import SCHEMA  # noqa: PLC0415
    from mlops.pipelines.artifacts.model import ModelSchema  # noqa: PLC0415

    path = (baseline if baseline.is_dir() else baseline.parent) / SCHEMA
    return ModelSchema.from_json(path.read_bytes()).contract if path.is_file() else None


def _baseline(arguments: argparse.Namespace) -> tuple[Path | BaselineStatistics, GroupSettings]:
    """Return the baseline, and the settings of its model, which say how files are written."""
    from mlops.pipelines.artifacts.artifacts import MANIFEST, read_manifest  # noqa: PLC0415

    path = Path(arguments.baseline)
    if (path / MANIFEST).is_file():
        return path, read_manifest(path).settings
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path, GroupSettings()
    registry = context_of(arguments).registry
    if arguments.baseline not in registry.groups():
        problem = f"{arguments.baseline} is not a file or a directory."
        raise DriftError(f"{problem} {registry.missing_group(arguments.baseline)}")
    champion = registry.find_model(arguments.baseline, "champion")
    return registry.load_baseline_statistics(arguments.baseline, champion.version), champion.settings


def _last_night(arguments: argparse.Namespace) -> DriftReport:
    context = context_of(arguments)
    if not isinstance(context, StackContext):
        raise DriftError("Name a CSV file to compare; nightly checks run in a stack: name it with --stack.")
    report = context.drift_archive.last_report(arguments.baseline)
    if report is None:
        raise DriftError(f"{arguments.baseline!r} has not been checked yet; see `mlops groups`.")
    return report
