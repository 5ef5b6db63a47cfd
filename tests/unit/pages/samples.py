"""One of everything that a page shows: complete records, small enough to read."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from mlops.models.approval import (
    Answer,
    ApprovalDecision,
    ApprovalRequest,
    RequestStatus,
    RollbackDecision,
    RollbackOffer,
)
from mlops.models.dataset import ColumnSummary, FileFormat, Finding, ValidationReport
from mlops.models.drift.contributions import ContributionChange, ContributionDrift
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import (
    Anomaly,
    Arrivals,
    DriftReport,
    FeatureDrift,
    Histogram,
    PredictionChange,
)
from mlops.models.evaluation import (
    CalibrationBin,
    EvaluationDetails,
    SliceQuality,
    SliceScore,
    SliceTable,
)
from mlops.models.experiment import MetricPoint, Run, RunDataset, RunFailure, RunStatus
from mlops.models.objects import Artifact
from mlops.models.registry import DataFindings, ModelMetadata, Source, Status, TrainingJob
from mlops.models.scoring.quality import (
    LabelCounts,
    PartKind,
    QualityEstimate,
    QualityPart,
    QualityReport,
    QualityScore,
)
from mlops.models.settings.group import DriftSettings, GroupSettings
from mlops.models.settings.monitoring import QualitySettings
from mlops.models.training import (
    ChampionComparison,
    DatasetChanges,
    EvaluationMetrics,
    FeatureShift,
    GateResult,
    MetricComparison,
    TrainingResult,
    Trial,
)
from mlops.pipelines.evaluation.gate import judge

NOW = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
ATTACK = "<script>alert(1)</script>\"onload='x'&{{ 7*7 }}"
DIGEST = "5f2a" * 16


def a_quality_report() -> QualityReport:
    """A month of a champion whose newest days, and one of whose sites, are below what was approved."""
    approved = QualityScore(0.781, (0.752, 0.808))

    def part(kind: PartKind, name: str, area: float, n: int = 420, **changes: Any) -> QualityPart:
        scores = {
            "accuracy": QualityScore(area - 0.05, (area - 0.09, area - 0.01)),
            "roc_auc": QualityScore(area, (area - 0.035, area + 0.03)),
            "neg_brier_score": QualityScore(-0.18),
        }
        return QualityPart(kind, name, n, n + 80, scores, 0.031, **changes)

    estimated = {"accuracy": QualityScore(0.74, (0.70, 0.78)), "roc_auc": QualityScore(0.784, (0.75, 0.81))}
    areas = (0.79, 0.772, 0.80, 0.785, 0.69)
    periods = [
        part(
            "period",
            f"2026-02-{1 + 5 * n:02d} to 2026-02-{5 + 5 * n:02d}",
            area,
            approved=approved,
            q_value=0.001 if area < 0.7 else 0.6,
            verdict="DROPPED" if area < 0.7 else "OK",
        )
        for n, area in enumerate(areas)
    ]
    segments = (
        part("segment", "site: north", 0.66, approved=QualityScore(0.77), q_value=0.01, verdict="DROPPED"),
        part("segment", "site: south", 0.74, 60, approved=QualityScore(0.75), verdict="INSUFFICIENT_DATA"),
    )
    shares = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
    return QualityReport(
        "adherence",
        "v1.2.0",
        NOW.date(),
        NOW,
        "binary",
        "roc_auc",
        "DROPPED",
        part("overall", "2026-02-01 to 2026-02-25", 0.77, 2100, approved=approved, q_value=0.2, verdict="OK"),
        LabelCounts(2400, 2310, 90, 12, 35),
        90,
        100,
        periods=tuple(periods),
        segments=segments,
        delays=(part("delay", "less than a day", 0.71, 300), part("delay", "1 to 7 days", 0.78, 1800)),
        versions=(part("version", "v1.1.0", 0.75, 700, approved=QualityScore(0.76)),),
        young=part("young", "2026-02-26 to 2026-02-28", 0.7, 130),
        calibration=tuple(CalibrationBin(share, share * 0.9 + 0.03, 210) for share in shares),
        estimates=(
            QualityEstimate(
                "2026-02-21 to 2026-02-25", 500, "roc_auc", estimated, QualityScore(0.69, (0.655, 0.72))
            ),
            QualityEstimate("2026-02-26 to 2026-02-28", 210, "roc_auc", estimated),
        ),
        recent=tuple(
            part("recent", f"2026-02-{first} to 2026-02-25", area, approved=approved, verdict=verdict)
            for first, area, verdict in (("16", 0.737, "DROPPED"), ("06", 0.762, "OK"))
        ),
        settings_not_followed=QualitySettings(min_labels=5_000).followed(QualitySettings())[1],
    )


def a_drift_report(**changes: Any) -> DriftReport:
    report = DriftReport(
        verdict="ALERT",
        drift_score=0.41,
        features_with_drift=("age", "region"),
        features={"age": a_numeric_drift(), "region": a_categorical_drift(), "dose": a_calm_feature()},
        n_rows=2_300,
        n_rows_baseline=9_000,
        threshold=0.1,
        alert_threshold=0.2,
        reasons=("age: median 41 -> 55", "region has the new category WEST"),
        anomalies=(Anomaly("ward", "extra_column", "WARN", "ward is a column that training did not have"),),
        excluded={"patient_id": "like an id: 9,000 different values"},
        created_at=NOW,
        model_group="medication-adherence",
        model_version="v1.2.0",
        window_days=7,
        n_batches=3,
        arrivals=Arrivals(
            "WARN", "last file scored on 2026-03-01, 2 days ago", "no_file", rule="WARN when late."
        ),
        prediction_change=PredictionChange("probability_yes", 0.31, 0.44, 2_000, {"age": 0.1}),
        feature_views=("The view vitals has no values.",),
        contributions=a_reason_drift(),
    )
    return replace(report, **changes)


def a_reason_drift() -> ContributionDrift:
    changes = (
        ContributionChange("age", 0.31, 0.48, 0.02, -0.35, 0.35, 0.0004, has_drift=True),
        ContributionChange("region", 0.42, 0.33, -0.01, 0.0, 0.19, 0.03, has_drift=True),
        ContributionChange("dose", 0.27, 0.19, 1.25, 1.31, 0.19, 0.2, has_drift=False),
    )
    return ContributionDrift(1_800, 2_290, is_judged=True, score=0.18, columns=changes)


def a_numeric_drift() -> FeatureDrift:
    reference = (0.02, 0.08, 0.15, 0.25, 0.25, 0.15, 0.08, 0.02)
    return FeatureDrift(
        name="age",
        kind="numeric",
        verdict="ALERT",
        psi=0.41,
        chi_square=310.0,
        degrees_of_freedom=9,
        p_value=0.0,
        q_value=0.0,
        cramers_v=0.2,
        jensen_shannon=0.21,
        ks=0.33,
        wasserstein=0.9,
        missing_share_reference=0.01,
        missing_share_current=0.12,
        n_rows=2_300,
        description="age: median 41 -> 55",
        reasons=("the median moved",),
        importance=0.23,
        histogram=Histogram(reference, (*reference[2:], 0.1, 0.08), edges=tuple(range(10, 100, 10))),
    )


def a_categorical_drift() -> FeatureDrift:
    histogram = Histogram((0.6, 0.4, 0.0), (0.4, 0.3, 0.3), labels=("NORTH", "SOUTH", "WEST"))
    description = "region: WEST is new (30 % of the rows)"
    changes = {"name": "region", "kind": "categorical", "verdict": "WARN", "psi": 0.14, "ks": None}
    return replace(
        a_numeric_drift(), **changes, wasserstein=None, description=description, histogram=histogram
    )


def a_calm_feature() -> FeatureDrift:
    changes = {"name": "dose", "verdict": "OK", "psi": 0.01, "q_value": 0.4, "histogram": None}
    return replace(a_numeric_drift(), **changes, description="dose: median 4 -> 4")


def a_validation_report() -> ValidationReport:
    findings = (
        Finding("column_missing", "reject", "The column target is missing.", "target", advice="Add it."),
        Finding(
            "not_a_number",
            "warn",
            "age holds texts where numbers are expected.",
            "age",
            lines=(3, 8, 21, 34, 55),
            examples=("abc", "n/a?"),
            count=60,
            accept_with='[columns.age]\nkind = "text"',
        ),
        Finding("mixed", "info", "Two parts differ.", lines=(1, 2), parts=("part-1.csv", "part-2.csv")),
    )
    columns = (
        ColumnSummary("age", "number", "feature", 12, 18.0, 97.0),
        ColumnSummary("region", "category", "feature", 0, n_levels=1_204),
        ColumnSummary("id", "text", "id", 0),
    )
    form = FileFormat("utf-8", True, "gzip", ";", ",", "\n", 1)
    return ValidationReport(
        "reject", findings, 2_139, 12, DIGEST, 480_256, "training", "target", None, form, columns
    )


def a_training_result(**changes: Any) -> TrainingResult:
    metrics = EvaluationMetrics(
        average_precision=0.61,
        roc_auc=0.78,
        neg_log_loss=-0.4,
        task="binary",
        n_rows=400,
        primary="average_precision",
        intervals={"average_precision": (0.56, 0.66), "neg_log_loss": (-0.45, -0.36)},
        dummy={"average_precision": 0.2, "roc_auc": 0.5, "neg_log_loss": -0.6},
        threshold=0.31,
        expected_calibration_error=0.02,
        positive_label="yes",
        labels=("no", "yes"),
        confusion_matrix=((250, 50), (30, 70)),
    )
    comparison = ChampionComparison(
        "v1.0.0",
        comparable=True,
        n_rows=400,
        metrics={
            "average_precision": MetricComparison(0.61, 0.55, 0.06, (0.01, 0.11)),
            "neg_log_loss": MetricComparison(-0.4, -0.43, 0.03, (0.01, 0.05)),
        },
    )
    result = TrainingResult(
        metrics=metrics,
        baseline=BaselineStatistics({}, 1_600, "s"),
        model_path=Path("model"),
        baseline_path=Path("baseline.json"),
        algorithm="HistGradientBoosting",
        hyperparameters={"max_iter": 100, "learning_rate": 0.1, "loss": "log_loss"},
        settings=GroupSettings(),
        task="binary",
        target="off_treatment",
        features=("age", "region", "visits"),
        dropped_columns={"patient_id": "an id"},
        n_rows_train=1_600,
        n_rows_test=400,
        library_versions={"scikit-learn": "1.9.0"},
        dataset_digest=DIGEST,
        split="newest fifth by visited",
        warnings=("visits alone predicts the target with AUC 0.71.",),
        comparison=comparison,
        changes=some_changes(),
        feature_importance={"visits": 0.083, "age": 0.041, "region": 0.002},
        contenders={"HistGradientBoosting": 0.6, "LogisticRegression": 0.58},
        trials=(
            Trial({"max_iter": 100, "loss": "log_loss"}, 0.6, 1_600, "HistGradientBoosting"),
            Trial({"C": 0.1}, 0.58, 800, "LogisticRegression"),
        ),
        duration_seconds=12.3,
    )
    result = replace(result, **changes)
    return replace(result, gate=judge(result.metrics, result.comparison, result.settings.gate))


def a_regression_result() -> TrainingResult:
    metrics = EvaluationMetrics(
        r2=0.41,
        neg_mean_absolute_error=-11.2,
        neg_root_mean_squared_error=-17.98,
        neg_median_absolute_error=-7.4,
        neg_absolute_error_q80=-19.0,
        neg_absolute_error_q95=-44.1,
        task="regression",
        n_rows=400,
        primary="neg_root_mean_squared_error",
        intervals={"neg_root_mean_squared_error": (-19.9, -16.2)},
        dummy={"neg_root_mean_squared_error": -23.4},
    )
    compared = {"neg_root_mean_squared_error": MetricComparison(-17.98, -18.44, 0.46, (0.15, 0.77))}
    return a_training_result(
        metrics=metrics,
        task="regression",
        comparison=ChampionComparison("v1.0.0", comparable=True, n_rows=400, metrics=compared),
        contenders={"HistGradientBoosting": -18.1, "Ridge": -19.4},
        trials=(Trial({"max_iter": 100}, -18.1, 1_600), Trial({"max_iter": 300}, -18.6, 1_600)),
        settings=GroupSettings(drift=DriftSettings(threshold=0.05, alert_threshold=0.3)),
    )


def some_changes() -> DatasetChanges:
    shifts = (
        FeatureShift("age", 0.31, "ALERT"),
        FeatureShift("region", 0.12, "WARN"),
        FeatureShift("dose", 0.02, "OK"),
    )
    return DatasetChanges("v1.0.0", 1_800, 2_000, "WARN", 0.14, ("age is 3.1 higher on average.",), shifts)


def some_details(task: str = "binary") -> EvaluationDetails:
    slices = (
        SliceScore("region", "north", 120, 0.41, (0.3, 0.52)),
        SliceScore("age", "over 60", 80, 0.5, (0.4, 0.6)),
    )
    curve = ((0.0, 0.0), (0.2, 0.6), (1.0, 1.0))
    if task == "regression":
        slices = (SliceScore("region", "north", 120, -25.0, (-29.0, -21.5)),)
        sample = tuple((float(x), float(x + (x * 7) % 13 - 6)) for x in range(0, 100, 3))
        bins = tuple(CalibrationBin(x, x + 2.0, 40) for x in (10.0, 40.0, 80.0))
        return EvaluationDetails(sample=sample, slices=slices, calibration=bins)
    bins = (CalibrationBin(0.1, 0.12, 150), CalibrationBin(0.5, 0.45, 50), CalibrationBin(0.8, 0.85, 40))
    table = SliceTable(
        SliceQuality("", "all rows", 240, 0.78, (0.72, 0.83), 0.3, 0.31, 0.28),
        (
            SliceQuality("sex", "female", 150, 0.81, (0.75, 0.86), 0.31, 0.3, 0.32),
            SliceQuality("sex", "male", 70, 0.66, (0.55, 0.75), 0.28, 0.34, 0.2),
            SliceQuality("sex", "missing", 20),
        ),
    )
    return EvaluationDetails({"yes": curve, "no": curve}, {"yes": curve}, bins, (), slices, table)


def a_model(**changes: Any) -> ModelMetadata:
    result = a_training_result()
    started = NOW - timedelta(minutes=6)
    job = TrainingJob("job-1", "arn:job-1", "image:1", "ml.m5.large", started, NOW, 312, 0.25, 0.0123, 4, 95)
    model = ModelMetadata(
        algorithm=result.algorithm,
        hyperparameters=result.hyperparameters,
        metrics=result.metrics,
        dataset_version=DIGEST,
        artifact=Artifact("s3://artifacts/model.tar.gz", "a" * 64, "1"),
        features=result.features,
        target=result.target,
        task=result.task,
        library_versions=result.library_versions,
        source=Source("b" * 64),
        training_job=job,
        gate=GateResult(passed=True, reasons=("Average precision 0.6100 is above 0.2000.",)),
        comparison=result.comparison,
        feature_importance=result.feature_importance,
        data=DataFindings(
            "warn",
            2_000,
            ({"severity": "warn", "column": "region", "message": "3 % of the values are missing."},),
            some_changes(),
            "cyd@example.com",
        ),
        warnings=result.warnings,
        plots=("roc", "importance"),
        model_group="medication-adherence",
        version="v1.0.1",
        number=2,
        status=Status.CHAMPION,
        created_at=NOW,
        evidence_uri="s3://artifacts/models/medication-adherence/v1.0.1",
        status_changed_at=NOW,
        status_changed_by="ada@example.com",
        status_reason="better on every slice",
    )
    return replace(model, **changes)


def a_previous_model() -> ModelMetadata:
    return a_model(
        version="v1.0.0",
        number=1,
        status=Status.ARCHIVED,
        algorithm="LogisticRegression",
        hyperparameters={"C": 1.0},
        features=("age", "region", "weight"),
        comparison=None,
        metrics=replace(a_training_result().metrics, average_precision=0.55, roc_auc=0.77),
    )


_LOOSER_SETTINGS = """
target = "off_treatment"
exclude_columns = ["days_<b>since</b>_start"]
[gate.roc_auc]
threshold = 0.5
min_absolute_change = -0.02
[columns.postcode]
kind = "category"
[format]
delim = ";"
"""


def a_request(**changes: Any) -> ApprovalRequest:
    from mlops.approval.evidence import gather
    from mlops.approval.policy.effective import EffectivePolicy

    request = ApprovalRequest(
        id_hash="h" * 64,
        group="medication-adherence",
        version="v1.0.1",
        artifact=Artifact("s3://artifacts/model.tar.gz", "a" * 64, "1"),
        execution_arn="arn:run-1",
        approvers=("ada@example.com", "bob@example.com"),
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        evidence=gather(
            replace(a_model(), settings=GroupSettings.from_toml(_LOOSER_SETTINGS)),
            a_previous_model(),
            some_details(),
            policy=EffectivePolicy(
                "g", ("ada@example.com", "bob@example.com"), 2, is_automatic=False
            ).describe(),
        ),
        sealed="sealed",
        required_approvals=2,
        answers=(Answer("bob@example.com", "approved", "fine by me", NOW),),
    )
    return replace(request, **changes)


def a_decided_request() -> ApprovalRequest:
    decision = ApprovalDecision("rejected", "link of bob@example.com", "it leaks the future", NOW, "h" * 64)
    return a_request(status=RequestStatus.DECIDED, decision=decision)


def an_offer(*, decided: bool = False) -> RollbackOffer:
    return RollbackOffer(
        id_hash="h" * 64,
        group="medication-adherence",
        version="v1.0.1",
        previous="v1.0.0",
        artifact=Artifact("s3://artifacts/model.tar.gz", "a" * 64, "1"),
        approvers=("ada@example.com",),
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
        decision=RollbackDecision("link of ada@example.com", "it predicts nonsense", NOW)
        if decided
        else None,
        outcome="v1.0.0 is in service again." if decided else "",
    )


def some_runs() -> tuple[Run, ...]:
    def run(number: int, status: RunStatus, **changes: Any) -> Run:
        started = NOW + timedelta(hours=number)
        points = {
            name: MetricPoint(name, value + number / 50, 0, started)
            for name, value in (("roc_auc", 0.7), ("neg_root_mean_squared_error", -17.98), ("loss", 0.4))
        }
        defaults = {
            "params": {"algorithm": "XGBoost", "depth": number, "seed": 0},
            "newest": points,
            "tags": {"model_version": f"v1.0.{number}", "gate": "passed", "primary_metric": "roc_auc"},
            "dataset": RunDataset(DIGEST, DIGEST),
            "code_digest": DIGEST,
        }
        return Run(
            f"adherence-run-{number}",
            "medication-adherence",
            f"adherence-run-{number}",
            status,
            started,
            started + timedelta(minutes=3 * number + 1),
            **defaults | changes,
        )

    failure = RunFailure("TrainingError", "no score could be computed")
    return (
        run(0, RunStatus.FINISHED),
        run(1, RunStatus.FINISHED, code_digest="c" * 64),
        run(2, RunStatus.FAILED, newest={}, failure=failure, params={"algorithm": "Ridge", "seed": 0}),
    )


def a_history(run: Run) -> list[MetricPoint]:
    return [MetricPoint("loss", 1 / step, step, NOW) for step in range(1, 30)] if run.newest else []


def hostile(value: Any, *, keep: frozenset[str] = frozenset(), attack: str = ATTACK) -> Any:
    """Return the same record with an attack in every text, but for those in `keep` and for enumerations."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) or value in keep else f"{attack}{value}"
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            entry.name: hostile(getattr(value, entry.name), keep=keep, attack=attack)
            for entry in fields(value)
            if entry.init
        }
        return replace(value, **changes)
    if isinstance(value, dict):
        return {
            hostile(key, keep=keep, attack=attack): hostile(entry, keep=keep, attack=attack)
            for key, entry in value.items()
        }
    if isinstance(value, (tuple, list)):
        return type(value)(hostile(entry, keep=keep, attack=attack) for entry in value)
    return value
