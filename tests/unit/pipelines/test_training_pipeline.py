"""Training from a CSV to a model directory: what is learned, what is said, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from mlops.errors import DatasetError, SettingsError, TrainingError
from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.pipelines import artifacts
from mlops.pipelines.gate import judge
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, SMALL, build_table


def train(frame: pd.DataFrame, folder: Path, **config) -> TrainingResult:
    frame.to_csv(folder / "train.csv", index=False)
    merged = {**SETTINGS, "algorithm": "LogisticRegression", **config}
    return TrainingPipeline(merged).execute(folder / "train.csv", folder / "model")


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
    from mlops.models.group_settings import GroupSettings
    from mlops.pipelines.splitting import split_rows

    result = trained("LogisticRegression", task)
    frame = build_table(task=task)
    held_out = frame[split_rows(frame, "outcome", GroupSettings.from_config(SETTINGS)).test]
    assert len(held_out) == result.n_rows_test == result.metrics.n_rows
    model, _ = artifacts.load_model(result.model_path)
    scores, _ = model.score(held_out)
    found = result.metrics
    if task == "regression":
        assert found.r2 == pytest.approx(sklearn_metrics.r2_score(held_out.outcome, scores.predicted))
        return
    predicted = np.array(model.schema.labels)[scores.predicted]
    assert found.accuracy == pytest.approx((predicted == held_out.outcome).mean())
    expected = sklearn_metrics.balanced_accuracy_score(held_out.outcome, predicted)
    assert found.balanced_accuracy == pytest.approx(expected)
    if task == "binary":
        is_yes, probability = held_out.outcome == "yes", scores.probabilities[:, 1]
        assert found.roc_auc == pytest.approx(sklearn_metrics.roc_auc_score(is_yes, probability))
        expected = sklearn_metrics.average_precision_score(is_yes, probability)
        assert found.average_precision == pytest.approx(expected)
        assert found.positive_label == "yes"
        assert found.dummy["roc_auc"] == 0.5


def test_every_score_lies_within_its_interval(trained):
    for task in ("binary", "regression"):
        found = trained("RandomForest", task).metrics
        for name, value in found.values().items():
            low, high = found.intervals[name]
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
    assert result.algorithm == "HistGradientBoosting"
    assert result.metrics.roc_auc > 0.9


def test_an_alias_is_recorded_by_the_name_of_the_algorithm(tmp_path: Path):
    result = train(build_table(120), tmp_path, algorithm="ExtraTreesClassifier", n_estimators=5)
    assert result.algorithm == "ExtraTrees"
    assert artifacts.load_model(result.model_path)[1].algorithm == "ExtraTrees"


def test_many_categories_in_many_columns_make_no_matrix_without_end(tmp_path: Path):
    rng = np.random.default_rng(0)
    levels = {f"c{n}": rng.choice([f"v{k}" for k in range(60)], 200) for n in range(60)}
    frame = pd.DataFrame(levels).assign(outcome=rng.choice(["yes", "no"], 200))
    result = train(frame, tmp_path, id_columns=[])
    model, _ = artifacts.load_model(result.model_path)
    assert model.pipeline.named_steps["estimator"].n_features_in_ <= 2_000


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


def test_a_rare_class_is_not_won_by_calling_everybody_negative(tmp_path: Path):
    rng = np.random.default_rng(1)
    frame = build_table(2000).drop(columns=["nothing", "site", "visited"])
    frame["outcome"] = np.where(frame.dose + rng.normal(0, 1, 2000) > 11, 1, 0)
    result = train(frame, tmp_path)
    assert 0.01 < frame.outcome.mean() < 0.06
    assert result.metrics.balanced_accuracy > 0.8
    assert result.metrics.dummy["accuracy"] > 0.93
    assert result.metrics.dummy["balanced_accuracy"] == 0.5


def test_balanced_class_weights_move_the_probabilities(tmp_path: Path):
    frame = build_table(800).drop(columns=["nothing", "site", "visited"])
    frame = frame[(frame.outcome == "no") | (np.arange(800) % 5 == 0)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = train(frame, tmp_path / "a")
    weighted = train(frame, tmp_path / "b", class_weight="balanced")
    assert plain.metrics.neg_log_loss > weighted.metrics.neg_log_loss


def test_a_leaking_column_is_named(tmp_path: Path):
    frame = build_table()
    frame["discharge_code"] = np.where(frame.outcome == "yes", "D7", "D1")
    result = train(frame, tmp_path)
    assert any("'discharge_code' alone predicts the target" in warning for warning in result.warnings)
    assert not any("'age'" in warning for warning in result.warnings)


def test_a_date_that_is_no_feature_is_named(trained):
    assert "Dates are not used as they stand: visited." in trained("LogisticRegression", "binary").warnings


def test_a_leak_in_a_regression_is_named(tmp_path: Path):
    frame = build_table(task="regression")
    frame["invoice"] = frame.outcome * 1.2 + 3
    result = train(frame, tmp_path)
    assert any("'invoice' alone predicts" in warning for warning in result.warnings)


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path):
    frame = build_table()
    frame.loc[:49, "outcome"] = None
    result = train(frame, tmp_path)
    assert result.n_rows_train + result.n_rows_test == 350
    assert any("50 rows have no value of 'outcome'" in warning for warning in result.warnings)


def test_without_settings_the_last_column_is_the_target_and_that_is_said(tmp_path: Path):
    frame = build_table()
    result = train(frame, tmp_path, target=None)
    assert result.target == "outcome"
    assert any("No target is set" in warning for warning in result.warnings)


def test_a_column_called_target_or_label_is_the_target(tmp_path: Path):
    frame = build_table().rename(columns={"outcome": "label"})[["label", "age", "dose", "region"]]
    assert train(frame, tmp_path, target=None, id_columns=[]).target == "label"


def test_free_text_and_id_like_columns_are_left_out_and_named(tmp_path: Path):
    frame = build_table()
    frame["comment"] = [
        f"patient {n} came on a rainy day and told a long story again" for n in range(len(frame))
    ]
    frame["row_id"] = np.random.default_rng(0).permutation(len(frame)) + 70_000
    frame["counter"] = np.arange(len(frame)) + 5
    dropped = train(frame, tmp_path, id_columns=[]).dropped_columns
    assert dropped["comment"] == "free text"
    assert "id" in dropped["row_id"]
    assert dropped["counter"] == "counts the rows"
    assert "id" in dropped["patient_id"]


def test_a_new_class_after_the_time_cut_counts_as_an_error_and_does_not_crash(tmp_path: Path):
    frame = build_table(task="multiclass")
    frame.loc[350:, "outcome"] = "new"
    result = train(frame, tmp_path, time_column="visited", algorithm="XGBoost", n_estimators=5)
    assert result.metrics.labels[-1] == "new"
    assert result.metrics.confusion_matrix[-1][-1] == 0
    model, _ = artifacts.load_model(result.model_path)
    assert "new" not in model.schema.labels


@pytest.mark.parametrize(
    ("spoil", "config", "words"),
    [
        (lambda f: f.assign(outcome="yes"), {}, "one class only"),
        (lambda f: f.assign(outcome=["rare"] * 3 + ["no", "yes"] * 198 + ["no"]), {}, "fewer than 10 rows"),
        (lambda f: f.assign(outcome=[f"c{n}" for n in range(400)]), {}, "distinct values, and at most 100"),
        (lambda f: f.head(12), {}, "at least 30 are needed"),
        (lambda f: f, {"target": "outcom"}, r"no target column 'outcom'. Did you mean 'outcome'"),
        (lambda f: f, {"id_columns": "nobody"}, "not have: nobody"),
        (lambda f: f, {"positive_label": "maybe"}, "No row has the positive label 'maybe'"),
        (lambda f: f, {"task": "regression"}, "no numbers"),
        (lambda f: f[["patient_id", "outcome"]], {}, "No column can be used as a feature"),
        (lambda f: f, {"C": -1.0}, "LogisticRegression cannot be fitted: .*'C'"),
        (lambda f: f, {"class_weight": "heavy"}, "class_weight must be 'balanced'"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(spoil, config, words: str, tmp_path: Path):
    with pytest.raises(TrainingError, match=words) as caught:
        train(spoil(build_table()), tmp_path, **config)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model" / "manifest.json").exists()


def test_an_unknown_hyperparameter_is_refused_before_anything_is_read():
    with pytest.raises(SettingsError, match=r"Did you mean 'max_depth'"):
        TrainingPipeline({"algorithm": "RandomForest", "max_dept": 3})


def test_a_directory_must_hold_exactly_one_table(tmp_path: Path):
    pipeline = TrainingPipeline(SETTINGS)
    with pytest.raises(DatasetError, match="does not exist"):
        pipeline.execute(tmp_path / "nothing", tmp_path / "model")
    (tmp_path / "data").mkdir()
    with pytest.raises(DatasetError, match="holds 0"):
        pipeline.execute(tmp_path / "data", tmp_path / "model")
    build_table(60).to_csv(tmp_path / "data" / "train.csv", index=False)
    assert pipeline.execute(tmp_path / "data", tmp_path / "model").n_rows_train > 30


def test_many_columns_and_few_rows_end_well(tmp_path: Path):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(80, 130)), columns=[f"x{n}" for n in range(130)])
    frame = wide.assign(outcome=np.where(wide.x0 + rng.normal(0, 0.1, 80) > 0, "yes", "no"))
    result = train(frame, tmp_path, id_columns=[])
    assert len(result.features) == 130
    assert len(result.feature_importance) == 130


def test_the_candidate_is_compared_with_the_champion_on_the_same_rows(trained, tmp_path: Path):
    champion = trained("LogisticRegression", "binary")
    build_table(task="binary").to_csv(tmp_path / "train.csv", index=False)
    pipeline = TrainingPipeline({**SETTINGS, "algorithm": "LogisticRegression"})
    arguments = {"champion_path": champion.model_path, "champion_version": "v1.0.0"}
    result = pipeline.execute(tmp_path / "train.csv", tmp_path / "model", **arguments)
    comparison = result.comparison
    assert comparison.comparable
    assert comparison.n_rows == result.n_rows_test
    assert comparison.metrics["roc_auc"].difference == 0.0
    assert comparison.metrics["roc_auc"].interval == (0.0, 0.0)
    gate = judge(result.metrics, comparison)
    assert not gate.passed
    assert "does not differ clearly from that of v1.0.0" in gate.reasons[1]


def test_a_worse_candidate_is_refused_by_the_gate(trained, tmp_path: Path):
    champion = trained("LogisticRegression", "binary")
    frame = build_table(task="binary")
    frame.to_csv(tmp_path / "train.csv", index=False)
    poor = {**SETTINGS, "algorithm": "LogisticRegression", "exclude_columns": ["dose", "region"]}
    result = TrainingPipeline(poor).execute(
        tmp_path / "train.csv", tmp_path / "model", champion_path=champion.model_path
    )
    assert not judge(result.metrics, result.comparison).passed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.rename(columns={"dose": "amount"}), "lacks columns that the model needs: dose"),
        (lambda f: f.assign(outcome=f.outcome.map({"yes": "y", "no": "n"})), "its classes are no, yes"),
    ],
)
def test_a_champion_that_cannot_be_compared_is_said_so(change, words: str, trained, tmp_path: Path):
    champion = trained("LogisticRegression", "binary")
    change(build_table(task="binary")).to_csv(tmp_path / "train.csv", index=False)
    result = TrainingPipeline({**SETTINGS, "algorithm": "LogisticRegression"}).execute(
        tmp_path / "train.csv", tmp_path / "model", champion_path=champion.model_path
    )
    assert not result.comparison.comparable
    assert words in result.comparison.reason


def compared(trained, tmp_path: Path, frame: pd.DataFrame, champion: Path | None = None, **config):
    """Train on the frame beside a champion, and return the comparison."""
    frame.to_csv(tmp_path / "train.csv", index=False)
    champion = champion or trained("LogisticRegression", "binary").model_path
    pipeline = TrainingPipeline({**SETTINGS, "algorithm": "LogisticRegression", **config})
    result = pipeline.execute(tmp_path / "train.csv", tmp_path / "model", champion_path=champion)
    return result, result.comparison


def test_another_seed_compares_both_on_rows_that_neither_has_seen(trained, tmp_path: Path):
    result, comparison = compared(trained, tmp_path, build_table(), seed=7)
    assert comparison.n_rows == result.n_rows_test


def test_a_champion_of_other_features_is_compared_and_that_is_said(trained, tmp_path: Path):
    frame = build_table().assign(weight=np.random.default_rng(0).normal(70, 9, 400).round(1))
    result, comparison = compared(trained, tmp_path, frame, exclude_columns=["dose"])
    words = "The champion's features differ: it does not use weight; it uses in addition dose."
    assert comparison.comparable
    assert comparison.other_features == words
    assert words in judge(result.metrics, comparison).reasons[1]
    assert compared(trained, tmp_path, build_table())[1].other_features is None


def test_rows_that_the_champion_was_trained_on_are_left_out_of_the_comparison(trained, tmp_path: Path):
    result, comparison = compared(trained, tmp_path, build_table(), test_fraction=0.5)
    assert comparison.n_rows == trained("LogisticRegression", "binary").n_rows_test < result.n_rows_test
    _, by_content = compared(trained, tmp_path, build_table(), id_columns=[], group_columns="age")
    assert not by_content.comparable
    assert "may have been trained on" in by_content.reason


def test_with_a_new_column_only_rows_count_that_the_champion_had_held_out(tmp_path: Path):
    frame = build_table(1200)
    (tmp_path / "older").mkdir()
    older = train(frame, tmp_path / "older", id_columns=[])
    weight = np.random.default_rng(4).normal(70, 9, len(frame)).round(1)
    grown = frame.assign(weight=weight)
    result, comparison = compared(None, tmp_path, grown, older.model_path, id_columns=[])
    assert 30 <= comparison.n_rows < 0.5 * result.n_rows_test


def test_a_champion_whose_rows_cannot_be_told_apart_any_more_is_said_so(tmp_path: Path):
    (tmp_path / "older").mkdir()
    older = train(build_table(), tmp_path / "older", id_columns=[])
    shrunk = build_table().drop(columns="visited")
    _, comparison = compared(None, tmp_path, shrunk, older.model_path)
    assert not comparison.comparable
    assert "this file lacks visited" in comparison.reason


REAL_SETS = {
    "hiv_off_treatment": {
        "target": "offtrt",
        "id_columns": "patient_id",
        "exclude_columns": ["days", "cens", "cd496", "r", "cd420", "cd820"],
    },
    "rx_persistence": {"target": "refilled_next_year", "group_columns": "person_id"},
    "german_doctor_visits": {"target": "docvis", "group_columns": "id", "exclude_columns": "hospvis"},
    "meps_drug_spend": {"target": "drugexp"},
    "storms": {"target": "status", "group_columns": ["name", "year"], "exclude_columns": "category"},
}


@pytest.mark.parametrize("name", REAL_SETS)
def test_real_sets_reach_what_their_plain_linear_baseline_reaches(
    name: str, shared_dir: Path, tmp_path: Path
):
    facts = json.loads((shared_dir / "data" / f"{name}.json").read_text())
    linear = facts["baseline"]["honest_random"]["linear"]
    result = TrainingPipeline({**REAL_SETS[name], "algorithm": "LogisticRegression"}).execute(
        shared_dir / "data" / f"{name}.csv", tmp_path / "model"
    )
    ours = result.metrics
    known = {"roc_auc": ours.roc_auc, "r2": ours.r2, "accuracy": ours.accuracy}
    compared = [(known[score], linear[score]) for score in known if score in linear]
    assert compared
    for value, reference in compared:
        assert value > reference - 0.05
    assert judge(ours).passed


def test_the_same_rows_in_another_order_are_split_alike(a_table: Callable[..., pd.DataFrame], tmp_path: Path):
    frame = a_table()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = train(frame, tmp_path / "a")
    second = train(frame.sample(frac=1, random_state=3), tmp_path / "b")
    assert first.n_rows_test == second.n_rows_test
    assert first.metrics.roc_auc == pytest.approx(second.metrics.roc_auc, abs=1e-9)


def of_target(target, **columns) -> pd.DataFrame:
    """Return 400 rows of two telling columns, any others, and this target."""
    table = build_table(400)[["age", "dose"]].fillna(50.0)
    return table.assign(**columns, outcome=target)


YES_NO = np.where(np.arange(400) % 2, "yes", "no")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (of_target("yes"), "one class only"),
        (of_target(YES_NO)[["outcome"]], "All 400 rows are alike in the row's content"),
        (of_target(YES_NO).assign(age=1, dose="k"), "All 400 rows are alike in the row's content"),
        (of_target(YES_NO).assign(age=np.nan, dose=np.nan), "All 400 rows are alike"),
        (of_target([f"id{n}" for n in range(400)]), 'task = "regression" where in doubt'),
        (of_target([f"c{n // 3}" for n in range(400)]), "134 distinct values|fewer than 10"),
        (of_target([f"c{min(n, 47)}" for n in range(400)]), "47 of the 48 classes .* fewer than 10 rows"),
        (of_target([5.0] * 399 + [6.5]), "1 of the 2 classes"),
        (of_target(np.where(np.arange(400) < 380, None, YES_NO)), "20 usable rows"),
        (of_target(build_table(400).dose * 1e300), "no numbers, or beyond 1e38"),
    ],
)
def test_rows_that_nothing_can_be_learned_from_are_refused_in_one_sentence(frame, words, tmp_path: Path):
    with pytest.raises(TrainingError, match=words) as caught:
        train(frame, tmp_path, id_columns=[])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "frame",
    [
        of_target(np.where(np.arange(400) % 2, 17.5, 3.25)),
        of_target(YES_NO, big=2**62 + np.arange(400) * 2**40),
        of_target(YES_NO, bigger=[str(10**25 + n) for n in range(400)]),
        of_target(YES_NO, huge=build_table(400).dose * 1e307),
        of_target(YES_NO, nothing=np.nan, same=1, gaps=[1.0] * 5 + [np.nan] * 395),
        of_target(np.where(np.arange(400) % 5 < 2, None, YES_NO)),
    ],
    ids=["two numbers", "int64", "beyond int64", "beyond floats", "all missing", "target missing"],
)
def test_odd_columns_end_in_a_sound_model(frame, tmp_path: Path):
    result = train(frame, tmp_path, id_columns=[], algorithm="auto")
    assert result.task == "binary"
    assert {"age", "dose"} <= set(result.features)
    assert not {"nothing", "same", "huge"} & set(result.features)
    assert all(np.isfinite(value) for value in result.metrics.values().values())
