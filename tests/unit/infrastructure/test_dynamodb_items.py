"""JSON documents as DynamoDB items."""

from __future__ import annotations

import math

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable, decode_item, encode_item
from mlops.infrastructure.table import NewerOutcome, NewerValues

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


@pytest.mark.parametrize("size", ["Item size to update has exceeded", "Item size has exceeded"])
def test_every_message_about_the_size_of_an_item_names_the_write(size: str, aws: None) -> None:
    write = NewerValues("p", "1", "at", "2026-02", {"value": 1})
    with Stubber(client("dynamodb")) as stubber:
        stubber.add_client_error("update_item", "ValidationException", f"{size} the maximum allowed size")
        assert DynamoDBTable("items").write_newer([write]) == NewerOutcome(0, (write,))
