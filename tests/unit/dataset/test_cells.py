"""What the text of a cell means, asked of many at once and of each alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import view_as_numbers

CELLS = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers().map(str),
    st.sampled_from(
        ["", "NA", "n/a", "oops", "1,234", " 7 ", "5%", "inf", "-", "007", "1e5", "\n", "1\n2", "\r"]
    ),
    st.text(max_size=6),
)


@pytest.mark.property
@given(st.lists(CELLS, max_size=12), st.sampled_from([".", ","]))
def test_many_cells_mean_what_each_of_them_means(cells: list[str], decimal: str) -> None:
    notation = Notation(decimal)
    together = view_as_numbers([*cells, "a word"], notation)
    for position, cell in enumerate(cells):
        alone = view_as_numbers([cell, "a word"], notation)
        for name in ("numbers", "is_number", "is_missing", "is_like", "is_code"):
            assert np.array_equal(
                getattr(together, name)[position], getattr(alone, name)[0], equal_nan=name == "numbers"
            )
