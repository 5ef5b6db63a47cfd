"""Tables of many columns: what is done once per column stays the same, and is not done once per pair."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.importance import permutation_importance
from mlops.pipelines.features.row_identity import FeatureHashes
from mlops.pipelines.fitting.fitting import worthwhile_threads

N_ROWS = 200


class SumOfColumns:
    """Predicts the sum of two columns of numbers, and of the codes of one of texts."""

    schema = SimpleNamespace(task="regression")

    def __init__(self) -> None:
        self.scored: list[pd.DataFrame] = []

    def score_aligned(self, aligned: pd.DataFrame) -> Scores:
        self.scored.append(aligned.copy())
        codes = aligned["site"].cat.codes.to_numpy(dtype=np.float64)
        return Scores((aligned["dose"] + 2.0 * aligned["age"]).to_numpy() + codes)


@pytest.fixture
def held_out() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(size=N_ROWS),
            "dose": rng.normal(size=N_ROWS),
            "unused": rng.normal(size=N_ROWS),
            "site": pd.Categorical(rng.choice(["a", "b", "c"], N_ROWS)),
        }
    )


def importance_of(model: Any, held_out: pd.DataFrame) -> dict[str, float]:
    truth = model.score_aligned(held_out).predicted
    promise = dict.fromkeys(held_out, 1.0)
    return permutation_importance(model, held_out, truth, promise, rng=np.random.default_rng(1))


def test_only_one_column_is_shuffled_at_a_time(held_out: pd.DataFrame):
    model, before = SumOfColumns(), held_out.copy()
    importance = importance_of(model, held_out)
    pd.testing.assert_frame_equal(held_out, before)
    assert importance["unused"] == 0.0
    assert next(iter(importance)) == "age"
    assert min(importance[name] for name in ("age", "dose", "site")) > 0.0
    # the truth, the score without shuffling, and one call for all repeats of each column
    assert len(model.scored) == 2 + len(held_out.columns)
    for repeated in model.scored[2:]:
        once = pd.concat([held_out] * (len(repeated) // N_ROWS), ignore_index=True)
        own = [once[name].equals(repeated[name]) for name in held_out]
        assert own.count(False) == 1


def test_shuffled_columns_of_texts_stay_categories(held_out: pd.DataFrame):
    model = SumOfColumns()
    importance_of(model, held_out)
    assert all(repeated.dtypes["site"] == held_out.dtypes["site"] for repeated in model.scored)


def test_rows_of_many_columns_are_hashed_as_the_sum_of_their_columns(held_out: pd.DataFrame):
    hashes = FeatureHashes(held_out, {"age": 1.0, "dose": 1.0, "unused": 1.0})
    age, site, both = hashes.at_width([("age",), ("site",), ("age", "site")], 0.1)
    assert (both == age + site).all()
    assert not (age == site).any()


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "is_worthwhile"),
    [
        (600, 5_000, False),
        (2_000, 5_000, False),
        (1_700, 20, False),
        (50_000, 50, True),
        (5_000, 1_000, True),
    ],
)
def test_threads_are_for_many_cells_of_many_rows(n_rows: int, n_columns: int, is_worthwhile: bool):
    frame = pd.DataFrame(np.broadcast_to(np.float32(0), (n_rows, n_columns)), copy=False)
    assert worthwhile_threads(frame) == (joblib.cpu_count() if is_worthwhile else 1)
