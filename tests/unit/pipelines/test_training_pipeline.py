"""Training from a CSV to a model directory: what is learned, what is said, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, SMALL, build_table, train


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("algorithm", sorted(SMALL))
def test_every_algorithm_learns_every_task_and_passes_the_gate(algorithm: str, task: str, trained):
    result = trained(algorithm, task)
    assert result.task == task
    assert judge(result.metrics, None, {}).passed
    assert set(result.features) == {"age", "dose", "region"}
    assert result.dropped_columns == {
        "patient_id": "id column",
        "visited": "raw date",
        "nothing": "no value in any training row",
        "site": "the same value in every training row",
    }
    assert set(list(result.feature_importance)[:2]) <= {"age", "dose", "region"}


def test_the_written_documents_are_the_result(trained):
    result = trained("RandomForest", "binary")
    folder = result.model_path
    assert EvaluationMetrics.from_json((folder / "metrics.json").read_bytes()) == result.metrics
    document = json.loads((folder / "training_result.json").read_bytes())
    again = TrainingResult.from_dict(document)
    assert again.metrics == result.metrics
    assert again.baseline == result.baseline
    manifest = artifacts.read_manifest(folder)
    assert set(manifest.files) | {"manifest.json"} == {path.name for path in folder.iterdir()}
    assert manifest.features == result.features


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_scores_are_those_of_scikit_learn_on_the_held_out_rows(task: str, trained, tmp_path: Path):
    from mlops.dataset.table.table import Table
    from mlops.models.settings.group import GroupSettings
    from mlops.pipelines.features.splitting import split_rows

    result = trained("LogisticRegression", task)
    frame = build_table(task=task)
    settings = GroupSettings.from_config(SETTINGS)
    held_out = frame[split_rows(Table.from_frame(frame, settings), settings).test]
    assert len(held_out) == result.n_rows_test == result.metrics.n_rows
    model, _ = artifacts.load_model(result.model_path)
    scores, _ = model.score(held_out)
    actual = result.metrics
    if task == "regression":
        assert actual.r2 == pytest.approx(sklearn_metrics.r2_score(held_out.outcome, scores.predicted))
        return
    predicted = np.array(model.schema.labels)[scores.predicted]
    assert actual.accuracy == pytest.approx((predicted == held_out.outcome).mean())
    expected = sklearn_metrics.balanced_accuracy_score(held_out.outcome, predicted)
    assert actual.balanced_accuracy == pytest.approx(expected)
    if task == "binary":
        is_yes, probability = held_out.outcome == "yes", scores.probabilities[:, 1]
        assert actual.roc_auc == pytest.approx(sklearn_metrics.roc_auc_score(is_yes, probability))
        expected = sklearn_metrics.average_precision_score(is_yes, probability)
        assert actual.average_precision == pytest.approx(expected)
        assert actual.positive_label == "yes"
        assert actual.dummy["roc_auc"] == 0.5


def test_every_score_is_within_its_interval(trained):
    for task in ("binary", "regression"):
        actual = trained("RandomForest", task).metrics
        for name, value in actual.values().items():
            low, high = actual.intervals[name]
            assert low <= value <= high, name


@pytest.mark.parametrize("algorithm", ["auto", "RandomForest", "XGBoost"])
def test_training_twice_gives_the_same_metrics(algorithm: str, trained, tmp_path: Path):
    first = trained(algorithm, "binary").metrics
    second = train(build_table(task="binary"), tmp_path, algorithm=algorithm, **SMALL[algorithm]).metrics
    for name, value in first.values().items():
        assert second.values()[name] == pytest.approx(value, abs=1e-12), name
    assert second.intervals == first.intervals
    assert second.threshold == pytest.approx(first.threshold, abs=1e-12)


def test_without_a_set_algorithm_the_better_one_is_taken_and_the_choice_is_recorded(trained):
    result = trained("auto", "regression")
    assert result.settings.algorithm == "auto"
    assert result.algorithm == "Ridge"  # the truth is linear
    assert max(result.contenders, key=result.contenders.get) == "Ridge"
    assert len(result.contenders) == 3


def test_a_truth_that_no_line_can_tell_is_left_to_the_trees(tmp_path: Path):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(600, 2)), columns=["a", "b"])
    frame["outcome"] = np.where(frame.a * frame.b > 0, "yes", "no")
    result = train(frame, tmp_path, algorithm="auto", id_columns=[])
    assert result.algorithm == "XGBoost"
    assert result.metrics.roc_auc > 0.9


@pytest.mark.parametrize("written", ["%Y-%m-%d", "%d %b %Y %H:%M"])
def test_the_last_part_of_a_column_of_dates_is_held_out(written: str, tmp_path: Path):
    frame = build_table()
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(frame)) // 2, unit="D")
    result = train(frame.assign(seen=days.strftime(written)), tmp_path, time_column="seen")
    assert result.split == "by time: the last part of seen is held out"
    assert result.n_rows_test == pytest.approx(0.2 * len(frame), abs=2)
    assert "seen" not in result.features


def test_an_alias_is_recorded_by_the_name_of_the_algorithm(tmp_path: Path):
    result = train(build_table(120), tmp_path, algorithm="ExtraTreesClassifier", n_estimators=5)
    assert result.algorithm == "ExtraTrees"
    assert artifacts.load_model(result.model_path)[1].algorithm == "ExtraTrees"


def test_many_categories_in_many_columns_make_no_matrix_without_end(tmp_path: Path):
    rng = np.random.default_rng(0)
    levels = {f"c{n}": rng.choice([f"v{k}" for k in range(60)], 200) for n in range(60)}
    frame = pd.DataFrame(levels).assign(outcome=rng.choice(["yes", "no"], 200))
    result = train(frame, tmp_path, id_columns=[])
    manifest = artifacts.read_manifest(result.model_path)
    pipeline = artifacts.load_pipeline(manifest, result.model_path)
    assert pipeline.named_steps["estimator"].n_features_in_ <= 2_000


def test_flat_nested_and_json_text_configs_are_the_same(tmp_path: Path):
    flat = {"algorithm": "RandomForest", "n_estimators": 15, "target": "outcome"}
    nested = {"algorithm": "RandomForest", "hyperparameters": {"n_estimators": 15}, "target": "outcome"}
    as_text = {"algorithm": "RandomForest", "n_estimators": "15", "target": "outcome"}
    whole = {"settings": json.dumps(nested)}
    settings = [TrainingPipeline(config).settings for config in (flat, nested, as_text, whole)]
    assert all(one == settings[0] for one in settings)


def test_noise_does_not_pass_the_gate(tmp_path: Path):
    rng = np.random.default_rng(5)
    frame = build_table(600).assign(outcome=rng.choice(["yes", "no"], 600))
    result = train(frame, tmp_path)
    assert not judge(result.metrics).passed


def test_a_rare_class_is_not_won_by_calling_all_negative(tmp_path: Path):
    rng = np.random.default_rng(1)
    frame = build_table(2000).drop(columns=["nothing", "site", "visited"])
    frame["outcome"] = np.where(frame.dose + rng.normal(0, 1, 2000) > 11, 1, 0)
    result = train(frame, tmp_path)
    assert 0.01 < frame.outcome.mean() < 0.06
    assert result.metrics.balanced_accuracy > 0.8
    assert result.metrics.dummy["accuracy"] > 0.93
    assert result.metrics.dummy["balanced_accuracy"] == 0.5


def test_balanced_class_weights_are_taken_out_of_the_probabilities_again(tmp_path: Path):
    frame = build_table(800).drop(columns=["nothing", "site", "visited"])
    frame = frame[(frame.outcome == "no") | (np.arange(800) % 5 == 0)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = train(frame, tmp_path / "a")
    weighted = train(frame, tmp_path / "b", class_weight="balanced")
    assert weighted.metrics.calibration_gain > 0.1
    assert weighted.metrics.neg_log_loss == pytest.approx(plain.metrics.neg_log_loss, abs=0.03)


def test_a_leaking_column_is_named(tmp_path: Path):
    frame = build_table()
    frame["discharge_code"] = np.where(frame.outcome == "yes", "D7", "D1")
    result = train(frame, tmp_path)
    assert any("'discharge_code' alone predicts the target" in warning for warning in result.warnings)
    assert not any("'age'" in warning for warning in result.warnings)


def test_a_date_that_is_not_a_feature_is_named(trained):
    assert "Dates are not used as they are: visited." in trained("LogisticRegression", "binary").warnings


def test_a_leak_in_a_regression_is_named(tmp_path: Path):
    frame = build_table(task="regression")
    frame["invoice"] = frame.outcome * 1.2 + 3
    result = train(frame, tmp_path)
    assert any("'invoice' alone predicts" in warning for warning in result.warnings)


def test_the_same_rows_in_another_order_are_split_alike(a_table: Callable[..., pd.DataFrame], tmp_path: Path):
    frame = a_table()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = train(frame, tmp_path / "a")
    second = train(frame.sample(frac=1, random_state=3), tmp_path / "b")
    assert first.n_rows_test == second.n_rows_test
    assert first.metrics.roc_auc == pytest.approx(second.metrics.roc_auc, abs=1e-9)
