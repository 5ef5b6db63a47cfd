"""The tables `[threshold]`, `[intervals]` and `[classes.costs]` of model.toml."""

from __future__ import annotations

import pandas as pd
import pytest

from mlops.dataset.validation.validate import validate
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.prediction import CostMatrix, IntervalSettings, ThresholdSettings


def test_every_key_is_read_and_kept() -> None:
    settings = GroupSettings.from_toml("""
        [threshold]
        min_recall = 0.9
        [threshold.costs]
        false_negative = 5
        [intervals]
        coverage = 0.8
    """)
    assert settings.threshold == ThresholdSettings(min_recall=0.9, costs=CostMatrix(false_negative=5.0))
    assert settings.intervals == IntervalSettings(0.8)
    assert GroupSettings.from_dict(settings.to_dict()) == settings


def test_settings_without_these_tables_have_the_identity_of_earlier_releases() -> None:
    document = GroupSettings.from_toml('target = "y"').to_dict()
    assert "threshold" not in document
    assert "intervals" not in document
    stated = GroupSettings.from_toml('target = "y"\n[classes]\nrare = "other"').to_dict()
    assert "set_coverage" not in stated["classes"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[threshold]\nmin_recal = 0.9", "Unknown setting 'threshold.min_recal'. Did you mean 'min_recall'"),
        (
            "[threshold]\nmetric = 'f1_makro'",
            "Unknown value 'f1_makro' of threshold.metric. Did you mean 'f1_macro'",
        ),
        ("[threshold]\nmetric = 3", "threshold.metric must be a text, not 3."),
        ("[threshold]\nmin_recall = 1.2", "threshold.min_recall must be from 0.0 to 1.0"),
        ("[threshold]\nmin_precision = 'high'", "threshold.min_precision must be a number"),
        ("[threshold]\ncosts = 3", "threshold.costs must be a table"),
        ("[threshold.costs]\nfalse_negativ = 3", "Did you mean 'false_negative'"),
        ("[threshold.costs]\nfalse_negative = 'x'", "threshold.costs.false_negative must be a number"),
        ("[threshold.costs]\nfalse_positive = 0", "must cost more than a right one"),
        ("[threshold]\nmetric = 'f1'\n[threshold.costs]\nfalse_positive = 2", "either metric or costs"),
        ("[classes]\ncosts = 3", "classes.costs must be a table"),
        ("[classes.costs]\na = 3", "classes.costs.a must be a table"),
        ("[classes.costs.a]\nb = 'x'", "classes.costs.a.b must be a number, not 'x'"),
        ("[classes.costs.a]\nb = nan", "classes.costs.a.b must be a finite number"),
        ("[classes.costs.a]\nb = 0", "classes.costs.a: a wrong prediction must cost more than a right one"),
        ("[classes.costs.a]\na = 1", "classes.costs.a: a wrong prediction must cost more than a right one"),
        ("[intervals]\ncoverage = 1.0", "intervals.coverage must be from 0.5 to 0.99"),
        ("[intervals]\ncoverage = 'wide'", "intervals.coverage must be a number"),
        ("[intervals]\ncovrage = 0.9", "Did you mean 'coverage'"),
        ("[classes]\nset_coverage = 1.0", "classes.set_coverage must be from 0.5 to 0.99"),
        ("[classes]\nset_coverage = 'all'", "classes.set_coverage must be a number"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        GroupSettings.from_toml(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("outcome", "text", "message"),
    [
        ([1.5, 2.25, 3.0] * 40, "[threshold]\nmin_recall = 0.9", "[threshold] in model.toml is for a target"),
        (["a", "b", "c"] * 40, "[threshold]\nmetric = 'f1'", "not for one of several classes"),
        (["a", "b", "b"] * 40, "[intervals]\ncoverage = 0.8", "[intervals] in model.toml is for a target"),
        (["a", "b", "b"] * 40, "[threshold]\nmetric = 'f1'", None),
        (
            ["a", "b", "b"] * 40,
            "[classes.costs.a]\nb = 5",
            "[classes.costs] in model.toml is for a target of",
        ),
        (["a", "b", "c"] * 40, "[classes.costs.a]\nb = 5", None),
        (["a", "b", "c"] * 40, "[classes]\nset_coverage = 0.9", None),
        (["a", "b", "b"] * 40, "[classes]\nset_coverage = 0.9", None),
        (
            [1.5, 2.25, 3.0] * 40,
            "[classes]\nset_coverage = 0.9",
            "set_coverage of [classes] in model.toml is",
        ),
        (["a", "b", "low"] * 40, "[classes.costs.a]\nlo = 5", "names lo, which is not a class. Did you mean"),
    ],
)
def test_a_table_that_the_target_does_not_have_is_refused_at_validation(
    outcome: list, text: str, message: str | None
) -> None:
    frame = pd.DataFrame({"x": range(120), "outcome": outcome})
    frame["outcome"] = frame["outcome"] if isinstance(outcome[0], str) else frame["outcome"] + frame["x"] / 7
    report = validate(frame, GroupSettings.from_toml(f'target = "outcome"\n{text}'))
    messages = [found.message for found in report.findings if found.rule_id == "prediction_settings"]
    assert (message is None) == (not messages)
    assert message is None or message in messages[0]


def test_costs_that_are_not_stated_are_one_and_those_of_right_predictions_nothing() -> None:
    settings = GroupSettings.from_toml(
        "[classes.costs.high]\nlow = 20\nhigh = -1\n[classes.costs.1]\nlow = 3"
    )
    assert GroupSettings.from_dict(settings.to_dict()) == settings
    assert settings.classes.cost_matrix(("1", "high", "low")) == (
        (0.0, 1.0, 3.0),
        (1.0, -1.0, 20.0),
        (1.0, 1.0, 0.0),
    )
    assert GroupSettings().classes.cost_matrix(("a", "b", "c")) is None
