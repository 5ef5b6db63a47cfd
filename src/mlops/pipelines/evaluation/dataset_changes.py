"""How the rows of a training differ from those that the champion was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.models.drift.report import DriftReport
from mlops.models.errors import DriftError
from mlops.models.training import DatasetChanges, FeatureShift
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.monitoring.report.report_text import unattached_anomalies
from mlops.pipelines.artifact_files import BASELINE
from mlops.pipelines.evaluation.champion import Champion
from mlops.pipelines.features.training_rows import TrainingRows

MAX_SENTENCES = 12
MAX_SHIFTS = 12


def dataset_changes(rows: TrainingRows, champion: Champion) -> DatasetChanges | None:
    """Compare the rows trained on with those that the champion was trained on; None without its baseline.

    A column that was a feature of the champion and is absent now, or the other way round, is a change too.
    """
    try:
        baseline = load_baseline_statistics(champion.path / BASELINE)
        drift = rows.settings.drift
        detector = DriftDetector(
            baseline,
            drift.threshold,
            alert_threshold=drift.alert_threshold,
            exclude_columns=drift.exclude_columns,
        )
        report = detector.detect_drift(rows.table.frame[rows.split.train])
    except DriftError:
        return None
    return DatasetChanges(
        model_version=champion.version,
        n_rows_before=baseline.n_rows,
        n_rows_after=report.n_rows,
        verdict=report.verdict,
        drift_score=report.drift_score,
        sentences=tuple(_sentences(report))[:MAX_SENTENCES],
        shifts=_shifts(report),
    )


def _shifts(report: DriftReport) -> tuple[FeatureShift, ...]:
    shifts = [
        FeatureShift(feature.name, feature.psi, feature.verdict) for feature in report.features.values()
    ]
    return tuple(sorted(shifts, key=lambda shift: (-shift.psi, shift.column))[:MAX_SHIFTS])


def _sentences(report: DriftReport) -> Iterator[str]:
    yield from (report.features[name].description for name in report.features_with_drift)
    yield from (anomaly.message for anomaly in unattached_anomalies(report))
