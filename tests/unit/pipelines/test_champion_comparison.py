"""A candidate beside its champion, on rows that neither has seen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.pipelines.artifact_files import COMPILED, ROW_KEYS
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, build_table, train


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
    _, by_age = compared(trained, tmp_path, build_table(), id_columns=[], group_columns="age")
    assert not by_age.comparable
    assert "may have been trained on" in by_age.reason


def test_a_new_column_changes_no_row_that_the_champion_knows(tmp_path: Path):
    frame = build_table(1200)
    (tmp_path / "older").mkdir()
    older = train(frame, tmp_path / "older", id_columns=[])
    weight = np.random.default_rng(4).normal(70, 9, len(frame)).round(1)
    grown = frame.assign(weight=weight)
    result, comparison = compared(None, tmp_path, grown, older.model_path, id_columns=[])
    assert (
        30 <= comparison.n_rows < 0.5 * result.n_rows_test
    )  # by content, a new column divides all rows again
    assert comparison.n_rows + comparison.n_known == result.n_rows_test


def test_a_column_that_is_no_feature_may_be_absent(tmp_path: Path):
    (tmp_path / "older").mkdir()
    frame = build_table(1200)
    older = train(frame, tmp_path / "older", id_columns=[])
    _, comparison = compared(None, tmp_path, frame.drop(columns="visited"), older.model_path, id_columns=[])
    assert comparison.comparable


def test_another_key_makes_the_two_incomparable(trained, tmp_path: Path):
    champion = trained("LogisticRegression", "binary")
    build_table().to_csv(tmp_path / "train.csv", index=False)
    pipeline = TrainingPipeline({**SETTINGS, "algorithm": "LogisticRegression"}, row_key=bytes(32))
    result = pipeline.execute(tmp_path / "train.csv", tmp_path / "model", champion_path=champion.model_path)
    assert not result.comparison.comparable
    assert "stored with another key" in result.comparison.reason
    assert result.comparison.stored["roc_auc"].value == champion.metrics.roc_auc
    assert judge(result.metrics, result.comparison).requires_person


def without_row_keys(model: Path, target: Path) -> Path:
    """Copy a model as release 0.2 stored it."""
    shutil.copytree(model, target)
    manifest = artifacts.read_manifest(target)
    (target / ROW_KEYS).unlink()
    artifacts.write_manifest(manifest, target)
    return target


def test_a_champion_of_an_older_release_is_compared_only_on_its_own_file(trained, tmp_path: Path):
    older = without_row_keys(trained("LogisticRegression", "binary").model_path, tmp_path / "older")
    result, same_file = compared(trained, tmp_path, build_table(), older, seed=3)
    assert same_file.n_rows == result.n_rows_test
    _, corrected = compared(trained, tmp_path, build_table().replace({"region": {"east": "East"}}), older)
    _, divided = compared(trained, tmp_path, build_table(), older, test_fraction=0.5)
    for comparison in (corrected, divided):
        assert not comparison.comparable
        assert "trained before release 0.3" in comparison.reason
        assert comparison.stored


def test_the_age_of_the_champion_counts_only_beside_another_file(trained, tmp_path: Path):
    assert compared(trained, tmp_path, build_table())[1].champion_age_days is None
    assert compared(trained, tmp_path, build_table(500))[1].champion_age_days >= 0.0


def test_a_champion_that_cannot_be_loaded_is_known_by_its_scores(trained, tmp_path: Path):
    model = shutil.copytree(trained("LogisticRegression", "binary").model_path, tmp_path / "older")
    (model / COMPILED).unlink()  # as releases before the compiled form stored it
    manifest = artifacts.read_manifest(model)
    versions = {**manifest.library_versions, "scikit-learn": "1.0.0"}
    artifacts.write_manifest(replace(manifest, library_versions=versions), model)
    _, comparison = compared(trained, tmp_path, build_table(), model)
    assert not comparison.comparable
    assert "scikit-learn 1.0.0" in comparison.reason
    assert comparison.stored["roc_auc"].value == trained("LogisticRegression", "binary").metrics.roc_auc
