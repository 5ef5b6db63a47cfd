"""Columns of very many categories keep what they tell, without telling a row its own target."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.algorithms.selection import algorithm as find_algorithm
from mlops.models.training import TrainingResult
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import FeatureColumn, Model
from mlops.pipelines.fitting.fitting import fit_pipeline
from mlops.pipelines.fitting.preprocessing import MAX_CATEGORY_COLUMNS, make_preprocessing
from mlops.pipelines.training_pipeline import TrainingPipeline

LEAST = {"binary": 0.72, "multiclass": 0.5, "regression": 0.5}


def clinics(task: str = "binary", *, rows: int = 800, levels: int = 200, seed: int = 0) -> pd.DataFrame:
    """Rows of hundreds of clinics, which decide nearly all of the outcome."""
    rng = np.random.default_rng(seed)
    level = rng.integers(levels, size=rows)
    age = rng.normal(size=rows).round(3)
    signal = rng.normal(0, 2.5, levels)[level] + 0.5 * age + rng.normal(0, 1, rows)
    outcomes = {
        "binary": np.where(signal > 0, "yes", "no"),
        "multiclass": np.select([signal > 1, signal < -1], ["high", "low"], "middle"),
        "regression": signal.round(3),
    }
    return pd.DataFrame({"age": age, "clinic": [f"c{n}" for n in level], "outcome": outcomes[task]})


def train(frame: pd.DataFrame, folder: Path, **config) -> TrainingResult:
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / "train.csv", index=False)
    config = {"target": "outcome", **config}
    return TrainingPipeline(config).execute(folder / "train.csv", folder / "model")


@pytest.mark.parametrize("task", sorted(LEAST))
@pytest.mark.parametrize(
    "algorithm", ["LogisticRegression", "XGBoost", "HistGradientBoosting", "RandomForest"]
)
def test_levels_of_a_few_rows_each_keep_what_they_tell(algorithm: str, task: str, tmp_path: Path):
    result = train(clinics(task), tmp_path, algorithm=algorithm)
    actual = result.metrics.values()[result.metrics.primary]
    assert actual > LEAST[task]
    assert next(iter(result.feature_importance)) == "clinic"


@pytest.mark.parametrize("algorithm", ["LogisticRegression", "HistGradientBoosting"])
def test_levels_without_a_meaning_hide_nothing(algorithm: str, tmp_path: Path):
    frame = clinics(rows=1_500, levels=400).assign(patient=range(1_500))
    rng = np.random.default_rng(1)
    frame["outcome"] = np.where(frame["age"] + rng.normal(0, 1, len(frame)) > 0, "yes", "no")
    result = train(frame, tmp_path / "with", algorithm=algorithm, id_columns=["patient"])
    columns = {"id_columns": ["patient"], "exclude_columns": ["clinic"]}
    without = train(frame, tmp_path / "without", algorithm=algorithm, **columns)
    assert result.metrics.roc_auc > without.metrics.roc_auc - 0.03
    assert next(iter(result.feature_importance)) == "age"


def encoded(frame: pd.DataFrame, y: np.ndarray, folds: np.ndarray | None = None) -> np.ndarray:
    """The column of means that training rows get, for an algorithm that takes it as it is."""
    features = (FeatureColumn("clinic", "categorical"),)
    prepared = make_preprocessing(features, find_algorithm("XGBoost"), "binary", y, folds=folds)
    return prepared.fit_transform(frame[["clinic"]], y)[:, -1]


def test_the_mean_of_a_row_comes_from_other_folds_alone():
    frame = clinics()
    y = (frame["outcome"] == "yes").to_numpy().astype(int)
    folds = np.arange(len(y)) % 5
    turned = np.where(folds == 2, 1 - y, y)
    before, after = encoded(frame, y, folds), encoded(frame, turned, folds)
    np.testing.assert_array_equal(before[folds == 2], after[folds == 2])
    assert (before[folds != 2] != after[folds != 2]).any()


def test_one_fold_of_all_rows_is_divided_row_by_row():
    frame = clinics()
    y = (frame["outcome"] == "yes").to_numpy().astype(int)
    np.testing.assert_array_equal(encoded(frame, y, np.zeros(len(y), dtype=int)), encoded(frame, y))
    assert np.isfinite(encoded(frame, y)).all()


def test_rows_beyond_those_looked_at_get_the_means_that_scoring_gives():
    frame = clinics("regression", rows=100_200, levels=60)
    y = frame["outcome"].to_numpy()
    features = (FeatureColumn("age", "numeric"), FeatureColumn("clinic", "categorical"))
    aligned = frame[["age", "clinic"]]
    settings = TrainingPipeline({"algorithm": "Ridge"}).settings
    pipeline = fit_pipeline(aligned, y, features, settings, "regression").pipeline
    assert pipeline.score(aligned, y) > 0.8


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("algorithm", ["XGBoost", "LogisticRegression"])
def test_the_saved_model_scores_unseen_and_missing_levels_and_holds_no_fold(
    algorithm: str, task: str, tmp_path: Path
):
    result = train(clinics(task), tmp_path, algorithm=algorithm)
    model, _ = artifacts.load_model(result.model_path)
    rows = pd.DataFrame({"age": [0.1] * 3, "clinic": ["c1", "never seen", None]})
    scores, notes = model.score(rows)
    assert np.isfinite(scores.probabilities).all()
    assert notes.unknown_levels == {"clinic": 1}
    for file in result.model_path.glob("*.skops"):
        with zipfile.ZipFile(file) as archive:
            assert "PredefinedSplit" not in archive.read("schema.json").decode()


def test_training_twice_on_many_levels_gives_the_same_metrics(tmp_path: Path):
    frame = clinics("multiclass")
    first, second = (train(frame, tmp_path / name, algorithm="auto").metrics for name in ("one", "two"))
    assert second.values() == pytest.approx(first.values(), abs=1e-12)


def test_a_champion_with_many_levels_is_compared_on_the_same_rows(tmp_path: Path):
    champion = train(clinics(), tmp_path / "one", algorithm="LogisticRegression")
    pipeline = TrainingPipeline({"target": "outcome", "algorithm": "LogisticRegression"})
    again = pipeline.execute(
        tmp_path / "one" / "train.csv", tmp_path / "two", champion_path=champion.model_path
    )
    assert again.comparison.metrics["roc_auc"].difference == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("n_columns", "n_classes"), [(3, 4), (60, 2), (60, 90), (1_500, 2), (100, 16)])
def test_the_matrix_stays_narrow_whatever_the_number_of_levels_and_classes(n_columns: int, n_classes: int):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(1_000) % n_classes)
    frame = pd.DataFrame({f"c{n}": rng.choice([f"v{k}" for k in range(60)], 1_000) for n in range(n_columns)})
    features = tuple(FeatureColumn(name, "categorical") for name in frame.columns)
    task = "multiclass" if n_classes > 2 else "binary"
    prepared = make_preprocessing(features, find_algorithm("XGBoost"), task, y)
    # four columns are the least that a column of categories gets
    assert prepared.fit_transform(frame, y).shape[1] <= max(MAX_CATEGORY_COLUMNS, 4 * n_columns)


def test_a_search_takes_many_levels(tmp_path: Path):
    result = train(clinics(), tmp_path, algorithm="HistGradientBoosting", search={"trials": 3})
    assert result.metrics.roc_auc > LEAST["binary"]


def test_what_a_model_is_made_of_stays_what_skops_knows(tmp_path: Path):
    result = train(clinics(), tmp_path, algorithm="LogisticRegression")
    document = json.loads(zipfile.ZipFile(result.model_path / "model.skops").read("schema.json"))
    assert "TargetEncoder" in json.dumps(document)
    assert isinstance(artifacts.load_model(result.model_path)[0], Model)
