"""Which library versions may load a model: the rule, case by case."""

from __future__ import annotations

import pytest

from mlops.pipelines.artifacts.artifacts import library_versions
from mlops.pipelines.artifacts.compatibility import RULES, version_problems


@pytest.mark.parametrize(
    ("library", "saved", "present"),
    [
        ("scikit-learn", "1.9.0", "1.9.1"),
        ("scikit-learn", "1.9.4", "1.9.0"),
        ("xgboost", "3.1.0", "3.4.1"),
        ("skops", "0.14.0", "0.16.0"),
        ("numpy", "2.5.5", "2.1.0"),
        ("scipy", "1.15.0", "1.18.1"),
        ("pandas", "2.2.3", "3.1.1"),
        ("pandas", "3.1.1", "2.2.3"),
        ("python", "3.12.1", "3.13.0"),
        ("python", "3.13.0", "3.12.1"),
    ],
)
def test_these_versions_load_what_those_wrote(library: str, saved: str, present: str):
    assert version_problems({library: saved}, {library: present, "another": "1.0"}) == []


@pytest.mark.parametrize(
    ("library", "saved", "present", "needed"),
    [
        ("scikit-learn", "1.9.0", "1.10.0", "1.9.x"),
        ("scikit-learn", "1.10.0", "1.9.9", "1.10.x"),
        ("scikit-learn", "1.9.0", "2.9.0", "1.9.x"),
        ("xgboost", "3.4.1", "3.1.0", "3.4 or a later 3.x"),
        ("xgboost", "3.4.1", "4.4.1", "3.4 or a later 3.x"),
        ("skops", "0.16.0", "0.14.0", "0.16 or a later 0.x"),
        ("numpy", "2.5.5", "3.0.0rc1", "2.x"),
        ("python", "3.12.1", "4.0.0", "3.x"),
        ("some library", "1.0.0", "1.0.1", "1.0.0"),
    ],
)
def test_these_versions_are_refused_with_all_three_in_the_message(
    library: str, saved: str, present: str, needed: str
):
    assert version_problems({library: saved}, {library: present}) == [
        f"{library} {saved} (installed: {present}; needed: {needed})"
    ]


def test_a_library_that_is_not_installed_is_a_problem_whatever_its_rule():
    assert version_problems({"pandas": "2.2.3"}, {}) == [
        "pandas 2.2.3 (installed: none; needed: any version)"
    ]


def test_every_library_that_a_manifest_names_has_a_rule():
    assert set(library_versions("XGBoost")) == set(RULES)
