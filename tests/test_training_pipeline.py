"""The training pipeline from outside: a CSV in, a model directory out, and scores for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.models.errors import SettingsError
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "medication-adherence"
CONFIG = {"algorithm": "RandomForest", "n_estimators": 20, "max_depth": 5, "target": "offtrt"}


def test_a_csv_becomes_a_model_that_scores(tmp_path: Path) -> None:
    result = TrainingPipeline(CONFIG).execute(EXAMPLE / "train.csv", tmp_path / "models")
    assert result.algorithm == "RandomForest"
    assert result.metrics.roc_auc is not None
    assert 0.5 < result.metrics.roc_auc <= 1.0
    scored = InferencePipeline(tmp_path / "models", tmp_path / "models" / "baseline_statistics.json").execute(
        EXAMPLE / "train.csv", tmp_path / "predictions"
    )
    assert scored.n_rows == len((EXAMPLE / "train.csv").read_text().splitlines()) - 1


def test_settings_as_sagemaker_passes_them_train_the_same_model(tmp_path: Path) -> None:
    texts = {name: str(value) for name, value in CONFIG.items()}
    plain = TrainingPipeline(CONFIG).execute(EXAMPLE / "train.csv", tmp_path / "a")
    as_texts = TrainingPipeline(texts).execute(EXAMPLE / "train.csv", tmp_path / "b")
    assert as_texts.metrics == plain.metrics


def test_an_unknown_setting_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="n_estimators"):
        TrainingPipeline({**CONFIG, "n_estimaters": 5}).execute(EXAMPLE / "train.csv", tmp_path)
