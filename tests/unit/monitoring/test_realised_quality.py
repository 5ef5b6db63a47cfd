"""Scores from counts are those of scikit-learn, their intervals hold what they promise, drops are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sklearn import metrics

from mlops.models.evaluation import SliceQuality
from mlops.models.scoring.quality import LabelCounts, QualityPart, QualityScore
from mlops.models.settings.quality import QualitySettings
from mlops.monitoring.quality.calibration import calibration_bins, expected_calibration_error
from mlops.monitoring.quality.class_scores import class_scores
from mlops.monitoring.quality.counts import ClassCounts, ExpectedCounts, NumberSums, total
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.number_scores import number_scores
from mlops.monitoring.quality.periods import Labelled, mature_days
from mlops.monitoring.quality.quality_report import report_quality
from mlops.monitoring.quality.verdict import judge

TODAY = datetime(2026, 11, 28, tzinfo=UTC)
APPROVED = QualityScore(0.76, (0.74, 0.78))
MEASURE = Measure("binary", "roc_auc", APPROVED, ("no", "yes"))


def two_classes(n: int, rng: np.random.Generator, *, distance: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and probabilities; the area under the curve is 0.760 with a distance of 1."""
    y = (rng.random(n) < 0.3).astype(int)
    log_odds = rng.normal(distance * y, 1.0)
    return y, 1.0 / (1.0 + np.exp(-log_odds))


def counted(y: np.ndarray, probability: np.ndarray, threshold: float = 0.5) -> ClassCounts:
    """The counts of rows, each of a bin of its own unless probabilities are equal."""
    _, bins = np.unique(probability, return_inverse=True)
    predicted = (probability >= threshold).astype(int)
    return ClassCounts(y, predicted, bins, np.ones(len(y)), probability, probability**2)


def summed(outcome: np.ndarray, error: np.ndarray) -> NumberSums:
    """The sums of rows."""
    squares = error**2
    return NumberSums(
        len(error),
        error.sum(),
        np.abs(error).sum(),
        squares.sum(),
        (squares**2).sum(),
        squares.max(),
        outcome.sum(),
        ((outcome - outcome.mean()) ** 2).sum(),
    )


def test_scores_of_two_classes_are_those_of_scikit_learn() -> None:
    y, probability = two_classes(900, np.random.default_rng(1))
    probability = probability.round(2)  # with ties
    predicted = (probability >= 0.5).astype(int)
    scores = {name: score.value for name, score in class_scores(counted(y, probability), 2).items()}
    assert scores == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(y, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
            "precision": metrics.precision_score(y, predicted),
            "recall": metrics.recall_score(y, predicted),
            "f1": metrics.f1_score(y, predicted),
            "roc_auc": metrics.roc_auc_score(y, probability),
            "neg_brier_score": -metrics.brier_score_loss(y, probability),
        }
    )


def test_scores_of_numbers_are_those_of_scikit_learn_also_when_sums_are_added() -> None:
    rng = np.random.default_rng(2)
    outcome, error = rng.normal(1e6, 50.0, 400), rng.normal(3.0, 20.0, 400)
    parts = [summed(outcome[:100], error[:100]), summed(outcome[100:], error[100:])]
    scores = {name: score.value for name, score in number_scores(total(parts)).items()}  # type: ignore[arg-type]
    assert scores == pytest.approx(
        {
            "neg_root_mean_squared_error": -metrics.root_mean_squared_error(outcome, outcome + error),
            "neg_mean_absolute_error": -metrics.mean_absolute_error(outcome, outcome + error),
            "r2": metrics.r2_score(outcome, outcome + error),
        }
    )


