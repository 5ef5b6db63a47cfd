"""The one table of metrics: every score that a task has is shown with a name, a direction and its digits."""

from __future__ import annotations

import pytest
from sklearn.metrics import get_scorer_names

from mlops.models.metrics import (
    METRICS,
    describe_metric,
    metric_definition,
    metric_difference,
    metric_interval,
    metric_name,
    metric_shown,
    metric_value,
)
from mlops.models.training import SCORE_NAMES, SCORES_OF_TASK


@pytest.mark.parametrize("task", SCORES_OF_TASK)
def test_every_score_of_a_task_has_a_row(task):
    assert set(SCORES_OF_TASK[task]) <= set(METRICS)


def test_the_table_has_a_row_for_each_score_and_no_other():
    assert set(METRICS) == set(SCORE_NAMES)
    assert len({definition.name for definition in METRICS.values()}) == len(METRICS)


def test_the_keys_are_scikit_learns_scorer_names_but_for_our_two_quantiles():
    assert {name for name in METRICS if name not in get_scorer_names()} == {
        "neg_absolute_error_q80",
        "neg_absolute_error_q95",
    }


@pytest.mark.parametrize("scorer", METRICS)
def test_lower_is_better_exactly_of_the_errors_and_no_name_has_their_prefix(scorer):
    assert METRICS[scorer].higher_is_better is not scorer.startswith("neg_")
    assert "neg_" not in describe_metric(scorer, -0.5)
    assert ("lower is better" in METRICS[scorer].label) is scorer.startswith("neg_")


@pytest.mark.parametrize(
    ("scorer", "value", "text"),
    [
        ("neg_root_mean_squared_error", -17.98, "RMSE 17.98 (lower is better)"),
        ("neg_log_loss", -0.32141, "Log loss 0.3214 (lower is better)"),
        ("roc_auc", 0.78123, "ROC AUC 0.7812"),
        ("r2", -0.1, "R² -0.1000"),
        ("neg_mean_absolute_error", -12345.6, "MAE 12,346 (lower is better)"),
        ("neg_mean_absolute_error", -0.012344, "MAE 0.01234 (lower is better)"),
        ("neg_mean_absolute_error", -0.0, "MAE 0.0000 (lower is better)"),
        ("neg_brier_score", 1e-9, "Brier score 0.0000 (lower is better)"),
        ("neg_mean_absolute_error", -2.5e-8, "MAE 2.5e-08 (lower is better)"),
        ("neg_mean_absolute_error", float("nan"), "MAE nan (lower is better)"),
    ],
)
def test_a_score_is_written_for_people(scorer, value, text):
    assert describe_metric(scorer, value) == text


def test_a_difference_and_its_interval_are_those_of_the_values_shown():
    candidate, champion = -17.98, -18.44  # the candidate's error is smaller by 0.46
    assert metric_difference("neg_root_mean_squared_error", candidate - champion) == "-0.460"
    interval = metric_interval("neg_root_mean_squared_error", (0.1, 0.82), is_difference=True)
    assert interval == "-0.820 to -0.100"
    assert metric_difference("roc_auc", 0.06) == "+0.0600"
    assert metric_interval("roc_auc", (-0.012, 0.032), is_difference=True) == "-0.0120 to +0.0320"


def test_the_lower_shown_end_of_an_interval_comes_first():
    assert metric_interval("neg_mean_absolute_error", (-12.5, -10.25)) == "10.25 to 12.50"
    assert metric_interval("f1", (0.1, 0.25)) == "0.1000 to 0.2500"


def test_a_metric_that_is_not_in_the_table_is_shown_as_it_was_logged():
    assert metric_name("loss") == "loss"
    assert metric_value("neg_custom", -0.5) == "-0.5000"
    assert metric_shown("neg_custom", -0.5) == -0.5
    assert metric_definition("loss").direction == ""
    assert metric_value("billable_seconds", 312.0) == "312.0"
