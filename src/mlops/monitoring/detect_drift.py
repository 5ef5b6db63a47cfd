"""`mlops.detect_drift`: compare two DataFrames, for a notebook or a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import pandas as pd

from mlops.infrastructure.clock import utc_now
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import DriftReport
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.report.report import render
from mlops.pages.rendering import in_frame


class NotebookDriftReport(DriftReport):
    """A drift report that a notebook shows as its page."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return in_frame(render(self))


def detect_drift(
    reference: pd.DataFrame | BaselineStatistics,
    current: pd.DataFrame,
    *,
    threshold: float = 0.1,
    exclude_columns: Sequence[str] = (),
) -> NotebookDriftReport:
    """Compare rows with the rows of a reference, column by column.

    Parameters
    ----------
    reference
        The rows to compare with, usually those of a training; or the statistics of them. Columns of ids and
        dates are left out.
    current
        The rows to judge, with the same columns.
    threshold
        Effect (PSI; for categories also Cramer's V) from which a significant change is a warning; twice of
        it is an alert.
    exclude_columns
        Columns that are not compared.

    Returns
    -------
    NotebookDriftReport
        `verdict`, `drift_score` (0.0 = same, larger = more drift, at most 1), `features_with_drift`, and the
        statistics of each column in `features`. Under 100 rows the verdict is INSUFFICIENT_DATA.

    Raises
    ------
    DriftError
        If the threshold is not above 0.
    """
    baseline = build_baseline(reference) if isinstance(reference, pd.DataFrame) else reference
    detector = DriftDetector(baseline, threshold, exclude_columns=exclude_columns)
    report = detector.detect_drift(current, created_at=utc_now())
    return NotebookDriftReport(**{field.name: getattr(report, field.name) for field in fields(report)})