def test_several_classes_and_a_class_that_the_model_does_not_have() -> None:
    y, predicted = np.array([0, 1, 2, 2, -1, 1]), np.array([0, 1, 1, 2, 0, 0])
    ones = np.ones(6)
    scores = class_scores(ClassCounts(y, predicted, np.zeros(6, int), ones, ones / 2, ones / 4), 3)
    assert scores["accuracy"].value == pytest.approx(3 / 6)  # a class it cannot predict is an error
    assert scores["balanced_accuracy"].value == pytest.approx((1 + 0.5 + 0.5) / 3)


TRUE_AREA = 0.7602  # Phi(1 / sqrt 2), of the distribution in `two_classes`


@pytest.mark.parametrize(
    ("name", "truth"),
    [("roc_auc", 0.7602), ("recall", 0.8413), ("accuracy", 0.7 * 0.5 + 0.3 * 0.8413)],
)
def test_intervals_of_class_scores_cover_the_truth(name: str, truth: float) -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        score = class_scores(counted(*two_classes(300, rng)), 2)[name]
        assert score.interval is not None
        covered += score.interval[0] <= truth <= score.interval[1]
    assert 0.91 <= covered / 300 <= 0.985


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy"])
def test_intervals_of_combined_scores_cover_the_truth(name: str) -> None:
    rng = np.random.default_rng(4)
    truth = class_scores(counted(*two_classes(400_000, rng)), 2)[name].value
    intervals = [
        class_scores(counted(*two_classes(300, rng)), 2)[name].interval or (0, 0) for _ in range(300)
    ]
    assert 0.91 <= np.mean([low <= truth <= high for low, high in intervals]) <= 0.985


@pytest.mark.parametrize("degrees_of_freedom", [8, 1_000])
def test_intervals_of_errors_cover_the_truth_also_with_heavier_tails(degrees_of_freedom: int) -> None:
    rng = np.random.default_rng(5)
    truth = (degrees_of_freedom / (degrees_of_freedom - 2)) ** 0.5
    covered = []
    for _ in range(400):
        error = rng.standard_t(degrees_of_freedom, 300)
        if interval := number_scores(summed(error, error))["neg_root_mean_squared_error"].interval:
            covered.append(interval[0] <= -truth <= interval[1])
    assert 0.88 <= np.mean(covered) <= 0.985


def test_an_error_of_one_row_that_outweighs_all_others_has_no_interval() -> None:
    error = np.append(np.ones(200), 50.0)
    assert number_scores(summed(error, error))["neg_root_mean_squared_error"].interval is None


def test_calibration_is_that_of_the_rows() -> None:
    y, probability = two_classes(5_000, np.random.default_rng(6))
    bins = calibration_bins(counted(y, probability), "binary")
    order = np.argsort(probability)
    parts = np.array_split(order, 10)
    truth = np.mean([abs(probability[part].mean() - y[part].mean()) for part in parts])
    assert len(bins) == 10
    assert expected_calibration_error(bins) == pytest.approx(truth, abs=0.002)


class Rows:
    """`LabelledPredictions` of days, each with rows of a distance between the classes."""

    label_counts = LabelCounts(1, 1)

    def __init__(
        self, distances: Sequence[float], *, n: int = 600, shares: Mapping[int, float] | None = None
    ) -> None:
        rng = np.random.default_rng(7)
        self._days = {}
        for age, distance in enumerate(reversed(distances), start=1):
            counts = counted(*two_classes(int(n * (shares or {}).get(age, 1.0)), rng, distance=distance))
            self._days[TODAY.date() - timedelta(days=age)] = Labelled(counts, n)

    def days(self) -> Mapping[date, Labelled]:
        return self._days

    def expected_days(self) -> Mapping[date, ExpectedCounts]:
        return {}

    def delays(self, days: Sequence[date]) -> Mapping[str, Labelled]:
        return {}

    def segments(
        self, days: Sequence[date], slices: Sequence[SliceQuality]
    ) -> Sequence[tuple[SliceQuality, Labelled]]:
        return [(entry, self._days[max(days)]) for entry in slices]


type Judge = Callable[..., str]


