"""How far probabilities are from what comes true, as one number."""

from __future__ import annotations

import numpy as np
import pytest

from mlops.models.evaluation import CalibrationBin, EvaluationDetails
from mlops.models.training import SCORE_NAMES
from mlops.monitoring.quality.calibration import expected_calibration_error
from mlops.pipelines.artifact_files import EVALUATION_DETAILS
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.evaluation_details import class_calibration
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.features.task import Problem


def error_of(probability: np.ndarray, y: np.ndarray) -> float | None:
    both = np.stack([1.0 - probability, probability], axis=1)
    problem = Problem("binary", "outcome", y, ("no", "yes"), 2)
    return expected_calibration_error(
        class_calibration(JudgedRows(problem, y, Scores(both.argmax(axis=1), both), np.arange(len(y))))
    )


def test_parts_weigh_as_much_as_they_have_rows():
    parts = [CalibrationBin(0.2, 0.25, 4), CalibrationBin(0.9, 0.5, 6)]
    assert expected_calibration_error(parts) == pytest.approx((4 * 0.05 + 6 * 0.4) / 10)


def test_a_model_that_is_right_on_average_in_every_part_is_not_off():
    y = np.tile([0, 0, 0, 1, 0, 1, 1, 1], 50)
    probability = np.tile([0.25] * 4 + [0.75] * 4, 50)
    assert error_of(probability, y) == pytest.approx(0.0)


def test_a_model_that_is_too_sure_is_off_by_how_much_too_sure_it_is():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 0.8, 200_000)
    y = (rng.random(len(truth)) < truth).astype(int)
    assert error_of(truth, y) < 0.005
    assert error_of(np.where(truth > 0.5, truth + 0.1, truth - 0.1), y) == pytest.approx(0.1, abs=0.005)


def test_without_rows_there_is_nothing_to_say():
    assert expected_calibration_error(()) is None


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_number_is_that_of_the_plot(task: str, trained):
    result = trained("LogisticRegression", task)
    details = EvaluationDetails.from_json((result.model_path / EVALUATION_DETAILS).read_bytes())
    assert sum(part.n_rows for part in details.calibration) == result.n_rows_test
    actual = result.metrics.expected_calibration_error
    assert actual == pytest.approx(expected_calibration_error(details.calibration))
    assert 0.0 < actual < 0.3


def test_a_regression_has_none_and_the_gate_knows_it_not(trained):
    assert trained("Ridge", "regression").metrics.expected_calibration_error is None
    assert "expected_calibration_error" not in SCORE_NAMES
