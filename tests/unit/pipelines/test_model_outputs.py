"""What is made of a model's outputs: calibrated probabilities, the threshold, intervals of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mlops.models.settings.group import GroupSettings
from mlops.models.settings.prediction import CostMatrix, ThresholdSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import ModelSchema, Scores
from mlops.pipelines.compiled.outputs import Calibration, PredictionSets, calibrated
from mlops.pipelines.fitting.calibration import fit_calibration
from mlops.pipelines.fitting.intervals import fit_intervals, fit_prediction_sets
from mlops.pipelines.fitting.out_of_fold import OutOfFold
from mlops.pipelines.fitting.outputs import Outputs, fit_outputs
from mlops.pipelines.fitting.threshold import choose_threshold


def classes_of(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a class for each row of true probabilities."""
    return (rng.random((len(truth), 1)) > truth.cumsum(axis=1)).sum(axis=1)


def weighted(truth: np.ndarray, weights: tuple[float, ...]) -> np.ndarray:
    """Return what a model says that was fitted with class weights, by Bayes' rule."""
    shares = truth * np.array(weights)
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("weights", [(1.0, 9.0), (1.0, 4.0, 20.0)])
def test_probabilities_of_a_model_with_class_weights_become_the_true_ones(weights: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    truth = rng.dirichlet(np.full(len(weights), 0.8), 4_000)
    y, said = classes_of(truth, rng), weighted(truth, weights)

    fitted = fit_calibration(y, said)

    assert fitted is not None
    assert fitted.log_loss_gain > 0.05
    assert np.abs(said - truth).mean() > 0.1
    assert np.abs(calibrated(said, fitted) - truth).mean() < 0.015


def test_true_probabilities_are_left_as_they_are_or_hardly_changed() -> None:
    rng = np.random.default_rng(1)
    truth = rng.dirichlet([0.8, 0.8], 2_000)
    fitted = fit_calibration(classes_of(truth, rng), truth)
    assert np.abs(calibrated(truth, fitted) - truth).mean() < 0.02


def test_a_model_that_is_never_wrong_gets_finite_probabilities() -> None:
    y = np.arange(400) % 2
    fitted = fit_calibration(y, np.eye(2)[y])
    assert np.isfinite(calibrated(np.eye(2), fitted)).all()


@pytest.mark.parametrize("y", [np.zeros(400, dtype=int), np.array([0, 1] * 10)])
def test_one_class_or_few_rows_are_not_calibrated(y: np.ndarray) -> None:
    assert fit_calibration(y, np.full((len(y), 2), 0.5)) is None


def test_calibrating_keeps_the_order_of_the_rows_and_sums_of_one() -> None:
    positive = np.linspace(0.0, 1.0, 500)
    actual = calibrated(np.column_stack([1.0 - positive, positive]), Calibration((0.6, 1.7), (0.4, -0.9)))
    assert (np.diff(actual[:, 1]) >= 0.0).all()
    np.testing.assert_allclose(actual.sum(axis=1), 1.0)


PROBABILITY = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1])
TRUTH = np.array([1, 0, 1, 1, 0, 0, 0, 1, 0, 0])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # worked by hand: the recall after each row is .25 .25 .5 .75 .75 .75 .75 1 1 1, the precision
        # 1 .5 .67 .75 .6 .5 .43 .5 .44 .4
        (ThresholdSettings(), 0.55),
        (ThresholdSettings("f1"), 0.55),
        (ThresholdSettings("balanced_accuracy"), 0.55),
        (ThresholdSettings(min_recall=0.9), 0.175),
        (ThresholdSettings(min_precision=0.9), 0.85),
        (ThresholdSettings(costs=CostMatrix(false_negative=10.0)), 0.175),
        (ThresholdSettings(costs=CostMatrix(false_positive=10.0)), 0.85),
    ],
)
def test_the_threshold_is_the_one_that_the_settings_ask_for(
    settings: ThresholdSettings, expected: float
) -> None:
    assert choose_threshold(TRUTH, PROBABILITY, settings).value == pytest.approx(expected)


def test_shares_that_no_threshold_reaches_are_said_and_the_nearest_is_taken() -> None:
    chosen = choose_threshold(TRUTH, PROBABILITY, ThresholdSettings(min_recall=0.7, min_precision=0.9))
    assert chosen.value == pytest.approx(0.55)
    assert chosen.note is not None
    assert "min_recall = 0.7 and min_precision = 0.9" in chosen.note
    assert "a recall of 0.750 and a precision of 0.750" in chosen.note


