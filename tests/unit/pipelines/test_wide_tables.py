"""Tables of many columns: what is done once per column stays the same, and is not done once per pair."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.compiled.cells import Categories, Cells
from mlops.pipelines.evaluation.importance import permutation_importance
from mlops.pipelines.features.row_identity import FeatureHashes

N_ROWS = 200


class SumOfColumns:
    """Predicts the sum of two columns of numbers, and of the codes of one of texts."""

    schema = SimpleNamespace(task="regression")

    def __init__(self, *, is_compiled: bool) -> None:
        self.compiled = "the compiled form" if is_compiled else None
        self.scored: list[pd.DataFrame] = []

    def score_aligned(self, aligned: pd.DataFrame) -> Scores:
        self.scored.append(aligned.copy())
        codes = aligned["site"].cat.codes.to_numpy(dtype=np.float64)
        return Scores((aligned["dose"] + 2.0 * aligned["age"]).to_numpy() + codes)

    def score_cells(self, compiled: str, cells: Mapping[str, Cells]) -> Scores:
        assert compiled == self.compiled
        columns = {name: pd.Categorical.from_codes(column.codes, column.values)
                   if isinstance(column, Categories) else column
                   for name, column in cells.items()}  # fmt: skip
        return self.score_aligned(pd.DataFrame(columns))


@pytest.fixture
def held_out() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(size=N_ROWS),
            "dose": rng.normal(size=N_ROWS),
            "self": rng.normal(size=N_ROWS),
            "site": pd.Categorical(rng.choice(["a", "b", "c"], N_ROWS)),
        }
    )


def importance_of(model: Any, held_out: pd.DataFrame) -> dict[str, float]:
    truth = model.score_aligned(held_out).predicted
    promise = dict.fromkeys(held_out, 1.0)
    return permutation_importance(model, held_out, truth, promise, rng=np.random.default_rng(1))


@pytest.mark.parametrize("is_compiled", [False, True])
def test_only_one_column_is_shuffled_at_a_time(held_out: pd.DataFrame, is_compiled: bool):
    model, before = SumOfColumns(is_compiled=is_compiled), held_out.copy()
    importance = importance_of(model, held_out)
    pd.testing.assert_frame_equal(held_out, before)
    assert importance["self"] == 0.0
    assert next(iter(importance)) == "age"
    assert min(importance[name] for name in ("age", "dose", "site")) > 0.0
    # the truth, the score without shuffling, and one call for all repeats of each column
    assert len(model.scored) == 2 + len(held_out.columns)
    for repeated in model.scored[2:]:
        once = pd.concat([held_out] * (len(repeated) // N_ROWS), ignore_index=True)
        own = [once[name].equals(repeated[name]) for name in held_out]
        assert own.count(False) == 1


def test_a_compiled_model_has_the_importance_of_its_pipeline(held_out: pd.DataFrame):
    both = [importance_of(SumOfColumns(is_compiled=is_compiled), held_out) for is_compiled in (False, True)]
    assert both[0] == both[1]


def test_rows_of_many_columns_are_hashed_as_the_sum_of_their_columns(held_out: pd.DataFrame):
    hashes = FeatureHashes(held_out, {"age": 1.0, "dose": 1.0, "self": 1.0})
    age, site, both = hashes.at_width([("age",), ("site",), ("age", "site")], 0.1)
    assert (both == age + site).all()
    assert not (age == site).any()