def verdict_of(
    rows: Rows, *, slices: Sequence[SliceQuality] = (), settings: QualitySettings | None = None
) -> str:
    stated = settings or QualitySettings()
    measure = Measure("binary", "roc_auc", APPROVED, ("no", "yes"), stated.min_labels)
    report = report_quality(rows, measure, stated, group="g", version="v1.0.0", slices=slices, now=TODAY)
    assert report is not None
    return report.verdict


def test_quality_as_approved_is_ok_and_a_drop_of_the_newest_days_is_found_and_ends() -> None:
    usual, worse = [1.0] * 12, [0.45] * 2
    assert verdict_of(Rows(usual)) == "OK"
    assert verdict_of(Rows([*usual, *worse])) == "DROPPED"
    assert verdict_of(Rows([1.0] * 10 + worse + [1.0] * 4)) == "OK"


def test_few_labels_are_not_judged() -> None:
    assert verdict_of(Rows([0.0], n=90)) == "INSUFFICIENT_DATA"
    assert verdict_of(Rows([0.0], n=90), settings=QualitySettings(min_labels=60)) == "DROPPED"


def test_days_with_few_labels_are_judged_together() -> None:
    report = report_quality(
        Rows([1.0] * 9, n=40), MEASURE, QualitySettings(), group="g", version="v1", now=TODAY
    )
    assert report is not None
    assert [part.n_labels for part in report.periods] == [120, 120, 120]


def test_a_segment_is_held_against_its_own_approved_score() -> None:
    harder = SliceQuality("site", "A", 300, 0.60, (0.55, 0.65))
    assert verdict_of(Rows([1.0], n=2_000), slices=[harder]) == "OK"
    easier = SliceQuality("site", "A", 300, 0.95, (0.93, 0.97))
    assert verdict_of(Rows([1.0], n=2_000), slices=[easier]) == "DROPPED"


def test_early_labels_of_young_days_are_shown_and_not_judged() -> None:
    distances = [1.0] * 8 + [0.0] * 2  # what is known early is random
    assert verdict_of(Rows(distances, shares={1: 0.3, 2: 0.5})) == "OK"
    report = report_quality(
        Rows(distances, shares={1: 0.3, 2: 0.5}),
        MEASURE,
        QualitySettings(),
        group="g",
        version="v1",
        now=TODAY,
    )
    assert report is not None
    assert report.young is not None
    assert report.young.name == "2026-11-26 to 2026-11-27"
    assert report.young.verdict is None


def test_a_stated_delay_decides_which_days_are_judged() -> None:
    days = Rows([1.0] * 10).days()
    assert max(mature_days(days, TODAY.date(), 5)) == date(2026, 11, 23)
    assert len(mature_days(days, TODAY.date())) == 10


def test_false_alarms_are_rare_over_many_days_and_segments() -> None:
    rng = np.random.default_rng(8)
    n_alarms = 0
    for _ in range(60):
        rows = Rows([1.0] * 5, n=300)
        rows._days = {day: Labelled(counted(*two_classes(300, rng)), 300) for day in rows._days}
        approved = QualityScore(TRUE_AREA, (0.74, 0.78))
        measure = Measure("binary", "roc_auc", approved, ("no", "yes"))
        slices = [SliceQuality("site", name, 300, TRUE_AREA, (0.70, 0.82)) for name in "ABCDE"]
        report = report_quality(
            rows, measure, QualitySettings(), group="g", version="v", slices=slices, now=TODAY
        )
        n_alarms += report is not None and report.verdict == "DROPPED"
    assert n_alarms <= 6


def test_a_part_whose_approved_score_has_no_interval_is_not_judged() -> None:
    approved = QualityScore(0.9, None)
    part = QualityPart(
        "segment", "A", 500, 500, {"roc_auc": QualityScore(0.7, (0.65, 0.75))}, approved=approved
    )
    (judged,) = judge([part], MEASURE)
    assert judged.verdict == "INSUFFICIENT_DATA"
