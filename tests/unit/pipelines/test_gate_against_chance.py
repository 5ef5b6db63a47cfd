"""Simulated retrainings: nothing but chance separates two equally good models.

`tests/proofs/test_chance.py` has more of them, by which the rates are measured.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gate import CHAMPIONS, FEATURES, retraining
from benchmarks.gate_looks import CASES, is_promoted, score, sequence
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.evaluation.stored_score import not_compared


def share_passed(champion: str, n_held_out: int, n_retrainings: int) -> float:
    rng = np.random.default_rng(11)
    passed = 0
    for _ in range(n_retrainings):
        metrics, comparison = retraining(rng, n_held_out, CHAMPIONS[champion], "LogisticRegression")
        passed += judge(metrics, comparison).passed
    return passed / n_retrainings


@pytest.mark.property
def test_two_equal_models_are_hardly_ever_told_apart():
    assert share_passed("an equal one", 200, 30) <= 1 / 30


@pytest.mark.property
def test_of_twenty_looks_at_the_same_rows_none_prefers_an_equal_candidate():
    rng = np.random.default_rng(3)
    sequences = [list(sequence(rng, CASES["equal"], 300, -1.2, range(1, 21))) for _ in range(2)]
    assert not any(is_promoted(look) for looks in sequences for look in looks)


@pytest.mark.property
def test_a_clearly_worse_candidate_does_not_pass_beside_a_stored_score():
    rng = np.random.default_rng(4)
    worst = tuple(feature for feature in FEATURES if feature.name != "x0")
    champion = not_compared("v1.0.0", score(rng, FEATURES, 2_000, -1.2))
    assert judge(score(rng, FEATURES, 2_000, -1.2), champion).passed
    assert not judge(score(rng, worst, 2_000, -1.2), champion).passed


@pytest.mark.property
def test_a_candidate_with_a_better_column_is_seen_through_the_noise():
    assert share_passed("one without the best column", 1_000, 8) >= 0.7
