"""Trainings as runs: what a version or a training result says about the run, once per job."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.experiment.training_runs import record_failed_training, record_training
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.errors import ExperimentError
from mlops.models.experiment import RunDataset, RunFailure, RunStatus
from mlops.models.objects import Artifact
from mlops.models.registry import ModelMetadata, Source, Status, TrainingJob
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, EvaluationMetrics, GateResult, TrainingResult

GROUP = "adherence"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = START + timedelta(minutes=3)
METRICS = EvaluationMetrics(
    roc_auc=0.75, f1=1.0, task="binary", primary="roc_auc", n_rows=200, intervals={"roc_auc": (0.7, 0.8)}
)
SETTINGS = GroupSettings(algorithm="XGBoost", target="stopped", seed=7, hyperparameters={"max_depth": 3})


def a_model(**changes) -> ModelMetadata:
    job = TrainingJob(
        "adherence-4f2a-0",
        "arn:job",
        started_at=START,
        ended_at=END,
        billable_seconds=150,
        instance_type="ml.m5.large",
    )
    model = ModelMetadata(
        model_group=GROUP,
        version="v1.0.0",
        number=1,
        status=Status.REJECTED_BY_GATE,
        created_at=END + timedelta(minutes=1),
        algorithm="XGBoost",
        hyperparameters={"max_depth": 3, "n_estimators": 200},
        metrics=METRICS,
        dataset_version="d" * 64,
        artifact=Artifact("s3://artifacts/model.tar.gz", "a" * 64, "v"),
        features=("age", "region"),
        target="stopped",
        settings=SETTINGS,
        source=Source("c" * 64),
        training_job=job,
        gate=GateResult(passed=False, reasons=("roc_auc 0.75 is below 0.8.",)),
        comparison=ChampionComparison(champion_version="v0.9.0"),
        feature_importance={"age": 0.1},
        tags={"team": "b"},
    )
    return replace(model, **changes)


def a_result() -> TrainingResult:
    return TrainingResult(
        metrics=METRICS,
        baseline=BaselineStatistics({}, 800, "h"),
        model_path=Path("/models/one"),
        baseline_path=Path("/models/one/baseline_statistics.json"),
        algorithm="XGBoost",
        hyperparameters={"max_depth": 3},
        settings=SETTINGS,
        task="binary",
        target="stopped",
        features=("age",),
        dropped_columns={},
        n_rows_train=800,
        n_rows_test=200,
        library_versions={"xgboost": "3.4.1"},
        dataset_digest="d" * 64,
        warnings=("age may leak.",),
    )


def test_a_rejected_version_is_a_run_with_its_gate_and_reasons(store):
    run = record_training(store, a_model())
    assert (run.run_id, run.group, run.status, run.origin) == (
        "adherence-4f2a-0",
        GROUP,
        RunStatus.FINISHED,
        "sagemaker",
    )
    assert run.duration_seconds == 180
    assert run.metrics == {"roc_auc": 0.75, "f1": 1.0, "billable_seconds": 150.0}
    assert run.tags == {
        "team": "b",
        "model_version": "v1.0.0",
        "gate": "rejected",
        "gate_reasons": "roc_auc 0.75 is below 0.8.",
        "champion_version": "v0.9.0",
        "primary_metric": "roc_auc",
    }
    expected = {"algorithm": "XGBoost", "max_depth": 3, "n_estimators": 200, "seed": 7, "target": "stopped"}
    assert {name: run.params[name] for name in expected} == expected
    assert run.dataset == RunDataset("d" * 64, "d" * 64)
    assert run.code_digest == "c" * 64
    assert run.artifacts[0].uri == "s3://artifacts/model.tar.gz"


def test_the_evaluation_is_kept_whole_beside_the_run(store, tracker):
    record_training(store, a_model())
    evaluation = json.loads(tracker.read_artifact(GROUP, "adherence-4f2a-0", "evaluation.json"))
    assert EvaluationMetrics.from_dict(evaluation["metrics"]) == METRICS
    assert evaluation["gate"]["passed"] is False
    assert evaluation["feature_importance"] == {"age": 0.1}
    history = tracker.history(GROUP, "adherence-4f2a-0")
    assert {point.name: point.value for point in history} == {
        "roc_auc": 0.75,
        "f1": 1.0,
        "billable_seconds": 150.0,
    }


def test_the_same_job_is_recorded_once(store, tracker):
    first = record_training(store, a_model())
    again = record_training(store, a_model(version="v2.0.0", metrics=EvaluationMetrics(roc_auc=0.1)))
    assert again == first
    assert tracker.list_runs(GROUP) == [first]
    assert len(tracker.history(GROUP, first.run_id)) == 3


def test_a_recording_that_died_half_way_is_completed_by_the_next(store, tracker):
    class DiesBeforeTheRecord:
        def __getattr__(self, name):
            return getattr(store, name)

        def add(self, run):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_training(DiesBeforeTheRecord(), a_model())
    assert tracker.list_runs(GROUP) == []
    run = record_training(store, a_model())
    assert len(tracker.history(GROUP, run.run_id)) == 3


def test_a_training_on_the_desk_is_a_run_too(store):
    times = {"started_at": START, "ended_at": END}
    run = record_training(
        store, a_result(), group=GROUP, job_name="laptop-1", **times, code_digest="e" * 64, tags={"a": "b"}
    )
    assert (run.run_id, run.origin, run.code_digest, run.tags["a"]) == ("laptop-1", "local", "e" * 64, "b")
    assert (run.params["n_rows_train"], run.params["n_rows_test"], run.params["max_depth"]) == (800, 200, 3)
    assert (run.params["task"], run.artifacts[0].uri) == ("binary", "/models/one")
    assert (
        len(record_training(store, a_result(), group=GROUP, job_name="laptop-2", **times).code_digest) == 64
    )
    with pytest.raises(ExperimentError, match="job_name"):
        record_training(store, a_result(), group=GROUP)


def test_a_hyperparameter_too_long_for_a_table_is_kept_beside_it(store, tracker):
    weights = {"label\nof two lines": 2.0}
    run = record_training(
        store, a_model(hyperparameters={"depth": 3, "order": ["x"] * 5000, "weight": weights})
    )
    assert run.params["depth"] == 3
    assert not {"order", "weight"} & set(run.params)
    evaluation = json.loads(tracker.read_artifact(GROUP, run.run_id, "evaluation.json"))
    assert evaluation["hyperparameters"]["weight"] == weights


def test_a_version_without_scores_is_a_run_without_metrics(store, tracker):
    run = record_training(store, a_model(metrics=EvaluationMetrics(), training_job=None))
    assert run.metrics == {}
    assert tracker.history(GROUP, run.run_id) == []


def test_a_version_registered_by_hand_has_its_version_for_a_job(store):
    run = record_training(store, a_model(training_job=None, gate=None, comparison=None, source=Source()))
    assert (run.run_id, run.origin, run.duration_seconds) == ("v1.0.0", "local", 0)
    assert run.tags == {"team": "b", "model_version": "v1.0.0", "primary_metric": "roc_auc"}


def test_a_job_that_failed_is_a_failed_run_once(store, tracker):
    job = TrainingJob("adherence-4f2a-1", "arn:job", started_at=START)
    failure = RunFailure("CapacityError", "No capacity for ml.m5.large.")
    for _ in range(2):
        run = record_failed_training(store, group=GROUP, job=job, failure=failure, at=END, settings=SETTINGS)
    assert tracker.list_runs(GROUP) == [run]
    assert (run.status, run.failure, run.duration_seconds) == (RunStatus.FAILED, failure, 180)
    assert run.params["max_depth"] == 3
