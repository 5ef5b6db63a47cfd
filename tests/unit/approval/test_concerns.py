"""What an approver reads first: the points against a candidate, the recommendation, and the subject."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops.approval.concerns import find_concerns
from mlops.approval.emails import compose_request
from mlops.approval.evidence import gather
from mlops.approval.recommendation import recommend, result_in_subject
from mlops.models.approval import Evidence
from mlops.models.concern import Concern
from mlops.models.registry import DataFindings, ModelMetadata
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, MetricComparison
from mlops.pipelines.evaluation.importance import possible_leaks
from tests.unit.pages import samples

LEAK = {
    "rule_id": "leakage",
    "severity": "warn",
    "column": "arr_delay",
    "message": "Column arr_delay alone predicts the target (AUC 1.000): it looks like a leak.",
}
DATES = Concern("dates, but a random split", "it was not judged on later rows", "visited holds dates.")


def a_model(**changes: Any) -> ModelMetadata:
    """A candidate that nothing speaks against, unless a change says so."""
    harmless: dict[str, Any] = {
        "data": DataFindings("accept", 2_000),
        "warnings": (),
        "features": ("age", "dose", "visits"),
    }
    return samples.a_model(**harmless | changes)


def compared(low: float, high: float) -> ChampionComparison:
    pair = MetricComparison(0.6, 0.6 - (low + high) / 2, (low + high) / 2, (low, high))
    return ChampionComparison("v1.0.0", comparable=True, metrics={"average_precision": pair})


def labels(model: ModelMetadata, champion: ModelMetadata | None = None) -> list[str]:
    return [concern.label for concern in find_concerns(model, champion)]


def test_nothing_is_said_against_an_ordinary_candidate():
    assert labels(a_model()) == []


@pytest.mark.parametrize(
    ("changes", "label", "clause"),
    [
        (
            {"data": DataFindings("warn", 9, (LEAK,)), "features": ("arr_delay", "age")},
            "possible leak",
            "arr_delay gives the answer away",
        ),
        (
            {"concerns": possible_leaks({"arr's": 0.999, "b": 0.99, "c": 0.7}, "binary")},
            "possible leak",
            "arr's and b give the answer away",
        ),
        (
            {"concerns": (DATES,)},
            "dates, but a random split",
            "it was not judged on later rows",
        ),
        (
            {"metrics": replace(samples.a_training_result().metrics, average_precision=0.995)},
            "score near 1",
            "Average precision 0.9950 is too good to be usual",
        ),
        ({"feature_importance": {"dose": 0.4, "age": 0.05}}, "one column decides", "dose alone decides"),
        (
            {"comparison": compared(-0.09, -0.01)},
            "worse than the model in service",
            "it is worse than v1.0.0",
        ),
        (
            {"data": DataFindings("accept", 9, (), replace(samples.some_changes(), verdict="ALERT"))},
            "inputs changed",
            "its data differ a lot from those of v1.0.0",
        ),
        (
            {"features": ("age", "lastName")},
            "personal data",
            "it learns from personal data (lastName)",
        ),
        ({"features": ("age", "Gender", "sextant")}, "sensitive columns", "it looks at Gender"),
    ],
)
def test_a_suspicious_result_is_named(changes: dict[str, Any], label: str, clause: str):
    (concern,) = find_concerns(a_model(**changes), None)
    assert (concern.label, concern.clause) == (label, clause)
    assert concern.message.endswith(".")


def test_a_column_that_the_settings_exclude_is_no_leak():
    settings = GroupSettings(exclude_columns=("arr_delay",))
    assert labels(a_model(data=DataFindings("warn", 9, (LEAK,)), settings=settings)) == []


def test_columns_of_the_champion_are_not_named_again_for_what_they_are_called():
    model = a_model(features=("age", "sex"))
    assert labels(model, a_model(features=("sex",))) == []
    assert labels(model, a_model(features=("age",))) == ["sensitive columns"]


def test_other_rules_than_those_of_the_champion_are_named():
    settings = GroupSettings.from_toml("[gate.roc_auc]\nthreshold = 0.5\n")
    (concern,) = find_concerns(a_model(settings=settings), a_model())
    assert "gate.roc_auc.threshold" in concern.message
    assert labels(a_model(settings=settings), None) == []  # there are no rules to compare with


def evidence_of(champion: ModelMetadata | None, **changes: Any) -> Evidence:
    return gather(a_model(**changes), champion)


def test_the_subject_says_pass_warning_or_first_model():
    leaking = {"data": DataFindings("warn", 9, (LEAK,))}
    first, usual = evidence_of(None), evidence_of(a_model(version="v1.0.0"))
    assert result_in_subject(first) == "First model"
    assert result_in_subject(usual) == "Pass"
    assert result_in_subject(evidence_of(None, **leaking)) == "First model, warning: possible leak"
    assert result_in_subject(evidence_of(a_model(version="v1.0.0"), **leaking)) == "Warning: possible leak"


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (compared(0.01, 0.11), "it is better than v1.0.0"),
        (compared(-0.02, 0.11), "it is not clearly better or worse than v1.0.0"),
        (None, "it was not compared with v1.0.0 on the same rows"),
    ],
)
def test_the_recommendation_compares_with_the_champion(comparison: ChampionComparison | None, said: str):
    assert (
        recommend(evidence_of(a_model(version="v1.0.0"), comparison=comparison))
        == f"Passes its gate; {said}."
    )


def test_the_recommendation_names_the_worst_point_and_counts_the_others():
    evidence = evidence_of(None, data=DataFindings("warn", 9, (LEAK,)), features=("arr_delay", "sex"))
    assert recommend(evidence) == (
        "Passes its gate, but arr_delay gives the answer away (and 1 further point)."
    )


def test_a_sensitive_name_is_said_at_the_top_and_is_no_reason_to_warn():
    looking = {"features": ("age", "sex")}
    first, next_one = evidence_of(None, **looking), evidence_of(a_model(version="v1.0.0"), **looking)
    assert result_in_subject(first) == "First model"
    assert result_in_subject(next_one) == "Pass"
    assert recommend(first) == "Passes its gate; it would be the first model in service; it looks at sex."
    assert recommend(next_one).endswith("; it looks at sex.")
    body = compose_request(samples.a_request(evidence=first), "ada@example.com", "https://x/y")[1]
    assert body.index("Read this first") < body.index("It looks at sex. Ask") < body.index("https://x/y")


def test_personal_data_that_validation_found_in_the_values_is_a_warning():
    finding = {"rule_id": "pii", "column": "contact", "message": "Any sentence."}
    changes = {"data": DataFindings("warn", 9, (finding,)), "features": ("age", "contact")}
    evidence = evidence_of(None, **changes)
    assert result_in_subject(evidence) == "First model, warning: personal data"
    assert evidence.findings == (), "it is said once"
    left_out = evidence_of(None, **changes | {"features": ("age",)})
    assert (left_out.concerns, len(left_out.findings)) == ((), 1)


def test_what_is_said_at_the_top_is_not_said_again():
    concerns = (*possible_leaks({"arr_delay": 0.999}, "binary"), DATES)
    warnings = (*(concern.message for concern in concerns), "No target is set.")
    evidence = evidence_of(None, data=DataFindings("warn", 9, (LEAK,)), warnings=warnings, concerns=concerns)
    assert evidence.findings == ()
    assert evidence.warnings == ("No target is set.",)
    body = compose_request(samples.a_request(evidence=evidence), "ada@example.com", "https://x/y")[1]
    assert "Passes its gate, but arr_delay gives the answer away" in " ".join(body.split())
    assert body.index("Read this first") < body.index("https://x/y") < body.index("No target is set.")
