"""The verdict of the outputs of a batch: the prediction and the probabilities, by the same rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftVerdict, FeatureDrift
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


def prediction_verdict(outputs: Sequence[FeatureDrift]) -> tuple[DriftVerdict | None, tuple[str, ...]]:
    """Return the most serious verdict of the outputs, and why; None without outputs."""
    if not outputs:
        return None, ()
    verdict = worst(*(output.verdict for output in outputs))
    moved = listing([output.name for output in outputs if output.has_drift])
    if verdict == "ALERT":
        return verdict, (f"the predictions changed a lot: {moved}",)
    return verdict, (f"the predictions changed: {moved}",) if verdict == "WARN" else ()
