"""Cells of a column in one form: what a reader made is taken as it is, everything else is brought to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops.dataset.table.values import as_texts, missing_cells

COLUMNS = {
    "numbers": pd.Series([1.0, np.nan, -0.0, np.inf]),
    "small numbers": pd.Series([1.0, np.nan], dtype=np.float32),
    "integers": pd.Series([1, 2]),
    "texts": pd.Series(["a", None, np.nan, ""], dtype=object),
    "categories": pd.Series(["a", None, "b", "a"], dtype="category"),
    "truth values": pd.Series([True, None], dtype="boolean"),
    "moments": pd.Series([pd.Timestamp("2024-01-01"), pd.NaT]),
    "nothing": pd.Series([], dtype=object),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_cell_is_missing_where_pandas_says_so(column: pd.Series) -> None:
    np.testing.assert_array_equal(missing_cells(column), column.isna().to_numpy())


def test_categories_of_a_reader_are_texts_as_they_are() -> None:
    column = pd.Series(pd.Categorical.from_codes([1, -1, 0], pd.Index(["b", "a c"])), index=[5, 6, 7])
    assert as_texts(column) is column


@pytest.mark.parametrize("categories", [["a", "b", "unused"], ["a", " b"], ["a", ""], ["a", 1], ["a", 1.0]])
def test_other_categories_become_texts(categories: list[object]) -> None:
    column = pd.Series(pd.Categorical.from_codes([0, 1, -1], pd.Index(categories, dtype=object)))
    texts = as_texts(column)
    expected = {"unused": "b"}.get(
        str(categories[-1]), str(categories[1]).strip().removesuffix(".0")
    ) or np.nan
    assert texts.tolist()[:1] == ["a"]
    assert texts[1] is expected or texts[1] == expected
    assert set(texts.cat.categories) == {"a", expected} - {np.nan}
