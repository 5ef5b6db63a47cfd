"""The scores of a bootstrap draw, held to those of scikit-learn on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.bootstrap import resampled_scores
from mlops.pipelines.evaluation.scores import compute_scores


def predictions(task: str, n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, Scores]:
    if task == "regression":
        y = rng.normal(1000.0, 3.0, n_rows).round(1)
        return y, Scores(y + rng.normal(0.0, 2.0, n_rows))
    n_labels = 2 if task == "binary" else 4
    raw = rng.random((n_rows, n_labels)).round(1) + 0.01  # rounded, so that many rows are level
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return rng.integers(0, n_labels, n_rows), Scores(probabilities.argmax(axis=1), probabilities)


@pytest.mark.property
@settings(max_examples=25, deadline=None)
@given(
    task=st.sampled_from(["binary", "multiclass", "regression"]),
    n_rows=st.integers(5, 60),
    seed=st.integers(0, 2**16),
)
def test_a_draw_scores_as_scikit_learn_scores_it(task, n_rows: int, seed: int):
    rng = np.random.default_rng(seed)
    y, scores = predictions(task, n_rows, rng)
    rows = rng.integers(0, n_rows, n_rows)
    actual = resampled_scores(task, y, scores)(rows)
    expected = compute_scores(task, y[rows], scores.take(rows))
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert actual[name] == pytest.approx(value, abs=1e-9), name


def test_a_draw_of_one_class_has_no_area_under_a_curve():
    y = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    actual = resampled_scores("binary", y, Scores(probabilities.argmax(axis=1), probabilities))
    assert "roc_auc" not in actual(np.array([0, 0, 1]))
    assert actual(np.array([0, 2, 3]))["roc_auc"] == 1.0
