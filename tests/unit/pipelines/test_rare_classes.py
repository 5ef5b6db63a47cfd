"""Rare classes from the file to the comparison with the champion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.artifacts.artifacts import load_model
from mlops.pipelines.artifacts.model import ModelSchema, Scores
from mlops.pipelines.evaluation.shared_labels import rewritten, share_labels
from mlops.pipelines.features.task import define_problem
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

KEY = b"k" * 32


def a_table(rare: dict[str, int]) -> pd.DataFrame:
    """Three classes of 200 rows, always the same ones, and rare ones."""
    rng = np.random.default_rng(0)
    labels = [*np.resize(["a", "b", "c"], 600), *(label for label, n in rare.items() for _ in range(n))]
    place = np.array([ord(str(label)[0]) - ord("a") for label in labels])
    noise = np.concatenate([rng.normal(0, 0.7, 600), rng.normal(0, 0.7, len(labels) - 600)])
    ids = [f"{label}{n:04d}" for n, label in enumerate(labels)]
    return pd.DataFrame({"id": ids, "x": (place + noise).round(3), "kind": labels})


def train(frame: pd.DataFrame, folder: Path, champion: Path | None = None, text: str = "") -> TrainingResult:
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / "train.csv", index=False)
    settings = GroupSettings.from_toml(
        f'target = "kind"\nid_columns = ["id"]\nalgorithm = "LogisticRegression"\n{text}'
    )
    report = validate(folder / "train.csv", settings)
    assert report.verdict != "reject", report.findings
    return TrainingPipeline(settings, row_key=KEY).execute(
        folder / "train.csv", folder / "model", contract=report.contract, champion_path=champion
    )


def test_one_class_of_six_rows_stops_no_training_and_is_named(tmp_path: Path) -> None:
    result = train(a_table({"d": 6}), tmp_path)
    schema = load_model(result.model_path)[0].schema
    assert schema.labels == ("a", "b", "c")
    assert schema.dropped_labels == ("d",)
    assert result.n_rows_train + result.n_rows_test == 600
    (warning,) = [text for text in result.warnings if "fewer than 10 rows" in text]
    assert "left out: 'd' (6)" in warning
    assert "left out: &#39;d&#39; (6)" in (tmp_path / "model" / "model_card.html").read_text("utf-8")


def test_rare_classes_are_learned_as_one_and_predicted_under_its_name(tmp_path: Path) -> None:
    result = train(a_table({"k": 8, "m": 7, "n": 9}), tmp_path)
    schema = load_model(result.model_path)[0].schema
    assert schema.labels == ("a", "b", "c", "other")
    assert schema.pooled_labels == {"k": "other", "m": "other", "n": "other"}
    far = pd.DataFrame({"id": ["Q1"], "x": [12.0]})
    (prediction,) = InferencePipeline(result.model_path).execute(far, tmp_path / "out").predictions()
    assert prediction.prediction == "other"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"k": 8, "m": 7}, {"k": 60, "m": 7}, ""),  # a class that was rare has grown
        ({"k": 60}, {"k": 6, "m": 5}, ""),  # a class has become rare, with another one
        ({"k": 60}, {"k": 5}, ""),  # a class has become too rare to be learned
        ({"k": 5}, {"k": 60}, ""),  # a class that was left out has grown
        ({"k": 8, "m": 7}, {"k": 9, "m": 8}, ""),
    ],
)
def test_models_with_other_rare_classes_stay_comparable(
    before: dict[str, int], after: dict[str, int], text: str, tmp_path: Path
) -> None:
    champion = train(a_table(before), tmp_path / "before", text=text)
    candidate = train(a_table(after), tmp_path / "after", champion.model_path, text)
    assert candidate.comparison is not None
    assert candidate.comparison.comparable, candidate.comparison.reason
    assert abs(candidate.comparison.metrics["accuracy"].difference) < 0.2


def test_probabilities_of_classes_that_became_one_add_up() -> None:
    values = pd.Series(np.repeat(["a", "b", "c", "k"], [20, 20, 20, 15]), name="y")
    problem = define_problem(values, GroupSettings())
    champion = ModelSchema(
        "multiclass", "y", (), labels=("a", "b", "c", "other"), pooled_labels={"k": "other"}
    )
    shared = share_labels(problem, champion)
    assert shared is not None
    assert shared.labels == ("a", "b", "c", "other")
    scores = Scores(np.array([3, 0]), np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]]))
    ours = rewritten(scores, shared.ours, 4)
    assert ours.predicted.tolist() == [3, 0]
    assert ours.probabilities.tolist() == scores.probabilities.tolist()  # type: ignore[union-attr]
    assert share_labels(problem, ModelSchema("multiclass", "y", (), labels=("a", "b", "z"))) is None


def test_a_champion_whose_two_classes_became_one_is_asked_in_those() -> None:
    values = pd.Series(np.repeat(["a", "b", "c", "k", "m"], [20, 20, 20, 6, 7]), name="y")
    problem = define_problem(values, GroupSettings())
    shared = share_labels(problem, ModelSchema("multiclass", "y", (), labels=("a", "b", "c", "k", "m")))
    assert shared is not None
    theirs = rewritten(Scores(np.array([4]), np.array([[0.1, 0.1, 0.1, 0.3, 0.4]])), shared.theirs, 4)
    assert theirs.predicted.tolist() == [3]
    assert theirs.probabilities[0].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.7])  # type: ignore[index]
