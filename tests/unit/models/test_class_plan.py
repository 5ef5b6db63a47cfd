"""Rare classes: learned as one class, left out or refused, and other spellings recognised."""

from __future__ import annotations

import pytest

from mlops.models.settings.group import GroupSettings
from mlops.models.target.class_plan import plan_classes, similar_label

MANY = {"a": 400, "b": 300, "c": 200}


def settings(text: str = "") -> GroupSettings:
    return GroupSettings.from_toml(text)


@pytest.mark.parametrize(
    ("rare", "text", "pooled", "dropped"),
    [
        ({}, "", (), ()),
        ({"d": 6}, "", (), ("d",)),
        ({"d": 6, "e": 4}, "", ("d", "e"), ()),
        ({"d": 6, "e": 3}, "", (), ("d", "e")),
        ({"d": 6, "e": 4}, '[classes]\nrare = "drop"', (), ("d", "e")),
        ({"d": 6}, '[classes]\nrare = "other"', (), ("d",)),
        ({"d": 6}, "[classes]\nmin_rows = 5", (), ()),
        ({"d": 30}, "[classes]\nmin_rows = 40", (), ("d",)),
        ({"d": 6, "other": 90}, "", ("d",), ()),
        ({"d": 6, "Other": 90}, "", ("d",), ()),
        ({"d": 6, "other": 5}, "", ("d", "other"), ()),
    ],
)
def test_of_several_classes_rare_ones_are_pooled_when_the_pool_is_large_enough_else_left_out(
    rare: dict[str, int], text: str, pooled: tuple[str, ...], dropped: tuple[str, ...]
) -> None:
    plan = plan_classes(MANY | rare, settings(text), "y")
    assert plan.problem is None
    assert (plan.pooled, plan.dropped) == (pooled, dropped)
    assert bool(plan.warning) == bool(pooled or dropped)
    assert all(label in str(plan.warning) for label in (*pooled, *dropped))
    left = set(MANY | rare) - {*pooled, *dropped}
    assert set(plan.learned) == left | ({plan.other} if pooled else set())


@pytest.mark.parametrize(
    ("counts", "text", "message"),
    [
        ({"yes": 400, "no": 6}, "", "1 of the 2 classes .* fewer than 10 rows: 'no' \\(6\\)"),
        ({"yes": 400, "no": 300, "yess": 2}, "", "'yess' \\(2, looks like 'yes'\\)"),
        ({"Yes": 400, "No": 300, "Y": 2}, "", "'Y' \\(2, looks like 'Yes'\\)"),
        ({"Yes": 400, "No": 300, "maybe": 2}, "", "'maybe' \\(2\\)"),
        ({"a": 400, "b": 6, "c": 7}, "", "2 of the 3 classes"),
        ({"yes": 400, "no": 6}, '[classes]\nrare = "drop"', "1 of the 2 classes"),
        (MANY | {"d": 6}, '[classes]\nrare = "refuse"', "1 of the 4 classes"),
        ({"only": 400}, "", "one class only"),
        (MANY, 'task = "binary"', "3 classes, but task is set to binary"),
        ({f"c{n}": 20 for n in range(101)}, "", "101 distinct values, and at most 100"),
        ({f"c{n}": 1 for n in range(300)}, "", "300 distinct values"),
    ],
)
def test_what_cannot_be_learned_is_refused(counts: dict[str, int], text: str, message: str) -> None:
    plan = plan_classes(counts, settings(text), "y")
    assert plan.problem is not None
    with pytest.raises(ValueError, match=message):
        raise ValueError(plan.problem)


@pytest.mark.parametrize(
    "counts",
    [{"yes": 400, "no": 300, "yess": 2}, {"a": 400, "b": 6, "c": 7}, {"Yes": 90, "No": 80, "Y": 2, "N": 1}],
)
def test_the_offered_lines_make_a_target_that_can_be_learned(counts: dict[str, int]) -> None:
    refused = plan_classes(counts, settings(), "y")
    assert refused.problem
    accepted = plan_classes(counts, settings(str(refused.accept_with)), "y")
    assert accepted.problem is None
    assert len(accepted.learned) >= 2


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("YES ", "yes"), ("Y", "yes"), ("yess", "yes"), ("ye", "yes"), ("y.", "yes"), ("True", "yes"),
        ("1", "yes"), ("N", "no"), ("No\u200b", "no"), ("0", "no"), ("noo", "no"), ("unknown", None),
    ],
)  # fmt: skip
def test_another_spelling_is_recognised(label: str, expected: str | None) -> None:
    assert similar_label(label, ["yes", "no"]) == expected
