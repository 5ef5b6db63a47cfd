"""`mlops drift BASELINE FILE`: compare a CSV file with a model's training data."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to the `mlops` command line; the parsed arguments carry it as `run`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "drift",
        help="compare a CSV file with a model's training data",
        description="Compare a CSV file with the training data of a model. Exit code 0: no alert, 3: alert.",
    )
    parser.add_argument(
        "baseline", type=Path, help="baseline_statistics.json, or the model directory it is in"
    )
    parser.add_argument("file", type=Path, help="the CSV file")
    parser.add_argument("--threshold", type=float, default=0.1, help="effect that warns (default 0.1)")
    parser.add_argument(
        "--alert-threshold", type=float, default=None, help="effect that alerts (default twice)"
    )
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write the report as a page")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the report and return the exit code: 0, or 3 when the verdict is ALERT.

    Raises
    ------
    DriftError
        If the baseline cannot be read.
    DatasetError
        If the file cannot be read as a table.
    """
    # pandas is paid for by this command alone, not by every `mlops --help`
    from mlops.dataset.reading import read_table  # noqa: PLC0415
    from mlops.monitoring.drift_detector import DriftDetector  # noqa: PLC0415
    from mlops.monitoring.report import render, render_text  # noqa: PLC0415

    detector = DriftDetector(
        arguments.baseline, arguments.threshold, alert_threshold=arguments.alert_threshold
    )
    report = detector.detect_drift(read_table(arguments.file), created_at=datetime.now(UTC))
    if arguments.html:
        arguments.html.write_text(render(report, title=f"Drift of {arguments.file.name}"), encoding="utf-8")
    sys.stdout.write(report.to_json() if arguments.json else render_text(report))
    return 3 if report.verdict == "ALERT" else 0
