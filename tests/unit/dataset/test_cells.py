"""What the text of a cell means, asked of many at once and of each alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import (
    MISSING_EVERYWHERE,
    view_as_missing,
    view_as_numbers,
    with_control_characters,
    with_outer_space,
)

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


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_cell_of_two_lines_does_not_move_the_numbers_after_it(decimal: str) -> None:
    view = view_as_numbers([f"1{decimal}5", "two\nlines", "7"], Notation(decimal))
    assert np.array_equal(view.numbers, [1.5, np.nan, 7.0], equal_nan=True)


def test_space_around_a_text_is_marked_and_space_within_it_is_not() -> None:
    values = ["a few words", " before", "after\u00a0", "  ", "", "two\n lines"]
    stripped = [value.strip() for value in values]
    assert with_outer_space(values, stripped).tolist() == [False, True, True, False, False, False]
    assert not with_outer_space(stripped, stripped).any()


def test_characters_that_cannot_be_seen_are_marked_and_spaces_are_not() -> None:
    values = ["a few words", "a\u200bb", "a\x07", "two\nlines", "no\u00a0break"]
    assert with_control_characters(values).tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("change", [str, str.upper, str.title, str.swapcase])
def test_a_spelling_of_missing_counts_in_any_letters(change: Callable[[str], str]) -> None:
    spellings = [change(token) for token in sorted(MISSING_EVERYWHERE)]
    assert view_as_missing([*spellings, "none", "n", "nul"]).tolist() == [True] * len(spellings) + [False] * 3
    assert not view_as_missing(spellings, kept=spellings).any()
