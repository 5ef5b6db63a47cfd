"""The gate's judgement, on numbers made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops.models.errors import SettingsError
from mlops.models.settings.gate import GateRule
from mlops.models.training import ChampionComparison, EvaluationMetrics, MetricComparison, StoredScore
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


def not_comparable(value: float, low: float, high: float) -> ChampionComparison:
    stored = {"roc_auc": StoredScore(value, (low, high))}
    return ChampionComparison("v1.0.0", reason="it was made with scikit-learn 1.5.", stored=stored)


@pytest.mark.parametrize(
    ("candidate", "champion", "passed"),
    [
        ((0.80, 0.75, 0.85), (0.80, 0.76, 0.84), True),
        ((0.80, 0.75, 0.85), (0.82, 0.78, 0.86), True),
        ((0.77, 0.72, 0.82), (0.82, 0.78, 0.86), False),  # below the champion's interval
        ((0.80, 0.78, 0.82), (0.84, 0.72, 0.95), False),  # the champion is above the candidate's interval
        ((0.616, 0.57, 0.66), (0.92, 0.90, 0.94), False),
        ((0.90, 0.88, 0.92), (0.80, 0.76, 0.84), True),
    ],
)
def test_a_champion_that_cannot_be_compared_counts_by_its_stored_score(candidate, champion, passed):
    result = judge(metrics(*candidate), not_comparable(*champion))
    assert result.passed is passed
    assert result.requires_person
    reason = result.reasons[1]
    assert reason.startswith("Not compared with v1.0.0 on the same rows: it was made with scikit-learn 1.5.")
    assert ("only a person can approve it" in reason) is passed
    assert f"against {champion[0]:.4f}" in reason


def test_a_candidate_beside_a_champion_without_a_common_score_passes_only_by_a_stated_threshold():
    comparison = ChampionComparison("v1.0.0", reason="it was trained for a regression task.")
    refused = judge(metrics(), comparison)
    assert not refused.passed
    assert "[gate.roc_auc] with threshold = ... in model.toml" in refused.reasons[1]
    accepted = judge(metrics(), comparison, {"roc_auc": GateRule(threshold=0.7)})
    assert accepted.passed
    assert accepted.requires_person


@pytest.mark.parametrize(("change", "passed"), [(-0.1, True), (0.0, False), (0.05, False)])
def test_a_stated_change_moves_what_is_required_beside_a_stored_score(change, passed):
    rules = {"roc_auc": GateRule(min_absolute_change=change)}
    assert judge(metrics(0.77, 0.72, 0.82), not_comparable(0.82, 0.78, 0.86), rules).passed is passed


def test_a_comparison_on_the_same_rows_needs_no_person():
    assert not judge(metrics(), against_champion(0.05, 0.02, 0.08)).requires_person
    assert not judge(metrics()).requires_person


def test_after_twenty_looks_at_the_same_rows_the_difference_must_be_clearer():
    comparison = against_champion(0.04, 0.015, 0.065)
    first, twentieth, fortieth = (judge(metrics(), replace(comparison, looks=looks)) for looks in (1, 20, 40))
    assert first.passed
    assert twentieth.passed
    assert not fortieth.passed
    assert "(comparison 40 on them)" in fortieth.reasons[1]
    assert "at 99.3%" in first.reasons[1]


@pytest.mark.parametrize(
    ("age_days", "difference", "low", "high", "passed"),
    [
        (100.0, 0.0, -0.005, 0.005, False),  # not old enough
        (200.0, 0.0, -0.005, 0.005, True),
        (200.0, -0.008, -0.013, -0.003, False),
        (None, 0.0, -0.005, 0.005, False),  # the same file
        (200.0, 0.05, 0.03, 0.07, True),
    ],
)
def test_an_old_champion_is_replaced_by_a_candidate_of_newer_data_within_the_margin(
    age_days, difference, low, high, passed
):
    comparison = replace(against_champion(difference, low, high), champion_age_days=age_days)
    result = judge(metrics(), comparison, {"roc_auc": GateRule(max_age_days=180)})
    assert result.passed is passed
    is_for_age = age_days == 200.0 and difference < 0.05
    assert ("retraining for age" in result.reasons[1]) is is_for_age


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
    ("low", "high", "passed"),
    [(-0.012, 0.02, True), (-0.03, 0.03, False), (-0.015, -0.001, True), (-0.018, 0.02, False)],
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
    assert judge(metrics(), against_champion(0.1, 0.04, 0.16), rules).passed


def test_a_stored_rule_against_the_direction_of_its_score_is_refused():
    rules = {"average_precision": GateRule(threshold=0.5, higher_is_better=False)}
    with pytest.raises(SettingsError, match=r"remove the line from \[gate.average_precision\]"):
        judge(metrics(), rules=rules)


def test_a_rule_on_an_unknown_score_names_the_nearest():
    with pytest.raises(SettingsError, match=r"'roc_acu'.*'roc_auc'"):
        judge(metrics(), rules={"roc_acu": GateRule(0.5)})


def test_a_rule_on_a_score_of_another_task_is_refused():
    with pytest.raises(SettingsError, match=r"r2, which a binary task does not have"):
        judge(metrics(), rules={"r2": GateRule(0.5)})
