"""Drift of the reasons: judged against held-out rows, from sums that add up, and said with a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.contributions import ContributionSums
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline, merge, profile_batch, render, render_text
from mlops.monitoring.drift_metrics import as_cloudwatch, metrics_of
from mlops.monitoring.profiles.contributions import add_contributions, sum_contributions
from mlops.monitoring.profiles.reference import baseline_of
from mlops.monitoring.verdict.contributions import compare_contributions
from mlops.monitoring.verdict.rule import Thresholds
from mlops.use_cases.drift.drift_notification import notify

from .test_nightly_check import RecordingAnnouncer, RecordingPersonalEmails

COLUMNS = ("age", "dose", "region", "clinic")
SIZES: Mapping[str, float] = {"age": 4.0, "dose": 3.0, "region": 2.0, "clinic": 1.0}
N_TRIALS = 150


def contributions(rng: np.random.Generator, rows: int, **sizes: float) -> ContributionSums:
    """Return contributions with long tails, as those of skewed inputs; shares are proportional to sizes."""
    scales = np.array([{**SIZES, **sizes}[name] for name in COLUMNS])
    return sum_contributions(COLUMNS, rng.standard_t(4, (rows, len(COLUMNS))) * scales)


def inputs(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return pd.DataFrame({"age": rng.normal(50, 10, rows), "dose": rng.normal(5, 1, rows)})


def a_baseline(rng: np.random.Generator, held_out: int = 500) -> BaselineStatistics:
    return build_baseline(inputs(rng, 1000), contributions=contributions(rng, held_out))


def judged(
    baseline: BaselineStatistics, rng: np.random.Generator, rows: int = 600, **sizes: float
) -> DriftReport:
    batch = profile_batch(inputs(rng, rows), baseline, contributions=contributions(rng, rows, **sizes))
    return DriftDetector(baseline).detect_drift(batch, model_group="adherence")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def baseline(rng: np.random.Generator) -> BaselineStatistics:
    return a_baseline(rng)


def test_reasons_that_change_while_nothing_else_does_warn_and_are_named(baseline, rng):
    report = judged(baseline, rng, clinic=6.0)
    assert (report.verdict, report.features_with_drift, report.predictions) == ("WARN", (), {})
    assert report.reasons_with_drift[0] == "clinic"
    assert report.reason_drift_score is not None
    assert 0.1 <= report.reason_drift_score <= 0.2
    assert report.drift_score == report.reason_drift_score
    assert "the reasons of the predictions changed: clinic" in " ".join(report.reasons)
    assert "Cohen's h from 0.1" in report.rule
    text, page = render_text(report), render(report)
    assert text.startswith("The reasons of the predictions changed, inputs and predictions did not.\n")
    assert "- reasons: clinic " in text
    assert "This says that the reasons of the predictions changed, not" in text
    assert "Drift of reasons" in page
    assert "500 rows before" in page
    assert DriftReport.from_json(report.to_json()) == report


def test_reasons_like_those_of_the_held_out_rows_are_ok_and_shown(baseline, rng):
    report = judged(baseline, rng)
    assert (report.verdict, report.reasons, report.reasons_with_drift) == ("OK", (), ())
    assert "Reasons of the predictions" in render(report)
    assert report.reason_drift_score is not None
    assert report.reason_drift_score < 0.1


def test_shares_and_means_are_those_of_the_rows(rng):
    rows = rng.normal([1.0, 0.0, 0.0, -2.0], size=(400, 4))
    sums = sum_contributions(COLUMNS, rows)
    assert sums.n_rows == 400
    assert np.array(sums.signed) / 400 == pytest.approx(rows.mean(axis=0))
    shares = np.array(sums.absolute) / sums.total
    assert shares == pytest.approx(np.abs(rows).sum(axis=0) / np.abs(rows).sum())


def test_sums_of_pieces_add_up_to_those_of_the_whole(baseline, rng):
    rows = rng.normal(size=(300, 4))
    whole = sum_contributions(COLUMNS, rows)
    frame = inputs(rng, 300)
    pieces = [
        profile_batch(frame[part], baseline, contributions=sum_contributions(COLUMNS, rows[part]))
        for part in (slice(0, 90), slice(90, 300))
    ]
    added = merge(*pieces).contributions
    assert added is not None
    for name in ("n_rows", "total", "total_squares", "signed", "absolute", "squares", "with_total"):
        assert getattr(added, name) == pytest.approx(getattr(whole, name)), name


def test_files_without_reasons_are_left_out_of_a_window(baseline, rng):
    with_reasons = profile_batch(inputs(rng, 300), baseline, contributions=contributions(rng, 300))
    without = profile_batch(inputs(rng, 300), baseline)
    assert merge(without, with_reasons).contributions == with_reasons.contributions
    assert merge(without, without).contributions is None
    assert add_contributions([]) is None


def test_rows_whose_contributions_are_not_finite_do_not_count():
    rows = np.array([[1.0, 2.0, 0.0, 1.0], [np.inf, 0.0, 0.0, 0.0], [np.nan, 0.0, 0.0, 0.0]])
    assert sum_contributions(COLUMNS, rows) == sum_contributions(COLUMNS, rows[:1])


@pytest.mark.parametrize(("held_out", "rows"), [(199, 600), (0, 600)])
def test_with_too_few_held_out_rows_reasons_are_not_judged(rng, held_out: int, rows: int):
    report = judged(a_baseline(rng, held_out), rng, rows, clinic=20.0)
    assert (report.verdict, report.contributions) == ("OK", None)
    assert "reason_drift_score" not in metrics_of(report)


def test_too_few_rows_now_have_no_verdict_on_reasons(baseline, rng):
    batch = profile_batch(inputs(rng, 600), baseline, contributions=contributions(rng, 99, clinic=20.0))
    report = DriftDetector(baseline).detect_drift(batch)
    assert (report.verdict, report.reasons_with_drift, report.reason_drift_score) == ("OK", (), None)
    assert "reason_drift_score" not in metrics_of(report)
    assert "Reasons of the predictions" in render(report)


def test_a_column_that_the_settings_leave_out_does_not_warn(rng):
    baseline = replace(a_baseline(rng), contributions=contributions(rng, 2_000))
    batch = profile_batch(inputs(rng, 600), baseline, contributions=contributions(rng, 2_000, age=4.9))
    assert DriftDetector(baseline).detect_drift(batch).reasons_with_drift == ("age",)
    left_out = DriftDetector(baseline, exclude_columns=["age"]).detect_drift(batch)
    assert (left_out.verdict, left_out.reasons_with_drift) == ("OK", ())


def test_documents_of_an_earlier_release_have_no_reasons_and_are_judged_as_before(baseline, rng):
    batch = profile_batch(inputs(rng, 600), baseline, contributions=contributions(rng, 600, clinic=20.0))
    old = BaselineStatistics.from_dict({k: v for k, v in baseline.to_dict().items() if k != "contributions"})
    assert DriftDetector(old).detect_drift(batch).contributions is None
    without = BatchProfile.from_dict({k: v for k, v in batch.to_dict().items() if k != "contributions"})
    assert DriftDetector(baseline).detect_drift(without).contributions is None


def test_a_model_whose_predictions_nothing_moves_is_not_judged(baseline, rng):
    nothing = sum_contributions(COLUMNS, np.zeros((300, 4)))
    batch = profile_batch(inputs(rng, 300), baseline, contributions=nothing)
    assert DriftDetector(baseline).detect_drift(batch).contributions is None


def test_earlier_weeks_are_a_reference_of_reasons_too(baseline, rng):
    week = profile_batch(inputs(rng, 900), baseline, contributions=contributions(rng, 900, clinic=6.0))
    night = profile_batch(inputs(rng, 600), baseline, contributions=contributions(rng, 600, clinic=6.0))
    assert DriftDetector(baseline).detect_drift(night).reasons_with_drift
    assert DriftDetector(baseline_of(baseline, week)).detect_drift(night).reasons_with_drift == ()


def test_the_score_is_a_metric_and_in_the_event_and_the_email(baseline, rng):
    report = judged(baseline, rng, clinic=6.0)
    metrics = {metric.name: metric.value for metric in as_cloudwatch(metrics_of(report))}
    assert metrics["ReasonDriftScore"] == report.reason_drift_score
    announcer = RecordingAnnouncer()
    notify(
        "DriftWarned",
        report,
        date(2026, 3, 2),
        report_uri="s3://artifacts/report.html",
        notifier=announcer,
        personal=RecordingPersonalEmails(),
    )
    _, detail = announcer.events[0]
    assert detail["reasons_with_drift"] == list(report.reasons_with_drift)
    assert detail["reason_drift_score"] == report.reason_drift_score
    assert announcer.emails[0][0].startswith("Reasons of predictions changed somewhat")


@pytest.mark.parametrize(("held_out", "rows"), [(200, 300), (500, 1000)])
def test_unchanged_reasons_warn_in_at_most_five_percent(held_out: int, rows: int):
    rng = np.random.default_rng(held_out)
    warned = sum(bool(judged_sums(rng, held_out, rows)) for _ in range(N_TRIALS))
    assert warned <= 0.05 * N_TRIALS


def test_a_small_change_of_very_many_rows_is_no_accident_and_does_not_warn():
    rng = np.random.default_rng(5)
    before, now = contributions(rng, 10_000), contributions(rng, 100_000, clinic=1.15)
    drift = compare_contributions(before, now, Thresholds())
    assert drift is not None
    assert drift.columns_with_drift == ()
    assert next(each for each in drift.columns if each.column == "clinic").q_value < 0.001
    assert 0.0 < drift.score < 0.1


def test_a_share_of_a_tenth_that_becomes_a_fifth_is_found_in_ninety_five_percent():
    rng = np.random.default_rng(3)
    found = sum("clinic" in judged_sums(rng, 500, 1000, clinic=2.25) for _ in range(N_TRIALS))
    assert found >= 0.95 * N_TRIALS


def judged_sums(rng: np.random.Generator, held_out: int, rows: int, **sizes: float) -> tuple[str, ...]:
    before, now = contributions(rng, held_out), contributions(rng, rows, **sizes)
    drift = compare_contributions(before, now, Thresholds())
    assert drift is not None
    return drift.columns_with_drift
