"""Which class is predicted from probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops import train
from mlops.models.errors import TrainingError
from mlops.pipelines.compiled.outputs import Calibration, Decision, calibrated
from mlops.pipelines.trained_model import TrainedModel

SHARES = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
COSTS = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (10.0, 5.0, 0.0))


def test_the_class_of_the_least_expected_cost_is_worked_by_hand() -> None:
    # the first row: 0.3 + 1.0, 0.6 + 0.5, 0.9, and with milder costs 0.3 + 0.2, 0.6 + 0.2, 0.9
    assert Decision(costs=COSTS).classes(SHARES).tolist() == [2, 2, 2]
    milder = ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (2.0, 2.0, 0.0))
    assert Decision(costs=milder).classes(SHARES).tolist() == [0, 2, 2]


def test_equal_costs_predict_the_most_probable_class_by_the_calibrated_probabilities() -> None:
    equal = tuple(tuple(float(true != predicted) for predicted in range(3)) for true in range(3))
    rng = np.random.default_rng(0)
    shares, calibration = rng.dirichlet([1.0, 1.0, 1.0], 500), Calibration((1.0, 1.0, 1.0), (0.0, 1.0, -1.0))
    decided = Decision(costs=equal, calibration=calibration).classes(shares)
    np.testing.assert_array_equal(decided, calibrated(shares, calibration).argmax(axis=1))
    assert (decided != shares.argmax(axis=1)).any()


def test_the_least_expected_cost_costs_least_where_the_probabilities_are_true() -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet([1.0, 1.0, 0.3], 20_000)
    truth = (rng.random((len(shares), 1)) > shares.cumsum(axis=1)).sum(axis=1)
    costs = np.array(COSTS)
    least = costs[truth, Decision(costs=COSTS).classes(shares)].mean()
    others = [shares.argmax(axis=1), *(np.full(len(truth), label) for label in range(3))]
    assert all(least < costs[truth, predicted].mean() for predicted in others)


def test_close_decisions_are_marked() -> None:
    tied = np.array([[0.5, 0.5, 0.0], [0.9, 0.05, 0.05]])
    equal = tuple(tuple(float(true != predicted) for predicted in range(3)) for true in range(3))
    for decision in (Decision(), Decision(costs=equal)):
        assert decision.are_close(tied, 1e-5).tolist() == [True, False]
    assert Decision(0.4).are_close(np.array([[0.6, 0.4], [0.5, 0.5]]), 1e-5).tolist() == [True, False]
    assert Decision().are_close(np.array([[0.6, 0.4], [0.5, 0.5]]), 1e-5).tolist() == [False, True]


def triage(n_rows: int = 600) -> pd.DataFrame:
    """Return patients whose severity overlaps."""
    rng = np.random.default_rng(2)
    severity = rng.integers(0, 3, n_rows)
    score = severity + rng.normal(0.0, 1.0, n_rows)
    return pd.DataFrame(
        {"score": score.round(3), "severity": np.array(["mild", "moderate", "severe"])[severity]}
    )


@pytest.fixture(scope="module")
def costly() -> TrainedModel:
    settings = {
        "algorithm": "LogisticRegression",
        "classes": {"costs": {"severe": {"mild": 30.0, "moderate": 10.0}}},
    }
    return train(triage(), "severity", settings=settings)


def test_costs_of_several_classes_decide_files_and_the_pipeline_alike(costly: TrainedModel) -> None:
    predicted = costly.predict(triage())
    shares = predicted[["probability_mild", "probability_moderate", "probability_severe"]].to_numpy(float)
    costs = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [30.0, 10.0, 0.0]])
    labels = np.array(["mild", "moderate", "severe"])
    assert (predicted["prediction"].to_numpy() == labels[(shares @ costs).argmin(axis=1)]).mean() > 0.995
    is_other = predicted["prediction"].to_numpy() != labels[shares.argmax(axis=1)]
    assert 0.2 < is_other.mean() < 0.9
    assert (predicted["prediction"].to_numpy()[is_other] != "mild").all()


def test_the_card_says_what_held_out_rows_cost(costly: TrainedModel) -> None:
    metrics = costly.metrics
    assert metrics.mean_cost is not None
    assert metrics.mean_cost_of_most_probable is not None
    assert metrics.mean_cost < metrics.mean_cost_of_most_probable / 2
    assert "mean_cost" not in metrics.values()
    page = (costly.directory / "model_card.html").read_text(encoding="utf-8")
    assert "the class of the least expected cost is predicted" in page


def test_costs_of_what_is_not_a_class_stop_the_training() -> None:
    settings = {"classes": {"costs": {"sever": {"mild": 30.0}}}}
    with pytest.raises(TrainingError, match=r"'sever', which is not a class\. Did you mean 'severe'"):
        train(triage(), "severity", settings=settings)
