"""The verdict of the outputs of a batch: the prediction and the probabilities, by the same rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport, DriftVerdict, FeatureDrift
from mlops.monitoring.verdict.dataset_verdict import largest_effect
from mlops.monitoring.verdict.rule import MIN_ROWS, Thresholds
from mlops.monitoring.verdict.verdict import judge_features, worst
from mlops.pages.number_format import listing


def judge_predictions(
    baseline: BaselineStatistics, batch: BatchProfile, thresholds: Thresholds
) -> list[FeatureDrift]:
    """Return the outputs, those with drift first; none without enough held-out rows or predictions.

    Only their values are judged: the anomalies of inputs, such as another unit, mean nothing here.
    """
    if not batch.outputs or n_rows_held_out(baseline) < MIN_ROWS:
        return []
    held_out = replace(baseline, features=baseline.outputs)
    n_scored = max(sum(output.counts) + output.n_missing for output in batch.outputs.values())
    predicted = replace(batch, features=batch.outputs, n_rows=n_scored)
    return judge_features(held_out, predicted, thresholds, with_anomalies=False)[0]


def n_rows_held_out(baseline: BaselineStatistics) -> int:
    """Return the number of held-out rows whose predictions are stored with the baseline."""
    return max((output.n_rows for output in baseline.outputs.values()), default=0)


def with_predictions(
    report: DriftReport, outputs: Sequence[FeatureDrift], thresholds: Thresholds, *, n_held_out: int
) -> DriftReport:
    """Return the report of the inputs with the outputs; the more serious verdict of both decides."""
    if not outputs:
        return report
    verdict, reasons = _prediction_verdict(outputs)
    of_both = worst(report.verdict, verdict)
    effect = largest_effect(outputs, ())
    of_inputs = largest_effect(report.features.values(), report.anomalies)
    return replace(
        report,
        verdict=of_both,
        reasons=(*report.reasons, *reasons),
        drift_score=thresholds.score(max(of_inputs, effect), of_both),
        predictions={output.name: output for output in outputs},
        prediction_verdict=verdict,
        prediction_drift_score=thresholds.score(effect, verdict),
        n_rows_held_out=n_held_out,
    )


def _prediction_verdict(outputs: Sequence[FeatureDrift]) -> tuple[DriftVerdict, tuple[str, ...]]:
    """Return the most serious verdict of the outputs, and why."""
    verdict = worst(*(output.verdict for output in outputs))
    moved = listing([output.name for output in outputs if output.has_drift])
    if verdict == "ALERT":
        return verdict, (f"the predictions changed a lot: {moved}",)
    return verdict, (f"the predictions changed: {moved}",) if verdict == "WARN" else ()
