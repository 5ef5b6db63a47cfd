"""The parts of a report as rows of one table."""

from __future__ import annotations

from typing import Any

from mlops.models.scoring.quality import QualityPart, QualityReport


def rows_of(report: QualityReport) -> list[dict[str, Any]]:
    """Return one row for each part: numbers, scores with the ends of their intervals, and the verdict."""
    young = () if report.young is None else (report.young,)
    parts = (report.overall, *report.periods, *young, *report.segments, *report.delays, *report.versions)
    return [_row(part, report) for part in parts]


def _row(part: QualityPart, report: QualityReport) -> dict[str, Any]:
    scores: dict[str, float] = {}
    for name, score in part.scores.items():
        scores[name] = score.value
        if score.interval is not None:
            scores[f"{name}_low"], scores[f"{name}_high"] = score.interval
    return {
        "kind": part.kind,
        "name": part.name,
        "n_labels": part.n_labels,
        "n_predictions": part.n_predictions,
        "metric": report.metric,
        "approved": part.approved.value if part.approved else None,
        "verdict": part.verdict,
        "calibration_error": part.calibration_error,
        **scores,
    }
