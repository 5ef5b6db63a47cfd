"""Estimates without labels agree with the truth while the outcome depends on the inputs as in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sklearn import metrics

from mlops.models.evaluation import SliceQuality
from mlops.models.scoring.quality import LabelCounts, QualityReport, QualityScore
from mlops.models.settings.monitoring import QualitySettings
from mlops.models.training import EvaluationMetrics
from mlops.monitoring.quality.class_scores import class_scores
from mlops.monitoring.quality.counts import ClassCounts, ExpectedCounts, IntervalSums
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.periods import Labelled
from mlops.monitoring.quality.quality_report import JudgedVersion, report_quality
from mlops.monitoring.quality.report import render
from mlops.monitoring.quality.report_text import render_text
from mlops.monitoring.quality.table import rows_of

TODAY = datetime(2026, 11, 28, tzinfo=UTC)
SCORES = ("accuracy", "balanced_accuracy", "f1", "roc_auc")
MEASURE = Measure("binary", "roc_auc", QualityScore(0.80, (0.78, 0.82)), ("no", "yes"))


def probabilities(n: int, rng: np.random.Generator, *, shift: float = 0.0) -> np.ndarray:
    """Calibrated probabilities of rows; `shift` moves the inputs."""
    return 1.0 / (1.0 + np.exp(0.7 - 1.5 * rng.normal(shift, 1.0, n)))


def outcomes(probability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What came true, each with its probability."""
    return (rng.random(len(probability)) < probability).astype(int)


def counted(label: np.ndarray, probability: np.ndarray, weight: np.ndarray) -> ClassCounts:
    """The counts of rows, the positive class from 0.5 on."""
    _, bins = np.unique(probability, return_inverse=True)
    predicted = (probability >= 0.5).astype(int)
    return ClassCounts(label, predicted, bins, weight, weight * probability, weight * probability**2)


def expected_of(probability: np.ndarray) -> ClassCounts:
    """Each row in both classes, with their probabilities."""
    label = np.repeat([0, 1], len(probability))
    return counted(label, np.tile(probability, 2), np.concatenate([1.0 - probability, probability]))


def realised_of(label: np.ndarray, probability: np.ndarray) -> ClassCounts:
    """Each row with its outcome."""
    return counted(label, probability, np.ones(len(label)))


