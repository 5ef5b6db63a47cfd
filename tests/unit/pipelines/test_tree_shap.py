"""The tables of boosted trees give what XGBoost's own exact TreeSHAP gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost

from mlops.pipelines.compiled.booster import Booster
from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.compiled.shap.tables import MAX_NUMBERS, ShapTables

N_COLUMNS = 6
# the last two columns of the matrix were made of the first column of the file
GROUPS = ColumnGroups(("a", "b", "c", "d"), np.array([0, 1, 2, 3, 0, 0]))


def a_booster(**hyperparameters: Any) -> tuple[Booster, np.ndarray]:
    """Return a booster of a few trees on columns with gaps, and rows that it has not seen."""
    rng = np.random.default_rng(0)
    matrix = np.round(rng.normal(size=(900, N_COLUMNS)), 1).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    signal = np.nan_to_num(matrix)
    y = signal[:, 0] * signal[:, 1] + np.sin(3 * signal[:, 2]) + rng.normal(size=900) * 0.3
    settings = {"n_estimators": 12, "max_depth": 4, "learning_rate": 0.3, "n_jobs": 1, **hyperparameters}
    fitted = xgboost.XGBRegressor(**settings).fit(matrix[:600], y[:600])
    return Booster.from_bytes(bytes(fitted.get_booster().save_raw("ubj"))), matrix[600:]


def tables_of(booster: Booster, max_numbers: int = MAX_NUMBERS) -> ShapTables | None:
    trees = booster.document()["learner"]["gradient_booster"]["model"]["trees"]
    return ShapTables.of(trees, GROUPS, max_numbers)


def sums_of(booster: Booster, matrix: np.ndarray) -> np.ndarray:
    tables = tables_of(booster)
    assert tables is not None
    return tables.sums(matrix)


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"max_depth": 1},
        {"max_depth": 3},
        {"max_depth": 4},
        {"max_depth": 6},
        {"max_depth": 8},
        {"max_depth": 3, "min_child_weight": 200},
        {"max_depth": 0, "max_leaves": 7, "grow_policy": "lossguide"},
        {"max_depth": 2, "n_estimators": 1, "gamma": 1e9},
    ],
    ids=str,
)
def test_the_values_are_those_of_xgboost(hyperparameters: dict[str, Any]) -> None:
    booster, matrix = a_booster(**hyperparameters)
    expected = GROUPS.sums(booster.contributions(matrix)[:, 0, :-1])
    np.testing.assert_allclose(sums_of(booster, matrix), expected, atol=1e-5)


def test_a_row_has_the_same_values_to_the_last_bit_alone_and_among_many() -> None:
    booster, matrix = a_booster(max_depth=5)
    together = sums_of(booster, matrix)
    one_by_one = [sums_of(booster, matrix[[row]]) for row in range(20)]
    np.testing.assert_array_equal(np.vstack(one_by_one), together[:20])
    np.testing.assert_array_equal(sums_of(booster, matrix[:60]), together[:60])


def test_infinite_and_very_large_values_are_answered_as_xgboost_does() -> None:
    booster, _ = a_booster()
    extreme = np.tile(np.array([[-1e30, 1e30, np.nan, 0.0, 3e38, -3e38]], np.float32), (80, 1))
    expected = GROUPS.sums(booster.contributions(extreme)[:, 0, :-1])
    np.testing.assert_allclose(sums_of(booster, extreme), expected, atol=1e-5)


def test_ways_of_too_many_questions_and_too_large_tables_are_left_to_xgboost() -> None:
    deep, _ = a_booster(max_depth=12, min_child_weight=0, n_estimators=2)
    assert tables_of(deep) is None
    booster, _ = a_booster()
    assert tables_of(booster, 500) is None
