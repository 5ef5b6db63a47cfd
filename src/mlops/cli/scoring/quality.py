"""`mlops labels` and `mlops quality`: outcomes that came later, and how good the predictions were."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.context.files import FilesContext
from mlops.models.errors import DatasetError, QualityError


def add_parser(subparsers: Any) -> None:
    """Add both commands."""
    labels = add_command(subparsers, "labels", _labels)
    labels.add_argument("file", type=Path, help="ids (or batch and row), the outcome, and its time if known")
    labels.add_argument("--group", required=True, help="the model group whose predictions they belong to")
    quality = add_command(subparsers, "quality", _quality, "group")
    quality.add_argument("--html", type=Path, metavar="OUT", help="write the report as a page")


def _labels(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.context.labels import record_labels_of

    if not isinstance(context, FilesContext):
        raise QualityError(
            f"Labels of a stack are dropped: copy the file to {parsed.group}/labels/ in its data bucket."
        )
    report = record_labels_of(parsed.group, parsed.file, context)
    if report.verdict == "reject":
        reasons = " ".join(f"{f.message} {f.advice or ''}".strip() for f in report.of_severity("reject"))
        raise DatasetError(f"{parsed.file.name}: {reasons}")
    remarks = [f"{finding.severity}: {finding.message}" for finding in report.findings]
    document = {"group": parsed.group, "n_labels": report.n_rows, "verdict": report.verdict}
    return document, "\n".join([f"{report.n_rows:,} labels of {parsed.group} are recorded.", *remarks])


def _quality(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.monitoring.quality.report import render
    from mlops.monitoring.quality.report_text import no_labels, render_text

    report = context.quality_report(parsed.group)
    if report is None:
        raise QualityError(no_labels(parsed.group))
    if parsed.html:
        parsed.html.write_text(render(report), encoding="utf-8")
    return report.to_dict(), render_text(report)
