"""Scores from counts are those of scikit-learn, their intervals hold what they promise, drops are found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import scipy.stats
from sklearn import metrics

from mlops.models.evaluation import SliceQuality
from mlops.models.scoring.quality import LabelCounts, QualityPart, QualityReport, QualityScore
from mlops.models.settings.monitoring import QualitySettings
from mlops.monitoring.quality.calibration import calibration_bins, expected_calibration_error
from mlops.monitoring.quality.class_scores import class_scores
from mlops.monitoring.quality.counts import ClassCounts, ExpectedCounts, NumberSums, total
from mlops.monitoring.quality.dependence import N_CLUSTERS
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.number_scores import number_scores
from mlops.monitoring.quality.periods import Labelled, mature_days
from mlops.monitoring.quality.quality_report import JudgedVersion, report_quality
from mlops.monitoring.quality.quality_state import QualityState, advance
from mlops.monitoring.quality.report import render
from mlops.monitoring.quality.report_text import reason_without_verdict, render_text
from mlops.monitoring.quality.verdict import judge
from mlops.monitoring.statistics.student_t import normal_deviate, t_deviate

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
    report = report_quality(rows, JudgedVersion("g", "v1.0.0", measure, stated, slices), TODAY)
    assert report is not None
    return report.verdict


def reported(rows: Rows) -> QualityReport:
    report = report_quality(rows, JudgedVersion("g", "v1.0.0", MEASURE, QualitySettings()), TODAY)
    assert report is not None
    return report


def test_quality_as_approved_is_ok_and_a_drop_of_the_newest_days_is_found_and_ends() -> None:
    usual, worse = [1.0] * 12, [0.45] * 2
    assert verdict_of(Rows(usual)) == "OK"
    assert verdict_of(Rows([*usual, *worse])) == "DROPPED"
    assert verdict_of(Rows([1.0] * 10 + worse + [1.0] * 4)) == "OK"


def test_few_labels_are_not_judged() -> None:
    assert verdict_of(Rows([0.0], n=90)) == "INSUFFICIENT_DATA"
    assert verdict_of(Rows([0.0], n=90), settings=QualitySettings(min_labels=60)) == "DROPPED"


def test_days_with_few_labels_are_judged_together() -> None:
    judged = JudgedVersion("g", "v1", MEASURE, QualitySettings())
    report = report_quality(Rows([1.0] * 9, n=40), judged, TODAY)
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
    judged = JudgedVersion("g", "v1", MEASURE, QualitySettings())
    report = report_quality(Rows(distances, shares={1: 0.3, 2: 0.5}), judged, TODAY)
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
        judged = JudgedVersion("g", "v", measure, QualitySettings(), slices)
        report = report_quality(rows, judged, TODAY)
        n_alarms += report is not None and report.verdict == "DROPPED"
    assert n_alarms <= 6


def test_a_part_whose_approved_score_has_no_interval_is_not_judged() -> None:
    approved = QualityScore(0.9, None)
    part = QualityPart(
        "segment", "A", 500, 500, {"roc_auc": QualityScore(0.7, (0.65, 0.75))}, approved=approved
    )
    (judged,) = judge([part], MEASURE)
    assert judged.verdict == "INSUFFICIENT_DATA"


def persons_of(n: int) -> np.ndarray:
    """The groups of ids of n persons, four predictions each."""
    return np.repeat(np.arange(n) % N_CLUSTERS, 4)


@pytest.mark.parametrize("name", ["roc_auc", "recall", "accuracy", "precision", "f1", "balanced_accuracy"])
def test_intervals_of_class_scores_cover_the_truth_where_persons_have_several_predictions(name: str) -> None:
    rng = np.random.default_rng(9)

    def draw(n_persons: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.repeat(rng.random(n_persons) < 0.3, 4).astype(int)
        shared = np.repeat(rng.normal(0.0, 0.9, n_persons), 4)
        return y, 1.0 / (1.0 + np.exp(-(y + shared + rng.normal(0.0, 0.44, 4 * n_persons))))

    truth = class_scores(counted(*draw(50_000)), 2)[name].value
    covered = {True: 0, False: 0}
    for _ in range(120):
        independent = counted(*draw(150))
        clustered = replace(independent, clusters=persons_of(150))
        for has_clusters, counts in ((True, clustered), (False, independent)):
            low, high = class_scores(counts, 2)[name].interval or (0.0, 0.0)
            covered[has_clusters] += low <= truth <= high
    assert covered[True] / 120 >= 0.89
    assert covered[False] / 120 < 0.85  # as rows that are independent they promise too much


def test_intervals_of_errors_cover_the_truth_where_persons_have_several_predictions() -> None:
    rng = np.random.default_rng(10)
    covered, clusters = 0, persons_of(100)
    for _ in range(300):
        error = 0.9 * np.repeat(rng.standard_normal(100), 4) + math.sqrt(0.19) * rng.standard_normal(400)
        weights = (np.ones(400), np.abs(error), error**2)
        sums = np.array([np.bincount(clusters, each, N_CLUSTERS) for each in weights])
        score = number_scores(replace(summed(error, error), clusters=sums))["neg_root_mean_squared_error"]
        assert score.interval is not None
        covered += score.interval[0] <= -1.0 <= score.interval[1]
    assert 0.91 <= covered / 300 <= 0.985


def test_labels_of_few_persons_are_not_judged_and_the_report_says_why() -> None:
    y, probability = two_classes(400, np.random.default_rng(11))
    counts = replace(counted(y, probability), clusters=np.arange(400) % 9)
    part = MEASURE.part("overall", "all", counts, 400, APPROVED)
    (judged,) = judge([part], MEASURE)
    assert judged.verdict == "INSUFFICIENT_DATA"
    report = reported(Rows([1.0]))
    assert "fewer than 10 different ids" in reason_without_verdict(judged, report)


def test_one_row_that_outweighs_the_others_is_named_as_the_cause() -> None:
    error = np.append(np.random.default_rng(12).normal(0.0, 1.0, 200), 90.0)
    approved = QualityScore(-1.0, (-1.1, -0.9))
    measure = Measure("regression", "neg_root_mean_squared_error", approved)
    (judged,) = judge([measure.part("overall", "all", summed(error, error), 201, approved)], measure)
    report = replace(
        reported(Rows([1.0])), metric=measure.metric, overall=judged, verdict="INSUFFICIENT_DATA"
    )
    assert "one row has more than 10 % of all squared errors" in render_text(report)
    assert "The labels do not permit a verdict." in render(report)


@pytest.mark.parametrize("degrees_of_freedom", [9, 30, 63])
def test_deviates_of_student_are_those_of_scipy(degrees_of_freedom: int) -> None:
    for z in (-1.0, 1.96, 3.8):
        t = scipy.stats.t.isf(scipy.stats.norm.sf(z), degrees_of_freedom)
        assert t_deviate(z, degrees_of_freedom) == pytest.approx(t, rel=0.01)
        assert normal_deviate(t, degrees_of_freedom) == pytest.approx(z, rel=0.01)


@pytest.mark.parametrize(("deviates", "verdict"), [(3.0, "OK"), (4.5, "DROPPED")])
def test_the_error_of_a_year_is_divided_over_its_nights(deviates: float, verdict: str) -> None:
    scores = {"roc_auc": QualityScore(0.76 - deviates * 0.01 * math.sqrt(2), (0.0, 0.0))}
    value = scores["roc_auc"].value
    scores = {"roc_auc": QualityScore(value, (value - 0.0196, value + 0.0196))}
    approved = QualityScore(0.76, (0.76 - 0.0196, 0.76 + 0.0196))
    (judged,) = judge([QualityPart("overall", "all", 500, 500, scores, approved=approved)], MEASURE)
    assert judged.verdict == verdict
    assert judged.q_value == pytest.approx(365 * scipy.stats.norm.sf(deviates), rel=0.01)


def test_a_drop_that_is_too_small_for_one_period_is_found_in_the_newest_ones_together() -> None:
    report = reported(Rows([1.0] * 60 + [0.7] * 16, n=300))
    assert {part.kind for part in report.dropped} == {"recent"}


def test_a_drop_is_over_after_three_measured_days_that_are_as_approved() -> None:
    report = reported(Rows([1.0]))
    state, sent = QualityState(), []
    verdicts = ["DROPPED", "OK", "DROPPED", "OK", "INSUFFICIENT_DATA", "OK", "OK", "OK"]
    for day, verdict in enumerate(verdicts):
        measured = replace(report, verdict=verdict, measured_on=TODAY.date() + timedelta(days=day))  # type: ignore[arg-type]
        state = advance(advance(state, measured), measured)  # also after a file of labels on the same day
        sent.append(state.pending)
        state = replace(state, pending=None)
    assert sent == ["dropped", *[None] * 5, "recovered", None]


def test_a_drop_belongs_to_one_version_and_that_of_the_next_one_is_announced_too() -> None:
    dropped = replace(reported(Rows([1.0])), verdict="DROPPED", model_version="v1.0.0")
    state = replace(advance(QualityState(), dropped), pending=None)
    assert state.is_dropped
    next_version = replace(dropped, model_version="v1.0.1", measured_on=TODAY.date() + timedelta(days=1))
    unlabelled = advance(state, replace(next_version, verdict="INSUFFICIENT_DATA"))
    assert (unlabelled.is_dropped, unlabelled.pending) == (False, None)
    for before in (state, unlabelled):
        assert advance(before, next_version).pending == "dropped"
    of_earlier_release = replace(state, model_version=None)
    assert advance(of_earlier_release, dropped).pending is None


def test_settings_beside_the_data_only_make_the_verdict_stricter() -> None:
    approved = QualitySettings(min_labels=200, window_days=60, label_delay_days=30)
    stricter = QualitySettings(min_labels=50, window_days=90, label_delay_days=7)
    assert stricter.followed(approved) == (stricter, ())
    looser = QualitySettings(min_labels=5_000, window_days=5, label_delay_days=400)
    followed, sentences = looser.followed(approved)
    assert followed == approved
    assert [sentence.split("quality.")[1].split(" ")[0] for sentence in sentences] == [
        "min_labels",
        "window_days",
        "label_delay_days",
    ]
    delayed = QualitySettings(label_delay_days=7)
    assert delayed.followed(QualitySettings())[0].label_delay_days is None
    assert QualitySettings().followed(QualitySettings()) == (QualitySettings(), ())


def test_a_delay_that_is_no_longer_stated_stays_as_it_was_approved() -> None:
    approved = QualitySettings(label_delay_days=30)
    followed, (sentence,) = QualitySettings().followed(approved)
    assert followed == approved
    assert "no quality.label_delay_days, because with this version 30 was approved" in sentence


def test_settings_that_are_not_followed_are_said_in_the_report() -> None:
    _, sentences = QualitySettings(min_labels=5_000).followed(QualitySettings())
    report = replace(reported(Rows([1.0])), settings_not_followed=sentences)
    for shown in (render_text(report), render(report)):
        assert "quality.min_labels = 5,000, because with this version 100 was" in " ".join(shown.split())


def test_labels_without_a_prediction_in_the_window_are_not_said_to_wait() -> None:
    report = replace(reported(Rows([1.0])), counts=LabelCounts(5, 2, 3))
    shown = "3 labels without a prediction of the last 90 days: older, or not recorded yet."
    assert shown in render_text(report)


@pytest.mark.parametrize("has_persons", [False, True])
def test_the_sum_of_days_has_each_combination_once_and_the_same_scores(has_persons: bool) -> None:
    rng = np.random.default_rng(5)
    days = []
    for _ in range(20):
        label, bins = rng.integers(0, 2, 300), rng.integers(-3, 4, 300)
        probability = np.where(rng.random(300) < 0.1, np.nan, 1.0 / (1.0 + np.exp(-bins.astype(float))))
        person = [rng.integers(0, 32, 300)] if has_persons else []
        columns = [label, bins > 0, bins, np.ones(300), probability, probability**2, *person]
        days.append(ClassCounts.of_columns([np.asarray(column, dtype=np.float64) for column in columns]))
    apart = ClassCounts(
        *(
            np.concatenate([getattr(day, name) for day in days])
            for name in ("label", "predicted", "bins", "n", "probability", "squares")
        ),
        clusters=np.concatenate([day.clusters for day in days]) if has_persons else None,
    )
    together = total(days)
    assert len(together.n) <= 2 * 7 * 2 * (32 if has_persons else 1)
    assert together.n_labels == 6000
    of_days, of_rows = class_scores(together, 2), class_scores(apart, 2)
    for name, score in of_rows.items():
        assert of_days[name].value == pytest.approx(score.value)
        assert of_days[name].interval == pytest.approx(score.interval)
        assert of_days[name].n_clusters == score.n_clusters
