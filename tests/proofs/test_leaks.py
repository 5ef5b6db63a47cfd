"""The leak detector in full: every change of the candidate's file, with every way to divide the rows."""

from __future__ import annotations

import os

import pytest

from tests.leak_cases import CHANGES, SPLITS, Memory, remember

pytestmark = pytest.mark.skipif(
    os.environ.get("PROOFS") != "full", reason="long: `make prove PROOFS=full` runs it"
)

N_ROWS = 60_000  # so that most changes leave 2,000 held-out rows


@pytest.fixture(scope="module")
def memories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Memory]:
    return {split: remember(split, tmp_path_factory.mktemp("memory"), N_ROWS) for split in SPLITS}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_champion_knows_no_row_that_it_is_compared_on(change: str, split: str, memories):
    comparison = memories[split].compare(change)
    if comparison.comparable:
        assert comparison.n_rows >= 1_900
        assert 0.45 <= comparison.metrics["roc_auc"].champion <= 0.55
