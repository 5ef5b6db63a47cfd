"""Numbers as people read them."""

import pytest

from mlops.pages.number_format import number


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.5, "1000"), (999.96, "1000"), (-999.9, "-1000")],
)
def test_a_number_that_is_rounded_to_a_thousand_has_no_exponent(value: float, text: str) -> None:
    assert number(value) == text
