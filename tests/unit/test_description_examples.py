"""Every Python block of the library's original description runs, with `src.` read as `mlops.`.

The text of the blocks is taken as it is. What they leave open is filled from outside: the files that they
name are real data, `evaluation_metrics`, `current_data` and `baseline_stats` are what earlier blocks produce,
and the fixed paths of a container are folders of the test.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops.infrastructure.aws.clients import client
from mlops.models.data_models import BaselineStatistics, DriftReport, InferenceResult, TrainingResult
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.model_registry import ModelRegistry

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_N_BLOCKS = 10

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def blocks(shared_dir: Path) -> list[str]:
    text = (shared_dir / "seed" / "README.md").read_text(encoding="utf-8")
    return [block.replace("src.", "mlops.") for block in _BLOCK.findall(text)]


@pytest.fixture
def workplace(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the description names."""
    example = repository / "examples" / "medication-adherence"
    leakage = ["days", "cens", "r", "cd420", "cd496", "cd820"]
    train = pd.read_csv(example / "train.csv").drop(columns=leakage)
    score = pd.read_csv(example / "score_drifted.csv")
    for folder, name, frame in (
        ("data", "train.csv", train),
        ("data", "inference.csv", score),
        ("opt/ml/input/data/training", "train.csv", train),
        ("opt/ml/input/data/inference", "data.csv", score),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        frame.to_csv(tmp_path / folder / name, index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(blocks: list[str], workplace: Path) -> Run:
    """Runs the block that holds a text, in a namespace with the given names, and returns its namespace."""

    def run_block(marker: str, **names: Any) -> dict[str, Any]:
        [block] = [block for block in blocks if marker in block]
        source = block.replace("/opt/ml/", f"{workplace}/opt/ml/")
        namespace = {"__name__": "__main__", "json": json, "os": os, **names}
        exec(compile(source, f"<{marker}>", "exec"), namespace)  # the description is ours
        return namespace

    return run_block


TRAIN = "'max_depth': 10"
SCORE = "input_path='data/inference.csv'"
DETECT = "DriftDetector(baseline_stats"
REGISTER = "use_dynamodb=True"
TRAIN_AND_REGISTER = "# Configure and train"
SCORE_AND_CHECK = "# Load model and run inference"
DETECT_AND_PUBLISH = "# Load baseline"
TRAINING_JOB = "# In SageMaker training job"
INFERENCE_JOB = "# In SageMaker inference"
LAMBDA = "# In Lambda handler"
MARKERS = (
    *(TRAIN, SCORE, DETECT, REGISTER, TRAIN_AND_REGISTER, SCORE_AND_CHECK),
    *(DETECT_AND_PUBLISH, TRAINING_JOB, INFERENCE_JOB, LAMBDA),
)


def test_every_block_of_the_description_is_run_by_a_test_here(blocks: list[str]):
    assert len(blocks) == _N_BLOCKS == len(MARKERS)
    assert all(sum(marker in block for block in blocks) == 1 for marker in MARKERS)


def test_training_pipeline(run: Run, workplace: Path):
    result = run(TRAIN)["result"]
    assert isinstance(result, TrainingResult)
    assert result.hyperparameters["n_estimators"] == 100
    assert (workplace / "models" / "baseline_statistics.json").is_file()


def test_inference_pipeline(run: Run, workplace: Path):
    run(TRAIN)
    result = run(SCORE)["result"]
    assert isinstance(result, InferenceResult)
    assert result.n_rows == 843
    assert result.predictions_path.is_relative_to("predictions")


def test_drift_detector(run: Run, workplace: Path, capsys: pytest.CaptureFixture[str]):
    run(TRAIN)
    baseline = load_baseline_statistics("models/baseline_statistics.json")
    report = run(DETECT, baseline_stats=baseline, current_data=pd.read_csv("data/inference.csv"))["report"]
    assert isinstance(report, DriftReport)
    assert "preanti" in report.features_with_drift
    assert f"Drift score: {report.drift_score}" in capsys.readouterr().out


def test_model_registry(run: Run, aws: None, workplace: Path, monkeypatch: pytest.MonkeyPatch):
    result = run(TRAIN)["result"]
    monkeypatch.setenv("REGISTRY_TABLE_NAME", "registry")
    _make_registry_table("registry")
    # the block compares v1.0.0 with v1.0.1, so two versions must be there before it runs
    registry = ModelRegistry(use_dynamodb=True)
    for dataset_version in ("v0.8", "v0.9"):
        registry.register_model(
            model_group="medication-adherence",
            model_artifact_path="models/",
            metrics=result.metrics,
            hyperparameters={"n_estimators": 100},
            dataset_version=dataset_version,
            algorithm="RandomForest",
        )
    namespace = run(REGISTER, evaluation_metrics=result.metrics)
    assert namespace["metadata"].version == "v1.0.2"
    assert registry.get_model("medication-adherence", "v1.0.0").status == "Approved"
    assert namespace["comparison"] is not None


def test_training_a_model_and_registering_it(run: Run):
    namespace = run(TRAIN_AND_REGISTER)
    model = namespace["registry"].get_model("medication-adherence", "v1.0.0")
    assert model.algorithm == "RandomForest"
    assert model.metrics == namespace["result"].metrics


def test_running_inference_and_checking_drift(run: Run, capsys: pytest.CaptureFixture[str]):
    run(TRAIN)
    run(SCORE_AND_CHECK)
    assert "High drift detected!" in capsys.readouterr().out


def test_detecting_drift_and_publishing_it(run: Run):
    run(TRAIN)
    namespace = run(
        DETECT_AND_PUBLISH,
        load_baseline_statistics=load_baseline_statistics,
        current_data=pd.read_csv("data/inference.csv"),
    )
    assert isinstance(namespace["baseline"], BaselineStatistics)
    assert isinstance(namespace["detector"], DriftDetector)
    assert namespace["metrics"]["overall_drift_score"] == namespace["report"].drift_score


def test_sagemaker_training(run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SM_HPS", json.dumps({"algorithm": "RandomForest", "n_estimators": "25"}))
    result = run(TRAINING_JOB, TrainingPipeline=TrainingPipeline)["result"]
    assert result.hyperparameters["n_estimators"] == 25
    assert (workplace / "opt" / "ml" / "model" / "manifest.json").is_file()


def test_sagemaker_inference(run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SM_HPS", json.dumps({"algorithm": "LogisticRegression"}))
    run(TRAINING_JOB, TrainingPipeline=TrainingPipeline)
    result = run(INFERENCE_JOB, InferencePipeline=InferencePipeline)["result"]
    assert (workplace / "opt" / "ml" / "output" / "predictions.csv").is_file()
    assert result.n_rows == 843


def test_lambda_integration(run: Run):
    handler = run(LAMBDA)["lambda_handler"]
    handler({"config": {"algorithm": "XGBoost", "n_estimators": 10}}, None)


def _make_registry_table(name: str) -> None:
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
