"""A check of all groups goes on after one of them fails, and says at the end which ones did."""

from __future__ import annotations

import pytest

from mlops.models.errors import QualityError
from mlops.use_cases.every_group import check_every_group


def failed(causes: str) -> QualityError:
    return QualityError(f"Not checked: {causes}")


def test_the_results_are_in_the_order_of_the_groups() -> None:
    assert check_every_group(["a", "b", "c"], lambda group: [group] * (group != "b"), failed) == ["a", "c"]


def test_a_group_that_fails_does_not_stop_the_others_and_is_named_with_its_cause() -> None:
    checked = []

    def check(group: str) -> list[str]:
        checked.append(group)
        if group == "b":
            raise ValueError("no rows")
        return [group]

    with pytest.raises(QualityError, match=r"^Not checked: 1 group: b: no rows$") as caught:
        check_every_group(["a", "b", "c"], check, failed)
    assert checked == ["a", "b", "c"]
    assert isinstance(caught.value.__cause__, ExceptionGroup)


def test_several_groups_are_counted_and_an_error_without_a_text_is_named_by_its_type() -> None:
    def check(group: str) -> list[str]:
        raise KeyError if group == "a" else ConnectionError

    with pytest.raises(QualityError, match=r"^Not checked: 2 groups: a: KeyError; b: ConnectionError$"):
        check_every_group(["a", "b"], check, failed)
