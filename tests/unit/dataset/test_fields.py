"""Columns read from bytes equal what Python makes of every cell."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.dataset.limits import Limits
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.fields import Block, Fields, text_keys
from mlops.dataset.table.records import RecordCutter

PLAIN = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{0,5})?", fullmatch=True)
IRREGULAR = st.sampled_from(
    ["-", ".", "-.", "1.2.3", "1..2", "+1", "1e5", " 1", "1 ", "--1", "1-", "é", "１", "007", "/", ":"]
)
TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
    | st.text('a"é', min_size=60, max_size=100)
    | st.text('a"\n', min_size=60, max_size=100),
    min_size=1,
    max_size=30,
)


def a_block(*columns: Sequence[str], newline: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> Block:
    """Return the one block of a table with these columns."""
    names = tuple(f"c{position}" for position in range(len(columns)))
    text = io.StringIO()
    csv.writer(text, lineterminator=newline, quoting=quoting).writerows(zip(*columns, strict=True))  # type: ignore[arg-type]
    dialect = Dialect(",", names, 1, 0, 0, has_sep_line=False, decimal=".")
    (block,) = RecordCutter(dialect, b"c0", Limits()).cut([text.getvalue().encode()])
    return block


@pytest.mark.property
@given(st.lists(PLAIN | st.just(""), min_size=1, max_size=40), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_plain_numbers_are_the_ones_that_python_reads(cells: list[str], newline: str, quoted: bool) -> None:
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    fields = Fields(a_block(["x"] * len(cells), cells, newline=newline, quoting=quoting))
    numbers = fields.numbers(1, ".", ())
    assert numbers is not None
    expected = np.array([float(cell) if cell else math.nan for cell in cells])
    np.testing.assert_array_equal(numbers, expected)
    np.testing.assert_array_equal(np.signbit(numbers[expected == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.property
@given(st.lists(PLAIN, max_size=5), IRREGULAR, st.lists(PLAIN, max_size=5))
def test_a_cell_that_is_not_a_plain_number_is_never_read_as_one(
    before: list[str], irregular: str, after: list[str]
) -> None:
    cells = [*before, irregular, *after]
    assert Fields(a_block(["x"] * len(cells), cells)).numbers(1, ".", ()) is None


@pytest.mark.parametrize(
    ("cell", "is_plain"),
    [
        ("9007199254740991", True),
        ("9007199254740992", False),
        ("0.12345678901234", True),
        ("0.123456789012345", False),
        ("-12345678.012345", True),
        ("100000000000.001", True),
        ("007", False),
        ("-00", False),
    ],
)
def test_codes_and_numbers_that_a_float_may_round_are_left_to_the_parser(cell: str, is_plain: bool) -> None:
    numbers = Fields(a_block([cell, "1"])).numbers(0, ".", ())
    assert (numbers is not None) == is_plain
    assert numbers is None or numbers[0] == float(cell)


def test_words_for_missing_are_missing_and_another_decimal_mark_is_read() -> None:
    fields = Fields(a_block(["1,5", "NA", "-2,25", ""]))
    numbers = fields.numbers(0, ",", ("NA",))
    assert numbers is not None
    np.testing.assert_array_equal(numbers, [1.5, math.nan, -2.25, math.nan])
    assert fields.numbers(0, ".", ("NA",)) is None
    assert fields.numbers(0, ",", ()) is None


@pytest.mark.property
@given(TEXTS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_texts_are_what_was_written_in_the_order_of_appearance(
    cells: list[str], newline: str, quoting: int
) -> None:
    texts = Fields(a_block(["x"] * len(cells), cells, newline=newline, quoting=quoting)).texts(1)
    assert texts is not None
    assert [texts[row] for row in range(len(texts))] == cells
    assert texts.values == list(dict.fromkeys(cells))
    if texts.keys is not None:
        np.testing.assert_array_equal(texts.keys, text_keys(texts.values))


LONG = "a sentence of so many words that its letters fill more than a few words of memory"


@pytest.mark.parametrize("edge", ["", " ", "\t", "\u00a0", "\u2003", "é", "\x1f", '"'], ids=ascii)
def test_long_texts_are_known_without_the_spaces_around_them(edge: str) -> None:
    cells = [LONG, "", LONG + edge, edge + LONG, "x"]
    texts = Fields(a_block(["x"] * len(cells), cells)).texts(1)
    assert texts is not None
    assert list(texts.stripped) == [value.strip() for value in texts.values]


def test_texts_that_are_equal_without_their_quotes_are_one_value() -> None:
    dialect = Dialect(",", ("c0", "c1"), 1, 0, 0, has_sep_line=False, decimal=".")
    written = b'"a""b",x\na"b,y\n"a""b",z\n'
    (block,) = RecordCutter(dialect, b"c0", Limits()).cut([written])
    texts = Fields(block).texts(0)
    assert texts is not None
    assert (texts.values, texts.codes.tolist()) == (['a"b'], [0, 0, 0])


@pytest.mark.property
@given(st.lists(st.text(max_size=100), min_size=1, max_size=20, unique=True))
def test_different_texts_have_different_keys_whatever_is_beside_them(texts: list[str]) -> None:
    texts = [text for text in texts if "\0" not in text]
    together = text_keys(texts) if texts else np.zeros(0, np.uint64)
    assert len(np.unique(together)) == len(texts)
    assert [int(text_keys([text])[0]) for text in texts] == together.tolist()
