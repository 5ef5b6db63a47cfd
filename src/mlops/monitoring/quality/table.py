"""The parts of a report as rows of one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.models.scoring.quality import QualityEstimate, QualityPart, QualityReport, QualityScore


def rows_of(report: QualityReport) -> list[dict[str, Any]]:
    """Return one row for each part: numbers, scores with the ends of their intervals, and the verdict.

    Estimates are rows as well, with the score that was realised and the difference.
    """
    young = () if report.young is None else (report.young,)
    parts = (
        *(report.overall, *report.periods, *young, *report.recent),
        *(*report.segments, *report.delays, *report.versions),
    )
    estimates = [_estimate_row(estimate) for estimate in report.estimates]
    return [*(_row(part, report) for part in parts), *estimates]


def _row(part: QualityPart, report: QualityReport) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "name": part.name,
        "n_labels": part.n_labels,
        "n_predictions": part.n_predictions,
        "metric": report.metric,
        "approved": part.approved.value if part.approved else None,
        "verdict": part.verdict,
        "calibration_error": part.calibration_error,
        **_columns(part.scores),
    }


def _estimate_row(estimate: QualityEstimate) -> dict[str, Any]:
    return {
        "kind": "estimate",
        "name": estimate.name,
        "n_labels": 0,
        "n_predictions": estimate.n_predictions,
        "metric": estimate.metric,
        "realised": estimate.realised.value if estimate.realised else None,
        "estimate_minus_realised": estimate.error,
        **_columns(estimate.scores),
    }


def _columns(scores: Mapping[str, QualityScore]) -> dict[str, float]:
    columns: dict[str, float] = {}
    for name, score in scores.items():
        columns[name] = score.value
        if score.interval is not None:
            columns[f"{name}_low"], columns[f"{name}_high"] = score.interval
    return columns
