"""The default against what anybody gets with plain scikit-learn, on tables that no default was chosen on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.training_quality import DEFAULT, measure, unseen_case
from benchmarks.unseen_sets import SETS

BY_NAME = {one.name: one for one in SETS}


@pytest.mark.parametrize("name", ["300 levels, 800 rows", "400 levels, regression", "interaction"])
def test_the_default_is_not_clearly_worse_than_the_better_plain_peer(name: str, tmp_path: Path):
    (line,) = measure(unseen_case(BY_NAME[name], 0, tmp_path), [DEFAULT])
    assert line["high"] >= 0.0, line


@pytest.mark.parametrize("name", ["linnerud (20 rows)", "three rows per class"])
def test_a_table_that_is_too_small_is_refused_in_one_sentence(name: str, tmp_path: Path):
    (line,) = measure(unseen_case(BY_NAME[name], 0, tmp_path), [DEFAULT])
    assert line["refused"].endswith(("rows out.", "are needed.", "add rows."))
