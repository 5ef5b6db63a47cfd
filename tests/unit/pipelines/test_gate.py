"""The gate's judgement, on numbers made by hand."""

from __future__ import annotations

import pytest

from mlops.models.errors import SettingsError
from mlops.models.settings.group import GateRule
from mlops.models.training import ChampionComparison, EvaluationMetrics, MetricComparison
from mlops.pipelines.evaluation.gate import judge


def metrics(value: float = 0.8, low: float = 0.75, high: float = 0.85) -> EvaluationMetrics:
    return EvaluationMetrics(
        roc_auc=value,
        average_precision=0.6,
        task="binary",
        n_rows=500,
        primary="roc_auc",
        intervals={"roc_auc": (low, high)},
        dummy={"roc_auc": 0.5, "average_precision": 0.3},
    )


def against_champion(difference: float, low: float, high: float) -> ChampionComparison:
    actual = MetricComparison(0.8, 0.8 - difference, difference, (low, high))
    return ChampionComparison("v1.0.0", comparable=True, n_rows=500, metrics={"roc_auc": actual})


def test_a_model_whose_interval_is_above_the_dummy_passes():
    result = judge(metrics())
    assert result.passed
    assert (
        "ROC AUC 0.8000 (0.7500 to 0.8500) is better than a model that looks at nothing (0.5000)"
        in result.reasons[0]
    )


def test_a_model_that_is_better_than_the_dummy_by_chance_only_is_refused():
    result = judge(metrics(0.55, 0.48, 0.62))
    assert not result.passed
    assert "not clearly better" in result.reasons[0]


def test_a_score_that_could_not_be_computed_is_refused():
    result = judge(EvaluationMetrics(task="binary", primary="roc_auc", n_rows=12))
    assert not result.passed
    assert "more rows are needed" in result.reasons[0]


@pytest.mark.parametrize(
    ("difference", "low", "high", "passed", "words"),
    [
        (0.05, 0.02, 0.08, True, "is better than that of v1.0.0"),
        (0.01, -0.02, 0.04, False, "does not differ clearly from that of v1.0.0 on the same 500 rows"),
        (-0.01, -0.04, 0.02, False, "An equal model does not replace the champion"),
        (-0.05, -0.08, -0.02, False, "is clearly worse"),
    ],
)
def test_only_a_clearly_better_model_passes_and_an_equal_one_is_called_so(
    difference, low, high, passed, words
):
    result = judge(metrics(), against_champion(difference, low, high))
    assert result.passed is passed
    assert words in result.reasons[1]


def test_a_champion_that_cannot_be_compared_refuses_nothing_but_is_named():
    comparison = ChampionComparison("v1.0.0", reason="it predicts 'other'.")
    result = judge(metrics(), comparison)
    assert result.passed
    assert "Not compared with v1.0.0: it predicts 'other'." in result.reasons


def test_a_threshold_on_the_primary_score_takes_the_place_of_the_dummy():
    assert judge(metrics(0.55, 0.48, 0.62), rules={"roc_auc": GateRule(threshold=0.5)}).passed
    assert not judge(metrics(), rules={"roc_auc": GateRule(threshold=0.9)}).passed


def test_a_rule_on_another_score_is_added_to_the_dummy():
    assert not judge(metrics(), rules={"average_precision": GateRule(threshold=0.7)}).passed
    names = [check.name for check in judge(metrics(), rules={"average_precision": GateRule(0.5)}).checks]
    assert names == ["beats_dummy", "threshold"]


@pytest.mark.parametrize(
    ("difference", "low", "high", "passed"),
    [(0.05, 0.02, 0.08, True), (0.05, -0.01, 0.11, False), (0.01, 0.005, 0.015, False)],
)
def test_a_required_change_must_be_reached_and_be_more_than_chance(difference, low, high, passed):
    rules = {"roc_auc": GateRule(min_absolute_change=0.02)}
    assert judge(metrics(), against_champion(difference, low, high), rules).passed is passed


@pytest.mark.parametrize(
    ("low", "high", "passed"), [(-0.015, 0.02, True), (-0.03, 0.03, False), (-0.018, -0.001, True)]
)
def test_a_change_below_zero_lets_an_equal_model_pass_that_is_shown_to_be_hardly_worse(low, high, passed):
    rules = {"roc_auc": GateRule(min_absolute_change=-0.02)}
    result = judge(metrics(), against_champion((low + high) / 2, low, high), rules)
    assert result.passed is passed
    verb = "reaches" if passed else "misses"
    assert f"ROC AUC {verb} the rule of being worse by at most 0.020, beyond chance" in result.reasons[1]
    relative = {"roc_auc": GateRule(min_relative_change=-0.025)}
    assert judge(metrics(), against_champion((low + high) / 2, low, high), relative).passed is passed


def test_of_two_required_changes_the_greater_one_counts():
    rules = {"roc_auc": GateRule(min_absolute_change=-0.1, min_relative_change=0.1)}
    assert not judge(metrics(), against_champion(0.05, 0.02, 0.08), rules).passed


def test_a_relative_change_is_a_share_of_the_champions_score():
    rules = {"roc_auc": GateRule(min_relative_change=0.1)}
    assert not judge(metrics(), against_champion(0.05, 0.02, 0.08), rules).passed
    assert judge(metrics(), against_champion(0.1, 0.02, 0.18), rules).passed


def test_lower_can_be_better():
    rules = {"average_precision": GateRule(threshold=0.5, higher_is_better=False)}
    assert not judge(metrics(), rules=rules).passed


def test_a_rule_on_an_unknown_score_names_the_nearest():
    with pytest.raises(SettingsError, match=r"'roc_acu'.*'roc_auc'"):
        judge(metrics(), rules={"roc_acu": GateRule(0.5)})


def test_a_rule_on_a_score_of_another_task_is_refused():
    with pytest.raises(SettingsError, match=r"r2, which a binary task does not have"):
        judge(metrics(), rules={"r2": GateRule(0.5)})