def test_rows_of_one_class_leave_the_threshold_at_half() -> None:
    assert choose_threshold(np.ones(5), np.linspace(0, 1, 5), ThresholdSettings(min_recall=0.9)).value == 0.5


def spend(n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return amounts whose errors grow with them, with a long tail above, and three in ten of nothing."""
    predicted = rng.lognormal(0.0, 1.0, n_rows)
    amount = predicted * rng.lognormal(0.0, 0.8, n_rows)
    return np.where(rng.random(n_rows) < 0.3, 0.0, amount), predicted


def errors_of(name: str, n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    predicted = rng.normal(size=n_rows)
    errors = {
        "normal": rng.normal(size=n_rows),
        "heavy tails": rng.standard_t(3, n_rows),
        "growing": rng.normal(size=n_rows) * np.exp(predicted),
    }
    return (predicted + errors[name], predicted) if name in errors else spend(n_rows, rng)


@pytest.mark.parametrize("name", ["normal", "heavy tails", "growing", "spend"])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_intervals_hold_the_promised_share_of_new_rows_also_among_small_and_large_predictions(
    name: str, coverage: float
) -> None:
    rng = np.random.default_rng(2)
    fitted = fit_intervals(*errors_of(name, 3_000, rng), coverage)
    assert fitted is not None
    y, predicted = errors_of(name, 40_000, rng)
    low, high = fitted.around(predicted)
    is_inside = (low <= y) & (y <= high)
    surplus = 0.04 if name == "spend" else 0.03  # an interval with the zeros holds all of them at once
    assert coverage - 0.03 <= is_inside.mean() <= coverage + surplus
    for fifth in np.array_split(np.argsort(predicted), 5):
        assert is_inside[fifth].mean() == pytest.approx(coverage, abs=0.07)


def test_a_prediction_is_within_its_interval() -> None:
    y, predicted = spend(1_000, np.random.default_rng(3))
    fitted = fit_intervals(y, predicted, 0.9)
    assert fitted is not None
    low, high = fitted.around(np.array([0.0, 0.5, 3.0, 1e9]))
    assert (low < [0.0, 0.5, 3.0, 1e9]).all()
    assert (high > [0.0, 0.5, 3.0, 1e9]).all()


@pytest.mark.parametrize(("n_rows", "coverage"), [(20, 0.9), (60, 0.99)])
def test_few_rows_give_no_intervals(n_rows: int, coverage: float) -> None:
    y, predicted = spend(n_rows, np.random.default_rng(4))
    assert fit_intervals(y, predicted, coverage) is None


def test_predictions_without_an_error_have_intervals_of_no_width() -> None:
    y = np.arange(100.0)
    fitted = fit_intervals(y, y, 0.9)
    assert fitted is not None
    np.testing.assert_allclose(fitted.around(y), (y, y), atol=1e-9)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("shares", [(9.0, 1.0), (0.6, 0.3, 0.1), (2.0, 2.0, 1.0, 0.5)])
def test_sets_contain_the_class_of_the_promised_share_of_new_rows_of_each_class(
    shares: tuple[float, ...], coverage: float
) -> None:
    rng = np.random.default_rng(6)
    truth, new = (rng.dirichlet(shares, n_rows) for n_rows in (4_000, 40_000))
    # what the model says is off, as that of a model with class weights: the promise needs no calibration
    weights = tuple(range(1, len(shares) + 1))
    fitted = fit_prediction_sets(classes_of(truth, rng), weighted(truth, weights), coverage)
    y, said = classes_of(new, rng), weighted(new, weights)
    is_member = said >= fitted.thresholds
    for label in range(len(shares)):
        assert is_member[y == label, label].mean() == pytest.approx(coverage, abs=0.04)


def test_the_mean_coverage_of_sets_over_many_samples_is_what_is_promised() -> None:
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(400):
        truth = rng.dirichlet([4.0, 1.0], 400)
        fitted = fit_prediction_sets(classes_of(truth, rng), truth, 0.9)
        new = rng.dirichlet([4.0, 1.0], 400)
        y = classes_of(new, rng)
        covered += (new[y == 1, 1] >= fitted.thresholds[1]).tolist()
    # about 80 rows of the class: between the promise and one part in 80 more
    assert 0.895 <= np.mean(covered) <= 0.92


def test_a_class_of_few_rows_is_in_every_set() -> None:
    y, probabilities = np.array([0] * 100 + [1] * 8), np.full((108, 2), 0.5)
    assert fit_prediction_sets(y, probabilities, 0.9).thresholds == (0.5, 0.0)


def test_no_set_is_empty_because_the_predicted_class_is_in_it() -> None:
    sets = PredictionSets(0.9, (0.7, 0.6, 0.2))
    shares = np.array([[0.5, 0.4, 0.1], [0.75, 0.05, 0.2], [0.1, 0.2, 0.7]])
    expected = [[True, False, False], [True, False, True], [False, True, True]]
    assert sets.members(shares, np.array([0, 0, 1])).tolist() == expected


def test_sets_are_of_calibrated_probabilities_and_only_where_they_are_requested() -> None:
    rng = np.random.default_rng(8)
    truth = rng.dirichlet([1.0, 1.0], 2_000)
    y = classes_of(truth, rng)
    judged = OutOfFold(y, Scores(truth.argmax(axis=1), weighted(truth, (1.0, 9.0))))
    assert fit_outputs("binary", judged, GroupSettings()).sets is None
    stated = GroupSettings.from_toml("[classes]\nset_coverage = 0.9")
    outputs = fit_outputs("binary", judged, stated)
    assert outputs.sets is not None
    assert outputs.calibration is not None
    shares = calibrated(judged.scores.probabilities, outputs.calibration)
    for label, threshold in enumerate(outputs.sets.thresholds):
        assert (shares[y == label, label] >= threshold).mean() == pytest.approx(0.9, abs=0.002)


def test_a_sample_without_one_of_the_classes_gives_no_sets() -> None:
    outputs = Outputs(sets=PredictionSets(0.9, (0.1, 0.2)))
    assert outputs.complete(ModelSchema("multiclass", "y", (), labels=("a", "b", "c"))).sets is None
    assert outputs.complete(ModelSchema("binary", "y", (), labels=("a", "b"))).sets == outputs.sets


def test_some_rows_of_scores_keep_their_sets_also_with_labels_that_were_never_seen() -> None:
    in_set = np.array([[True, False], [True, True]])
    scores = Scores(np.array([0, 1]), np.full((2, 2), 0.5), in_set=in_set)
    taken = scores.over_labels(3).take(np.array([1]))
    assert taken.in_set is not None
    assert taken.in_set.tolist() == [[True, True, False]]


def test_some_rows_of_scores_keep_their_intervals() -> None:
    scores = Scores(np.arange(3.0), None, np.arange(3.0) - 1.0, np.arange(3.0) + 1.0)
    taken = scores.take(np.array([2]))
    assert (taken.interval_low, taken.interval_high) == (np.array([1.0]), np.array([3.0]))


def test_settings_of_another_task_are_said_not_to_apply() -> None:
    y, predicted = spend(200, np.random.default_rng(5))
    settings = GroupSettings(threshold=ThresholdSettings(min_recall=0.9))
    (note,) = fit_outputs("regression", OutOfFold(y, Scores(predicted)), settings).notes
    assert "[threshold]" in note


def test_a_sample_without_one_of_the_classes_calibrates_none_of_them() -> None:
    outputs = Outputs(Calibration((1.0, 1.0), (0.5, -0.5)))
    assert outputs.complete(ModelSchema("multiclass", "y", (), labels=("a", "b", "c"))).calibration is None
    assert outputs.complete(ModelSchema("binary", "y", (), labels=("a", "b"))).calibration is not None


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_both_forms_of_a_stored_model_give_the_same_outputs(task: str, trained, a_table) -> None:
    result: TrainingResult = trained("Ridge" if task == "regression" else "LogisticRegression", task)
    model, manifest = artifacts.load_model(result.model_path)
    assert model.compiled is not None
    pipeline = artifacts.load_pipeline(manifest, result.model_path)
    rows = a_table(300, task, seed=9)
    compiled_scores, _ = model.score(rows)
    scores, _ = type(model)(model.schema, pipeline).score(rows)
    for name in ("probabilities", "interval_low", "interval_high"):
        expected, actual = getattr(scores, name), getattr(compiled_scores, name)
        assert (expected is None) == (actual is None) == ((task == "regression") == (name == "probabilities"))
        if expected is not None:
            np.testing.assert_allclose(actual, expected, atol=1e-6, rtol=1e-6)
    if task != "regression":
        np.testing.assert_array_equal(compiled_scores.predicted, scores.predicted)


def test_the_metrics_of_a_regression_say_how_many_rows_are_in_their_intervals(trained) -> None:
    metrics = trained("Ridge", "regression").metrics
    assert metrics.interval_coverage == pytest.approx(0.9, abs=0.1)
    assert metrics.mean_interval_width > 0.0
