"""One-hot columns of categories: what scikit-learn's encoder says, from codes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from mlops.dataset.table.values import as_categories, as_texts
from mlops.pipelines.compiled.encoding import MISSING
from mlops.pipelines.fitting.one_hot import CategoryEncoder

cells = st.sampled_from([*"abcdefgh", MISSING, None])


def columns(*parts: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({f"c{n}": as_texts(pd.Series(part, dtype=object)) for n, part in enumerate(parts)})


@pytest.mark.property
@given(
    existing=st.lists(st.tuples(cells, cells), min_size=1, max_size=60),
    later=st.lists(st.tuples(cells, cells), min_size=1, max_size=20),
    min_rows=st.integers(1, 6),
    max_categories=st.integers(2, 8),
)
def test_they_are_those_of_scikit_learns_encoder(existing, later, min_rows: int, max_categories: int):
    theirs = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=min_rows,
        max_categories=max_categories,
        sparse_output=False,
    )
    train, test = (columns(*map(list, zip(*rows, strict=True))) for rows in (existing, later))
    as_objects = [frame.astype(object).fillna(MISSING).to_numpy() for frame in (train, test)]
    ours = CategoryEncoder(min_rows=min_rows, max_categories=max_categories).fit(train)
    theirs.fit(as_objects[0])
    np.testing.assert_array_equal(ours.transform(train), theirs.transform(as_objects[0]))
    np.testing.assert_array_equal(ours.transform(test), theirs.transform(as_objects[1]))


def test_it_does_not_matter_which_levels_a_file_has_and_in_which_order():
    fitted = CategoryEncoder().fit(columns(["a", "b", None, "a"]))
    one, other = columns(["b", None, "a"]), columns([None, "x", "a", "b"])
    np.testing.assert_array_equal(fitted.transform(one), fitted.transform(other.iloc[[3, 0, 2]]))


def test_a_level_whose_rows_were_all_left_out_gets_no_column():
    frame = pd.DataFrame({"c": as_categories(pd.Series(["a", "b", "rare"] * 2))})
    assert CategoryEncoder().fit(frame[frame["c"] != "rare"]).categories_ == [["a", "b"]]
