"""Cells that are written as bytes, a column at once, are those that Python writes one by one."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.pipelines.scoring.cell_bytes import count_cells, joined, number_cells, spread, text_cells

RNG = np.random.default_rng(0)
POWERS = 10.0 ** np.arange(-12, 12)
CASES = {
    "probabilities": RNG.random(50_000),
    "all sizes": np.concatenate(
        (10.0 ** RNG.uniform(-320, 308, 5_000), -(10.0 ** RNG.uniform(-6, 11, 20_000)))
    ),
    "below 1": -(10.0 ** RNG.uniform(-320, -0.1, 5_000)),
    "few digits": np.round(RNG.normal(0, 1_000, 20_000), 2),
    "around powers of ten": np.concatenate(
        [POWERS * (1 + delta) for delta in (0, 1e-10, -1e-10, 6e-10, -6e-10)]
    ),
    "halves": (np.arange(20_000) + 100_000_000.5) / 10.0 ** (np.arange(20_000) % 13),
    "special": np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 999_999_999.4, 999_999_999.5, 5e-324, 1e-4]),
}


def lines_of(*columns) -> list[str]:
    return joined(columns).decode().split("\n")[:-1]


@pytest.mark.parametrize("numbers", CASES.values(), ids=CASES.keys())
def test_numbers_are_written_as_python_writes_nine_digits(numbers):
    assert lines_of(number_cells(numbers)) == [f"{number:.9g}" for number in numbers.tolist()]


@pytest.mark.property
@given(st.lists(st.floats(), min_size=1, max_size=30))
def test_any_number_is_written_as_python_writes_nine_digits(numbers):
    assert lines_of(number_cells(np.array(numbers))) == [f"{number:.9g}" for number in numbers]


@pytest.mark.parametrize("first", [1, 95, 999_990])
def test_rows_are_numbered(first):
    assert lines_of(count_cells(first, 20)) == [str(number) for number in range(first, first + 20)]


@pytest.mark.parametrize(
    "text", ["é", "x" * 64, "long " * 40, "with\0zero", ""], ids=["é", "64", "long", "NUL", "none"]
)
def test_texts_of_any_length_are_rows_of_the_same_file(text):
    codes = np.array([0, 2, 1, -1])
    columns = [count_cells(9, 4), text_cells(["a", text, "b", "last"], codes), number_cells(np.arange(4) / 4)]
    rows = list(csv.reader(io.StringIO(joined(columns).decode(), newline="")))
    assert rows == [["9", "a", "0"], ["10", "b", "0.25"], ["11", text, "0.5"], ["12", "last", "0.75"]]


@pytest.mark.parametrize("longest", [5, 500])
def test_rows_without_a_prediction_have_empty_cells(longest):
    cells = text_cells(["a", "b" * longest], np.array([0, 1]))
    is_filled = np.array([False, True, False, True])
    assert lines_of(count_cells(1, 4), spread(cells, is_filled)) == ["1,", "2,a", "3,", "4," + "b" * longest]
