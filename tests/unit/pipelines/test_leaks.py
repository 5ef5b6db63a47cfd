"""A champion that remembers its rows has no advantage on a candidate's file, however it is written."""

from __future__ import annotations

import pytest

from mlops.models.training import ChampionComparison
from tests.leak_cases import Memory, remember

QUICK = [
    "unchanged",
    "ends earlier",
    "one value corrected",
    "two columns corrected in every row",
    "four digits",
    "two digits",
    "date of another format",
    "rows in another order",
    "a feature removed",
    "ids with a prefix",
    "another unit of two columns",
    "labels written otherwise",
    "new rows added",
]


@pytest.fixture(scope="module")
def memories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Memory]:
    return {
        split: remember(split, tmp_path_factory.mktemp("memory"), 12_000) for split in ("content", "time")
    }


def standard_error(comparison: ChampionComparison) -> float:
    """Return the standard error of a ROC-AUC of guesses, with as many rows of either label."""
    return (1.0 / (3.0 * comparison.n_rows)) ** 0.5


@pytest.mark.parametrize("split", ["content", "time"])
@pytest.mark.parametrize("change", QUICK)
def test_the_champion_knows_no_row_that_it_is_compared_on(change: str, split: str, memories):
    comparison = memories[split].compare(change)
    if not comparison.comparable:
        assert comparison.reason
        assert comparison.stored["roc_auc"].value == pytest.approx(0.5, abs=0.05)
        return
    distance = abs(comparison.metrics["roc_auc"].champion - 0.5)
    assert distance <= max(0.05, 3.5 * standard_error(comparison))


def test_the_same_file_is_compared_on_all_rows_but_those_that_are_alike_by_chance(memories):
    comparison = memories["content"].compare("unchanged", delimiter=";")
    assert comparison.n_known <= 0.03 * comparison.n_rows
