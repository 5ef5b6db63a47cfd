"""A reason that people must give shows something: the same rule for forms and commands."""

from __future__ import annotations

import pytest

from mlops.registry.tags import find_reason_problem, has_visible_characters

INVISIBLE = [
    "",
    " \t\n",
    "\u00a0\u2003\u3000",  # spaces of other widths
    "\u200b",  # zero width space
    "\u200b \u200c\u200d\ufeff\u2060\u00ad",
    "\u180e\u034f\u061c",
    "\u0301\u20dd\ufe0f",  # accents without a letter, an enclosing circle, a variation selector
    "\u3164\u115f\u1160\uffa0",  # Hangul fillers, which Unicode calls letters
    "\u2800",  # the Braille cell without a dot, which Unicode calls a symbol
    "\U000e0041\U000e0042",  # tags
    "\ue000\uf8ff",  # private use
    "\u0378",  # not assigned
]


@pytest.mark.parametrize("reason", INVISIBLE, ids=ascii)
def test_a_reason_that_shows_nothing_is_empty(reason):
    assert not has_visible_characters(reason)
    assert find_reason_problem(reason, is_required=True) == "a reason is needed, in visible characters"


@pytest.mark.parametrize(
    "reason", ["leaks the future", ".", "é", "e\u0301", "漏洩", "🙂", "3", "a\u200bb", "ㅎ"]
)
def test_a_reason_that_shows_something_is_one(reason):
    assert find_reason_problem(reason, is_required=True) == ""


def test_a_reason_that_is_not_required_may_be_absent_but_not_invisible():
    assert find_reason_problem(" ", is_required=False) == ""
    assert find_reason_problem("\u200b", is_required=False) != ""


# Default_Ignorable_Code_Point of Unicode 15.0, DerivedCoreProperties.txt
_IGNORABLE = (
    "00AD 034F 061C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 "
    "FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)


def test_every_character_that_unicode_calls_ignorable_shows_nothing():
    ends = [entry.split("-") for entry in _IGNORABLE.split()]
    ignorable = [
        chr(code)
        for first, *last in ends
        for code in range(int(first, 16), int(last[0] if last else first, 16) + 1)
    ]
    assert len(ignorable) == 4174
    assert not any(map(has_visible_characters, ignorable))
