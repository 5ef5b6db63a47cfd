"""The verdict on a batch: which features have moved, and whether that matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.models.errors import DriftError
from mlops.monitoring.drift_metrics import MetricSink, default_sink, metrics_of
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.profiles.batch import profile_batch
from mlops.monitoring.profiles.contributions import of_columns
from mlops.monitoring.verdict.anomalies import extra_columns
from mlops.monitoring.verdict.contributions import compare_contributions, with_contributions
from mlops.monitoring.verdict.dataset_verdict import judge_dataset, largest_effect
from mlops.monitoring.verdict.predictions import judge_predictions, n_rows_held_out, with_predictions
from mlops.monitoring.verdict.rule import Thresholds, rule_text
from mlops.monitoring.verdict.segments import judge_segments, with_segments
from mlops.monitoring.verdict.verdict import judge_features


class DriftDetector:
    """Compares batches with the training data of one model.

    Parameters
    ----------
    baseline
        The statistics of the training rows: the record, its dict, or the path of its JSON file.
    threshold
        Effect (PSI; for categories also Cramer's V, for shares in the reasons of predictions Cohen's h) from
        which a significant change is a warning.
    alert_threshold
        Effect from which it is an alert; twice `threshold` by default.
    exclude_columns
        Features that are not watched.
    sink
        Where `publish_metrics` sends; by default CloudWatch when METRICS_NAMESPACE is set, else nowhere.

    Raises
    ------
    DriftError
        If the baseline cannot be read, or the thresholds are not 0 < threshold <= alert_threshold.
    """

    def __init__(
        self,
        baseline: BaselineStatistics | Mapping[str, Any] | str | Path,
        threshold: float = 0.1,
        *,
        alert_threshold: float | None = None,
        exclude_columns: Sequence[str] = (),
        sink: MetricSink | None = None,
    ) -> None:
        self.baseline = _without(_load(baseline), exclude_columns)
        self.thresholds = Thresholds(
            threshold, 2.0 * threshold if alert_threshold is None else alert_threshold
        )
        self._sink = sink

    def detect_drift(
        self,
        current: pd.DataFrame | BatchProfile,
        *,
        created_at: datetime | None = None,
        model_group: str | None = None,
        window_days: int | None = None,
        n_batches: int | None = None,
    ) -> DriftReport:
        """Judge rows, or the profile of rows, against the training data.

        A feature warns or alerts when its change is both large (`threshold`) and significant (chi-square,
        corrected for the number of questions, q <= 0.05), or when an anomaly says so. Under 100 rows the
        verdict is INSUFFICIENT_DATA. No content of the data raises. Predictions are judged where the profile
        counts them and the baseline has those of at least 100 held-out rows.

        Returns
        -------
        DriftReport
            `drift_score` 0.0 = same, larger = more drift, at most 1; features ranked by importance x effect.

        Raises
        ------
        DriftError
            If a profile was made against another baseline.
        """
        batch = current if isinstance(current, BatchProfile) else profile_batch(current, self.baseline)
        if batch.schema_hash != self.baseline.schema_hash:
            raise DriftError("The batch was profiled against another baseline; profile it against this one.")
        report = self._with_other_verdicts(self._report_inputs(batch), batch)
        return replace(
            report,
            created_at=created_at,
            model_group=model_group,
            window_days=window_days,
            n_batches=n_batches,
        )

    def _report_inputs(self, batch: BatchProfile) -> DriftReport:
        """Return the report of the features alone."""
        features, irregular = judge_features(self.baseline, batch, self.thresholds)
        anomalies = [*irregular, *extra_columns(batch)]
        verdict, reasons = judge_dataset(features, anomalies, n_rows=batch.n_rows)
        return DriftReport(
            verdict=verdict,
            reasons=reasons,
            drift_score=self.thresholds.score(largest_effect(features, anomalies), verdict),
            features_with_drift=tuple(feature.name for feature in features if feature.has_drift),
            features={feature.name: feature for feature in features},
            anomalies=tuple(anomalies),
            n_rows=batch.n_rows,
            n_rows_baseline=self.baseline.n_rows,
            threshold=self.thresholds.warn,
            alert_threshold=self.thresholds.alert,
            excluded=self.baseline.excluded,
            model_version=self.baseline.model_version,
            rule=rule_text(self.thresholds),
        )

    def _with_other_verdicts(self, of_inputs: DriftReport, batch: BatchProfile) -> DriftReport:
        """Return the report of the inputs with what predictions, segments and reasons add to it."""
        baseline, thresholds = self.baseline, self.thresholds
        outputs = judge_predictions(baseline, batch, thresholds)
        report = with_predictions(of_inputs, outputs, thresholds, n_held_out=n_rows_held_out(baseline))
        report = with_segments(report, judge_segments(baseline, batch, thresholds), thresholds)
        changes = compare_contributions(baseline.contributions, batch.contributions, thresholds)
        return with_contributions(report, changes, thresholds)

    def publish_metrics(self, report: DriftReport) -> dict[str, float]:
        """Publish the numbers of a report and return them.

        Returns
        -------
        dict
            `overall_drift_score` (0.0 = same, larger = more drift), `features_with_drift` (how many),
            `drift_alerts` (1 when the verdict is ALERT), `features_checked`, `rows_checked`.
        """
        metrics = metrics_of(report)
        (self._sink or default_sink())(report, metrics)
        return metrics


def _load(baseline: BaselineStatistics | Mapping[str, Any] | str | Path) -> BaselineStatistics:
    if isinstance(baseline, BaselineStatistics):
        return baseline
    if isinstance(baseline, Mapping):
        return BaselineStatistics.from_dict(baseline)
    return load_baseline_statistics(baseline)


def _without(baseline: BaselineStatistics, columns: Sequence[str]) -> BaselineStatistics:
    """Leave features out of the verdict; profiles made with them stay comparable."""
    left_out = {name: "excluded by the settings" for name in columns if name in baseline.features}
    if not left_out:
        return baseline
    kept = {name: profile for name, profile in baseline.features.items() if name not in left_out}
    sums = baseline.contributions
    return replace(
        baseline,
        features=kept,
        excluded={**baseline.excluded, **left_out},
        contributions=sums and of_columns(sums, [name for name in sums.columns if name not in left_out]),
    )
