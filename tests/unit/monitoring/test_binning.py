"""The fast counter against a plain binary search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.monitoring.profiles.binning import BinCounter

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True, width=64)
EDGES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40, unique=True).map(sorted)


def plain_counts(edges: list[float], values: np.ndarray) -> list[int]:
    existing = values[~np.isnan(values)]
    return np.bincount(np.searchsorted(edges, existing, side="left"), minlength=len(edges) + 1).tolist()


@pytest.mark.property
@given(EDGES, st.lists(ANY_FLOAT, max_size=80))
def test_any_numbers_are_counted_exactly(edges: list[float], values: list[float]):
    column = np.array([*values, *edges], dtype=float)
    counted = BinCounter(tuple(edges)).count(column)
    assert counted.counts.tolist() == plain_counts(edges, column)
    assert counted.n_missing == int(np.isnan(column).sum())


@pytest.mark.property
@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=20, unique=True),
    st.lists(st.integers(-60, 60), max_size=200),
)
def test_single_values_between_gaps_are_counted_exactly(existing: list[int], values: list[int]):
    points = np.array(sorted(existing), dtype=float)
    edges = np.sort(np.concatenate([points, np.nextafter(points, -np.inf)])).tolist()
    column = np.array(values, dtype=float)
    assert BinCounter(tuple(edges)).count(column).counts.tolist() == plain_counts(edges, column)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "float32", "float64"])
def test_every_kind_of_number_is_counted_across_block_borders(dtype: str):
    rng = np.random.default_rng(7)
    column = rng.integers(0, 100, 50_000).astype(dtype)
    edges = np.arange(5, 95, 3) + 0.5
    assert BinCounter(tuple(edges)).count(column).counts.tolist() == plain_counts(edges, column.astype(float))


def test_the_range_is_of_the_finite_values():
    counted = BinCounter((0.0, 1.0)).count(np.array([np.nan, np.inf, -np.inf, 0.5, -3.0]))
    assert (counted.minimum, counted.maximum, counted.n_missing) == (-3.0, 0.5, 1)


def test_no_values_have_no_range():
    counted = BinCounter((0.0,)).count(np.array([], dtype=float))
    assert (counted.counts.tolist(), counted.minimum, counted.maximum) == ([0, 0], None, None)


@pytest.mark.parametrize("largest", [1.0, 1e6, 1e308])
def test_values_beyond_and_between_many_ends_are_counted_exactly(largest: float):
    rng = np.random.default_rng(8)
    values = np.concatenate([rng.normal(0, 1, 20_000), rng.pareto(0.5, 20_000), [-np.inf, np.inf, np.nan]])
    inner = np.quantile(values[:20_000], np.linspace(0.01, 0.99, 99))
    edges = np.sort([*inner, *(largest * 2.0 ** -np.arange(8)), *(-largest * 2.0 ** -np.arange(8))]).tolist()
    column = np.concatenate([values, edges])
    assert BinCounter(tuple(edges)).count(column).counts.tolist() == plain_counts(edges, column)
