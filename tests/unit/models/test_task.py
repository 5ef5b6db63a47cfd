"""Intake and training take the same target for the same task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.dataset.limits import Limits
from mlops.dataset.validation.survey.gathering import start_survey
from mlops.dataset.validation.target import is_classification
from mlops.models.settings.group import GroupSettings
from mlops.models.target.task import find_label, infer_task
from mlops.pipelines.features.task import define_problem

ROWS = 240
TARGETS = {
    "words": (["low", "mid", "high"], "multiclass"),
    "two words": (["no", "yes"], "binary"),
    "booleans": (["False", "True"], "binary"),
    "two numbers": ([0, 7], "binary"),
    "two fractions": ([0.5, 1.5], "binary"),
    "few whole numbers": ([1, 2, 3, 4], "multiclass"),
    "few whole numbers written as fractions": (["1.0", "2.0", "3"], "multiclass"),
    "few fractions": ([1.0, 1.5, 2.0], "regression"),
    "a tail of rare numbers": ([*[0, 1, 2] * 26, 9, 11], "regression"),
    "many numbers": (list(range(24)), "regression"),
}


@pytest.mark.parametrize("case", TARGETS)
def test_intake_and_training_see_the_same_task(case: str, tmp_path: Path) -> None:
    values, task = TARGETS[case]
    target = np.resize(np.array(values, dtype=object), ROWS)
    table = pd.DataFrame({"x": np.arange(ROWS) % 50, "y": target})
    path = tmp_path / "train.csv"
    table.to_csv(path, index=False)
    settings = GroupSettings(target="y")
    actual = start_survey(path, settings, None, purpose="training", limits=Limits()).completed()
    assert is_classification(actual) == (task != "regression")
    assert define_problem(pd.read_csv(path)["y"], settings).task == task


def test_a_column_of_one_value_is_no_quantity() -> None:
    assert infer_task([50], is_numeric=True, has_fractions=False) == "binary"


@pytest.mark.parametrize(
    ("label", "labels", "expected"),
    [
        ("true", ("False", "True"), "True"),  # as TOML writes it, and as pandas does
        ("yes", ("Yes", "yes"), "yes"),
        ("YES", ("Yes", "yes"), None),
        ("maybe", ("no", "yes"), None),
    ],
)
def test_a_label_is_found_whatever_its_case_unless_case_tells_labels_apart(
    label: str, labels: tuple[str, ...], expected: str | None
) -> None:
    assert find_label(label, labels) == expected