def scikit_learn(label: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """The scores of rows with outcomes."""
    predicted = (probability >= 0.5).astype(int)
    return {
        "accuracy": metrics.accuracy_score(label, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, predicted),
        "f1": metrics.f1_score(label, predicted),
        "roc_auc": metrics.roc_auc_score(label, probability),
    }


@pytest.mark.parametrize("shift", [0.0, 0.8], ids=["same inputs", "other inputs"])
def test_the_score_that_is_realised_later_is_in_the_interval_of_the_estimate(shift: float) -> None:
    rng = np.random.default_rng(1)
    covered = np.zeros(len(SCORES))
    for _ in range(120):
        probability = probabilities(400, rng, shift=shift)
        estimated = class_scores(expected_of(probability), 2)
        truth = scikit_learn(outcomes(probability, rng), probability)
        for position, name in enumerate(SCORES):
            low, high = estimated[name].interval or (0.0, 0.0)
            covered[position] += low <= truth[name] <= high
    assert (covered / 120 >= 0.93).all(), covered


def test_estimates_are_those_of_very_many_outcomes_and_follow_the_inputs() -> None:
    rng = np.random.default_rng(2)
    estimated = {}
    for shift in (0.0, 0.8):
        probability = probabilities(100_000, rng, shift=shift)
        scores = class_scores(expected_of(probability), 2)
        truth = scikit_learn(outcomes(probability, rng), probability)
        estimated[shift] = {name: scores[name].value for name in SCORES}
        assert estimated[shift] == pytest.approx(truth, abs=0.006)
    assert abs(estimated[0.8]["f1"] - estimated[0.0]["f1"]) > 0.05


def widths(n: int, rng: np.random.Generator, *, scale: float = 1.0) -> np.ndarray:
    """Widths of intervals of numbers; errors are a tenth of them on average."""
    return scale * rng.uniform(5.0, 25.0, n)


def errors_of(width: np.ndarray, rng: np.random.Generator, *, share: float = 0.1) -> np.ndarray:
    """Errors of predictions whose size is a share of the width."""
    return width * rng.normal(0.0, share * np.sqrt(np.pi / 2.0), len(width))


@pytest.mark.parametrize("scale", [1.0, 3.0], ids=["same inputs", "harder inputs"])
def test_the_absolute_error_is_estimated_from_the_widths(scale: float) -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        held_out, width = widths(600, rng), widths(300, rng, scale=scale)
        errors = errors_of(held_out, rng)
        mean, root = np.abs(errors).mean(), np.sqrt((errors**2).mean())
        spread = 1.96 * np.abs(errors).std() / 600**0.5
        evaluated = EvaluationMetrics(
            neg_mean_absolute_error=-mean,
            neg_root_mean_squared_error=-root,
            mean_interval_width=held_out.mean(),
            primary="neg_root_mean_squared_error",
            intervals={"neg_mean_absolute_error": (-mean - spread, -mean + spread)},
        )
        sums = IntervalSums(300, width.sum(), (width**2).sum())
        measure = Measure.of("regression", evaluated, 100)
        score = measure.expected_scores(sums)[measure.estimate_metric]
        low, high = score.interval or (0.0, 0.0)
        covered += low <= -np.abs(errors_of(width, rng)).mean() <= high
    assert covered / 200 >= 0.93


def test_of_a_version_without_intervals_nothing_is_estimated() -> None:
    evaluated = EvaluationMetrics(neg_mean_absolute_error=-1.0, neg_root_mean_squared_error=-2.0)
    assert Measure.of("regression", evaluated, 100).expected_scores(IntervalSums(300, 900.0, 3e4)) == {}


class Days:
    """Days of 400 predictions each; of some the outcome is the opposite of what it was in training."""

    label_counts = LabelCounts(1, 1)

    def __init__(self, n_days: int, *, n_labelled: int, n_changed: int = 0) -> None:
        rng = np.random.default_rng(4)
        self._labelled: dict[date, Labelled] = {}
        self._expected: dict[date, ExpectedCounts] = {}
        for number in range(n_days):
            day = TODAY.date() - timedelta(days=n_days - number)
            probability = probabilities(400, rng)
            is_changed = n_labelled - n_changed <= number
            label = outcomes(1.0 - probability if is_changed else probability, rng)
            known = slice(0, 400 if number < n_labelled else 0)
            self._labelled[day] = Labelled(realised_of(label[known], probability[known]), 400)
            self._expected[day] = expected_of(probability)

    def days(self) -> Mapping[date, Labelled]:
        return self._labelled

    def expected_days(self) -> Mapping[date, ExpectedCounts]:
        return self._expected

    def delays(self, days: Sequence[date]) -> Mapping[str, Labelled]:
        return {}

    def segments(
        self, days: Sequence[date], slices: Sequence[SliceQuality]
    ) -> Sequence[tuple[SliceQuality, Labelled]]:
        return []


def report_of(days: Days, settings: QualitySettings | None = None) -> QualityReport:
    stated = settings or QualitySettings()
    report = report_quality(days, JudgedVersion("g", "v1.0.0", MEASURE, stated), TODAY)
    assert report is not None
    return report


def test_before_any_label_there_are_estimates_and_no_verdict() -> None:
    report = report_of(Days(3, n_labelled=0))
    assert (report.verdict, report.overall.n_labels) == ("INSUFFICIENT_DATA", 0)
    assert [(each.n_predictions, each.realised) for each in report.estimates] == [(400, None)] * 3
    text = render_text(report)
    newest = report.estimates[-1]
    assert f"Estimated without labels, 2026-11-27: ROC AUC {newest.score.value:.4f}" in text
    assert "how the outcome depends on them must be as in training" in " ".join(text.split())
    assert QualityReport.from_json(report.to_json()) == report


def test_a_stated_delay_does_not_put_days_without_labels_together() -> None:
    report = report_of(Days(5, n_labelled=0), QualitySettings(label_delay_days=2))
    assert [(each.n_predictions, each.realised) for each in report.estimates] == [(400, None)] * 5


def test_once_labels_come_the_estimate_is_beside_what_was_realised() -> None:
    report = report_of(Days(6, n_labelled=4))
    errors = [each.error for each in report.estimates]
    assert errors[4:] == [None, None]
    assert [abs(error) < 0.06 for error in errors[:4] if error is not None] == [True] * 4
    rows = [row for row in rows_of(report) if row["kind"] == "estimate"]
    assert [row["estimate_minus_realised"] for row in rows] == errors
    assert rows[0]["realised"] == report.periods[0].scores["roc_auc"].value


def test_a_changed_concept_is_not_in_the_estimate_and_is_seen_in_its_errors() -> None:
    report = report_of(Days(6, n_labelled=6, n_changed=2))
    errors = [each.error or 0.0 for each in report.estimates]
    assert max(map(abs, errors[:4])) < 0.06
    assert min(errors[4:]) > 0.4
    assert f">{errors[5]:+.4f}</td>" in render(report)
    assert max(each.score.value for each in report.estimates) < 0.9
    assert min(each.score.value for each in report.estimates) > 0.7
