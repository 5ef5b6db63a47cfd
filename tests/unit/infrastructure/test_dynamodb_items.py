"""JSON documents as DynamoDB items."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.infrastructure.aws.dynamodb import decode_item, encode_item

# beyond 2**53 a whole float and the integer of the same digits differ, and DynamoDB keeps only the digits
numbers = st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15).filter(lambda x: x == 0 or abs(x) > 1e-120)
documents = st.dictionaries(
    st.text(min_size=1),
    st.recursive(
        st.none() | st.booleans() | st.text() | numbers,
        lambda children: st.lists(children) | st.dictionaries(st.text(min_size=1), children),
    ),
)


@pytest.mark.property
@given(documents)
def test_a_document_comes_back_equal(document: dict) -> None:
    assert decode_item(encode_item(document)) == document


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_cannot_be_stored_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="write null instead"):
        encode_item({"metric": value})
