"""The public face of the registry on a laptop: what the description shows, and what may go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mlops
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.contention import Backoff
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.errors import ArtifactError, RegistryConflictError
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate, ModelMetadata
from mlops.models.settings.group import GroupSettings
from mlops.models.training import (
    ChampionComparison,
    EvaluationMetrics,
    MetricComparison,
    TrainingResult,
)
from mlops.registry.changes import AuditStamp, next_version, parse_version, registration
from mlops.registry.model_registry import ModelRegistry

GROUP = "medication-adherence"
BASELINE = BaselineStatistics(features={}, n_rows=10, schema_hash="s")


def a_model_directory(folder: Path, *, features=("age",), roc_auc: float = 0.7, comparison=None) -> Path:
    folder.mkdir()
    (folder / "model.skops").write_bytes(b"bytes of a model")
    (folder / "baseline_statistics.json").write_text(BASELINE.to_json())
    result = TrainingResult(
        metrics=EvaluationMetrics(roc_auc=roc_auc, primary="roc_auc"),
        baseline=BASELINE,
        model_path=folder,
        baseline_path=folder / "baseline_statistics.json",
        algorithm="RandomForest",
        hyperparameters={},
        settings=GroupSettings(),
        task="binary",
        target="stopped",
        features=features,
        dropped_columns={},
        n_rows_train=8,
        n_rows_test=2,
        library_versions={"numpy": "2.5.1"},
        dataset_digest="d",
        comparison=comparison,
        feature_importance=dict.fromkeys(features, 0.1),
    )
    (folder / "training_result.json").write_text(result.to_json())
    return folder


@pytest.fixture
def registry(tmp_path) -> ModelRegistry:
    return ModelRegistry(
        root=tmp_path / "registry", actor="ada", now=lambda: datetime(2026, 1, 1, tzinfo=UTC)
    )


def register(registry: ModelRegistry, path: Path, **changes) -> ModelMetadata:
    values = {
        "model_group": GROUP,
        "model_artifact_path": f"{path}/",
        "metrics": EvaluationMetrics(roc_auc=0.7, primary="roc_auc"),
        "hyperparameters": {"n_estimators": 100},
        "dataset_version": "v1.0",
        "algorithm": "RandomForest",
    }
    return registry.register_model(**values | changes)


def test_the_calls_of_the_description_work_on_a_laptop(registry, tmp_path):
    directory = a_model_directory(tmp_path / "models")
    assert register(registry, directory).version == "v1.0.0"
    assert register(registry, directory, dataset_version="v1.1").version == "v1.0.1"
    assert registry.approve_model(GROUP, "v1.0.0").status == "Approved"
    comparison = registry.compare_models(GROUP, "v1.0.0", "v1.0.1")
    assert comparison.data["dataset"].a == "v1.0"
    assert registry.load_baseline_statistics(GROUP, "v1.0.0") == BASELINE


def test_a_model_directory_tells_its_features_and_target(registry, tmp_path):
    first = register(registry, a_model_directory(tmp_path / "a"))
    second = register(registry, a_model_directory(tmp_path / "b", features=("age", "region")))
    assert (first.features, first.target, first.library_versions) == (("age",), "stopped", {"numpy": "2.5.1"})
    assert second.version == "v2.0.0"


def test_the_digest_of_a_directory_sees_every_byte_and_name(registry, tmp_path):
    one, other = a_model_directory(tmp_path / "a"), a_model_directory(tmp_path / "b")
    digest = register(registry, one).artifact.sha256
    (other / "training_result.json").write_bytes((one / "training_result.json").read_bytes())
    assert register(registry, other).artifact.sha256 == digest
    (other / "model.skops").rename(other / "other.skops")
    assert register(registry, other).artifact.sha256 != digest
    (other / "other.skops").rename(other / "model.skops")
    (other / "model.skops").write_bytes(b"bytes of a modem")
    assert register(registry, other).artifact.sha256 != digest


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_an_artifact_that_is_not_there_is_an_error(registry, tmp_path, path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="train a model there first"):
        register(registry, tmp_path / path)
    assert registry.groups() == []


def test_scores_on_the_same_rows_are_compared_with_their_paired_interval(registry, tmp_path):
    paired = ChampionComparison(
        "v1.0.0", True, None, 100, {"roc_auc": MetricComparison(0.8, 0.72, 0.08, (0.02, 0.14))}
    )
    register(registry, a_model_directory(tmp_path / "a"))
    register(
        registry,
        a_model_directory(tmp_path / "b", comparison=paired),
        metrics=EvaluationMetrics(roc_auc=0.8, f1=0.5),
        hyperparameters={"n_estimators": 200},
    )
    comparison = registry.compare_models(GROUP, "v1.0.0", "v1.1.0")
    assert comparison.metrics["roc_auc"].interval == (0.02, 0.14)
    assert (comparison.metrics["roc_auc"].a, comparison.metrics["roc_auc"].difference) == (0.72, 0.08)
    assert comparison.metrics["f1"].difference is None
    text = comparison.render()
    assert " 0.7200  0.8000  +0.0800     +0.0200 to +0.1400" in text
    assert "ROC AUC" in text
    assert "roc_auc" not in text
    assert "n_estimators  100     200" in text


def test_eight_processes_register_without_gap(tmp_path):
    directory = a_model_directory(tmp_path / "a")
    script = (
        "import sys\nfrom mlops.registry.model_registry import ModelRegistry\n"
        "registry = ModelRegistry(root=sys.argv[1], actor='p')\n"
        "for _ in range(4):\n"
        "    registry.register_model('g', sys.argv[2], {'roc_auc': 0.5}, {}, 'd', 'RandomForest')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(mlops.__file__).parents[1])}
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "r"), str(directory)]
    processes = [subprocess.Popen(command, env=environment) for _ in range(8)]
    assert [process.wait(60) for process in processes] == [0] * 8
    models = ModelRegistry(root=tmp_path / "r").list_models("g")
    assert [model.version for model in models] == [f"v1.0.{patch}" for patch in range(32)]


def test_a_conflict_that_never_ends_is_an_error():
    pauses: list[float] = []

    def conflict() -> None:
        raise RegistryConflictError

    with pytest.raises(RegistryConflictError, match="each of 3 attempts"):
        Backoff(attempts=3, sleep=pauses.append).run(conflict)
    assert len(pauses) == 3
    assert all(pause <= 0.2 for pause in pauses)


def test_registry_and_approval_import_no_dataframes_and_no_boto3():
    script = (
        "import sys, mlops.registry.model_registry, mlops.use_cases.register_training\n"
        "import mlops.registry.promotion\n"
        "import mlops.models.registry, mlops.models.approval, mlops.cli.versions\n"
        "print(sorted({'numpy', 'pandas', 'scipy', 'sklearn', 'boto3', 'botocore'} & set(sys.modules)))\n"
        "import mlops.approval.pages.approval_page, mlops.approval.pages.rollback_page\n"
        "import mlops.approval.watch_approvals\n"
        "import mlops.approval.rollbacks, mlops.approval.administration, mlops.infrastructure.aws.dynamodb\n"
        "print(sorted({'numpy', 'pandas', 'scipy', 'sklearn', 'boto3'} & set(sys.modules)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(mlops.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "[]"]


@pytest.mark.parametrize(
    ("made_by", "expected"),
    [
        (("A", {"k": 1}, ("x",), "t"), "v3.4.6"),
        (("B", {"k": 1}, ("x",), "t"), "v3.5.0"),
        (("A", {"k": 2}, ("x",), "t"), "v3.5.0"),
        (("A", {"k": 1}, ("x", "y"), "t"), "v4.0.0"),
        (("A", {"k": 1}, ("x",), "u"), "v4.0.0"),
        (("B", {}, ("y",), "u"), "v4.0.0"),
        (("A", {"k": 1}), "v3.4.6"),
    ],
)
def test_a_version_moves_by_what_changed_most(made_by, expected):
    def candidate(algorithm, hyperparameters, features=(), target=None):
        what = (algorithm, hyperparameters, EvaluationMetrics(), "d", Artifact("s3://b/k", "0" * 64))
        return Candidate(*what, features=features, target=target)

    before = candidate("A", {"k": 1}, ("x",), "t")
    change = registration("g", before, AuditStamp("t", "", utc_now()), state=None, latest=None)
    latest = replace(change.writes[0].model, version="v3.4.5")
    assert next_version(latest, candidate(*made_by)) == expected


@pytest.mark.parametrize("text", ["", "1.0.0", "v1.0", "v1.0.0.0", "v1.0.0\n", "v1.0.٣"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="is not a version like"):
        parse_version(text)


def test_versions_are_counted_without_reading_them(registry, tmp_path):
    assert registry.count_models(GROUP) == 0
    for number in range(2):
        register(registry, a_model_directory(tmp_path / f"model {number}", roc_auc=0.7 + number / 10))
    assert registry.count_models(GROUP) == len(registry.list_models(GROUP)) == 2
