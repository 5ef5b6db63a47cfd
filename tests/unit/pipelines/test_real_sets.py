"""The examples, which are real data: as good as a linear model that is written plainly with scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops.models.training import EvaluationMetrics
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.training_pipeline import TrainingPipeline

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SETTINGS: dict[str, dict[str, Any]] = {
    "medication-adherence": {
        "target": "offtrt",
        "id_columns": ["patient_id"],
        "exclude_columns": ["days", "cens", "cd496", "r", "cd420", "cd820"],
    },
    "drug-spend": {"target": "drugexp"},
    "storms": {"target": "status", "group_columns": ["name", "year"], "exclude_columns": ["category"]},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_linear_model_is_as_good_as_the_plain_one(name: str, tmp_path: Path):
    settings, path = SETTINGS[name], EXAMPLES / name / "train.csv"
    result = TrainingPipeline({**settings, "algorithm": "LogisticRegression"}).execute(
        path, tmp_path / "model"
    )
    assert score_of(result.metrics, name) > plain_score(pd.read_csv(path), settings, name) - 0.05
    assert judge(result.metrics).passed


def score_of(metrics: EvaluationMetrics, name: str) -> float:
    """Return the metric by which the example is compared."""
    scores = {"medication-adherence": metrics.roc_auc, "drug-spend": metrics.r2, "storms": metrics.accuracy}
    score = scores[name]
    assert score is not None
    return score


def plain_score(frame: pd.DataFrame, settings: dict[str, Any], name: str) -> float:
    """Return the same metric of the plain model, on a fifth of the rows or groups."""
    groups = settings.get("group_columns", settings.get("id_columns", []))
    keys = frame.groupby(groups).ngroup() if groups else pd.Series(range(len(frame)))
    train, test = next(GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=0).split(frame, groups=keys))
    y = frame[settings["target"]]
    dropped = [settings["target"], *settings.get("exclude_columns", []), *settings.get("id_columns", [])]
    x = frame.drop(columns=dropped)
    model = plain_model(is_regression=name == "drug-spend").fit(x.iloc[train], y.iloc[train])
    if name == "medication-adherence":
        return float(roc_auc_score(y.iloc[test], model.predict_proba(x.iloc[test])[:, 1]))
    metric = r2_score if name == "drug-spend" else accuracy_score
    return float(metric(y.iloc[test], model.predict(x.iloc[test])))


def plain_model(*, is_regression: bool) -> Pipeline:
    """Return the pipeline of the textbook: medians, scaling, one column per category."""
    features = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            OneHotEncoder(handle_unknown="ignore", max_categories=50),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    return make_pipeline(features, Ridge() if is_regression else LogisticRegression(max_iter=2_000))
