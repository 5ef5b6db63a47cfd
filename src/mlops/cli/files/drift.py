"""`mlops drift`: compare a CSV file with a model's training data, or show the last nightly check."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_target, context_of
from mlops.cli.exit_codes import ExitCode
from mlops.cli.files.paths import local_path
from mlops.cli.files.progress import begin_stage, showing_progress
from mlops.context.stack import StackContext
from mlops.infrastructure.clock import utc_now
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import (
    DomainClassification,
    DriftReport,
    DriftVerdict,
    PredictionChange,
)
from mlops.models.errors import DriftError, MlopsError
from mlops.models.settings.group import GroupSettings

if TYPE_CHECKING:
    import pandas as pd

    from mlops.cli.files.profiled_file import ComparedFile, ProfiledFile
    from mlops.monitoring.drift_detector import DriftDetector
    from mlops.pipelines.artifacts.model import ModelSchema

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
    parser.add_argument(
        "--threshold",
        type=float,
        help="effect size that warns (default: as the model's settings say, else 0.1)",
    )
    parser.add_argument(
        "--alert-threshold",
        type=float,
        default=None,
        help="effect size that alerts (default: twice the threshold)",
    )
    parser.add_argument(
        "--multivariate",
        type=local_path,
        metavar="ROWS",
        help="a file of training rows: say whether a classifier separates the rows of both files",
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
    from mlops.monitoring.report.report import render, render_text

    if arguments.file is None:
        if arguments.multivariate:
            raise DriftError("Name the file whose rows are to be separated from those of --multivariate.")
        report, title = _last_night(arguments), "Nightly drift check"
    else:
        with showing_progress():
            report, title = _compare(arguments), f"Drift of {arguments.file.name}"
    if arguments.html:
        arguments.html.write_text(render(report, title=title), encoding="utf-8")
    sys.stdout.write(report.to_json() if arguments.json else render_text(report))
    return EXIT_CODES[report.verdict]


@dataclass(frozen=True, slots=True)
class _Reference:
    """What a file is compared with; without a model directory its schema, and its model, may be unknown."""

    baseline: Path | BaselineStatistics
    settings: GroupSettings = field(default_factory=GroupSettings)
    schema: ModelSchema | None = None
    directory: Path | None = None


def _compare(arguments: argparse.Namespace) -> DriftReport:
    """Compare the file by the settings of the model, as the nightly check does; options replace them."""
    from mlops.cli.files.profiled_file import ComparedFile
    from mlops.monitoring.drift_detector import DriftDetector

    reference = _reference(arguments)
    settings = reference.settings.drift
    warn, alert = arguments.threshold, arguments.alert_threshold
    if warn is None:
        warn, alert = settings.threshold, settings.alert_threshold if alert is None else alert
    detector = DriftDetector(
        reference.baseline, warn, alert_threshold=alert, exclude_columns=settings.exclude_columns
    )
    begin_stage("Read the rows")
    file = ComparedFile(arguments.file, detector.baseline, reference.settings, reference.schema)
    profiled = _profiled(file)
    begin_stage("Compare them with the training data")
    report = detector.detect_drift(profiled.profile, created_at=utc_now())
    if arguments.multivariate:
        begin_stage("Separate the rows of both files")
        other = replace(file, path=arguments.multivariate)
        report = replace(report, multivariate=_multivariate(other, profiled.rows))
    if reference.directory is None:
        return report
    change = _prediction_change(reference.directory, profiled.rows, detector)
    return replace(report, prediction_change=change)


def _profiled(file: ComparedFile) -> ProfiledFile:
    """Return the profile of a file over all features of the baseline, and rows for the questions to rows."""
    import numpy as np

    from mlops.pipelines.scoring.domain_classifier import MAX_ROWS

    return file.profile(MAX_ROWS, np.random.default_rng(0))


def _multivariate(file: ComparedFile, frame: pd.DataFrame) -> DomainClassification:
    """Return whether a classifier separates the rows of a file from those of a frame."""
    import numpy as np

    from mlops.pipelines.scoring.domain_classifier import MAX_ROWS, classify_domains

    rows = file.draw(MAX_ROWS, np.random.default_rng(0))
    return classify_domains(rows, frame, [*file.baseline.features], rng=np.random.default_rng(0))


def _prediction_change(
    directory: Path, frame: pd.DataFrame, detector: DriftDetector
) -> PredictionChange | None:
    """Ask the model of a directory what changed its predictions; say so where it cannot."""
    import numpy as np

    from mlops.pipelines.artifact_files import MANIFEST
    from mlops.pipelines.artifacts.artifacts import load_model
    from mlops.pipelines.scoring.prediction_change import explain_prediction_change

    if not (directory / MANIFEST).is_file():
        return None
    try:
        model, _ = load_model(directory)
        return explain_prediction_change(model, frame, detector.baseline, rng=np.random.default_rng(0))
    except MlopsError as error:
        sys.stderr.write(f"What changed the predictions is not known: {error}\n")
        return None


def _reference(arguments: argparse.Namespace) -> _Reference:
    """Return the baseline that is named, with the settings and the schema of its model."""
    from mlops.pipelines.artifact_files import SCHEMA
    from mlops.pipelines.artifacts.model import ModelSchema

    path = Path(arguments.baseline)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return _reference_of(path)
    registry = context_of(arguments).registry
    if arguments.baseline not in registry.groups():
        problem = f"{arguments.baseline} is not a file or a directory."
        raise DriftError(f"{problem} {registry.missing_group(arguments.baseline)}")
    champion = registry.find_model(arguments.baseline, "champion")
    if champion.evidence_uri and Path(champion.evidence_uri).is_dir():
        return _reference_of(Path(champion.evidence_uri))
    baseline = registry.load_baseline_statistics(arguments.baseline, champion.version)
    content = registry.read_evidence(arguments.baseline, champion.version, SCHEMA)
    schema = ModelSchema.from_json(content) if content else None
    return _Reference(baseline, champion.settings, schema)


def _reference_of(path: Path) -> _Reference:
    """Return what is in a model directory, or beside a baseline."""
    from mlops.pipelines.artifact_files import MANIFEST, SCHEMA
    from mlops.pipelines.artifacts.artifacts import read_manifest
    from mlops.pipelines.artifacts.model import ModelSchema

    directory = path if path.is_dir() else path.parent
    schema, manifest = directory / SCHEMA, directory / MANIFEST
    return _Reference(
        path,
        read_manifest(directory).settings if manifest.is_file() else GroupSettings(),
        ModelSchema.from_json(schema.read_bytes()) if schema.is_file() else None,
        path if path.is_dir() else None,
    )


def _last_night(arguments: argparse.Namespace) -> DriftReport:
    context = context_of(arguments)
    if not isinstance(context, StackContext):
        raise DriftError("Name a CSV file to compare; nightly checks run in a stack: name it with --stack.")
    report = context.drift_archive.last_report(arguments.baseline)
    if report is None:
        raise DriftError(f"{arguments.baseline!r} has not been checked yet; see `mlops groups`.")
    return report
