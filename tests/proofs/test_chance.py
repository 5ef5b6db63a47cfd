"""Simulated retrainings in number; `tests/unit/pipelines/test_gate_against_chance.py` has a few of them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from benchmarks.gate_looks import CASES, is_promoted, sequence
from tests.unit.pipelines.test_gate_against_chance import share_passed

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")


def test_two_equal_models_are_promoted_in_at_most_five_percent_of_two_hundred_retrainings():
    assert share_passed("an equal one", 200, 200) <= 0.05


def test_of_twenty_looks_at_the_same_rows_hardly_any_prefers_an_equal_candidate():
    rng = np.random.default_rng(3)
    sequences = [list(sequence(rng, CASES["equal"], 300, -1.2, range(1, 21))) for _ in range(12)]
    assert sum(any(map(is_promoted, looks)) for looks in sequences) <= 2


def test_a_candidate_with_a_better_column_is_seen_through_the_noise():
    assert share_passed("one without the best column", 1_000, 20) >= 0.8
