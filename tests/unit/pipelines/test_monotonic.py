"""Directions of columns: what a team knows of them holds for every prediction of a boosted model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.algorithms.contenders import candidates
from mlops.algorithms.selection import check_settings
from mlops.dataset.validation.validate import validate
from mlops.models.errors import SettingsError, TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model

QUICK = {"XGBoost": {"n_estimators": 60, "learning_rate": 0.2}, "HistGradientBoosting": {"max_iter": 60}}


def doses(task: str = "binary", rows: int = 500) -> pd.DataFrame:
    """A dose that helps on the whole, but not from each value to the next, and a waiting time that harms."""
    rng = np.random.default_rng(0)
    dose, days = rng.uniform(0, 10, rows), rng.uniform(0, 10, rows)
    signal = 0.4 * dose + 1.5 * np.sin(2 * dose) - 0.3 * days + np.cos(3 * days) + rng.normal(size=rows)
    target = signal.round(3) if task == "regression" else np.where(signal > 0.8, "yes", "no")
    return pd.DataFrame(
        {"clinic": rng.choice(["north", "south"], rows), "dose": dose, "days": days, "outcome": target}
    )


def settings(**config) -> GroupSettings:
    return GroupSettings.from_config({"target": "outcome", "positive_label": "yes", **config})


@pytest.mark.parametrize("algorithm", ["XGBoost", "HistGradientBoosting"])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_predictions_never_go_in_the_other_direction(algorithm: str, task: str):
    document = {"algorithm": algorithm, **QUICK[algorithm]}
    if task == "regression":
        document["positive_label"] = None
    steps = np.linspace(0, 10, 60)
    for is_stated in (False, True):
        directions = {"days": "decreasing", "dose": "increasing"} if is_stated else {}
        model = fit_model(prepare_rows(doses(task), settings(**document, monotonic=directions)), None).model
        wrong = 0.0
        for other in (2.0, 5.0, 8.0):
            for name, sign in (("dose", 1.0), ("days", -1.0)):
                rows = pd.DataFrame(
                    {"clinic": "north", "dose": other, "days": other}, index=range(len(steps))
                )
                scores, _ = model.score(rows.assign(**{name: steps}))
                answer = scores.predicted if task == "regression" else scores.probabilities[:, 1]
                wrong = max(wrong, float((-sign * np.diff(answer)).max()))
        assert wrong <= 1e-6 if is_stated else wrong > 0.01


def test_without_an_algorithm_only_those_contend_that_obey():
    open_settings = settings(monotonic={"dose": "increasing"})
    assert {one.algorithm for one in candidates(open_settings, "binary")} == {"XGBoost"}
    assert candidates(settings(monotonic={"dose": "increasing"}, n_estimators=50))[0].algorithm == "XGBoost"


@pytest.mark.parametrize(
    ("config", "task", "words"),
    [
        ({"algorithm": "Ridge"}, None, "obeyed by XGBoost or HistGradientBoosting, not by Ridge"),
        ({"algorithm": "XGBoost"}, "multiclass", "two classes or of numbers"),
        ({"algorithm": "HistGradientBoosting", "loss": "absolute_error"}, "regression", "remove one of them"),
        (
            {
                "algorithm": "HistGradientBoosting",
                "search": {"space": {"loss": ["squared_error", "quantile"]}},
            },
            "regression",
            "remove one of them",
        ),
    ],
)
def test_what_does_not_obey_directions_is_refused(config, task, words: str):
    with pytest.raises(SettingsError, match=words):
        check_settings(settings(**config, monotonic={"dose": "increasing"}), task)


@pytest.mark.parametrize(
    ("directions", "words"),
    [({"dos": "increasing"}, "Did you mean 'dose'"), ({"clinic": "increasing"}, "not a column of numbers")],
)
def test_columns_without_an_order_are_refused_at_training_and_at_intake(directions, words, tmp_path: Path):
    stated = settings(monotonic=directions)
    with pytest.raises(TrainingError, match=words):
        prepare_rows(doses(), stated)
    doses().to_csv(tmp_path / "train.csv", index=False)
    (finding,) = [
        f for f in validate(tmp_path / "train.csv", stated).findings if f.rule_id == "monotonic_columns"
    ]
    assert finding.severity == "reject"
    assert words in f"{finding.message} {finding.advice}"


@pytest.mark.parametrize(
    ("made", "stated"),
    [
        ("visit_month", {"date_parts": ["month"]}),
        ("visit_month", {"date_parts": {"visit": ["month"]}}),
        ("note_words", {"text_columns": ["note"]}),
    ],
)
def test_a_direction_may_name_a_number_that_is_made_of_a_column(made, stated, tmp_path: Path):
    frame = doses()
    frame["visit"] = pd.date_range("2024-01-01", periods=len(frame)).strftime("%Y-%m-%d")
    frame["note"] = ["the patient slept badly " + "and ate little " * (n % 7) for n in range(len(frame))]
    frame.to_csv(tmp_path / "train.csv", index=False)

    def problems(**document) -> list[str]:
        found = validate(tmp_path / "train.csv", settings(**document)).findings
        return [finding.message for finding in found if finding.rule_id == "monotonic_columns"]

    directions = {"monotonic": {made: "increasing"}}
    assert not problems(**directions, **stated)
    prepare_rows(frame, settings(**directions, **stated))

    not_made = f"names {made}, which the file does not have"
    assert not_made in problems(**directions)[0]
    with pytest.raises(TrainingError, match=not_made):
        prepare_rows(frame, settings(**directions))


def test_a_direction_is_one_of_two_words():
    with pytest.raises(SettingsError, match=r"Line 2: monotonic.dose must be .* Did you mean 'increasing'"):
        GroupSettings.from_toml('[monotonic]\ndose = "incresing"')
    with pytest.raises(SettingsError, match="monotonic must be a table"):
        GroupSettings.from_toml('monotonic = "increasing"')
