"""Simulated retrainings: two equally good models are told apart by nothing but chance."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gate import CHAMPIONS, retraining
from mlops.pipelines.evaluation.gate import judge


def share_passed(champion: str, n_held_out: int, n_retrainings: int) -> float:
    rng = np.random.default_rng(11)
    passed = 0
    for _ in range(n_retrainings):
        metrics, comparison = retraining(rng, n_held_out, CHAMPIONS[champion], "LogisticRegression")
        passed += judge(metrics, comparison).passed
    return passed / n_retrainings


@pytest.mark.property
def test_two_equal_models_are_promoted_in_at_most_five_percent_of_two_hundred_retrainings():
    assert share_passed("an equal one", 200, 200) <= 0.05


@pytest.mark.property
def test_a_candidate_with_a_better_column_is_seen_through_the_noise():
    assert share_passed("one without the best column", 1_000, 20) >= 0.8
