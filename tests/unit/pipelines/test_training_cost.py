"""What a training costs: by earlier versions before, by the billed seconds after, and never by a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.models.registry import DataFindings, TrainingJob
from mlops.pipelines.jobs.prices import cost_usd, usd_per_hour
from mlops.pipelines.jobs.training_cost import DEFAULT_SECONDS, expected_seconds
from mlops.pipelines.jobs.training_job import describe_job
from tests.unit.experiment.test_training_runs import a_model


def billed(seconds: int | None, rows: int | None):
    return a_model(
        training_job=TrainingJob("j", "arn", billable_seconds=seconds), data=DataFindings(n_rows=rows)
    )


def test_the_duration_follows_the_last_five_versions_scaled_by_rows():
    earlier = [billed(9_000, 100), *(billed(seconds, 1000) for seconds in (90, 100, 110, 120, 700))]
    assert expected_seconds(1000, earlier) == 110
    assert expected_seconds(2000, earlier) == 220
    assert expected_seconds(None, earlier) == 110


@pytest.mark.parametrize("earlier", [[], [billed(None, 100)], [a_model(training_job=None)]])
def test_a_group_without_a_billed_version_takes_the_default(earlier):
    assert expected_seconds(1000, earlier) == DEFAULT_SECONDS


def test_an_unknown_type_has_no_price_but_the_one_that_is_named():
    assert usd_per_hour("ml.unknown.large") is None
    assert usd_per_hour("ml.unknown.large", 2.5) == 2.5
    assert usd_per_hour("ml.m5.xlarge") == 0.23
    assert usd_per_hour("ml.m5.xlarge", 0.19) == 0.19
    assert cost_usd(3600, None) is None
    assert cost_usd(None, 1.0) is None


@pytest.mark.property
@given(st.integers(0, 10**6), st.floats(0.001, 100))
def test_an_hour_costs_its_price_and_twice_the_time_twice_as_much(seconds: int, price: float):
    assert cost_usd(3600, price) == pytest.approx(price, abs=1e-6)
    assert cost_usd(2 * seconds, price) == pytest.approx(2 * cost_usd(seconds, price), abs=2e-6)


def test_the_bill_includes_the_trials_of_a_tuning_job():
    job = {"TrainingJobName": "j", "TrainingJobArn": "arn", "BillableTimeInSeconds": 600}
    prepared = {"usd_per_hour": 0.1, "estimated_cost_usd": 0.2}
    alone = describe_job(job, prepared)
    assert (alone.actual_cost_usd, alone.n_trial_jobs) == (pytest.approx(0.1 / 6, abs=1e-6), None)
    tried = {"n_jobs": 5, "billable_seconds": 3000}
    together = describe_job(job, prepared | {"tried": tried})
    assert together.actual_cost_usd == pytest.approx(0.1)
    assert (together.billable_seconds, together.trials_billable_seconds) == (600, 3000)
